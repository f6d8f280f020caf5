"""Random sequences of publishes with data and lines in place, some broken off or killed half-way: nothing is lost, ever."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime.clock import FakeClock
from runtime.publishing.publish import publish
from runtime.schema.inspect import inspect_database
from runtime.schema.verify import drift
from runtime.settings import throwaway_settings
from runtime.site import Site
from tests.databases import postgres_answers, postgres_database, sqlite_url
from tests.publishing.worlds import World
from tests.scale import FUZZ

SEQUENCES = 12 * FUZZ  # the 200 for each database: OCTAVO_FUZZ=17
PUBLISHES = 6


class Fault(Exception):  # noqa: N818
    """The machine stops here."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shared_postgres(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    if not postgres_answers():
        pytest.skip("no PostgreSQL server answers")
    with postgres_database() as url:
        yield url


@pytest.fixture
def site(kind: str, shared_postgres: str, tmp_path: Path) -> Iterator[Site]:
    url = shared_postgres or sqlite_url(tmp_path)
    site = Site(throwaway_settings(tmp_path, database_url=url, sqlite_synchronous="OFF"), FakeClock())
    if shared_postgres:
        with site.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    yield site
    site.close()


@pytest.mark.promise("P10", "P14")
@pytest.mark.attack("T1")
@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_random_publishes_keep_data(site: Site, seed: int) -> None:
    world = World(seed)
    dice = random.Random(seed * 7919)
    for number in range(1, PUBLISHES + 1):
        if number > 1:
            world.change()
        if dice.random() < 0.35:
            broken = _break_off(site, world, dice)
            assert broken or site.refresh().number == number
        else:
            broken = True
        if broken:
            assert publish(site, [world.layer()], accept=True) == number
        _after(site, world, fill=True)


def _after(site: Site, world: World, *, fill: bool) -> None:
    """The database fits the version, holds what it should, and takes new records."""
    tables = site.tables
    with site.session(write=True) as session:
        assert drift(session.connection, tables) == []
        assert world.differences(session.connection, tables) == []
        if fill:
            world.fill(session.connection, tables, site.clock)  # type: ignore[arg-type]
            assert world.differences(session.connection, tables) == []
    for thing in world.things.values():
        thing.settle()


def _break_off(site: Site, world: World, dice: random.Random) -> bool:
    """A publish that stops at a random step leaves everything as it was. False where the plan was shorter."""
    with site.engine.connect() as connection:
        before = inspect_database(connection), _content(connection)
    steps: list[object] = []
    stop = dice.randint(1, 30)

    def progress(step: object) -> None:
        steps.append(step)
        if len(steps) == stop:
            raise Fault

    if dice.random() < 0.5:
        broken = _killed(site, world, stop)
    else:
        broken = False
        try:
            publish(site, [world.layer()], accept=True, progress=progress)
        except Fault:
            broken = True
    if broken:
        with site.engine.connect() as connection:
            assert (inspect_database(connection), _content(connection)) == before
    return broken


def _killed(site: Site, world: World, stop: int) -> bool:
    """A process of its own publishes and is killed without warning before its step `stop`; whether it came that far."""
    site.engine.dispose()  # nothing of this process may be at work in the other
    child = os.fork()
    if child == 0:
        code = 1
        try:
            left = iter(range(stop - 1))

            def progress(_step: object) -> None:
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

            with Site(site.settings, FakeClock()) as own:
                publish(own, [world.layer()], accept=True, progress=progress)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _content(connection: sa.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    quote = connection.dialect.identifier_preparer.quote
    found: dict[str, list[tuple[object, ...]]] = {}
    for name in sorted(inspect_database(connection)):
        rows = connection.exec_driver_sql(f"SELECT * FROM {quote(name)}").all()
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found
