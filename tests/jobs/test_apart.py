"""The process that runs the jobs beside the servers: woken by them, replaced when it is killed, gone when they are."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.packages import platform
from runtime.bell import Bell
from runtime.jobs import enqueue
from runtime.jobs.queue import DONE
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site
from web.serving import JOBS

pytestmark = pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="processes are found in /proc")
PATIENCE = 30.0


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def children(pid: int) -> dict[int, str]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            head, tail = (entry / "stat").read_text().rsplit(")", 1)
            if tail.split()[1] == str(pid) and tail.split()[0] != "Z":
                found[int(entry.name)] = head.split("(", 1)[1]
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Served:
    """A site behind `octavo serve`, with the processes that belong to it."""

    def __init__(self, site: Site) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.site = site
        command = [sys.executable, "-m", "web.cli", "--site", str(site.folder), "serve", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
        until(lambda: self._answers(port), "the server does not answer")

    @staticmethod
    def _answers(port: int) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            return bool(answer.status == 200)
        return False

    @property
    def jobs(self) -> int:
        return next(pid for pid, name in children(self.process.pid).items() if name == JOBS)

    @property
    def servers(self) -> list[int]:
        return [pid for pid, name in children(self.process.pid).items() if name != JOBS]

    def runs(self) -> int:
        """Runs one job; the process that did."""
        with self.site.session(write=True) as session:
            enqueue(session, "sweep_files", {})
        table = self.site.tables.table("job")
        query = sa.select(table.c.state, table.c.worker).order_by(table.c.id.desc()).limit(1)

        def done() -> bool:
            with self.site.session() as session:
                return session.connection.execute(query).one().state == DONE

        until(done, "the job is not run")
        with self.site.session() as session:
            return int(session.connection.execute(query).one().worker.split(":")[1])


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    settings = throwaway_settings(tmp_path, database_url=database_url)
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform()])
        served = Served(site)
        try:
            yield served
        finally:
            for pid in (*children(served.process.pid), served.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            served.process.wait()


def test_a_killed_process_of_the_jobs_is_replaced_by_a_server(served: Served) -> None:
    first, (server,) = served.jobs, served.servers
    assert served.runs() == first
    os.kill(first, signal.SIGKILL)
    until(lambda: not alive(first), "it survives")
    assert served.runs() == server
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    assert not alive(server)


def test_it_ends_with_the_server_and_when_nobody_is_left(served: Served) -> None:
    jobs, servers = served.jobs, served.servers
    for pid in (served.process.pid, *servers):
        os.kill(pid, signal.SIGKILL)
    served.process.wait()
    until(lambda: not alive(jobs), "the process of the jobs goes on without servers")


def test_told_to_stop_it_is_gone_before_the_server(served: Served) -> None:
    jobs, servers = served.jobs, served.servers
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    assert not [pid for pid in (jobs, *servers) if alive(pid)]


def test_a_ring_is_heard_at_the_other_end_and_never_waits() -> None:
    heard, line = os.pipe()
    bell = Bell()
    bell.connect(line)
    for _ in range(100_000):  # more than a pipe holds
        bell.ring()
    assert os.read(heard, 10) == b"\n" * 10
    os.close(heard)
    bell.ring()  # nobody is left
    os.close(line)
