"""An assignment over records of the past, without writing anything: who would have got what, and what would differ.

Turns begin anew; loads are those of today, for what they were then is not kept. So a replay says how records would be
spread, and which rule would have decided; it does not foretell each name where loads decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.assignment import Assignment
from rules.expression import Expression
from runtime.decisions.assigning import stored_many
from runtime.decisions.desk import Desk
from runtime.decisions.people import names
from runtime.query.expressions import condition
from runtime.schema.tables import column_name
from runtime.security.access import sql_context

if TYPE_CHECKING:
    from runtime.site import Session

BATCH = 500
MOST_DIFFERENCES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`before` and `after` are names of people or pools, "" for nobody."""

    record: int
    title: str
    rule: str
    before: str
    after: str


@dataclass(slots=True)
class Replay:
    """Counts by rule, by who has the records now, and by who would have them; the records that would differ."""

    total: int = 0
    concerned: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    now: dict[str, int] = field(default_factory=dict)
    then: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    differences: list[Difference] = field(default_factory=list)


def replay(session: Session, assignment: Assignment, since: datetime, until: datetime) -> Replay:
    """The records created from `since` until before `until`, in their order. Reads only; flat in memory."""
    desk = Desk(session, assignment, fresh=True)
    found = Replay()
    waiting: list[tuple[int, str, str, Any, Any]] = []
    for part in _batches(session, assignment, since, until):
        for record in stored_many(session, assignment.entity, part):
            found.total += 1
            if not desk.concerns(record):
                continue
            found.concerned += 1
            decision = desk.decide(record)
            rule = decision.rule.name if decision.rule else ""
            found.rules[rule] = found.rules.get(rule, 0) + 1
            before = record.raw(assignment.to) or _pool(session, assignment, record)
            after = decision.person or decision.pool
            title = record.get(session.app.entities[assignment.entity].title)
            waiting.append((record.row["id"], str(title or ""), rule, before, after))
    _compare(session, found, waiting)
    return found


def _pool(session: Session, assignment: Assignment, record: Any) -> str | None:
    pools = session.app.rules_of(assignment.entity, "pool")
    return next((v for p in pools if (v := record.raw(p.field)) is not None), None)


def _compare(session: Session, found: Replay, waiting: list[tuple[int, str, str, Any, Any]]) -> None:
    people = names(session, {i for *_, a, b in waiting for i in (a, b) if isinstance(i, int)})
    pools = session.app.of("pool")

    def called(value: Any) -> str:
        if isinstance(value, int):
            return people.get(value, f"#{value}")
        return pools[value].label.of(session.language) if value in pools else str(value or "")

    for record, title, rule, before, after in waiting:
        old, new = called(before), called(after)
        found.now[old] = found.now.get(old, 0) + 1
        found.then[new] = found.then.get(new, 0) + 1
        if before != after:
            found.changed += 1
            if len(found.differences) < MOST_DIFFERENCES:
                found.differences.append(Difference(record=record, title=title, rule=rule, before=old, after=new))


def _batches(session: Session, assignment: Assignment, since: datetime, until: datetime) -> Iterator[list[int]]:
    table = session.table(assignment.entity)
    within = (table.c.created_at >= since, table.c.created_at < until, table.c.deleted_at.is_(None))
    ids = list(
        session.connection.scalars(sa.select(table.c.id).where(*within).order_by(table.c.created_at, table.c.id))
    )
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def unassigned(
    session: Session, assignment: Assignment, where: Expression | None = None, limit: int = BATCH, after: int = 0
) -> list[int]:
    """Ids of records nobody has, in no pool and without an open proposal, that the assignment may concern."""
    table = session.table(assignment.entity)
    entity = session.app.entities[assignment.entity]
    wheres: list[Any] = [table.c.deleted_at.is_(None), table.c.id > after]
    wheres.append(table.c[column_name(entity.fields[assignment.to])].is_(None))
    for pool in session.app.rules_of(assignment.entity, "pool"):
        wheres.append(table.c[column_name(entity.fields[pool.field])].is_(None))
    log = session.table("assignment_decision")
    same = (log.c.entity == assignment.entity, log.c.record == table.c.id, log.c.state == "proposed")
    living = log.c.deleted_at.is_(None)
    wheres.append(~sa.exists(sa.select(sa.literal(1)).select_from(log).where(*same, living).correlate(table)))
    wheres += [condition(e, table, sql_context(session)) for e in (assignment.when, where) if e is not None]
    return list(session.connection.scalars(sa.select(table.c.id).where(*wheres).order_by(table.c.id).limit(limit)))
