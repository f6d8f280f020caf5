"""Set-wise look-ups for a batch of rows: records by title, by a key, by the match fields, and their stored values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Entity, Field
from runtime.records.plan import EntityPlan, plan_of
from runtime.schema.tables import column_name, is_many
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CHUNK = 500  # values in one IN list
MOST_TWINS = 3


def titles(session: Session, entity: str, texts: Collection[str]) -> dict[str, list[int]]:
    """Ids of the visible living records called so, for every text: by number, unique text, or title, in this order."""
    plan = plan_of(session, entity)
    found: dict[str, list[int]] = {text: [] for text in texts}
    hidden = Access(session).hidden(entity)
    names = dict.fromkeys([plan.numbered, *(f.name for f in plan.columns if f.unique), plan.entity.title])
    for name in names:
        field = plan.fields.get(name or "")
        if field is None or field.name in hidden or field not in plan.columns or field.type == "secret":
            continue
        if field.storage == "text":
            missing = [text for text, ids in found.items() if not ids]
            found.update(ids_by(session, entity, field, set(missing)))
    return found


def ids_by(session: Session, entity: str, key: Field, values: Collection[Any]) -> dict[Any, list[int]]:
    """Ids of the visible living records for each value of `key`; at most three each, enough to see ambiguity."""
    plan = plan_of(session, entity)
    found: dict[Any, list[int]] = defaultdict(list)
    if key.name in Access(session).hidden(entity):
        return found
    column = plan.table.c[column_name(key)]
    for part in _chunks([v for v in values if v is not None]):
        for record_id, value in session.connection.execute(_visible(session, plan, column).where(column.in_(part))):
            if len(found[value]) < MOST_TWINS:
                found[value].append(record_id)
    return found


def existing(
    session: Session, entity: Entity, match: Sequence[str], keys: Collection[tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[int]]:
    """Ids of the visible living records for each combination of the match fields."""
    plan = plan_of(session, entity.name)
    columns = [plan.table.c[column_name(plan.fields[name])] for name in match]
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for part in _chunks(sorted({key[0] for key in keys}, key=str)):
        for record_id, *values in session.connection.execute(
            _visible(session, plan, *columns).where(columns[0].in_(part))
        ):
            if tuple(values) in keys:
                found[tuple(values)].append(record_id)
    return found


def below(
    session: Session,
    entity: Entity,
    back: str,
    owners: Sequence[int],
    names: Sequence[str],
    first: Collection[Any] = (),
) -> Iterator[tuple[Any, ...]]:
    """(id, owner, values of `names`) of the visible living records whose link `back` leads to `owners`, oldest first;
    with `first` only those of which the first of `names` is one of these."""
    plan = plan_of(session, entity.name)
    link = plan.table.c[column_name(plan.fields[back])]
    columns = [plan.table.c[column_name(plan.fields[name])] for name in names]
    for part in _chunks(list(owners)):
        wanted = _visible(session, plan, link, *columns).where(link.in_(part)).order_by(plan.table.c.id)
        if 0 < len(first) <= CHUNK:
            wanted = wanted.where(columns[0].in_(list(first)))
        yield from map(tuple, session.connection.execute(wanted))


def _visible(session: Session, plan: EntityPlan, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    rows = Access(session).predicate(plan.name, "read", plan.table)
    statement = sa.select(plan.table.c.id, *columns).where(plan.table.c.deleted_at.is_(None))
    return statement if rows is None else statement.where(rows)


def stored_values(
    session: Session, entity: Entity, ids: Sequence[int], fields: Sequence[Field]
) -> dict[int, dict[str, Any]]:
    """The stored values of `fields` by record id; joined ones as tuples."""
    plan = plan_of(session, entity.name)
    plain = [f for f in fields if f in plan.columns]
    found: dict[int, dict[str, Any]] = {}
    for part in _chunks(list(ids)):
        columns = [plan.table.c[column_name(f)] for f in plain]
        wanted = sa.select(plan.table.c.id, *columns).where(plan.table.c.id.in_(part))
        for record_id, *values in session.connection.execute(wanted):
            found[record_id] = dict(zip((f.name for f in plain), values))
        for field in fields:
            if is_many(field):
                _join(session, plan, field, part, found)
    return found


def _join(
    session: Session, plan: EntityPlan, field: Field, ids: Sequence[int], found: dict[int, dict[str, Any]]
) -> None:
    table = session.tables.pairs(plan.name, field.name)
    for record_id in ids:
        found[record_id][field.name] = ()
    for record_id, value in session.connection.execute(
        sa.select(table.c.record_id, table.c.value).where(table.c.record_id.in_(ids))
    ):
        found[record_id][field.name] = (*found[record_id][field.name], value)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
