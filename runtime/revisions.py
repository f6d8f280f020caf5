"""Revisions: a record in force is frozen; a change is kept as a draft, approved, and becomes the next version.

The change comes through the same door as any other: it is checked as if it were written, then kept instead. Every
version keeps what the record said, so that two can be compared and an earlier one brought back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.revisions import Revisions
from rules.evaluate import evaluate
from runtime.decisions.approval_rule import owners, top_of
from runtime.decisions.approval_store import first, stamp
from runtime.errors import Conflict, Forbidden, NotFound, RecordProblem
from runtime.records import snapshots
from runtime.records.compute import compute_formulas, freeze_rates, lines_differ, tree_of
from runtime.records.input import announce, fill
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.rulebook import RecordRule, decide, register
from runtime.records.save import note_changes, update
from runtime.records.values import Draft, Loader, Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

REVISION = "revision"
OPEN = ("draft", "review")
VERSIONS = ("current", "past")
STARTED = "form begun from the draft"  # in the cache of a session: the id of the draft that the form showed
Row = Mapping[str, Any]


def cause_of(revision: int) -> str:
    """The cause under which an approved change is written."""
    return f"revision:{revision}"


class RevisionRule(RecordRule):
    """Freezes what is in force, keeps changes to it as drafts, and numbers the versions."""

    name = "revisions"

    def applies(self, app: Application, entity: Entity) -> bool:
        return top_of(app, entity).revisions is not None

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        declared = plan.entity.revisions
        if declared is None:
            _judge_lines(session, drafts)
            return
        judged = [d for d in drafts if d.verdict is None and not _problems(d)]
        frozen = [d for d in judged if d.before is not None and _in_force(declared, d.old(), d)]
        direct = [d for d in frozen if _passes(session, declared, d)]
        for draft in frozen:
            if draft not in direct:
                _keep(session, plan, draft)
        _number(session, plan, declared, [d for d in judged if d not in frozen or d in direct])

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        with_record = session.cache.setdefault("lines gone with their record", set())
        for draft in drafts:
            with_record.update((line.plan.name, line.record_id) for gone in draft.removed.values() for line in gone)
        declared = plan.entity.revisions
        for draft in drafts if declared is not None else ():
            assert declared is not None
            if _makes_version(declared, draft):
                _store_version(session, plan.name, draft)

    def merging(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """What is in force takes nothing over besides its changes."""
        declared = plan.entity.revisions
        if declared is None:
            return
        loader = Loader(session)
        for record_id in ids:
            record = loader.record(plan.name, record_id)
            if record is not None and evaluate(declared.when, record, loader.environment) is True:
                raise Conflict("revision.frozen", title=_title(record))

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        entity = top_of(session.app, plan.entity)
        declared = entity.revisions
        if declared is None or (session.cause or "").startswith(("revision:", "approval:", "sample:")):
            return
        if plan.entity.parent_field in declared.free:
            return
        gone = session.cache.get("lines gone with their record", set())
        alone = [i for i in ids if (plan.name, i) not in gone]
        loader = Loader(session.sub(cause=session.cause))
        for record_id in sorted(owners(session, plan, alone)):
            record = loader.record(entity.name, record_id)
            if record is not None and evaluate(declared.when, record, loader.environment) is True:
                raise Conflict("revision.frozen", title=_title(record))


register(RevisionRule())


def _problems(draft: Draft) -> bool:
    return any(one.problems for _, drafts in tree_of([draft]) for one in drafts)


def _in_force(declared: Revisions, record: Any, draft: Draft) -> bool:
    return record is not None and evaluate(declared.when, record, draft.loader.environment) is True


def _touched(draft: Draft) -> set[str]:
    fields = draft.plan.fields
    own = {n for n in draft.changed if n in fields and fields[n].computed == "no" and not fields[n].system}
    return own | {name for name in draft.lines if lines_differ(draft, name)}


def _passes(session: Session, declared: Revisions, draft: Draft) -> bool:
    """Whether a change of a record in force is written: open fields, what an approval does, or no approval needed."""
    if (session.cause or "").startswith(("revision:", "approval:")):
        return True
    return declared.approval is None or not _touched(draft) - declared.free


def _makes_version(declared: Revisions, draft: Draft) -> bool:
    if not _in_force(declared, draft, draft):
        return False
    if draft.before is None or not _in_force(declared, draft.old(), draft):
        return True
    return bool(_touched(draft) - declared.free - {declared.number})


def _number(session: Session, plan: EntityPlan, declared: Revisions, drafts: Sequence[Draft]) -> None:
    """Gives the version's number to what comes into force, and what is computed from it."""
    if declared.number is None:
        return
    coming = [d for d in drafts if _makes_version(declared, d)]
    if not coming:
        return
    known = _latest_numbers(session, plan.name, [d.record_id for d in coming if d.record_id is not None])
    for draft in coming:
        decide(draft, declared.number, known.get(draft.record_id or 0, 0) + 1)
    compute_formulas(session, coming, only=frozenset({(plan.name, declared.number)}))


def _latest_numbers(session: Session, entity: str, ids: Sequence[int]) -> dict[int, int]:
    table = session.table(REVISION)
    found: dict[int, int] = {}
    for start in range(0, len(ids), 500):
        wanted = (
            sa.select(table.c.record, sa.func.max(table.c.number))
            .where(table.c.entity == entity, table.c.record.in_(ids[start : start + 500]), table.c.state.in_(VERSIONS))
            .where(table.c.deleted_at.is_(None))
            .group_by(table.c.record)
        )
        found.update((row.record, row[1]) for row in session.connection.execute(wanted))
    return found


def _of(table: sa.Table, entity: str, record_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows of a record; living ones, as the index has them."""
    return table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None)


def _store_version(session: Session, entity: str, draft: Draft) -> None:
    """What the record says from now on; an approved change becomes the version itself."""
    table = session.table(REVISION)
    record_id = draft.record_id or 0
    number = _latest_numbers(session, entity, [record_id]).get(record_id, 0) + 1
    session.connection.execute(
        sa.update(table)
        .where(*_of(table, entity, record_id), table.c.state == "current")
        .values(state="past", updated_at=session.now)
    )
    values = {
        "number": number,
        "state": "current",
        "snapshot": snapshots.take(draft),
        "applied_at": session.now,
        "base": draft.values.get("version"),
    }
    cause = session.cause or ""
    if cause.startswith("revision:"):
        own = sa.update(table).where(table.c.id == int(cause.removeprefix("revision:")))
        session.connection.execute(own.values(**values, updated_at=session.now))
    else:
        row = {**stamp(session), "entity": entity, "record": record_id, "author": session.user.id, **values}
        session.connection.execute(sa.insert(table).values(**row, made_at=session.now))
    session.touch(REVISION)


# --- drafts of changes ---------------------------------------------------------------------------------------------


def _keep(session: Session, plan: EntityPlan, draft: Draft) -> None:
    """The change is kept instead of being written; what was checked of it stays as it was checked."""
    access = Access(session)
    environment = draft.loader.environment
    before = draft.old()
    if before is None or not all(access.allows(plan.name, "edit", image, environment) for image in (before, draft)):
        draft.forbid(Forbidden())
        return
    present = open_revision(session, plan.name, draft.record_id or 0)
    if present is not None and present["state"] == "review":
        draft.forbid(Conflict("revision.in_review"))
        return
    record_id = draft.record_id or 0
    number = _latest_numbers(session, plan.name, [record_id]).get(record_id, 0) + 1
    changes = _proposal(session, draft)
    if present is not None:
        begun = (
            session.cache.get(STARTED) == present["id"]
        )  # its form showed the draft: what says the old again is meant
        earlier = present["changes"] or {}
        changes = {**{n: v for n, v in earlier.items() if not (begun and n in draft.given)}, **changes}
    _store_draft(session, plan.name, draft, present, number, changes)
    draft.warnings.append(RecordProblem(code="revision.drafted", params={"number": str(number)}))
    assert draft.before is not None
    draft.values = dict(draft.before)
    for held in (draft.changed, draft.given, draft.lines, draft.removed, draft.joins):
        held.clear()


def _proposal(session: Session, draft: Draft) -> dict[str, Any]:
    """The fields that change, as they would be sent: lines whole, each with its id."""
    wanted = _touched(draft)
    snapshot = snapshots.take(draft)
    values = snapshots.as_input(session, draft.plan.name, snapshot)
    return {name: value for name, value in values.items() if name in wanted}


def _store_draft(
    session: Session, entity: str, draft: Draft, present: Row | None, number: int, changes: Mapping[str, Any]
) -> None:
    table = session.table(REVISION)
    if present is not None:
        session.connection.execute(
            sa.update(table)
            .where(table.c.id == present["id"])
            .values(changes=dict(changes), updated_at=session.now, updated_by=session.user.id)
        )
    else:
        row = {
            **stamp(session),
            "entity": entity,
            "record": draft.record_id,
            "number": number,
            "state": "draft",
            "author": session.user.id,
            "made_at": session.now,
            "base": draft.values.get("version"),
            "changes": dict(changes),
        }
        session.connection.execute(sa.insert(table).values(row))
    session.touch(REVISION)


def open_revision(session: Session, entity: str, record_id: int) -> Row | None:
    """The change to a record that is being made or approved."""
    table = session.table(REVISION)
    wanted = sa.select(table).where(*_of(table, entity, record_id), table.c.state.in_(OPEN))
    return first(session, wanted.order_by(table.c.id.desc()).limit(1))


def draft_of(session: Session, entity: str, record_id: int) -> Row | None:
    """The change to a record that is being made and not yet in review."""
    if session.app.entities[entity].revisions is None:
        return None
    row = open_revision(session, entity, record_id)
    return row if row is not None and row["state"] == "draft" else None


def proposed(session: Session, revision: int) -> Draft:
    """The record as a change would make it, with its formulas; nothing is written. Raises `NotFound`."""
    table = session.table(REVISION)
    row = session.connection.execute(sa.select(table).where(table.c.id == revision)).mappings().first()
    if row is None:
        raise NotFound()
    system = session.sub(cause=session.cause)
    plan = plan_of(session, row["entity"])
    loader = Loader(system, session.environment())
    found = loader.record(row["entity"], row["record"])
    if found is None:
        raise NotFound()
    draft = Draft(loader, plan, found.row)
    fill(draft, row["changes"] or {}, system, Access(system))
    note_changes(draft)
    groups = tree_of([draft])
    for _, drafts in groups:
        announce(drafts, loader)
    freeze_rates(system, groups)
    compute_formulas(system, [draft])
    return draft


def _judge_lines(session: Session, drafts: Sequence[Draft]) -> None:
    """Lines written on their own: the record they belong to changes by revisions, so they change with it."""
    if (session.cause or "").startswith(("revision:", "approval:")):
        return
    for draft in drafts:
        if draft.parent is not None or not (draft.creating or draft.changed):
            continue
        owner: Any = draft
        while owner is not None and owner.plan.entity.parent is not None:
            owner = owner.get(owner.plan.back)
        declared = owner.plan.entity.revisions if owner is not None else None
        free = declared is not None and draft.plan.entity.parent_field in declared.free
        if declared is not None and not free and _in_force(declared, owner, draft):
            draft.forbid(Conflict("revision.frozen", title=_title(owner)))


def _title(record: Stored) -> str:
    found = record.get(record.plan.entity.title)
    return str(found if found is not None and not hasattr(found, "members") else record.record_id)


# --- what becomes of a change --------------------------------------------------------------------------------------


def submit_change(session: Session, entity: str, record_id: int, reason: str | None) -> Any:
    """The draft goes to its approval; the case. Raises `Conflict` where there is none."""
    from runtime.decisions import approvals  # late: approvals tell revisions how they have ended

    approvals.may_submit(session, entity, record_id)
    approvals.lock_record(session, entity, record_id)
    row = open_revision(session, entity, record_id)
    declared = session.app.entities[entity].revisions
    if row is None or declared is None or row["state"] != "draft":
        raise Conflict("revision.nothing" if row is None else "revision.in_review")
    table = session.table(REVISION)
    session.connection.execute(sa.update(table).where(table.c.id == row["id"]).values(reason=reason))
    draft = proposed(session, row["id"])
    running = approvals.store.running(session, entity, record_id)
    if running is not None:
        return approvals.resubmit(session, running, draft, reason)
    rule = session.app.of("approval")[declared.approval or ""]
    needed = approvals.holds(rule, draft, draft.environment())
    return approvals.begin_case(session, rule, draft, comment=reason, needed=needed, revision=row["id"])


def case_ended(session: Session, revision: int, ending: str) -> None:
    """What an approval's course means for the change it is about."""
    if ending == "approved":
        apply(session, revision)
        return
    state = {"submitted": "review", "rejected": "rejected"}.get(ending, "draft")
    table = session.table(REVISION)
    session.connection.execute(
        sa.update(table).where(table.c.id == revision).values(state=state, updated_at=session.now)
    )


def apply(session: Session, revision: int) -> None:
    """The change is written, as the system, and becomes the version in force."""
    table = session.table(REVISION)
    row = session.connection.execute(sa.select(table).where(table.c.id == revision)).mappings().one()
    update(session.sub(cause=cause_of(revision)), row["entity"], row["record"], row["changes"] or {})


def discard(session: Session, entity: str, record_id: int) -> None:
    row = open_revision(session, entity, record_id)
    if row is None:
        raise Conflict("revision.nothing")
    if row["state"] == "review":
        raise Conflict("revision.in_review")
    table = session.table(REVISION)
    session.connection.execute(
        sa.update(table).where(table.c.id == row["id"]).values(state="discarded", updated_at=session.now)
    )


def restore_version(session: Session, entity: str, record_id: int, number: int) -> Any:
    """What an earlier version said becomes a change, through the same door as any other."""
    wanted = version_of(session, entity, record_id, number)
    declared = session.app.entities[entity].revisions
    keep = (declared.free | {declared.number}) if declared is not None else frozenset()
    values = snapshots.as_input(session, entity, wanted["snapshot"] or {})
    hidden = Access(session).hidden(entity)
    given = {n: v for n, v in values.items() if n not in keep and n not in hidden}
    return update(session, entity, record_id, _again(session, entity, record_id, given))


def _again(session: Session, entity: str, record_id: int, values: dict[str, Any]) -> dict[str, Any]:
    """Lines that are gone come back as new ones."""
    from runtime.decisions.approvals import stored

    record = stored(session, entity, record_id)
    for field in record.plan.lines:
        if field.name in values:
            there = {line.record_id for line in record.members(field.name)}  # type: ignore[attr-defined]
            rows = values[field.name] or []
            values[field.name] = [
                row if row.get("id") in there else {n: v for n, v in row.items() if n != "id"} for row in rows
            ]
    return values


# --- reading -------------------------------------------------------------------------------------------------------


def versions(session: Session, entity: str, record_id: int) -> list[Row]:
    """The versions of a record and the change being made, the newest first. The record must be visible."""
    table = session.table(REVISION)
    wanted = sa.select(table).where(*_of(table, entity, record_id), table.c.state.in_((*VERSIONS, *OPEN)))
    order = wanted.order_by(table.c.number.desc(), table.c.id.desc())
    return [dict(row) for row in session.connection.execute(order).mappings()]


def version_of(session: Session, entity: str, record_id: int, number: int) -> Row:
    """One version by number. Raises `NotFound`."""
    table = session.table(REVISION)
    same = (*_of(table, entity, record_id), table.c.number == number, table.c.state.in_(VERSIONS))
    wanted = sa.select(table).where(*same)
    row = first(session, wanted.order_by(table.c.id.desc()).limit(1))
    if row is None:
        raise NotFound()
    return row


def content_of(session: Session, entity: str, record_id: int, number: int) -> dict[str, Any]:
    """What a version says, the open change by its coming number included. Raises `NotFound`."""
    row = open_revision(session, entity, record_id)
    if row is not None and row["number"] == number:
        return snapshots.take(proposed(session, row["id"]))
    found: dict[str, Any] = version_of(session, entity, record_id, number)["snapshot"] or {}
    return found
