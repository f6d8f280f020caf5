"""Workers killed in the middle of workflows and reminders: what they do in the database is there exactly once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime import records
from runtime.jobs import enqueue
from runtime.jobs.relay import sweep
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site
from tests.jobs.test_killed import RQ_WORKER, WORKER, _redis, run_worker, stop

RECORDS = 24
KILLS = 6
APPLICATION = """
entity: parcel
title: name
owner: owner
fields:
  name: {type: text, required: true}
  sent: {type: integer, default: 0}
  late: {type: integer, default: 0}
  owner: user
---
entity: slip
title: text
fields:
  text: {type: text, required: true}
  parcel: {type: link, to: parcel}
---
workflow: packed
entity: parcel
on: create
steps:
  - {slip: {text: "Slip of {name}", parcel: "=id"}}
  - {set: {sent: "=sent + 1"}}
  - {notify: {to: owner, subject: "Packed {name}"}}
  - {slip: {text: "Copy of {name}", parcel: "=id"}}
---
reminder: unsent
entity: parcel
where: "late == 0"
to: owner
then:
  - {slip: {text: "Late {name}", parcel: "=id"}}
subject: "{name} is late"
---
role: packer
grants: {"*": {read: all}}
"""


@pytest.fixture(params=["database", "redis"])
def site(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Site]:
    more = {"redis_url": _redis()} if request.param == "redis" else {}
    settings = throwaway_settings(tmp_path, database_url=database_url, job_lease_seconds=1, job_tries=50, **more)
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform(), load_texts({"site.yaml": APPLICATION}, "site")])
        yield site


def count(site: Site, entity: str, **same: object) -> int:
    with site.session() as session:
        table = session.table(entity)
        wanted = sa.select(sa.func.count()).select_from(table).where(*(table.c[k] == v for k, v in same.items()))
        return int(session.connection.scalar(wanted) or 0)


def open_jobs(site: Site) -> int:
    return count(site, "job", state="waiting") + count(site, "job", state="running")


def work_and_kill(site: Site) -> None:
    script = RQ_WORKER if site.settings.redis_url else WORKER
    for _ in range(KILLS):
        worker = run_worker(site, script)
        time.sleep(random.uniform(0.05, 0.7))
        stop(worker)
    worker = run_worker(site, script)
    end = time.monotonic() + 90
    while open_jobs(site) and time.monotonic() < end:
        time.sleep(0.2)
        if site.settings.redis_url:
            sweep(site)
    stop(worker)
    assert open_jobs(site) == 0


@pytest.mark.promise("P04")
def test_killed_workers_do_each_step_and_each_reminder_once(site: Site) -> None:
    with site.session(write=True) as session:
        owner = records.create(session, "user", {"login": "ann", "name": "Ann", "roles": [{"role": "packer"}]}).id
        rows = [{"name": f"P{n}", "owner": owner} for n in range(RECORDS)]
        made = [saved.id for saved in records.create_many(session, "parcel", rows)]  # type: ignore[union-attr]
    work_and_kill(site)
    with site.session(write=True) as session:
        enqueue(session, "remind", {"names": ["unsent"]})
    work_and_kill(site)
    assert count(site, "workflow_run", state="done") == RECORDS
    assert count(site, "workflow_step") == RECORDS * 4
    assert count(site, "notification", word="workflow") == RECORDS
    assert count(site, "parcel", sent=1) == RECORDS
    assert count(site, "reminder_notice") == RECORDS
    assert count(site, "notification", word="reminder") == 1  # one digest
    with site.session() as session:
        slip = session.table("slip")
        found = session.connection.execute(sa.select(slip.c.parcel, slip.c.text).order_by(slip.c.parcel, slip.c.text))
        assert [tuple(row) for row in found] == [
            (parcel, f"{word} P{n}") for n, parcel in enumerate(made) for word in ("Copy of", "Late", "Slip of")
        ]
