"""days_until: what formulas, filters and reports may call."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from rules.registry import Date, Integer, rule_function

if TYPE_CHECKING:
    from rules.evaluate import Environment


@rule_function(
    "days_until",
    args=[Date],
    returns=Integer,
    sql=lambda q, day: q.days_between(q.today(), day),
    environment=True,
    uses=["time"],
    help={"zh": "今天到该日期的天数，已过为负", "en": "Days from today to the date; negative once it has passed"},
)
def days_until(environment: Environment, day: date) -> int:
    return (day - environment.today).days
