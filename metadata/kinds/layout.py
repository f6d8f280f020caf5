"""What layouts share: columns, sorts, and for whom a layout is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.drafts import Thing, World, entity_of
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import NAME, PATH, Prop, Shape, name, number, one_of, path, rule, text, texts
from metadata.places import Path
from rules.typing import BOOLEAN


class ColumnShape(Shape):
    """A column: a field, or a path over links."""

    short = "field"
    named_by = "field"
    field = path(required=True, zh="字段或路径", en="field, or path over links such as owner.name")
    label = texts(zh="列名", en="heading")
    show = text(zh="显示方式", en="how it is shown: bar, tag, …", pattern=NAME)
    total = one_of("sum", "avg", "count", "min", "max", zh="合计", en="figure under the column")
    width = number(20, 2000, zh="宽度（像素）", en="width in pixels")


_SORT = {"type": "string", "pattern": r"^-?" + PATH[1:]}


def sorts(*, zh: str = "排序，- 为降序", en: str = "sort by fields or paths; - is descending") -> Prop:
    schema = {"if": {"type": "string"}, "then": _SORT, "else": {"type": "array", "items": _SORT, "maxItems": 5}}
    return Prop(schema=schema, zh=zh, en=en, expand=lambda v: [v] if isinstance(v, str) else v)


class ForShape(Shape):
    """For whom a layout is."""

    short = "role"
    role = name(required=True, zh="角色", en="role")


DEVICE = ("phone", "desktop")


def layout_references(thing: Thing, world: World) -> Iterable[Reference]:
    where: Path = ("entity",) if "entity" in thing.data else (thing.kind.word,)
    yield Reference(path=where, to="entity", name=entity_of(thing))
    role = (thing.data.get("for") or {}).get("role")
    if role is not None:
        yield Reference(path=("for", "role"), to="role", name=role)


def column_references(columns: Any, at: Path, entity: str | None) -> Iterable[Reference]:
    for column in columns or ():
        yield Reference(path=(*at, column["field"], "field"), to="path", name=column["field"], entity=entity)


def sort_references(given: Any, at: Path, entity: str | None) -> Iterable[Reference]:
    for index, found in enumerate(given or ()):
        yield Reference(path=(*at, index), to="path", name=found.removeprefix("-"), entity=entity)


def condition(data: dict[str, Any], key: str, at: Path, entity: str | None) -> Iterable[Wanted]:
    if isinstance(data.get(key), str):
        yield Wanted(path=(*at, key), text=data[key], entity=entity, expected=BOOLEAN)


def visible_when() -> Prop:
    return rule(zh="何时显示", en="shown only when this holds")
