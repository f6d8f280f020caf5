"""Fixtures that every folder shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import memo
from tests.databases import postgres_answers, postgres_database, sqlite_url
from tests.mission_status import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)

__all__ = [  # hooks of the page about the mission's rows: pytest finds them in this module
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_runtest_logreport",
    "pytest_sessionfinish",
]

memo.install()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    if not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with postgres_database() as url:
        yield url


_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=_BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql" and not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    return str(request.param)


@pytest.fixture(params=_BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    if not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with postgres_database() as url:
        yield url
