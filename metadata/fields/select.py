"""select: one choice of a set, kept by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register, select
from metadata.fields.choices import choice_name, shown
from metadata.fields.reading import remembering
from metadata.model import Field
from rules.typing import Type

OPTIONS = {
    "options": {
        "description": "The choices: the name of an `options` document, a list of names, or a map of name to label",
        "oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "object", "minProperties": 1},
        ],
    }
}


@register
class Select(FieldType):
    name = "select"
    label = {"zh": "单选", "en": "Select"}
    help = {"zh": "从选项中选一个", "en": "One of a set of choices"}
    storage = "text"
    widget = "select"
    operators = ("==", "!=", "in", "not in", "is None", "is not None")
    properties = OPTIONS
    required_properties = ("options",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return select(spec["options"])

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str):
            raw = number_as_name(raw)
        return choice_name(raw, field.options or "", context)

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        return remembering(super().reader(field, context))

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else shown(value, field.options or "", context)

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else self.to_text(value, field, context)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "enum": [*choices, None]} if choices else {"type": ["string", "null"]}


def number_as_name(raw: Any) -> str:
    """A label such as `2026` comes from a spreadsheet as a number."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Rejection("value.wrong_type")
    if isinstance(raw, int) and raw.bit_length() > 60:
        raise Rejection("value.unknown_choice", value="…")
    return str(int(raw)) if float(raw).is_integer() else repr(raw)
