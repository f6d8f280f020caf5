"""text: one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.reading import as_text, line_reader, lines_reader, one_line
from metadata.model import Field
from rules.typing import TEXT, Type

if TYPE_CHECKING:
    import jsonschema_rs

DEFAULT_MAX = 255
GREATEST_MAX = 4000


class TextLike(FieldType):
    """What all types kept as text share. `own_max` is the length where the field declares none."""

    storage = "text"
    widget = "text"
    own_max = DEFAULT_MAX
    searchable = True
    operators: ClassVar[tuple[str, ...]] = (
        "==",
        "!=",
        "contains",
        "starts_with",
        "ends_with",
        "in",
        "not in",
        "is None",
        "is not None",
    )

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return TEXT

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        schema: dict[str, Any] = {"type": ["string", "null"], "maxLength": field.max or self.own_max}
        if field.pattern:
            schema["pattern"] = f"^(?:{field.pattern})$"
        return schema


@register
class Text(TextLike):
    name = "text"
    label = {"zh": "单行文本", "en": "Text"}
    help = {"zh": "一行文字,例如名称、编号", "en": "One line, such as a name or a code"}
    properties = {
        "max": {
            "type": "integer",
            "minimum": 1,
            "maximum": GREATEST_MAX,
            "description": f"Greatest number of characters; {DEFAULT_MAX} where none is given",
        },
        "min": {"type": "integer", "minimum": 1, "maximum": GREATEST_MAX, "description": "Least number of characters"},
        "pattern": {
            "type": "string",
            "maxLength": 500,
            "description": "A regular expression the whole text must match (no look-around, no back-references)",
        },
        "sort_key": {"type": "boolean", "description": "Keep a pinyin sort key, so that lists sort Chinese by sound"},
    }

    def coerce(self, raw: Any, field: Field, context: Coercion) -> str | None:
        if raw is None:
            return None
        if not isinstance(raw, str):
            raw = scalar_text(raw, context)
        text = one_line(raw)
        if text is None:
            return None
        if len(text) > (field.max or DEFAULT_MAX):
            raise Rejection("value.too_long", max=field.max or DEFAULT_MAX)
        if field.min and len(text) < field.min:
            raise Rejection("value.too_short", min=field.min)
        if field.pattern and not pattern(field.pattern).is_valid(text):
            raise Rejection("value.pattern")
        return text

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        read = super().reader(field, context)
        return read if field.min or field.pattern else line_reader(field.max or DEFAULT_MAX, read)

    def column_reader(self, field: Field, context: Coercion) -> Callable[[Sequence[Any]], list[Any]]:
        if field.min or field.pattern:
            return super().column_reader(field, context)
        return lines_reader(field.max or DEFAULT_MAX, self.reader(field, context))


def scalar_text(raw: Any, context: Coercion) -> str:
    """Text of a number or date in a spreadsheet; in JSON text is given as text."""
    if context.channel == "api":
        raise Rejection("value.not_text")
    return as_text(raw)


@lru_cache(maxsize=512)
def pattern(text: str) -> jsonschema_rs.Draft202012Validator:
    """A matcher of the whole text by the linear-time engine. Raises ValueError for a pattern that engine refuses."""
    import jsonschema_rs  # late: 3 MiB, for the checks of metadata and for fields with a pattern

    try:
        return jsonschema_rs.Draft202012Validator(
            {"type": "string", "pattern": f"^(?:{text})$"}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError as error:
        raise ValueError("not a regular expression of the linear-time kind") from error
