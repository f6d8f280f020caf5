"""Approvals in the writing of records: what is under approval is locked in every channel; some start by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.approval import Approval
from runtime.decisions import approval_store as store
from runtime.decisions import approvals
from runtime.errors import Conflict
from runtime.records.compute import lines_differ
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import Draft
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

LOCKING = ("waiting", "parked")  # a case that was returned leaves the record to its submitter


def top_of(app: Application, entity: Entity) -> Entity:
    """The entity whose records own these, over lines of lines."""
    while entity.parent is not None:
        entity = app.entities[entity.parent[0]]
    return entity


STARTING = ("create", "change")  # what starts a case while a record is written


class ApprovalRule(RecordRule):
    """The lock, and the starts `create` and `change`."""

    name = "approval"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(top_of(app, entity).name, "approval"))

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        if plan.entity.parent is not None:
            _judge_lines(session, plan, [d for d in drafts if d.parent is None])
            return
        changed = [d for d in drafts if not d.creating and d.record_id is not None]
        cases = store.running_of(session, plan.name, [d.record_id or 0 for d in changed]) if changed else {}
        for draft in changed:
            case = cases.get(draft.record_id or 0)
            if case is not None and _held(session, case) and _touched(draft) & _locked(session, case, plan):
                draft.forbid(Conflict("approval.locked", title=case["title"]))

    def late(self, plan: EntityPlan, count: int) -> bool:
        """What a case sets when it begins or ends at once may be refused by the record's own checks."""
        return any(rule.trigger in STARTING for rule in plan.app.rules_of(plan.name, "approval"))

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        rules = [r for r in session.app.rules_of(plan.name, "approval") if r.trigger in STARTING]
        if rules and session.depth <= MOST_DEEP:
            _start(session, plan, rules, drafts)

    def attaching(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """Where the whole record is locked, its files are part of what was submitted."""
        for case in _cases_above(session, plan, ids):
            if _held(session, case) and case["revision"] is None and store.rule_of(session, case).locks is None:
                raise Conflict("approval.locked", title=case["title"])

    def merging(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        for case in _cases_above(session, plan, ids):
            if _held(session, case):
                raise Conflict("approval.locked", title=case["title"])

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        field = plan.entity.parent_field
        for case in _cases_above(session, plan, ids):
            rule = store.rule_of(session, case)
            free = field is not None and rule.locks is not None and field not in rule.locks
            if _held(session, case) and not free:
                raise Conflict("approval.locked", title=case["title"])


MOST_DEEP = 10


def _cases_above(session: Session, plan: EntityPlan, ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """The running cases of the records, or of those that lines belong to."""
    entity = top_of(session.app, plan.entity).name
    return list(store.running_of(session, entity, sorted(owners(session, plan, ids))).values())


def _held(session: Session, case: Mapping[str, Any]) -> bool:
    """Whether the case locks its record against this session: its own effects pass."""
    return case["state"] in LOCKING and session.cause != approvals.cause_of(case["approval"])


def _locked(session: Session, case: Mapping[str, Any], plan: EntityPlan) -> set[str]:
    rule = store.rule_of(session, case)
    if rule.locks is None or case["revision"] is not None:
        return set(plan.fields)
    return set(rule.locks)


def _touched(draft: Draft) -> set[str]:
    """What people or rules want to change: what is computed follows by itself."""
    fields = draft.plan.fields
    own = {n for n in draft.changed if n in fields and fields[n].computed == "no" and not fields[n].system}
    return own | {name for name in draft.lines if lines_differ(draft, name)}


def _judge_lines(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Lines that are written on their own: the record they belong to is what is locked."""
    entity = top_of(session.app, plan.entity)
    concerned: dict[int, list[Draft]] = {}
    for draft in drafts:
        found: Any = draft
        while found is not None and found.plan.entity.parent is not None:
            found = found.get(found.plan.back)
        if found is not None and (draft.creating or _touched(draft)):
            concerned.setdefault(found.record_id, []).append(draft)
    cases = store.running_of(session, entity.name, sorted(concerned)) if concerned else {}
    for record_id, case in cases.items():
        rule = store.rule_of(session, case)
        free = rule.locks is not None and plan.entity.parent_field not in rule.locks
        if _held(session, case) and not free:
            for draft in concerned[record_id]:
                draft.forbid(Conflict("approval.locked", title=case["title"]))


def owners(session: Session, plan: EntityPlan, ids: Sequence[int]) -> set[int]:
    """The records at the top to which these lines belong; the records themselves, where they are no lines."""
    found = set(ids)
    while plan.entity.parent is not None and plan.back is not None:
        back = plan.table.c[column_name(plan.fields[plan.back])]
        found = set(session.connection.scalars(sa.select(back).where(plan.table.c.id.in_(found), back.is_not(None))))
        from runtime.records.plan import plan_of

        plan = plan_of(session, plan.entity.parent[0])
    return found


def _start(session: Session, plan: EntityPlan, rules: Iterable[Approval], drafts: Sequence[Draft]) -> None:
    """New records and changes that a rule asks to be approved; what runs already goes on."""
    for draft in drafts:
        for rule in rules:
            wanted = draft.creating if rule.trigger == "create" else bool(draft.changed & set(rule.fields))
            if not wanted or (rule.trigger == "change" and draft.creating):
                continue
            if session.cause == approvals.cause_of(rule.name) or not approvals.holds(rule, draft, draft.environment()):
                continue
            if store.running(session, plan.name, draft.record_id or 0) is None:
                approvals.begin_case(session, rule, draft)
            break


register(ApprovalRule())
