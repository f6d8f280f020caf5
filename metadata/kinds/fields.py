"""The declaration of a field: the properties every field may have, and by `type` those of its type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import metadata.fields  # noqa: F401 - registers the types
from metadata.fields.base import field_types
from metadata.kinds.shape import NAME, Defs, Json, Prop, Shape, anything, flag, number, one_of, rule, text, texts, was

CHOICE_LIST: Mapping[str, Any] = {
    "if": {"type": "array"},
    "then": {"items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": 500, "uniqueItems": True},
}


def choices_schema(choice: Json) -> Json:
    """A list of names, or a map of name → choice."""
    return {
        "type": ["object", "array"],
        **CHOICE_LIST,
        "else": {"propertyNames": {"pattern": NAME}, "minProperties": 1, "additionalProperties": choice},
    }


def choice_map(given: Any) -> Any:
    """A list of names as a map."""
    return {n: {} for n in given if isinstance(n, str)} if isinstance(given, list) else given


class Choice(Shape):
    """A choice: its label per language, and any further keys as properties that expressions read."""

    short = "label"
    further = {"type": ["string", "number", "boolean", "null"]}
    label = texts(zh="标签；也可直接写 zh: en:", en="label; `zh:` and `en:` may also stand directly in the choice")
    colour = text(
        zh="颜色", en="colour: a name (blue, green, …) or #rrggbb", pattern=r"^(#[0-9a-fA-F]{6}|[a-z-]{2,20})$"
    )
    icon = text(zh="图标", en="icon", pattern=r"^[a-z0-9-]{1,40}$")
    was = was()
    retired = flag(zh="不再可选，保留旧数据", en="no longer offered; kept on records that have it")


def _choice_json(defs: Defs, extend: bool) -> Json:
    return {"if": {"type": "null"}, "else": Choice.reference(defs, extend, in_container=True)}


class FieldShape(Shape):
    """What every field may declare, whatever its type."""

    short = "type"
    label = texts(zh="标签", en="label")
    help = texts(zh="说明", en="help shown beside the field")
    placeholder = texts(zh="占位提示", en="shown in the empty input")
    required = flag(zh="必填", en="must be given")
    unique = flag(zh="不可重复", en="no two living records share a value")
    readonly = flag(zh="只读", en="only set by defaults, rules and the system")
    default = anything(
        zh="默认值；以 = 开头是规则", en='value where none is given; a text that starts with "=" is a rule'
    )
    formula = rule(zh="公式", en="expression whose value the field has")
    keep = one_of("daily", zh="每晚保存一次与时间有关的公式", en="store a formula that depends on the time each night")
    index = flag(zh="建索引", en="keep an index")
    sensitive = flag(zh="敏感", en="hidden unless a role shows it; inherited by what is computed from it")
    audit = flag(zh="记入审计", en="changes are logged", default="true")
    tracked = flag(zh="记录每次变化", en="select: every move goes to the stage log")
    translated = flag(zh="按语言存值", en="text: one value per language")
    copy = flag(zh="复制记录时保留", en="kept when a record is duplicated", default="true")
    visible_when = rule(zh="何时显示", en="shown only when this holds")
    required_when = rule(zh="何时必填", en="must be given when this holds")
    readonly_when = rule(zh="何时只读", en="cannot be changed when this holds")
    was = was()
    retired = flag(zh="停用：列与数据保留", en="no longer in use; column and data are kept")

    @classmethod
    def needs_value(cls) -> bool:
        """A field has at least a type."""
        return True

    @classmethod
    def reference(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        name = "field_extend" if extend else "field"
        if name not in defs:
            defs[name] = {}
            defs[name] = _extension(defs) if extend else _declaration(defs)
        return {"$ref": f"#/$defs/{name}"}

    @classmethod
    def canonical(cls, value: Any) -> Any:
        found = super().canonical(value)
        if isinstance(found, dict) and isinstance(found.get("options"), list | dict):
            choices = choice_map(found["options"])
            found["options"] = {k: Choice.canonical(v) for k, v in choices.items()}
        return found


def _declaration(defs: Defs) -> Json:
    types = sorted(field_types())
    return {
        "if": {"type": "string"},
        "then": {"enum": types},
        "else": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": types}},
            "allOf": [_for_type(defs, t) for t in types],
        },
    }


def _for_type(defs: Defs, type_name: str) -> Json:
    found = field_types()[type_name]
    common = {n: _shared(defs, n, p) for n, p in FieldShape.props().items()}
    key = f"field_{type_name}"
    properties = {"type": {}, **common, **_own(defs, found.properties)}
    defs[key] = {
        "title": type_name,
        "properties": {**properties, **FieldShape.earlier(properties)},
        "additionalProperties": False,
        **({"required": list(found.required_properties)} if found.required_properties else {}),
    }
    return {
        "if": {"properties": {"type": {"const": type_name}}, "required": ["type"]},
        "then": {"$ref": f"#/$defs/{key}"},
    }


def _shared(defs: Defs, name: str, prop: Prop) -> Json:
    """A common property, written once for all types."""
    key = f"property_{name}"
    if key not in defs:
        defs[key] = {"description": prop.en, **prop.json(defs, False)}
    return {"$ref": f"#/$defs/{key}"}


def _own(defs: Defs, properties: Mapping[str, Any], extend: bool = False) -> Json:
    """A type's own properties; inline choices get the one schema of choices."""
    own = {k: dict(v) for k, v in properties.items()}
    if "options" in own:
        inline = choices_schema(_choice_json(defs, extend))
        own["options"] = {"if": {"type": "string"}, "then": {"pattern": NAME}, "else": inline}
    return own


def _extension(defs: Defs) -> Json:
    """Any property of any type, since the type may be declared below; null takes a property away."""
    properties: Json = {n: p.json(defs, True) for n, p in FieldShape.props().items()}
    for found in field_types().values():
        for key, schema in _own(defs, found.properties, extend=True).items():
            properties[key] = schema if key not in properties or properties[key] == schema else {}
    properties |= FieldShape.earlier(properties)
    properties = {k: {"if": {"not": {"type": "null"}}, "then": v} for k, v in properties.items()}
    properties |= {"type": {"enum": sorted(field_types())}, "hide": {"type": "boolean"}}
    properties |= {"after": {"type": "string"}, "before": {"type": "string"}}
    whole = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"if": {"type": "string"}, "then": {"enum": sorted(field_types())}, "else": whole}


@cache
def own_properties() -> frozenset[str]:
    """All properties that only some types have."""
    return frozenset(k for t in field_types().values() for k in t.properties)


RULES = ("visible_when", "required_when", "readonly_when")

__all__ = ["RULES", "Choice", "FieldShape", "Prop", "choice_map", "choices_schema", "number", "own_properties"]
