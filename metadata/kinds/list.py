"""list: the table of an entity's records, its filters and named views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.checks import check_list
from metadata.drafts import Thing, World, entity_of
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import (
    DEVICE,
    ColumnShape,
    ForShape,
    column_references,
    condition,
    layout_references,
    sort_references,
    sorts,
)
from metadata.kinds.shape import Shape, flag, name, number, one, one_of, parts, path, rule, texts


def filters(given: Any) -> Any:
    """`{range: revenue}` → `{field: revenue, range: true}`."""
    if not isinstance(given, list):
        return given
    return [_filter(item) for item in given]


def _filter(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("range"), str):
        return {**item, "field": item["range"], "range": True}
    return item


class FilterShape(Shape):
    """A filter beside the list: by value, or by range."""

    short = "field"
    named_by = "field"
    field = path(zh="字段或路径", en="field or path")
    range = flag(zh="范围；可直接写 {range: 字段}", en="from – to; `{range: field}` for short")

    @classmethod
    def object_schema(cls, defs: dict[str, Any], extend: bool, in_container: bool) -> dict[str, Any]:
        found = super().object_schema(defs, extend, in_container)
        found["properties"]["range"] = {"if": {"type": "string"}, "else": {"type": "boolean"}}
        found.pop("required", None)
        found["if"] = {"properties": {"range": {"type": "string"}}, "required": ["range"]}
        found["else"] = {"required": ["field"]}
        return found


class ViewShape(Shape):
    """A named selection of the list."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="标题", en="title")
    where = rule(zh="条件", en="which records; all one may see, where left out")
    sort = sorts()
    columns = parts(ColumnShape, zh="列", en="columns, where they differ from the list's")


class HighlightShape(Shape):
    """Rows that stand out."""

    when = rule(required=True, zh="条件", en="condition")
    as_ = one_of("success", "warning", "danger", "info", "muted", zh="样式", en="style")


@register
class List(Kind):
    word = "list"
    folder = "layouts"
    called = {"zh": "列表", "en": "List"}
    about = {
        "zh": "实体的记录列表：列、排序、筛选、命名视图、行高亮。没有声明时自动生成。",
        "en": "The table of an entity's records: columns, sort, filters, named views, highlights. "
        "Generated where none is declared.",
    }
    example = """
list: visit
columns: [subject, visited_on, {field: hours, total: sum}, created_by.name]
sort: [-visited_on]
filters: [{range: visited_on}]
views:
  - {name: mine, label: {zh: 我的, en: Mine}, where: "created_by == user"}
highlight: [{when: "hours > 8", as: warning}]
"""
    entity = name(zh="实体，省略时同名", en="the entity, where the list is not named after it")
    label = texts(zh="名称", en="label")
    columns = parts(ColumnShape, required=True, zh="列", en="columns")
    where = rule(zh="条件", en="what the list is limited to")
    sort = sorts()
    filters = parts(FilterShape, zh="筛选", en="filters", expand=filters)
    views = parts(ViewShape, zh="视图", en="named views")
    highlight = parts(HighlightShape, zh="行高亮", en="rows that stand out")
    page_size = number(5, 500, zh="每页行数", en="rows per page", default="50")
    for_ = one(ForShape, zh="给哪个角色", en="the role it is for")
    on = one_of(*DEVICE, zh="给哪种设备", en="the device it is for")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        yield from layout_references(thing, world)
        data, entity = thing.data, entity_of(thing)
        yield from column_references(data.get("columns"), ("columns",), entity)
        yield from sort_references(data.get("sort"), ("sort",), entity)
        for item in data.get("filters") or ():
            yield Reference(path=("filters", item["field"]), to="path", name=item["field"], entity=entity)
        for view in data.get("views") or ():
            at = ("views", view["name"])
            yield from column_references(view.get("columns"), (*at, "columns"), entity)
            yield from sort_references(view.get("sort"), (*at, "sort"), entity)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_list(thing, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, entity_of(thing)
        yield from condition(data, "where", (), entity)
        for view in data.get("views") or ():
            yield from condition(view, "where", ("views", view["name"]), entity)
        for index, item in enumerate(data.get("highlight") or ()):
            yield from condition(item, "when", ("highlight", index), entity)
