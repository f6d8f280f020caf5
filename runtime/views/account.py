"""What a person sees of the own account: open sessions and tokens of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime.errors import NotFound
from runtime.schema.internal import session as session_table
from runtime.schema.internal import token as token_table
from runtime.security.sessions import digest
from runtime.security.tokens import revoke_token

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    agent: str
    ip: str
    seen_at: datetime
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenToken:
    id: int
    name: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


def open_sessions(session: Session, token: str) -> list[OpenSession]:
    """The person's sessions, the last used first; `token` marks the present one."""
    columns = (session_table.c.agent, session_table.c.ip, session_table.c.seen_at, session_table.c.token_hash)
    mine = sa.select(*columns).where(
        session_table.c.user_id == session.user.id, session_table.c.expires_at > session.now
    )
    rows = session.connection.execute(mine.order_by(session_table.c.seen_at.desc()).limit(50))
    present = digest(token)
    return [
        OpenSession(agent=r.agent or "", ip=r.ip or "", seen_at=r.seen_at, present=r.token_hash == present)
        for r in rows
    ]


def open_tokens(session: Session) -> list[OpenToken]:
    """The person's living tokens, without their text."""
    t = token_table.c
    living = sa.select(t.id, t.name, t.created_at, t.used_at, t.expires_at).where(
        t.user_id == session.user.id, t.revoked_at.is_(None)
    )
    rows = session.connection.execute(living.order_by(t.id))
    return [
        OpenToken(id=r.id, name=r.name, created_at=r.created_at, used_at=r.used_at, expires_at=r.expires_at)
        for r in rows
    ]


def end_token(session: Session, token_id: int) -> None:
    """Revokes one of the person's own tokens; anybody else's is not there."""
    t = token_table.c
    own = sa.select(t.id).where(t.id == token_id, t.user_id == session.user.id, t.revoked_at.is_(None))
    if session.connection.execute(own).first() is None:
        raise NotFound
    revoke_token(session, token_id)
