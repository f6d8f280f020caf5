"""link: another record, kept by its id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from metadata.fields.base import Coercion, FieldType, Rejection, record, register
from metadata.fields.reading import INTEGER_LIMIT, as_text, one_line, remembering
from metadata.model import Field
from rules.typing import Type

_DIGITS = re.compile(r"[1-9][0-9]{0,15}")
TARGET = {
    "to": {"type": "string", "description": "The entity linked to"},
    "where": {"type": "string", "description": "Rule over the target: which of its records may be picked"},
}
ON_DELETE = {
    "on_delete": {
        "enum": ["refuse", "clear", "cascade"],
        "description": "What deleting the target does: refuse (the default), clear the link, or delete this record too",
    }
}


class Linking(FieldType):
    """What the types that hold one record share."""

    storage = "link"
    widget = "lookup"
    operators: ClassVar[tuple[str, ...]] = ("==", "!=", "in", "not in", "is None", "is not None")

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return record(self.target or spec["to"])

    def entity_of(self, field: Field) -> str:
        return self.target or field.to or ""

    def coerce(self, raw: Any, field: Field, context: Coercion) -> int | None:
        return read_link(raw, self.entity_of(field), context)

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        read = remembering(super().reader(field, context))  # titles are resolved once in a session
        return lambda raw: raw if type(raw) is int and 0 < raw <= INTEGER_LIMIT else read(raw)

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else str(value)

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else title_of(value, self.entity_of(field), context)

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else self.to_text(value, field, context)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "integer", "null"], "description": f"Id of a record of {self.entity_of(field)}"}


@register
class Link(Linking):
    name = "link"
    label = {"zh": "关联", "en": "Link"}
    help = {"zh": "指向另一条记录", "en": "Points to another record"}
    properties = {**TARGET, **ON_DELETE}
    required_properties = ("to",)


def read_link(raw: Any, entity: str, context: Coercion) -> int | None:
    """The id that `raw` stands for.

    An id as a number, as text or as `{"id": …}`. Where the channel resolves titles (import, quick entry) text is a
    title, number or key; there an id is written `#12`, since a title may consist of digits.
    """
    if raw is None:
        return None
    if isinstance(raw, Mapping):
        raw = raw.get("id")
        if raw is None:
            raise Rejection("value.not_an_id", value="{}")
    elif context.channel == "import" and isinstance(raw, float):
        raw = as_text(raw)  # a title or number made of digits, as a spreadsheet hands it
    if isinstance(raw, str):
        return _of_text(raw, entity, context)
    if type(raw) is not int:
        raise Rejection("value.not_an_id", value=raw)
    return checked_id(raw)


def checked_id(number: int) -> int:
    if not 0 < number <= INTEGER_LIMIT:
        raise Rejection("value.not_an_id", value="…" if number.bit_length() > 100 else number)
    return number


def _of_text(raw: str, entity: str, context: Coercion) -> int | None:
    text = one_line(raw)
    if text is None:
        return None
    if text.startswith("#") and _DIGITS.fullmatch(text[1:]):
        return checked_id(int(text[1:]))
    if context.channel != "import" and _DIGITS.fullmatch(text):
        return checked_id(int(text))
    if context.resolve is None:
        raise Rejection("value.not_an_id", value=text)
    if len(text) > 1000:
        raise Rejection("value.unknown_record", value=text)
    ids = context.resolve(entity, text)
    if not ids:
        raise Rejection("value.unknown_record", value=text)
    if len(ids) > 1:
        raise Rejection("value.ambiguous_record", value=text, count=len(ids))
    return ids[0]


def title_of(identity: int, entity: str, context: Coercion) -> str:
    """The record's title, or `#id` where none is at hand."""
    title = context.title(entity, identity) if context.title else ""
    return title or f"#{identity}"
