"""Pools at work: claiming, giving back, assigning from a pool, moving on.

A claim is decided by one conditional UPDATE: of two people at once exactly one finds the record still free. What limits
a person is then counted under a lock on that person, so that several claims at once do not get past a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.pool import Pool
from rules.evaluate import Values, evaluate
from rules.pooling import Obstacle, Standing, obstacle
from runtime.decisions import claims
from runtime.decisions.membership import is_member, manages, pools_of
from runtime.decisions.ownership import Handover, acting, hand_over, owner_field, pool_in
from runtime.environment import working_time
from runtime.errors import Answer, Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.query.expressions import condition
from runtime.records.values import Loader, Stored
from runtime.schema.tables import column_name
from runtime.security.access import Access, sql_context

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a person may still claim from a pool today; nothing where there is no limit."""

    daily: int | None
    used: int

    @property
    def left(self) -> int | None:
        return None if self.daily is None else max(0, self.daily - self.used)


def pool_named(session: Session, name: str) -> Pool:
    """Raises `NotFound` for a pool that is not there, or that the user has nothing to do with."""
    found: Pool | None = session.app.of("pool").get(name)
    if found is None or not is_member(session, found):
        raise NotFound()
    return found


def pool_or_none(session: Session, name: Any) -> Pool | None:
    """The pool of a name that was asked for; None where none was."""
    found: Pool | None = session.app.of("pool").get(name) if name else None
    return found


def home(session: Session, pool: Pool) -> sa.Column[Any]:
    """The column that says which pool a record lies in."""
    return _column(session, pool.entity, pool.field)


def owner(session: Session, pool: Pool) -> sa.Column[Any]:
    return _column(session, pool.entity, pool.to)


def _column(session: Session, entity: str, name: str) -> sa.Column[Any]:
    found: sa.Column[Any] = session.table(entity).c[column_name(session.app.entities[entity].fields[name])]
    return found


# --- claiming ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What came of a claim: the pool the record lay in, and whether it lies there still and waits for an approval."""

    pool: Pool
    waiting: bool = False


def claim(session: Session, entity: str, record_id: int) -> Claimed:
    """The person of the session takes a record, or asks for it where somebody has to agree.

    Raises `NotFound` for a record that is not theirs to see, `Conflict` where somebody was faster or a limit is met.
    """
    person = session.user.id
    pool = _pool_of(session, entity, record_id)
    if pool is None or person is None:
        raise gone(session, entity, record_id) or NotFound()
    if not is_member(session, pool):
        raise NotFound()
    if not is_free(session, pool, record_id):
        raise Conflict("pool.taken")
    _lock_person(session, person)
    record = _stored(session, entity, record_id)
    why = hindrance(session, pool, record)
    if why is not None:
        told: dict[str, Any] = said(session, pool, why, record)
        raise Conflict(f"pool.{why.word}", **told)
    if claims.needed(session, pool, record):
        claims.ask(session, pool, record)
        return Claimed(pool=pool, waiting=True)
    _hand_over(session, pool, [record_id], Handover(person=person, reason="claimed", to_field=pool.to), "claim")
    return Claimed(pool=pool)


def is_free(session: Session, pool: Pool, record_id: int) -> bool:
    """One conditional UPDATE decides who wins; it keeps the row until the transaction ends."""
    table = session.table(pool.entity)
    where, holder = home(session, pool), owner(session, pool)
    free = (table.c.id == record_id, where == pool.name, holder.is_(None), table.c.deleted_at.is_(None))
    return session.connection.execute(sa.update(table).where(*free).values({where: pool.name})).rowcount == 1


def _lock_person(session: Session, person: int) -> None:
    if session.site.dialect != "sqlite":
        table = session.table("user")
        session.connection.execute(sa.select(table.c.id).where(table.c.id == person).with_for_update(key_share=True))


def gone(session: Session, entity: str, record_id: int) -> Answer | None:
    """What to say of a record that is no longer in a pool the person belongs to: somebody took it."""
    table = session.table("ownership_log")
    same = (table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    wanted = sa.select(table.c.from_pool).where(*same)
    latest = session.connection.scalar(wanted.order_by(table.c.id.desc()).limit(1))
    pool = pool_in(session.app, entity, latest)
    return Conflict("pool.taken") if pool is not None and is_member(session, pool) else None


def allowance(session: Session, pool: Pool) -> Allowance:
    """Counted from the log: what was claimed today counts, also where it was given back since.

    A claim that somebody had to agree to counts on the day it was asked for, not again on that of the answer.
    """
    if session.user.id is None or pool.claim.daily is None:
        return Allowance(daily=pool.claim.daily, used=0)
    table = session.table("ownership_log")
    same = (
        table.c.entity == pool.entity,
        table.c.from_pool == pool.name,
        table.c.to_person == session.user.id,
        table.c.reason == "claimed",
        table.c.moved_on == session.today,
        table.c.cause != claims.agreed_cause(pool),
    )
    used = session.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*same)) or 0
    return Allowance(daily=pool.claim.daily, used=used + claims.asked_today(session, pool))


def hindrance(session: Session, pool: Pool, record: Stored) -> Obstacle | None:
    """What keeps the person from claiming this record, or None."""
    ceilings = [c for c in pool.claim.holding if c.when is None or _holds(record, c.when)]
    gave_up = _gave_up_at(session, pool, record.row["id"])
    cooldown = pool.claim.cooldown
    ends = working_time(session).add(gave_up, cooldown) if gave_up is not None and cooldown is not None else None
    asked = claims.open_of(session, pool.entity, record.row["id"])
    standing = Standing(
        member=is_member(session, pool),
        claimed_today=allowance(session, pool).used,
        held=tuple(held(session, pool, c.when) for c in ceilings),
        gave_up_at=gave_up,
        asked=asked is not None,
        own=asked is not None and asked["person"] == session.user.id,
        answered_by=asked["due_at"] if asked is not None else None,
    )
    limits = tuple(c.limit for c in ceilings)
    return obstacle(standing, daily=pool.claim.daily, ceilings=limits, cooldown_ends=ends, now=session.now)


def held(session: Session, pool: Pool, when: Any = None) -> int:
    """How many records of the entity the person holds or has asked for, of those that a ceiling counts."""
    table = session.table(pool.entity)
    own = owner(session, pool) == session.user.id
    if session.user.id is not None:
        own = sa.or_(own, table.c.id.in_(claims.waiting_records(session, pool.entity, session.user.id)))
    wheres = [own, table.c.deleted_at.is_(None)]
    if when is not None:
        wheres.append(condition(when, table, sql_context(session)))
    return session.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*wheres)) or 0


def _gave_up_at(session: Session, pool: Pool, record_id: int) -> datetime | None:
    table = session.table("ownership_log")
    same = (
        table.c.entity == pool.entity,
        table.c.record == record_id,
        table.c.from_person == session.user.id,
        table.c.to_pool.is_not(None),
        table.c.deleted_at.is_(None),
    )
    latest = sa.select(sa.func.max(table.c.moved_at, type_=table.c.moved_at.type)).where(*same)
    found: datetime | None = session.connection.scalar(latest)
    return found


def said(session: Session, pool: Pool, why: Obstacle, record: Stored) -> dict[str, str]:
    """The parameters of the sentence about an obstacle."""
    if why.word in ("asked", "waiting"):
        asked = claims.open_of(session, pool.entity, record.row["id"])
        return {} if asked is None else claims.params(session, asked, record)
    names = [c.label.of(session.language) for c in pool.claim.holding]
    until = "" if why.until is None else why.until.astimezone(session.zone).strftime("%Y-%m-%d %H:%M")
    label = names[why.index] if why.word == "holding" and why.index < len(names) else ""
    return {"limit": str(why.limit), "until": until, "pool": pool.label.of(session.language), "label": label}


# --- giving back, assigning, moving on -----------------------------------------------------------------------------


def give_back(session: Session, entity: str, record_id: int, pool: Pool, reason: str) -> None:
    """The holder, or who may assign the record, puts it into a pool. Raises `Forbidden`, `Conflict`, `Refused`."""
    stored = _stored(session, entity, record_id)
    if not may_return(session, stored):
        raise Forbidden()
    if not reason.strip():
        raise Refused(problems=[RecordProblem(code="required", field="reason")])
    if stored.raw(pool.field) is not None or stored.raw(pool.to) is None:
        raise Conflict("pool.not_held")
    if pool.entity != entity or not accepts(pool, stored):
        raise Conflict("pool.not_accepted", pool=pool.label.of(session.language))
    _hand_over(session, pool, [record_id], Handover(pool=pool.name, reason="returned", note=reason.strip()), "return")


def may_return(session: Session, record: Stored) -> bool:
    name = owner_field(session.app, record.plan.entity)
    own = name is not None and session.user.id is not None and record.raw(name) == session.user.id
    return own or Access(session).allows(record.plan.name, "assign", record, record.loader.environment)


def targets(session: Session, record: Stored) -> list[Pool]:
    """The pools a record may be given back to."""
    return [pool for pool in pools_of(session, record.plan.name) if accepts(pool, record)]


def accepts(pool: Pool, record: Values) -> bool:
    return pool.accepts is None or _holds(record, pool.accepts)


def assign_from(session: Session, pool: Pool, ids: Sequence[int], person: int, note: str | None = None) -> int:
    """A manager gives records of the pool to somebody; how many. Limits of claims do not bind them.

    Raises `Forbidden`, `Conflict` where one of them is no longer there: then none is given.
    """
    if not manages(session, pool):
        raise Forbidden()
    _still_there(session, pool, ids)
    _hand_over(session, pool, ids, Handover(person=person, reason="assigned", note=note, to_field=pool.to), "assign")
    return len(ids)


def move(session: Session, pool: Pool, ids: Sequence[int], to: Pool, note: str | None = None) -> int:
    """A manager of both pools moves records on; how many. Raises `Forbidden`, `Conflict`."""
    if not manages(session, pool) or not manages(session, to) or to.entity != pool.entity:
        raise Forbidden()
    if to.name == pool.name:
        raise Conflict("pool.same")
    _still_there(session, pool, ids)
    _hand_over(session, pool, ids, Handover(pool=to.name, reason="moved", note=note), "move")
    return len(ids)


def _still_there(session: Session, pool: Pool, ids: Sequence[int]) -> None:
    if not all(is_free(session, pool, i) for i in sorted(ids)):
        raise Conflict("pool.taken")


def _hand_over(session: Session, pool: Pool, ids: Sequence[int], how: Handover, word: str) -> None:
    hand_over_by(session, pool, ids, how, f"pool:{pool.name}:{word}")


def hand_over_by(session: Session, pool: Pool, ids: Sequence[int], how: Handover, cause: str) -> None:
    """Hands records of a pool over, with the rights of the system, in the name of the person."""
    from runtime import records  # late: records are written through rules

    sub = acting(session, cause)
    hand_over(sub, pool.entity, dict.fromkeys(ids, how))
    for answer in records.update_many(sub, pool.entity, [(i, {}, None) for i in ids], atomic=True):
        if isinstance(answer, Answer):
            raise answer


def _pool_of(session: Session, entity: str, record_id: int) -> Pool | None:
    """The pool a living record lies in."""
    if entity not in session.app.entities or not pools_of(session, entity):
        return None
    table = session.table(entity)
    for pool in pools_of(session, entity):
        same = (table.c.id == record_id, home(session, pool) == pool.name, table.c.deleted_at.is_(None))
        if session.connection.scalar(sa.select(table.c.id).where(*same)) is not None:
            return pool
    return None


def _stored(session: Session, entity: str, record_id: int) -> Stored:
    found = Loader(session).record(entity, record_id)
    if found is None or found.row.get("deleted_at") is not None:
        raise NotFound()
    return found


def _holds(record: Values, expression: Any) -> bool:
    environment = record.loader.environment  # type: ignore[attr-defined]  # records of the record layer carry it
    return evaluate(expression, record, environment) is True
