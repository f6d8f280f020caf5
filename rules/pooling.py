"""Pools: when a held record comes back, what hinders a claim. Pure: figures and moments in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.durations import Duration
from rules.working import WorkingTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a person who wants to claim: claims made today, records held per ceiling, the last return.

    `asked` says that somebody's claim waits for an approval (`own`: the person's), `answered_by` until when.
    """

    member: bool
    claimed_today: int = 0
    held: tuple[int, ...] = ()
    gave_up_at: datetime | None = None
    asked: bool = False
    own: bool = False
    answered_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a claim is not possible: a word, and the figures for the sentence."""

    word: str  # outsider, waiting, asked, daily, holding, cooldown
    limit: int = 0
    index: int = 0
    until: datetime | None = None


def obstacle(
    standing: Standing, *, daily: int | None, ceilings: tuple[int, ...], cooldown_ends: datetime | None, now: datetime
) -> Obstacle | None:
    """The first thing in the way of a claim, or None."""
    if not standing.member:
        return Obstacle(word="outsider")
    if standing.asked:
        return Obstacle(word="waiting" if standing.own else "asked", until=standing.answered_by)
    if cooldown_ends is not None and now < cooldown_ends:
        return Obstacle(word="cooldown", until=cooldown_ends)
    if daily is not None and standing.claimed_today >= daily:
        return Obstacle(word="daily", limit=daily)
    for index, limit in enumerate(ceilings):
        if standing.held[index] >= limit:
            return Obstacle(word="holding", limit=limit, index=index)
    return None


def due_at(since: date | datetime | None, after: Duration, working: WorkingTime) -> date | datetime | None:
    """When a record comes back: a date where days or weeks are counted, else a moment."""
    if since is None:
        return None
    day = _day(since, working.zone)
    if after.unit in ("d", "w"):
        return day + timedelta(days=after.amount * (7 if after.unit == "w" else 1))
    if after.unit == "wd":
        return working.calendar.add(day, after.amount)
    moment = since if isinstance(since, datetime) else _start(day, working.zone)
    return working.add(moment, after)


def is_due(due: date | datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether that moment or day has come."""
    if due is None:
        return False
    return now >= due if isinstance(due, datetime) else now.astimezone(zone).date() >= due


def warned_at(due: date | datetime, warn: Duration, working: WorkingTime) -> date | datetime | None:
    """When its owner is told: `warn` before it is due, as far as that can be counted backwards."""
    if warn.unit in ("d", "w", "wd"):
        days = warn.amount * (7 if warn.unit == "w" else 1)
        day = _day(due, working.zone)
        return working.calendar.add(day, -days) if warn.unit == "wd" else day - timedelta(days=days)
    if warn.unit == "wh":
        return None
    moment = due if isinstance(due, datetime) else _start(due, working.zone)
    return moment - warn.elapsed


def days_left(due: date | datetime | None, today: date, zone: ZoneInfo) -> int | None:
    """Days until a record comes back; 0 where it is due today or was before."""
    return None if due is None else max(0, (_day(due, zone) - today).days)


def earliest(after: Duration) -> timedelta:
    """A time that must have gone by at least before a record can be due: what a query may sort out beforehand."""
    if after.unit == "wh":
        return timedelta(hours=after.amount)
    if after.unit == "wd":
        return timedelta(days=after.amount)
    return after.elapsed


def _day(moment: date | datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
