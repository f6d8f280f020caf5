"""What a field type is: one class per type, one file per type, registered by import in `metadata.fields`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default_of
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from metadata.model import Field, Storage
from rules.typing import Type, record, select


@dataclass(frozen=True, slots=True, kw_only=True)
class Coercion:
    """What a field type may know while it reads a value: never the database.

    `channel` is "api", "form" or "import"; `currency` the record's currency code. `resolve` turns a title, number or
    key of a linked record into its id where the channel allows that (import, quick entry), and answers None where
    there is none; it may answer several ids where the title is ambiguous.
    """

    language: str
    zone: ZoneInfo
    currency: str
    today: date
    now: datetime
    channel: str = "api"
    resolve: Callable[[str, str], list[int]] | None = None  # (target entity, text) -> ids
    choices: Callable[[str], Mapping[str, str]] | None = None  # option set -> {label or earlier name: name}
    scale_of_currency: Callable[[str], int] = lambda _code: 2
    label: Callable[[str, str], str] | None = None  # (option set, choice name) -> its label in `language`
    title: Callable[[str, int], str] | None = None  # (entity, id) -> the title shown for the record
    extra: Mapping[str, Any] = default_of(default_factory=dict)


class Rejection(Exception):  # noqa: N818 - the field's word for it
    """A value a field cannot take. `code` has a message in `metadata.fields.messages`; `params` fill it."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params: dict[str, str] = {key: _short(value) for key, value in params.items()}
        super().__init__(code, self.params)


def _short(value: object) -> str:
    """A value as it may stand in a message: cut, on one line, without what a page or a log cannot carry."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "…"
    text = "".join(c if c.isprintable() else " " for c in str(value)[:61])
    return text if len(text) <= 60 else text[:59] + "…"


class FieldType:
    """A field type. Subclasses set the class attributes and override what differs.

    `properties` is the JSON Schema (2020-12 `properties` member) of what this type adds to the common properties;
    `required_properties` those of them that must be given. Values in Python are, by storage kind: text str,
    integer int, decimal Decimal, boolean bool, date date, datetime aware UTC datetime, time time, json JSON value,
    link int id, any_link (entity, id), choices tuple of names, links tuple of ids, children list of dicts.
    """

    name: ClassVar[str]
    label: ClassVar[Mapping[str, str]]
    help: ClassVar[Mapping[str, str]] = {}
    storage: ClassVar[Storage]
    widget: ClassVar[str]
    properties: ClassVar[Mapping[str, Any]] = {}
    required_properties: ClassVar[tuple[str, ...]] = ()
    filterable: ClassVar[bool] = True
    sortable: ClassVar[bool] = True
    groupable: ClassVar[bool] = True
    operators: ClassVar[tuple[str, ...]] = ("==", "!=", "is None", "is not None")
    searchable: ClassVar[bool] = False
    target: ClassVar[str | None] = None  # the entity linked to, where the type itself says so (user, file)
    kept: ClassVar[bool] = False  # a value that depends on the date is stored each night, unasked
    writable: ClassVar[bool] = True  # False: computed from elsewhere, a value given is refused

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        """The static type in expressions, from the declared properties (already validated, short forms expanded)."""
        raise NotImplementedError(f"{type(self).__name__}.value_type")

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        """The Python value of `raw` (JSON, form text, spreadsheet cell); None for nothing. Raises `Rejection`."""
        raise NotImplementedError(f"{type(self).__name__}.coerce")

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        """`coerce` for many values of one field: what does not change between them is settled beforehand.

        A reader answers and refuses exactly as `coerce` does, to which it leaves whatever is not plain.
        """
        coerce = self.coerce
        return lambda raw: coerce(raw, field, context)

    def column_reader(self, field: Field, context: Coercion) -> Callable[[Sequence[Any]], list[Any]]:
        """`reader` for the values of a whole column; refuses all of them where it refuses one."""
        read = self.reader(field, context)
        return lambda raws: [read(raw) for raw in raws]

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        """The value as it leaves through the API; None stays None."""
        return value

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        """The value for people, in `context.language`; "" for nothing."""
        return "" if value is None else str(value)

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        """The value in a spreadsheet or CSV: numbers and dates stay themselves, the rest is text."""
        return value

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        """The value as the text of an input element, such that `coerce` of it gives the value back."""
        return "" if value is None else str(value)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """JSON Schema of the value in the API (input and output)."""
        return {}


_REGISTRY: dict[str, FieldType] = {}


def register(cls: type[FieldType]) -> type[FieldType]:
    """Class decorator: makes the type known under its name."""
    _REGISTRY[cls.name] = cls()
    return cls


def field_type(name: str) -> FieldType:
    return _REGISTRY[name]


def field_types() -> Mapping[str, FieldType]:
    return dict(_REGISTRY)


__all__ = ["Coercion", "FieldType", "Rejection", "field_type", "field_types", "record", "register", "select"]
