"""convert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rules.numbers import CONTEXT, round_to
from rules.registry import Money, kinds, rule_function
from rules.typing import MONEY, Type

if TYPE_CHECKING:
    from rules.evaluate import Environment

MONEY_SCALE = 4


def _converted(arguments: Sequence[Any]) -> Type:
    return replace(MONEY, digits=24 + MONEY_SCALE, currency=arguments[1].value)


@rule_function(
    "convert",
    args=[Money, kinds("text", constant=True)],
    returns=_converted,
    sql=lambda q, amount, currency: q.convert(amount, currency),
    environment=True,
    uses=["time"],
    layer="core",
    help={
        "zh": "按今天的汇率换算成该货币，如 convert(amount, 'USD')",
        "en": "The money in that currency, at today's rate: convert(amount, 'USD')",
    },
)
def convert(environment: Environment, amount: Decimal, currency: str) -> Decimal | None:
    """`amount` comes in the base currency."""
    rate = environment.rate(currency)
    return None if rate is None else round_to(CONTEXT.multiply(amount, rate), MONEY_SCALE)
