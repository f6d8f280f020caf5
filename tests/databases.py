"""Databases for tests: SQLite always, PostgreSQL wherever a server answers on the local port."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
def postgres_database(template: str = "template0", *, durable: bool = False) -> Iterator[str]:
    """A new database with a name of its own, empty or as `template` is; its URL. Dropped afterwards, whoever is still
    connected.

    Unless `durable`, a commit does not wait for the disk: a server that loses power is no subject of these tests.
    """
    import psycopg

    name = f"octavo_test_{secrets.token_hex(6)}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        if not durable:
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    try:
        yield SERVER.replace("postgresql://", "postgresql+psycopg://", 1).rsplit("/", 1)[0] + f"/{name}"
    finally:
        try:
            _dropper().submit(_drop, name)
        except RuntimeError:  # Python is ending
            _drop(name)


def keep_copy(url: str) -> str:
    """A copy of a database nobody is connected to, kept until Python ends: for `fill_from`. PostgreSQL alone."""
    copies = contextlib.ExitStack()
    kept = copies.enter_context(postgres_database(url.rsplit("/", 1)[1]))
    atexit.register(copies.close)
    return kept.rsplit("/", 1)[1]


def fill_from(url: str, template: str) -> None:
    """Puts a copy of `template` in the place of an empty database; nobody is connected to either."""
    import psycopg

    name = url.rsplit("/", 1)[1]
    empty = f"{name}_empty"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} RENAME TO {empty}")  # takes no time, as dropping it would
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    _dropper().submit(_drop, empty)


def _drop(name: str) -> None:
    import psycopg

    with contextlib.suppress(psycopg.Error), psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def _dropper() -> ThreadPoolExecutor:
    """Drops databases beside the tests: the server takes seconds for each. Python waits for it when it ends."""
    return ThreadPoolExecutor(1, "drop databases")


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
