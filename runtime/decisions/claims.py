"""Claims somebody has to agree to, as rows: asked for, counted, settled once, lapsed with their record.

Until the answer the record lies in its pool, masked as before, and nobody else takes it. A claim counts against the
limits of who asked from the day it was asked, and once: while it waits, then as what the person holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.pool import ClaimApproval, Pool
from rules.evaluate import holds
from runtime.decisions.ownership import insert_rows
from runtime.decisions.people import administrators, names, resolve_all
from runtime.environment import working_time
from runtime.errors import Conflict
from runtime.messages import say
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import CHUNK, Loader, Stored

if TYPE_CHECKING:
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session

WAITING = "waiting"
COUNTED = (WAITING, "accepted", "withdrawn")  # of a day; what was turned down was never had
MOST_NAMES = 3


def needed(session: Session, pool: Pool, record: Stored) -> bool:
    """Whether the person of the session has to ask for this record; who may agree themselves need not."""
    approval = pool.claim.approval
    if approval is None or not _concerns(approval, record):
        return False
    return not decides(session, pool, record, session.user.id)


def _concerns(approval: ClaimApproval, record: Stored) -> bool:
    return approval.when is None or holds(approval.when, record, record.loader.environment)


def asked_of(pool: Pool, record: Stored) -> bool:
    """Whether claims on this record wait for somebody."""
    return pool.claim.approval is not None and _concerns(pool.claim.approval, record)


def deciders(session: Session, pool: Pool, record: Stored | None, claimant: int | None) -> list[int]:
    """Who agrees to a claim of that person, the administrators where that is nobody; the managers where nothing is
    declared any more."""
    people = pool.claim.approval.by if pool.claim.approval is not None else pool.managers
    asking = Loader(session).record("user", claimant) if claimant is not None else None
    return resolve_all(session, people, record, session.environment(user=asking)) or administrators(session)


def decides(session: Session, pool: Pool, record: Stored | None, claimant: int | None) -> bool:
    if session.user.admin or session.user.superuser:
        return True
    return session.user.id in deciders(session, pool, record, claimant)


# --- the rows ------------------------------------------------------------------------------------------------------


def open_among(session: Session, entity: str, ids: Sequence[int]) -> dict[int, Any]:
    """The claims that wait, by record."""
    table = session.table("pool_claim")
    found: dict[int, Any] = {}
    for start in range(0, len(ids), CHUNK):
        part = table.c.record.in_(list(ids)[start : start + CHUNK])
        same = (table.c.entity == entity, part, table.c.state == WAITING, table.c.deleted_at.is_(None))
        found |= {row["record"]: row for row in session.connection.execute(sa.select(table).where(*same)).mappings()}
    return found


def open_of(session: Session, entity: str, record_id: int) -> Any | None:
    return open_among(session, entity, [record_id]).get(record_id)


def waiting_records(session: Session, entity: str, person: int | None = None) -> sa.Select[Any]:
    """The ids of records that a claim waits for (of one person), as a sub-query."""
    table = session.table("pool_claim")
    wanted = sa.select(table.c.record).where(
        table.c.entity == entity, table.c.state == WAITING, table.c.deleted_at.is_(None)
    )
    return wanted if person is None else wanted.where(table.c.person == person)


def asked_today(session: Session, pool: Pool) -> int:
    """Claims of today that the person had to ask for."""
    table = session.table("pool_claim")
    same = (
        table.c.pool == pool.name,
        table.c.person == session.user.id,
        table.c.asked_on == session.today,
        table.c.state.in_(COUNTED),
        table.c.deleted_at.is_(None),
    )
    return session.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*same)) or 0


def agreed_cause(pool: Pool) -> str:
    """The cause of the move that an answer makes: it was counted when it was asked for."""
    return f"pool:{pool.name}:agreed"


def ask(session: Session, pool: Pool, record: Stored) -> None:
    """Keeps the claim of the person of the session and tells those who answer it.

    The caller holds the record's row, so that of two who ask at once the second finds the claim of the first.
    """
    approval = pool.claim.approval
    assert approval is not None
    within = approval.within
    row = {
        "entity": pool.entity,
        "record": record.row["id"],
        "pool": pool.name,
        "person": session.user.id,
        "state": WAITING,
        "asked_at": session.now,
        "asked_on": session.today,
        "due_at": None if within is None else working_time(session).add(session.now, within),
    }
    insert_rows(session, "pool_claim", [row])
    session.touch("pool_claim")
    tell(session, pool, record.row["id"], deciders(session, pool, record, session.user.id), "asked", session.user.id)


def settle(session: Session, claim_id: int, state: str, note: str | None = None) -> None:
    """Ends a claim that waits; of two who answer at once one finds it answered. Raises `Conflict`."""
    table = session.table("pool_claim")
    decided = {
        "state": state,
        "decided_by": session.user.id,
        "decided_at": session.now,
        "note": (note or "")[:500] or None,
    }
    still = (table.c.id == claim_id, table.c.state == WAITING)
    if session.connection.execute(sa.update(table).where(*still).values(decided)).rowcount != 1:
        raise Conflict("pool.answered")
    session.touch("pool_claim")


def lapse(session: Session, entity: str, ids: Sequence[int]) -> None:
    """What waits for records that went elsewhere has no object any more."""
    table = session.table("pool_claim")
    for start in range(0, len(ids), CHUNK):
        part = table.c.record.in_(list(ids)[start : start + CHUNK])
        same = (table.c.entity == entity, part, table.c.state == WAITING)
        session.connection.execute(sa.update(table).where(*same).values(state="lapsed", decided_at=session.now))


class ClaimsRule(RecordRule):
    """A claim lapses when its record leaves the pool by another way."""

    name = "claims"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "pool"))

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        marks = {name for pool in session.app.rules_of(plan.name, "pool") for name in (pool.field, pool.to)}
        gone = [d.record_id or 0 for d in drafts if not d.creating and not marks.isdisjoint(d.changed)]
        lapse(session, plan.name, gone)

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        lapse(session, plan.name, ids)


# --- what is said --------------------------------------------------------------------------------------------------


def waits_for(session: Session, pool: Pool, record: Stored | None, claimant: int | None) -> str:
    """The names of those who answer, a few of them; "" for nobody."""
    people = deciders(session, pool, record, claimant)
    called = names(session, people[:MOST_NAMES])
    listed = ("、" if session.language == "zh" else ", ").join(called[i] for i in people[:MOST_NAMES] if i in called)
    return say("pool.and_others", session.language, names=listed) if len(people) > MOST_NAMES else listed


def deadline(session: Session, due: Any) -> str:
    """Until when it is answered, in brackets of its language; "" where nothing ends it."""
    if due is None:
        return ""
    return say("pool.until", session.language, until=due.astimezone(session.zone).strftime("%Y-%m-%d %H:%M"))


def told(session: Session, row: Any, record: Stored | None) -> dict[str, Any]:
    """One claim for people: its state, who asked, what came of it, as a sentence."""
    found = params(session, row, record)
    choice = session.app.options["claim_state"].choice(row["state"])
    return {
        "state": row["state"],
        "label": choice.label.of(session.language) if choice else row["state"],
        "colour": choice.colour if choice else None,
        "name": found["name"],
        "sentence": say(f"pool.claim.{row['state']}", session.language, **found),
        "note": row["note"] or "",
        "at": (row["decided_at"] or row["asked_at"]).astimezone(session.zone).isoformat(),
        "by": found["by"] if row["decided_at"] is not None else found["name"],
    }


def params(session: Session, row: Any, record: Stored | None) -> dict[str, str]:
    """What the sentences about a claim speak of."""
    pool: Pool | None = session.app.of("pool").get(row["pool"])
    called = names(session, [i for i in (row["person"], row["decided_by"]) if i is not None])
    waits = pool is not None and row["state"] == WAITING
    return {
        "name": called.get(row["person"], ""),
        "by": called.get(row["decided_by"], "Octavo"),
        "until": deadline(session, row["due_at"]),
        "waits_for": waits_for(session, pool, record, row["person"]) if waits and pool is not None else "",
        "pool": pool.label.of(session.language) if pool is not None else row["pool"],
    }


def rows_of(session: Session, entity: str, record_id: int, limit: int) -> Sequence[Any]:
    """The claims on a record that somebody had to agree to, the newest first."""
    table = session.table("pool_claim")
    same = (table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    wanted = sa.select(table).where(*same).order_by(table.c.id.desc()).limit(limit)
    return session.connection.execute(wanted).mappings().all()


def tell(session: Session, pool: Pool, record: int, people: Sequence[int], word: str, name: int | None) -> None:
    """A notice about a claim: `pool.told.<word>`; `name` is the person it speaks of."""
    from runtime.decisions.assigning import title_of  # late: assignments stand on ownership, too
    from runtime.messaging.notify import notify  # late: only where somebody is told

    called = names(session, [name])[name] if name is not None else "Octavo"
    title = title_of(session, pool.entity, record)

    def subject(language: str) -> str:
        return say(f"pool.told.{word}", language, name=called, title=title, pool=pool.label.of(language))

    notify(session, people, subject, entity=pool.entity, record=record, word="pool", rule=f"claim_{word}")


register(ClaimsRule())
