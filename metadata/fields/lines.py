"""lines: child records owned by this one and edited in place, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.related import BY
from metadata.model import Field
from rules.typing import Type, collection

MOST = 2000
NAME = "^[a-z][a-z0-9_]{0,40}$"


@register
class Lines(FieldType):
    name = "lines"
    label = {"zh": "明细", "en": "Lines"}
    help = {"zh": "属于本记录的明细行", "en": "Child records edited within this one"}
    storage = "children"
    widget = "lines"
    sortable = False
    groupable = False
    operators = ("any", "all", "count")
    properties = {
        "entity": {"type": "string", "description": "The entity of the lines; its records belong to this one"},
        **BY,
        "max": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST,
            "description": f"Most lines; {MOST} where none is given",
        },
        "pick": {
            "type": "string",
            "pattern": NAME,
            "description": "A link of the lines: several records are picked at once, a line for each",
        },
        "combine": {
            "type": "object",
            "properties": {
                "same": {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": 8},
                "sum": {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1, "maxItems": 8},
            },
            "required": ["same", "sum"],
            "additionalProperties": False,
            "description": "Lines with the `same` values become one when a person asks for it; `sum` is added up",
        },
    }
    required_properties = ("entity",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return collection(spec["entity"])

    def coerce(self, raw: Any, field: Field, context: Coercion) -> list[dict[str, Any]]:
        """The lines as given, a map of field to raw value each; their fields are coerced by the record layer."""
        if raw is None:
            return []
        if isinstance(raw, str):
            raw = _from_json(raw)
        if not isinstance(raw, list | tuple):
            raise Rejection("value.not_a_list")
        most = field.max or MOST
        if len(raw) > most:
            raise Rejection("value.too_many", max=most)
        if not all(isinstance(line, Mapping) and all(isinstance(k, str) for k in line) for line in raw):
            raise Rejection("value.not_a_line")
        return [dict(line) for line in raw]

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if not value else str(len(value))

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return len(value) if value else None

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        """The lines as JSON. They must be of JSON values: the record layer hands each field's `to_json`."""
        return json.dumps(value or [], ensure_ascii=False)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["array", "null"], "items": {"type": "object"}, "maxItems": field.max or MOST}


def _from_json(raw: str) -> Any:
    if not raw.strip():
        return []
    if len(raw) > 5_000_000:
        raise Rejection("value.not_json")
    try:
        return json.loads(raw, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise Rejection("value.not_json") from None
