"""The recycle bin empties itself after the days the operator gives it; what is referred to stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.clock import FakeClock
from runtime.jobs import Worker, enqueue
from runtime.site import Site
from tests.records.world import open_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = open_site(database_url, tmp_path, clock=FakeClock())
    with made.session(write=True) as session:
        for number in (1, 2, 3):
            records.create(session, "account", {"name": f"a{number}"})
        lines = [{"item": "x", "price": 1}, {"item": "y", "price": 2}]
        records.create(session, "deal", {"name": "with lines", "account": 1, "lines": lines})
        records.create(session, "deal", {"name": "stays", "account": 2})
        records.delete(session, "deal", 1)
        records.delete(session, "account", 3)
    yield made
    made.close()


def rows(site: Site) -> dict[str, int]:
    with site.session() as session:
        return {
            name: int(session.connection.scalar(sa.select(sa.func.count()).select_from(session.table(name))) or 0)
            for name in ("account", "deal", "deal_line")
        }


def night(site: Site, days: int) -> None:
    site.settings = replace(site.settings, bin_keep_days=days)
    with site.session(write=True) as session:
        enqueue(session, "empty_bin")
    Worker(site).run_all()


def test_what_has_lain_long_enough_goes_for_ever(site: Site) -> None:
    whole = {"account": 3, "deal": 2, "deal_line": 2}
    night(site, 30)
    assert rows(site) == whole
    site.clock.advance(hours=24 * 31)  # type: ignore[attr-defined]
    night(site, 0)
    assert rows(site) == whole
    night(site, 30)
    assert rows(site) == {"account": 2, "deal": 1, "deal_line": 0}
    with site.session() as session:
        audit = session.table("audit")
        wanted = sa.select(audit.c.entity, audit.c.record).where(audit.c.action == "purge")
        assert sorted(tuple(row) for row in session.connection.execute(wanted)) == [("account", 3), ("deal", 1)]
        assert records.read(session, "deal", 2).values["name"] == "stays"


def test_what_something_still_refers_to_stays(site: Site) -> None:
    with site.session(write=True) as session:
        table = session.table("account")
        session.connection.execute(sa.update(table).where(table.c.id == 2).values(deleted_at=session.now))
    site.clock.advance(hours=24 * 31)  # type: ignore[attr-defined]
    night(site, 30)
    assert rows(site) == {"account": 2, "deal": 1, "deal_line": 0}
