"""The stage log: every move of a tracked field, with the seconds spent in the value before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True)
class Move:
    """`entity.field` of record `record` goes from `before` to `after`; `new` says that the record is created."""

    entity: str
    record: int
    field: str
    before: str | None
    after: str | None
    new: bool


def log_moves(session: Session, moves: Iterable[Move], cause: str | None = None) -> None:
    """Writes the moves; the time in the value before is counted from the move into it."""
    moves = list(moves)
    if not moves:
        return
    since = _entered(session, [m for m in moves if not m.new])
    table = session.table("stage_log")
    common = {
        "moved_at": session.now,
        "moved_on": session.today,
        "person": session.user.id,
        "cause": cause or session.cause or session.channel,
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }
    rows: list[dict[str, Any]] = []
    for m in moves:
        entered = since.get((m.entity, m.record, m.field))
        seconds = None if entered is None else int((session.now - entered).total_seconds())
        change = {"entity": m.entity, "record": m.record, "field": m.field, "from_value": m.before}
        rows.append({**common, **change, "to_value": m.after, "seconds": seconds})
    session.connection.execute(sa.insert(table), rows)


def _entered(session: Session, moves: list[Move]) -> dict[tuple[str, int, str], Any]:
    """When each record entered the value it leaves now."""
    table = session.table("stage_log")
    found: dict[tuple[str, int, str], Any] = {}
    for entity, field in sorted({(m.entity, m.field) for m in moves}):
        ids = [m.record for m in moves if (m.entity, m.field) == (entity, field)]
        for start in range(0, len(ids), 500):
            latest = (
                sa.select(table.c.record, sa.func.max(table.c.moved_at, type_=table.c.moved_at.type))
                .where(table.c.entity == entity, table.c.field == field, table.c.deleted_at.is_(None))
                .where(table.c.record.in_(ids[start : start + 500]))
                .group_by(table.c.record)
            )
            for record, moved_at in session.connection.execute(latest):
                found[entity, record, field] = moved_at
    return found
