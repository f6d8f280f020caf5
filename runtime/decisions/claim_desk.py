"""Claims that wait are answered: agreed to, turned down, taken back by who asked, or by themselves when it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.pool import Pool
from runtime.decisions import claims, pooling
from runtime.decisions.assigning import title_of
from runtime.decisions.ownership import Handover
from runtime.decisions.people import is_active, names
from runtime.errors import Answer, Conflict, Forbidden
from runtime.jobs.registry import Payload, job, schedule
from runtime.messages import say
from runtime.records.values import Loader, Stored

if TYPE_CHECKING:
    from runtime.site import Session

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A claim that this person may answer."""

    id: int
    entity: str
    record: int
    title: str
    pool: Pool
    name: str
    asked_at: datetime
    due_at: datetime | None


def waiting(session: Session, limit: int = 200) -> list[Waiting]:
    """The claims the person of the session may answer, the most urgent first."""
    if not any(pool.claim.approval is not None for pool in session.app.of("pool").values()):
        return []
    table = session.table("pool_claim")
    order = (table.c.due_at.is_(None), table.c.due_at, table.c.id)
    living = (table.c.state == claims.WAITING, table.c.deleted_at.is_(None))
    rows = session.connection.execute(sa.select(table).where(*living).order_by(*order).limit(BATCH)).mappings().all()
    called = names(session, [row["person"] for row in rows])
    found = []
    for row in rows:
        pool: Pool | None = session.app.of("pool").get(row["pool"])
        if pool is None or row["person"] == session.user.id or not _may_answer(session, pool, row):
            continue
        found.append(
            Waiting(
                id=row["id"],
                entity=row["entity"],
                record=row["record"],
                title=title_of(session, row["entity"], row["record"]),
                pool=pool,
                name=called.get(row["person"], ""),
                asked_at=row["asked_at"],
                due_at=row["due_at"],
            )
        )
    return found[:limit]


def may_answer(session: Session, entity: str, record_id: int) -> bool:
    """Whether a claim waits for this record that the person of the session may answer; nobody answers their own."""
    row = claims.open_of(session, entity, record_id)
    pool: Pool | None = session.app.of("pool").get(row["pool"]) if row is not None else None
    return pool is not None and row["person"] != session.user.id and _may_answer(session, pool, row)  # type: ignore[index]


def answer(session: Session, entity: str, record_id: int, agree: bool, note: str | None = None) -> None:
    """Agrees to the claim that waits for a record, or turns it down.

    Raises `Conflict` where it was answered or the person left meanwhile, `Forbidden` for who may not answer it.
    """
    row = claims.open_of(session, entity, record_id)
    pool: Pool | None = session.app.of("pool").get(row["pool"]) if row is not None else None
    if row is None or pool is None:
        raise Conflict("pool.answered")
    if row["person"] == session.user.id or not _may_answer(session, pool, row):
        raise Forbidden()
    if agree:
        _agree(session, pool, row, note)
    else:
        _refuse(session, pool, row, note)


def withdraw(session: Session, entity: str, record_id: int) -> None:
    """Who asked takes the claim back. Raises `Conflict` where none of theirs waits."""
    row = claims.open_of(session, entity, record_id)
    if row is None or row["person"] != session.user.id:
        raise Conflict("pool.answered")
    claims.settle(session, row["id"], "withdrawn")


def _may_answer(session: Session, pool: Pool, row: Any) -> bool:
    return claims.decides(session, pool, _record(session, row), row["person"])


def _record(session: Session, row: Any) -> Stored | None:
    return Loader(session).record(row["entity"], row["record"])


def _agree(session: Session, pool: Pool, row: Any, note: str | None) -> None:
    """The record goes to who asked; the answer is the reason of the move."""
    if not is_active(session, row["person"]):
        raise Conflict("assignment.person_left")
    if not pooling.is_free(session, pool, row["record"]):
        raise Conflict("pool.taken")
    claims.settle(session, row["id"], "accepted", note)
    language = session.site.settings.language
    by = names(session, [session.user.id])[session.user.id] if session.user.id is not None else None
    why = say("pool.agreed_by", language, name=by) if by else say("pool.agreed_late", language)
    how = Handover(person=row["person"], reason="claimed", note=f"{why}{'：' + note if note else ''}", to_field=pool.to)
    pooling.hand_over_by(session, pool, [row["record"]], how, claims.agreed_cause(pool))
    claims.tell(session, pool, row["record"], [row["person"]], "agreed", session.user.id)


def _refuse(session: Session, pool: Pool, row: Any, note: str | None) -> None:
    claims.settle(session, row["id"], "rejected", note)
    claims.tell(session, pool, row["record"], [row["person"]], "refused", session.user.id)


@job("pool_claims_overdue")
def overdue(session: Session, _payload: Payload) -> dict[str, int]:
    """What nobody answered in time ends as its pool says; where that is not possible any more, it lapses."""
    table = session.table("pool_claim")
    late = sa.select(table).where(table.c.state == claims.WAITING, table.c.due_at <= session.now).order_by(table.c.id)
    counts = {"accepted": 0, "rejected": 0, "lapsed": 0}
    for row in session.connection.execute(late.limit(BATCH)).mappings().all():
        pool: Pool | None = session.app.of("pool").get(row["pool"])
        counts[_end(session, pool, row)] += 1
    return counts


def _end(session: Session, pool: Pool | None, row: Any) -> str:
    if pool is None:
        claims.lapse(session, row["entity"], [row["record"]])
        return "lapsed"
    if pool.claim.approval is None or pool.claim.approval.then == "reject":
        _refuse(session, pool, row, None)
        return "rejected"
    try:
        with session.connection.begin_nested():
            _agree(session, pool, row, None)
        return "accepted"
    except Answer:
        claims.lapse(session, row["entity"], [row["record"]])
        return "lapsed"


schedule("pool_claims_overdue", "*/5 * * * *", "pool_claims_overdue")
