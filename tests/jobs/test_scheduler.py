"""Schedules: one scheduler, each due time once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from runtime.clock import FakeClock
from runtime.jobs.registry import schedules
from runtime.jobs.scheduler import Scheduler, last_due
from runtime.schema.internal import fire
from runtime.site import Site


def _fires(site: Site) -> int:
    with site.session() as session:
        count = sa.select(sa.func.count()).select_from(fire).where(fire.c.rule == "housekeeping")
        return session.connection.scalar(count) or 0


@pytest.mark.promise("P09")
def test_each_due_time_fires_once(site: Site, clock: FakeClock) -> None:
    one, two = Scheduler(site, "one"), Scheduler(site, "two")
    assert one.tick() >= 1
    assert one.tick() == 0
    assert two.tick() == 0  # one holds the lease
    clock.advance(minutes=5)
    two.tick()  # what is due every few minutes is
    assert _fires(site) == 1
    clock.advance(days=1)
    assert two.tick() >= 0
    assert one.tick() == 0
    assert _fires(site) == 2


def test_due_times_are_local(site: Site, clock: FakeClock) -> None:
    due = last_due("17 3 * * *", clock.now(), site)
    assert due is not None
    assert due.astimezone(site.zone).strftime("%H:%M") == "03:17"
    assert last_due("99 99 * * *", clock.now(), site) is None
    with site.session() as session:
        assert "housekeeping" in {s.name for s in schedules(session.app)}
