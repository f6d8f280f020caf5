"""The one source of the present moment. Injected, so that tests and simulations say what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC, whole milliseconds: what the databases keep."""


class SystemClock:
    def now(self) -> datetime:
        return whole_milliseconds(datetime.now(UTC))


class FakeClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime | str = "2026-03-16T01:30:00+00:00") -> None:
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        self._now = whole_milliseconds(moment.astimezone(UTC))
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def set(self, now: datetime) -> None:
        with self._lock:
            self._now = whole_milliseconds(now.astimezone(UTC))

    def advance(self, **delta: float) -> datetime:
        """Moves on by `timedelta(**delta)`; answers the new moment."""
        with self._lock:
            self._now += timedelta(**delta)
            return self._now


def whole_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
