"""Finding the record a link should point to: by what one types, with a second line that tells twins apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metadata.model import Sort
from runtime.query.select import Query, parse_where, run
from runtime.views.binder import Binder, BoundField

MOST = 20
_SECOND = ("text", "phone", "email", "select", "user", "link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    id: int
    title: str
    second: str = ""


def _title(row: Any, name: str) -> str:
    value = row.titles.get(name) or row.values.get(name)
    return f"#{row.id}" if value is None else str(value)


def find(binder: Binder, target: str, text: str, field: BoundField | None = None) -> list[Option]:
    """At most 20 records of `target` that may be picked (for `field`); without a text the newest."""
    if target not in binder.app.entities or not binder.can(target, "read"):
        return []
    session, described = binder.session, binder.app.entities[target]
    second = _second_line(binder, target)
    rules = [field.field.where] if field is not None and field.field.where is not None and _stands_alone(field) else []
    typed = text.strip()[:100]
    where = []
    titled = binder.visible(target, described.title)
    if typed and not described.search:
        if not titled:
            return []
        where.append(parse_where(session, target, f"contains({described.title}, {typed!r})"))
    query = Query(
        entity=target,
        select=(described.title if titled else "id", *(f.key for f in second)),
        where=tuple(where),
        rules=tuple(rules),
        sort=() if typed else (Sort(path=("id",), descending=True),),
        q=typed if typed and described.search else None,
        limit=MOST,
    )
    coercion = binder.coercion()
    found = []
    for row in run(session, query).rows:
        found.append(Option(id=row.id, title=_title(row, described.title), second=_joined(second, row, coercion)))
    return found


def _stands_alone(field: BoundField) -> bool:
    """Whether the condition speaks of the target alone; one that reads the form is checked when saving."""
    where = field.field.where
    return where is not None and "this" not in where.text


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
