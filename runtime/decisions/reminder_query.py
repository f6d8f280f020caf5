"""Which records a reminder is due for: one statement per rule and run, whatever the number of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.reminder import Reminder
from rules.expression import Expression
from runtime.decisions.due import Bound, bound
from runtime.decisions.matching import condition_of, context_of, matching
from runtime.query.expressions import field_value, value
from runtime.records.plan import plan_of
from runtime.schema.aliases import alias_of

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A record to remind of. `levels` are those to be told now (0: the first people); `match` the row kept of it."""

    record: int
    since: date | datetime | None
    match: int | None
    levels: tuple[int, ...]
    first: bool  # it begins, or begins anew
    level: int  # how far it has climbed with this


@dataclass(slots=True)
class _Terms:
    """The times of a reminder as bounds on this run."""

    repeat: Bound | None
    steps: tuple[tuple[bool, Bound], ...]  # (counted from the first notice, bound)


def conditions_of(reminder: Reminder) -> list[Expression]:
    return list(reminder.where)


def due(session: Session, reminder: Reminder, *, after: int = 0, limit: int | None = None) -> list[Due]:
    """What is due beyond the record `after`, by id, at most `limit`."""
    plan = plan_of(session, reminder.entity)
    table, match = plan.table, alias_of(session.table("reminder_match"), "match")
    anchor, kind = anchor_of(session, reminder, table)
    terms = _terms(session, reminder)
    kept = sa.and_(match.c.reminder == reminder.name, match.c.record == table.c.id, match.c.deleted_at.is_(None))
    columns = [table.c.id, anchor if anchor is not None else sa.null()]
    columns += [match.c.id, match.c.level, match.c.first_at, match.c.last_at, match.c.ended_at]
    columns += [match.c.since_at, match.c.since_on]
    statement = sa.select(*columns).select_from(table.outerjoin(match, kept))
    where = where_of(session, reminder, table)
    if where is None:
        ids = _in_python(session, reminder, table)
        statement = statement.where(table.c.id.in_(ids))
    else:
        statement = statement.where(where)
    statement = statement.where(_fresh(session, terms, match, anchor, kind))
    if after:
        statement = statement.where(table.c.id > after)
    statement = statement.order_by(table.c.id).limit(limit)
    rows = session.connection.execute(statement).all()
    return [found for row in rows if (found := _due(session, reminder, terms, row, kind)) is not None]


def where_of(session: Session, reminder: Reminder, table: sa.FromClause) -> sa.ColumnElement[bool] | None:
    """The records it is about and whose time has come; None where SQL cannot say it."""
    found = condition_of(session, conditions_of(reminder), table)
    stop = condition_of(session, [reminder.stop], table) if reminder.stop is not None else None
    if found is None or (reminder.stop is not None and stop is None):
        return None
    # the condition first: for most rows it decides, and then the columns behind are not taken apart
    parts = [found, _ready(session, reminder, table), table.c.deleted_at.is_(None)]
    return sa.and_(*parts, sa.not_(stop)) if stop is not None else sa.and_(*parts)


def _in_python(session: Session, reminder: Reminder, table: Any) -> list[int]:
    found = matching(session, reminder.entity, conditions_of(reminder), _ready(session, reminder, table))
    stopped = (
        set(matching(session, reminder.entity, [reminder.stop], table.c.id.in_(found))) if reminder.stop else set()
    )
    return [i for i in found if i not in stopped]


def _ready(session: Session, reminder: Reminder, table: Any) -> sa.ColumnElement[bool]:
    """The time after the anchor has passed."""
    anchor, kind = anchor_of(session, reminder, table)
    if anchor is None:
        return sa.true()
    if not reminder.after_by:
        return bound(session, reminder.after).on(session, anchor, kind)
    by = field_value(reminder.entity, str(reminder.by), table, context_of(session))
    each = (sa.and_(by == choice, bound(session, d).on(session, anchor, kind)) for choice, d in reminder.after_by)
    return sa.or_(*each)


def anchor_of(session: Session, reminder: Reminder, table: Any) -> tuple[Any, str]:
    """The anchor as SQL, and date or datetime; (None, …) where the reminder has none."""
    if reminder.since is not None:
        return value(reminder.since, table, context_of(session)), reminder.since.type.kind
    if reminder.entered is None:
        return None, "datetime"
    log = alias_of(session.table("stage_log"))
    present = field_value(reminder.entity, reminder.entered, table, context_of(session))
    entered = (
        sa.select(sa.func.max(log.c.moved_at, type_=log.c.moved_at.type))
        .where(log.c.entity == reminder.entity, log.c.field == reminder.entered)
        .where(log.c.record == table.c.id, log.c.to_value == present, log.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    return sa.func.coalesce(entered, table.c.created_at, type_=table.c.created_at.type), "datetime"


def _terms(session: Session, reminder: Reminder) -> _Terms:
    steps = tuple((e.at is None, bound(session, e.at or e.after)) for e in reminder.escalate)
    return _Terms(repeat=bound(session, reminder.repeat) if reminder.repeat is not None else None, steps=steps)


def _fresh(session: Session, terms: _Terms, match: Any, anchor: Any, kind: str) -> sa.ColumnElement[bool]:
    """Not yet told, told of another occasion, to be told again, or to climb."""
    reasons: list[Any] = [match.c.id.is_(None)]
    again = terms.repeat.on(session, match.c.last_at, "datetime") if terms.repeat is not None else sa.true()
    reasons.append(sa.and_(match.c.ended_at.is_not(None), again))
    if anchor is not None:
        since = match.c.since_on if kind == "date" else match.c.since_at
        reasons.append(sa.and_(match.c.id.is_not(None), since != anchor, again))
    if terms.repeat is not None:
        reasons.append(again)
    for level, (counted, limit) in enumerate(terms.steps, 1):
        start, of = (match.c.first_at, "datetime") if counted or anchor is None else (anchor, kind)
        reasons.append(sa.and_(match.c.level < level, match.c.ended_at.is_(None), limit.on(session, start, of)))
    return sa.or_(*reasons)


def _due(session: Session, reminder: Reminder, terms: _Terms, row: Any, kind: str) -> Due | None:
    record, since, match, level, first_at, last_at, ended_at, since_at, since_on = row
    known = since_on if kind == "date" else since_at
    begins = match is None or ended_at is not None or (reminder.anchored and known != since)
    level, start = (0, session.now) if begins else (level or 0, first_at)
    reached = level
    for step, (counted, limit) in enumerate(terms.steps, 1):
        basis = start if counted else since
        if step > level and basis is not None and limit.reached(session, basis) and not (begins and counted):
            reached = step
    if begins or (terms.repeat is not None and last_at is not None and terms.repeat.reached(session, last_at)):
        levels = tuple(range(reached + 1))
    else:
        levels = tuple(range(level + 1, reached + 1))
    if not levels:
        return None
    return Due(record=record, since=since, match=match, levels=levels, first=begins, level=reached)


def end_ceased(session: Session, reminder: Reminder) -> int:
    """Notes which matches are none any more, so that one that comes back counts anew; how many."""
    match = session.table("reminder_match")
    table = alias_of(plan_of(session, reminder.entity).table, "present")
    where = where_of(session, reminder, table)
    open_ones = sa.and_(match.c.reminder == reminder.name, match.c.ended_at.is_(None), match.c.deleted_at.is_(None))
    gone: sa.ColumnElement[bool]
    if where is None:
        ids: Sequence[int] = _in_python(session, reminder, plan_of(session, reminder.entity).table)
        gone = match.c.record.not_in(ids)
    else:
        gone = ~sa.exists(sa.select(sa.literal(1)).select_from(table).where(table.c.id == match.c.record, where))
    change = sa.update(match).where(open_ones, gone).values(ended_at=session.now, updated_at=session.now)
    return session.connection.execute(change).rowcount


def keep(session: Session, reminder: Reminder, found: Sequence[Due], same: dict[str, Any]) -> None:
    """Notes what was told of, set by set."""
    table = session.table("reminder_match")
    now = session.now
    about = {**same, "reminder": reminder.name, "entity": reminder.entity, "first_at": now, "last_at": now, "times": 1}
    fresh = [{**about, "record": d.record, **_since(d), "level": d.level} for d in found if d.match is None]
    if fresh:
        session.connection.execute(sa.insert(table), fresh)
    anew = [{"id": d.match, **_since(d), "level": d.level} for d in found if d.match is not None and d.first]
    change = sa.update(table).where(table.c.id == sa.bindparam("b_id"))
    if anew:
        start: dict[str, Any] = {"first_at": now, "last_at": now, "ended_at": None, "times": 1, "updated_at": now}
        start |= {name: sa.bindparam(f"b_{name}") for name in ("since_at", "since_on", "level")}
        session.connection.execute(change.values(start), [{f"b_{k}": v for k, v in row.items()} for row in anew])
    more = [{"b_id": d.match, "b_level": d.level} for d in found if d.match is not None and not d.first]
    if more:
        counted = {"level": sa.bindparam("b_level"), "last_at": now, "times": table.c.times + 1, "updated_at": now}
        session.connection.execute(change.values(counted), more)


def _since(found: Due) -> dict[str, Any]:
    moment = found.since if isinstance(found.since, datetime) else None
    return {"since_at": moment, "since_on": None if moment is not None else found.since}
