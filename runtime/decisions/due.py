"""When a time counted from a moment of many records has come: one bound for all of them, so that SQL just compares.

Minutes, hours and working hours count on the clock; days, weeks and working days by the business date, so that a rule
that runs each morning is not thrown off by seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rules.durations import Duration
from runtime.environment import working_time

if TYPE_CHECKING:
    from runtime.site import Session

_DAYS = {"d": 1, "w": 7}
_HORIZON = 60  # days that working hours may take beyond three times their length
_PRECISION = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Bound:
    """Due is what lies on `day` or before, or at `moment` or before; exactly one of the two is set."""

    day: date | None = None
    moment: datetime | None = None

    def reached(self, session: Session, anchor: date | datetime) -> bool:
        """Whether an anchor lies within the bound."""
        if self.day is not None:
            day = anchor.astimezone(session.zone).date() if isinstance(anchor, datetime) else anchor
            return day <= self.day
        assert self.moment is not None
        return (anchor if isinstance(anchor, datetime) else start_of(session, anchor)) <= self.moment

    def on(self, session: Session, anchor: Any, kind: str) -> sa.ColumnElement[bool]:
        """The condition on a column or expression of kind date or datetime."""
        log = session.table("stage_log").c  # its columns have the types of moments and dates
        if kind == "date":
            day = self.day or (self.moment.astimezone(session.zone).date() if self.moment else None)
            return anchor <= sa.literal(day, log.moved_on.type)
        if self.day is not None:
            return anchor < sa.literal(start_of(session, self.day + timedelta(days=1)), log.moved_at.type)
        return anchor <= sa.literal(self.moment, log.moved_at.type)


def start_of(session: Session, day: date) -> datetime:
    return datetime.combine(day, time.min, session.zone).astimezone(UTC)


def bound(session: Session, duration: Duration | None, *, before: bool = False) -> Bound:
    """The latest anchor for which `duration` has passed by now (`before`: for which it is at most that far ahead)."""
    if duration is None:
        return Bound(moment=session.now)
    if before:
        return _ahead(session, duration)
    if duration.unit in _DAYS:
        return Bound(day=session.today - timedelta(days=duration.amount * _DAYS[duration.unit]))
    if duration.unit == "wd":
        return Bound(day=_working_days_ago(session, duration.amount))
    if duration.unit == "wh":
        return Bound(moment=_working_hours_ago(session, duration))
    return Bound(moment=session.now - duration.elapsed)


def _ahead(session: Session, duration: Duration) -> Bound:
    if duration.unit in _DAYS:
        return Bound(day=session.today + timedelta(days=duration.amount * _DAYS[duration.unit]))
    if duration.unit == "wd":
        return Bound(day=working_time(session).calendar.add(session.today, duration.amount) or date.max)
    return Bound(moment=working_time(session).add(session.now, duration) or session.now)


def _working_days_ago(session: Session, count: int) -> date:
    """The latest day from which `count` working days lead to today or before."""
    calendar = working_time(session).calendar
    day = calendar.add(session.today + timedelta(days=1), -count - 1)
    if day is None:
        return date.min
    while (after := calendar.add(day + timedelta(days=1), count)) is not None and after <= session.today:
        day += timedelta(days=1)
    return day


def _working_hours_ago(session: Session, duration: Duration) -> datetime:
    working = working_time(session)
    late, early = session.now, session.now - timedelta(hours=duration.amount * 8, days=_HORIZON)
    while late - early > _PRECISION:
        middle = early + (late - early) / 2
        reached = working.add(middle, duration)
        if reached is not None and reached <= session.now:
            early = middle
        else:
            late = middle
    return early
