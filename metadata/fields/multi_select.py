"""multi_select: any number of choices of a set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.choices import choice_name, shown
from metadata.fields.members import joined, members_of
from metadata.fields.select import OPTIONS, number_as_name
from metadata.model import Field
from rules.typing import Type


@register
class MultiSelect(FieldType):
    name = "multi_select"
    label = {"zh": "多选", "en": "Multiple select"}
    help = {"zh": "从选项中选若干个", "en": "Any number of a set of choices"}
    storage = "choices"
    widget = "checkboxes"
    sortable = False
    operators = ("contains", "is None", "is not None")
    properties = OPTIONS
    required_properties = ("options",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return Type(kind="multi_select", options=spec["options"])

    def coerce(self, raw: Any, field: Field, context: Coercion) -> tuple[str, ...]:
        """The names, each once, in the order given; an empty tuple for nothing."""
        if raw is None:
            return ()
        names: dict[str, None] = {}
        for member in self._members(raw, field, context):
            name = choice_name(
                member if isinstance(member, str) else number_as_name(member), field.options or "", context
            )
            if name is not None:
                names[name] = None
        return tuple(names)

    def _members(self, raw: Any, field: Field, context: Coercion) -> list[Any]:
        """A label may hold a separator itself: the whole text is tried first."""
        if isinstance(raw, str):
            try:
                whole = choice_name(raw, field.options or "", context)
            except Rejection:
                return members_of(raw)
            return [whole] if whole is not None and context.choices else members_of(raw)
        return members_of(raw)

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return list(value or ())

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        separator = "、" if context.language == "zh" else ", "
        return separator.join(shown(name, field.options or "", context) for name in value or ())

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return joined([(shown(name, field.options or "", context), name) for name in value or ()])

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return ",".join(value or ())

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        item: dict[str, Any] = {"type": "string", "enum": list(choices)} if choices else {"type": "string"}
        return {"type": ["array", "null"], "items": item, "uniqueItems": True}
