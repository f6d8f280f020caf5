"""Undoing a merge: those that went come back, what was moved goes back to them, the one that stayed says what it said.

Nothing is guessed: where somebody has changed what the merge had set, it is refused, and told what stands in the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import records
from runtime.actions import as_person
from runtime.duplicates.merge import NOTED, may_merge, parted
from runtime.duplicates.moving import Item, pairs_back, set_links
from runtime.errors import Conflict, Forbidden, NotFound
from runtime.records import rulebook
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.snapshots import take
from runtime.records.values import CHUNK, Loader
from runtime.schema.internal_duplicates import merge as merges
from runtime.security import audit
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A merge that can be undone, as far as is known without trying."""

    id: int
    entity: str
    kept: int
    gone: tuple[int, ...]
    values: Mapping[str, Any]
    moved: tuple[Item, ...]
    at: datetime


def last_merge(session: Session, entity: str, record_id: int) -> Past | None:
    """The last merge into a record that was not undone."""
    wanted = sa.select(merges).where(
        merges.c.entity == entity, merges.c.kept == record_id, merges.c.undone_at.is_(None)
    )
    row = session.connection.execute(wanted.order_by(merges.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else _past(row)


def _past(row: Mapping[Any, Any]) -> Past:
    moved = tuple((e, f, int(r), int(w), bool(x)) for e, f, r, w, x in row["moved"])
    return Past(
        id=row["id"],
        entity=row["entity"],
        kept=row["kept"],
        gone=tuple(row["gone"]),
        values=row["values"],
        moved=moved,
        at=row["merged_at"],
    )


def may_undo(session: Session, past: Past) -> bool:
    """Whether the person may edit the record that stayed, and delete (so also restore) those that went."""
    try:
        may_merge(session, past.entity, past.kept, ())
    except (NotFound, Forbidden):
        return False
    access, table = Access(session), plan_of(session, past.entity).table
    allowed = access.predicate(past.entity, "delete", table)
    if allowed is None:
        return True
    count = sa.select(sa.func.count()).select_from(table).where(table.c.id.in_(past.gone), allowed)
    return session.connection.scalar(count) == len(past.gone)


def unmerge(session: Session, past: Past) -> None:
    """Raises `Forbidden`, and `Conflict` with what has changed since; then nothing has changed."""
    if not may_undo(session, past):
        raise Forbidden("duplicate.may_not")
    plan = plan_of(session, past.entity)
    rulebook.merging(session, plan, [past.kept])
    _unchanged(session, plan, past)
    writing = as_person(session, f"unmerge:{past.entity}:{past.kept}"[:80])
    with session.connection.begin_nested():
        among, others = parted(plan, {name: pair[0] for name, pair in past.values.items()})
        if others:  # first: what is unique is theirs again
            records.update(writing, past.entity, past.kept, others)
        for record_id in past.gone:
            records.restore(writing, past.entity, record_id)
        if among:
            records.update(writing, past.entity, past.kept, among)
        _move_back(writing, past)
        session.connection.execute(sa.update(merges).where(merges.c.id == past.id).values(undone_at=session.now))
        told = [audit.Entry(past.entity, i, "unmerge", {NOTED: [past.kept, None]}) for i in (past.kept, *past.gone)]
        audit.write(session, told)


def _unchanged(session: Session, plan: EntityPlan, past: Past) -> None:
    """Raises `Conflict` where what the merge has set is no longer so."""
    language = session.language
    loader = Loader(session)
    kept = loader.record(plan.name, past.kept)
    if kept is None or kept.row.get("deleted_at") is not None:
        raise NotFound()
    now = take(kept)
    names = [n for n, (_, after) in past.values.items() if n not in plan.fields or now.get(n) != after]
    found = [plan.fields[n].label.of(language) if n in plan.fields else n for n in names]
    found += _moved_on(session, past)
    if found:
        told = ("、" if language == "zh" else ", ").join(found[:MOST_TOLD])
        raise Conflict("merge.changed", what=told + (" …" if len(found) > MOST_TOLD else ""))
    for record_id in past.gone:
        row = loader.record(plan.name, record_id)
        if row is None or row.row.get("deleted_at") is None:
            raise Conflict("merge.gone", entity=plan.entity.label.of(language), id=record_id)


def _moved_on(session: Session, past: Past) -> list[str]:
    """What was moved and leads elsewhere by now."""
    found = []
    for (entity, field), items in _by_field(past.moved).items():
        described = session.app.entities.get(entity)
        if described is None or described.retired or field not in described.fields:
            found.append(f"{entity}.{field}")
            continue
        if described.fields[field].storage == "links":
            continue
        for row in _rows(session, entity, [i[2] for i in items]):
            value = row[field]
            if (value[1] if isinstance(value, tuple) else value) != past.kept:
                title = row.get(described.title) if described.title != "id" else None
                found.append(f"{described.label.of(session.language)} {title or row['id']}")
    return found


def _by_field(moved: Sequence[Item]) -> dict[tuple[str, str], list[Item]]:
    found: dict[tuple[str, str], list[Item]] = {}
    for item in moved:
        found.setdefault((item[0], item[1]), []).append(item)
    return found


def _rows(session: Session, entity: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    plan = plan_of(session, entity)
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), CHUNK):
        wanted = plan.select_rows.where(plan.table.c.id.in_(ids[start : start + CHUNK]))
        found += [plan.row(row) for row in session.connection.execute(wanted)]
    return found


def _move_back(session: Session, past: Past) -> None:
    for (entity, name), items in reversed(list(_by_field(past.moved).items())):
        plan = plan_of(session, entity)
        field = plan.fields[name]
        if field.storage == "links":
            for item in items:
                pairs_back(session, item, past.kept)
            continue
        rows = _rows(session, entity, [item[2] for item in items])
        targets = {item[2]: item[3] for item in items}
        set_links(session, plan, field, rows, targets, past.entity)
