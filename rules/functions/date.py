"""today, now, date, days, months, … A datetime given where a date is due counts as its business date."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from rules.calendar import PLAIN
from rules.registry import Argument, Date, Integer, kinds, rule_function
from rules.typing import DATE, DATETIME, DAYS, INTEGER, MONTHS, decimal
from rules.working import WorkingTime

if TYPE_CHECKING:
    from rules.evaluate import Environment

UNITS = ("day", "week", "month", "quarter", "year")
Unit = Argument(kinds=frozenset({"text"}), constant=True, among=UNITS)
MAX_SPAN = 4_000_000  # days; more than there are between the first and the last date
MAX_MONTHS = 130_000
_DAY = timedelta(days=1)


@rule_function(
    "today",
    returns=DATE,
    sql=lambda q: q.today(),
    environment=True,
    uses=["time"],
    layer="core",
    help={"zh": "今天（站点所在时区）", "en": "Today, where the site does business"},
)
def today(environment: Environment) -> date:
    return environment.today


@rule_function(
    "now",
    returns=DATETIME,
    sql=lambda q: q.now(),
    environment=True,
    uses=["time"],
    layer="core",
    help={"zh": "此刻", "en": "This moment"},
)
def now(environment: Environment) -> datetime:
    return environment.now


_DATE_HELP = {
    "zh": "年、月、日组成的日期，或某一时刻的营业日期；不存在的日期为空",
    "en": "The date of a year, month and day, or the business date of a datetime; nothing where there is no such day",
}


@rule_function(
    "date",
    args=[Integer, Integer, Integer],
    returns=DATE,
    sql=lambda q, y, m, d: q.date_of(y, m, d),
    layer="core",
    help=_DATE_HELP,
)
def date_of(year: int, month: int, day: int) -> date:
    return date(year, month, day)


@rule_function("date", args=[kinds("date")], returns=DATE, sql=lambda q, d: d, layer="core")
def date_itself(value: date) -> date:
    return value


@rule_function(
    "date",
    args=[kinds("datetime")],
    returns=DATE,
    sql=lambda q, d: q.business_date(d),
    environment=True,
    layer="core",
)
def business_date(environment: Environment, value: datetime) -> date:
    return value.astimezone(environment.zone).date()


@rule_function(
    "days",
    args=[Integer],
    returns=DAYS,
    sql=lambda q, n: n,
    layer="core",
    help={"zh": "n 天，用来加减日期", "en": "n days, to be added to a date or taken off it"},
)
def days(count: int) -> int:
    return count


@rule_function(
    "months",
    args=[Integer],
    returns=MONTHS,
    sql=lambda q, n: n,
    layer="core",
    help={
        "zh": "n 个月，用来加减日期；超过月底取月底",
        "en": "n months, to be added to a date; past the end of a month is its last day",
    },
)
def months(count: int) -> int:
    return count


@rule_function(
    "add_days",
    args=[kinds("date"), kinds("integer", "days")],
    returns=DATE,
    sql=lambda q, d, n: q.add_days(d, n),
    layer="core",
    help={"zh": "日期加 n 天", "en": "The date n days later"},
)
def add_days(value: date, count: int) -> date | None:
    return value + timedelta(days=count) if abs(count) <= MAX_SPAN else None


@rule_function(
    "add_days",
    args=[kinds("datetime"), kinds("integer", "days")],
    returns=DATETIME,
    sql=lambda q, d, n: q.add_elapsed_days(d, n),
    layer="core",
)
def add_elapsed_days(value: datetime, count: int) -> datetime | None:
    return value + timedelta(days=count) if abs(count) <= MAX_SPAN else None


@rule_function(
    "add_months",
    args=[kinds("date"), kinds("integer", "months")],
    returns=DATE,
    sql=lambda q, d, n: q.add_months(d, n),
    layer="core",
    help={"zh": "日期加 n 个月", "en": "The date n months later"},
)
def add_months(value: date, count: int) -> date | None:
    if abs(count) > MAX_MONTHS:
        return None
    year, month = divmod(value.year * 12 + value.month - 1 + count, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    return date(year, month + 1, min(value.day, _last_day(year, month + 1)))


def _last_day(year: int, month: int) -> int:
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - _DAY).day


@rule_function(
    "days_between",
    args=[Date, Date],
    returns=INTEGER,
    sql=lambda q, a, b: q.days_between(a, b),
    layer="core",
    help={"zh": "从第一个日期到第二个的天数", "en": "Days from the first date to the second"},
)
def days_between(start: date, end: date) -> int:
    return (end - start).days


@rule_function(
    "months_between",
    args=[Date, Date],
    returns=INTEGER,
    sql=lambda q, a, b: q.months_between(a, b),
    layer="core",
    help={"zh": "从第一个日期到第二个的整月数", "en": "Whole months from the first date to the second"},
)
def months_between(start: date, end: date) -> int:
    count = (end.year - start.year) * 12 + end.month - start.month
    if count > 0 and end.day < start.day:
        return count - 1
    if count < 0 and end.day > start.day:
        return count + 1
    return count


@rule_function(
    "workdays_between",
    args=[Date, Date],
    returns=INTEGER,
    sql=lambda q, a, b: q.workdays_between(a, b),
    environment=True,
    layer="core",
    help={
        "zh": "第一个日期之后到第二个（含）的工作日数，按工作日历",
        "en": "Working days after the first date up to and with the second, by the calendar",
    },
)
def workdays_between(environment: Environment, start: date, end: date) -> int:
    return (environment.holidays or PLAIN).between(start, end)


@rule_function(
    "workhours_between",
    args=[kinds("datetime"), kinds("datetime")],
    returns=decimal(2, 12),
    sql=lambda q, a, b: q.workhours_between(a, b),
    environment=True,
    layer="core",
    help={
        "zh": "从第一个时刻到第二个的工作小时数（两位小数），按工作日历和工作时间；第二个更早时为负",
        "en": "Working hours from the first moment to the second with two decimals, by the calendar and the hours of a "
        "day; negative where the second is earlier",
    },
)
def workhours_between(environment: Environment, start: datetime, end: datetime) -> Decimal:
    return WorkingTime(environment.holidays or PLAIN, environment.zone, environment.hours).hours(start, end)


@rule_function(
    "add_workdays",
    args=[Date, Integer],
    returns=DATE,
    sql=lambda q, d, n: q.add_workdays(d, n),
    environment=True,
    layer="core",
    help={
        "zh": "之后（负数为之前）第 n 个工作日，n 最多 4000",
        "en": "The n-th working day after the date, before it where negative; n up to 4,000",
    },
)
def add_workdays(environment: Environment, value: date, count: int) -> date | None:
    return (environment.holidays or PLAIN).add(value, count)


@rule_function(
    "year",
    args=[Date],
    returns=INTEGER,
    sql=lambda q, d: q.part(d, "year"),
    layer="core",
    help={"zh": "年", "en": "The year"},
)
def year(value: date) -> int:
    return value.year


@rule_function(
    "quarter",
    args=[Date],
    returns=INTEGER,
    sql=lambda q, d: q.part(d, "quarter"),
    layer="core",
    help={"zh": "季度，1 到 4", "en": "The quarter, 1 to 4"},
)
def quarter(value: date) -> int:
    return (value.month + 2) // 3


@rule_function(
    "month",
    args=[Date],
    returns=INTEGER,
    sql=lambda q, d: q.part(d, "month"),
    layer="core",
    help={"zh": "月，1 到 12", "en": "The month, 1 to 12"},
)
def month(value: date) -> int:
    return value.month


@rule_function(
    "day",
    args=[Date],
    returns=INTEGER,
    sql=lambda q, d: q.part(d, "day"),
    layer="core",
    help={"zh": "日，1 到 31", "en": "The day of the month, 1 to 31"},
)
def day(value: date) -> int:
    return value.day


@rule_function(
    "weekday",
    args=[Date],
    returns=INTEGER,
    sql=lambda q, d: q.part(d, "weekday"),
    layer="core",
    help={"zh": "星期，1 是星期一", "en": "The day of the week, 1 is Monday"},
)
def weekday(value: date) -> int:
    return value.isoweekday()


@rule_function(
    "start_of",
    args=[Date, Unit],
    returns=DATE,
    sql=lambda q, d, unit: q.start_of(d, unit),
    layer="core",
    help={
        "zh": "所在日、周、月、季或年的第一天",
        "en": "The first day of the date's 'week', 'month', 'quarter' or 'year'",
    },
)
def start_of(value: date, unit: str) -> date:
    if unit == "week":
        return value - timedelta(days=value.weekday())
    if unit == "month":
        return value.replace(day=1)
    if unit == "quarter":
        return value.replace(month=(value.month - 1) // 3 * 3 + 1, day=1)
    return value.replace(month=1, day=1) if unit == "year" else value


@rule_function(
    "end_of",
    args=[Date, Unit],
    returns=DATE,
    sql=lambda q, d, unit: q.end_of(d, unit),
    layer="core",
    help={
        "zh": "所在日、周、月、季或年的最后一天",
        "en": "The last day of the date's 'week', 'month', 'quarter' or 'year'",
    },
)
def end_of(value: date, unit: str) -> date | None:
    if unit == "week":
        return value + timedelta(days=6 - value.weekday())
    if unit == "day":
        return value
    last = {"month": value.month, "quarter": (value.month + 2) // 3 * 3, "year": 12}[unit]
    return date(value.year, last, _last_day(value.year, last))
