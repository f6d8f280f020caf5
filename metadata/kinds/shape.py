"""How a kind says what may be written: classes whose attributes are the schema.

From the attributes of a `Shape` come its JSON Schema (2020-12), its extension schema, its pages in the manual and the
canonical form in which the passes read it. A short form is expanded once, here; nothing after this sees one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rules.durations import PATTERN as DURATION

NAME = r"^[a-z][a-z0-9_]{0,40}$"
PATH = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"

Json = dict[str, Any]
Defs = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prop:
    """One property: its schema (or the shape of its parts), whether it must be given, and what it means (zh, en).

    `container` says how shapes are held: "one", "list", or "map". `expand` rewrites short forms of the whole value.
    """

    zh: str = ""
    en: str = ""
    schema: Mapping[str, Any] | None = None
    shape: type[Shape] | None = None
    container: str = "one"
    required: bool = False
    rule: bool = False
    expand: Callable[[Any], Any] | None = None
    keys: str = NAME
    list_item: Mapping[str, Any] | None = None  # what a list may hold besides the shape
    default: str = ""
    texts: bool = False  # a text for people, maybe one per language
    alone: Mapping[str, Any] | None = None  # what may stand instead of a list; {}: a single part

    def json(self, defs: Defs, extend: bool) -> Json:
        if self.shape is None:
            return dict(self.schema or {})
        item = self.shape.reference(defs, extend, in_container=self.container != "one")
        if self.list_item is not None:
            item = {"if": {"type": "array"}, "then": dict(self.list_item), "else": item}
        if self.container == "list":
            several = {"type": "array", "items": item}
            if self.alone is None:
                return several
            return {"if": {"type": "array"}, "then": several, "else": dict(self.alone) or item}
        if self.container == "map":
            entry = {"if": {"type": "null"}, "else": item} if extend or not self.shape.needs_value() else item
            return {"type": "object", "propertyNames": {"pattern": self.keys}, "additionalProperties": entry}
        return item


class Shape:
    """A map with named properties. `short`: the property a bare text stands for; `named_by`: that which names it.

    `deprecated`: earlier keys → the key to write now; they are still read, with a warning.
    """

    short: ClassVar[str | None] = None
    named_by: ClassVar[str | None] = None
    further: ClassVar[Mapping[str, Any] | None] = None  # schema of further keys; None = there are none
    deprecated: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def props(cls) -> dict[str, Prop]:
        """Property name → Prop, in declared order; a trailing underscore keeps a name off Python's keywords."""
        found: dict[str, Prop] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Prop):
                    found[name.rstrip("_")] = value
        return found

    @classmethod
    def needs_value(cls) -> bool:
        return any(p.required for p in cls.props().values())

    @classmethod
    def reference(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        name = cls.__name__ + ("_extend" if extend else "")
        if name not in defs:
            defs[name] = {}
            defs[name] = cls.json(defs, extend, in_container)
        return {"$ref": f"#/$defs/{name}"}

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        whole = cls.object_schema(defs, extend, in_container)
        if cls.short is None:
            return whole
        return {"if": {"type": "string"}, "then": cls.props()[cls.short].json(defs, False), "else": whole}

    @classmethod
    def object_schema(cls, defs: Defs, extend: bool, in_container: bool) -> Json:
        properties: Json = {}
        for name, prop in cls.props().items():
            schema = prop.json(defs, extend)
            about = {"description": prop.en} if prop.en else {}
            properties[name] = {**about, **({"if": {"not": {"type": "null"}}, "then": schema} if extend else schema)}
        needed = [n for n, p in cls.props().items() if p.required and (not extend or n == cls.named_by)]
        properties |= cls.earlier(properties)
        if extend and in_container:
            placing: Json = {"hide": {"type": "boolean"}, "after": {"type": "string"}, "before": {"type": "string"}}
            properties = {**placing, **properties}
        result: Json = {"type": "object", "properties": properties}
        either = {new: old for old, new in cls.deprecated.items() if new in needed}
        if needed:
            result["required"] = [n for n in needed if n not in either]
        if either:
            result["allOf"] = [{"anyOf": [{"required": [n]}, {"required": [old]}]} for n, old in either.items()]
        result["additionalProperties"] = dict(cls.further) if cls.further is not None else False
        return result

    @classmethod
    def earlier(cls, properties: Json) -> Json:
        """The schemas of the deprecated keys, those of the keys that stand for them now."""
        pairs = ((old, new) for old, new in cls.deprecated.items() if new in properties)
        return {old: {**properties[new], "deprecated": True} for old, new in pairs}

    @classmethod
    def canonical(cls, value: Any) -> Any:
        """The long form: short texts become maps, derived names are filled in, earlier keys become those of now."""
        if isinstance(value, str) and cls.short is not None:
            value = {cls.short: value}
        if value is None:
            value = {}
        if not isinstance(value, dict):
            return value
        props = cls.props_cached()
        if cls.deprecated:
            value = {cls.current(k, value): v for k, v in value.items()}
        return {k: _canonical(props[k], v) if k in props else v for k, v in value.items()}

    @classmethod
    def current(cls, key: str, given: Mapping[str, Any]) -> str:
        """The key to write now for one that was given; its own where both are."""
        new = cls.deprecated.get(key, key)
        return key if new in given else new

    @classmethod
    def props_cached(cls) -> dict[str, Prop]:
        found: dict[str, Prop] | None = cls.__dict__.get("_props")
        if found is None:
            found = cls.props()
            cls._props = found
        return found

    _props: ClassVar[dict[str, Prop]]


def _canonical(prop: Prop, value: Any) -> Any:
    if prop.expand is not None and value is not None:
        value = prop.expand(value)
    shape = prop.shape
    if shape is None or value is None:
        return value
    if prop.container == "one":
        return shape.canonical(value)
    if prop.container == "list" and isinstance(value, list):
        return [shape.canonical(v) for v in value]
    if prop.container == "map" and isinstance(value, dict):
        return {k: shape.canonical(v) for k, v in value.items()}
    return value


# --- the properties there are ------------------------------------------------------------------------------------


def flag(*, zh: str = "", en: str = "", default: str = "false") -> Prop:
    return Prop(schema={"type": "boolean"}, zh=zh, en=en, default=default)


_TEXTS = {
    "if": {"type": "object"},
    "then": {
        "propertyNames": {"pattern": "^[a-z]{2}(_[a-z]+)?$"},
        "additionalProperties": {"type": "string", "maxLength": 2000},
        "minProperties": 1,
    },
    "else": {"type": "string", "minLength": 1, "maxLength": 2000},
}


def texts(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    """A text for people: a string, or one per language."""
    return Prop(schema=_TEXTS, zh=zh, en=en, required=required, texts=True)


def text(*, zh: str = "", en: str = "", required: bool = False, pattern: str | None = None) -> Prop:
    schema: Json = {"type": "string", "minLength": 1, "maxLength": 4000}
    if pattern:
        schema["pattern"] = pattern
    return Prop(schema=schema, zh=zh, en=en, required=required)


def name(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    """The name of something declared, or of a part that is being named."""
    return Prop(schema={"type": "string", "pattern": NAME}, zh=zh, en=en, required=required)


def path(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    """Field names joined by dots, following links."""
    return Prop(schema={"type": "string", "pattern": PATH, "maxLength": 200}, zh=zh, en=en, required=required)


def names(*, zh: str = "", en: str = "", paths: bool = False) -> Prop:
    item = {"type": "string", "pattern": PATH if paths else NAME}
    return Prop(schema={"type": "array", "items": item, "uniqueItems": True, "maxItems": 500}, zh=zh, en=en)


def rule(*, zh: str = "", en: str = "", required: bool = False) -> Prop:
    """An expression."""
    return Prop(schema={"type": "string", "minLength": 1}, zh=zh, en=en, required=required, rule=True)


def number(low: int, high: int, *, zh: str = "", en: str = "", default: str = "") -> Prop:
    return Prop(schema={"type": "integer", "minimum": low, "maximum": high}, zh=zh, en=en, default=default)


def one_of(*values: str, zh: str = "", en: str = "", default: str = "") -> Prop:
    return Prop(schema={"enum": list(values)}, zh=zh, en=en, default=default)


def duration(*, zh: str = "", en: str = "", required: bool = False, default: str = "") -> Prop:
    """A length of time: 30m, 24h, 3d, 2w elapsed; 24wh, 3wd by the working calendar."""
    schema: Json = {"type": "string", "pattern": DURATION, "maxLength": 12}
    return Prop(schema=schema, zh=zh, en=en, required=required, default=default)


def was(*, zh: str = "以前的名称", en: str = "earlier names: a rename keeps column and data") -> Prop:
    schema = {
        "if": {"type": "string"},
        "then": {"pattern": NAME},
        "else": {"type": "array", "items": {"type": "string", "pattern": NAME}},
    }
    return Prop(schema=schema, zh=zh, en=en, expand=lambda v: [v] if isinstance(v, str) else v)


def scalar(*, zh: str = "", en: str = "") -> Prop:
    return Prop(schema={"type": ["string", "number", "boolean", "null"]}, zh=zh, en=en)


def anything(*, zh: str = "", en: str = "") -> Prop:
    return Prop(schema={}, zh=zh, en=en)


def parts(
    shape: type[Shape],
    *,
    zh: str = "",
    en: str = "",
    required: bool = False,
    expand: Callable[[Any], Any] | None = None,
    list_item: Mapping[str, Any] | None = None,
    alone: Mapping[str, Any] | None = None,
) -> Prop:
    """A list of parts; `alone` is what may stand instead of a list ({}: a single part), made one by `expand`."""
    return Prop(
        shape=shape,
        container="list",
        zh=zh,
        en=en,
        required=required,
        expand=expand,
        list_item=list_item,
        alone=alone,
    )


def named(
    shape: type[Shape],
    *,
    zh: str = "",
    en: str = "",
    required: bool = False,
    keys: str = NAME,
    expand: Callable[[Any], Any] | None = None,
) -> Prop:
    """A map from name to part."""
    return Prop(shape=shape, container="map", zh=zh, en=en, required=required, keys=keys, expand=expand)


def one(shape: type[Shape], *, zh: str = "", en: str = "", required: bool = False) -> Prop:
    return Prop(shape=shape, zh=zh, en=en, required=required)
