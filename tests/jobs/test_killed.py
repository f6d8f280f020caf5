"""Workers killed without warning: every effect in the database exactly once, with and without Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.packages import platform
from runtime.jobs import enqueue
from runtime.jobs.queue import DONE
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site

ROOT = Path(__file__).resolve().parents[2]
JOBS = 60
WORKER = """
import sys, time
from pathlib import Path
from threading import Event
import tests.jobs.effects
from runtime.jobs import Worker
from runtime.site import Site

print("ready", flush=True)
Worker(Site.open(Path(sys.argv[1]))).run_forever(Event())
"""
RQ_WORKER = """
import sys
from pathlib import Path
import tests.jobs.effects
from runtime.jobs.relay import rq_worker
from runtime.site import Site

print("ready", flush=True)
rq_worker(Site.open(Path(sys.argv[1]))).work(with_scheduler=False, logging_level="ERROR")
"""


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, job_lease_seconds=1, job_tries=50)
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform()])
        yield site


def run_worker(site: Site, script: str = WORKER, **environment: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "OCTAVO_SITE": str(site.folder), **environment}
    arguments = [sys.executable, "-W", "ignore", "-c", script, str(site.folder)]
    worker = subprocess.Popen(arguments, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def stop(worker: subprocess.Popen[str]) -> None:
    """kill -9: no chance to say good-bye."""
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def fill(site: Site) -> None:
    import tests.jobs.effects  # noqa: F401 - registers the job

    with site.session(write=True) as session:
        for number in range(JOBS):
            enqueue(session, "test_effect", {"number": number})


def done(site: Site) -> int:
    with site.session() as session:
        table = session.table("job")
        count = sa.select(sa.func.count()).where(table.c.state == DONE, table.c.name == "test_effect")
        return session.connection.scalar(count) or 0


def effects(site: Site) -> list[str]:
    with site.session() as session:
        return list(session.connection.scalars(sa.select(session.table("currency").c.name)))


def wait_for(site: Site, count: int, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while done(site) < count and time.monotonic() < end:
        time.sleep(0.05)


@pytest.mark.promise("P04")
def test_killed_workers_leave_each_effect_once(site: Site) -> None:
    fill(site)
    for round_ in range(3):
        worker = run_worker(site)
        wait_for(site, (round_ + 1) * 8)
        stop(worker)
    assert done(site) < JOBS
    worker = run_worker(site)
    wait_for(site, JOBS)
    stop(worker)
    assert done(site) == JOBS
    assert sorted(effects(site), key=int) == [str(n) for n in range(JOBS)]


def _redis() -> str:
    url = os.environ.get("OCTAVO_TEST_REDIS", "redis://127.0.0.1:6379/9")
    try:
        from redis import Redis

        Redis.from_url(url, socket_connect_timeout=1).ping()
    except Exception:
        pytest.skip("no Redis answers on 127.0.0.1:6379")
    return url


@pytest.mark.promise("P05")
@pytest.mark.attack("T8", "T9", "T10", "T11", "N72")
def test_redis_loses_rings_but_no_jobs(tmp_path: Path) -> None:
    from redis import Redis

    from runtime.jobs.relay import queue_of, sweep

    url = _redis()
    Redis.from_url(url).flushdb()
    settings = throwaway_settings(tmp_path, redis_url=url, job_lease_seconds=1)
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform()])
        fill(site)
        assert queue_of(url).count == JOBS
        raw = Redis.from_url(url).hgetall("rq:job:octavo-1")
        assert b"octavo-1" not in raw.get(b"data", b"") or not raw[b"data"].startswith(b"\x80")  # never a pickle
        Redis.from_url(url).flushdb()
        queue_of(url).enqueue_call("os.system", args=("touch pwned",))
        assert sweep(site) == JOBS
        worker = run_worker(site, RQ_WORKER)
        wait_for(site, JOBS)
        stop(worker)
        assert done(site) == JOBS
        assert sorted(effects(site), key=int) == [str(n) for n in range(JOBS)]
        assert not (ROOT / "pwned").exists()
        Redis.from_url(url).flushdb()
    with Site(throwaway_settings(tmp_path, redis_url="redis://127.0.0.1:1/0")) as site:  # Redis away: nobody notices
        fill(site)
        assert done(site) == JOBS
