"""Whoever asks for twins learns that records exist which he may not see: so he may not ask without end.

Counted in each process for itself: the answer is part of a transaction that is often taken back, and a count kept in
the database would go with it.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from runtime.errors import TooManyRequests

if TYPE_CHECKING:
    from runtime.site import Session

A_MINUTE, AN_HOUR = 30, 300  # answers about records out of sight, to one person
_MOST_PEOPLE = 10_000
_asked: dict[tuple[int, int | None], deque[float]] = {}
_lock = Lock()


def count(session: Session) -> None:
    """Counts one answer about records the person may not see. Raises `TooManyRequests` beyond the limits."""
    now = session.now.timestamp()
    with _lock:
        if len(_asked) > _MOST_PEOPLE:
            _asked.clear()
        times = _asked.setdefault((id(session.site), session.user.id), deque())
        while times and times[0] <= now - 3600:
            times.popleft()
        if len(times) >= AN_HOUR:
            raise TooManyRequests(seconds=int(times[0] + 3600 - now) + 1)
        recent = [t for t in times if t > now - 60]
        if len(recent) >= A_MINUTE:
            raise TooManyRequests(seconds=int(recent[0] + 60 - now) + 1)
        times.append(now)


def forget_all() -> None:
    """Everybody starts anew: for tests."""
    with _lock:
        _asked.clear()
