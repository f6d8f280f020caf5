"""Proposals of assignments: confirmed, given to somebody else or rejected, each once; late ones by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.assignment import Assignment, Confirm
from runtime.decisions.assigning import OPEN, tell, title_of
from runtime.decisions.ownership import Handover, acting, hand_over
from runtime.decisions.people import is_active, names, resolve_all
from runtime.errors import Answer, Conflict, Forbidden, NotFound
from runtime.jobs.registry import Payload, job, schedule
from runtime.records.values import Loader

if TYPE_CHECKING:
    from runtime.site import Session

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An assignment that waits. `why` are the steps of the decision."""

    id: int
    entity: str
    record: int
    title: str
    assignment: Assignment
    rule: str
    person: int
    name: str
    due_at: datetime | None
    why: dict[str, Any]


def waiting(session: Session, limit: int = 500) -> list[Proposal]:
    """The proposals this person may decide, the most urgent first."""
    table = session.table("assignment_decision")
    order = (table.c.due_at.is_(None), table.c.due_at, table.c.id)
    rows = session.connection.execute(sa.select(table).where(table.c.state == OPEN).order_by(*order)).mappings()
    found: list[Proposal] = []
    static: dict[str, bool] = {}
    for row in rows:
        assignment: Assignment | None = session.app.of("assignment").get(row["assignment"])
        if assignment is None or not _decides(session, assignment, row["record"], static):
            continue
        found.append(_proposal(session, assignment, row))
        if len(found) >= limit:
            break
    people = names(session, [p.person for p in found])
    return [p if p.person not in people else _named(p, people[p.person]) for p in found]


def proposal_of(session: Session, entity: str, record: int) -> Proposal | None:
    """The open proposal of a record, if this person may decide it."""
    table = session.table("assignment_decision")
    same = (table.c.entity == entity, table.c.record == record, table.c.state == OPEN)
    wanted = sa.select(table).where(*same, table.c.deleted_at.is_(None))
    row = session.connection.execute(wanted.order_by(table.c.id.desc()).limit(1)).mappings()
    found = row.first()
    assignment: Assignment | None = session.app.of("assignment").get(found["assignment"]) if found else None
    if found is None or assignment is None or not _decides(session, assignment, record, {}):
        return None
    made = _proposal(session, assignment, found)
    return _named(made, names(session, [made.person]).get(made.person, f"#{made.person}"))


def accept(session: Session, proposal_id: int, person: int | None = None) -> int:
    """Confirms a proposal, for `person` instead where one is given; who got the record.

    Raises `NotFound`, `Forbidden`, `Conflict` where it was decided already or the person has left.
    """
    row, assignment = _mine(session, proposal_id)
    chosen = person if person is not None else row["person"]
    if chosen is None or not is_active(session, chosen):
        raise Conflict("assignment.person_left")
    _settle(session, [proposal_id], "accepted" if chosen == row["person"] else "changed", chosen)
    move = Handover(person=chosen, reason="assigned", to_field=assignment.to, at_field=assignment.at)
    _write(session, assignment, [row["record"]], [move])
    if assignment.notify:
        tell(session, row["entity"], {chosen: [row["record"]]}, "assigned")
    return int(chosen)


def reject(session: Session, proposal_id: int, note: str | None = None) -> None:
    """Rejects a proposal; the record goes into the pool the assignment names, if any. Raises as `accept`."""
    row, assignment = _mine(session, proposal_id)
    _settle(session, [proposal_id], "rejected", row["person"])
    _to_pool(session, assignment, [row["record"]], note)


def accept_all(session: Session, ids: Sequence[int]) -> dict[int, Answer | int]:
    """Confirms several, each for itself: who got the record, or why not."""
    found: dict[int, Answer | int] = {}
    for proposal_id in ids:
        try:
            with session.connection.begin_nested():
                found[proposal_id] = accept(session, proposal_id)
        except Answer as answer:
            found[proposal_id] = answer
    return found


# --- by themselves -------------------------------------------------------------------------------------------------


@job("assignment_overdue")
def overdue(session: Session, _payload: Payload) -> dict[str, int]:
    """What nobody decided in time is accepted or rejected, as its assignment says."""
    table = session.table("assignment_decision")
    late = sa.select(table).where(table.c.state == OPEN, table.c.due_at <= session.now).order_by(table.c.id)
    counts = {"accepted": 0, "rejected": 0}
    by_name: dict[str, list[Any]] = {}
    for row in session.connection.execute(late.limit(BATCH)).mappings().all():
        by_name.setdefault(row["assignment"], []).append(row)
    for name, rows in sorted(by_name.items()):
        assignment: Assignment | None = session.app.of("assignment").get(name)
        then = assignment.confirm.then if assignment is not None and assignment.confirm is not None else "lapsed"
        if then == "accept" and assignment is not None:
            good = [r for r in rows if is_active(session, r["person"])]
            _accept_late(session, assignment, good)
            counts["accepted"] += len(good)
            rows = [r for r in rows if r not in good]
        if rows:
            _settle(session, [r["id"] for r in rows], "rejected" if assignment is not None else "lapsed", None)
            if assignment is not None:
                _to_pool(session, assignment, [r["record"] for r in rows], None)
            counts["rejected"] += len(rows)
    return counts


def _accept_late(session: Session, assignment: Assignment, rows: Sequence[Any]) -> None:
    if not rows:
        return
    _settle(session, [r["id"] for r in rows], "accepted", None)
    moves = [
        Handover(person=r["person"], reason="assigned", to_field=assignment.to, at_field=assignment.at) for r in rows
    ]
    _write(session, assignment, [r["record"] for r in rows], moves)
    got: dict[int, list[int]] = {}
    for row in rows:
        got.setdefault(row["person"], []).append(row["record"])
    if assignment.notify:
        tell(session, assignment.entity, got, "assigned")


schedule("assignment_overdue", "*/5 * * * *", "assignment_overdue")


# --- one step ------------------------------------------------------------------------------------------------------


def _mine(session: Session, proposal_id: int) -> tuple[Any, Assignment]:
    table = session.table("assignment_decision")
    row = session.connection.execute(sa.select(table).where(table.c.id == proposal_id)).mappings().first()
    assignment: Assignment | None = session.app.of("assignment").get(row["assignment"]) if row else None
    if row is None or assignment is None or assignment.confirm is None:
        raise NotFound()
    if not _decides(session, assignment, row["record"], {}):
        raise Forbidden()
    return row, assignment


def _decides(session: Session, assignment: Assignment, record: int, known: dict[str, bool]) -> bool:
    confirm = assignment.confirm
    if confirm is None:
        return False
    if session.user.admin or session.user.superuser:
        return True
    if not _of_record(confirm) and assignment.name in known:
        return known[assignment.name]
    people = resolve_all(session, confirm.by, Loader(session).record(assignment.entity, record))
    known[assignment.name] = session.user.id in people
    return known[assignment.name]


def _of_record(confirm: Confirm) -> bool:
    """Whether who confirms depends on the record."""
    return any(w.field or w.manager_of or w.unit_head or w.expression is not None for w in confirm.by)


def _settle(session: Session, ids: Sequence[int], state: str, person: int | None) -> None:
    """Decides open proposals, each once: of two who decide at once one finds nothing open any more."""
    table = session.table("assignment_decision")
    decided: dict[str, Any] = {"state": state, "decided_by": session.user.id, "decided_at": session.now}
    if person is not None:
        decided["person"] = person
    open_ones = (table.c.id.in_(list(ids)), table.c.state == OPEN)
    if session.connection.execute(sa.update(table).where(*open_ones).values(decided)).rowcount != len(ids):
        raise Conflict("assignment.decided")


def _write(session: Session, assignment: Assignment, ids: Sequence[int], moves: Sequence[Handover]) -> None:
    from runtime import records  # late: records are written through rules

    sub = acting(session, f"assignment:{assignment.name}")
    hand_over(sub, assignment.entity, dict(zip(ids, moves)))
    for answer in records.update_many(sub, assignment.entity, [(i, {}, None) for i in ids], atomic=True):
        if isinstance(answer, Answer):
            raise answer


def _to_pool(session: Session, assignment: Assignment, ids: Sequence[int], note: str | None) -> None:
    pool = assignment.confirm.pool if assignment.confirm else None
    if pool is not None:
        move = Handover(pool=pool, reason="returned", note=note, to_field=assignment.to)
        _write(session, assignment, ids, [move] * len(ids))


def _proposal(session: Session, assignment: Assignment, row: Any) -> Proposal:
    rule = next((r for r in assignment.rules if r.name == row["rule"]), None)
    return Proposal(
        id=row["id"],
        entity=row["entity"],
        record=row["record"],
        title=title_of(session, row["entity"], row["record"]),
        assignment=assignment,
        rule=rule.label.of(session.language) if rule else row["rule"] or "",
        person=row["person"],
        name=f"#{row['person']}",
        due_at=row["due_at"],
        why=row["why"] or {},
    )


def _named(found: Proposal, name: str) -> Proposal:
    return replace(found, name=name)
