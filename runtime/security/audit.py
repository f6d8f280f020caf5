"""The audit: one row per change of a record, and seals that make later tampering show.

A seal covers a closed range of rows: a digest per row, and a chain over all seals before. `verify` names each row that
was altered, removed or slipped in.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from runtime.records.bulk import insert_of
from runtime.schema.internal_records import audit_seal
from runtime.schema.types import json_text

if TYPE_CHECKING:
    from runtime.site import Session

MASK = "••••••"
SETTLED = timedelta(minutes=10)  # older rows are sealed: no transaction that could still add one lasts as long
ROWS_PER_SEAL = 5000
_ENTRY = struct.Struct(">q16s")


class Entry(NamedTuple):
    """A change: `changes` maps a field to [before, after], a lines field to what was added, changed and removed.

    Values are the record's own; written they are as `plain` makes them.
    """

    entity: str
    record: int
    action: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tampering:
    """`kind`: altered, removed, added (into a sealed range) or chain (a seal itself); `row` the id of the audit row."""

    kind: str
    row: int


def write(session: Session, entries: Iterable[Entry]) -> None:
    """Adds the entries, in the transaction of the change."""
    columns: dict[str, list[Any]] = {name: [] for name in ("entity", "record", "action", "changes")}
    entity, record, action, changes = columns.values()
    for entry in entries:  # each becomes text at once: thousands of small lists alive would keep the collector busy
        entity.append(entry.entity)
        record.append(entry.record)
        action.append(entry.action)
        changes.append(json_text(entry.changes, plain, dates=True))
    if not record:
        return
    now, user = session.now, session.user.id
    same = dict.fromkeys(("at", "created_at", "updated_at"), now) | dict.fromkeys(("person", "created_by"), user)
    same |= {"updated_by": user, "created_on": session.today, "version": 1}
    same |= {"channel": session.channel, "request": session.request_id, "cause": session.cause}
    insert = insert_of(session, session.table("audit"), _COLUMNS, _READY)
    insert.run(session.connection, len(record), columns, same)


_COLUMNS = (
    "entity", "record", "action", "changes", "at", "person", "channel", "request", "cause",
    "created_at", "created_on", "created_by", "updated_at", "updated_by", "version",
)  # fmt: skip
_READY = frozenset({"changes"})  # JSON text is made of the whole row at once
_AS_IS = frozenset({str, int, bool, type(None)})


def plain(value: Any) -> Any:
    """A value as JSON keeps it: exact numbers and times as text."""
    if type(value) in _AS_IS:
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    return str(value)


# --- seals -------------------------------------------------------------------------------------------------------


def seal(session: Session, *, settled: timedelta = SETTLED) -> int:
    """Seals what is older than `settled`; answers the number of rows sealed. Run by one job at a time."""
    sealed = 0
    while True:
        count = _seal_next(session, settled)
        sealed += count
        if count < ROWS_PER_SEAL:
            return sealed


def _seal_next(session: Session, settled: timedelta) -> int:
    table = session.table("audit")
    last = session.connection.execute(
        sa.select(audit_seal.c.id, audit_seal.c.last_id, audit_seal.c.chain).order_by(audit_seal.c.id.desc()).limit(1)
    ).first()
    number, after, chain = (0, 0, "") if last is None else last
    statement = sa.select(table).where(table.c.id > after, table.c.at < session.now - settled)
    rows = session.connection.execute(statement.order_by(table.c.id).limit(ROWS_PER_SEAL)).mappings().all()
    if not rows:
        return 0
    digests = b"".join(_ENTRY.pack(row["id"], digest(row)) for row in rows)
    first_id, last_id = rows[0]["id"], rows[-1]["id"]
    session.connection.execute(
        sa.insert(audit_seal).values(
            id=number + 1,
            first_id=first_id,
            last_id=last_id,
            sealed_at=int(session.now.timestamp() * 1000),
            digests=digests,
            chain=_link(chain, first_id, last_id, digests),
        )
    )
    return len(rows)


def verify(session: Session) -> list[Tampering]:
    """Every sealed row compared with its digest, every seal with the chain. An empty list: nothing was touched."""
    found: list[Tampering] = []
    chain = ""
    before = 0
    seals = session.connection.execute(sa.select(audit_seal).order_by(audit_seal.c.id)).mappings().all()
    for s in seals:
        expected = _link(chain, s["first_id"], s["last_id"], s["digests"])
        if expected != s["chain"]:
            found.append(Tampering("chain", s["first_id"]))
        chain = s["chain"]
        found.extend(_compare(session, before, s["last_id"], s["digests"]))
        before = s["last_id"]
    return found


def _compare(session: Session, after: int, last: int, digests: bytes) -> Iterator[Tampering]:
    table = session.table("audit")
    sealed = dict(_ENTRY.iter_unpack(digests))
    rows = session.connection.execute(sa.select(table).where(table.c.id > after, table.c.id <= last)).mappings()
    for row in rows:
        expected = sealed.pop(row["id"], None)
        if expected is None:
            yield Tampering("added", row["id"])
        elif expected != digest(row):
            yield Tampering("altered", row["id"])
    for row_id in sorted(sealed):
        yield Tampering("removed", row_id)


def digest(row: Mapping[Any, Any]) -> bytes:
    """16 bytes over all that the row says, in a form that no database changes."""
    said = {k: plain(row[k]) for k in ("id", "entity", "record", "action", "at", "person", "channel", "request")}
    if row["cause"] is not None:  # rows from before there were causes keep their digest
        said["cause"] = row["cause"]
    said["changes"] = plain(row["changes"])
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:16]


def _link(chain: str, first_id: int, last_id: int, digests: bytes) -> str:
    return hashlib.sha256(f"{chain}|{first_id}|{last_id}|".encode() + digests).hexdigest()
