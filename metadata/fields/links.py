"""links: any number of other records (many-to-many)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, register
from metadata.fields.link import TARGET, read_link, title_of
from metadata.fields.members import joined, members_of
from metadata.model import Field
from rules.typing import Type, collection


@register
class Links(FieldType):
    name = "links"
    label = {"zh": "多个关联", "en": "Links"}
    help = {"zh": "指向多条记录", "en": "Points to any number of records"}
    storage = "links"
    widget = "lookup_many"
    sortable = False
    groupable = False
    operators = ("any", "is None", "is not None")
    properties = {
        **TARGET,
        "through": {
            "type": "string",
            "description": "An entity whose records are the pairs and carry data of their own",
        },
    }
    required_properties = ("to",)

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return collection(spec["to"])

    def coerce(self, raw: Any, field: Field, context: Coercion) -> tuple[int, ...]:
        """The ids, each once, in the order given; an empty tuple for nothing."""
        if raw is None:
            return ()
        ids = (read_link(member, field.to or "", context) for member in members_of(raw))
        return tuple(dict.fromkeys(i for i in ids if i is not None))

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return [str(i) for i in value or ()]

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        separator = "、" if context.language == "zh" else ", "
        return separator.join(title_of(i, field.to or "", context) for i in value or ())

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return joined([(title_of(i, field.to or "", context), f"#{i}") for i in value or ()])

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return ",".join(str(i) for i in value or ())

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {
            "type": ["array", "null"],
            "items": {"type": ["string", "integer"]},
            "uniqueItems": True,
            "description": f"Ids of records of {field.to}",
        }
