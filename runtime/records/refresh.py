"""Stored formulas of whole tables, set by set: one UPDATE for a range of ids, which leaves right values alone.

What a person's save or a roll-up keeps right record by record is brought up to date here for a million records: after
a change of the rule, when the day has turned, or by hand (`octavo rescore`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from rules.tree import Compare, Constant, branches
from runtime.query.dialects import dialect
from runtime.query.expressions import assigned
from runtime.query.sql_context import NoSqlTwin
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reach import Change
from runtime.records.rollups import Formula, formulas, recompute, spread
from runtime.records.rulebook import record_rules
from runtime.records.values import CHUNK
from runtime.schema.tables import column_name
from runtime.security.access import sql_context

if TYPE_CHECKING:
    from runtime.site import Session

RANGE = 50_000  # records of one UPDATE: people who save one of them wait for it to be committed
BeforeUpdate = Callable[["Session", EntityPlan, Field, sa.ColumnElement[bool]], None]
_BEFORE: dict[str, BeforeUpdate] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """The records with ids above `after`, up to `last`; `final` where there are none beyond."""

    after: int
    last: int
    final: bool


def before_update(field_type: str, listener: BeforeUpdate) -> None:
    """`listener(session, plan, field, where)` is told of the rows that will change, before they do."""
    _BEFORE[field_type] = listener


def spans(session: Session, entity: str, after: int = 0) -> Iterator[Span]:
    """The table in ranges of at most RANGE records; numbers that are not there cost one look-up."""
    table = session.table(entity)
    while True:
        least = sa.select(sa.func.min(table.c.id)).where(table.c.id > after).scalar_subquery()
        greatest = sa.select(sa.func.max(table.c.id)).scalar_subquery()  # each by itself is a look at the index
        first, final = session.connection.execute(sa.select(least, greatest)).one()
        if first is None:
            return
        after = first - 1 + RANGE
        yield Span(first - 1, after, after >= final)
        if after >= final:
            return


def refresh(session: Session, entity: str, field: Field, span: Span) -> int:
    """Brings the field of the living records of a range up to date; how many had another value."""
    plan = plan_of(session, entity)
    assert field.formula is not None
    record_rules()  # who wants to be told has registered
    if field.type == "money":  # its base amount goes along
        return _one_by_one(session, plan, field, span)
    try:
        now = assigned(field.formula, field.value_type, plan.table, sql_context(session))
    except NoSqlTwin:
        return _one_by_one(session, plan, field, span)
    if session.site.dialect != "sqlite" and not reads_itself_alone(session, entity, field):
        _lock(session, plan, span)
    column = plan.table.c[column_name(field)]
    where = sa.and_(_within(plan, span), column.is_distinct_from(now))
    listener = _BEFORE.get(field.type)
    if listener is not None:
        if session.connection.scalar(sa.select(plan.table.c.id).where(where).limit(1)) is None:
            return 0  # one look at the rows, where the listener and the UPDATE would each look at all of them
        listener(session, plan, field, where)
    values = {column.name: now, **_grades(session, plan, field, now)}
    changed = session.connection.execute(sa.update(plan.table).where(where).values(values)).rowcount
    if changed:
        session.touch(entity)
    return changed


def _readers(session: Session, entity: str, name: str) -> list[Formula]:
    return [f for f in formulas(session) if any((r.entity, r.field) == (entity, name) for r in f.reads)]


def _graded(session: Session, entity: str, field: Field) -> list[Formula]:
    """The grades of a score: they are set by the same UPDATE."""
    return [f for f in _readers(session, entity, field.name) if f.entity == entity and f.field.type == "grade"]


def _grades(session: Session, plan: EntityPlan, field: Field, now: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Column → grade of the score that is being set; a grade's formula is a chain of thresholds, highest first."""
    builder = dialect(session.site.dialect, session.environment())
    made: dict[str, Any] = {}
    for formula in _graded(session, plan.name, field):
        assert formula.field.formula is not None
        *pairs, _otherwise = branches(formula.field.formula.tree)
        cases = [
            (now >= builder.literal(test.right.value, field.value_type).element, sa.literal(then.value, sa.Text()))
            for test, then in zip(pairs[::2], pairs[1::2])
            if isinstance(test, Compare) and isinstance(test.right, Constant) and isinstance(then, Constant)
        ]
        made[column_name(formula.field)] = sa.case(*cases, else_=sa.null())
    return made


def _within(plan: EntityPlan, span: Span) -> sa.ColumnElement[bool]:
    ids = plan.table.c.id
    return sa.and_(ids > span.after, ids <= span.last, plan.table.c.deleted_at.is_(None))


def _lock(session: Session, plan: EntityPlan, span: Span) -> None:
    """Rows are held before what they read elsewhere is looked at, as every other writer holds them."""
    wanted = sa.select(plan.table.c.id).where(_within(plan, span)).order_by(plan.table.c.id)
    session.connection.execute(wanted.with_for_update(key_share=True)).all()


def reads_itself_alone(session: Session, entity: str, field: Field) -> bool:
    """Whether the formula reads nothing but columns of its own record: such an UPDATE needs no lock beforehand."""
    found = next((f for f in formulas(session) if (f.entity, f.field.name) == (entity, field.name)), None)
    return found is not None and not any(read.steps for read in found.reads)


def _one_by_one(session: Session, plan: EntityPlan, field: Field, span: Span) -> int:
    ids = list(
        session.connection.scalars(sa.select(plan.table.c.id).where(_within(plan, span)).order_by(plan.table.c.id))
    )
    parts = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
    return sum(len(recompute(session, plan.name, field, part)) for part in parts)


# --- fields and whoever reads them


def refresh_with_readers(session: Session, entity: str, field: Field, span: Span) -> int:
    """`refresh`, and then every stored formula that reads what has changed, in the same transaction.

    Formulas of the same records follow by an UPDATE of their own; readers in other records are found by the ids.
    """
    graded = _graded(session, entity, field)
    readers = [f for name in (field.name, *(g.field.name for g in graded)) for f in _readers(session, entity, name)]
    readers = [f for f in readers if f not in graded]
    if any(f.entity != entity or any(read.steps for read in f.reads) for f in readers):
        return _refresh_and_spread(session, entity, field, span)
    count = refresh(session, entity, field, span)
    if count:
        for formula in readers:
            refresh_with_readers(session, entity, formula.field, span)
    return count


def _refresh_and_spread(session: Session, entity: str, field: Field, span: Span) -> int:
    plan = plan_of(session, entity)
    column = plan.table.c[column_name(field)]
    wanted = sa.select(plan.table.c.id, column).where(_within(plan, span))
    before = {row[0]: row[1] for row in session.connection.execute(wanted)}
    count = refresh(session, entity, field, span)
    if count:
        after = session.connection.execute(wanted)
        names = frozenset({field.name, *(g.field.name for g in _graded(session, entity, field))})
        changes = [Change(entity, i, names) for i, value in after if before.get(i) != value]
        spread(session, changes, {})
    return count


def refresh_all(
    transaction: Callable[[], AbstractContextManager[Session]],
    entity: str,
    names: Sequence[str],
    told: Callable[[str, int, int], None] = lambda _name, _done, _changed: None,
) -> dict[str, int]:
    """Brings the named fields of an entity up to date in all its records, every range in a transaction of its own.

    Answers how many records had another value, by field. `told(name, records done, changed)` hears of each range.
    """
    changed: dict[str, int] = {}
    for name in names:
        changed[name] = after = done = 0
        while True:
            with transaction() as session:
                field = session.app.entities[entity].fields.get(name) if entity in session.app.entities else None
                span = next(spans(session, entity, after), None) if field is not None else None
                if span is None or field is None or field.formula is None or field.computed != "stored":
                    break  # at the end, or a publish meanwhile took the field away
                count = refresh_with_readers(session, entity, field, span)
            after, done = span.last, done + RANGE
            changed[name] += count
            told(name, done, count)
            if span.final:
                break
    return changed
