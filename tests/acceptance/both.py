"""Fixture F on either database: what is decided when records are written must not depend on which one it is."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path

from runtime.bootstrap import init_site
from runtime.clock import FakeClock
from runtime.seed import load_data
from runtime.settings import Settings
from runtime.site import Site
from tests.acceptance.conftest import HERE, PEOPLE, T0, World
from tests.databases import postgres_database, sqlite_url


@cache
def _prepared(kind: str) -> tuple[Path, str]:
    """Fixture F made once for each database, to be copied: the folder, and the name of the database on the server."""
    folder = Path(tempfile.mkdtemp(prefix="octavo-f-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if kind == "sqlite":
        _fill(folder, f"sqlite:///{folder / 'octavo.db'}")
        return folder, ""
    server = ExitStack()
    url = server.enter_context(postgres_database())
    atexit.register(server.close)
    _fill(folder, url)
    return folder, url.rsplit("/", 1)[1]


def _settings(folder: Path, database_url: str) -> Settings:
    return Settings(folder=folder, database_url=database_url, secret_key="s" * 64)


def _fill(folder: Path, database_url: str) -> None:
    settings = _settings(folder, database_url)
    site = init_site(folder, admin_password="octavo-admin", settings=settings, clock=FakeClock(T0)).site
    for file in (PEOPLE, HERE / "fixture_f.yaml"):
        with site.session(write=True) as session:
            load_data(session, file)
    site.close()


@contextmanager
def fixture_f_on(database: str, folder: Path) -> Iterator[World]:
    """A world of fixture F in a database of its own; `database` is `sqlite` or `postgresql`."""
    assert database in ("sqlite", "postgresql"), database
    prepared, template = _prepared(database)
    shutil.copytree(prepared, folder)
    clock = FakeClock(T0)
    own = nullcontext(sqlite_url(folder)) if database == "sqlite" else postgres_database(template)
    with own as url, Site.open(settings=_settings(folder, url), clock=clock) as site:
        yield World(site=site, clock=clock)


def together(works: list[Callable[[], object]]) -> list[object]:
    """Runs all at once, each in a thread; results or exceptions in order."""
    results: list[object] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(index: int) -> None:
        gate.wait()
        try:
            results[index] = works[index]()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
