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


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'octavo.db'}"
