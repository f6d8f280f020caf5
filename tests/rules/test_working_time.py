"""Durations as they are written, and moments moved by working time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.durations import Duration, parse_duration
from rules.working import OFFICE_HOURS, WorkingTime, parse_spans

ZONE = ZoneInfo("Asia/Shanghai")
# New year of 2026: the 1st and 2nd off, Sunday the 4th worked instead
WORKING = WorkingTime(Calendar.of([date(2026, 1, 1), date(2026, 1, 2)], [date(2026, 1, 4)]), ZONE)


def at(day: int, hour: int, minute: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("30m", 30, "m"), ("24h", 24, "h"), ("2w", 2, "w"), ("24wh", 24, "wh"), ("3wd", 3, "wd")],
)
def test_durations_are_read(text: str, amount: int, unit: str) -> None:
    found = parse_duration(text)
    assert found == Duration(amount, unit)  # type: ignore[arg-type]
    assert str(found) == text


@pytest.mark.parametrize("text", ["", "0h", "3", "h", "-1d", "1.5h", "3 d", "3y", "999999h", "３d", "3d "])
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert parse_duration(text) is None


def test_durations_are_said_in_both_languages() -> None:
    assert Duration(3, "wd").said("zh") == "3 个工作日"
    assert Duration(1, "wh").said("en") == "1 working hour"
    assert Duration(24, "h").said("en") == "24 hours"


def test_elapsed_time_runs_on_the_clock() -> None:
    assert WORKING.add(at(2, 23), Duration(24, "h")) == at(3, 23)
    with pytest.raises(ValueError, match="no length"):
        _ = Duration(1, "wd").elapsed


def test_working_hours_pass_over_lunch_nights_holidays_and_use_make_up_days() -> None:
    # Wednesday 31 December 16:00: two hours that day, then Sunday the 4th is worked
    begin = datetime(2025, 12, 31, 16, tzinfo=ZONE)
    assert WORKING.add(begin, Duration(2, "wh")) == datetime(2025, 12, 31, 18, tzinfo=ZONE)
    assert WORKING.add(begin, Duration(3, "wh")) == at(4, 10)
    assert WORKING.add(begin, Duration(6, "wh")) == at(4, 14)  # 9-12 and 13-14
    assert WORKING.add(begin, Duration(24, "wh")) == at(6, 16)  # 2 + 8 + 8 + 6


def test_working_days_keep_the_hour() -> None:
    assert WORKING.add(datetime(2025, 12, 31, 16, tzinfo=ZONE), Duration(1, "wd")) == at(4, 16)
    assert WORKING.add(at(1, 8), Duration(2, "wd")) == at(5, 8)


def test_hours_between_count_only_working_time() -> None:
    assert WORKING.between(at(4, 8), at(4, 20)) == timedelta(hours=8)
    assert WORKING.between(at(1, 0), at(3, 23)) == timedelta()
    assert WORKING.between(at(5, 10), at(4, 10)) == timedelta()
    assert WORKING.is_open(at(4, 9))
    assert not WORKING.is_open(at(4, 12, 30))
    assert not WORKING.is_open(at(1, 10))


@given(st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1)), st.integers(1, 60))
def test_between_takes_back_what_add_gave(moment: datetime, hours: int) -> None:
    begin = moment.replace(microsecond=0, tzinfo=UTC)
    end = WORKING.add(begin, Duration(hours, "wh"))
    assert end is not None
    assert WORKING.between(begin, end) == timedelta(hours=hours)


@given(st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1)), st.timedeltas(timedelta(), timedelta(days=60)))
def test_hours_are_between_with_two_decimals_and_a_sign(moment: datetime, later: timedelta) -> None:
    start = moment.replace(microsecond=0, tzinfo=UTC)
    end = start + timedelta(seconds=int(later.total_seconds()))
    seconds = Decimal(int(WORKING.between(start, end).total_seconds()))
    assert WORKING.hours(start, end) == (seconds / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert WORKING.hours(end, start) == -WORKING.hours(start, end)


def test_spans_are_read_and_refused() -> None:
    assert parse_spans("09:00-12:00, 13:00-18:00") == OFFICE_HOURS
    assert parse_spans("08:30-17:00") == ((time(8, 30), time(17)),)
    for wrong in ("", "9-12", "12:00-09:00", "09:00-12:00,11:00-18:00", "09:00"):
        with pytest.raises(ValueError):
            parse_spans(wrong)


def test_beyond_the_calendar_there_is_nothing() -> None:
    assert WORKING.add(datetime(9999, 12, 30, tzinfo=UTC), Duration(99999, "h")) is None
