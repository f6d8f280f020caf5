"""abs, round, floor, ceil, min, max, number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from rules.numbers import CONTEXT, Exact, bounded, common_type, round_to, whole_digits
from rules.registry import Number, Numbers, Text, kinds, rule_function
from rules.typing import DATE, DATETIME, INTEGER, TEXT, Type, decimal

MAX_ROUND = 10
NUMBER_PATTERN = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,10})?$"
_NUMBER = re.compile(NUMBER_PATTERN.replace("$", r"\Z"))


def _same(arguments: Sequence[Any]) -> Type:
    given: Type = arguments[0].type
    return given


def _common(arguments: Sequence[Any]) -> Type:
    return common_type([a.type for a in arguments])


def rounded_type(arguments: Sequence[Any]) -> Type:
    given: Type = arguments[0].type
    scale = arguments[1].value if len(arguments) > 1 else 0
    if given.kind == "integer" or scale >= given.scale:
        return given
    return bounded(replace(given, scale=scale), whole_digits(given) + 1)


@rule_function(
    "abs",
    args=[Number],
    returns=_same,
    sql=lambda q, x: q.absolute(x),
    layer="core",
    help={"zh": "绝对值：abs(-3) 是 3", "en": "The number without its sign: abs(-3) is 3"},
)
def absolute(number: Exact) -> Exact:
    return -number if number < 0 else number


@rule_function(
    "round",
    args=[Number, kinds("integer", constant=True, optional=True)],
    returns=rounded_type,
    sql=lambda q, x, *n: q.round(x, *n),
    layer="core",
    help={
        "zh": "四舍五入到 n 位小数（0 到 10，缺省 0），负数向远离零的方向",
        "en": "Rounded half-up, away from zero, to n decimals (0 to 10, 0 if left out)",
    },
)
def rounded(number: Exact, decimals: int = 0) -> Exact:
    return number if isinstance(number, int) else round_to(number, decimals)


@rule_function(
    "floor",
    args=[Number],
    returns=INTEGER,
    sql=lambda q, x: q.floor(x),
    layer="core",
    help={"zh": "不大于它的最大整数", "en": "The greatest whole number that is not above it"},
)
def floor(number: Exact) -> int:
    return number if isinstance(number, int) else int(number.to_integral_value(ROUND_FLOOR, CONTEXT))


@rule_function(
    "ceil",
    args=[Number],
    returns=INTEGER,
    sql=lambda q, x: q.ceil(x),
    layer="core",
    help={"zh": "不小于它的最小整数", "en": "The least whole number that is not below it"},
)
def ceil(number: Exact) -> int:
    return number if isinstance(number, int) else int(number.to_integral_value(ROUND_CEILING, CONTEXT))


def _least(*values: Any) -> Any:
    return min(values)


def _greatest(*values: Any) -> Any:
    return max(values)


_MIN = {"zh": "几个值中最小的；有一个为空则为空", "en": "The least of the values; nothing where one is nothing"}
_MAX = {"zh": "几个值中最大的；有一个为空则为空", "en": "The greatest of the values; nothing where one is nothing"}
rule_function("min", args=[Numbers], returns=_common, sql=lambda q, *v: q.least(*v), layer="core", help=_MIN)(_least)
rule_function("max", args=[Numbers], returns=_common, sql=lambda q, *v: q.greatest(*v), layer="core", help=_MAX)(
    _greatest
)
for _kind, _type in (("date", DATE), ("datetime", DATETIME), ("text", TEXT)):
    _words = [kinds(_kind, repeat=True)]
    rule_function("min", args=_words, returns=_type, sql=lambda q, *v: q.least(*v), layer="core", help=_MIN)(_least)
    rule_function("max", args=_words, returns=_type, sql=lambda q, *v: q.greatest(*v), layer="core", help=_MAX)(
        _greatest
    )


@rule_function(
    "number",
    args=[Text],
    returns=decimal(10, 25),
    sql=lambda q, x: q.number(x),
    layer="core",
    help={"zh": "把文本读成数；不是数则为空", "en": "The text read as a number; nothing where it is none"},
)
def number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.match(text) else None


@rule_function("number", args=[Number], returns=_same, sql=lambda q, x: x, layer="core")
def number_itself(value: Exact) -> Exact:
    return value
