"""Sign-in attempts are counted in the database: per account and address, and per address alone.

Ten wrong passwords for an account from one address close that pair for a minute, then for twice as long each time, up
to an hour. The right password from another address works meanwhile: nobody can lock somebody else out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime import database
from runtime.errors import TooManyRequests
from runtime.schema.internal_records import login_attempt

if TYPE_CHECKING:
    from runtime.site import Session

PER_ACCOUNT = 10  # failures of an account from one address
PER_ADDRESS = 100  # failures from one address, whatever the account
FIRST_BLOCK = 60_000  # milliseconds
LONGEST_BLOCK = 3_600_000
FORGET = 24 * 3_600_000


def refuse_if_blocked(session: Session, login: str, ip: str) -> None:
    """Raises `TooManyRequests` while the account from this address, or the address, is closed."""
    now = _now(session)
    blocked = sa.select(sa.func.max(login_attempt.c.blocked_until)).where(login_attempt.c.key.in_(_keys(login, ip)))
    until = session.connection.scalar(blocked) or 0
    if until > now:
        raise TooManyRequests(seconds=(until - now + 999) // 1000)


def failed(session: Session, login: str, ip: str) -> None:
    now = _now(session)
    for key, most in zip(_keys(login, ip), (PER_ACCOUNT, PER_ADDRESS)):
        failures = _count(session, key, now)
        if failures >= most and failures % most == 0:
            length = min(FIRST_BLOCK * 2 ** (failures // most - 1), LONGEST_BLOCK)
            same = login_attempt.c.key == key
            session.connection.execute(sa.update(login_attempt).where(same).values(blocked_until=now + length))


def _count(session: Session, key: str, now: int) -> int:
    """One more failure; the number of them since the first that is not forgotten."""
    insert = database.insert_or(session.site.dialect)
    old = login_attempt.c.first_at < now - FORGET
    first = insert(login_attempt).values(key=key, failures=1, first_at=now, blocked_until=0)
    again = first.on_conflict_do_update(
        index_elements=[login_attempt.c.key],
        set_={
            "failures": sa.case((old, 1), else_=login_attempt.c.failures + 1),
            "first_at": sa.case((old, now), else_=login_attempt.c.first_at),
        },
    )
    return int(session.connection.execute(again.returning(login_attempt.c.failures)).scalar_one())


def count_call(session: Session, key: str, most: int, within: int = FIRST_BLOCK) -> None:
    """Counts a call of something open to the outside. Raises `TooManyRequests` beyond `most` in `within` milliseconds.

    The call has to be counted in a transaction of its own: what it leads to may be undone.
    """
    insert = database.insert_or(session.site.dialect)
    now = _now(session)
    over = login_attempt.c.first_at < now - within
    first = insert(login_attempt).values(key=key[:200], failures=1, first_at=now, blocked_until=0)
    again = first.on_conflict_do_update(
        index_elements=[login_attempt.c.key],
        set_={
            "failures": sa.case((over, 1), else_=login_attempt.c.failures + 1),
            "first_at": sa.case((over, now), else_=login_attempt.c.first_at),
        },
    )
    counted = again.returning(login_attempt.c.failures, login_attempt.c.first_at)
    calls, since = session.connection.execute(counted).one()
    if calls > most:
        raise TooManyRequests(seconds=max(1, (since + within - now + 999) // 1000))


def succeeded(session: Session, login: str, ip: str) -> None:
    session.connection.execute(sa.delete(login_attempt).where(login_attempt.c.key == _keys(login, ip)[0]))


def _keys(login: str, ip: str) -> tuple[str, str]:
    return (f"{login}|{ip}"[:200], f"|{ip}"[:200])


def _now(session: Session) -> int:
    return int(session.now.timestamp() * 1000)
