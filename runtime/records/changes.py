"""What follows a write in the same transaction: lines, stage log, roll-ups, audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.records import store
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reach import Change
from runtime.records.rollups import is_read, spread
from runtime.records.values import CHUNK, Draft
from runtime.security import audit
from runtime.stages import Move, log_moves

if TYPE_CHECKING:
    from runtime.site import Session


def finish_lines(session: Session, drafts: Sequence[Draft]) -> None:
    """Writes the lines of drafts whose own rows are there: new ones, changed ones, and removes what is gone."""
    new: dict[str, list[Draft]] = {}
    changed: dict[str, list[Draft]] = {}
    gone: dict[str, list[Draft]] = {}
    for draft in drafts:
        for name, lines in draft.lines.items():
            for line in lines:
                target = new if line.creating else changed
                if line.creating or line.changed or line.lines or _recomputed(line):
                    target.setdefault(line.plan.name, []).append(line)
            for line in draft.removed.get(name, ()):
                gone.setdefault(line.plan.name, []).append(line)
    for name, lines in gone.items():
        recycle_rows(session, plan_of(session, name), [line.record_id or 0 for line in lines])
    for name, lines in changed.items():
        store.update(session, plan_of(session, name), lines)
    for name, lines in new.items():
        store.insert(session, plan_of(session, name), lines)
        session.touch(name)
    deeper = [line for lines in (*new.values(), *changed.values()) for line in lines if line.lines]
    if deeper:
        finish_lines(session, deeper)


def _recomputed(line: Draft) -> bool:
    before = line.before or {}
    return any(line.values.get(f.name) != before.get(f.name) for f in line.plan.formulas)


def recycle_rows(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), CHUNK):
        statement = sa.update(plan.table).where(plan.table.c.id.in_(ids[start : start + CHUNK]))
        session.connection.execute(statement.values(deleted_at=session.now, deleted_by=session.user.id))


def after_save(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Stage log, roll-ups and audit of records just written."""
    if not drafts:
        return
    family = list(_family(drafts)) if any(draft.lines for draft in drafts) else drafts
    log_moves(session, _moves(family))
    written: dict[str, set[int]] = {}
    for draft in family:
        written.setdefault(draft.plan.name, set()).add(draft.record_id or 0)
    gone = {line.plan.name for draft in family for lines in draft.removed.values() for line in lines}
    if is_read(session, gone.union(written)):
        spread(session, changes_of(drafts), written)
    owners = {d.values[plan.back] for d in drafts if plan.back and d.values.get(plan.back)}
    if owners and plan.entity.parent is not None:  # lines written on their own
        store.raise_versions(session, plan_of(session, plan.entity.parent[0]), owners)
    audit.write(session, _entries(plan, drafts))


def _family(drafts: Iterable[Draft]) -> Iterable[Draft]:
    for draft in drafts:
        yield draft
        for lines in draft.lines.values():
            yield from _family(lines)


def _moves(drafts: Iterable[Draft]) -> list[Move]:
    moves: list[Move] = []
    for draft in drafts:
        for field in draft.plan.tracked:
            before = (draft.before or {}).get(field.name)
            after = draft.values.get(field.name)
            if before != after:
                moves.append(Move(draft.plan.name, draft.record_id or 0, field.name, before, after, new=draft.creating))
    return moves


def changes_of(drafts: Iterable[Draft]) -> Iterable[Change]:
    """What was written, record by record, lines and removed lines included."""
    for draft in drafts:
        yield _change(draft)
        for lines in draft.lines.values():
            yield from changes_of(lines)
        for gone in draft.removed.values():
            for line in gone:
                yield Change(line.plan.name, line.record_id or 0, frozenset(), before=line.before, known=True)


def _change(draft: Draft) -> Change:
    before = draft.before
    if before is None:
        row = {**draft.values, "id": draft.record_id}
        return Change(draft.plan.name, draft.record_id or 0, frozenset(draft.plan.fields), after=row, known=True)
    fields = {name for name, value in draft.values.items() if name in draft.plan.fields and value != before.get(name)}
    fields |= draft.changed
    return Change(draft.plan.name, before["id"], frozenset(fields), before=before, after=draft.values, known=True)


# --- audit ---------------------------------------------------------------------------------------------------------


def _entries(plan: EntityPlan, drafts: Sequence[Draft]) -> Iterable[audit.Entry]:
    """What is told of the drafts; of many new records without lines, column by column."""
    if len(drafts) < _MANY or any(draft.before is not None or draft.lines for draft in drafts):
        return map(_entry, drafts)
    rows = [draft.values for draft in drafts]
    told: list[dict[str, Any]] = [{} for _ in drafts]
    for name, kind in plan.audited:
        values = [row.get(name) for row in rows]
        if plan.fields[name].storage == "decimal":
            values = [None if value is None else f"{value:f}" for value in values]
        for entry, value in zip(told, values):
            if value or (value is not None and value != ()):
                entry[name] = (None, value if kind not in _APART else _told(kind, value))
    return map(audit.Entry, repeat(plan.name), [draft.record_id or 0 for draft in drafts], repeat("create"), told)


def _entry(draft: Draft) -> audit.Entry:
    action = "create" if draft.creating else "update"
    return audit.Entry(draft.plan.name, draft.record_id or 0, action, difference(draft))


def difference(draft: Draft) -> dict[str, Any]:
    """{field: [before, after]}, and per lines field what was added, changed and removed."""
    found: dict[str, Any] = _news(draft) if draft.before is None else _differences(draft, draft.before)
    for name, lines in draft.lines.items():
        change = _lines_difference(lines, draft.removed.get(name, ()))
        if change:
            found[name] = change
    return found


def _news(draft: Draft) -> dict[str, Any]:
    values = draft.values
    found: dict[str, Any] = {}
    for name, kind in draft.plan.audited:
        value = values.get(name)
        if value is None or (not value and value == ()):
            continue
        found[name] = [None, value if kind not in _APART else _told(kind, value)]
    return found


_MANY = 20  # drafts
_APART = frozenset({"secret", "json"})  # told otherwise than by their values


def _told(kind: str, value: Any) -> Any:
    return audit.MASK if kind == "secret" else audit.plain(value)


def _differences(draft: Draft, before: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in draft.plan.audited:
        if name not in draft.changed:
            continue
        old = draft.joins.get(name) if name in draft.joins else before.get(name)
        new = draft.values.get(name)
        if kind == "secret":
            old, new = old and audit.MASK, new and f"{audit.MASK}*"
        if old != new:
            found[name] = [audit.plain(old), audit.plain(new)] if kind == "json" else [old, new]
    return found


def _lines_difference(lines: Sequence[Draft], gone: Sequence[Draft]) -> dict[str, Any]:
    change: dict[str, Any] = {}
    added = [{"id": line.record_id, **difference(line)} for line in lines if line.creating]
    altered = [{"id": line.record_id, **d} for line in lines if not line.creating and (d := difference(line))]
    removed = [{"id": line.record_id, **_last_values(line)} for line in gone]
    for word, rows in (("added", added), ("changed", altered), ("removed", removed)):
        if rows:
            change[word] = rows
    return change


def _last_values(line: Draft) -> dict[str, Any]:
    values = line.before or {}
    names = (f.name for f in line.plan.columns if not f.system and f.audit and f.type != "secret")
    return {n: [audit.plain(values[n]), None] for n in names if values.get(n) is not None and n != line.plan.back}
