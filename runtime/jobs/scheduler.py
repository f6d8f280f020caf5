"""Fires schedules: one process at a time by a lease row, each due time once by a row of its own."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from datetime import UTC, datetime, timedelta
from threading import Event

import sqlalchemy as sa

from metadata.model import Application
from runtime.errors import Answer
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import Schedule, schedules
from runtime.schema.internal import fire, lease
from runtime.site import Session, Site

LEASE = "scheduler"
LEASE_SECONDS = 30
TICK_SECONDS = 5.0
MISSED = timedelta(days=1)  # how late a due time that was slept through is still caught up
_log = logging.getLogger("octavo.jobs")


class Scheduler:
    def __init__(self, site: Site, name: str | None = None) -> None:
        self.site = site
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._done: dict[str, datetime] = {}  # the due time of a schedule that is known to be fired
        self._times: dict[str, tuple[datetime, datetime, datetime | None]] = {}  # from, until, the last due time then

    def tick(self) -> int:
        """Fires what is due; how many jobs were enqueued. 0 where another process is the scheduler."""
        due = self._due(self.site.application(), self.site.clock.now())  # before the lock of a writer is held
        with self.site.session(write=True) as session:
            if not hold(session, LEASE, self.name, LEASE_SECONDS):
                return 0
            fired = sum(self._fire(session, found, moment) for found, moment in due)
        self._done.update((found.name, moment) for found, moment in due)
        return fired

    def _due(self, app: Application, now: datetime) -> list[tuple[Schedule, datetime]]:
        """What may have to be fired: the due times this process has not seen fired."""
        found = ((s, self._last_due(s.cron, now)) for s in schedules(app))
        return [
            (s, due) for s, due in found if due is not None and due >= now - MISSED and self._done.get(s.name) != due
        ]

    def _last_due(self, cron: str, now: datetime) -> datetime | None:
        """`last_due`, worked out anew where the next due time has come, or the clock was put back."""
        known = self._times.get(cron)
        if known is None or not known[0] <= now < known[1]:
            following = next_due(cron, now, self.site) or now + MISSED
            known = self._times[cron] = (now, following, last_due(cron, now, self.site))
        return known[2]

    def run_forever(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.tick()
                if self.site.settings.redis_url:
                    self._sweep()
            except Answer as answer:
                _log.warning("the scheduler could not work: %s", answer.code)
            except Exception:
                _log.exception("the scheduler met an error and goes on")
            stop.wait(TICK_SECONDS)

    def _sweep(self) -> None:
        """Rings for jobs that are due and that nobody was told of: Redis may have lost the ring."""
        from runtime.jobs.relay import sweep  # late: Redis is loaded where it is used

        sweep(self.site)

    def _fire(self, session: Session, found: Schedule, due: datetime) -> bool:
        known = sa.select(fire.c.rule).where(fire.c.rule == found.name, fire.c.due_at >= due)
        if session.connection.scalar(known.limit(1)) is not None:
            return False
        session.connection.execute(sa.insert(fire).values(rule=found.name, due_at=due, fired_at=session.now))
        enqueue(session, found.job, found.payload, unique_key=f"schedule:{found.name}")
        return True


def last_due(cron: str, now: datetime, site: Site) -> datetime | None:
    """The latest due time up to now, in UTC; None for a cron expression that never comes."""
    local = now.astimezone(site.zone) + timedelta(seconds=1)
    from croniter import croniter  # late: of the processes that serve, one runs schedules

    try:
        found: datetime = croniter(cron, local).get_prev(datetime)
    except (ValueError, KeyError):
        return None
    return found.astimezone(UTC)


def next_due(cron: str, now: datetime, site: Site) -> datetime | None:
    """The first due time after `now`, in UTC; None for a cron expression that never comes."""
    local = now.astimezone(site.zone)
    from croniter import croniter  # late: of the processes that serve, one runs schedules

    try:
        found: datetime = croniter(cron, local).get_next(datetime)
    except (ValueError, KeyError):
        return None
    return found.astimezone(UTC)


def hold(session: Session, name: str, holder: str, seconds: int) -> bool:
    """Takes or keeps a lease; False while somebody else holds it."""
    until = session.now + timedelta(seconds=seconds)
    ours_or_over = sa.or_(lease.c.holder == holder, lease.c.until < session.now)
    taken = sa.update(lease).where(lease.c.name == name, ours_or_over).values(holder=holder, until=until)
    if session.connection.execute(taken).rowcount == 1:
        return True
    if session.connection.scalar(sa.select(lease.c.name).where(lease.c.name == name)) is not None:
        return False
    try:
        with session.connection.begin_nested():
            session.connection.execute(sa.insert(lease).values(name=name, holder=holder, until=until))
    except sa.exc.IntegrityError:  # another process was faster
        return False
    return True
