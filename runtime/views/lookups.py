"""Finding the record a link should point to: by what one types, with a second line that tells twins apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from metadata.model import Sort
from rules.expression import Expression
from runtime.query import search
from runtime.query.expressions import condition
from runtime.query.select import Query, parse_where, run
from runtime.query.sql_context import SqlContext
from runtime.records.form import as_typed
from runtime.records.plan import plan_of
from runtime.records.values import Draft
from runtime.views.binder import Binder, BoundField

MOST = 20
MOST_ADMITTED = 500
_SECOND = ("text", "phone", "email", "select", "user", "link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    id: int
    title: str
    second: str = ""


def _title(row: Any, name: str) -> str:
    value = row.titles.get(name) or row.values.get(name)
    return f"#{row.id}" if value is None else str(value)


def find(
    binder: Binder, target: str, text: str, field: BoundField | None = None, this: Mapping[str, Any] | None = None
) -> list[Option]:
    """At most 20 records of `target` that may be picked (for `field`); without a text the newest.

    `this` are the values of the record so far, for a field whose choices depend on them; without it all are offered.
    """
    if target not in binder.app.entities or not binder.can(target, "read"):
        return []
    session, described = binder.session, binder.app.entities[target]
    second = _second_line(binder, target)
    where = field.field.where if field is not None else None
    rules = [where] if where is not None and field is not None and not field.depends else []
    ids = None
    if where is not None and field is not None and field.depends and this is not None:
        ids = _admitted(binder, target, where, as_typed(session, field.entity, this), text)
    typed = text.strip()[:100]
    asked = []
    titled = binder.visible(target, described.title)
    if typed and not described.search:
        if not titled:
            return []
        asked.append(parse_where(session, target, f"contains({described.title}, {typed!r})"))
    query = Query(
        entity=target,
        select=(described.title if titled else "id", *(f.key for f in second)),
        where=tuple(asked),
        rules=tuple(rules),
        sort=() if typed else (Sort(path=("id",), descending=ids is None),),
        q=typed if typed and described.search else None,
        limit=MOST,
        ids=ids,
    )
    coercion = binder.coercion()
    found = []
    for row in run(session, query).rows:
        found.append(Option(id=row.id, title=_title(row, described.title), second=_joined(second, row, coercion)))
    return found


def _admitted(binder: Binder, target: str, where: Expression, draft: Draft, text: str) -> tuple[int, ...]:
    """The records that a condition over the record being filled in admits, as many as are worth looking through."""
    session = binder.session
    plan = plan_of(session, target)
    context = SqlContext(tables=session.tables, environment=session.environment(), outer=draft)
    statement = sa.select(plan.table.c.id).where(plan.table.c.deleted_at.is_(None))
    statement = statement.where(condition(where, plan.table, context))
    readable = binder.access.predicate(target, "read", plan.table)
    if readable is not None:
        statement = statement.where(readable)
    typed = text.strip()[:100]
    if typed and plan.search_fields:
        statement = statement.where(search.among(session, plan, typed, binder.access.hidden(target), plan.table))
    return tuple(session.connection.scalars(statement.order_by(plan.table.c.id).limit(MOST_ADMITTED)))


def _text(field: BoundField, row: Any, coercion: Any) -> str:
    if field.field.storage == "link":
        return str(row.titles.get(field.key) or "")
    value = row.values.get(field.key)
    return "" if value is None else field.type.to_text(value, field.field, coercion)


def second_lines(binder: Binder, entity: str, ids: Sequence[int]) -> dict[int, str]:
    """What tells these records apart from others of the same title, by id: one statement."""
    second = _second_line(binder, entity)
    if not ids or not second or not binder.can(entity, "read"):
        return dict.fromkeys(ids, "")
    query = Query(entity=entity, select=tuple(f.key for f in second), ids=tuple(ids), limit=len(ids))
    coercion = binder.coercion()
    found = {row.id: _joined(second, row, coercion) for row in run(binder.session, query).rows}
    return {i: found.get(i, "") for i in ids}


def _joined(second: Sequence[BoundField], row: Any, coercion: Any) -> str:
    return " · ".join(text for f in second if (text := _text(f, row, coercion)))


def _second_line(binder: Binder, entity: str) -> tuple[BoundField, ...]:
    """The fields that tell records of the same title apart: those declared, else the number and what the list shows."""
    return binder.keep("second", entity, bind=lambda: _bind_second(binder, entity))


def _bind_second(binder: Binder, entity: str) -> tuple[BoundField, ...]:
    described = binder.app.entities[entity]
    if described.second_line:
        declared = (binder.field(entity, name) for name in described.second_line)
        return tuple(b for b in declared if b is not None)
    names = [described.number.field] if described.number and described.number.field else []
    names += [n for n in described.search if n != described.title]
    names += [c.path[0] for c in binder.app.list_for(entity, binder.session.user.roles).columns if len(c.path) == 1]
    bound = (binder.field(entity, n) for n in dict.fromkeys(names) if n and n != described.title)
    fitting = (b for b in bound if b is not None and b.field.type in _SECOND and b.field.computed != "live")
    return tuple(fitting)[:2]
