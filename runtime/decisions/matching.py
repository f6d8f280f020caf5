"""Which records of an entity fulfil a rule, set by set: one statement, or batches in Python where SQL cannot say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rules.evaluate import Environment, holds
from rules.expression import Expression
from runtime.query.expressions import condition
from runtime.query.sql_context import NoSqlTwin, SqlContext
from runtime.records.plan import plan_of
from runtime.records.values import CHUNK, Loader

if TYPE_CHECKING:
    from runtime.site import Session


def context_of(session: Session, environment: Environment | None = None) -> SqlContext:
    """What the expressions of rules compile against: decisions of the system see all rows."""
    return SqlContext(tables=session.tables, environment=environment or session.environment())


def condition_of(
    session: Session, conditions: Sequence[Expression], table: sa.FromClause
) -> sa.ColumnElement[bool] | None:
    """All of them as one condition; None where one has no form in SQL."""
    context = context_of(session)
    try:
        return sa.and_(sa.true(), *(condition(found, table, context) for found in conditions))
    except NoSqlTwin:
        return None


def matching(
    session: Session,
    entity: str,
    conditions: Sequence[Expression],
    *extra: sa.ColumnElement[bool],
    after: int = 0,
    limit: int | None = None,
) -> list[int]:
    """Ids of living records beyond `after` that fulfil all conditions, in order of id, at most `limit`."""
    table = plan_of(session, entity).table
    wanted = sa.select(table.c.id).where(table.c.deleted_at.is_(None), table.c.id > after, *extra).order_by(table.c.id)
    where = condition_of(session, conditions, table)
    if where is not None:
        return list(session.connection.scalars(wanted.where(where).limit(limit)))
    found: list[int] = []
    for record_id in _fulfilling(session, entity, conditions, session.connection.scalars(wanted).all()):
        found.append(record_id)
        if limit is not None and len(found) >= limit:
            break
    return found


def count(session: Session, entity: str, conditions: Sequence[Expression], *extra: sa.ColumnElement[bool]) -> int:
    """How many living records fulfil all conditions."""
    table = plan_of(session, entity).table
    where = condition_of(session, conditions, table)
    if where is None:
        return len(matching(session, entity, conditions, *extra))
    wanted = sa.select(sa.func.count()).select_from(table).where(table.c.deleted_at.is_(None), *extra, where)
    return int(session.connection.scalar(wanted) or 0)


def _fulfilling(session: Session, entity: str, conditions: Sequence[Expression], ids: Sequence[Any]) -> Iterator[int]:
    for first in range(0, len(ids), CHUNK):
        loader = Loader(session)
        part = ids[first : first + CHUNK]
        loader.want(entity, part)
        loader.own(entity, part)
        for record_id in part:
            record = loader.record(entity, record_id)
            if all(holds(found, record, loader.environment) for found in conditions):
                yield record_id
