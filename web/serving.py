"""Serving a site: the WSGI application of one process, its embedded worker, and the server around it."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib.util
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Thread

from filelock import FileLock, Timeout
from flask import Flask

from runtime.settings import load_settings
from runtime.site import Published, Site
from web.logging import configure_logging, log_requests

LOCK = "worker.lock"
JOBS = "octavo-jobs"
_STANDBY_SECONDS = 2.0
_TRIM_SECONDS = 10.0
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def application(published: Published | None = None, bell: int | None = None) -> Flask:
    """The factory a server calls in each of its processes; the site is that of OCTAVO_SITE.

    `published` is what the process that forked this one has compiled: served as long as nothing newer is published.
    `bell` is the pipe that wakes the process of the jobs, where there is one.
    """
    from web.app import create_app  # late: what it loads looks at the environment that `serve` sets

    _give_back()
    site = Site.open(Path(os.environ["OCTAVO_SITE"]), limited=True)
    if published is not None:
        site.adopt(published)
    if bell is not None:
        site.bell.connect(bell)
    configure_logging(site.folder)
    app = create_app(site)
    log_requests(app)
    if site.settings.embedded_worker and not site.settings.redis_url:
        start_worker(site)
    site.application()
    _settle()
    return app


def _give_back() -> None:
    """With glibc, threads share one heap, and what is large goes back to the system when it is let go.

    A heap for each would keep tens of megabytes that are free; and after checking its first password, which takes
    19 MiB for a moment, glibc would take as much out of the heap each time and keep it.
    """
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 2 << 20)
    except (AttributeError, OSError, TypeError):
        return  # another C library


def _settle() -> None:
    """What was loaded stays: the collector need not look at it again, and what loading left over goes back."""
    gc.collect()
    gc.freeze()
    _trim()


def _trim() -> None:
    """What the C library keeps for later goes back to the system: some MiB after a busy moment, in a millisecond."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return  # another C library


def start_worker(site: Site) -> None:
    """Background jobs in one process of the site: the one that gets the lock; another takes over when it ends."""
    Thread(target=_work, args=(site, _turn(site.folder)), name="octavo-embedded", daemon=True).start()


def _turn(folder: Path) -> FileLock:
    """Who holds it runs the jobs of the site."""
    run = folder / "run"
    run.mkdir(exist_ok=True)
    return FileLock(run / LOCK)


def _work(site: Site, lock: FileLock) -> None:
    from runtime.jobs import EmbeddedWorker  # late: only the process that holds the lock runs jobs

    while not lock.is_locked:
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=_TRIM_SECONDS, poll_interval=_STANDBY_SECONDS)
        _trim()
    worker = EmbeddedWorker(site)
    atexit.register(worker.stop, 10.0)
    worker.start()


@contextlib.contextmanager
def jobs_apart(folder: Path, published: Published | None) -> Iterator[int | None]:
    """Meanwhile a process of its own runs the jobs; the pipe that wakes it, None where jobs do not run embedded.

    So an import or a nightly run neither holds up the answers to people nor leaves its memory in what serves them. It
    ends when told to, and when nobody is left who could ring. Where it is killed, one of the servers takes over; where
    processes cannot be forked, one of them does it from the start.
    """
    settings = load_settings(folder)
    if not settings.embedded_worker or settings.redis_url or multiprocessing.get_start_method() != "fork":
        yield None
        return
    heard, bell = os.pipe()
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_jobs, args=(folder, published, heard, bell, ready), name=JOBS)
    process.start()
    os.close(heard)
    ready.wait(_STANDBY_SECONDS)  # it has the lock, unless another server of the same site has it
    try:
        yield bell
    finally:
        process.terminate()
        process.join(25)
        os.close(bell)


def _jobs(folder: Path, published: Published | None, heard: int, bell: int, ready: Event) -> None:
    with contextlib.suppress(OSError):  # a name in lists of processes, where the system has that
        Path("/proc/self/comm").write_text(JOBS)
    os.close(bell)  # the servers alone hold it: when the last of them ends, reading does
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all; the process that started this one tells it when
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    lock = _turn(folder)
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
    ready.set()
    lock.acquire(poll_interval=_STANDBY_SECONDS)
    from runtime.jobs import EmbeddedWorker  # late: only the process that holds the lock runs jobs

    _give_back()
    with Site.open(folder) as site:
        if published is not None:
            site.adopt(published)
        configure_logging(site.folder)
        worker = EmbeddedWorker(site)
        worker.start()
        try:
            while os.read(heard, 4096):
                site.bell.ring()
        finally:
            worker.stop(20.0)


def compile_apart(folder: Path) -> None:
    """Compiles the newest version in a process of its own, which keeps what comes out for those that serve.

    What compiling loads and leaves behind would stay in the memory of every worker. Where processes cannot be forked or
    it fails, nothing happens: whoever serves compiles, and says what is wrong.
    """
    if multiprocessing.get_start_method() == "fork":
        child = multiprocessing.Process(target=_compile, args=(folder,))
        child.start()
        child.join()


def _compile(folder: Path) -> None:
    with contextlib.suppress(Exception), Site.open(folder) as site:
        site.published()


def serve(folder: Path, host: str, port: int, workers: int, published: Published | None = None) -> str:
    """Serves until told to stop; the name of the server used. Granian where it is installed, else waitress.

    What is `published` is handed to the workers where they are forked; no connection may be open then.
    """
    os.environ["OCTAVO_SITE"] = str(folder.resolve())
    if importlib.util.find_spec("granian") is None:
        return _waitress(host, port, published)
    return _granian(folder, host, port, workers, published if multiprocessing.get_start_method() == "fork" else None)


_GRANIAN_MEMORY = "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0"  # what it lets go of is given back: 3 MiB a worker


def _granian(folder: Path, host: str, port: int, workers: int, published: Published | None) -> str:
    os.environ.setdefault("_RJEM_MALLOC_CONF", _GRANIAN_MEMORY)  # read when it is loaded
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    with tempfile.TemporaryDirectory(prefix="octavo-metrics-") as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        with jobs_apart(folder, published) as bell:  # begins before the pages are loaded: it needs none
            importlib.import_module("web.app")  # once, not once in each worker; it reads PROMETHEUS_MULTIPROC_DIR
            _settle()  # workers begin with what is here; frozen, it stays shared with them
            Granian(
                target="web.serving:application",
                factory=True,
                address=host,
                port=port,
                interface=Interfaces.WSGI,
                workers=workers,
                blocking_threads=4,
                workers_kill_timeout=25,
                respawn_failed_workers=True,
                log_access=False,
                log_level=LogLevels.warning,
            ).serve(target_loader=partial(application, published, bell), wrap_loader=False)
    return "granian"


def _waitress(host: str, port: int, published: Published | None) -> str:
    import waitress

    waitress.serve(application(published), host=host, port=port, threads=8, ident=None)
    return "waitress"
