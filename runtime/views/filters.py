"""Filters of a list: how each is asked for, read from the address, and said as an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from metadata.model import Filter
from rules.typing import DATE, INTEGER, Type, decimal
from runtime.views.binder import Binder, BoundField

Kind = Literal["choices", "boolean", "record", "dates", "numbers", "text"]
PERIODS: Mapping[str, tuple[str, str]] = {
    "today": ("today()", "today()"),
    "this_week": ("start_of(today(), 'week')", "end_of(today(), 'week')"),
    "this_month": ("start_of(today(), 'month')", "end_of(today(), 'month')"),
    "last_month": ("start_of(today() - months(1), 'month')", "end_of(today() - months(1), 'month')"),
    "this_quarter": ("start_of(today(), 'quarter')", "end_of(today(), 'quarter')"),
    "this_year": ("start_of(today(), 'year')", "end_of(today(), 'year')"),
    "last_30_days": ("today() - days(30)", "today()"),
    "next_30_days": ("today()", "today() + days(30)"),
}
_KINDS: Mapping[str, Kind] = {
    "select": "choices",
    "multi_select": "choices",
    "tags": "choices",
    "boolean": "boolean",
    "link": "record",
    "user": "record",
    "links": "record",
    "date": "dates",
    "datetime": "dates",
    "integer": "numbers",
    "decimal": "numbers",
    "money": "numbers",
    "percent": "numbers",
    "rating": "numbers",
}
NOBODY = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFilter:
    """`key` is the dotted path; its parameters in the address are `f.<key>`, and `.from`, `.to` for a range."""

    key: str
    field: BoundField
    kind: Kind

    @property
    def parameter(self) -> str:
        return f"f.{self.key}"

    @property
    def parameters(self) -> tuple[str, ...]:
        name = self.parameter
        return (name, f"{name}.from", f"{name}.to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The expression of a range without its numbers or days: `where` names them as parameters, of `types`."""

    where: str
    types: Mapping[str, Type]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFilter:
    """A filter with what the address gives it. `where` is its expression, None where the values say nothing."""

    filter: BoundFilter
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    where: str | None = None
    form: Form | None = None


def bind_filter(binder: Binder, entity: str, declared: Filter) -> BoundFilter | None:
    bound = binder.path(entity, declared.path)
    if bound is None or not bound.type.filterable or bound.widget in ("secret", "file", "image"):
        return None
    return BoundFilter(key=".".join(declared.path), field=bound, kind=_KINDS.get(bound.field.type, "text"))


def read_filter(bound: BoundFilter, given: Mapping[str, Sequence[str]]) -> ActiveFilter:
    """What the address asks of this filter; values it cannot take are ignored."""
    name = bound.parameter
    values = tuple(v for v in given.get(name, ()) if v)[:50]
    low = _last(given, f"{name}.from")
    high = _last(given, f"{name}.to")
    where = _where(bound, values, low, high)
    if where is None:
        return ActiveFilter(filter=bound)
    form = _form(bound, low, high) if not values else None
    return ActiveFilter(filter=bound, values=values, low=low, high=high, where=where, form=form)


def _last(given: Mapping[str, Sequence[str]], name: str) -> str:
    found = given.get(name, ())
    return found[-1].strip() if found else ""


def _where(bound: BoundFilter, values: tuple[str, ...], low: str, high: str) -> str | None:
    path = bound.key
    if bound.kind == "choices":
        return _choices(bound, values)
    if bound.kind == "boolean":
        asked = [v for v in values if v in ("true", "false")]
        return None if not asked else path if asked[-1] == "true" else f"not {path}"
    if bound.kind == "record":
        return _records(bound, values)
    if bound.kind == "dates":
        return _dates(bound, values, low, high)
    if bound.kind == "numbers":
        return _range(path, _number(low), _number(high))
    text = values[-1].strip()[:200] if values else ""
    return f"contains({path}, {text!r})" if text else None


def _choices(bound: BoundFilter, values: tuple[str, ...]) -> str | None:
    names = [v for v in values if bound.field.choice(v)]
    parts = []
    if names and bound.field.field.type == "select":
        parts.append(f"{bound.key} in ({', '.join(map(repr, names))},)")
    elif names:
        parts.extend(f"{n!r} in {bound.key}" for n in names)
    if NOBODY in values and not bound.field.choice(NOBODY):
        parts.append(f"{bound.key} is None")
    return _either(parts)


def _records(bound: BoundFilter, values: tuple[str, ...]) -> str | None:
    parts = []
    many = bound.field.field.storage == "links"
    for value in values:
        if value == "me" and bound.field.target == "user":
            parts.append(f"{bound.key}.any(id == user.id)" if many else f"{bound.key} == user")
        elif value == NOBODY:
            parts.append(f"{bound.key}.count() == 0" if many else f"{bound.key} is None")
        elif value.isascii() and value.isdigit() and len(value) < 16:
            parts.append(f"{bound.key}.any(id == {value})" if many else f"{bound.key}.id == {value}")
    return _either(parts)


def _dates(bound: BoundFilter, values: tuple[str, ...], low: str, high: str) -> str | None:
    path = f"date({bound.key})" if bound.field.field.type == "datetime" else bound.key
    period = next((PERIODS[v] for v in values if v in PERIODS), None)
    if period is not None:
        return _range(path, *period)
    if NOBODY in values:
        return f"{bound.key} is None"
    return _range(path, _day(low), _day(high))


def _either(parts: Sequence[str]) -> str | None:
    return " or ".join(parts) if parts else None


def _range(path: str, low: str | None, high: str | None) -> str | None:
    parts = ([f"{path} >= {low}"] if low else []) + ([f"{path} <= {high}"] if high else [])
    return " and ".join(parts) if parts else None


def _form(bound: BoundFilter, low: str, high: str) -> Form | None:
    """The range with parameters of the field's own type; None where that cannot take the values as they are."""
    field = bound.field.field
    if field.type not in ("date", "integer", "decimal", "money", "percent"):
        return None
    scale = field.value_type.scale
    type_ = DATE if field.type == "date" else INTEGER if field.type == "integer" else decimal(scale)
    types: dict[str, Type] = {}
    values: dict[str, Any] = {}
    name = bound.key.replace(".", "__")
    parts = []
    for end, sign, text in (("from", ">=", low), ("to", "<=", high)):
        if not text:
            continue
        value = _given_day(text) if field.type == "date" else _given_number(text, scale)
        if value is None:
            return None
        types[f"{name}_{end}"], values[f"{name}_{end}"] = type_, value
        parts.append(f"{bound.key} {sign} params.{name}_{end}")
    return Form(where=" and ".join(parts), types=types, values=values) if parts else None


def _given_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _given_number(text: str, scale: int) -> Decimal | None:
    """A number that the field could hold exactly: with no more decimals, and far from the bounds of an integer."""
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= 10**12 or number != round(number, scale):
        return None
    return number


def _day(text: str) -> str | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return f"date({day.year}, {day.month}, {day.day})"


def _number(text: str) -> str | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() and abs(number) < 10**15 else None
