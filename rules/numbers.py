"""Exact numbers: static bounds of every operation, and the arithmetic that keeps them.

The value of every node is bounded: an integer by 2^53-1, a decimal by 24 digits before the point and 20 after it.
What lies outside is nothing. Both executions take the bounds and the rounding from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import TypeAlias

from rules.typing import INTEGER, MONEY, Type, decimal

Exact: TypeAlias = int | Decimal

MAX_INTEGER = 2**53 - 1
WHOLE_DIGITS = 24  # of a decimal, before the point
MAX_SCALE = 20
DIVISION_SCALE = 10
CONTEXT = Context(prec=200, rounding=ROUND_HALF_UP, Emin=MIN_EMIN, Emax=MAX_EMAX)
_UNITS = tuple(Decimal(1).scaleb(-scale) for scale in range(MAX_SCALE + 1))
_LIMITS = tuple(Decimal(10) ** digits for digits in range(WHOLE_DIGITS + 1))
_LIMIT = _LIMITS[WHOLE_DIGITS]


def whole_digits(type_: Type) -> int:
    """Digits before the point that a value of the type may have; more than WHOLE_DIGITS only before the guard."""
    return (type_.digits or 18) - type_.scale


def bounded(type_: Type, whole: int) -> Type:
    """`type_` with `whole` digits before the point, as far as the guard lets pass."""
    if type_.kind == "integer":
        return replace(type_, digits=min(whole, INTEGER.digits))
    return replace(type_, digits=min(whole, WHOLE_DIGITS) + type_.scale)


def round_to(value: Decimal, scale: int) -> Decimal:
    """Half-up, away from zero."""
    return value.quantize(_UNITS[scale], ROUND_HALF_UP, CONTEXT)


def guard(value: Exact | None) -> Exact | None:
    """The value, or None where it is out of bounds."""
    if value is None:
        return None
    if isinstance(value, int):
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else None
    return value if -_LIMIT < value < _LIMIT else None


def fit(value: Exact | None, type_: Type) -> Exact | None:
    """The value as one of `type_`: rounded to its scale, None where it is out of its bounds."""
    if value is None:
        return None
    if type_.kind == "integer":
        return guard(value if isinstance(value, int) else int(round_to(value, 0)))
    rounded = round_to(Decimal(value), type_.scale)
    limit = _LIMITS[min(max(whole_digits(type_), 0), WHOLE_DIGITS)]
    return rounded if -limit < rounded < limit else None


def divide(left: Exact, right: Exact, scale: int) -> Decimal | None:
    """The quotient rounded to `scale`; None for x / 0."""
    if right == 0:
        return None
    top, bottom = ratio(left, right)
    top *= 10**scale
    quotient, rest = divmod(abs(top), abs(bottom))
    if 2 * rest >= abs(bottom):
        quotient += 1
    return Decimal(quotient if (top < 0) == (bottom < 0) else -quotient).scaleb(-scale, CONTEXT)


def floor_divide(left: Exact, right: Exact) -> int | None:
    if right == 0:
        return None
    top, bottom = ratio(left, right)
    return top // bottom


def modulo(left: Exact, right: Exact, scale: int) -> Exact | None:
    """The rest of the floored division: it has the sign of `right`."""
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return left % right
    return Decimal(scaled(left, scale) % scaled(right, scale)).scaleb(-scale, CONTEXT)


def scaled(value: Exact, scale: int) -> int:
    """value × 10^scale, which must be whole."""
    return int(Decimal(value).scaleb(scale, CONTEXT))


def ratio(left: Exact, right: Exact) -> tuple[int, int]:
    scale = max(_scale(left), _scale(right))
    return scaled(left, scale), scaled(right, scale)


def _scale(value: Exact) -> int:
    if isinstance(value, int):
        return 0
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def sum_type(left: Type, right: Type) -> Type:
    """Of + and -: the larger scale, one digit more."""
    whole = max(whole_digits(left), whole_digits(right)) + 1
    return bounded(_joined(left, right, max(left.scale, right.scale)), whole)


def product_type(left: Type, right: Type) -> Type:
    scale = min(left.scale + right.scale, MAX_SCALE)
    alike = left.kind == right.kind and left.kind != "integer"
    made = decimal(scale) if alike else _joined(left, right, scale)
    return bounded(made, whole_digits(left) + whole_digits(right))


def quotient_type(left: Type, right: Type) -> Type:
    """Of `/`: a decimal, also of integers; money by money is a plain number."""
    scale = max(left.scale, right.scale, DIVISION_SCALE)
    of_money = left.kind == "money" and right.kind != "money"
    made = replace(MONEY, scale=scale, currency=left.currency) if of_money else decimal(scale)
    return bounded(made, whole_digits(left) + right.scale)


def modulo_type(left: Type, right: Type) -> Type:
    return bounded(_joined(left, right, max(left.scale, right.scale)), whole_digits(right))


def average_type(item: Type) -> Type:
    scale = max(item.scale, DIVISION_SCALE)
    made = replace(MONEY, scale=scale, currency=item.currency) if item.kind == "money" else decimal(scale)
    return bounded(made, whole_digits(item))


def total_type(item: Type) -> Type:
    """Of sum: 12 digits more, room for a million million members."""
    return bounded(item, whole_digits(item) + 12)


def common_type(types: Sequence[Type]) -> Type:
    """Of the branches of a conditional, of min, max and coalesce."""
    made = types[0]
    for other in types[1:]:
        made = bounded(_joined(made, other, max(made.scale, other.scale)), max(whole_digits(made), whole_digits(other)))
    return made


def _joined(left: Type, right: Type, scale: int) -> Type:
    """The kind of a mixture: money wins, percent only with itself, integers stay integers among themselves."""
    if "money" in (left.kind, right.kind):
        money = left if left.kind == "money" else right
        return replace(decimal(scale), kind="money", currency=money.currency)
    if left.kind == right.kind:
        return replace(left, scale=scale, currency=None)
    return decimal(scale)
