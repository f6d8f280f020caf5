"""secret: a password or key that goes in and never comes out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import many_lines
from metadata.fields.text import TextLike
from metadata.model import Field

DEFAULT_MAX = 2000
MASK = "••••••"


@register
class Secret(TextLike):
    name = "secret"
    label = {"zh": "密钥", "en": "Secret"}
    help = {"zh": "只进不出,例如接口密钥", "en": "Goes in and is never shown again, such as an API key"}
    widget = "secret"
    own_max = DEFAULT_MAX
    filterable = False
    sortable = False
    groupable = False
    searchable = False
    operators = ("is None", "is not None")
    properties = {
        "max": {
            "type": "integer",
            "minimum": 1,
            "maximum": 20_000,
            "description": f"Greatest number of characters; {DEFAULT_MAX} where none is given",
        }
    }

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise Rejection("value.not_text")
        text = many_lines(raw)
        if text == MASK:  # a mask sent back would overwrite the secret with dots
            raise Rejection("value.wrong_type")
        if text is not None and len(text) > (field.max or DEFAULT_MAX):
            raise Rejection("value.too_long", max=field.max or DEFAULT_MAX)
        return text

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else MASK

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else MASK

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return ""

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "maxLength": field.max or DEFAULT_MAX, "description": "Masked on output"}
