"""Forms, lists, menus and segments as parts of the model. What lost its meaning to a problem is left out."""

from __future__ import annotations

from typing import Any

from metadata.build.common import label, origin, text
from metadata.drafts import Thing, World, entity_of
from metadata.i18n import label_of
from metadata.model import (
    Column,
    Filter,
    Form,
    FormItem,
    Highlight,
    List,
    Menu,
    MenuItem,
    Section,
    Segment,
    Sort,
    Tab,
    View,
)
from metadata.places import Path


def columns(given: Any, entity: str | None, world: World) -> tuple[Column, ...]:
    found = [c for c in given or () if _field(entity, c["field"], world)]
    return tuple(
        Column(
            path=tuple(c["field"].split(".")),
            label=text(c.get("label"), world),
            show=c.get("show"),
            total=c.get("total"),
            width=c.get("width"),
        )
        for c in found
    )


def sorts(given: Any, entity: str | None, world: World) -> tuple[Sort, ...]:
    found = [s for s in given or () if _field(entity, s.removeprefix("-"), world)]
    return tuple(Sort(path=tuple(s.removeprefix("-").split(".")), descending=s.startswith("-")) for s in found)


def _field(entity: str | None, path: str, world: World) -> bool:
    found = world.field_at(entity, path.split(".")) if entity else None
    return found is not None and not found.retired


def _role(thing: Thing) -> str | None:
    return (thing.data.get("for") or {}).get("role")


def _usable(data: dict[str, Any], key: str, at: Path, thing: Thing) -> bool:
    """Whether a part's condition, if it has one, could be read."""
    return key not in data or (*at, key) in thing.expressions


# --- forms


def build_form(thing: Thing, world: World) -> Form | None:
    data, entity = thing.data, entity_of(thing)
    if entity not in world.entities:
        return None
    return Form(
        name=thing.name,
        entity=entity,
        tabs=tuple(_tab(tab, thing, entity, world) for tab in data["tabs"] if _tab_usable(tab, entity, thing, world)),
        header=tuple(n for n in data.get("header") or () if _field(entity, n, world)),
        side=tuple(data.get("side") or ()),
        actions=tuple(data.get("actions") or ()),
        quick=tuple(n for n in data.get("quick") or () if _field(entity, n, world)),
        touch=tuple(tuple(p.split(".")) for p in data.get("touch") or () if _field(entity, p, world)),
        for_role=_role(thing),
        on=data.get("on"),
        origin=origin(thing),
    )


def _tab_usable(tab: dict[str, Any], entity: str, thing: Thing, world: World) -> bool:
    if not _usable(tab, "visible_when", ("tabs", tab["name"]), thing):
        return False
    return "related" not in tab or _field(entity, tab["related"], world)


def _tab(tab: dict[str, Any], thing: Thing, entity: str, world: World) -> Tab:
    at: Path = ("tabs", tab["name"])
    related = tab.get("related")
    member = world.field_at(entity, [related]) if related else None
    fallback = member.spec.get("label") if member else None
    sections = [
        _section(section, (*at, "sections", section["name"]), thing, entity, world)
        for section in tab.get("sections") or ()
        if _usable(section, "visible_when", (*at, "sections", section["name"]), thing)
    ]
    return Tab(
        name=tab["name"],
        label=label(thing, tab.get("label") or fallback, tab["name"], world),
        sections=tuple(sections),
        related=related,
        columns=columns(tab.get("columns"), member.value_type.entity if member else None, world),
        visible_when=thing.expression((*at, "visible_when")),
    )


def _section(section: dict[str, Any], at: Path, thing: Thing, entity: str, world: World) -> Section:
    items = [
        FormItem(
            field=item["field"],
            span=item.get("span", 1),
            group=item.get("group"),
            widget=item.get("widget"),
            visible_when=thing.expression((*at, "fields", item["field"], "visible_when")),
        )
        for item in section.get("fields") or ()
        if _field(entity, item["field"], world) and _usable(item, "visible_when", (*at, "fields", item["field"]), thing)
    ]
    return Section(
        name=section["name"],
        label=label(thing, section.get("label"), section["name"], world),
        columns=section.get("columns", 2),
        items=tuple(items),
        collapsed=section.get("collapsed") is True,
        visible_when=thing.expression((*at, "visible_when")),
    )


# --- lists


def build_list(thing: Thing, world: World) -> List | None:
    data, entity = thing.data, entity_of(thing)
    if entity not in world.entities or not _usable(data, "where", (), thing):
        return None
    return List(
        name=thing.name,
        entity=entity,
        columns=columns(data["columns"], entity, world),
        sort=sorts(data.get("sort"), entity, world),
        filters=tuple(
            Filter(path=tuple(f["field"].split(".")), range=f.get("range") is True)
            for f in data.get("filters") or ()
            if _field(entity, f["field"], world)
        ),
        views=tuple(
            _view(view, thing, entity, world)
            for view in data.get("views") or ()
            if _usable(view, "where", ("views", view["name"]), thing)
        ),
        highlight=_highlights(thing),
        page_size=data.get("page_size", 50),
        where=thing.expression(("where",)),
        for_role=_role(thing),
        on=data.get("on"),
        origin=origin(thing),
    )


def _view(view: dict[str, Any], thing: Thing, entity: str, world: World) -> View:
    return View(
        name=view["name"],
        label=label(thing, view.get("label"), view["name"], world),
        where=thing.expression(("views", view["name"], "where")),
        sort=sorts(view.get("sort"), entity, world),
        columns=columns(view.get("columns"), entity, world),
    )


def _highlights(thing: Thing) -> tuple[Highlight, ...]:
    found: list[Highlight] = []
    for index, item in enumerate(thing.data.get("highlight") or ()):
        when = thing.expression(("highlight", index, "when"))
        if when is not None:
            found.append(Highlight(when=when, style=item.get("as", "info")))
    return tuple(found)


# --- menus and segments


def build_menu(thing: Thing, world: World) -> Menu:
    data = thing.data
    items = tuple(i for i in (_menu_item(given, thing, world) for given in data["items"]) if i)
    bottom = tuple(data.get("bottom") or ())
    return Menu(name=thing.name, items=items, bottom=bottom, for_role=_role(thing), origin=origin(thing))


def _menu_item(given: dict[str, Any], thing: Thing, world: World) -> MenuItem | None:
    entity, report = given.get("entity"), given.get("report")
    if entity is not None and entity not in world.entities:
        return None
    reports = {t.name: t for t in world.of_kind("report")}
    if report is not None and report not in reports:
        return None
    below = tuple(i for i in (_menu_item(g, thing, world) for g in given.get("items") or ()) if i)
    title: Any = given.get("label")
    if title is None and entity is not None:
        data = world.entities[entity].thing.data
        title = data.get("plural") or data.get("label")
    elif title is None and report is not None:
        title = reports[report].data.get("label")
    name = given.get("name") or entity or report or given.get("page") or "item"
    return MenuItem(
        name=name,
        label=label_of(title, name, world.languages),
        icon=given.get("icon"),
        entity=entity,
        view=given.get("view"),
        report=report,
        page=given.get("page"),
        items=below,
    )


def build_segment(thing: Thing, world: World) -> Segment | None:
    where = thing.expression(("where",))
    if where is None or thing.data["entity"] not in world.entities:
        return None
    return Segment(
        name=thing.name,
        entity=thing.data["entity"],
        label=label(thing, thing.data.get("label"), thing.name, world),
        where=where,
        origin=origin(thing),
    )
