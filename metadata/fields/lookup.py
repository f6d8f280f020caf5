"""lookup: a value shown through a link, never stored here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.model import Field
from rules.typing import NOTHING, Type


@register
class Lookup(FieldType):
    """Presented by the type of the field at the end of its path; the compiler gives it that field's static type."""

    name = "lookup"
    label = {"zh": "引用", "en": "Lookup"}
    help = {"zh": "显示关联记录上的一个值", "en": "Shows a value of a linked record"}
    storage = "none"
    widget = "lookup_value"
    writable = False
    properties = {
        "of": {
            "type": "string",
            "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
            "description": "Path over links to the value shown, such as `customer.region`",
        }
    }
    required_properties = ("of",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        """Not known from the declaration alone: the compiler replaces it by that of the field at the path's end."""
        return NOTHING

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        raise Rejection("value.computed")

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"readOnly": True}
