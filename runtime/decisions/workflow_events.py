"""What sets workflows off while records are written: matched in the write itself, run in a job after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metadata.models.effects import SetFields
from metadata.models.workflow import RECORD_EVENTS, Trigger, Workflow
from rules.evaluate import holds
from runtime.decisions.effects import DEEPEST, Acting, given_values_of
from runtime.decisions.workflow_store import Start, start
from runtime.messages import say
from runtime.records.input import fitted
from runtime.records.rulebook import RecordRule, decide, register
from runtime.records.values import Loader

if TYPE_CHECKING:
    from metadata.model import Application, Entity
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session


def of_entity(app: Application, entity: str) -> tuple[Workflow, ...]:
    """The workflows in use that events of this entity may set off."""
    found: tuple[Workflow, ...] = app.rules_of(entity, "workflow")
    return tuple(w for w in found if w.enabled and any(t.event in RECORD_EVENTS for t in w.triggers))


class WorkflowRule(RecordRule):
    """Workflows of an entity, in the order of their names."""

    name = "workflow"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(of_entity(app, entity.name))

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Those with `run: now` give their values in the write itself, each once, in the order of their names."""
        for workflow in of_entity(session.app, plan.name):
            if workflow.now:
                for draft in drafts:
                    if _sets_off(workflow, draft) is not None and _holds(workflow, draft):
                        _set_now(session, workflow, draft)

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        starts: list[Start] = []
        for workflow in of_entity(session.app, plan.name):
            if not workflow.now:
                starts.extend(_starts(session, workflow, plan, drafts))
        start(session, starts)

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        self._alone(session, plan, ids, "delete")

    def restored(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        self._alone(session, plan, ids, "restore")

    def _alone(self, session: Session, plan: EntityPlan, ids: Sequence[int], event: str) -> None:
        starts: list[Start] = []
        loader = Loader(session)
        loader.want(plan.name, ids)
        for workflow in of_entity(session.app, plan.name):
            if any(t.event == event for t in workflow.triggers):
                for record_id in ids:
                    record = loader.record(plan.name, record_id)
                    if workflow.when is None or holds(workflow.when, record, loader.environment):
                        starts.append(_start(session, workflow, event, plan.name, record_id))
        start(session, starts)


register(WorkflowRule())


def _starts(session: Session, workflow: Workflow, plan: EntityPlan, drafts: Sequence[Draft]) -> Iterator[Start]:
    for draft in drafts:
        trigger = _sets_off(workflow, draft)
        if trigger is not None and _holds(workflow, draft):
            found = _start(session, workflow, trigger.event, plan.name, draft.record_id or 0)
            yield replace(found, before=draft.before, changed=frozenset(draft.changed))


def _start(session: Session, workflow: Workflow, event: str, entity: str, record_id: int) -> Start:
    """A run; one that would go round is kept as stopped, with the reason."""
    link = f"workflow:{workflow.name}:{entity}:{record_id}"
    stopped = None
    if link in session.chain or session.depth >= DEEPEST * 2 or len(session.chain) >= DEEPEST:
        names = " → ".join([*(part.split(":")[1] for part in session.chain), workflow.name])
        stopped = say("rule.loop", session.site.settings.language, cause=names, depth=len(session.chain))
    return Start(
        workflow=workflow.name,
        event=event,
        entity=entity,
        record=record_id,
        person=_person(session),
        chain=session.chain,
        stopped=stopped,
    )


def _person(session: Session) -> int | None:
    """Who caused it: the person writing, or the one whose doing the rule that writes goes back to."""
    found: int | None = session.user.id if session.user.id is not None else session.cache.get("on_behalf_of")
    return found


def _sets_off(workflow: Workflow, draft: Draft) -> Trigger | None:
    return next((t for t in workflow.triggers if _matches(t, draft)), None)


def _matches(trigger: Trigger, draft: Draft) -> bool:
    if trigger.event == "create":
        return draft.creating
    if trigger.event == "update":
        if draft.creating:
            return False
        return _differs(draft, trigger.fields) if trigger.fields else bool(draft.changed or draft.lines)
    if trigger.event == "move" and trigger.field is not None:
        before = draft.before.get(trigger.field) if draft.before is not None else None
        after = draft.raw(trigger.field)
        if before == after or (trigger.into and after not in trigger.into):
            return False
        return not trigger.out_of or before in trigger.out_of
    return False


def _differs(draft: Draft, fields: Sequence[str]) -> bool:
    """Whether one of the fields changed, formulas and lines included."""
    before = draft.before or {}
    return any(
        name in draft.changed or name in draft.lines or (name in before and before[name] != draft.raw(name))
        for name in fields
    )


def _holds(workflow: Workflow, draft: Draft) -> bool:
    return workflow.when is None or holds(workflow.when, draft, draft.environment())


def _set_now(session: Session, workflow: Workflow, draft: Draft) -> None:
    environment = draft.environment()
    for effect in workflow.steps:
        if not isinstance(effect, SetFields) or (
            effect.when is not None and not holds(effect.when, draft, environment)
        ):
            continue
        acting = Acting(session=session, entity=draft.plan.name, record_id=None, cause=f"workflow:{workflow.name}")
        for name, value in given_values_of(acting, draft.plan.name, effect.values, draft, environment).items():
            field = draft.plan.fields[name]
            decide(draft, name, _stored(session, draft, name, value) if value is not None else None)
            if field.storage in ("choices", "links"):
                draft.values[name] = tuple(value or ())


def _stored(session: Session, draft: Draft, name: str, value: Any) -> Any:
    """The value as its field holds it."""
    from runtime.records.input import coercion  # late: the record layer loads its rules when it first writes

    field = draft.plan.fields[name]
    if isinstance(value, str | dict | list):
        value = draft.plan.types[name].coerce(value, field, coercion(session))
    return fitted(session, field, value, None)
