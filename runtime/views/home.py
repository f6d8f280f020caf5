"""What the home page shows: figures and recent records of the entities in the user's menu."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metadata.model import Sort
from runtime.query.select import Query, parse_where, run
from runtime.views.binder import Binder
from runtime.views.menus import BoundItem

MOST_FIGURES = 4
RECENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How many records of `entity` there are, and how many of them are one's own (None where nobody owns them)."""

    entity: str
    label: str
    icon: str | None
    count: int
    capped: bool
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    entity: str
    label: str
    icon: str | None
    id: int
    title: str
    at: datetime
    at_text: str


def places(menu: tuple[BoundItem, ...]) -> list[str]:
    """The entities the menu leads to, in its order."""
    leaves = (leaf for item in menu for leaf in item.leaves)
    return list(dict.fromkeys(leaf.entity for leaf in leaves if leaf.entity))


def figures(binder: Binder, entities: list[str]) -> list[Figure]:
    """One figure for each of the first entities: one's own records where somebody owns them, else all."""
    found = []
    for name in entities[:MOST_FIGURES]:
        described = binder.app.entities[name]
        mine = described.owner is not None and binder.visible(name, described.owner)
        where = (parse_where(binder.session, name, f"{described.owner} == user"),) if mine else ()
        page = run(binder.session, Query(entity=name, select=("id",), where=where, sort=(), limit=1, count="capped"))
        found.append(
            Figure(
                entity=name,
                label=described.plural.of(binder.language),
                icon=described.icon,
                count=page.count or 0,
                capped=page.count_capped,
                mine=mine,
            )
        )
    return found


def recent(binder: Binder, entities: list[str]) -> list[Recent]:
    """What this person changed last."""
    found: list[Recent] = []
    coercion = binder.coercion()
    for name in entities[:MOST_FIGURES]:
        described = binder.app.entities[name]
        if not binder.visible(name, "updated_by"):
            continue
        where = (parse_where(binder.session, name, "updated_by == user"),)
        sort = (Sort(path=("updated_at",), descending=True),)
        title = described.title if binder.visible(name, described.title) else "id"
        select = tuple(dict.fromkeys((title, "updated_at")))
        moment = binder.field(name, "updated_at")
        for row in run(binder.session, Query(entity=name, select=select, where=where, sort=sort, limit=RECENT)).rows:
            title = row.titles.get(described.title) or row.values.get(described.title) or f"#{row.id}"
            at = row.values["updated_at"]
            found.append(
                Recent(
                    entity=name,
                    label=described.label.of(binder.language),
                    icon=described.icon,
                    id=row.id,
                    title=str(title),
                    at=at,
                    at_text=moment.type.to_text(at, moment.field, coercion) if moment else "",
                )
            )
    return sorted(found, key=lambda r: r.at, reverse=True)[:RECENT]
