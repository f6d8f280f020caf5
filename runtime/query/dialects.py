"""`q`: what builds the SQL of the expression language, one class per database.

Its methods take and give terms: an SQL expression with its static type. Rule functions declare their SQL twins with
it (`sql=lambda q, d: q.days_between(d, q.today())`) and so need no SQLAlchemy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from rules.calendar import PLAIN, Calendar
from rules.evaluate import Environment
from rules.folding import storable
from rules.functions.number import rounded_type
from rules.numbers import MAX_INTEGER, common_type
from rules.typing import BOOLEAN, DATE, DATETIME, TEXT, Type
from runtime.query.sql_written import Written
from runtime.schema.types import Key, ScaledDecimal, Text, UtcDateTime

Element = sa.ColumnElement[Any]
_SIMPLE = frozenset({sa.BigInteger, sa.Boolean, sa.Date, sa.Numeric})  # types without parameters that matter here
_ABSENT = object()
_UNKNOWN = "\x01"  # stands for a text no database can hold: nothing stored is equal to it


@dataclass(frozen=True, slots=True)
class Term:
    """An SQL expression and its static type. `value` is the Python value where it is known beforehand.

    `plain` says that the expression may be written twice: a column or a bound value.
    """

    element: Element
    type: Type
    plain: bool = False
    value: Any = _ABSENT

    @property
    def known(self) -> bool:
        return self.value is not _ABSENT


def sql_type(type_: Type) -> sa.types.TypeEngine[Any]:
    """The column type that values of a static type come back through."""
    match type_.kind:
        case "boolean":
            return sa.Boolean()
        case "integer" | "duration" | "days" | "months":
            return sa.BigInteger()
        case "decimal" | "money" | "percent":
            return ScaledDecimal(type_.scale, max(type_.digits or 18, type_.scale + 1))
        case "date":
            return sa.Date()
        case "datetime":
            return UtcDateTime()
        case "time":
            return sa.Time()
        case "record":
            return Key()
    return Text()


def coerced(element: Element, type_: sa.types.TypeEngine[Any]) -> Element:
    """The expression with another type on our side. A bound value keeps the type it is bound by."""
    if type(element.type) is type(type_) and type(type_) in _SIMPLE and not isinstance(element, sa.Column):
        return element
    return sa.type_coerce(Grouping(element) if isinstance(element, sa.BindParameter) else element, type_)


def summed(terms: Sequence[tuple[int, Element]]) -> Element:
    """The terms added and taken off, in their order."""
    (sign, made), *rest = terms
    made = made if sign > 0 else -made
    for sign, term in rest:
        made = made + term if sign > 0 else made - term
    return made


def number(value: int) -> Element:
    return sa.literal_column(str(value), sa.BigInteger())


class Dialect(ABC):
    """What both databases share, and the names of what differs."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    # values

    def literal(self, value: Any, type_: Type) -> Term:
        """A value known beforehand, bound as a parameter."""
        if isinstance(value, str):
            value = _UNKNOWN if storable(value) is None else value
        if value is None:
            return Term(sa.cast(sa.null(), self.cast_type(type_)), type_, True, None)
        if type_.kind == "boolean":
            return Term(sa.true() if value else sa.false(), type_, True, value)
        if type_.kind == "integer":
            value = int(value)
        if type_.numeric and type_.kind != "integer":
            return Term(self.bound_decimal(Decimal(value), type_), type_, True, value)
        if type_.kind == "datetime":
            return Term(self.bound_datetime(value.astimezone(UTC)), type_, True, value)
        return Term(sa.literal(value, sql_type(type_)), type_, True, value)

    def cast_type(self, type_: Type) -> sa.types.TypeEngine[Any]:
        return sql_type(type_)

    def text(self, value: str) -> Term:
        return self.literal(value, TEXT)

    def typed(self, element: Element, type_: Type, plain: bool = False) -> Term:
        return Term(coerced(element, sql_type(type_)), type_, plain)

    def today(self) -> Term:
        return self.literal(self.environment.today, DATE)

    def now(self) -> Term:
        return self.literal(self.environment.now, DATETIME)

    @abstractmethod
    def bound_decimal(self, value: Decimal, type_: Type) -> Element: ...

    def bound_datetime(self, value: datetime) -> Element:
        return sa.literal(self.moment(value), self.moment_type)

    @property
    def moment_type(self) -> sa.types.TypeEngine[Any]:
        """What a point in time is bound as."""
        return UtcDateTime()

    def moment(self, value: datetime) -> Any:
        """A point in time as it is bound."""
        return value

    # numbers

    @abstractmethod
    def arithmetic(self, operator: str, x: Term, y: Term, type_: Type) -> Term: ...

    @abstractmethod
    def total(self, terms: Sequence[tuple[int, Term]], type_: Type) -> Term:
        """The sum of terms with their signs; nothing where it is out of bounds."""

    @abstractmethod
    def negative(self, x: Term) -> Term: ...

    @abstractmethod
    def convert_to(self, x: Term, type_: Type) -> Term:
        """The same number in a type of at least its scale."""

    @abstractmethod
    def assign(self, x: Term, type_: Type) -> Term:
        """The number rounded to the type's scale; nothing where it does not fit."""

    @abstractmethod
    def product_rounded(self, x: Term, y: Term, type_: Type) -> Term:
        """x × y rounded once, to the type's scale."""

    @abstractmethod
    def absolute(self, x: Term) -> Term: ...

    @abstractmethod
    def round_to(self, x: Term, type_: Type) -> Term: ...

    @abstractmethod
    def floor(self, x: Term) -> Term: ...

    @abstractmethod
    def ceil(self, x: Term) -> Term: ...

    @abstractmethod
    def least(self, *values: Term) -> Term: ...

    @abstractmethod
    def greatest(self, *values: Term) -> Term: ...

    @abstractmethod
    def compare_numbers(self, operator: str, x: Term, y: Term) -> Element: ...

    @abstractmethod
    def aggregate(self, function: str, value: Term, type_: Type) -> Term:
        """sum, avg, min or max over the rows of the enclosing SELECT."""

    def sort_key(self, x: Term) -> Element:
        """What sorts as the value does."""
        return x.element

    def guard_integer(self, element: Element) -> Element:
        """The integer, NULL where it is out of bounds; the expression is written once."""
        limit = MAX_INTEGER + 1
        return self.within(element, -limit, limit, sa.BigInteger())

    def within(self, element: Element, below: int, above: int, type_: sa.types.TypeEngine[Any]) -> Element:
        """The number, NULL where it is not strictly between the bounds. (LEAST skips NULL: the bound comes out.)"""
        least, greatest = self.extremes
        return Written(
            f"nullif(nullif({greatest}({least}({{0}}, {above}), {below}), {above}), {below})", (element,), type_
        )

    extremes: tuple[str, str]  # the functions for the least and the greatest of two values

    # comparison and choice

    def compare(self, operator: str, x: Term, y: Term) -> Element:
        """Without regard to nothing: NULL where a side is."""
        if x.type.numeric and y.type.numeric:
            return self.compare_numbers(operator, x, y)
        left = self.ordered(x) if operator not in ("==", "!=") else x.element
        return compare_elements(operator, left, y.element)

    def ordered(self, x: Term) -> Element:
        """The value as it is to be compared by order."""
        return x.element

    def united(self, values: Sequence[Term]) -> tuple[list[Term], Type]:
        """The terms brought to their common type."""
        known = [v.type for v in values if v.type.kind != "nothing"]
        if not known:
            return list(values), values[0].type
        type_ = common_type(known) if all(t.numeric for t in known) else known[0]
        if {t.kind for t in known} == {"text", "select"}:
            type_ = TEXT
        return [self._united(v, type_) for v in values], type_

    def _united(self, x: Term, type_: Type) -> Term:
        if x.type.kind == "nothing":
            return self.literal(None, type_)
        return self.convert_to(x, type_) if type_.numeric else x

    def coalesce(self, *values: Term) -> Term:
        same, type_ = self.united(values)
        return self.typed(sa.func.coalesce(*(v.element for v in same)), type_)

    def choose(self, tests: Sequence[Element], values: Sequence[Term], otherwise: Term) -> Term:
        """The value of the first test that is true (NULL is not), else `otherwise`."""
        same, type_ = self.united([*values, otherwise])
        whens = [(test, term.element) for test, term in zip(tests, same)]
        found = dict(whens)
        # of pairs SQLAlchemy writes the text of an error that it drops, which takes ten times as long as the rest
        given = (found,) if len(found) == len(whens) else whens
        return self.typed(sa.case(*given, else_=same[-1].element), type_)

    # text

    @abstractmethod
    def lower(self, x: Term) -> Term: ...

    @abstractmethod
    def upper(self, x: Term) -> Term: ...

    @abstractmethod
    def trim(self, x: Term) -> Term: ...

    @abstractmethod
    def length(self, x: Term) -> Term: ...

    @abstractmethod
    def contains(self, x: Term, part: Term) -> Term: ...

    @abstractmethod
    def starts_with(self, x: Term, part: Term) -> Term: ...

    @abstractmethod
    def ends_with(self, x: Term, part: Term) -> Term: ...

    @abstractmethod
    def concat(self, *parts: Term) -> Term: ...

    @abstractmethod
    def number(self, x: Term) -> Term: ...

    @abstractmethod
    def number_text(self, x: Term) -> Term: ...

    @abstractmethod
    def date_text(self, x: Term) -> Term: ...

    @abstractmethod
    def datetime_text(self, x: Term) -> Term: ...

    def as_text(self, x: Term) -> Term:
        return Term(x.element, TEXT, x.plain, x.value)

    # dates

    @abstractmethod
    def date_of(self, year: Term, month: Term, day: Term) -> Term: ...

    @abstractmethod
    def business_date(self, x: Term) -> Term: ...

    @abstractmethod
    def add_days(self, x: Term, count: Term) -> Term: ...

    @abstractmethod
    def add_elapsed_days(self, x: Term, count: Term) -> Term: ...

    @abstractmethod
    def add_months(self, x: Term, count: Term) -> Term: ...

    @abstractmethod
    def days_between(self, start: Term, end: Term) -> Term: ...

    @abstractmethod
    def months_between(self, start: Term, end: Term) -> Term: ...

    @abstractmethod
    def workdays_between(self, start: Term, end: Term) -> Term: ...

    @abstractmethod
    def workhours_between(self, start: Term, end: Term) -> Term: ...

    @abstractmethod
    def add_workdays(self, x: Term, count: Term) -> Term: ...

    @abstractmethod
    def part(self, x: Term, name: str) -> Term: ...

    @abstractmethod
    def start_of(self, x: Term, unit: Term) -> Term: ...

    @abstractmethod
    def end_of(self, x: Term, unit: Term) -> Term: ...

    @property
    def calendar(self) -> Calendar:
        return self.environment.holidays or PLAIN

    @property
    def zone(self) -> str:
        return str(self.environment.zone.key)

    # people and money

    def has_role(self, role: Term) -> Term:
        return self.literal(role.value in self.environment.roles, BOOLEAN)

    def in_unit(self, unit: Term, code: Term | None = None) -> Term:
        units = sorted(self.environment.units if code is None else self.environment.below(code.value))
        if not units:
            return self.typed(sa.case((unit.element.is_not(None), sa.false())), BOOLEAN)
        return self.typed(unit.element.in_(units), BOOLEAN)

    def convert(self, amount: Term, currency: Term) -> Term:
        """Base-currency money in another currency, at today's rate."""
        type_ = Type(kind="money", scale=4, digits=28, currency=currency.value)
        rate = self.environment.rate(currency.value)
        if rate is None:
            return self.literal(None, type_)
        exponent = rate.as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        bound = self.literal(rate, Type(kind="decimal", scale=scale, digits=len(str(int(rate))) + scale))
        return self.product_rounded(amount, bound, type_)

    def round(self, x: Term, *decimals: Term) -> Term:
        type_ = rounded_type([x, *decimals])
        return x if type_ == x.type else self.round_to(x, type_)


def compare_elements(operator: str, left: Element, right: Element) -> Element:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


def dialect(name: str, environment: Environment) -> Dialect:
    """The builder for "sqlite" or "postgresql"."""
    if name == "sqlite":
        from runtime.query.sql_sqlite import Sqlite

        return Sqlite(environment)
    from runtime.query.sql_postgres import Postgres

    return Postgres(environment)
