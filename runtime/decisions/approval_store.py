"""Approval cases in the database: read as the value the pure rules work on, written back as what has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.approval import Approval, ApprovalStep
from rules.approval_case import ENDED, RUNNING, Case, Event, Step, Task, parse_need
from runtime.environment import working_time
from runtime.errors import NotFound
from runtime.publishing import store

if TYPE_CHECKING:
    from runtime.site import Session

CASE, STEP, TASK, ENTRY = "approval_case", "approval_step", "approval_task", "approval_entry"
_KEPT_VERSIONS = 4  # earlier versions kept compiled for the cases that began with them


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A case at hand: its row, its value, and the rule as it was when the case began."""

    row: Mapping[str, Any]
    case: Case
    rule: Approval

    @property
    def id(self) -> int:
        found: int = self.row["id"]
        return found


def stamp(session: Session) -> dict[str, Any]:
    """The system fields of a row that is written now."""
    return {
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }


def first(session: Session, wanted: sa.Select[Any]) -> dict[str, Any] | None:
    """The first row of a statement by column name."""
    found = session.connection.execute(wanted).mappings().first()
    return None if found is None else dict(found)


def running(session: Session, entity: str, record_id: int) -> dict[str, Any] | None:
    """The running case of a record, if any."""
    table = session.table(CASE)
    wanted = sa.select(table).where(
        table.c.entity == entity, table.c.record == record_id, table.c.state.in_(RUNNING), table.c.deleted_at.is_(None)
    )
    return first(session, wanted.order_by(table.c.id.desc()).limit(1))


def latest(session: Session, entity: str, record_id: int, *, revisions: bool = True) -> dict[str, Any] | None:
    """The newest case of a record, running or ended; without `revisions` only of the record itself."""
    table = session.table(CASE)
    wanted = sa.select(table).where(table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    if not revisions:
        wanted = wanted.where(table.c.revision.is_(None))
    return first(session, wanted.order_by(table.c.id.desc()).limit(1))


def running_of(session: Session, entity: str, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Running cases by record; one statement for many records."""
    table = session.table(CASE)
    found: dict[int, Mapping[str, Any]] = {}
    for start in range(0, len(ids), 500):
        wanted = sa.select(
            table.c.id,
            table.c.record,
            table.c.state,
            table.c.approval,
            table.c.revision,
            table.c.published,
            table.c.fingerprint,
            table.c.submitter,
            table.c.title,
        ).where(
            table.c.entity == entity,
            table.c.record.in_(list(ids[start : start + 500])),
            table.c.state.in_(RUNNING),
            table.c.deleted_at.is_(None),
        )
        for row in session.connection.execute(wanted).mappings():
            found[row["record"]] = dict(row)
    return found


def load(session: Session, case_id: int, *, lock: bool = False) -> Held:
    """The case; with `lock` nobody else changes it until this transaction ends. Raises `NotFound`."""
    table = session.table(CASE)
    wanted = sa.select(table).where(table.c.id == case_id, table.c.deleted_at.is_(None))
    if lock and session.site.dialect != "sqlite":
        wanted = wanted.with_for_update()
    row = first(session, wanted)
    if row is None:
        raise NotFound()
    rule = rule_of(session, row)
    return Held(row=row, case=_case(session, row, rule), rule=rule)


def rule_of(session: Session, row: Mapping[str, Any]) -> Approval:
    """The rule as it was when the case began, also after others were published. Raises `NotFound`."""
    name = row["approval"]
    now: Approval | None = session.app.of("approval").get(name)
    if now is not None and (now.fingerprint == row["fingerprint"] or row["published"] == session.version):
        return now
    then: Approval | None = application_at(session, row["published"]).of("approval").get(name)
    found = then or now
    if found is None:
        raise NotFound()
    return found


def application_at(session: Session, number: int) -> Application:
    """A version published earlier, compiled once and kept while cases of it run."""
    kept: dict[int, Application] = session.site.cache.setdefault("versions of cases", {})
    if number not in kept:
        while len(kept) >= _KEPT_VERSIONS:
            kept.pop(next(iter(kept)))
        kept[number] = store.load_application(session.connection, number, session.site.settings)
    return kept[number]


def _case(session: Session, row: Mapping[str, Any], rule: Approval) -> Case:
    step, task = session.table(STEP), session.table(TASK)
    steps = session.connection.execute(
        sa.select(step).where(step.c.case == row["id"]).order_by(step.c.position)
    ).mappings()
    tasks = session.connection.execute(sa.select(task).where(task.c.case == row["id"]).order_by(task.c.number))
    return Case(
        submitter=row["submitter"],
        steps=tuple(_step(dict(found), rule.step(found["name"])) for found in steps),
        tasks=tuple(_task(dict(found)) for found in tasks.mappings()),
        state=row["state"],
    )


def _step(row: Mapping[str, Any], rule: ApprovalStep | None) -> Step:
    more: dict[str, Any] = {}
    if rule is not None:
        more = {"stage_need": rule.stage_need, "own": rule.own, "repeat": rule.repeat}
    return Step(
        name=row["name"],
        stage=row["stage"],
        need=parse_need(row["need"] or "any"),
        state=row["state"],
        why=row["why"] or "",
        **more,
    )


def _task(row: Mapping[str, Any]) -> Task:
    return Task(
        number=row["number"],
        step=row["step"],
        person=row["person"] or 0,
        behalf=row["behalf"],
        state=row["state"],
        kind=row["kind"],
        asked_by=row["asked_by"],
        past=bool(row["past"]),
        why=row["why"] or "",
    )


# --- writing -------------------------------------------------------------------------------------------------------


def create(session: Session, case: Case, rule: Approval, values: Mapping[str, Any]) -> int:
    """A new case with its steps; its tasks follow by `save`."""
    table = session.table(CASE)
    row = {
        **stamp(session),
        "approval": rule.name,
        "entity": rule.entity,
        "submitter": case.submitter,
        "state": case.state,
        "round": 1,
        "submitted_at": session.now,
        "published": session.version,
        "fingerprint": rule.fingerprint,
        **values,
    }
    case_id: int = session.connection.execute(sa.insert(table).values(row).returning(table.c.id)).scalar_one()
    write_steps(session, case_id, case.steps, rule)
    session.touch(CASE)
    return case_id


def write_steps(session: Session, case_id: int, steps: Sequence[Step], rule: Approval) -> None:
    """The chain of a case, instead of one it may have had."""
    table = session.table(STEP)
    session.connection.execute(sa.delete(table).where(table.c.case == case_id))
    rows = [
        {
            **stamp(session),
            "case": case_id,
            "position": position,
            "name": step.name,
            "texts": texts_of(rule.step(step.name), step.name),
            "stage": step.stage,
            "need": str(step.need),
            "state": step.state,
            "why": step.why or None,
        }
        for position, step in enumerate(steps, 1)
    ]
    if rows:
        session.connection.execute(sa.insert(table), rows)


def texts_of(step: ApprovalStep | None, name: str) -> dict[str, str]:
    return {tongue: step.label.of(tongue) for tongue in ("zh", "en")} if step is not None else {"zh": name, "en": name}


def save(session: Session, held: Held, after: Case, *, comment: str | None = None, person: int | None = None) -> None:
    """Writes what differs between the case as it was and as it is, and the log of what has happened."""
    _save_tasks(session, held, after, comment)
    _save_steps(session, held, after)
    if after.state != held.case.state:
        table = session.table(CASE)
        ended = session.now if after.state in ENDED else None
        session.connection.execute(
            sa.update(table)
            .where(table.c.id == held.id)
            .values(state=after.state, ended_at=ended, updated_at=session.now, updated_by=session.user.id)
        )
    log(session, held.id, after.events, person=person, comment=comment)
    for name in (CASE, STEP, TASK):
        session.touch(name)


def _save_tasks(session: Session, held: Held, after: Case, comment: str | None) -> None:
    table = session.table(TASK)
    known = {t.number: t for t in held.case.tasks}
    new = []
    acted = {e.task for e in after.events if e.code in ("approved_by", "rejected_by", "handed_over", "returned")}
    for task in after.tasks:
        decided = task.state in ("approved", "rejected", "handed")
        before = known.get(task.number)
        values: dict[str, Any] = {
            "state": task.state,
            "past": task.past,
            "why": task.why or None,
            "decided_at": session.now if decided else None,
        }
        if before is None:
            new.append(
                {
                    **stamp(session),
                    "case": held.id,
                    "number": task.number,
                    "step": task.step,
                    "person": task.person,
                    "behalf": task.behalf,
                    "kind": task.kind,
                    "asked_by": task.asked_by,
                    "opened_at": session.now,
                    "comment": None,
                    **values,
                }
            )
        elif before != task:
            if before.state == task.state:
                values.pop("decided_at")
            if task.number in acted and comment:
                values["comment"] = comment
            values |= {"updated_at": session.now, "updated_by": session.user.id}
            session.connection.execute(
                sa.update(table).where(table.c.case == held.id, table.c.number == task.number).values(values)
            )
    if new:
        session.connection.execute(sa.insert(table), new)


def _save_steps(session: Session, held: Held, after: Case) -> None:
    table = session.table(STEP)
    before = {s.name: s for s in held.case.steps}
    for step in after.steps:
        old = before.get(step.name)
        if old is not None and old.state == step.state and old.why == step.why:
            continue
        values: dict[str, Any] = {"state": step.state, "why": step.why or None, "updated_at": session.now}
        if step.state == "open":
            values |= {"opened_at": session.now, "due_at": due(session, held.rule, step.name), "ended_at": None}
        elif step.state != "parked":
            values |= {"due_at": None, "ended_at": session.now if step.state != "coming" else None}
        session.connection.execute(
            sa.update(table).where(table.c.case == held.id, table.c.name == step.name).values(values)
        )


def due(session: Session, rule: Approval, step: str) -> datetime | None:
    """Until when a step opened now is to be decided; None where it has no limit."""
    declared = rule.step(step)
    if declared is None or declared.timeout is None:
        return None
    return working_time(session).add(session.now, declared.timeout)


def log(
    session: Session, case_id: int, events: Sequence[Event], *, person: int | None = None, comment: str | None = None
) -> None:
    """One row an event; the comment stands with the first one of the person who acts."""
    rows = []
    left = comment
    for event in events:
        own = event.code not in ("asked", "opened", "step_approved", "step_skipped", "parked", "step_rejected")
        rows.append(
            {
                **stamp(session),
                "case": case_id,
                "at": session.now,
                "action": event.code,
                "step": event.step or None,
                "person": person if own else None,
                "to_person": event.person if event.code in _CONCERNS else None,
                "why": event.why or None,
                "comment": left if own else None,
            }
        )
        if own:
            left = None
    if rows:
        session.connection.execute(sa.insert(session.table(ENTRY)), rows)


_CONCERNS = ("asked", "handed_over", "added", "nobody_above", "reminded")
