"""Periods: `this_quarter`, `last_30_days`, `2026-Q1`, `2026-01-01..2026-03-31` → first and last day."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, date, timedelta

Period = tuple[date | None, date | None]

NAMES = (
    *("today", "yesterday", "tomorrow"),
    *(f"{which}_{unit}" for which in ("this", "last", "next") for unit in ("week", "month", "quarter", "year")),
    *("year_to_date", "quarter_to_date", "month_to_date", "all"),
)
_ROLLING = re.compile(r"(last|next)_([1-9][0-9]{0,3})_(days|weeks|months|years)")
_YEAR = re.compile(r"([0-9]{4})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_QUARTER = re.compile(r"([0-9]{4})-?[Qq]([1-4])")
_RANGE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?\s*(?:\.\.|/|,)\s*([0-9]{4}-[0-9]{2}-[0-9]{2})?")
_MONTHS = {"week": 0, "month": 1, "quarter": 3, "year": 12}


def read_period(text: str, today: date) -> Period:
    """First and last day, both included; None is open. Raises ValueError for what is no period."""
    text = text.strip()
    try:
        found = _read(text, today)
    except OverflowError as error:
        raise ValueError(text) from error
    start, end = found
    if start is not None and end is not None and start > end:
        raise ValueError(text)
    return found


def _read(text: str, today: date) -> Period:
    if text == "all":
        return None, None
    if text in ("today", "yesterday", "tomorrow"):
        day = today + timedelta(days={"today": 0, "yesterday": -1, "tomorrow": 1}[text])
        return day, day
    if text in NAMES:
        return _named(text, today)
    for pattern, read in _FORMS:
        if (given := pattern.fullmatch(text)) is not None:
            return read(given, today)
    day = date.fromisoformat(text)
    return day, day


def _named(text: str, today: date) -> Period:
    if text.endswith("_to_date"):
        return start_of(today, text.removesuffix("_to_date")), today
    which, unit = text.split("_")
    start = start_of(today, unit)
    start = _shift(start, unit, {"this": 0, "last": -1, "next": 1}[which])
    return start, _shift(start, unit, 1) - timedelta(days=1)


def _rolling(given: re.Match[str], today: date) -> Period:
    count, unit = int(given[2]), given[3].removesuffix("s")
    if unit in ("day", "week"):
        span = timedelta(days=count * (7 if unit == "week" else 1))
        return (
            (today - span + timedelta(days=1), today)
            if given[1] == "last"
            else (today, today + span - timedelta(days=1))
        )
    if given[1] == "last":
        return _shift(today, unit, -count) + timedelta(days=1), today
    return today, _shift(today, unit, count) - timedelta(days=1)


def _of_year(given: re.Match[str], today: date) -> Period:
    year = int(given[1])
    return date(year, 1, 1), date(year, 12, 31)


def _of_month(given: re.Match[str], today: date) -> Period:
    year, month = int(given[1]), int(given[2])
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _of_quarter(given: re.Match[str], today: date) -> Period:
    start = date(int(given[1]), int(given[2]) * 3 - 2, 1)
    return start, _shift(start, "quarter", 1) - timedelta(days=1)


def _of_range(given: re.Match[str], today: date) -> Period:
    return (
        date.fromisoformat(given[1]) if given[1] else None,
        date.fromisoformat(given[2]) if given[2] else None,
    )


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Period]], ...] = (
    (_ROLLING, _rolling),
    (_YEAR, _of_year),
    (_MONTH, _of_month),
    (_QUARTER, _of_quarter),
    (_RANGE, _of_range),
)


def start_of(day: date, unit: str) -> date:
    """The first day of the day, week (Monday), month, quarter or year."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1) if unit == "year" else day


def end_of(day: date, unit: str) -> date:
    """The last day of the bucket that begins with `day`."""
    return day if unit == "day" else _shift(start_of(day, unit), unit, 1) - timedelta(days=1)


def _shift(day: date, unit: str, count: int) -> date:
    """`count` units on; the day is clamped to the month's end."""
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(year)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
