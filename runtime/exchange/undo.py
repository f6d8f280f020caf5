"""Taking an import back: what it created is recycled, what it changed gets its values back, if nobody has since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import records
from runtime.errors import Answer, Conflict
from runtime.exchange import state
from runtime.schema.internal_exchange import import_member, import_row

if TYPE_CHECKING:
    from runtime.site import Session, Site

WITHIN = timedelta(hours=24)
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """`kept` are records changed by somebody since, or no longer for this person to change: they stay as they are.

    `related` are such records by their entity that came with others; what they belong to stays as well."""

    removed: int
    restored: int
    kept: tuple[int, ...]
    related: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def undo_import(site: Site, import_id: int, *, user_id: int | None = None, language: str | None = None) -> Undone:
    """Takes an import of the last 24 hours back, batch by batch, last row first; can be repeated.

    Raises `NotFound` for an import of somebody else, `Conflict` while it runs or when it is too old.
    """
    removed, restored, related, owners = _undo_related(site, import_id, user_id, language)
    kept: list[int] = []
    before = None
    while True:
        with site.session(user_id, write=True, channel="import", language=language) as session:
            target = _undoable(session, import_id)
            rows = _last_rows(session, import_id, before)
            if not rows:
                state.reopen(session, import_id)
                return Undone(removed=removed, restored=restored, kept=tuple(kept), related=related)
            taken, given, left = _take_back(session, target, rows, owners)
            done = [row.row for row in rows if row.record_id not in left]
            session.connection.execute(
                sa.delete(import_row).where(import_row.c.import_id == import_id, import_row.c.row.in_(done))
            )
            removed, restored = removed + taken, restored + given
            kept += left
            before = rows[-1].row


def _undo_related(
    site: Site, import_id: int, user_id: int | None, language: str | None
) -> tuple[int, int, dict[str, tuple[int, ...]], set[int]]:
    """Takes related records back, the last of them first: how many were removed and restored, which are left alone, and
    the records those belong to."""
    removed = restored = 0
    kept: dict[str, list[int]] = defaultdict(list)
    owners: set[int] = set()
    before: tuple[int, int] | None = None
    while True:
        with site.session(user_id, write=True, channel="import", language=language) as session:
            _undoable(session, import_id)
            rows = _last_members(session, import_id, before)
            if not rows:
                return removed, restored, {entity: tuple(ids) for entity, ids in kept.items() if ids}, owners
            for (step, entity), group in groupby(rows, key=lambda row: (row.step, row.entity)):
                members = list(group)
                taken, given, left = _take_back(session, entity, members)
                removed, restored = removed + taken, restored + given
                kept[entity] += left
                owners.update(row.owner_id for row in members if row.record_id in left)
                done = [row.row for row in members if row.record_id not in left]
                mine = sa.and_(import_member.c.import_id == import_id, import_member.c.step == step)
                session.connection.execute(sa.delete(import_member).where(mine, import_member.c.row.in_(done)))
            before = (rows[-1].step, rows[-1].row)


def _last_members(session: Session, import_id: int, before: tuple[int, int] | None) -> Sequence[Any]:
    wanted = sa.select(import_member).where(import_member.c.import_id == import_id)
    if before is not None:
        step, row = before
        earlier = sa.and_(import_member.c.step == step, import_member.c.row < row)
        wanted = wanted.where(sa.or_(import_member.c.step < step, earlier))
    return session.connection.execute(
        wanted.order_by(import_member.c.step.desc(), import_member.c.row.desc()).limit(BATCH)
    ).all()


def _undoable(session: Session, import_id: int) -> str:
    found = state.status(session, import_id)
    if found.state == "running":
        raise Conflict("import.running")
    row, _, _ = state.load(session, import_id)
    if row["updated_at"] < session.now - WITHIN:
        raise Conflict("import.undo_too_late")
    return found.target


def _last_rows(session: Session, import_id: int, before: int | None) -> Sequence[Any]:
    wanted = sa.select(import_row).where(import_row.c.import_id == import_id)
    if before is not None:
        wanted = wanted.where(import_row.c.row < before)
    return session.connection.execute(wanted.order_by(import_row.c.row.desc()).limit(BATCH)).all()


def _take_back(
    session: Session, entity: str, rows: Sequence[Any], stay: Collection[int] = ()
) -> tuple[int, int, list[int]]:
    """How many were removed and restored, and the ids left alone; new ones among `stay` are."""
    removed = restored = 0
    left: list[int] = []
    for new, group in groupby(rows, key=lambda row: row.before is None):
        members = list(group)
        if new:
            answers = [row.record_id not in stay and _removed(session, entity, row) for row in members]
            removed += answers.count(True)
        else:
            changes = [(row.record_id, row.before, row.version) for row in members]
            results = records.update_many(session, entity, changes, atomic=False)
            answers = [not isinstance(result, Answer) for result in results]
            restored += answers.count(True)
        left += [row.record_id for row, fine in zip(members, answers) if not fine]
    return removed, restored, left


def _removed(session: Session, entity: str, row: Any) -> bool:
    try:
        with session.connection.begin_nested():
            records.delete(session, entity, row.record_id, version=row.version)
    except Answer:
        return False
    return True


def forget(site: Site) -> None:
    """Drops what undoing would need of imports older than a day."""
    with site.session(write=True) as session:
        table = session.table(state.JOB)
        old = sa.select(table.c.id).where(table.c.updated_at < session.now - WITHIN)
        for kept in (import_row, import_member):
            session.connection.execute(sa.delete(kept).where(kept.c.import_id.in_(old)))
