"""Sites and sessions: transactions that mean what they say, and settings that refuse to be weak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from metadata.packages import platform
from runtime.clock import FakeClock
from runtime.database import as_answer
from runtime.errors import Busy, DiskFull, NotSignedIn
from runtime.publishing.publish import publish
from runtime.schema.internal import counter
from runtime.settings import Settings, SettingsError, check_settings, load_settings, throwaway_settings, write_settings
from runtime.site import FRESH_SECONDS, Site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with Site(throwaway_settings(tmp_path, database_url=database_url), FakeClock()) as site:
        publish(site, [platform()])
        yield site


def person(site: Site, login: str, **values: object) -> int:
    with site.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        table = session.table("user")
        row = {"login": login, "name": login, "status": "active", **stamp, **values}
        found = session.connection.scalar(sa.insert(table).values(row).returning(table.c.id))
        session.touch("user")
        assert found is not None
        return found


@pytest.mark.attack("T1")
def test_ddl_is_rolled_back(site: Site) -> None:
    def broken_off() -> None:
        with site.session(write=True) as session:
            session.connection.exec_driver_sql("CREATE TABLE passing (id integer)")
            session.connection.exec_driver_sql("INSERT INTO passing VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    with site.session() as session:
        assert not sa.inspect(session.connection).has_table("passing")


@pytest.mark.attack("T2", "T3")
def test_read_then_write_loses_nothing(site: Site) -> None:
    """Eight threads count up. On PostgreSQL the row is locked, on SQLite the transaction has begun as a writer."""
    with site.session(write=True) as session:
        session.connection.execute(sa.insert(counter).values(name="x", prefix="", value=0))
    barrier = Barrier(8)

    def count() -> None:
        barrier.wait()
        for _ in range(10):
            with site.session(write=True) as session:
                value = session.connection.scalar(sa.select(counter.c.value).with_for_update()) or 0
                session.connection.execute(sa.update(counter).values(value=value + 1))

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with site.session() as session:
        assert session.connection.scalar(sa.select(counter.c.value)) == 80


def test_reading_session_cannot_write(site: Site) -> None:
    if site.dialect == "postgresql":
        with pytest.raises(sa.exc.InternalError), site.session() as session:
            session.connection.execute(sa.insert(counter).values(name="y", prefix="", value=0))
    else:
        with site.session() as session:
            session.connection.execute(sa.insert(counter).values(name="y", prefix="", value=0))
    with site.session() as session:
        assert session.connection.scalar(sa.select(counter.c.value).where(counter.c.name == "y")) is None


def test_people_units_teams_subordinates(site: Site) -> None:
    with site.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        unit, team = session.table("unit"), session.table("team")
        for row in ({"name": "总部"}, {"name": "华东", "parent": 1}, {"name": "一部", "parent": 2}):
            session.connection.execute(sa.insert(unit).values(**row, **stamp))
        session.connection.execute(sa.insert(team).values(name="组", **stamp))
    head = person(site, "head", unit=2)
    rep = person(site, "rep", unit=3, manager=head)
    with site.session(write=True) as session:
        session.connection.execute(
            sa.insert(session.tables.join_table("team", "members")).values(record_id=1, value=rep)
        )
    with site.session(head) as session:
        assert session.user.unit_ids == {2, 3}
        assert session.user.subordinate_ids == {rep}
        assert not session.user.admin
        assert session.language == "zh"
    with site.session(rep, language="en") as session:
        assert session.user.team_ids == {1}
        assert session.language == "en"


@pytest.mark.attack("N17")
def test_person_who_left_is_out_in_every_process_within_a_second(site: Site) -> None:
    rep = person(site, "rep")
    other = Site(site.settings, site.clock)
    for each in (site, other):
        with each.session(rep):
            pass
    with site.session(write=True) as session:
        table = session.table("user")
        session.connection.execute(sa.update(table).where(table.c.id == rep).values(status="left"))
        session.touch("user")
    with pytest.raises(NotSignedIn), site.session(rep):
        pass
    with patch("runtime.site.time.monotonic", return_value=_later()), pytest.raises(NotSignedIn), other.session(rep):
        pass
    other.close()


def _later() -> float:
    import time

    return time.monotonic() + FRESH_SECONDS + 0.1


def test_after_commit_runs_after_the_commit_alone(site: Site) -> None:
    heard: list[str] = []
    with site.session(write=True) as session:
        session.after_commit(lambda: heard.append("kept"))
        assert heard == []
    assert heard == ["kept"]

    def broken_off() -> None:
        with site.session(write=True) as session:
            session.after_commit(lambda: heard.append("lost"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert heard == ["kept"]


@pytest.mark.attack("T7")
def test_failures_of_the_database_are_answers(tmp_path: Path) -> None:
    def error(text: str) -> sa.exc.OperationalError:
        return sa.exc.OperationalError("", {}, Exception(text))

    assert isinstance(as_answer(error("database is locked")), Busy)
    assert isinstance(as_answer(error("database or disk is full")), DiskFull)
    assert as_answer(error("no such column: x")) is None


def test_locked_database_is_busy(tmp_path: Path) -> None:
    with Site(throwaway_settings(tmp_path, busy_timeout_seconds=0), FakeClock()) as site:
        publish(site, [platform()])
        with site.session(write=True), pytest.raises(Busy), site.session(write=True):
            pass


@pytest.mark.attack("N93")
@pytest.mark.parametrize("key", ["", "short", "changeme" * 8, "a" * 64])
def test_weak_secret_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="secret_key"):
        check_settings(Settings(folder=tmp_path, secret_key=key))


def test_settings_file_and_environment(tmp_path: Path) -> None:
    settings = throwaway_settings(tmp_path, packages=("a", "b"), language="en")
    file = write_settings(settings)
    assert file.stat().st_mode & 0o077 == 0
    assert load_settings(tmp_path, {}) == settings
    changed = load_settings(
        tmp_path, {"OCTAVO_LANGUAGE": "zh", "OCTAVO_POOL_SIZE": "3", "OCTAVO_EMBEDDED_WORKER": "false"}
    )
    assert changed == replace(settings, language="zh", pool_size=3, embedded_worker=False)
    for environment in (
        {"OCTAVO_POOL_SIZE": "many"},
        {"OCTAVO_TIMEZONE": "Mars/One"},
        {"OCTAVO_DATABASE_URL": "mysql://x"},
    ):
        with pytest.raises(SettingsError):
            load_settings(tmp_path, environment)
    with pytest.raises(SettingsError, match="octavo init"):
        load_settings(tmp_path / "nowhere", {})


def test_empty_database_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="octavo init"):
        Site.open(settings=throwaway_settings(tmp_path))
