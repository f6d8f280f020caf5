"""Functions that SQLite lacks: exact decimals, letters, dates. They answer what Python answers for one record.

A decimal travels as an integer scaled by 10^scale; one that does not fit 64 bits as the text of that integer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from rules import folding
from rules.calendar import Calendar
from rules.functions import date as dates
from rules.functions import number as numbers
from rules.functions import text as texts
from rules.numbers import CONTEXT, MAX_INTEGER
from rules.working import Span, WorkingTime, parse_spans

Wide = int | str
_INT64 = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TENS = tuple(10**n for n in range(130))


def install(connection: Any) -> None:
    """Registers all functions on a sqlite3 connection (DBAPI)."""
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, -1, _total(function), deterministic=True)
    for name, aggregate in _AGGREGATES.items():
        connection.create_aggregate(name, 1, aggregate)


def _total(function: Callable[..., Any]) -> Callable[..., Any]:
    """None in, None out; None where there is no answer."""

    def run(*arguments: Any) -> Any:
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except (ArithmeticError, ValueError, TypeError):
            return None

    return run


def _narrow(value: int) -> Wide:
    return value if -_INT64 <= value <= _INT64 else str(value)


def _fit(value: int, digits: int) -> Wide | None:
    """The scaled value, or None where it has more digits."""
    return _narrow(value) if abs(value) < _TENS[digits] else None


def _integer(value: int) -> int | None:
    return value if -MAX_INTEGER <= value <= MAX_INTEGER else None


def _halfup(value: int, drop: int) -> int:
    """value / 10^drop, rounded half-up away from zero; times 10^-drop where negative."""
    if drop <= 0:
        return value * _TENS[-drop]
    unit = _TENS[drop]
    whole, rest = divmod(abs(value), unit)
    if 2 * rest >= unit:
        whole += 1
    return whole if value >= 0 else -whole


def _sum_of(digits: int, *terms: Any) -> Wide | None:
    """Terms and by how many digits each is scaled up; -n-1 for n digits and taken off."""
    made = 0
    for term, up in zip(terms[::2], terms[1::2]):
        made += int(term) * _TENS[up] if up >= 0 else -int(term) * _TENS[-up - 1]
    return _fit(made, digits)


def _bounded(value: float) -> int | None:
    """An integer within bounds; SQLite makes what overflows 64 bits a float."""
    return value if isinstance(value, int) and -MAX_INTEGER <= value <= MAX_INTEGER else None


def _multiply(x: Wide, y: Wide, drop: int, digits: int) -> Wide | None:
    return _fit(_halfup(int(x) * int(y), drop), digits)


def _divide(x: Wide, y: Wide, up_x: int, up_y: int, digits: int) -> Wide | None:
    top, bottom = int(x) * _TENS[up_x], int(y) * _TENS[up_y]
    whole, rest = divmod(abs(top), abs(bottom))
    if 2 * rest >= abs(bottom):
        whole += 1
    return _fit(whole if (top < 0) == (bottom < 0) else -whole, digits)


def _floor_divide(x: Wide, y: Wide, up_x: int, up_y: int) -> int | None:
    return _integer((int(x) * _TENS[up_x]) // (int(y) * _TENS[up_y]))


def _modulo(x: Wide, y: Wide, up_x: int, up_y: int, digits: int) -> Wide | None:
    return _fit((int(x) * _TENS[up_x]) % (int(y) * _TENS[up_y]), digits)


def _compare(x: Wide, y: Wide, up_x: int, up_y: int) -> int:
    left, right = int(x) * _TENS[up_x], int(y) * _TENS[up_y]
    return (left > right) - (left < right)


def _negative(x: Wide) -> Wide:
    return _narrow(-int(x))


def _absolute(x: Wide) -> Wide:
    return _narrow(abs(int(x)))


def _assign(x: Wide, drop: int, digits: int) -> Wide | None:
    """x with `drop` decimals fewer (more, where negative), None where it has more than `digits`."""
    return _fit(_halfup(int(x), drop), digits)


def _to_integer(x: Wide, drop: int) -> int | None:
    return _integer(_halfup(int(x), drop))


def _floor(x: Wide, drop: int) -> int | None:
    return _integer(int(x) // _TENS[drop])


def _ceil(x: Wide, drop: int) -> int | None:
    return _integer(-(-int(x) // _TENS[drop]))


def _least(*values: Wide) -> Wide:
    return _narrow(min(map(int, values)))


def _greatest(*values: Wide) -> Wide:
    return _narrow(max(map(int, values)))


def _join(high: int, low: int, digits: int) -> Wide | None:
    """A sum made in two halves, so that SQLite's own sum cannot overflow."""
    return _fit(high * _TENS[9] + low, digits)


def _key(x: Wide, digits: int) -> str:
    """A text that sorts as the number does."""
    return f"{int(x) + _TENS[digits]:0{digits + 1}d}"


def _number_text(x: Wide, scale: int) -> str:
    return texts.number_text(Decimal(int(x)).scaleb(-scale, CONTEXT) if scale else int(x))


def _number(text: str) -> Wide | None:
    found = numbers.number(text)
    return None if found is None else _narrow(int(found.scaleb(10, CONTEXT)))


def _contains(text: str, part: str) -> bool:
    return _folded(part) in folding.fold(text)


def _starts_with(text: str, part: str) -> bool:
    return folding.fold(text).startswith(_folded(part))


def _ends_with(text: str, part: str) -> bool:
    return folding.fold(text).endswith(_folded(part))


@lru_cache(maxsize=256)
def _folded(part: str) -> str:
    return folding.fold(part)


# dates are texts: 2026-01-31; datetimes milliseconds since 1970

_day = date.fromisoformat


def _iso(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _date_of(year: int, month: int, day: int) -> str:
    return date(year, month, day).isoformat()


def _add_days(day: str, count: int) -> str | None:
    return _iso(dates.add_days(_day(day), count))


def _add_months(day: str, count: int) -> str | None:
    return _iso(dates.add_months(_day(day), count))


def _days_between(start: str, end: str) -> int:
    return (_day(end) - _day(start)).days


def _months_between(start: str, end: str) -> int:
    return dates.months_between(_day(start), _day(end))


_PARTS: dict[str, Callable[[date], int]] = {
    "year": dates.year,
    "quarter": dates.quarter,
    "month": dates.month,
    "day": dates.day,
    "weekday": dates.weekday,
}


def _part(day: str, name: str) -> int:
    return _PARTS[name](_day(day))


def _start_of(day: str, unit: str) -> str:
    return dates.start_of(_day(day), unit).isoformat()


def _end_of(day: str, unit: str) -> str | None:
    return _iso(dates.end_of(_day(day), unit))


def _local(milliseconds: int, zone: str) -> datetime:
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(_zone(zone))


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _business_date(milliseconds: int, zone: str) -> str:
    return _local(milliseconds, zone).date().isoformat()


def _datetime_text(milliseconds: int, zone: str) -> str:
    local = _local(milliseconds, zone)
    return f"{local.date().isoformat()} {local.hour:02d}:{local.minute:02d}"


@lru_cache(maxsize=16)
def _calendar(packed: str) -> Calendar:
    off, on = packed.split("|")
    return Calendar(tuple(map(int, off.split())), tuple(map(int, on.split())))


def pack_calendar(calendar: Calendar) -> str:
    """The calendar as the text that the working-day functions take."""
    return " ".join(map(str, calendar.off)) + "|" + " ".join(map(str, calendar.on))


def _workdays_between(start: str, end: str, packed: str) -> int:
    return _calendar(packed).between(_day(start), _day(end))


@lru_cache(maxsize=16)
def _working(packed: str, hours: str, zone: str) -> WorkingTime:
    return WorkingTime(_calendar(packed), ZoneInfo(zone), parse_spans(hours))


def pack_hours(hours: Sequence[Span]) -> str:
    """The hours of a working day as the text that `o_workhours_between` takes."""
    return ",".join(f"{start.isoformat()}-{end.isoformat()}" for start, end in hours)


def _workhours_between(start: int, end: int, packed: str, hours: str, zone: str) -> int:
    working = _working(packed, hours, zone)
    return int(working.hours(_local(start, zone), _local(end, zone)).scaleb(2))


def _add_workdays(day: str, count: int, packed: str) -> str | None:
    return _iso(_calendar(packed).add(_day(day), count))


class _Reduce:
    """An aggregate over values that may not fit 64 bits; members with nothing are skipped."""

    def __init__(self) -> None:
        self.value: int | None = None

    def step(self, value: Wide | None) -> None:
        if value is not None:
            self.value = int(value) if self.value is None else self.join(self.value, int(value))

    def finalize(self) -> Wide | None:
        return None if self.value is None else _narrow(self.value)

    def join(self, held: int, value: int) -> int:
        raise NotImplementedError("join")


class _Sum(_Reduce):
    def join(self, held: int, value: int) -> int:
        return held + value


class _Min(_Reduce):
    def join(self, held: int, value: int) -> int:
        return min(held, value)


class _Max(_Reduce):
    def join(self, held: int, value: int) -> int:
        return max(held, value)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "o_total": _sum_of,
    "o_integer": _bounded,
    "o_multiply": _multiply,
    "o_divide": _divide,
    "o_floor_divide": _floor_divide,
    "o_modulo": _modulo,
    "o_compare": _compare,
    "o_negative": _negative,
    "o_absolute": _absolute,
    "o_assign": _assign,
    "o_to_integer": _to_integer,
    "o_floor": _floor,
    "o_ceil": _ceil,
    "o_least": _least,
    "o_greatest": _greatest,
    "o_join": _join,
    "o_key": _key,
    "o_number_text": _number_text,
    "o_number": _number,
    "o_lower": folding.lower,
    "o_upper": folding.upper,
    "o_contains": _contains,
    "o_starts_with": _starts_with,
    "o_ends_with": _ends_with,
    "o_date_of": _date_of,
    "o_add_days": _add_days,
    "o_add_months": _add_months,
    "o_days_between": _days_between,
    "o_months_between": _months_between,
    "o_part": _part,
    "o_start_of": _start_of,
    "o_end_of": _end_of,
    "o_business_date": _business_date,
    "o_datetime_text": _datetime_text,
    "o_workdays_between": _workdays_between,
    "o_workhours_between": _workhours_between,
    "o_add_workdays": _add_workdays,
}
_AGGREGATES: dict[str, type] = {"o_sum": _Sum, "o_min": _Min, "o_max": _Max}
