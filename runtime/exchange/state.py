"""The state of an import: progress, outcome per row, refused rows; all written in the transaction of the batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rules.expression import Expression
from runtime.errors import Conflict, NotFound, RecordProblem
from runtime.exchange.families import problems_by_row
from runtime.exchange.mapping import field_at
from runtime.exchange.rows import RowPlan, Task
from runtime.exchange.source import Row
from runtime.records.bulk import insert_of
from runtime.schema.internal_exchange import import_member, import_reject, import_row, import_state
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

JOB = "import_job"
COUNTS = ("done", "created", "updated", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far an import is. `state` is waiting, running, done, cancelled or parked; `same` counts rows that change
    nothing, `skipped` those that were not asked for; `lines` how many lines of records with lines are created, updated,
    same and removed, `related` the same of related records by the field that relates them, with skipped ones;
    `problem` says what ended it where it is parked. `undo` tells of
    taking it back: its state and what came of it."""

    id: int
    name: str
    target: str
    state: str
    dry_run: bool
    total: int | None
    done: int
    created: int
    updated: int
    same: int
    rejected: int
    mapping: Mapping[str, str | None]
    rejects: int | None = None  # file of the refused rows
    problem: str | None = None
    skipped: int = 0
    lines: Mapping[str, int] | None = None
    related: Mapping[str, Mapping[str, int]] | None = None
    undo: Mapping[str, Any] | None = None
    file: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Nobody works on it any more."""
        return self.state not in ("waiting", "running")


def fingerprint(*parts: Any) -> str:
    """What makes two imports the same: content, target, columns, match, person."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def known(session: Session, mark: str) -> int | None:
    """The newest import with this fingerprint."""
    found = session.connection.scalar(
        sa.select(sa.func.max(import_state.c.import_id)).where(import_state.c.fingerprint == mark)
    )
    return None if found is None else int(found)


def start(session: Session, values: Mapping[str, Any], mark: str, settings: Mapping[str, Any]) -> int:
    """A new import, waiting. Its id."""
    table = session.table(JOB)
    row = {
        "state": "waiting",
        **dict.fromkeys(COUNTS, 0),
        "result": {"same": 0},
        "owner": session.user.id,
        "created_at": session.now,
        "created_on": session.today,
        "updated_at": session.now,
        "created_by": session.user.id,
        "updated_by": session.user.id,
        "version": 1,
        **values,
    }
    made = session.connection.execute(sa.insert(table).values(row).returning(table.c.id))
    import_id = int(made.scalar_one())
    session.connection.execute(
        sa.insert(import_state).values(
            import_id=import_id, fingerprint=mark, settings=dict(settings), position=0
        )
    )  # fmt: skip
    return import_id


def load(session: Session, import_id: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """The import's row, how its file is read, and the number of the last row dealt with. Raises `NotFound`."""
    table = session.table(JOB)
    row = session.connection.execute(sa.select(table).where(table.c.id == import_id)).mappings().first()
    state = session.connection.execute(
        sa.select(import_state).where(import_state.c.import_id == import_id)
    ).mappings().first()  # fmt: skip
    if row is None or state is None:
        raise NotFound()
    return dict(row), dict(state["settings"]), int(state["position"])


def status(session: Session, import_id: int) -> Status:
    """How far an import is, for its owner and administrators. Raises `NotFound` for others."""
    row, _, _ = load(session, import_id)
    if not Access(session).admin and (row["owner"] is None or row["owner"] != session.user.id):
        raise NotFound()
    return Status(
        id=import_id,
        name=row["name"],
        target=row["target"],
        state=row["state"],
        dry_run=bool(row["dry_run"]),
        total=row["total"],
        **{name: int(row[name] or 0) for name in COUNTS},
        same=int((row["result"] or {}).get("same", 0)),
        mapping=row["mapping"] or {},
        rejects=row["rejects"],
        problem=(row["result"] or {}).get("problem"),
        skipped=int((row["result"] or {}).get("skipped", 0)),
        lines=(row["result"] or {}).get("lines"),
        related=(row["result"] or {}).get("related"),
        undo=(row["result"] or {}).get("undo"),
        file=row["file"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def recent(session: Session, entity: str, limit: int = 5) -> list[int]:
    """The newest imports of this person into an entity that were meant to land, newest first."""
    table = session.table(JOB)
    mine = sa.and_(table.c.target == entity, table.c.owner == session.user.id, table.c.dry_run.is_(False))
    return list(session.connection.scalars(sa.select(table.c.id).where(mine).order_by(table.c.id.desc()).limit(limit)))


def save_batch(
    session: Session, import_id: int, task: Task, batch: Sequence[RowPlan], position: int, *, keep: bool = True
) -> None:
    """Moves the checkpoint from `position` past the batch. Raises `Conflict` where another runner has moved it.

    Without `keep` (a dry run) nothing is noted for undoing.
    """
    moved = session.connection.execute(
        sa.update(import_state)
        .where(import_state.c.import_id == import_id, import_state.c.position == position)
        .values(position=batch[-1].last)
    )
    if moved.rowcount != 1:
        raise Conflict("import.running")
    if keep:
        _save_rows(session, import_id, task, batch)
    rejected = _rejected(import_id, task, batch)
    if rejected:
        session.connection.execute(sa.insert(import_reject), rejected)
    count(session, import_id, batch, done=sum(plan.rows for plan in batch), rejected=len(rejected))


def save_retry(session: Session, import_id: int, task: Task, batch: Sequence[RowPlan]) -> None:
    """Rows refused before and tried again: those that landed are no longer refused, the others have fresh reasons."""
    numbers = [number for plan in batch for number in (plan.number, *(n for n, _ in plan.below))]
    session.connection.execute(
        sa.delete(import_reject).where(import_reject.c.import_id == import_id, import_reject.c.row.in_(numbers))
    )
    rejected = _rejected(import_id, task, batch)
    if rejected:
        session.connection.execute(sa.insert(import_reject), rejected)
    _save_rows(session, import_id, task, batch)
    count(session, import_id, batch, done=0, rejected=len(rejected) - len(numbers))


def _save_rows(session: Session, import_id: int, task: Task, batch: Sequence[RowPlan]) -> None:
    kept = [p for p in batch if p.action in ("create", "update")]
    if kept:
        columns: dict[str, list[Any]] = {
            "row": [p.number for p in kept],
            "record_id": [p.record_id for p in kept],
            "version": [p.version for p in kept],
            "before": [p.before for p in kept],
        }
        insert = insert_of(session, import_row, ("import_id", *columns))
        insert.run(session.connection, len(kept), columns, {"import_id": import_id})
    below = [
        {
            "import_id": import_id,
            "step": step,
            "row": member.number,
            "entity": task.entity.fields[name].entity,
            "record_id": member.record_id,
            "owner_id": plan.record_id,
            "version": member.version,
            "before": member.before,
        }
        for plan in batch
        if plan.action != "error"
        for step, (name, members) in enumerate(plan.members.items())
        for member in members
        if member.action in ("create", "update")
    ]
    if below:
        session.connection.execute(sa.insert(import_member), below)


def _rejected(import_id: int, task: Task, batch: Sequence[RowPlan]) -> list[dict[str, Any]]:
    """The refused rows as they are kept: all rows of a refused record, which may be corrected and tried again."""
    found = []
    for plan in batch:
        if plan.action == "error":
            for (number, cells), problems in problems_by_row(plan):
                told = [_problem(task, problem) for problem in _causes(task, problems)]
                kept = [_cell(c) for c in cells]
                found.append({"import_id": import_id, "row": number, "cells": kept, "problems": told})
    return found


def _causes(task: Task, problems: Sequence[RecordProblem]) -> list[RecordProblem]:
    """Without what is missing only because a cell beside it could not be read: a default, a condition that needs it."""
    if not any(problem.code.startswith("value.") for problem in problems):
        return list(problems)
    return [problem for problem in problems if not _follows(task, problem)]


def _follows(task: Task, problem: RecordProblem) -> bool:
    field = field_at(task.app, task.entity, problem.field or "")
    if problem.code != "required" or field is None or task.header_of(problem.field) is not None:
        return False
    return field.required_when is not None or isinstance(field.default, Expression)


def _problem(task: Task, problem: RecordProblem) -> dict[str, Any]:
    field = field_at(task.app, task.entity, problem.field or "")
    return {
        "column": task.header_of(problem.field),
        "label": None if field is None else dict(field.label.values),  # where no column fills it
        "field": problem.field,
        "code": problem.code,
        "params": dict(problem.params),
        "message": problem.message,
    }


def _cell(cell: Any) -> Any:
    """A cell as JSON that reads back as the same value when the row is tried again."""
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(cell)
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")[:32_000]
    return cell if cell is None or isinstance(cell, bool | int | float) else str(cell)


def count(session: Session, import_id: int, batch: Sequence[RowPlan], *, done: int, rejected: int) -> None:
    """Adds a batch to the figures people see."""
    table = session.table(JOB)
    actions = [plan.action for plan in batch]
    told = session.connection.scalar(sa.select(table.c.result).where(table.c.id == import_id)) or {}
    quiet: dict[str, Any] = {
        word: int(told.get(word, 0)) + actions.count(action) for word, action in (("same", "same"), ("skipped", "skip"))
    }
    if any(plan.lines for plan in batch):
        quiet["lines"] = _lines(told.get("lines") or {}, batch)
    if any(plan.members for plan in batch):
        quiet["related"] = _related(told.get("related") or {}, batch)
    session.connection.execute(
        sa.update(table)
        .where(table.c.id == import_id)
        .values(
            done=table.c.done + done,
            created=table.c.created + actions.count("create"),
            updated=table.c.updated + actions.count("update"),
            rejected=table.c.rejected + rejected,
            result={**told, **quiet},
            updated_at=session.now,
        )
    )


def _lines(told: Mapping[str, int], batch: Sequence[RowPlan]) -> dict[str, int]:
    """How many lines are created, changed, unchanged and removed with the records that land."""
    landed = [plan for plan in batch if plan.action in ("create", "update", "same")]
    lines = [line for plan in landed for members in plan.lines.values() for line in members]
    by = {word: sum(1 for x in lines if x.action == a) for word, a in (("updated", "update"), ("same", "same"))}
    fresh = {"created": len(lines) - sum(by.values()), **by, "removed": sum(plan.dropped for plan in landed)}
    return {word: int(told.get(word, 0)) + count for word, count in fresh.items()}


def _related(told: Mapping[str, Mapping[str, int]], batch: Sequence[RowPlan]) -> dict[str, dict[str, int]]:
    """The same of related records by the field that relates them."""
    words = {"created": "create", "updated": "update", "same": "same", "skipped": "skip"}
    found = {name: dict(counts) for name, counts in told.items()}
    for plan in batch:
        for name, members in plan.members.items():
            counts = found.setdefault(name, dict.fromkeys(words, 0))
            if plan.action != "error":
                actions = [member.action for member in members]
                for word, action in words.items():
                    counts[word] += actions.count(action)
    return found


def set_job(session: Session, import_id: int, **values: Any) -> None:
    table = session.table(JOB)
    session.connection.execute(sa.update(table).where(table.c.id == import_id).values(updated_at=session.now, **values))


def refused_rows(session: Session, import_id: int, after: int = 0, limit: int = 500) -> list[tuple[Row, Any]]:
    """Refused rows behind row `after`, in order: (row, problems)."""
    found = session.connection.execute(
        sa.select(import_reject.c.row, import_reject.c.cells, import_reject.c.problems)
        .where(import_reject.c.import_id == import_id, import_reject.c.row > after)
        .order_by(import_reject.c.row)
        .limit(limit)
    )
    return [((int(number), list(cells)), problems) for number, cells, problems in found]


def all_refused(session: Session, import_id: int, after: int = 0) -> Iterator[tuple[Row, Any]]:
    while part := refused_rows(session, import_id, after):
        yield from part
        after = part[-1][0][0]


def reopen(session: Session, import_id: int) -> None:
    """After undoing, the same file may be imported once more: the import no longer stands for it."""
    session.connection.execute(
        sa.update(import_state).where(import_state.c.import_id == import_id).values(fingerprint="")
    )
