"""What records are called, as far as this user may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.query.expressions import field_value
from runtime.records.plan import plan_of
from runtime.schema.tables import column_name, is_column
from runtime.schema.types import Text
from runtime.security.access import Access, sql_context

if TYPE_CHECKING:
    from runtime.site import Session


def titles_of(session: Session, entity: str, ids: Sequence[int]) -> dict[int, str]:
    """Titles of the records this user may read."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        wanted = _titled(session, entity, list(ids)[start : start + 500])
        if wanted is None:
            return {}
        found.update((i, f"#{i}" if t is None else str(t)) for i, t in session.connection.execute(wanted))
    return found


def titles_of_each(session: Session, ids: Mapping[str, Sequence[int]]) -> dict[str, dict[int, str]]:
    """`titles_of` for records of several entities, at most 500 of each, in one statement."""
    found: dict[str, dict[int, str]] = {name: {} for name in ids}
    names, parts = list(ids), []
    for place, name in enumerate(names):
        wanted = _titled(session, name, ids[name]) if ids[name] else None
        if wanted is None:
            continue
        inner = wanted.subquery()
        number, title = inner.c
        if not isinstance(title.type, Text | sa.Text | sa.String):  # said as text by its own type
            found[name] = titles_of(session, name, ids[name])
            continue
        parts.append(sa.select(sa.literal_column(str(place)).label("place"), number, sa.cast(title, sa.Text)))
    if parts:
        for place, i, title in session.connection.execute(sa.union_all(*parts)):
            found[names[place]][i] = f"#{i}" if title is None else str(title)
    return found


def _titled(session: Session, entity: str, ids: Sequence[int]) -> sa.Select[Any] | None:
    """Id and title of the records this user may read; None where that is nothing of the entity."""
    access = Access(session)
    plan = plan_of(session, entity)
    if not ids or not access.can(entity, "read"):
        return None
    title = title_element(session, access, entity, plan.table, sql_context(session))
    rows = access.predicate(entity, "read", plan.table)
    wanted = sa.select(plan.table.c.id, title.label("title")).where(plan.table.c.id.in_(list(ids)))
    return wanted if rows is None else wanted.where(rows)


def title_element(
    session: Session, access: Access, entity: str, alias: sa.FromClause, context: Any
) -> sa.ColumnElement[Any]:
    """What the record is called; its id where its title is hidden or nothing a title could be."""
    described = session.app.entities[entity]
    found = described.fields.get(described.title)
    hidden = entity != "file" and found is not None and found.name in access.hidden(entity)
    if found is None or hidden or found.storage in ("children", "choices", "links"):
        return alias.c.id
    if found.storage == "link":
        return alias.c.id
    return alias.c[column_name(found)] if is_column(found) else field_value(entity, found.name, alias, context)
