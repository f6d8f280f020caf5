"""What the scheduler does by itself, night after night."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime import records
from runtime.clock import FakeClock
from runtime.commands.doctor import examine
from runtime.commands.verify import lines, verify
from runtime.jobs import Worker
from runtime.jobs.scheduler import Scheduler
from runtime.publishing.publish import publish
from runtime.schema.internal_records import audit_seal
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site

METADATA = """
entity: account
title: name
fields:
  name: text
  since: date
  invoices: {type: related, entity: invoice, by: account}
  owed: {type: integer, formula: "invoices.sum(amount)"}
  age: {type: integer, formula: "days_between(since, today())", keep: daily}
---
entity: invoice
fields:
  account: {type: link, to: account}
  amount: integer
"""


@pytest.fixture
def books(tmp_path: Path, database_url: str, clock: FakeClock) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF")
    write_settings(settings)
    with Site(settings, clock) as site:
        publish(site, [platform(), load_texts({"all.yaml": METADATA}, "site")])
        with site.session(write=True) as session:
            for number in range(3):
                saved = records.create(session, "account", {"name": f"{number}", "since": "2026-03-01"})
                records.create(session, "invoice", {"account": saved.id, "amount": 10 * number})
        yield site


def night(site: Site, clock: FakeClock) -> None:
    """A day passes; the scheduler and a worker do what falls due."""
    scheduler = Scheduler(site, "one")
    for _ in range(24):
        clock.advance(hours=1)
        scheduler.tick()
        Worker(site).run_all()


def values(site: Site, field: str) -> list[Any]:
    with site.session() as session:
        table = session.table("account")
        return list(session.connection.scalars(sa.select(table.c[field]).order_by(table.c.id)))


def looks(site: Site) -> dict[str, tuple[str, str]]:
    return {f.code: (f.state, f.sentence("en")) for f in examine(site)}


def test_drift_is_repaired_logged_and_told(books: Site, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    with books.session(write=True) as session:
        table = session.table("account")
        session.connection.execute(sa.update(table).where(table.c.id == 3).values(owed=999))
    assert "account.owed: 1 records differ" in lines(verify(books), "en")[0]
    with caplog.at_level(logging.WARNING, "octavo.publishing"):
        night(books, clock)
    assert values(books, "owed") == [0, 10, 20]
    assert "account.owed" in caplog.text
    found = looks(books)
    assert found["drift"][0] == "warning"
    assert "account.owed (1)" in found["drift"][1]
    assert found["compared"][0] == "ok"
    clock.advance(days=7)
    night(books, clock)
    assert looks(books)["drift"][0] == "ok"
    assert verify(books)["drift"] == []


def test_values_kept_daily_move_with_the_day(books: Site, clock: FakeClock) -> None:
    before = values(books, "age")
    assert before == [15, 15, 15]
    night(books, clock)
    assert values(books, "age") == [16, 16, 16]


def test_audit_rows_are_sealed(books: Site, clock: FakeClock) -> None:
    night(books, clock)
    with books.session() as session:
        seals = session.connection.scalar(sa.select(sa.func.count()).select_from(audit_seal))
    assert seals == 1
    assert looks(books)["audit"][0] == "ok"
    with books.session(write=True) as session:
        table = session.table("audit")
        session.connection.execute(sa.update(table).where(table.c.id == 1).values(action="delete"))
    assert looks(books)["audit"][0] == "error"


def test_what_was_recycled_is_no_drift(books: Site, clock: FakeClock) -> None:
    with books.session(write=True) as session:
        records.delete(session, "invoice", 3)
    night(books, clock)
    assert looks(books)["drift"][0] == "ok"
    assert values(books, "owed") == [0, 10, 0]


def test_nights_without_a_worker_are_told(books: Site, clock: FakeClock) -> None:
    assert looks(books)["compared"][0] == "ok"
    clock.advance(days=3)
    assert looks(books)["compared"][0] == "warning"
