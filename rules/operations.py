"""What the operators of the language do to Python values. Total: nothing where there is no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import wraps
from typing import Any

from rules.numbers import CONTEXT, Exact, divide, floor_divide, guard, modulo, round_to
from rules.registry import Function

ABSENT = (ArithmeticError, ValueError, TypeError)  # what a body may raise where it has no answer


def negative(x: Exact | None) -> Exact | None:
    return None if x is None else -x


def total_of(signs: str, *terms: Exact | None) -> Exact | None:
    """A chain of + and -: exact, only the result has to be within bounds."""
    made: Exact = 0
    for sign, term in zip(signs, terms):
        if term is None:
            return None
        if isinstance(made, int) and isinstance(term, int):
            made = made + term if sign == "+" else made - term
        else:
            made = CONTEXT.add(made, term) if sign == "+" else CONTEXT.subtract(made, term)
    return guard(made)


def multiply(x: Exact | None, y: Exact | None, scale: int) -> Exact | None:
    if x is None or y is None:
        return None
    if isinstance(x, int) and isinstance(y, int):
        return guard(x * y)
    product = CONTEXT.multiply(x, y)
    exponent = product.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > scale:
        product = round_to(product, scale)
    return guard(product)


def quotient(x: Exact | None, y: Exact | None, scale: int) -> Exact | None:
    return None if x is None or y is None else guard(divide(x, y, scale))


def whole_quotient(x: Exact | None, y: Exact | None) -> Exact | None:
    return None if x is None or y is None else guard(floor_divide(x, y))


def rest(x: Exact | None, y: Exact | None, scale: int) -> Exact | None:
    return None if x is None or y is None else guard(modulo(x, y, scale))


def equal(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x == y)


def unequal(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x != y)


def less(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x < y)


def less_or_equal(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x <= y)


def greater(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x > y)


def greater_or_equal(x: Any, y: Any) -> bool:
    return x is not None and y is not None and bool(x >= y)


def among(x: Any, *items: Any) -> bool:
    return x is not None and any(x == item for item in items if item is not None)


def not_among(x: Any, *items: Any) -> bool:
    """Like SQL's two-valued reading of `x != a and x != b`: nothing on a side makes it false."""
    return x is not None and all(item is not None and x != item for item in items)


def held(x: Any, held_in: tuple[Any, ...] | None) -> bool:
    return x is not None and x in (held_in or ())


def not_held(x: Any, held_in: tuple[Any, ...] | None) -> bool:
    return x is not None and x not in (held_in or ())


def within(day: date | None, period: tuple[date | None, date | None] | None) -> bool:
    if day is None or period is None:
        return False
    start, end = period
    return (start is None or start <= day) and (end is None or day <= end)


def outside(day: date | None, period: tuple[date | None, date | None] | None) -> bool:
    return day is not None and period is not None and not within(day, period)


def is_nothing(x: Any) -> bool:
    return x is None or x == ()


def is_something(x: Any) -> bool:
    return not is_nothing(x)


def truth(x: Any) -> bool:
    return x is True


def exact(x: Exact | None) -> Decimal | None:
    return None if x is None else Decimal(x)


def base_amount(amount: Exact | None, rate: Decimal | None) -> Exact | None:
    """Money in base currency at a frozen rate."""
    if amount is None or rate is None:
        return None
    return guard(round_to(CONTEXT.multiply(amount, rate), 4))


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        negative,
        total_of,
        multiply,
        quotient,
        whole_quotient,
        rest,
        equal,
        unequal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        among,
        not_among,
        held,
        not_held,
        within,
        outside,
        is_nothing,
        is_something,
        truth,
        exact,
        base_amount,
    )
}
ARITHMETIC = {"*": "multiply", "/": "quotient", "//": "whole_quotient", "%": "rest"}
COMPARISON = {
    "==": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
}
SCALED = frozenset({"*", "/", "%"})  # operations that need the scale of the result


def total(function: Function) -> Callable[..., Any]:
    """The body of a rule function as an operation: None in, None out, and None for what it cannot answer."""
    body, spread = function.body, function.nothing == "spread"

    @wraps(body)
    def run(*arguments: Any) -> Any:
        if spread and any(a is None for a in arguments):
            return None
        try:
            result = body(*arguments)
        except ABSENT:
            return None
        return guard(result) if type(result) in (int, Decimal) else result

    return run
