"""Who holds a record: handed over by a rule, a claim or by hand; one who is held lies in no pool; every move is logged.

Whoever hands records over says so beforehand by `hand_over`, and writes them by the record layer; what people change in
a form is put right here as well, so that owner and pool never contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.pool import Pool
from runtime.decisions.membership import manages
from runtime.environment import working_time
from runtime.records.bulk import insert_of
from runtime.records.rulebook import RecordRule, decide

if TYPE_CHECKING:
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A record goes to `person`, or into `pool`, or to nobody. `reason` is a choice of `ownership_reason`."""

    person: int | None = None
    pool: str | None = None
    reason: str = "transferred"
    note: str | None = None
    at_field: str | None = None  # a moment of the record that is set with it
    to_field: str | None = None  # the user field; None: that of the entity's pools, else its owner


def acting(session: Session, cause: str) -> Session:
    """What the platform does because this person asked: their name in the trail, but not bound by their rights."""
    found = session.sub(session.user.id, cause=cause, channel=session.channel)
    found.user = replace(found.user, superuser=True)
    return found


def hand_over(session: Session, entity: str, moves: Mapping[Any, Handover]) -> None:
    """Announces what the next write of these records in this session does: by id, or by `id(draft)` of a new one."""
    session.cache.setdefault(("handover", entity), {}).update(moves)


def announced(session: Session, draft: Draft) -> Handover | None:
    known: dict[Any, Handover] = session.cache.get(("handover", draft.plan.name), {})
    if not known:
        return None
    key = id(draft) if draft.creating else draft.record_id
    return known.get(key)


def owner_field(app: Application, entity: Entity) -> str | None:
    """The user field that says who holds a record."""
    pools = app.rules_of(entity.name, "pool")
    if pools:
        found: str = pools[0].to
        return found
    assignments = app.rules_of(entity.name, "assignment")
    return assignments[0].to if assignments else entity.owner


def logs_moves(app: Application, entity: Entity) -> bool:
    """Whether the hands that records of the entity go through are kept."""
    return bool(app.rules_of(entity.name, "pool") or app.rules_of(entity.name, "assignment"))


def pool_in(app: Application, entity: str, name: Any) -> Pool | None:
    found: Pool | None = app.of("pool").get(name) if name else None
    return found if found is not None and found.entity == entity else None


class OwnershipRule(RecordRule):
    """Owner, pool and the moments between them, and the ownership log."""

    name = "ownership"

    def applies(self, app: Application, entity: Entity) -> bool:
        return logs_moves(app, entity)

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        pools: tuple[Pool, ...] = session.app.rules_of(plan.name, "pool")
        owner = owner_field(session.app, plan.entity)
        if owner is None:
            return
        for draft in drafts:
            move = announced(session, draft)
            if move is not None:
                decide(draft, move.to_field or owner, move.person)
                if move.at_field is not None and move.person is not None:
                    decide(draft, move.at_field, session.now)
            for home in sorted({pool.field for pool in pools}):
                _keep_straight(session, draft, owner, home, move)

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """By hand only a manager of the pools puts a record into one or moves it on; masked fields are not written."""
        if session.user.superuser:
            return
        for draft in drafts:
            if announced(session, draft) is not None:
                continue
            for field in {p.field for p in session.app.rules_of(plan.name, "pool")}:
                before = draft.before.get(field) if draft.before else None
                after = draft.raw(field)
                for name in {before, after} - {None} if before != after else ():
                    pool = pool_in(session.app, plan.name, name)
                    if pool is not None and not manages(session, pool):
                        draft.refuse("pool.managers_only", field)
                pool = pool_in(session.app, plan.name, before)
                if pool is not None and not manages(session, pool):
                    for name in sorted(pool.mask & draft.changed):
                        draft.refuse("readonly", name)

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        owner = owner_field(session.app, plan.entity)
        if owner is None:
            return
        fields = sorted({p.field for p in session.app.rules_of(plan.name, "pool")})
        home = fields[0] if fields else None
        rows = [row for draft in drafts if (row := _row(session, draft, owner, home)) is not None]
        write_log(session, rows)


def _keep_straight(session: Session, draft: Draft, owner: str, home: str, move: Handover | None) -> None:
    """A record somebody holds lies in no pool; one that comes into a pool has nobody and knows since when."""
    before = draft.before.get(home) if draft.before else None
    held_before = draft.before.get(owner) if draft.before else None
    if move is not None:
        decide(draft, home, move.pool)
    into = draft.raw(home)
    if into is not None and into != before:
        decide(draft, owner, None)
    elif draft.raw(owner) is not None and into is not None:
        decide(draft, home, None)
        into = None
    pool = pool_in(session.app, draft.plan.name, into or before)
    if pool is None:
        pool = next((p for p in session.app.rules_of(draft.plan.name, "pool") if p.field == home), None)
    if pool is None:
        return
    told = session.user.superuser and pool.since in draft.given and draft.raw(pool.since) is not None  # seed data
    if into != before and not (told and into is not None):
        decide(draft, pool.since, session.now if into is not None else None)
    if draft.raw(owner) != held_before:
        _note_taken(session, draft, pool, owner, from_pool=before is not None)


def _note_taken(session: Session, draft: Draft, pool: Pool, owner: str, *, from_pool: bool) -> None:
    taken = draft.raw(owner) is not None
    if pool.claimed is not None:
        decide(draft, pool.claimed, session.now if taken else None)
    if pool.protected is not None:
        decide(draft, pool.protected, protected_until(session, pool) if taken and from_pool else None)


def protected_until(session: Session, pool: Pool) -> datetime | None:
    protect = pool.claim.protect
    return None if protect is None else working_time(session).add(session.now, protect)


# --- the log -------------------------------------------------------------------------------------------------------


def _row(session: Session, draft: Draft, owner: str, home: str | None) -> dict[str, Any] | None:
    before = draft.before or {}
    from_person, to_person = before.get(owner), draft.values.get(owner)
    from_pool = before.get(home) if home else None
    to_pool = draft.values.get(home) if home else None
    if (from_person, from_pool) == (to_person, to_pool):
        return None
    move = announced(session, draft)
    return {
        "entity": draft.plan.name,
        "record": draft.record_id,
        "from_person": from_person,
        "from_pool": from_pool,
        "to_person": to_person,
        "to_pool": to_pool,
        "reason": move.reason if move else _reason(draft, from_pool, to_pool, to_person),
        "note": (move.note or "")[:LONGEST_NOTE] or None if move else None,
    }


def _reason(draft: Draft, from_pool: Any, to_pool: Any, to_person: Any) -> str:
    """How a record changed hands that somebody changed by hand."""
    if draft.creating:
        return "created"
    if from_pool and to_pool:
        return "moved"
    if from_pool and to_person:
        return "assigned"
    return "returned" if to_pool else "transferred"


def write_log(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    same = {
        "moved_at": session.now,
        "moved_on": session.today,
        "by_person": session.user.id,
        "cause": session.cause or session.channel,
    }
    insert_rows(session, "ownership_log", rows, same)
    session.touch("ownership_log")


def insert_rows(
    session: Session, entity: str, rows: Sequence[dict[str, Any]], same: Mapping[str, Any] | None = None
) -> None:
    """Rows that only the platform writes, all with the same keys, by the prepared INSERT; `same` is told once."""
    if not rows:
        return
    common = {**stamps(session), **(same or {})}
    names = (*rows[0], *common)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    insert_of(session, session.table(entity), names).run(session.connection, len(rows), columns, common)


def stamps(session: Session) -> dict[str, Any]:
    """The system fields of a row that only the platform writes."""
    return {
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }
