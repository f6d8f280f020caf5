"""entity: a business object, its fields and what must always hold of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metadata.drafts import FieldDraft, Thing, World
from metadata.entity_checks import check_entity
from metadata.kinds.activity import (
    ActivityShape,
    NextActionShape,
    TimelineShape,
    activity_expressions,
    activity_references,
    check_activity,
)
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.fields import RULES, FieldShape
from metadata.kinds.ledger import LedgerShape, ledger_references
from metadata.kinds.numbering import NumberedShape, numbering_references
from metadata.kinds.revisions import RevisionsShape, check_revisions, revisions_expressions, revisions_references
from metadata.kinds.shape import (
    NAME,
    Prop,
    Shape,
    flag,
    name,
    named,
    names,
    one,
    parts,
    rule,
    text,
    texts,
    was,
)
from metadata.number_pattern import fields_in
from metadata.places import Path
from rules.typing import BOOLEAN


class CheckShape(Shape):
    """A condition that every record must meet."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    must = rule(required=True, zh="必须成立", en="what must hold; nothing counts as not holding")
    when = rule(zh="仅在此时检查", en="checked only when this holds")
    message = texts(zh="不成立时的提示", en="said when it does not hold")
    fields = names(zh="提示显示在哪些字段", en="fields the message is shown at; those it reads, where none are named")


class NumberShape(NumberedShape):
    """Automatic numbers."""

    short = "pattern"
    pattern = text(zh="样式，如 KH{yyyy}-{seq:5}", en="such as KH{yyyy}-{seq:5}")
    numbering = name(zh="编号规则名", en="a `numbering` document instead of a pattern")
    field = name(zh="存放编号的字段", en="the text field that holds the number")


_UNIQUE = {
    "type": "array",
    "maxItems": 50,
    "items": {
        "if": {"type": "string"},
        "then": {"pattern": NAME},
        "else": {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1, "uniqueItems": True},
    },
}


@register
class Entity(Kind):
    word = "entity"
    folder = "entities"
    called = {"zh": "实体", "en": "Entity"}
    about = {
        "zh": "一种业务对象：字段、编号、负责人、层级、唯一性与校验。每个实体是一张真实的表。",
        "en": "A business object: fields, numbers, owner, hierarchy, uniqueness and checks. "
        "Each entity is a table of its own.",
    }
    example = """
entity: visit
label: {zh: 拜访, en: Visit}
title: subject
fields:
  subject: {type: text, required: true}
  visited_on: date
  hours: {type: decimal, scale: 1}
checks:
  - {name: hours, must: "hours is None or hours > 0", message: {zh: 时长须为正, en: Hours must be positive}}
"""
    later = ("history",)

    label = texts(zh="名称", en="label")
    plural = texts(zh="复数名称", en="label of many")
    help = texts(zh="说明", en="help")
    icon = text(zh="图标", en="icon", pattern=r"^[a-z0-9-]{1,40}$")
    title = name(
        zh="链接上显示的字段", en="the field a link to it shows; `name`, `title`, the number or the id otherwise"
    )
    number = one(NumberShape, zh="自动编号", en="automatic numbers")
    owner = name(zh="负责人字段", en="the user field that record access starts from")
    unit = name(zh="所属部门字段", en="the link to an organisation unit that unit scopes use, besides the owner's")
    tree = name(zh="上级字段，构成层级", en="a link to itself that makes a hierarchy")
    currency = name(zh="币种字段", en="the field with the record's currency")
    ledger = one(LedgerShape, zh="台账：分录只增不改，余额同时更新", en="entries are only added; balances go with them")
    revisions = one(RevisionsShape, zh="生效后按版本变更", en="a record in force changes by revisions")
    activity = one(
        ActivityShape, zh="记录是发生的事：电话、拜访、任务", en="records are things that happen: calls, visits, tasks"
    )
    timeline = parts(TimelineShape, zh="时间线包含的关联记录", en="related records that stand in the timeline")
    next_action = one(NextActionShape, zh="下一步与闲置", en="what comes next with a record, and how long it lay idle")
    files = flag(zh="记录可存放文件（有版本）", en="files, with their versions, can be kept with a record")
    search = names(zh="全局搜索的字段", en="fields that global search reads", paths=True)
    second_line = names(
        zh="区分同名记录的字段，显示在查找和搜索结果的第二行",
        en="fields that tell records of the same title apart: the second line in look-ups and search",
    )
    fields = named(FieldShape, zh="字段", en="fields")
    unique = Prop(
        schema=_UNIQUE,
        expand=lambda v: [[i] if isinstance(i, str) else i for i in v] if isinstance(v, list) else v,
        zh="组合唯一",
        en="sets of fields no two living records share",
    )
    checks = parts(CheckShape, zh="校验", en="conditions every record must meet")
    was = was()
    retired = flag(zh="停用", en="no longer in use; table and data are kept")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data = thing.data
        for key in ("title", "owner", "unit", "tree", "currency"):
            if isinstance(data.get(key), str):
                yield Reference(path=(key,), to="field", name=data[key], entity=thing.name)
        for index, found in enumerate(data.get("search") or ()):
            yield Reference(path=("search", index), to="path", name=found, entity=thing.name)
        for index, found in enumerate(data.get("second_line") or ()):
            yield Reference(path=("second_line", index), to="field", name=found, entity=thing.name)
        for index, group in enumerate(data.get("unique") or ()):
            for inner, found in enumerate(group):
                yield Reference(path=("unique", index, inner), to="field", name=found, entity=thing.name)
        for field, spec in (data.get("fields") or {}).items():
            if spec.get("type") == "lines" and isinstance(spec.get("entity"), str):
                yield from _line_references(spec, ("fields", field))
        numbered = data.get("number") or {}
        if "field" in numbered:
            yield Reference(path=("number", "field"), to="field", name=numbered["field"], entity=thing.name)
        if "numbering" in numbered:
            yield Reference(path=("number", "numbering"), to="numbering", name=numbered["numbering"])
        yield from numbering_references(numbered, ("number",))
        for _, found in fields_in(numbered.get("pattern", "")):
            yield Reference(path=("number", "pattern"), to="path", name=found, entity=thing.name)
        yield from ledger_references(thing)
        yield from revisions_references(thing)
        yield from activity_references(thing)
        for check in data.get("checks") or ():
            for inner, found in enumerate(check.get("fields") or ()):
                path = ("checks", check["name"], "fields", inner)
                yield Reference(path=path, to="field", name=found, entity=thing.name)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        entity = thing.name
        draft = world.entities.get(entity)
        for member in draft.fields.values() if draft else ():
            if not member.system:
                yield from _of_field(entity, member, world)
        yield from revisions_expressions(thing)
        yield from activity_expressions(thing)
        for check in thing.data.get("checks") or ():
            for key in ("must", "when"):
                if isinstance(check.get(key), str):
                    path = ("checks", check["name"], key)
                    yield Wanted(path=path, text=check[key], entity=entity, expected=BOOLEAN, allow_old=True)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_entity(thing, world)
        check_revisions(thing, world)
        check_activity(thing, world)


def _line_references(spec: Mapping[str, Any], at: Path) -> Iterator[Reference]:
    """Fields of the lines that picking several and combining them name."""
    if isinstance(spec.get("pick"), str):
        yield Reference(path=(*at, "pick"), to="field", name=spec["pick"], entity=spec["entity"])
    for word in ("same", "sum"):
        for index, found in enumerate((spec.get("combine") or {}).get(word) or ()):
            yield Reference(path=(*at, "combine", word, index), to="field", name=found, entity=spec["entity"])


def _of_field(entity: str, member: FieldDraft, world: World) -> Iterator[Wanted]:
    spec, at = member.spec, member.path
    if isinstance(spec.get("formula"), str):
        yield Wanted(path=(*at, "formula"), text=spec["formula"], entity=entity, expected=member.value_type)
    default: Any = spec.get("default")
    if isinstance(default, str) and default.startswith("="):
        path = (*at, "default")
        yield Wanted(path=path, text=default[1:], entity=entity, expected=member.value_type, skip=1)
    for key in RULES:
        if isinstance(spec.get(key), str):
            yield Wanted(path=(*at, key), text=spec[key], entity=entity, expected=BOOLEAN)
    if isinstance(spec.get("where"), str):
        target = spec.get("to") or spec.get("entity") or member.value_type.entity
        if isinstance(target, str):
            yield Wanted(path=(*at, "where"), text=spec["where"], entity=target, expected=BOOLEAN, outer=entity)
