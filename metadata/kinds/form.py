"""form: the page of one record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.checks import check_form
from metadata.drafts import Thing, World, entity_of
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import (
    DEVICE,
    ColumnShape,
    ForShape,
    column_references,
    condition,
    layout_references,
    visible_when,
)
from metadata.kinds.shape import NAME, Shape, flag, name, names, number, one, one_of, parts, path, text, texts
from metadata.places import Path

_ROW = {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": 6}


def rows(given: Any) -> Any:
    """`[name, [revenue, employees]]` → items; those of an inner list share a row."""
    if not isinstance(given, list):
        return given
    items: list[Any] = []
    for index, item in enumerate(given):
        if isinstance(item, list):
            items.extend({"field": inner, "group": index} for inner in item)
        else:
            items.append(item)
    return items


class ItemShape(Shape):
    """A field in a section."""

    short = "field"
    named_by = "field"
    field = name(required=True, zh="字段", en="field")
    span = number(1, 4, zh="占几列", en="columns it spans", default="1")
    group = number(0, 1000, zh="同组的字段在同一行", en="fields of one group share a row")
    widget = text(zh="控件", en="another widget than the type's", pattern=NAME)
    visible_when = visible_when()


class SectionShape(Shape):
    """A titled group of fields."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="标题", en="title")
    columns = number(1, 4, zh="几列", en="columns", default="2")
    fields = parts(ItemShape, zh="字段", en="fields; an inner list shares a row", expand=rows, list_item=_ROW)
    collapsed = flag(zh="默认折叠", en="closed at first")
    visible_when = visible_when()


class TabShape(Shape):
    """A tab: sections of fields, or a list of related records."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="标题", en="title")
    sections = parts(SectionShape, zh="分区", en="sections")
    related = path(zh="相关记录字段", en="a `related` or `lines` field shown as a list")
    columns = parts(ColumnShape, zh="相关列表的列", en="columns of the related list")
    visible_when = visible_when()


@register
class Form(Kind):
    word = "form"
    folder = "layouts"
    called = {"zh": "表单", "en": "Form"}
    about = {
        "zh": "一条记录的页面：页签、分区、字段、相关列表。没有声明时自动生成。",
        "en": "The page of one record: tabs, sections, fields, related lists. Generated where none is declared.",
    }
    example = """
form: visit
tabs:
  - name: main
    label: {zh: 基本信息, en: Details}
    sections:
      - {name: overview, fields: [subject, [visited_on, hours]]}
"""
    entity = name(zh="实体，省略时同名", en="the entity, where the form is not named after it")
    label = texts(zh="名称", en="label")
    tabs = parts(TabShape, required=True, zh="页签", en="tabs")
    header = names(zh="标题区的关键字段", en="key figures in the header")
    side = names(zh="侧栏", en="side panels: timeline, documents, …")
    actions = names(zh="操作", en="actions offered")
    quick = names(zh="快速新建的字段", en="fields of the quick-create form")
    touch = names(
        zh="标题区的联络按钮：phone 或 email 字段，可经链接；省略时为自己的",
        en="buttons to call and write: phone and email fields, also over links; its own where left out",
        paths=True,
    )
    for_ = one(ForShape, zh="给哪个角色", en="the role it is for")
    on = one_of(*DEVICE, zh="给哪种设备", en="the device it is for")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        yield from layout_references(thing, world)
        entity = entity_of(thing)
        for key in ("header", "quick"):
            for found in thing.data.get(key) or ():
                yield Reference(path=(key, found), to="field", name=found, entity=entity)
        for found in thing.data.get("touch") or ():
            yield Reference(path=("touch", found), to="path", name=found, entity=entity)
        for tab in thing.data.get("tabs") or ():
            yield from _of_tab(tab, entity, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_form(thing, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        entity = entity_of(thing)
        for tab in thing.data.get("tabs") or ():
            at: Path = ("tabs", tab["name"])
            yield from condition(tab, "visible_when", at, entity)
            for section in tab.get("sections") or ():
                inner = (*at, "sections", section["name"])
                yield from condition(section, "visible_when", inner, entity)
                for item in section.get("fields") or ():
                    yield from condition(item, "visible_when", (*inner, "fields", item["field"]), entity)


def _of_tab(tab: dict[str, Any], entity: str, world: World) -> Iterable[Reference]:
    at: Path = ("tabs", tab["name"])
    if "related" in tab:
        yield Reference(path=(*at, "related"), to="field", name=tab["related"], entity=entity)
        draft = world.entities.get(entity)
        member = draft.fields.get(tab["related"]) if draft else None
        if member is not None and member.value_type.kind == "collection":
            yield from column_references(tab.get("columns"), (*at, "columns"), member.value_type.entity)
    for section in tab.get("sections") or ():
        for item in section.get("fields") or ():
            inner = (*at, "sections", section["name"], "fields", item["field"], "field")
            yield Reference(path=inner, to="field", name=item["field"], entity=entity)
