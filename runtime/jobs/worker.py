"""Takes jobs and runs them: in a thread of the web process, in `octavo worker`, or called by RQ."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread

import sqlalchemy as sa

from runtime.errors import Answer
from runtime.jobs.context import JobContext, LeaseLost
from runtime.jobs.queue import RUNNING, Claimed, claim, fail, finish
from runtime.jobs.registry import Job, jobs
from runtime.jobs.scheduler import Scheduler
from runtime.messages import say
from runtime.site import Site

_log = logging.getLogger("octavo.jobs")
IDLE_SECONDS = 1.0
TICK_SECONDS = 5.0


class Worker:
    """Runs one job at a time. Several may run on one site, in any number of processes."""

    def __init__(self, site: Site, name: str | None = None) -> None:
        self.site = site
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    def run_once(self, job_id: int | None = None) -> bool:
        """Runs the next due job (or this one). False where nothing is due."""
        claimed = claim(self.site, self.name, job_id)
        if claimed is None:
            return False
        self._run(claimed)
        return True

    def run_all(self, most: int = 10_000) -> int:
        """Runs jobs until none is due; how many."""
        return next((count for count in range(most) if not self.run_once()), most)

    def run_forever(self, stop: Event) -> None:
        """Until `stop` is set; the job at hand is finished first. A database that is away is waited for."""
        while not stop.is_set():
            try:
                worked = self.run_once()
            except Answer as answer:
                _log.warning("the worker could not work: %s", answer.code)
                worked = False
            except Exception:
                _log.exception("the worker met an error and goes on")
                worked = False
            if not worked:
                self.site.bell.wait(IDLE_SECONDS)

    def _run(self, claimed: Claimed) -> None:
        found = jobs().get(claimed.name)
        language = self.site.settings.language
        if found is None:
            fail(self.site, claimed, say("job.unknown", language, name=claimed.name), most=0, final=True)
            return
        most = found.tries or self.site.settings.job_tries
        if claimed.tries > most:  # its worker died with it again and again
            fail(self.site, claimed, say("job.parked", language, name=claimed.name), most=most, final=True)
            return
        try:
            with heartbeat(self.site, claimed) if found.long else contextlib.nullcontext():
                self._execute(found, claimed)
        except LeaseLost:
            _log.warning("job %s was taken over by another worker", claimed.id)
        except Exception as error:
            _log.exception("job %s (%s) failed at try %s", claimed.id, claimed.name, claimed.tries)
            fail(self.site, claimed, f"{type(error).__name__}: {error}", most=most)

    def _execute(self, found: Job, claimed: Claimed) -> None:
        context = JobContext(self.site, claimed)
        if found.long:
            result = found.handler(context)
            with context.transaction() as session:
                finish(session, claimed, result)
            return
        with context.transaction() as session:
            finish(session, claimed, found.handler(session, claimed.payload))


@contextlib.contextmanager
def heartbeat(site: Site, claimed: Claimed) -> Iterator[None]:
    """Keeps the lease alive between the transactions of a long job."""
    stop = Event()

    def beat() -> None:
        while not stop.wait(site.settings.job_lease_seconds / 3):
            with contextlib.suppress(Exception):  # a busy database: the next beat will do
                extend(site, claimed)

    thread = Thread(target=beat, name=f"heartbeat-{claimed.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=1)


def extend(site: Site, claimed: Claimed) -> None:
    """Extends the lease, unless a transaction of the job holds its row: then it is alive without."""
    with site.session(write=True) as session:
        table = session.table("job")
        until = session.now + timedelta(seconds=site.settings.job_lease_seconds)
        mine = sa.select(table.c.id).where(
            table.c.id == claimed.id, table.c.worker == claimed.worker, table.c.state == RUNNING
        )
        free = mine.with_for_update(skip_locked=True)
        session.connection.execute(sa.update(table).where(table.c.id.in_(free)).values(lease_until=until))


class EmbeddedWorker:
    """Worker and scheduler as threads of the web process. With several processes the leases share the work out."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._stop = Event()
        self._threads: list[Thread] = []

    def start(self) -> None:
        worker, scheduler = Worker(self.site), Scheduler(self.site)
        self._threads = [
            Thread(target=worker.run_forever, args=(self._stop,), name="octavo-worker", daemon=True),
            Thread(target=scheduler.run_forever, args=(self._stop,), name="octavo-scheduler", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 25.0) -> None:
        """Lets the job at hand end."""
        self._stop.set()
        self.site.bell.ring()
        for thread in self._threads:
            thread.join(timeout=seconds)
