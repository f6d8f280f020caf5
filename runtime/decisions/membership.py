"""Who belongs to which pool: members see and claim, managers assign, move and see what is masked.

What a person belongs to follows from roles, teams, unit and login alone, so that it is known without a statement and
row access can be a bound list of pool names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.pool import Pool
from metadata.models.who import Who

if TYPE_CHECKING:
    from runtime.site import Session


def pools_of(session: Session, entity: str) -> tuple[Pool, ...]:
    """The pools of an entity."""
    found: tuple[Pool, ...] = session.app.rules_of(entity, "pool")
    return found


def belongs(session: Session, people: Iterable[Who]) -> bool:
    """Whether the user is among these people."""
    return any(_is(session, who) for who in people)


def manages(session: Session, pool: Pool) -> bool:
    return session.user.superuser or session.user.admin or pool.name in memberships(session)[1]


def is_member(session: Session, pool: Pool) -> bool:
    """Managers are members, too."""
    return pool.name in memberships(session)[0] or manages(session, pool)


def memberships(session: Session) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the pools the user may claim from, and of those they manage."""
    found: tuple[frozenset[str], frozenset[str]] | None = session.cache.get("memberships")
    if found is None:
        pools = session.app.of("pool").values()
        managed = frozenset(p.name for p in pools if session.user.admin or belongs(session, p.managers))
        own = frozenset(p.name for p in pools if belongs(session, p.members))
        found = session.cache["memberships"] = (own | managed, managed)
    return found


def _is(session: Session, who: Who) -> bool:
    user = session.user
    if who.role is not None:
        return who.role in (user.roles if who.included else user.given)
    if who.user is not None:
        return who.user == user.login
    if who.unit is not None:
        return user.unit is not None and _code(session, "unit", who.unit) == user.unit
    if who.team is not None:
        return _code(session, "team", who.team) in user.team_ids
    return False


def _code(session: Session, entity: str, code: str) -> int | None:
    key: Any = ("code", entity, code)
    if key not in session.cache:
        table = session.table(entity)
        wanted = sa.select(table.c.id).where(table.c.code == code, table.c.deleted_at.is_(None))
        session.cache[key] = session.connection.scalar(wanted)
    found: int | None = session.cache[key]
    return found
