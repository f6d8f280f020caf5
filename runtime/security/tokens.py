"""API tokens: shown once, kept as a hash, revocable, with an optional end."""

from __future__ import annotations

import secrets
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime.database import answering, glance
from runtime.people import ACTIVE
from runtime.schema.internal import token as token_table
from runtime.schema.internal import version as version_table
from runtime.security.sessions import digest
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.site import Session, Site

PREFIX = "oct_"
USED_STEP = timedelta(minutes=5)


def create_token(session: Session, user_id: int, name: str, *, expires_at: datetime | None = None) -> str:
    """A new token of the person; its text is not known afterwards."""
    text = PREFIX + secrets.token_urlsafe(32)
    session.connection.execute(
        sa.insert(token_table).values(
            token_hash=digest(text), user_id=user_id, name=name[:120], created_at=session.now, expires_at=expires_at
        )
    )
    return text


def resolve_token(site: Site, text: str, connection: sa.Connection | None = None) -> int | None:
    """The id of the user a token belongs to; None where it is unknown, revoked or over, or its user is gone.

    Reads in the transaction of `connection` if given.
    """
    now = site.clock.now()
    with answering(), nullcontext(connection) if connection else glance(site.engine) as reading:
        row = _resolving(site).first(reading, {"token": digest(text), "now": now})
    if row is None:
        return None
    if row[1] is None or now - row[1] > USED_STEP:
        _used(site, text, now)
    site.refresh(int(row[2]))
    return int(row[0])


def _resolving(site: Site) -> Kept:
    """The user, when the token was last used, and the newest published version; built once per version."""
    memo = site.tables.memo
    if "resolve_token" not in memo:
        person = site.tables.table("user")
        now = sa.bindparam("now", type_=token_table.c.expires_at.type)
        newest = sa.select(sa.func.max(version_table.c.number)).scalar_subquery()
        memo["resolve_token"] = Kept(
            sa.select(token_table.c.user_id, token_table.c.used_at, newest)
            .join(person, person.c.id == token_table.c.user_id)
            .where(
                token_table.c.token_hash == sa.bindparam("token"),
                token_table.c.revoked_at.is_(None),
                sa.or_(token_table.c.expires_at.is_(None), token_table.c.expires_at > now),
                person.c.deleted_at.is_(None),
                person.c.status.in_(ACTIVE),
            ),
            site.engine.dialect,
            ("token", "now"),
        )
    found: Kept = memo["resolve_token"]
    return found


def _used(site: Site, text: str, now: datetime) -> None:
    with site.session(write=True) as session:
        same = token_table.c.token_hash == digest(text)
        session.connection.execute(sa.update(token_table).where(same).values(used_at=now))


def revoke_token(session: Session, token_id: int) -> None:
    same = (token_table.c.id == token_id, token_table.c.revoked_at.is_(None))
    session.connection.execute(sa.update(token_table).where(*same).values(revoked_at=session.now))
