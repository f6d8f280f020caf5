"""Idempotency keys: the answer of a request is kept with its effect, in the same transaction.

A retry after a lost reply, or a twin running at the same time, gets the kept answer; a crash between commit and reply
loses nothing, because the answer was committed with the effect. Refusals keep nothing: nothing happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime import database
from runtime.errors import Refused
from runtime.schema.internal import idempotency

if TYPE_CHECKING:
    from runtime.site import Session

KEEP = timedelta(hours=24)
_SWEEP = 200  # rows of old answers removed on the way, at most


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before."""

    status: int
    headers: Mapping[str, str]
    body: str


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What a key stands for: the same key with another request is a mistake of the caller."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def claim(session: Session, key: str, wanted: str) -> Kept | None:
    """Claims `key` for this writing transaction: None = go on and `keep` the answer, else the answer of before.

    A twin waits here until the first has ended. Raises `Refused` where the key was used with another request.
    """
    mine = (idempotency.c.user_id == (session.user.id or 0)) & (idempotency.c.key == key)
    for _ in range(2):
        if _insert(session, key, wanted):
            return None
        row = session.connection.execute(sa.select(idempotency).where(mine)).first()
        if row is None or row.created_at >= session.now - KEEP:
            break
        session.connection.execute(idempotency.delete().where(mine))
    if row is None or row.fingerprint != wanted:
        raise Refused("idempotency_mismatch")
    return Kept(row.status, row.headers or {}, row.body or "")


def keep(session: Session, key: str, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keeps the answer to the request that claimed `key`, and forgets some answers that are too old."""
    mine = (idempotency.c.user_id == (session.user.id or 0)) & (idempotency.c.key == key)
    values = {"status": status, "headers": dict(headers), "body": body}
    session.connection.execute(idempotency.update().where(mine).values(**values))
    old = sa.select(idempotency.c.user_id, idempotency.c.key).where(idempotency.c.created_at < session.now - KEEP)
    stale = session.connection.execute(old.limit(_SWEEP)).all()
    if stale:
        pair = sa.tuple_(idempotency.c.user_id, idempotency.c.key)
        session.connection.execute(idempotency.delete().where(pair.in_([tuple(row) for row in stale])))


def _insert(session: Session, key: str, wanted: str) -> bool:
    insert = database.insert_or(session.site.dialect)
    row = {"user_id": session.user.id or 0, "key": key, "fingerprint": wanted, "created_at": session.now}
    claimed = insert(idempotency).values(row).on_conflict_do_nothing().returning(idempotency.c.key)
    return session.connection.execute(claimed).first() is not None
