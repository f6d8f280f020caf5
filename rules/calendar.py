"""Working days: Monday to Friday, less holidays, plus the days worked instead (make-up Saturdays and Sundays)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

MAX_WORKDAYS = 4000  # that may be added at once
_LAST = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Calendar:
    """`off` are weekdays not worked, `on` weekend days worked; both sorted ordinals."""

    off: tuple[int, ...] = ()
    on: tuple[int, ...] = ()

    @classmethod
    def of(cls, holidays: Iterable[date] = (), workdays: Iterable[date] = ()) -> Calendar:
        return cls(
            tuple(sorted({d.toordinal() for d in holidays if d.weekday() < 5})),
            tuple(sorted({d.toordinal() for d in workdays if d.weekday() >= 5})),
        )

    def is_workday(self, day: date) -> bool:
        return self._count(day.toordinal()) > self._count(day.toordinal() - 1)

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`; negative where `end` is earlier."""
        return self._count(end.toordinal()) - self._count(start.toordinal())

    def add(self, day: date, count: int) -> date | None:
        """The `count`-th working day after `day` (before it, where negative); `day` itself for 0."""
        if count == 0:
            return day
        if abs(count) > MAX_WORKDAYS:
            return None
        start = day.toordinal()
        reach = abs(count) * 2 + 14 + len(self.off)
        if count > 0:
            return self._first(start + 1, start + reach, self._count(start) + count)
        return self._first(start - reach, start - 1, self._count(start - 1) + count + 1)

    def _first(self, low: int, high: int, wanted: int) -> date | None:
        """The first day between `low` and `high` by which `wanted` working days have passed."""
        while low < high:
            middle = (low + high) // 2
            if self._count(middle) >= wanted:
                high = middle
            else:
                low = middle + 1
        return date.fromordinal(low) if 1 <= low <= _LAST and self._count(low) == wanted else None

    def _count(self, ordinal: int) -> int:
        """Working days up to and with the day, counted from Monday 0001-01-01."""
        weeks, rest = divmod(ordinal - 1, 7)
        return weeks * 5 + min(rest + 1, 5) - bisect_right(self.off, ordinal) + bisect_right(self.on, ordinal)


PLAIN = Calendar()
