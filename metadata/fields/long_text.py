"""long_text: several lines, line ends kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.reading import line_reader, lines_reader, many_lines
from metadata.fields.text import TextLike, scalar_text
from metadata.model import Field

DEFAULT_MAX = 20_000


@register
class LongText(TextLike):
    name = "long_text"
    label = {"zh": "多行文本", "en": "Long text"}
    help = {"zh": "多行文字,例如备注、说明", "en": "Several lines, such as notes"}
    widget = "textarea"
    own_max = DEFAULT_MAX
    groupable = False
    sortable = False
    operators = ("contains", "starts_with", "ends_with", "is None", "is not None")
    properties = {
        "max": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "description": f"Greatest number of characters; {DEFAULT_MAX} where none is given",
        },
        "rows": {"type": "integer", "minimum": 2, "maximum": 40, "description": "Height of the input, in lines"},
    }

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        text = many_lines(raw if isinstance(raw, str) else scalar_text(raw, context))
        if text is not None and len(text) > (field.max or DEFAULT_MAX):
            raise Rejection("value.too_long", max=field.max or DEFAULT_MAX)
        return text

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        return line_reader(field.max or DEFAULT_MAX, super().reader(field, context))

    def column_reader(self, field: Field, context: Coercion) -> Callable[[Sequence[Any]], list[Any]]:
        return lines_reader(field.max or DEFAULT_MAX, self.reader(field, context))
