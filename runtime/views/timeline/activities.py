"""Activities around a record: what was said and done, and what is still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from metadata.model import Activity, Entity
from runtime.files.kept import kept
from runtime.query.expressions import condition
from runtime.query.select import Query, Row, run
from runtime.records.plan import plan_of
from runtime.schema.tables import column_name
from runtime.security.access import owner_column, sql_context
from runtime.views.binder import Binder, BoundField
from runtime.views.timeline.entries import About, Entry, Shown
from runtime.views.timeline.legs import Leg, Part, Scope


def legs(scope: Scope) -> list[Leg]:
    """A leg for each related field whose records are activities."""
    return [_leg(scope, part, part.entity.activity) for part in scope.parts if part.entity.activity is not None]


def _leg(scope: Scope, part: Part, activity: Activity) -> Leg:
    table = plan_of(scope.binder.session, part.entity.name).table
    at: sa.ColumnElement[Any] = table.c.created_at
    declared = part.entity.fields[activity.at]
    if scope.binder.visible(part.entity.name, declared.name):
        column = table.c[column_name(declared)]
        at = sa.func.coalesce(column, table.c.created_at, type_=column.type)
    person = table.c[owner_column(part.entity)]
    if activity.person is not None:
        person = table.c[column_name(part.entity.fields[activity.person])]

    kind = scope.binder.field(part.entity.name, activity.kind) if activity.kind is not None else None
    if kind is not None and (kind.field.computed == "live" or scope.binder.access.masks.of(part.entity.name)):
        kind = None

    def tell(told: Scope, ids: Sequence[int]) -> dict[int, Entry]:
        return _tell(told, part, activity, ids)

    return Leg(
        word=part.name,
        label=part.label,
        id=table.c.id,
        at=at,
        person=person,
        kind=None if kind is None else table.c[column_name(kind.field)],
        kinds=() if kind is None else tuple((c.name, c.label) for c in kind.choices if not c.retired),
        source=table,
        wheres=(table.c.id.in_(part.ids),),
        tell=tell,
    )


def _tell(scope: Scope, part: Part, activity: Activity, ids: Sequence[int]) -> dict[int, Entry]:
    binder, entity = scope.binder, part.entity
    links = _links(binder, entity)
    names = [entity.title, activity.at, "created_at", activity.kind, activity.text, activity.person, *activity.show]
    wanted = dict.fromkeys(n for n in [*names, *(f.name for f in links)] if n and n != "id")
    select = tuple(n for n in wanted if binder.visible(entity.name, n))
    rows = run(binder.session, Query(entity=entity.name, select=select, ids=tuple(ids), limit=len(ids))).rows
    still = _open(binder, entity, activity, [row.id for row in rows])
    files = kept(binder.session, entity.name, [row.id for row in rows]) if entity.files else {}
    found = {}
    for row in rows:
        made = _entry(scope, part, activity, row)
        made.about = [a for a in (_about(binder, scope, f, row) for f in links) if a is not None]
        made.open = row.id in still
        made.doable = made.open and bool(activity.done) and binder.can(entity.name, "edit")
        made.late = made.open and made.at < binder.session.now
        made.files = files.get(row.id, [])
        found[row.id] = made
    return found


def _entry(scope: Scope, part: Part, activity: Activity, row: Row) -> Entry:
    binder, entity = scope.binder, part.entity
    values, label = row.values, entity.label.of(binder.language)
    kind = binder.field(entity.name, activity.kind) if activity.kind else None
    choice = kind.choice(values.get(kind.name) or "") if kind is not None else None
    title = values.get(entity.title) if entity.title != "id" else None
    shown = (binder.field(entity.name, name) for name in activity.show)
    return Entry(
        word="activity",
        leg=part.name,
        id=row.id,
        at=values.get(activity.at) or values["created_at"],
        person=values.get(activity.person) if activity.person else None,
        said=choice.label if choice else label,
        icon=(choice.icon if choice else None) or entity.icon or "point",
        tone=choice.tone if choice else "",
        entity=entity.name,
        title=str(title) if title not in (None, "") else f"{label} #{row.id}",
        text=_rest(str(values.get(activity.text) or ""), title) if activity.text else "",
        shown=[Shown(f, values[f.name], row.titles.get(f.name)) for f in shown if f and values.get(f.name) is not None],
    )


def _rest(text: str, title: object) -> str:
    """The text without a first line that the title says already."""
    first, _, rest = text.partition("\n")
    return rest.strip() if first.strip() == title else text


def _links(binder: Binder, entity: Entity) -> tuple[BoundField, ...]:
    """Fields that lead to records with a timeline of their own: what an activity is about."""
    found = []
    for field in entity.own_fields:
        target = binder.app.entities.get(field.to or "") if field.storage == "link" and not field.retired else None
        bound = binder.field(entity.name, field.name) if target is not None and target.timeline else None
        if bound is not None:
            found.append(bound)
    return tuple(found)


def _about(binder: Binder, scope: Scope, field: BoundField, row: Row) -> About | None:
    """None for the record whose timeline it is, and where the reader may not see the other."""
    value, title = row.values.get(field.name), row.titles.get(field.name)
    target = field.target or ""
    if value is None or title is None or (target, value) == (scope.entity.name, scope.record):
        return None
    return About(target, value, field.label, str(title))


def _open(binder: Binder, entity: Entity, activity: Activity, ids: Sequence[int]) -> set[int]:
    if activity.open is None or not ids:
        return set()
    session = binder.session
    table: Any = plan_of(session, entity.name).table
    holds = condition(activity.open, table, sql_context(session))
    return set(session.connection.scalars(sa.select(table.c.id).where(table.c.id.in_(list(ids)), holds)))
