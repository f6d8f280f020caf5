"""The engine of a site: transactions that mean what they say on SQLite and PostgreSQL, and failures as answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from runtime.errors import Answer, Busy, DiskFull, TooSlow
from runtime.settings import Settings
from runtime.statements import send

CACHE = 500  # KiB of pages a SQLite connection keeps; a process has one for each thread, the system keeps the file
STATEMENTS = 40  # kept ready by a SQLite connection; Python's own 128 take a megabyte more
ROOMY = 16_000  # KiB: the pages that a batch of thousands of records changes
WRITE = "octavo_write"  # execution option: this transaction will write
LIMIT = "octavo_limit"  # in what is kept with a connection: the `Limit` of SQLite
_STEPS = 100_000  # of SQLite's machine, a millisecond or so, between two looks at the clock
_DISK_FULL = ("database or disk is full", "disk full", "no space left")
_UNDEFINED = ("42703", "42P01")  # PostgreSQL: undefined column, undefined table
_IDLE = 0  # PostgreSQL: a connection in no transaction
_CANCELLED = "57014"  # PostgreSQL: a statement that took longer than it may


class Limit:
    """How long the transaction of a SQLite connection may compute: asked by SQLite itself while it does."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until: float | None = None

    def passed(self) -> int:
        return 1 if self.until is not None and time.monotonic() > self.until else 0


def create_engine(settings: Settings, *, limited: bool = False) -> sa.Engine:
    """The engine for the database of a site; opens nothing yet.

    `limited`: statements may be cancelled after `query_seconds`; see `begin_limit`.
    """
    seconds = settings.query_seconds if limited else 0
    if settings.url.startswith("sqlite"):
        return _sqlite(settings, seconds)
    arguments: dict[str, Any] = {
        "connect_timeout": 5,
        "prepare_threshold": None if settings.prepare_threshold < 0 else settings.prepare_threshold,
    }
    engine = sa.create_engine(
        settings.url, connect_args=arguments, pool_size=settings.pool_size, pool_timeout=5, pool_recycle=1800
    )

    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        raw.execute("SET jit = off")  # compiling the many subqueries of expressions costs ten times their run
        # what reads is in no transaction; what begins one says that it writes
        raw.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        if seconds:
            raw.execute(f"SET statement_timeout = {seconds * 1000}")
        raw.commit()
        raw.read_only = False

    return engine


def insert_or(dialect: str) -> Any:
    """`insert` with `on_conflict_do_update`, as the database writes it. Only its own dialect is loaded."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert


def _sqlite(settings: Settings, seconds: int) -> sa.Engine:
    # the connection given back last is given out first: those of a busy moment rest until the next
    engine = sa.create_engine(
        settings.url,
        pool_size=settings.pool_size,
        pool_timeout=5,
        pool_use_lifo=True,
        connect_args={"cached_statements": 40},
    )
    functions = _sqlite_functions()

    @event.listens_for(engine, "connect")
    def connect(raw: Any, record: Any) -> None:
        if seconds:
            record.info[LIMIT] = limit = Limit()
            raw.set_progress_handler(limit.passed, _STEPS)
        raw.isolation_level = None  # the module's own transactions would not cover DDL
        for pragma in (
            f"busy_timeout = {settings.busy_timeout_seconds * 1000}",
            "journal_mode = WAL",
            f"synchronous = {settings.sqlite_synchronous}",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            f"cache_size = -{CACHE}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()
        if functions is not None:
            functions(raw)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # a deferred transaction that reads and then writes fails with "locked" however long it waits
        writes = connection.get_execution_options().get(WRITE, False)
        send(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _sqlite_functions() -> Any:
    try:
        from runtime.query.sqlite_functions import install  # the schema can be opened without the query language
    except ImportError:
        return None
    return install


def glance(engine: sa.Engine) -> sa.Connection:
    """A connection for what reads without need of a common moment, in no transaction; to be closed.

    PostgreSQL would be asked to begin one and to roll it back, which costs as much as the statement, and the driver
    would forget what it has prepared.
    """
    connection = engine.connect()
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection


class _Turn(threading.local):
    """How long this thread has been the writer of SQLite without a pause, and when it was last."""

    began = held = left = 0.0


_turn = _Turn()
_LONG, _PAUSE = 3.0, 0.11  # SQLite lets those who wait look again every 100 ms; who does not wait is always first


def give_way() -> None:
    """Before this thread becomes the writer of SQLite: one that has been for long lets others have a turn.

    There is no queue: an import or a rescoring that goes on at once would keep everybody else out until it ends.
    """
    now = time.monotonic()
    if now - _turn.left > _PAUSE:
        _turn.held = 0.0
    elif _turn.held > _LONG:
        time.sleep(_PAUSE)
        _turn.held = 0.0
    _turn.began = time.monotonic()


def gave_back() -> None:
    """After this thread was the writer of SQLite."""
    _turn.left = time.monotonic()
    _turn.held += _turn.left - _turn.began


def begun(unlimited: bool) -> tuple[str, ...]:
    """What begins a transaction that writes on PostgreSQL; `unlimited` as `begin_limit` with 0 seconds."""
    begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    return (begin, "SET LOCAL statement_timeout = 0") if unlimited else (begin,)


def begin_limit(connection: sa.Connection, seconds: int) -> None:
    """For an engine made `limited`: the transaction that has begun may take `seconds`, 0 as long as it likes.

    On PostgreSQL each statement of it may take what the connection was made with, and 0 alone costs a statement. What
    takes longer is cancelled and answered as `TooSlow`, and nothing of the transaction stays.
    """
    if connection.dialect.name == "sqlite":
        connection.info[LIMIT].until = time.monotonic() + seconds if seconds else None
    elif not seconds:
        limit = "SET LOCAL statement_timeout = 0"
        within = connection.connection.driver_connection.info.transaction_status != _IDLE  # type: ignore[union-attr]
        send(connection, limit if within else f"BEGIN READ ONLY; {limit}")


@contextmanager
def roomy(connection: sa.Connection) -> Iterator[None]:
    """Room for the pages of a large transaction on SQLite, which would write them more than once otherwise."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA cache_size = -{ROOMY}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE}")


def dialect_of(engine: sa.Engine) -> str:
    return "sqlite" if engine.dialect.name == "sqlite" else "postgresql"


class Answering:
    """Turns failures of the database itself into answers; errors of the program stay what they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sa.exc.TimeoutError):
            raise Busy() from error
        if isinstance(error, sa.exc.DBAPIError):
            answer = as_answer(error)
            if answer is not None:
                raise answer from error


_ANSWERING = Answering()


def answering() -> Answering:
    """`with answering():` around what asks the database. It keeps nothing, so that there is one for all."""
    return _ANSWERING


def as_answer(error: sa.exc.DBAPIError) -> Answer | None:
    """Busy where trying again may help, DiskFull, TooSlow, or None for an error of the program."""
    text = str(error.orig).lower()
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if any(words in text for words in _DISK_FULL) or state in ("53100", "53200"):
        return DiskFull()
    if state == _CANCELLED or text == "interrupted":
        return TooSlow()
    if error.connection_invalidated or state[:2] in ("08", "40", "55", "57") or state.startswith("53"):
        return Busy()
    if state in _UNDEFINED or "no such column" in text or "no such table" in text:
        return None
    if isinstance(error, sa.exc.OperationalError) and (
        not state or "locked" in text or "busy" in text or "connection" in text
    ):
        locked = any(words in text for words in ("locked", "busy", "connect", "closed", "readonly", "disk i/o"))
        return Busy() if locked else None
    return None


def is_undefined(error: sa.exc.DBAPIError) -> bool:
    """A column or table that is not there: the metadata version of the statement is not the database's."""
    text = str(error.orig).lower()
    return getattr(error.orig, "sqlstate", None) in _UNDEFINED or "no such column" in text or "no such table" in text
