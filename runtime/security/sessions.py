"""Signing in, and the sessions that follow: kept by the server, known by the hash of their token alone.

A session ends when it was not used for `IDLE`, at the latest after `ABSOLUTE`, at sign-out, and when the password, the
status or the account changes. Its token is new at every sign-in.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime.database import answering, glance
from runtime.errors import NotSignedIn
from runtime.people import ACTIVE
from runtime.schema.internal import password as password_table
from runtime.schema.internal import session as session_table
from runtime.schema.internal import version as version_table
from runtime.security.passwords import hash_password, needs_rehash, verify_password
from runtime.security.ratelimit import failed, refuse_if_blocked, succeeded
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.site import Session, Site

COOKIE = "octavo_session"
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=14)
SEEN_STEP = timedelta(minutes=5)  # how exactly the last use is kept: reading must not write each time


@dataclass(frozen=True, slots=True)
class Known:
    """Who a token belongs to, and the newest published version."""

    user_id: int
    version: int


def sign_in(site: Site, login: str, password: str, ip: str, *, agent: str = "") -> str:
    """A new session's token. Raises `NotSignedIn` for a wrong login or password, alike; `TooManyRequests`."""
    login = login.strip().lower()[:200]
    with site.session(write=True) as session:
        refuse_if_blocked(session, login, ip)
        found = _account(session, login)
    stored = found[1] if found else None
    right = verify_password(stored, password)  # slow on purpose: outside any transaction
    with site.session(write=True) as session:
        if found is None or not right:
            failed(session, login, ip)
        else:
            succeeded(session, login, ip)
            if stored is not None and needs_rehash(stored):
                _store(session, found[0], password)
            return _open(session, found[0], ip, agent)
    raise NotSignedIn("bad_credentials")


def _account(session: Session, login: str) -> tuple[int, str] | None:
    person = session.table("user")
    statement = (
        sa.select(person.c.id, password_table.c.hash)
        .join(password_table, password_table.c.user_id == person.c.id)
        .where(person.c.login == login, person.c.deleted_at.is_(None), person.c.status.in_(ACTIVE))
    )
    row = session.connection.execute(statement).first()
    return None if row is None else (row[0], row[1])


def _open(session: Session, user_id: int, ip: str, agent: str) -> str:
    token = secrets.token_urlsafe(32)
    session.connection.execute(sa.delete(session_table).where(session_table.c.expires_at < session.now))
    session.connection.execute(
        sa.insert(session_table).values(
            token_hash=digest(token),
            user_id=user_id,
            created_at=session.now,
            seen_at=session.now,
            expires_at=session.now + ABSOLUTE,
            ip=ip[:64],
            agent=agent[:300],
        )
    )
    return token


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def resolve(site: Site, token: str, connection: sa.Connection | None = None) -> int | None:
    """The id of the user a session token belongs to; None where it has ended."""
    found = resolve_session(site, token, connection)
    return None if found is None else found.user_id


def resolve_session(site: Site, token: str, connection: sa.Connection | None = None) -> Known | None:
    """The user and the newest published version, in one statement; in the transaction of `connection` if given."""
    now = site.clock.now()
    values = {"token": digest(token), "now": now, "seen": now - IDLE}
    with answering(), nullcontext(connection) if connection else glance(site.engine) as reading:
        row = _resolving(site).first(reading, values)
    if row is None:
        return None
    if now - row[1] > SEEN_STEP:
        _seen(site, token, now)
    site.refresh(int(row[2]))
    return Known(row[0], int(row[2]))


def _resolving(site: Site) -> Kept:
    """The statement that resolves a session, built once per version."""
    memo = site.tables.memo
    if "resolve_session" not in memo:
        person = site.tables.table("user")
        moment = session_table.c.expires_at.type
        newest = sa.select(sa.func.max(version_table.c.number)).scalar_subquery()
        memo["resolve_session"] = Kept(
            sa.select(session_table.c.user_id, session_table.c.seen_at, newest)
            .select_from(session_table.join(person, person.c.id == session_table.c.user_id))
            .where(
                session_table.c.token_hash == sa.bindparam("token"),
                session_table.c.expires_at > sa.bindparam("now", type_=moment),
                session_table.c.seen_at > sa.bindparam("seen", type_=moment),
                person.c.deleted_at.is_(None),
                person.c.status.in_(ACTIVE),
            ),
            site.engine.dialect,
            ("token", "now", "seen"),
        )
    found: Kept = memo["resolve_session"]
    return found


def _seen(site: Site, token: str, now: datetime) -> None:
    with site.session(write=True) as session:
        same = session_table.c.token_hash == digest(token)
        session.connection.execute(sa.update(session_table).where(same).values(seen_at=now))


def sign_out(site: Site, token: str) -> None:
    with site.session(write=True) as session:
        same = session_table.c.token_hash == digest(token)
        session.connection.execute(sa.delete(session_table).where(same))


def revoke_all(session: Session, user_id: int, *, but: str | None = None) -> int:
    """Ends every session of a person (except the one of the token `but`); how many there were."""
    statement = sa.delete(session_table).where(session_table.c.user_id == user_id)
    if but is not None:
        statement = statement.where(session_table.c.token_hash != digest(but))
    return int(session.connection.execute(statement).rowcount)


def set_password(session: Session, user_id: int, password: str, *, but: str | None = None) -> None:
    """Replaces the password and ends the person's sessions, except that of the token `but`."""
    _store(session, user_id, password)
    revoke_all(session, user_id, but=but)


def _store(session: Session, user_id: int, password: str) -> None:
    session.connection.execute(sa.delete(password_table).where(password_table.c.user_id == user_id))
    row = {"user_id": user_id, "hash": hash_password(password), "changed_at": session.now, "must_change": False}
    session.connection.execute(sa.insert(password_table).values(row))


def check_password(site: Site, user_id: int, password: str) -> bool:
    """Whether `password` is the person's present one (asked again before it is changed)."""
    with site.session() as session:
        wanted = sa.select(password_table.c.hash).where(password_table.c.user_id == user_id)
        stored = session.connection.scalar(wanted)
    return verify_password(stored, password)
