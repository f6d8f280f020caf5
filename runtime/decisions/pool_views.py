"""How many records of a pool a member opens in a day, where the pool sets a limit; managers are not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.pool import Pool
from runtime.decisions.membership import is_member, manages
from runtime.decisions.ownership import stamps
from runtime.decisions.pooling import home
from runtime.errors import TooManyRequests

if TYPE_CHECKING:
    from runtime.site import Session


def limited(app: Application, entity: str) -> bool:
    """Whether opening records of an entity may have to be counted."""
    return any(pool.views is not None for pool in app.rules_of(entity, "pool"))


def uncounted(session: Session, entity: str, record_id: int) -> bool:
    """Whether opening this record is to be counted and was not today. Two statements that read."""
    pool = _pool_of(session, entity, record_id)
    return pool is not None and not _seen(session, pool, record_id)


def count_view(session: Session, entity: str, record_id: int) -> None:
    """Notes that the person opens a record of a pool. Raises `TooManyRequests` beyond the limit of the day."""
    pool = _pool_of(session, entity, record_id)
    if pool is None or _seen(session, pool, record_id):
        return
    table = session.table("pool_view")
    if session.site.dialect != "sqlite":
        person = session.table("user")
        lock = sa.select(person.c.id).where(person.c.id == session.user.id).with_for_update(key_share=True)
        session.connection.execute(lock)
    own = (
        table.c.person == session.user.id,
        table.c.viewed_on == session.today,
        table.c.pool == pool.name,
        table.c.deleted_at.is_(None),
    )
    used = session.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*own)) or 0
    if pool.views is not None and used >= pool.views:
        raise TooManyRequests("pool.views", pool=pool.label.of(session.language), limit=pool.views)
    row = {"person": session.user.id, "pool": pool.name, "entity": entity, "record": record_id}
    session.connection.execute(sa.insert(table).values(**row, viewed_on=session.today, **stamps(session)))


def _pool_of(session: Session, entity: str, record_id: int) -> Pool | None:
    """The pool whose limit holds for this person and record."""
    table = session.table(entity)
    for pool in session.app.rules_of(entity, "pool"):
        found: Pool = pool
        if found.views is None or not is_member(session, found) or manages(session, found):
            continue
        same = (table.c.id == record_id, home(session, found) == found.name, table.c.deleted_at.is_(None))
        if session.connection.scalar(sa.select(table.c.id).where(*same)) is not None:
            return found
    return None


def _seen(session: Session, pool: Pool, record_id: int) -> bool:
    table = session.table("pool_view")
    same = (
        table.c.person == session.user.id,
        table.c.viewed_on == session.today,
        table.c.pool == pool.name,
        table.c.entity == pool.entity,
        table.c.record == record_id,
        table.c.deleted_at.is_(None),
    )
    return session.connection.scalar(sa.select(table.c.id).where(*same)) is not None
