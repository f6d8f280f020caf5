"""Databases for tests: SQLite always, PostgreSQL wherever a server answers on the local port."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SERVER = os.environ.get("OCTAVO_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@cache
def postgres_answers() -> bool:
    try:
        import psycopg

        psycopg.connect(SERVER, connect_timeout=2).close()
    except Exception:
        return False
    return True


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """A new empty database with a name of its own; its URL; dropped at the end, whoever is still connected."""
    import psycopg

    name = f"octavo_test_{secrets.token_hex(6)}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield SERVER.replace("postgresql://", "postgresql+psycopg://", 1).rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


WHOLE = os.environ.get("OCTAVO_WHOLE") == "1"  # also what CI runs a part of: the channels and attacks on PostgreSQL


@contextlib.contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    """An empty database of the kind, `sqlite` or `postgresql`; skips the test where no server answers."""
    if kind == "sqlite":
        yield sqlite_url(folder)
        return
    if not postgres_answers():
        import pytest

        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with postgres_database() as url:
        yield url


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'octavo.db'}"
