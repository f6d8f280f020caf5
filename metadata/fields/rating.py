"""rating: one to five stars, or as many as declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.integer import COMPARISONS, Integer
from metadata.model import Field
from rules.typing import INTEGER, Type

DEFAULT_MAX = 5


@register
class Rating(FieldType):
    name = "rating"
    label = {"zh": "星级", "en": "Rating"}
    help = {"zh": "1 到 5 星", "en": "One to five stars"}
    storage = "integer"
    widget = "rating"
    operators = COMPARISONS
    properties = {
        "max": {
            "type": "integer",
            "minimum": 2,
            "maximum": 10,
            "description": f"Most stars; {DEFAULT_MAX} where none is given",
        }
    }

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return INTEGER

    def coerce(self, raw: Any, field: Field, context: Coercion) -> int | None:
        """The number of stars; written as stars it is counted."""
        if isinstance(raw, str) and raw.strip() and not raw.strip().strip("★☆"):
            raw = raw.count("★")
        stars = Integer().coerce(raw, field, context)
        if stars is not None and stars < 1:
            raise Rejection("value.too_small", min=1)
        if stars is not None and stars > (field.max or DEFAULT_MAX):
            raise Rejection("value.too_large", max=field.max or DEFAULT_MAX)
        return stars

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else "★" * value + "☆" * ((field.max or DEFAULT_MAX) - value)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["integer", "null"], "minimum": 1, "maximum": field.max or DEFAULT_MAX}
