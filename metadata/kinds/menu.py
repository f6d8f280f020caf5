"""menu: the navigation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from metadata.drafts import Thing, World, entity_of, suggestion
from metadata.kinds.base import Kind, Reference, register
from metadata.kinds.layout import ForShape
from metadata.kinds.shape import Defs, Json, Shape, name, names, one, one_of, parts, text, texts
from metadata.places import Path

PAGES = ("inbox", "pools", "runs", "rules", "samples", "notifications", "today")  # pages that belong to no entity


class ItemShape(Shape):
    """Leads to an entity's list, to a report, to a page of its own, or holds further items."""

    short = "entity"
    named_by = "name"
    name = name(zh="名称，省略时取目标名", en="name; that of its target where left out")
    label = texts(zh="标题", en="title; that of its target where left out")
    icon = text(zh="图标", en="icon", pattern=r"^[a-z0-9-]{1,40}$")
    view = text(zh="列表的视图", en="a view of the list")
    report = text(zh="报表", en="report")
    page = one_of(*PAGES, zh="独立页面", en="a page of its own: approvals waiting, pools, runs of workflows, …")

    @classmethod
    def canonical(cls, value: Any) -> Any:
        found = super().canonical(value)
        if isinstance(found, dict) and "name" not in found:
            target = found.get("view") or found.get("entity") or found.get("report") or found.get("page")
            if isinstance(target, str):
                found["name"] = target
        return found

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        found = super().json(defs, extend, in_container)
        if not extend:
            found["else"]["anyOf"] = [{"required": [w]} for w in ("entity", "report", "page", "items")]
        return found


ItemShape.entity = name(zh="实体", en="entity whose list it opens")  # type: ignore[attr-defined]
ItemShape.items = parts(ItemShape, zh="下级", en="items below it")  # type: ignore[attr-defined]


@register
class Menu(Kind):
    word = "menu"
    folder = "layouts"
    called = {"zh": "菜单", "en": "Menu"}
    about = {
        "zh": "导航：分组、实体列表、视图、报表。",
        "en": "The navigation: groups, lists of entities, views, reports.",
    }
    example = """
menu: main
items:
  - {name: work, label: {zh: 工作, en: Work}, items: [visit]}
"""
    label = texts(zh="名称", en="label")
    items = parts(ItemShape, required=True, zh="菜单项", en="items")
    bottom = names(
        zh="手机底栏的菜单项（名称，最多三个）；省略时为最前的三项",
        en="items, by name, that a phone has at the bottom (three); the first three where left out",
    )
    for_ = one(ForShape, zh="给哪个角色", en="the role it is for")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        role = (thing.data.get("for") or {}).get("role")
        if role is not None:
            yield Reference(path=("for", "role"), to="role", name=role)
        for path, item in _items(thing.data.get("items"), ("items",)):
            for word in ("entity", "report"):
                if isinstance(item.get(word), str):
                    yield Reference(path=(*path, word), to=word, name=item[word])

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        known_items = {item.get("name", "") for _path, item in _items(thing.data.get("items"), ("items",))}
        for index, wanted in enumerate(thing.data.get("bottom") or ()):
            if wanted not in known_items:
                hint = suggestion(wanted, known_items)
                world.report("name.unknown", thing, ("bottom", index), hint=hint, kind="menu", name=wanted)
        for path, item in _items(thing.data.get("items"), ("items",)):
            view, entity = item.get("view"), item.get("entity")
            if view is None or world.is_broken("list", str(entity)):
                continue
            lists = [t for t in world.of_kind("list") if entity_of(t) == entity]
            known = {v["name"] for t in lists for v in t.data.get("views") or ()}
            if view not in known and not any(t.partial for t in lists):
                world.report(
                    "name.unknown", thing, (*path, "view"), hint=suggestion(view, known), kind="view", name=view
                )


def _items(items: Any, at: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for item in items or ():
        path = (*at, item.get("name", ""))
        yield path, item
        yield from _items(item.get("items"), (*path, "items"))
