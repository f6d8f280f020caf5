"""The expression language on SQLite: scaled integers where 18 digits suffice, else the exact functions registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from rules import folding
from rules.numbers import CONTEXT, MAX_SCALE, WHOLE_DIGITS, round_to, whole_digits
from rules.typing import BOOLEAN, DATE, DATETIME, INTEGER, TEXT, Type, decimal
from runtime.query.dialects import Dialect, Element, Term, coerced, compare_elements, number, summed
from runtime.query.sqlite_functions import pack_calendar, pack_hours
from runtime.schema.types import EPOCH

MOST_ARGUMENTS = 99  # of a function of SQLite, to be on the safe side
NARROW = 18  # digits of a scaled integer that surely fits 64 bits
_LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_FIRST_MS = -62_135_596_800_000  # 0001-01-01T00:00Z
_DAY_MS = 86_400_000


def is_wide(type_: Type) -> bool:
    return type_.numeric and type_.kind != "integer" and (type_.digits or NARROW) > NARROW


class Sqlite(Dialect):
    extremes = ("min", "max")

    def _call(self, name: str, type_: Type, *arguments: Element | int | str) -> Term:
        plain = [number(a) if isinstance(a, int) else sa.literal(a) if isinstance(a, str) else a for a in arguments]
        element = getattr(sa.func, name)(*plain)
        return self.typed(element, type_)

    def bound_decimal(self, value: Decimal, type_: Type) -> Element:
        scaled = int(round_to(value, type_.scale).scaleb(type_.scale, CONTEXT))
        if abs(scaled) < 2**63:
            return sa.literal(scaled, sa.BigInteger())
        return sa.literal(str(scaled), sa.Text())

    @property
    def moment_type(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def moment(self, value: datetime) -> Any:
        return (value - EPOCH) // timedelta(milliseconds=1)

    def cast_type(self, type_: Type) -> sa.types.TypeEngine[Any]:
        return sa.Text() if type_.kind in ("date", "time", "text", "select") else sa.BigInteger()

    # numbers

    def _aligned(self, x: Term, y: Term) -> tuple[int, int]:
        """By how many digits each must be scaled up to meet."""
        scale = max(x.type.scale, y.type.scale)
        return scale - x.type.scale, scale - y.type.scale

    def arithmetic(self, operator: str, x: Term, y: Term, type_: Type) -> Term:
        limit = min(whole_digits(type_), WHOLE_DIGITS) + type_.scale
        up_x, up_y = self._aligned(x, y)
        match operator:
            case "*":
                return self._product(x, y, type_)
            case "/":
                more = type_.scale - x.type.scale + y.type.scale
                return self._call("o_divide", type_, x.element, y.element, max(0, more), max(0, -more), limit)
            case "//":
                return self._call("o_floor_divide", type_, x.element, y.element, up_x, up_y)
        if type_.kind == "integer":
            limit = INTEGER.digits
        return self._call("o_modulo", type_, x.element, y.element, up_x, up_y, limit)

    def _product(self, x: Term, y: Term, type_: Type) -> Term:
        if type_.kind == "integer":
            made = _raw(x) * _raw(y)
            return self.typed(made if type_.digits < INTEGER.digits else self.guard_integer(made), type_)
        if not is_wide(type_):
            return self.typed(_raw(x) * _raw(y), type_)
        drop = max(0, x.type.scale + y.type.scale - MAX_SCALE)
        limit = min(whole_digits(type_), WHOLE_DIGITS) + type_.scale
        return self._call("o_multiply", type_, x.element, y.element, drop, limit)

    def total(self, terms: Sequence[tuple[int, Term]], type_: Type) -> Term:
        if type_.kind == "integer":
            made = summed([(sign, _raw(t)) for sign, t in terms])
            return self.typed(made if type_.digits < INTEGER.digits else self.guard_integer(made), type_)
        if not is_wide(type_):
            return self.typed(summed([(sign, _raw(self.convert_to(t, type_))) for sign, t in terms]), type_)
        arguments: list[Element | int] = [min(whole_digits(type_), WHOLE_DIGITS) + type_.scale]
        for sign, term in terms:
            up = type_.scale - term.type.scale
            arguments += [term.element, up if sign > 0 else -up - 1]
        if len(arguments) > MOST_ARGUMENTS:
            head = self.total(terms[:40], replace(type_, digits=type_.digits + 2))
            return self.total([(1, head), *terms[40:]], type_)
        return self._call("o_total", type_, *arguments)

    def guard_integer(self, element: Element) -> Element:
        return sa.func.o_integer(element, type_=sa.BigInteger())  # one call: SQLite nests a hundred deep

    def negative(self, x: Term) -> Term:
        if is_wide(x.type):
            return self._call("o_negative", x.type, x.element)
        return self.typed(-_raw(x), x.type)

    def convert_to(self, x: Term, type_: Type) -> Term:
        if x.known:
            return self.literal(x.value, type_)
        more = type_.scale - x.type.scale
        if more <= 0:
            return Term(x.element, replace(type_, scale=x.type.scale), x.plain) if more < 0 else self._as(x, type_)
        if is_wide(x.type) or (x.type.digits or NARROW) + more > NARROW:
            return self._call("o_assign", type_, x.element, -more, 130 - 1)
        return self.typed(_raw(x) * number(10**more), type_)

    def _as(self, x: Term, type_: Type) -> Term:
        return self.typed(x.element, type_, x.plain)

    def assign(self, x: Term, type_: Type) -> Term:
        drop = x.type.scale - type_.scale
        if type_.kind == "integer":
            return x if x.type.kind == "integer" else self._call("o_to_integer", type_, x.element, drop)
        if drop <= 0 and whole_digits(x.type) <= whole_digits(type_) and not is_wide(x.type):
            return self.convert_to(x, type_)
        limit = min(whole_digits(type_), WHOLE_DIGITS) + type_.scale
        return self._call("o_assign", type_, x.element, drop, limit)

    def product_rounded(self, x: Term, y: Term, type_: Type) -> Term:
        drop = x.type.scale + y.type.scale - type_.scale
        return self._call("o_multiply", type_, x.element, y.element, drop, WHOLE_DIGITS + type_.scale)

    def absolute(self, x: Term) -> Term:
        if is_wide(x.type):
            return self._call("o_absolute", x.type, x.element)
        return self.typed(sa.func.abs(_raw(x)), x.type)

    def round_to(self, x: Term, type_: Type) -> Term:
        limit = WHOLE_DIGITS + type_.scale
        return self._call("o_assign", type_, x.element, x.type.scale - type_.scale, limit)

    def floor(self, x: Term) -> Term:
        return x if x.type.kind == "integer" else self._call("o_floor", INTEGER, x.element, x.type.scale)

    def ceil(self, x: Term) -> Term:
        return x if x.type.kind == "integer" else self._call("o_ceil", INTEGER, x.element, x.type.scale)

    def least(self, *values: Term) -> Term:
        return self._extreme("min", "o_least", values)

    def greatest(self, *values: Term) -> Term:
        return self._extreme("max", "o_greatest", values)

    def _extreme(self, native: str, exact: str, values: tuple[Term, ...]) -> Term:
        if len(values) == 1:
            return values[0]
        same, type_ = self.united(values)
        if is_wide(type_):
            return self._call(exact, type_, *(v.element for v in same))
        return self.typed(getattr(sa.func, native)(*(_raw(v) for v in same)), type_)

    def compare_numbers(self, operator: str, x: Term, y: Term) -> Element:
        if x.known and not y.known and not is_wide(y.type) and x.type.scale <= y.type.scale:
            x = self.literal(x.value, replace(y.type, digits=NARROW))
        elif y.known and not is_wide(x.type) and y.type.scale <= x.type.scale:
            y = self.literal(y.value, replace(x.type, digits=NARROW))
        up_x, up_y = self._aligned(x, y)
        narrow_x = not is_wide(x.type) and (up_x == 0 or (x.type.digits or NARROW) + up_x <= NARROW)
        narrow_y = not is_wide(y.type) and (up_y == 0 or (y.type.digits or NARROW) + up_y <= NARROW)
        if narrow_x and narrow_y:
            left = _raw(x) * number(10**up_x) if up_x else _raw(x)
            right = _raw(y) * number(10**up_y) if up_y else _raw(y)
            return compare_elements(operator, left, right)
        compared = self._call("o_compare", INTEGER, x.element, y.element, up_x, up_y)
        return compare_elements(operator, compared.element, number(0))

    def aggregate(self, function: str, value: Term, type_: Type) -> Term:
        if function in ("min", "max"):
            if is_wide(value.type):
                return self._call(f"o_{function}", type_, value.element)
            return self.typed(getattr(sa.func, function)(_raw(value)), type_)
        exact = value.type.numeric and value.type.kind != "integer"
        total = self._total(value, value.type.scale + WHOLE_DIGITS if exact else 40)
        if function == "avg":
            if type_.kind == "duration":
                return self._call("o_floor_divide", type_, total, sa.func.count(value.element), 0, 0)
            more = type_.scale - value.type.scale
            limit = WHOLE_DIGITS + type_.scale
            return self._call("o_divide", type_, total, sa.func.count(value.element), more, 0, limit)
        if exact:
            return self.typed(total, type_)
        return self._call("o_to_integer", type_, total, 0)

    def _total(self, value: Term, digits: int) -> Element:
        """The sum, 0 of nothing."""
        if is_wide(value.type):
            return sa.func.o_assign(
                sa.func.coalesce(sa.func.o_sum(value.element), number(0)), number(0), number(digits)
            )
        raw, half = _raw(value), number(10**9)
        high = sa.func.coalesce(sa.func.sum(raw.op("/")(half)), number(0))
        low = sa.func.coalesce(sa.func.sum(raw.op("%")(half)), number(0))
        return sa.func.o_join(high, low, number(digits))

    def sort_key(self, x: Term) -> Element:
        return sa.func.o_key(x.element, number(100)) if is_wide(x.type) else x.element

    # text

    def lower(self, x: Term) -> Term:
        return self._call("o_lower", TEXT, x.element)

    def upper(self, x: Term) -> Term:
        return self._call("o_upper", TEXT, x.element)

    def trim(self, x: Term) -> Term:
        return self._call("trim", TEXT, x.element, folding.WHITE)

    def length(self, x: Term) -> Term:
        return self._call("length", INTEGER, x.element)

    def contains(self, x: Term, part: Term) -> Term:
        return self._call("o_contains", BOOLEAN, x.element, part.element)

    def starts_with(self, x: Term, part: Term) -> Term:
        return self._call("o_starts_with", BOOLEAN, x.element, part.element)

    def ends_with(self, x: Term, part: Term) -> Term:
        return self._call("o_ends_with", BOOLEAN, x.element, part.element)

    def concat(self, *parts: Term) -> Term:
        whole = parts[0].element
        for part in parts[1:]:
            whole = whole.concat(part.element)
        return self.typed(sa.func.substr(whole, number(1), number(folding.MAX_TEXT)), TEXT)

    def number(self, x: Term) -> Term:
        return self._call("o_number", decimal(10, 25), x.element)

    def number_text(self, x: Term) -> Term:
        return self._call("o_number_text", TEXT, x.element, x.type.scale)

    def date_text(self, x: Term) -> Term:
        return self.typed(x.element, TEXT)

    def datetime_text(self, x: Term) -> Term:
        return self._call("o_datetime_text", TEXT, x.element, self.zone)

    # dates

    def date_of(self, year: Term, month: Term, day: Term) -> Term:
        return self._call("o_date_of", DATE, year.element, month.element, day.element)

    def business_date(self, x: Term) -> Term:
        return self._call("o_business_date", DATE, x.element, self.zone)

    def add_days(self, x: Term, count: Term) -> Term:
        return self._call("o_add_days", DATE, x.element, count.element)

    def add_elapsed_days(self, x: Term, count: Term) -> Term:
        moved = coerced(x.element, sa.BigInteger()) + _raw(count) * number(_DAY_MS)
        return self.typed(self.within(moved, _FIRST_MS - 1, _LAST_MS + 1, sa.BigInteger()), DATETIME)

    def add_months(self, x: Term, count: Term) -> Term:
        return self._call("o_add_months", DATE, x.element, count.element)

    def days_between(self, start: Term, end: Term) -> Term:
        return self._call("o_days_between", INTEGER, start.element, end.element)

    def months_between(self, start: Term, end: Term) -> Term:
        return self._call("o_months_between", INTEGER, start.element, end.element)

    def workdays_between(self, start: Term, end: Term) -> Term:
        return self._call("o_workdays_between", INTEGER, start.element, end.element, pack_calendar(self.calendar))

    def workhours_between(self, start: Term, end: Term) -> Term:
        facts = (pack_calendar(self.calendar), pack_hours(self.environment.hours), self.zone)
        return self._call("o_workhours_between", decimal(2, 12), start.element, end.element, *facts)

    def add_workdays(self, x: Term, count: Term) -> Term:
        return self._call("o_add_workdays", DATE, x.element, count.element, pack_calendar(self.calendar))

    def part(self, x: Term, name: str) -> Term:
        return self._call("o_part", INTEGER, x.element, name)

    def start_of(self, x: Term, unit: Term) -> Term:
        return self._call("o_start_of", DATE, x.element, unit.value)

    def end_of(self, x: Term, unit: Term) -> Term:
        return self._call("o_end_of", DATE, x.element, unit.value)


def _raw(x: Term) -> Element:
    """The stored form of a narrow value, without the type that would convert it."""
    if x.type.numeric or x.type.kind in ("datetime", "duration", "days", "months"):
        return coerced(x.element, sa.BigInteger())
    return x.element
