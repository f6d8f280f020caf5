"""PostgreSQL cut off in the middle: Busy for whoever was at it, and the pool heals by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.packages import platform
from runtime.clock import FakeClock
from runtime.errors import Busy
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site

pytestmark = pytest.mark.postgres


@pytest.fixture
def site(tmp_path: Path, postgres_url: str) -> Iterator[Site]:
    with Site(throwaway_settings(tmp_path, database_url=postgres_url), FakeClock()) as site:
        publish(site, [platform()])
        yield site


def cut_off(site: Site) -> None:
    """Ends every other connection of this database, as a restart of the server would."""
    engine = sa.create_engine(site.settings.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    engine.dispose()


@pytest.mark.promise("P06")
def test_a_lost_connection_is_busy_and_heals(site: Site) -> None:
    def in_the_middle() -> None:
        with site.session(write=True) as session:
            cut_off(site)
            session.connection.exec_driver_sql("SELECT 1")

    with pytest.raises(Busy):
        in_the_middle()
    with site.session(write=True) as session:
        assert session.connection.scalar(sa.text("SELECT 1")) == 1


@pytest.mark.promise("P06")
def test_idle_connections_that_died_answer_busy_at_most_once(site: Site) -> None:
    with site.session():
        pass
    cut_off(site)
    answers: list[str] = []
    for _ in range(3):
        try:
            with site.session(write=True) as session:
                session.connection.exec_driver_sql("SELECT 1")
            answers.append("done")
        except Busy:
            answers.append("busy")
    assert answers.count("busy") <= 1
    assert answers[-1] == "done"
