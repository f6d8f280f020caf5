"""Static types of the expression language, and what the checker needs to know of the entities it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal[
    "nothing",
    "boolean",
    "integer",
    "decimal",
    "money",
    "percent",
    "text",
    "date",
    "datetime",
    "time",
    "duration",
    "select",
    "multi_select",
    "record",
    "collection",
    "date_range",
    "list",
    "json",
    "days",
    "months",
]

NUMERIC: frozenset[str] = frozenset({"integer", "decimal", "money", "percent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A static type.

    `scale` is the number of decimals and `digits` the bound on all digits (numbers only). `entity` names the entity
    of a record or of a collection's members, `options` the option set of a select, `item` the type of a list's members.
    `currency` says whose currency a money value is in: None the base currency (or the only one there is), an upper-case
    code a fixed one (`convert`), anything else the currency of one record, named by its path. `days` and `months` are
    spans that can only be added to a date.
    """

    kind: Kind
    scale: int = 0
    digits: int = 0
    entity: str | None = None
    options: str | None = None
    item: Type | None = None
    currency: str | None = None

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


NOTHING = Type(kind="nothing")
BOOLEAN = Type(kind="boolean")
INTEGER = Type(kind="integer", digits=16)
TEXT = Type(kind="text")
DATE = Type(kind="date")
DATETIME = Type(kind="datetime")
TIME = Type(kind="time")
DURATION = Type(kind="duration")
DATE_RANGE = Type(kind="date_range")
JSON = Type(kind="json")
DAYS = Type(kind="days")
MONTHS = Type(kind="months")
MONEY = Type(kind="money", scale=4, digits=18)
PERCENT = Type(kind="percent", scale=4, digits=18)


def decimal(scale: int = 4, digits: int = 18) -> Type:
    return Type(kind="decimal", scale=scale, digits=digits)


def record(entity: str) -> Type:
    return Type(kind="record", entity=entity)


def collection(entity: str) -> Type:
    return Type(kind="collection", entity=entity)


def select(options: str) -> Type:
    return Type(kind="select", options=options)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInfo:
    """What an expression may know of a field.

    `live` says that its value depends on the time or on the user (it reaches `today()`, `now()` or `user`).
    """

    name: str
    type: Type
    live: bool = False
    sensitive: bool = False


class Schema(Protocol):
    """The entities an expression is checked against. Implemented by the compiled application."""

    def entity_names(self) -> Iterable[str]: ...

    def field_info(self, entity: str, name: str) -> FieldInfo | None: ...

    def field_names(self, entity: str) -> Iterable[str]: ...

    def choices(self, options: str) -> tuple[str, ...]:
        """The names of the choices, in declared order."""

    def choice_properties(self, options: str) -> Mapping[str, Type]:
        """Properties readable as `stage.closed`; `order` (integer) is always there."""

    def choice_value(self, options: str, choice: str, prop: str) -> object: ...

    def title_field(self, entity: str) -> str | None: ...

    def currency_field(self, entity: str) -> str | None:
        """The field that holds a record's currency code; None where all its money is in the base currency."""

    def open_options(self, options: str) -> bool:
        """Whether people may add choices without publishing, so that an unknown name is no mistake."""
