"""Working time: moments moved by hours that are worked, on the days that are worked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from rules.calendar import Calendar
from rules.durations import Duration

HOUR = 3_600_000  # milliseconds
LONGEST_DAYS = 6000  # a search for working time ends here
Span = tuple[time, time]
OFFICE_HOURS: tuple[Span, ...] = ((time(9), time(12)), (time(13), time(18)))


def milliseconds(moment: time) -> int:
    """Since midnight."""
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000


@lru_cache(maxsize=16)
def parse_spans(text: str) -> tuple[Span, ...]:
    """`09:00-12:00,13:00-18:00` as spans. Raises `ValueError` for what is none, overlaps, or is out of order."""
    spans: list[Span] = []
    for part in text.split(","):
        start, _, end = part.strip().partition("-")
        span = (time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
        if span[0] >= span[1] or (spans and span[0] < spans[-1][1]):
            raise ValueError(f"working hours {text!r} are out of order")
        spans.append(span)
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The working calendar with the hours of a day, in the business zone."""

    calendar: Calendar
    zone: ZoneInfo
    spans: Sequence[Span] = OFFICE_HOURS

    def add(self, moment: datetime, duration: Duration) -> datetime | None:
        """`moment` (aware) moved by `duration`, in UTC; None beyond the range of dates.

        Working days keep the time of day and end on a working day; working hours run through the spans of working
        days.
        """
        try:
            if duration.unit == "wd":
                local = moment.astimezone(self.zone)
                day = self.calendar.add(local.date(), duration.amount)
                return None if day is None else self._at(day, local.time())
            if duration.unit == "wh":
                return self._after(moment, timedelta(hours=duration.amount))
            return moment.astimezone(UTC) + duration.elapsed
        except OverflowError:
            return None

    def is_open(self, moment: datetime) -> bool:
        """Whether people are at work at this moment."""
        local = moment.astimezone(self.zone)
        return self.calendar.is_workday(local.date()) and any(a <= local.time() < b for a, b in self.spans)

    def hours(self, start: datetime, end: datetime) -> Decimal:
        """Working hours from `start` to `end` with two decimals, negative where `end` is earlier; by the clock on the
        wall, so that the days between need not be walked through."""
        worked = Decimal(self._worked(end) - self._worked(start)) / HOUR
        return worked.quantize(Decimal("0.01"), ROUND_HALF_UP)

    def _worked(self, moment: datetime) -> int:
        """Milliseconds worked since the first of all days."""
        local = moment.astimezone(self.zone)
        day = local.date()
        days = self.calendar.between(date.min, day)
        today = self.calendar.is_workday(day)
        spans = [(milliseconds(start), milliseconds(end)) for start, end in self.spans]
        here = milliseconds(local.time())
        sofar = sum(min(max(here - start, 0), end - start) for start, end in spans)
        return (days - today) * sum(end - start for start, end in spans) + today * sofar

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from `start` to `end`; zero where `end` is not later."""
        worked = timedelta()
        for opening, closing in self._stretches(start):
            if opening >= end:
                break
            worked += min(closing, end) - max(opening, start)
        return worked

    def _after(self, moment: datetime, wanted: timedelta) -> datetime | None:
        for opening, closing in self._stretches(moment):
            begin = max(opening, moment)
            if closing - begin >= wanted:
                return (begin + wanted).astimezone(UTC)
            wanted -= closing - begin
        return None

    def _stretches(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of work that end after `moment`, in order."""
        day = moment.astimezone(self.zone).date()
        for _ in range(LONGEST_DAYS):
            if self.calendar.is_workday(day):
                for start, end in self.spans:
                    closing = self._at(day, end)
                    if closing > moment:
                        yield self._at(day, start), closing
            day += timedelta(days=1)

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.zone).astimezone(UTC)
