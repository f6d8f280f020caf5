"""days_since, age_in_years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

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
    "age_in_years",
    args=[Date],
    returns=Integer,
    sql=lambda q, day: q.months_between(day, q.today()) // 12,
    environment=True,
    uses=["time"],
    help={"zh": "该日期到今天的整年数", "en": "Full years from the date to today"},
)
def age_in_years(environment: Environment, day: date) -> int:
    today = environment.today
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))
