"""Chains tried out: who would be asked on a record or on made-up values; nothing is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metadata.fields.base import Rejection
from metadata.models.approval import Approval
from rules.approval_case import Case, Step
from rules.approving import begin, decide
from runtime import records
from runtime.decisions import approvals
from runtime.decisions.people import names, resolve_all
from runtime.errors import Forbidden, NotFound, Refused
from runtime.messages import say
from runtime.records.compute import apply_defaults, compute_formulas, freeze_rates, tree_of
from runtime.records.input import announce, coercion, fill
from runtime.records.plan import plan_of
from runtime.records.save import note_changes
from runtime.records.values import Draft, Loader, Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


def simulate(
    session: Session,
    approval: str | Approval,
    *,
    record_id: int | None = None,
    values: Mapping[str, Any] | None = None,
    submitter: int | None = None,
) -> dict[str, Any]:
    """The chain an approval would take on a record, with `values` over it or made up altogether; writes nothing.

    The approval is one that is published, by its name, or a draft of one.
    Raises `Forbidden` for others than administrators, `NotFound`.
    """
    if not session.user.admin:
        raise Forbidden()
    rule: Approval | None = session.app.of("approval").get(approval) if isinstance(approval, str) else approval
    if rule is None:
        raise NotFound()
    record = imagined(session, rule.entity, record_id, values or {}, submitter)
    if submitter is None:
        owner = record.plan.entity.owner
        submitter = record.raw(owner) if owner else None
    return simulated(session, rule, record, submitter)


def imagined(
    session: Session, entity: str, record_id: int | None, values: Mapping[str, Any], submitter: int | None
) -> Draft:
    """A record as it would be with these values, its defaults and formulas; problems stay with the draft."""
    plan = plan_of(session, entity)
    system = session.sub(cause="simulation", channel="form")  # values are read as a person types them
    loader = Loader(system, session.environment())
    before = None
    if record_id is not None:
        found = loader.record(entity, record_id)
        if found is None:
            raise NotFound()
        records.read(session, entity, record_id, ["id"])
        before = found.row
    draft = Draft(loader, plan, before)
    given = dict(values)
    if before is None and plan.entity.owner and plan.entity.owner not in given and submitter is not None:
        given[plan.entity.owner] = submitter
    made_up = {n: v for n, v in given.items() if n in plan.fields and plan.fields[n].computed != "no"}
    fill(draft, {n: v for n, v in given.items() if n not in made_up}, system, Access(system))
    if before is not None:
        note_changes(draft)
    groups = tree_of([draft])
    for _, drafts in groups:
        announce(drafts, loader)
    apply_defaults(system, groups)
    freeze_rates(system, groups)
    compute_formulas(system, [draft])
    for name, value in made_up.items():  # a total is made up, too, without the lines it would come from
        try:
            draft.values[name] = plan.types[name].coerce(value, plan.fields[name], coercion(system))
        except Rejection as rejection:
            draft.refuse(rejection.code, name, **rejection.params)
    if draft.problems:
        raise Refused(problems=draft.problems)
    return draft


def simulated(
    session: Session, rule: Approval, record: Draft | Stored, submitter: int | None, *, needed: bool | None = None
) -> dict[str, Any]:
    """Everybody agrees, step after step: who would be asked, and why others not."""
    environment = approvals.environment_of(session, record)
    wanted = approvals.holds(rule, record, environment) if needed is None else needed
    people = approvals.People(session, rule, record, submitter)
    case = Case(submitter=submitter, steps=approvals.chain(rule, record, environment))
    if wanted:
        case = _played(begin(case, people), people)
    known = names(session, [i for t in case.tasks for i in (t.person, t.behalf) if i])
    steps = [_would(session, rule, step, case, known, record) for step in case.steps] if wanted else []
    return {
        "decision": "approval",
        "rule": rule.name,
        "label": rule.label.of(session.language),
        "needed": wanted,
        "when": rule.when.text if rule.when is not None else None,
        "summary": _would_say(session, wanted, steps),
        "steps": steps,
    }


def _played(case: Case, people: approvals.People) -> Case:
    for _ in range(500):
        task = next((t for t in case.tasks if t.state == "open"), None)
        if task is None or case.state not in ("waiting", "parked"):
            break
        case = decide(case, task.number, task.person, True, people)
    return replace(case, events=())


def _would(
    session: Session, rule: Approval, step: Step, case: Case, known: Mapping[int, str], record: Draft | Stored
) -> dict[str, Any]:
    declared = rule.step(step.name)
    tasks = [t for t in case.tasks if t.step == step.name and t.state != "cancelled"]
    asked = [{"name": known.get(t.person, "?"), "why": why_of(session, t.why)} for t in tasks]
    if step.state == "coming" and declared is not None:  # behind a step that found nobody
        ids = resolve_all(session, declared.by, record)
        asked = [{"name": name, "why": ""} for name in names(session, ids).values()]
    state = "skipped" if step.state == "skipped" else "parked" if step.state == "parked" else "asked"
    return {
        "name": step.name,
        "label": declared.label.of(session.language) if declared is not None else step.name,
        "stage": step.stage,
        "group": declared.group if declared is not None else None,
        "state": state,
        "result": say(f"approval.sim.{state}", session.language),
        "why": why_of(session, step.why),
        "when": declared.when.text if declared is not None and declared.when is not None else None,
        "need": str(step.need),
        "people": asked,
    }


def _would_say(session: Session, needed: bool, steps: Iterable[Mapping[str, Any]]) -> str:
    tongue = session.language
    if not needed:
        return say("approval.said.not_needed", tongue)
    parked = next((s for s in steps if s["state"] == "parked"), None)
    if parked is not None:
        return say("approval.said.would_park", tongue, step=parked["label"])
    separator = "、" if tongue == "zh" else ", "
    parts = [separator.join(p["name"] for p in s["people"]) for s in steps if s["state"] == "asked"]
    return (
        say("approval.said.would", tongue, people=" → ".join(parts))
        if parts
        else say("approval.said.not_needed", tongue)
    )


def why_of(session: Session, code: str) -> str:
    """The sentence of a reason the rules give by its code."""
    return say(f"approval.why.{code}", session.language) if code else ""
