"""Approvals to look at: the inbox of a person, one case with its chain, why, and what a chain would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.approval import Approval
from rules.approval_case import RUNNING, Task
from runtime.actions import Offer
from runtime.decisions import approval_store as store
from runtime.decisions import approvals
from runtime.decisions.approval_actions import acts_of, offer, step_title
from runtime.decisions.approval_mentions import may_see, readable
from runtime.decisions.approval_simulation import simulated, why_of
from runtime.decisions.approval_store import Held
from runtime.decisions.people import names
from runtime.errors import NotFound
from runtime.explain import explainer
from runtime.messages import say
from runtime.records import snapshots
from runtime.views.binder import Binder
from runtime.views.snapshots import Change, Fact, Table, changes, facts, tables

if TYPE_CHECKING:
    from runtime.site import Session

MOST = 200  # rows of the inbox
FEW = 6  # facts of a card


@dataclass(slots=True, kw_only=True)
class PersonView:
    name: str
    state: str
    note: str = ""
    comment: str = ""
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class StepView:
    name: str
    label: str
    stage: int
    state: str
    state_label: str
    tone: str
    need: str
    why: str = ""
    due: datetime | None = None
    late: bool = False
    people: list[PersonView] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class EntryView:
    at: datetime
    who: str
    what: str
    about: str = ""
    comment: str = ""


@dataclass(slots=True, kw_only=True)
class CaseView:
    """A case for one reader. `record`: (entity, id) where they may open it."""

    id: int
    title: str
    label: str
    entity_label: str
    state: str
    state_label: str
    tone: str
    submitter: str
    submitted_at: datetime
    round: int
    comment: str = ""
    due: datetime | None = None
    late: bool = False
    record: tuple[str, int] | None = None
    facts: list[Fact] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    steps: list[StepView] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    since: list[Change] = field(default_factory=list)
    entries: list[EntryView] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    summary: str = ""


# --- the inbox -----------------------------------------------------------------------------------------------------


def counts(session: Session) -> dict[str, int]:
    """How much waits for the person, how much of theirs is under way, how much they have decided."""
    case = session.table(store.CASE)
    found = {}
    for box in ("waiting", "submitted", "done"):
        wanted = _box(session, box).with_only_columns(case.c.id).distinct().order_by(None).subquery()
        found[box] = session.connection.scalar(sa.select(sa.func.count()).select_from(wanted)) or 0
    return found


def inbox(session: Session, box: str) -> list[CaseView]:
    """The cases of a box, the most urgent or newest first, at most `MOST`."""
    case = session.table(store.CASE)
    ids = list(
        dict.fromkeys(session.connection.scalars(_box(session, box).with_only_columns(case.c.id).limit(MOST * 2)))
    )
    return [_card(session, store.load(session, i)) for i in ids[:MOST]]


def _box(session: Session, box: str) -> sa.Select[Any]:
    case, task, step = session.table(store.CASE), session.table(store.TASK), session.table(store.STEP)
    mine = session.user.id
    if box == "submitted":
        wanted = sa.select(case).where(case.c.submitter == mine, case.c.state.in_(RUNNING))
        return wanted.where(case.c.deleted_at.is_(None)).order_by(case.c.submitted_at.desc(), case.c.id.desc())
    joined = sa.select(case).join(task, task.c.case == case.c.id).where(task.c.person == mine)
    joined = joined.where(case.c.deleted_at.is_(None))
    if box == "waiting":
        joined = joined.join(step, sa.and_(step.c.case == case.c.id, step.c.name == task.c.step))
        open_now = joined.where(task.c.state == "open", case.c.state.in_(("waiting", "parked")))
        return open_now.order_by(step.c.due_at.is_(None), step.c.due_at, case.c.submitted_at, case.c.id)
    decided = joined.where(task.c.state.in_(("approved", "rejected", "handed")))
    return decided.order_by(task.c.decided_at.desc(), case.c.id.desc())


def _card(session: Session, held: Held) -> CaseView:
    binder = Binder(session)
    row, rule = held.row, held.rule
    entity = row["entity"]
    options = session.app.options["approval_state"].choice(row["state"])
    known = names(session, [row["submitter"]] if row["submitter"] else [])
    view = CaseView(
        id=held.id,
        title=row["title"] or f"#{row['record']}",
        label=rule.label.of(session.language),
        entity_label=session.app.entities[entity].label.of(session.language) if entity in session.app.entities else "",
        state=row["state"],
        state_label=options.label.of(session.language) if options else row["state"],
        tone=(options.colour if options else None) or "secondary",
        submitter=known.get(row["submitter"] or 0, "Octavo"),
        submitted_at=row["submitted_at"],
        round=row["round"],
        comment=row["comment"] or "",
        record=(entity, row["record"]) if readable(session, entity, row["record"]) else None,
        offers=_offers(session, held),
    )
    if entity in session.app.entities:
        view.facts = facts(binder, entity, row["snapshot"] or {}, _shown(binder, rule, row["snapshot"] or {}))
    view.due = min((d for d in _dues(session, held).values() if d is not None), default=None)
    view.late = view.due is not None and view.due < session.now
    return view


def _shown(binder: Binder, rule: Approval, snapshot: Mapping[str, Any]) -> list[str]:
    if rule.shows:
        return list(rule.shows)
    fields = binder.app.entities[rule.entity].fields
    return [n for n in fields if n in snapshot and fields[n].storage != "children"][:FEW]


def _offers(session: Session, held: Held) -> list[Offer]:
    acts = [a for a in acts_of(session, held) if a != "submit"]
    return [offer(session, held, name) for name in acts]


def _dues(session: Session, held: Held) -> dict[str, datetime | None]:
    step = session.table(store.STEP)
    wanted = sa.select(step.c.name, step.c.due_at).where(step.c.case == held.id, step.c.state == "open")
    return {name: due for name, due in session.connection.execute(wanted)}  # noqa: C416 - rows are no pairs


# --- one case ------------------------------------------------------------------------------------------------------


def case_view(session: Session, case_id: int) -> CaseView:
    """A case with its chain, history and difference. Raises `NotFound` for who has nothing to do with it."""
    held = store.load(session, case_id)
    if not may_see(session, held):
        raise NotFound()
    view = _card(session, held)
    view.steps = _steps(session, held)
    view.entries = _entries(session, held)
    view.summary = summary_of(session, held)
    if held.row["entity"] in session.app.entities:
        view.tables = tables(Binder(session), held.row["entity"], held.row["snapshot"] or {})
    _differences(session, held, view)
    return view


def _steps(session: Session, held: Held) -> list[StepView]:
    dues = _dues(session, held)
    rows = _task_rows(session, held.id)
    people = names(session, [i for t in held.case.tasks for i in (t.person, t.behalf) if i])
    found = []
    for step in held.case.steps:
        choice = session.app.options["approval_step_state"].choice(step.state)
        due = dues.get(step.name)
        tasks = [t for t in held.case.tasks if t.step == step.name and not t.past]
        found.append(
            StepView(
                name=step.name,
                label=step_title(session, held, step.name),
                stage=step.stage,
                state=step.state,
                state_label=choice.label.of(session.language) if choice else step.state,
                tone=(choice.colour if choice else None) or "secondary",
                need=str(step.need),
                why=why_of(session, step.why),
                due=due,
                late=due is not None and due < session.now,
                people=[_person(session, t, people, rows.get(t.number, {})) for t in tasks if t.state != "cancelled"],
            )
        )
    return found


def _task_rows(session: Session, case_id: int) -> dict[int, Mapping[str, Any]]:
    task = session.table(store.TASK)
    wanted = sa.select(task.c.number, task.c.comment, task.c.decided_at).where(task.c.case == case_id)
    return {row["number"]: dict(row) for row in session.connection.execute(wanted).mappings()}


def _person(session: Session, task: Task, people: Mapping[int, str], row: Mapping[str, Any]) -> PersonView:
    note = why_of(session, task.why)
    if task.behalf is not None:
        note = f"{note} {people.get(task.behalf, '')}".strip()
    return PersonView(
        name=people.get(task.person, "?"),
        state=task.state,
        note=note,
        comment=row.get("comment") or "",
        at=row.get("decided_at"),
    )


def _entries(session: Session, held: Held) -> list[EntryView]:
    entry = session.table(store.ENTRY)
    rows = session.connection.execute(sa.select(entry).where(entry.c.case == held.id).order_by(entry.c.id)).mappings()
    listed = [row for row in rows if row["action"] not in ("asked", "opened")]
    people = names(session, [i for row in listed for i in (row["person"], row["to_person"]) if i])
    found = []
    for row in listed:
        about = [step_title(session, held, row["step"])] if row["step"] else []
        about += [f"→ {people[row['to_person']]}"] if row["to_person"] in people else []
        about += [why_of(session, row["why"])] if row["why"] else []
        found.append(
            EntryView(
                at=row["at"],
                who=people.get(row["person"] or 0, "Octavo"),
                what=say(f"approval.event.{row['action']}", session.language),
                about=" · ".join(about),
                comment=row["comment"] or "",
            )
        )
    return list(reversed(found))


def _differences(session: Session, held: Held, view: CaseView) -> None:
    """What was submitted against what was approved before, and what has changed since."""
    entity, row = held.row["entity"], held.row
    if entity not in session.app.entities:
        return
    binder, own = Binder(session), approvals.fields_set(held.rule)
    submitted = row["snapshot"] or {}
    try:
        now = snapshots.take(approvals.stored(session, entity, row["record"]))
    except NotFound:
        return
    if row["revision"] is not None:
        before: Mapping[str, Any] | None = now if row["state"] in RUNNING else None
    else:
        before = _approved_before(session, held)
    if before is not None:
        difference = snapshots.difference(before, submitted)
        view.changes = changes(binder, entity, {n: v for n, v in difference.items() if n not in own})
    if row["revision"] is None and row["state"] in RUNNING:
        later = snapshots.difference(submitted, now)
        view.since = changes(binder, entity, {n: v for n, v in later.items() if n not in own})


def _approved_before(session: Session, held: Held) -> Mapping[str, Any] | None:
    case = session.table(store.CASE)
    wanted = sa.select(case.c.snapshot).where(
        case.c.entity == held.row["entity"],
        case.c.record == held.row["record"],
        case.c.state == "approved",
        case.c.id < held.id,
        case.c.deleted_at.is_(None),
    )
    found: Mapping[str, Any] | None = session.connection.scalar(wanted.order_by(case.c.id.desc()).limit(1))
    return found


def summary_of(session: Session, held: Held) -> str:
    """In one sentence where a case stands."""
    state, tongue = held.case.state, session.language
    if state == "parked":
        step = next((s.name for s in held.case.steps if s.state == "parked"), "")
        return say("approval.said.parked", tongue, step=step_title(session, held, step))
    people = names(session, [t.person for t in held.case.tasks if t.state == "open"])
    listed = ("、" if tongue == "zh" else ", ").join(people.values())
    return say(f"approval.said.{state}", tongue, people=listed)


# --- why, and what would be ----------------------------------------------------------------------------------------


@explainer("approval")
def explain(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """The newest case of a record; where there is none, what submitting it would start."""
    row = store.latest(session, entity, record_id)
    if row is None:
        if not approvals.rules_for(session, entity, "submit"):
            return {"decision": "approval", "summary": say("approval.said.none", session.language), "steps": []}
        record = approvals.stored(session, entity, record_id)
        rule, needed = approvals.choose(session, entity, record)
        return simulated(session, rule, record, session.user.id, needed=needed)
    view = case_view(session, row["id"])
    return {
        "decision": "approval",
        "rule": row["approval"],
        "summary": view.summary,
        "at": row["submitted_at"].isoformat(),
        "state": row["state"],
        "round": row["round"],
        "steps": [_step_data(step) for step in view.steps],
        "history": [
            {"at": e.at.isoformat(), "who": e.who, "what": e.what, "about": e.about, "comment": e.comment}
            for e in view.entries
        ],
    }


def _step_data(step: StepView) -> dict[str, Any]:
    people = [{"name": p.name, "state": p.state, "why": p.note, "comment": p.comment} for p in step.people]
    return {
        "label": step.label,
        "name": step.name,
        "stage": step.stage,
        "state": step.state,
        "result": step.state_label,
        "why": step.why,
        "need": step.need,
        "people": people,
    }
