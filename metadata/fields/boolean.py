"""boolean: yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.reading import one_line, remembering, width_folded
from metadata.model import Field
from rules.typing import BOOLEAN, Type

_WORDS: dict[str, bool] = {
    **dict.fromkeys(("true", "yes", "y", "t", "on", "1", "1.0", "是", "有", "真", "对", "√", "✓", "✔", "☑"), True),
    **dict.fromkeys(
        ("false", "no", "n", "f", "off", "0", "0.0", "否", "无", "假", "错", "×", "✗", "✘", "☐", "不是"), False
    ),
}
_SHOWN = {"zh": ("否", "是"), "en": ("No", "Yes")}


@register
class Boolean(FieldType):
    name = "boolean"
    label = {"zh": "是/否", "en": "Yes / no"}
    help = {"zh": "一个开关", "en": "A switch"}
    storage = "boolean"
    widget = "checkbox"

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return BOOLEAN

    def coerce(self, raw: Any, field: Field, context: Coercion) -> bool | None:
        if raw is None or isinstance(raw, bool):
            return raw
        if isinstance(raw, str):
            return _word(raw)
        if isinstance(raw, int | float | Decimal) and raw in (0, 1):
            return bool(raw)
        raise Rejection("value.not_a_boolean", value=raw)

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        return remembering(super().reader(field, context))

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else _SHOWN.get(context.language, _SHOWN["en"])[bool(value)]

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else self.to_text(value, field, context)

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else "true" if value else "false"

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["boolean", "null"]}


def _word(raw: str) -> bool | None:
    word = one_line(raw)
    if word is None:
        return None
    known = _WORDS.get(word.lower())
    if known is None:
        known = _WORDS.get(width_folded(word).lower()) if len(word) < 20 else None
    if known is None:
        raise Rejection("value.not_a_boolean", value=raw)
    return known
