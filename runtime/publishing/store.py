"""Published versions as they lie in the database: the documents of all layers, compressed."""

from __future__ import annotations

import json
import logging
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from runtime import hooks
from runtime.errors import Outdated
from runtime.publishing import kept
from runtime.schema.internal import version
from runtime.settings import Settings
from runtime.statements import fetch, fetch_last

_log = logging.getLogger("octavo.store")
LOCK_KEY = 0x0C7A_0001  # PostgreSQL advisory lock: writers share it, publishing takes it alone
_NEWEST = f"SELECT max(number) FROM {version.name}"  # noqa: S608 - a name of our own


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One published version, without its documents."""

    number: int
    created_at: datetime
    created_by: int | None
    note: str | None
    storage_fingerprint: str
    display_fingerprint: str
    code: dict[str, str]
    changes: tuple[str, ...]
    rollback_of: int | None


def newest(connection: sa.Connection) -> int | None:
    """The number of the newest version, None where nothing is published."""
    found: int | None = fetch(connection, _NEWEST)[0][0]  # asked by every transaction that writes
    return found


def enter_writer(connection: sa.Connection, *first: str) -> int | None:
    """Holds off publishing until this transaction ends, so that it writes to the version it has read: the newest.

    `first` goes before it in the same message (PostgreSQL).
    """
    if connection.dialect.name == "postgresql":
        lock = f"SELECT pg_advisory_xact_lock_shared({LOCK_KEY})"
        found: int | None = fetch_last(connection, *first, lock, _NEWEST)[0][0]
        return found
    return newest(connection)


def enter_publisher(connection: sa.Connection, seconds: int) -> None:
    """Waits for writers to end, at most `seconds` (then the database raises, answered as Busy)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(seconds)}s'; SET LOCAL statement_timeout = 0")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))


def pack(data: Any) -> bytes:
    return zlib.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpack(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))


def versions(connection: sa.Connection, limit: int = 100) -> list[Version]:
    """The published versions, newest first."""
    columns = [column for column in version.c if column.name != "documents"]
    rows = connection.execute(sa.select(*columns).order_by(version.c.number.desc()).limit(limit)).mappings()
    return [Version(**{**row, "code": row["code"] or {}, "changes": tuple(row["changes"] or ())}) for row in rows]


def documents(connection: sa.Connection, number: int) -> list[dict[str, Any]]:
    """The layers of a version as `layers.dump` wrote them, lowest first. KeyError where there is no such version."""
    return unpack(_packed_documents(connection, number))


def _packed_documents(connection: sa.Connection, number: int) -> bytes:
    found: bytes | None = connection.scalar(sa.select(version.c.documents).where(version.c.number == number))
    if found is None:
        raise KeyError(number)
    return found


def _check_code(connection: sa.Connection, number: int) -> None:
    published = connection.scalar(sa.select(version.c.code).where(version.c.number == number)) or {}
    installed = hooks.fingerprints() if published else {}
    for package, fingerprint in published.items():
        if installed.get(package) != fingerprint:
            words = {"package": package, "published": fingerprint, "installed": installed.get(package, "-")}
            raise Outdated("publish.code_mismatch", **words)


def is_kept(connection: sa.Connection, number: int, settings: Settings) -> bool:
    """Whether a process has kept what the version compiles to."""
    return kept.is_there(settings, _packed_documents(connection, number))


def load_application(connection: sa.Connection, number: int, settings: Settings) -> Application:
    """What the documents of a version compile to: read where a process has kept it, else compiled and kept.

    Raises `Outdated` where they say what this program does not understand, or a code package that was published is
    missing or another than then.
    """
    _check_code(connection, number)
    data = _packed_documents(connection, number)
    found = kept.read(settings, data)
    if found is not None:
        return found
    from runtime.publishing.layers import compile_layers, layers_of  # the compiler is loaded when first needed

    compiled = compile_layers(layers_of(unpack(data)))
    # Stricter checks of a later program do not stop what has served so far; words that this one does not know do.
    strange = [p for p in compiled.errors if "unknown" in p.code or p.code.endswith(".later")]
    if compiled.application is None or strange:
        _log.error("version %s does not compile: %s", number, (strange or compiled.problems)[:3])
        raise Outdated(number=number)
    kept.write(settings, data, compiled.application)
    return compiled.application
