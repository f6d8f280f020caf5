"""Lists: columns, filters and views of an entity for a kind of user, and the rows one address asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.model import Highlight, List, Sort
from rules.expression import Expression
from runtime.views.binder import Binder, BoundField
from runtime.views.filters import BoundFilter, bind_filter

MOST_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundView:
    name: str
    label: str
    where: Expression | None
    sort: tuple[Sort, ...]
    columns: tuple[BoundField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundSegment:
    name: str
    label: str
    where: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundList:
    """`totals` maps a column's key to its aggregate. `opener` is the column that links to the record."""

    entity: str
    label: str
    plural: str
    icon: str | None
    columns: tuple[BoundField, ...]
    sort: tuple[Sort, ...]
    filters: tuple[BoundFilter, ...]
    views: tuple[BoundView, ...]
    highlight: tuple[Highlight, ...]
    where: Expression | None
    page_size: int
    totals: dict[str, str]
    opener: str
    searchable: bool
    segments: tuple[BoundSegment, ...] = ()

    def segment(self, name: str | None) -> BoundSegment | None:
        return next((s for s in self.segments if s.name == name), None)

    def view(self, name: str | None) -> BoundView | None:
        return next((v for v in self.views if v.name == name), None)


def bind_list(binder: Binder, entity: str) -> BoundList:
    """The list of `entity` for this kind of user."""
    return binder.keep("list", entity, bind=lambda: _bind(binder, entity))


def _bind(binder: Binder, entity: str) -> BoundList:
    described = binder.app.entities[entity]
    declared: List = binder.app.list_for(entity, binder.session.user.roles, binder.device)
    columns = _columns(binder, entity, declared.columns)
    if not columns:
        columns = tuple(b for b in (binder.field(entity, "id"),) if b is not None)
    filters = (bind_filter(binder, entity, f) for f in declared.filters)
    return BoundList(
        entity=entity,
        label=described.label.of(binder.language),
        plural=described.plural.of(binder.language),
        icon=described.icon,
        columns=columns,
        sort=_sorts(binder, entity, declared.sort),
        filters=tuple(f for f in filters if f is not None),
        views=tuple(
            BoundView(
                name=v.name,
                label=v.label.of(binder.language),
                where=v.where,
                sort=_sorts(binder, entity, v.sort),
                columns=_columns(binder, entity, v.columns),
            )
            for v in declared.views
            if v.where is None or _readable(binder, v.where)
        ),
        highlight=tuple(h for h in declared.highlight if _readable(binder, h.when)),
        where=declared.where,
        page_size=min(declared.page_size, MOST_ROWS),
        totals={c.key: c.total for c in declared.columns if c.total and binder.path(entity, c.path)},
        opener=_opener(described.title, columns),
        searchable=bool(described.search),
        segments=_segments(binder, entity),
    )


def _segments(binder: Binder, entity: str) -> tuple[BoundSegment, ...]:
    """The segments of the entity whose conditions read only what this user may see, by label."""
    found = (
        BoundSegment(name=s.name, label=s.label.of(binder.language), where=s.where)
        for s in binder.app.segments.values()
        if s.entity == entity and _readable(binder, s.where)
    )
    return tuple(sorted(found, key=lambda segment: segment.label))


def _columns(binder: Binder, entity: str, declared: Any) -> tuple[BoundField, ...]:
    """Columns this user may see; collections have no place in a row."""
    found = []
    for column in declared:
        changes: dict[str, Any] = {"show": column.show}
        if column.label is not None:
            changes["label"] = column.label.of(binder.language)
        bound = binder.path(entity, column.path, **changes)
        if bound is not None and bound.field.storage != "children" and bound.widget not in ("related", "secret"):
            found.append(bound)
    return tuple(found)


def _sorts(binder: Binder, entity: str, declared: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """The declared order as far as this user may see what it goes by."""
    return tuple(s for s in declared if binder.path(entity, s.path) is not None)


def _readable(binder: Binder, expression: Expression) -> bool:
    """Whether a declared condition reads only what this user may see: its outcome would tell of the rest."""
    return all(binder.visible(e, f) for e, f in expression.reads if e in binder.app.entities)


def _opener(title: str, columns: tuple[BoundField, ...]) -> str:
    keys = [c.key for c in columns]
    return title if title in keys else (keys[0] if keys else "")


def parse_sort(binder: Binder, entity: str, text: str) -> tuple[Sort, ...]:
    """`-amount,name` as sorts; unknown, hidden and unsortable fields are left out."""
    found = []
    for part in text.split(",")[:4]:
        name = part.lstrip("-")
        path = tuple(name.split("."))
        bound = binder.path(entity, path) if name else None
        if bound is not None and bound.sortable:
            found.append(Sort(path=path, descending=part.startswith("-")))
    return tuple(found)


def sort_text(sorts: tuple[Sort, ...]) -> str:
    return ",".join(("-" if s.descending else "") + ".".join(s.path) for s in sorts)
