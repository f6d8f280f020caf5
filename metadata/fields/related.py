"""related: the other end of a link; the records of another entity that point here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.model import Field
from rules.typing import Type, collection

BY = {"by": {"type": "string", "description": "The field there that points here; needed where several do"}}


@register
class Related(FieldType):
    name = "related"
    label = {"zh": "相关记录", "en": "Related records"}
    help = {"zh": "指向本记录的其他记录", "en": "The records of another entity that point to this one"}
    storage = "none"
    widget = "related"
    writable = False
    sortable = False
    groupable = False
    operators = ("any", "all", "count")
    properties = {"entity": {"type": "string", "description": "The entity of the related records"}, **BY}
    required_properties = ("entity",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return collection(spec["entity"])

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        raise Rejection("value.computed")

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return [str(i) for i in value or ()]

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if not value else str(len(value))

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return len(value) if value else None

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return ""

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "readOnly": True}
