"""Serving a site: the WSGI application of one process, its embedded worker, and the server around it."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib.util
import multiprocessing
import os
import tempfile
from functools import partial
from pathlib import Path
from threading import Thread

from filelock import FileLock
from flask import Flask

from runtime.site import Published, Site
from web.logging import configure_logging, log_requests

LOCK = "worker.lock"
_M_ARENA_MAX = -8  # of glibc's malloc.h


def application(published: Published | None = None) -> Flask:
    """The factory a server calls in each of its processes; the site is that of OCTAVO_SITE.

    `published` is what the process that forked this one has compiled: served as long as nothing newer is published.
    """
    from web.app import create_app  # late: what it loads looks at the environment that `serve` sets

    _few_arenas()
    site = Site.open(Path(os.environ["OCTAVO_SITE"]), limited=True)
    if published is not None:
        site.adopt(published)
    configure_logging(site.folder)
    app = create_app(site)
    log_requests(app)
    if site.settings.embedded_worker and not site.settings.redis_url:
        start_worker(site)
    site.application()
    _settle()
    return app


def _few_arenas() -> None:
    """With glibc, threads share two heaps: one for each would keep tens of megabytes that are free."""
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    except (AttributeError, OSError, TypeError):
        return  # another C library


def _settle() -> None:
    """What was loaded stays: the collector need not look at it again, and what loading left over goes back."""
    gc.collect()
    gc.freeze()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return  # another C library


def start_worker(site: Site) -> None:
    """Background jobs in one process of the site: the one that gets the lock; another takes over when it ends."""
    run = site.folder / "run"
    run.mkdir(exist_ok=True)
    Thread(target=_work, args=(site, FileLock(run / LOCK)), name="octavo-embedded", daemon=True).start()


def _work(site: Site, lock: FileLock) -> None:
    from runtime.jobs import EmbeddedWorker  # late: only the process that holds the lock runs jobs

    lock.acquire()
    worker = EmbeddedWorker(site)
    atexit.register(worker.stop, 10.0)
    worker.start()


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
    return _granian(host, port, workers, published if multiprocessing.get_start_method() == "fork" else None)


def _granian(host: str, port: int, workers: int, published: Published | None) -> str:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    with tempfile.TemporaryDirectory(prefix="octavo-metrics-") as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
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
        ).serve(target_loader=partial(application, published), wrap_loader=False)
    return "granian"


def _waitress(host: str, port: int, published: Published | None) -> str:
    import waitress

    waitress.serve(application(published), host=host, port=port, threads=8, ident=None)
    return "waitress"
