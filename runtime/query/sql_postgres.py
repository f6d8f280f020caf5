"""The expression language on PostgreSQL: NUMERIC throughout, and nothing that could raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import add

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rules import folding
from rules.calendar import MAX_WORKDAYS
from rules.functions.date import MAX_MONTHS
from rules.functions.number import NUMBER_PATTERN
from rules.numbers import MAX_SCALE, WHOLE_DIGITS, whole_digits
from rules.typing import BOOLEAN, DATE, DATETIME, INTEGER, TEXT, Type, decimal
from rules.working import HOUR, milliseconds
from runtime.query.dialects import Dialect, Element, Term, coerced, compare_elements, number, sql_type, summed

_FIRST = sa.literal_column("DATE '0001-01-01'", sa.Date())
_DAYS = date.max.toordinal()  # from 0001-01-01 to 9999-12-31, both counted
_BEYOND = sa.literal_column("DATE '10000-01-01'", sa.Date())
_BEFORE = sa.literal_column("DATE '0001-12-31 BC'", sa.Date())
_ONE = sa.literal_column("1", sa.Integer())
_DAY = sa.literal_column("INTERVAL '1 day'", sa.Interval())
_NFKC: Element = sa.literal_column("NFKC")
_CASED = "[\u00c0-\u058f\u1e00-\u1fff]"  # where folding.LOWER, UPPER and FOLD have their letters
_SPANS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
_PARTS = {"weekday": "isodow"}


class Postgres(Dialect):
    extremes = ("least", "greatest")

    def bound_decimal(self, value: Decimal, type_: Type) -> Element:
        return sa.literal(value, sa.Numeric(asdecimal=True))

    # writing an expression once

    def once(self, terms: list[Term], make: Callable[..., Element], type_: Type) -> Term:
        """`make` of elements that it may write several times: plain ones as they are, others through a subquery."""
        if all(t.plain for t in terms):
            return self.typed(make(*(t.element for t in terms)), type_)
        inner = sa.select(*(t.element.label(f"x{i}") for i, t in enumerate(terms)))
        held = inner.correlate_except().offset(sa.literal_column("0")).subquery()  # OFFSET 0: not to be flattened
        picked = [coerced(held.c[f"x{i}"], sql_type(t.type)) for i, t in enumerate(terms)]
        return self.typed(sa.select(make(*picked)).correlate_except(held).scalar_subquery(), type_)

    # numbers

    def arithmetic(self, operator: str, x: Term, y: Term, type_: Type) -> Term:
        match operator:
            case "*":
                return self._product(x, y, type_)
            case "/":
                exact = self._exact(x, y, type_.scale)
                made = sa.func.round(exact, number(type_.scale), type_=sa.Numeric())
                return self._bounded(made, type_, whole_digits(x.type) + y.type.scale <= WHOLE_DIGITS)
            case "//":
                return self._bounded(sa.func.floor(self._exact(x, y, 0)), type_, False)
        return self._modulo(x, y, type_)

    def total(self, terms: Sequence[tuple[int, Term]], type_: Type) -> Term:
        made = summed([(sign, _plain(t)) for sign, t in terms])
        if type_.kind == "integer":
            return self._bounded(made, type_, type_.digits < INTEGER.digits)
        return self._bounded(made, type_, max(whole_digits(t.type) for _, t in terms) + len(terms) <= WHOLE_DIGITS)

    def _bounded(self, element: Element, type_: Type, surely: bool) -> Term:
        """The number, NULL where it is out of bounds; `surely`: it cannot be."""
        if type_.kind == "integer":
            guarded = element if surely else self.guard_integer(element)
            return self.typed(sa.cast(guarded, sa.BigInteger()), type_)
        if surely:
            return self.typed(element, type_)
        limit = 10**WHOLE_DIGITS
        return self.typed(self.within(element, -limit, limit, sa.Numeric()), type_)

    def _product(self, x: Term, y: Term, type_: Type) -> Term:
        made = _numeric(x) * _numeric(y)
        if x.type.scale + y.type.scale > MAX_SCALE:
            made = sa.func.round(made, number(MAX_SCALE), type_=sa.Numeric())
        digits = whole_digits(x.type) + whole_digits(y.type)
        fits = digits < INTEGER.digits if type_.kind == "integer" else digits <= WHOLE_DIGITS
        return self._bounded(made, type_, fits)

    def _exact(self, x: Term, y: Term, scale: int) -> Element:
        """x / y with digits enough that rounding it to `scale` rounds the true quotient."""
        digits = scale + 2 * (y.type.digits or 18) + x.type.scale + 4
        return sa.func.round(_numeric(x), number(digits), type_=sa.Numeric()).op("/")(
            sa.func.nullif(_numeric(y), number(0), type_=sa.Numeric())
        )

    def _modulo(self, x: Term, y: Term, type_: Type) -> Term:
        def make(left: Element, right: Element) -> Element:
            divisor = sa.func.nullif(right, number(0), type_=sa.Numeric())
            return sa.func.mod(sa.func.mod(left, divisor) + divisor, divisor, type_=sa.Numeric())

        left = Term(_numeric(x), _as_decimal(x.type), True)  # written once by make
        made = self.once([left, Term(_numeric(y), _as_decimal(y.type), y.plain)], make, _as_decimal(type_))
        return self._bounded(coerced(made.element, sa.Numeric()), type_, True)

    def negative(self, x: Term) -> Term:
        return self.typed(-_plain(x), x.type)

    def convert_to(self, x: Term, type_: Type) -> Term:
        if x.known:
            return self.literal(x.value, type_)
        if type_.kind != "integer" and x.type.kind == "integer":
            return self.typed(_numeric(x), type_)
        return self.typed(x.element, replace(type_, scale=max(type_.scale, x.type.scale)), x.plain)

    def assign(self, x: Term, type_: Type) -> Term:
        made = _numeric(x)
        if x.type.scale > type_.scale:
            made = sa.func.round(made, number(type_.scale), type_=sa.Numeric())
        if type_.kind == "integer":
            return x if x.type.kind == "integer" else self._bounded(made, type_, False)
        whole = min(whole_digits(type_), WHOLE_DIGITS)
        if whole_digits(x.type) <= whole and x.type.scale <= type_.scale:
            return self.typed(made, type_)
        return self.typed(self.within(made, -(10**whole), 10**whole, sa.Numeric()), type_)

    def product_rounded(self, x: Term, y: Term, type_: Type) -> Term:
        made = sa.func.round(_numeric(x) * _numeric(y), number(type_.scale), type_=sa.Numeric())
        return self._bounded(made, type_, False)

    def absolute(self, x: Term) -> Term:
        return self.typed(sa.func.abs(_plain(x)), x.type)

    def round_to(self, x: Term, type_: Type) -> Term:
        made = sa.func.round(_numeric(x), number(type_.scale), type_=sa.Numeric())
        return self._bounded(made, type_, whole_digits(x.type) < WHOLE_DIGITS)

    def floor(self, x: Term) -> Term:
        return x if x.type.kind == "integer" else self._bounded(sa.func.floor(_numeric(x)), INTEGER, False)

    def ceil(self, x: Term) -> Term:
        return x if x.type.kind == "integer" else self._bounded(sa.func.ceil(_numeric(x)), INTEGER, False)

    def least(self, *values: Term) -> Term:
        return self._extreme("least", values)

    def greatest(self, *values: Term) -> Term:
        return self._extreme("greatest", values)

    def _extreme(self, name: str, values: tuple[Term, ...]) -> Term:
        same, type_ = self.united(values)

        def make(*elements: Element) -> Element:
            ordered = [_by_code(e, type_) for e in elements]
            nothing = sa.or_(*(e.is_(None) for e in elements))
            return sa.case((nothing, sa.null()), else_=getattr(sa.func, name)(*ordered))

        return self.once(same, make, type_)

    def compare_numbers(self, operator: str, x: Term, y: Term) -> Element:
        return compare_elements(operator, _plain(x), _plain(y))

    def ordered(self, x: Term) -> Element:
        return _by_code(x.element, x.type)

    def sort_key(self, x: Term) -> Element:
        return _by_code(x.element, x.type)

    def aggregate(self, function: str, value: Term, type_: Type) -> Term:
        if function in ("min", "max"):
            return self.typed(getattr(sa.func, function)(self.ordered(value)), type_)
        total = sa.func.coalesce(sa.func.sum(_numeric(value)), number(0), type_=sa.Numeric())
        if function == "sum":
            if type_.kind == "duration":
                return self.typed(sa.cast(self.guard_integer(total), sa.BigInteger()), type_)
            return self._bounded(total, type_, False)
        count = sa.func.nullif(sa.func.count(value.element), number(0), type_=sa.Numeric())
        if type_.kind == "duration":
            exact = sa.func.round(total, number(30), type_=sa.Numeric()).op("/")(count)
            return self.typed(sa.cast(sa.func.floor(exact), sa.BigInteger()), type_)
        exact = sa.func.round(total, number(type_.scale + 24), type_=sa.Numeric()).op("/")(count)
        return self._bounded(sa.func.round(exact, number(type_.scale), type_=sa.Numeric()), type_, False)

    # text

    def lower(self, x: Term) -> Term:
        return self._mapped(x, "lower", folding.LOWER)

    def upper(self, x: Term) -> Term:
        return self._mapped(x, "upper", folding.UPPER)

    def _mapped(self, x: Term, name: str, letters: dict[str, str]) -> Term:
        def make(text: Element) -> Element:
            plain = getattr(sa.func, name)(_by_code(text, TEXT))
            mapped = sa.func.translate(plain, *_letters(name, letters))
            return sa.case((text.op("~")(_pattern(_CASED)), mapped), else_=plain)

        return self.once([x], make, TEXT)

    def _folded(self, x: Term) -> Element:
        if x.known and isinstance(x.value, str):
            return self.text(folding.fold(x.value)).element

        def make(text: Element) -> Element:
            normal = sa.func.normalize(text, _NFKC, type_=sa.Text())
            plain = sa.func.lower(_by_code(normal, TEXT))
            mapped = sa.func.translate(plain, *_letters("fold", folding.FOLD))
            for letter, written in folding.SPECIAL:
                mapped = sa.func.replace(mapped, *(sa.literal(t, sa.Text()) for t in (letter, written)))
            return sa.case((normal.op("~")(_pattern(_CASED)), mapped), else_=plain)

        return self.once([x], make, TEXT).element

    def trim(self, x: Term) -> Term:
        return self.typed(sa.func.btrim(x.element, sa.literal(folding.WHITE, sa.Text())), TEXT)

    def length(self, x: Term) -> Term:
        return self.typed(sa.cast(sa.func.char_length(x.element), sa.BigInteger()), INTEGER)

    def contains(self, x: Term, part: Term) -> Term:
        return self.typed(sa.func.strpos(self._folded(x), self._folded(part)) > number(0), BOOLEAN)

    def starts_with(self, x: Term, part: Term) -> Term:
        return self.typed(sa.func.starts_with(self._folded(x), self._folded(part), type_=sa.Boolean()), BOOLEAN)

    def ends_with(self, x: Term, part: Term) -> Term:
        turned = (sa.func.reverse(self._folded(x)), sa.func.reverse(self._folded(part)))
        return self.typed(sa.func.starts_with(*turned, type_=sa.Boolean()), BOOLEAN)

    def concat(self, *parts: Term) -> Term:
        whole = sa.cast(parts[0].element, sa.Text()) if parts[0].known else parts[0].element
        for part in parts[1:]:
            whole = whole.concat(part.element)
        return self.typed(sa.func.left(whole, number(folding.MAX_TEXT), type_=sa.Text()), TEXT)

    def number(self, x: Term) -> Term:
        def make(text: Element) -> Element:
            return sa.case((text.op("~")(_pattern(NUMBER_PATTERN)), sa.cast(text, sa.Numeric())))

        return self.once([x], make, decimal(10, 25))

    def number_text(self, x: Term) -> Term:
        if x.type.kind == "integer":
            return self.typed(sa.cast(x.element, sa.Text()), TEXT)
        return self.typed(sa.cast(sa.func.trim_scale(_plain(x)), sa.Text()), TEXT)

    def date_text(self, x: Term) -> Term:
        return self.typed(sa.func.to_char(x.element, sa.literal("YYYY-MM-DD", sa.Text())), TEXT)

    def datetime_text(self, x: Term) -> Term:
        return self.typed(sa.func.to_char(self._local(x), sa.literal("YYYY-MM-DD HH24:MI", sa.Text())), TEXT)

    # dates

    def _local(self, x: Term) -> Element:
        return sa.func.timezone(sa.literal(self.zone, sa.Text()), x.element, type_=sa.DateTime())

    def date_of(self, year: Term, month: Term, day: Term) -> Term:
        def make(y: Element, m: Element, d: Element) -> Element:
            y4, m4, d4 = (sa.cast(e, sa.Integer()) for e in (y, m, d))
            first = sa.func.make_date(y4, m4, number(1))
            month_end = first + sa.literal_column("INTERVAL '1 month'", sa.Interval()) - _DAY
            known = sa.and_(y.between(number(1), number(9999)), m.between(number(1), number(12)), d >= number(1))
            fits = d <= sa.extract("day", month_end)
            return sa.case((known, sa.case((fits, sa.func.make_date(y4, m4, d4)))))

        return self.once([year, month, day], make, DATE)

    def business_date(self, x: Term) -> Term:
        return self._valid(sa.cast(self._local(x), sa.Date()))

    def _valid(self, element: Element) -> Term:
        """The date, NULL where it is before 0001 or after 9999."""
        clamped = sa.func.greatest(sa.func.least(element, _BEYOND), _BEFORE)
        return self.typed(sa.func.nullif(sa.func.nullif(clamped, _BEYOND), _BEFORE), DATE)

    def _day_number(self, element: Element) -> Element:
        """Days since 0001-01-01 as a 64-bit integer."""
        return sa.cast(element.op("-")(_FIRST), sa.BigInteger())

    def _date(self, days: Element) -> Element:
        """The date `days` after 0001-01-01, NULL where there is none."""
        return _FIRST.op("+")(sa.cast(self.within(days, -1, _DAYS, sa.BigInteger()), sa.Integer()))

    def add_days(self, x: Term, count: Term) -> Term:
        return self.typed(self._date(self._day_number(x.element) + count.element), DATE)

    def add_elapsed_days(self, x: Term, count: Term) -> Term:
        utc = sa.literal("UTC", sa.Text())

        def make(moment: Element, days: Element) -> Element:
            flat = sa.func.timezone(utc, moment, type_=sa.DateTime())
            day = self._date(self._day_number(sa.cast(flat, sa.Date())) + days)
            return sa.func.timezone(utc, day.op("+")(sa.cast(flat, sa.Time())))

        return self.once([x, count], make, DATETIME)

    def add_months(self, x: Term, count: Term) -> Term:
        def make(day: Element, months: Element) -> Element:
            at = _number_of(day, "year") * number(12) + _number_of(day, "month") - number(1) + months
            fits = sa.and_(
                months.between(number(-MAX_MONTHS), number(MAX_MONTHS)), at.between(number(12), number(119_999))
            )
            span = sa.func.make_interval(number(0), sa.cast(months, sa.Integer()))
            return sa.case((fits, sa.cast(day.op("+")(span), sa.Date())))

        return self.once([x, count], make, DATE)

    def days_between(self, start: Term, end: Term) -> Term:
        return self.typed(sa.cast(end.element.op("-")(start.element), sa.BigInteger()), INTEGER)

    def months_between(self, start: Term, end: Term) -> Term:
        def make(a: Element, b: Element) -> Element:
            years = _number_of(b, "year") - _number_of(a, "year")
            months = years * number(12) + _number_of(b, "month") - _number_of(a, "month")
            day_a, day_b = _number_of(a, "day"), _number_of(b, "day")
            return sa.case(
                (sa.and_(months > number(0), day_b < day_a), months - number(1)),
                (sa.and_(months < number(0), day_b > day_a), months + number(1)),
                else_=months,
            )

        return self.once([start, end], make, INTEGER)

    def workdays_between(self, start: Term, end: Term) -> Term:
        def make(a: Element, b: Element) -> Element:
            return self._worked(b) - self._worked(a)

        return self.once([start, end], make, INTEGER)

    def workhours_between(self, start: Term, end: Term) -> Term:
        """Closed, as `WorkingTime.hours`: whole days before the day, and what has passed of the day itself."""
        spans = [(milliseconds(a), milliseconds(b)) for a, b in self.environment.hours]
        whole = number(sum(b - a for a, b in spans))

        def passed(local: Element) -> Element:
            day = self._valid(sa.cast(local, sa.Date())).element
            days, before = self._worked(day), self._worked(sa.cast(day.op("-")(_ONE), sa.Date()))
            seconds = sa.extract("epoch", sa.cast(local, sa.Time()))
            clock = sa.cast(sa.func.floor(seconds * number(1000)), sa.BigInteger())
            sofar = [sa.func.least(sa.func.greatest(clock - number(a), number(0)), number(b - a)) for a, b in spans]
            return before * whole + (days - before) * reduce(add, sofar)

        def make(a: Element, b: Element) -> Element:
            hours = sa.cast(passed(b) - passed(a), sa.Numeric()) / number(HOUR)
            return sa.func.round(hours, number(2), type_=sa.Numeric())

        local = [self.typed(self._local(x), DATETIME) for x in (start, end)]
        return self.once(local, make, decimal(2, 12))

    def _worked(self, day: Element) -> Element:
        """Working days up to and with the day, counted from Monday 0001-01-01 (rules.calendar)."""
        days = self._day_number(day)
        rest = sa.cast(days.op("%")(number(7)), sa.BigInteger())
        made = days.op("/")(number(7)) * number(5) + sa.func.least(rest + number(1), number(5))
        for sign, listed in ((-1, self.calendar.off), (1, self.calendar.on)):
            if listed:
                passed = sa.cast(sa.func.width_bucket(day, _dates(listed)), sa.BigInteger())
                made = made + passed if sign > 0 else made - passed
        return made

    def add_workdays(self, x: Term, count: Term) -> Term:
        inner = sa.select(x.element.label("d"), count.element.label("n")).correlate_except()
        held = inner.offset(sa.literal_column("0")).subquery()
        day, wanted = held.c.d, held.c.n
        near = sa.func.least(sa.func.greatest(wanted, number(-MAX_WORKDAYS - 1)), number(MAX_WORKDAYS + 1))
        small = sa.cast(near, sa.Integer())
        reach = sa.cast(sa.func.abs(small) * number(2) + number(14 + len(self.calendar.off)), sa.Integer())
        ahead = small > number(0)
        steps = (
            sa.func.generate_series(
                sa.case((ahead, sa.literal_column("1", sa.Integer())), else_=-reach),
                sa.case((ahead, reach), else_=sa.literal_column("-1", sa.Integer())),
            )
            .table_valued(sa.column("step", sa.Integer()), name="steps")
            .render_derived()
        )
        there = sa.cast(day.op("+")(steps.c.step), sa.Date())
        start = self._worked(day)
        before = self._worked(sa.cast(day.op("-")(sa.literal_column("1", sa.Integer())), sa.Date()))
        target = sa.case((ahead, start + near), else_=before + near + number(1))
        yesterday = sa.cast(there.op("-")(sa.literal_column("1", sa.Integer())), sa.Date())
        found = (
            sa.select(there)
            .select_from(held.join(steps, sa.true()))
            .where(
                near.between(number(-MAX_WORKDAYS), number(MAX_WORKDAYS)),
                there.op(">=")(_FIRST),
                there.op("<")(_BEYOND),
                self._worked(there) == target,
                self._worked(yesterday) == target - number(1),
            )
            .correlate_except(held, steps)
            .limit(1)
            .scalar_subquery()
        )
        if count.known and count.value == 0:
            return x
        if count.known:
            return self.typed(found, DATE)
        return self.typed(sa.case((count.element == number(0), x.element), else_=found), DATE)

    def part(self, x: Term, name: str) -> Term:
        return self.typed(_number_of(x.element, _PARTS.get(name, name)), INTEGER)

    def start_of(self, x: Term, unit: Term) -> Term:
        return self.typed(sa.cast(self._truncated(x, unit.value), sa.Date()), DATE)

    def end_of(self, x: Term, unit: Term) -> Term:
        span = sa.literal_column(f"INTERVAL '{_SPANS[unit.value]}'", sa.Interval())
        return self._valid(sa.cast(self._truncated(x, unit.value).op("+")(span).op("-")(_DAY), sa.Date()))

    def _truncated(self, x: Term, unit: str) -> Element:
        return sa.func.date_trunc(sa.literal(unit, sa.Text()), sa.cast(x.element, sa.DateTime()), type_=sa.DateTime())


def _plain(x: Term) -> Element:
    """The number without the column type that would convert what it meets."""
    return coerced(x.element, sa.BigInteger() if x.type.kind == "integer" else sa.Numeric())


def _numeric(x: Term) -> Element:
    """The number as NUMERIC: no overflow, no integer division."""
    if x.type.kind in ("integer", "duration"):
        return sa.cast(x.element, sa.Numeric())
    return coerced(x.element, sa.Numeric())


def _as_decimal(type_: Type) -> Type:
    return replace(decimal(type_.scale), digits=type_.digits) if type_.kind == "integer" else type_


def _number_of(element: Element, part: str) -> Element:
    return sa.cast(sa.extract(part, element), sa.BigInteger())


def _by_code(element: Element, type_: Type) -> Element:
    """Text compared by code point, whatever the database's own collation."""
    if type_.kind not in ("text", "select"):
        return element
    return coerced(element, sa.Text()).collate("C")


def _pattern(pattern: str) -> Element:
    return sa.bindparam(f"pattern_{abs(hash(pattern)) % 10**6}", re.sub(r"\\Z$", "$", pattern), type_=sa.Text())


def _letters(name: str, letters: dict[str, str]) -> tuple[Element, Element]:
    """The letters and what replaces them, as two parameters that every use in a statement shares."""
    return (
        sa.bindparam(f"letters_{name}_from", "".join(letters), type_=sa.Text()),
        sa.bindparam(f"letters_{name}_to", "".join(letters.values()), type_=sa.Text()),
    )


def _dates(ordinals: tuple[int, ...]) -> Element:
    return sa.cast(sa.literal([date.fromordinal(n) for n in ordinals], ARRAY(sa.Date())), ARRAY(sa.Date()))


__all__: list[str] = ["Postgres"]
