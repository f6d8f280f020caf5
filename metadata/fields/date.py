"""date: a day of the calendar, without a time."""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Callable, Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.integer import COMPARISONS
from metadata.fields.reading import one_line, width_folded
from metadata.model import Field
from rules.typing import DATE, Type

FIRST_YEAR, LAST_YEAR = 1000, 2999
_FIRST, _LAST = clock.date(FIRST_YEAR, 1, 1), clock.date(LAST_YEAR, 12, 31)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPELLINGS = (
    re.compile(r"(?P<y>[0-9]{4})(?P<sep>[-/.])(?P<m>[0-9]{1,2})(?P=sep)(?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<y>[0-9]{4}) ?年 ?(?P<m>[0-9]{1,2}) ?月 ?(?P<d>[0-9]{1,2}) ?[日号]?"),
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    re.compile(r"(?P<d>[0-9]{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?[ -](?P<y>[0-9]{4})"),
    re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<d>[0-9]{1,2}), ?(?P<y>[0-9]{4})"),
)
_MIDNIGHT = re.compile(r"(.+?)[T ]0{1,2}:00(:00(\.0+)?)?")


@register
class Date(FieldType):
    name = "date"
    label = {"zh": "日期", "en": "Date"}
    help = {"zh": "某一天", "en": "A day"}
    storage = "date"
    widget = "date"
    operators = COMPARISONS
    properties = {
        "min": {"type": "string", "format": "date", "description": "Earliest day, YYYY-MM-DD"},
        "max": {"type": "string", "format": "date", "description": "Latest day, YYYY-MM-DD"},
    }

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return DATE

    def coerce(self, raw: Any, field: Field, context: Coercion) -> clock.date | None:
        if isinstance(raw, str):
            day = read_date(raw)
        elif isinstance(raw, clock.datetime):
            day = _midnight(raw, context)
        elif raw is None or isinstance(raw, clock.date):
            day = raw
        else:
            raise Rejection("value.not_a_date", value=raw)
        if day is None:
            return None
        if field.min is not None and day < _bound(field.min):
            raise Rejection("value.too_early", min=field.min)
        if field.max is not None and day > _bound(field.max):
            raise Rejection("value.too_late", max=field.max)
        return in_years(day)

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        read = super().reader(field, context)
        first = _FIRST if field.min is None else max(_bound(field.min), _FIRST)
        last = _LAST if field.max is None else min(_bound(field.max), _LAST)

        def reader(raw: Any) -> Any:
            day = raw
            if type(raw) is str and _ISO.fullmatch(raw):
                try:
                    day = clock.date.fromisoformat(raw)
                except ValueError:
                    return read(raw)
            return day if type(day) is clock.date and first <= day <= last else read(raw)

        return reader

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else value.isoformat()

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else written(value, context.language)

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else value.isoformat()

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "format": "date"}


def read_date(raw: str) -> clock.date | None:
    """A day written as `2026-03-16`, `2026/3/16`, `2026.3.16`, `2026年3月16日`, `20260316`, `16 Mar 2026`.

    Orders of day and month that depend on a country, and years of two digits, are refused: they cannot be read safely.
    """
    if _ISO.fullmatch(raw):
        return _of_iso(raw)
    text = one_line(raw)
    if text is None:
        return None
    if len(text) > 40:
        raise Rejection("value.not_a_date", value=raw)
    text = width_folded(text)
    midnight = _MIDNIGHT.fullmatch(text)
    text = midnight.group(1) if midnight else text
    for spelling in _SPELLINGS:
        if found := spelling.fullmatch(text):
            return _day(found, raw)
    raise Rejection("value.not_a_date", value=raw)


def _of_iso(raw: str) -> clock.date:
    try:
        return clock.date.fromisoformat(raw)
    except ValueError:
        raise Rejection("value.no_such_date", value=raw) from None


def _day(found: re.Match[str], raw: str) -> clock.date:
    parts = found.groupdict()
    month = _month(parts["name"]) if "name" in parts else int(parts["m"])
    if not month:
        raise Rejection("value.not_a_date", value=raw)
    try:
        return clock.date(int(parts["y"]), month, int(parts["d"]))
    except ValueError:
        raise Rejection("value.no_such_date", value=raw) from None


def _month(name: str) -> int:
    number = _MONTH_NUMBER.get(name[:3].lower(), 0)
    full = clock.date(2000, number, 1).strftime("%B").lower() if number else ""
    return number if full.startswith(name.lower()) or name.lower() == "sept" else 0


def _midnight(raw: clock.datetime, context: Coercion) -> clock.date:
    """The day of a spreadsheet's midnight; a moment with a time of day is no date."""
    local = raw.astimezone(context.zone) if raw.tzinfo else raw
    if local.time() != clock.time():
        raise Rejection("value.not_a_date", value=raw)
    return local.date()


def _bound(declared: Any) -> clock.date:
    return declared if isinstance(declared, clock.date) else clock.date.fromisoformat(declared)


def in_years(day: clock.date) -> clock.date:
    """`day`, refused outside the years that every store and format carries."""
    if day.year < FIRST_YEAR:
        raise Rejection("value.too_early", min=f"{FIRST_YEAR}-01-01")
    if day.year > LAST_YEAR:
        raise Rejection("value.too_late", max=f"{LAST_YEAR}-12-31")
    return day


def written(day: clock.date, language: str) -> str:
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
