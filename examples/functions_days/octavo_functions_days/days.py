"""days_since, months_since."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from rules.functions.date import months_between
from rules.registry import Date, Integer, rule_function

if TYPE_CHECKING:
    from rules.evaluate import Environment


@rule_function(
    "days_since",
    args=[Date],
    returns=Integer,
    sql=lambda q, day: q.days_between(day, q.today()),
    environment=True,
    uses=["time"],
    help={"zh": "该日期到今天的天数", "en": "Days from the date to today"},
)
def days_since(environment: Environment, day: date) -> int:
    return (environment.today - day).days


@rule_function(
    "months_since",
    args=[Date],
    returns=Integer,
    sql=lambda q, day: q.months_between(day, q.today()),
    environment=True,
    uses=["time"],
    help={"zh": "该日期到今天的整月数", "en": "Whole months from the date to today"},
)
def months_since(environment: Environment, day: date) -> int:
    return months_between(day, environment.today)
