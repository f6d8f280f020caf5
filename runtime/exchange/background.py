"""Large imports run as jobs: durable, with progress, to be cancelled; killed anywhere, they go on at their checkpoint.

The job does what `run_import` does, with the same plan and the same checkpoints: an import begun by hand, by the page
or by the API can be taken up by either.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Answer, Conflict
from runtime.exchange import state
from runtime.exchange.imports import run_import
from runtime.exchange.state import JOB, Status
from runtime.exchange.undo import WITHIN, undo_import
from runtime.jobs.context import JobContext
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import long_job
from runtime.messages import say_answer

if TYPE_CHECKING:
    from runtime.site import Session, Site

AT_ONCE = 1000  # rows that are imported while the person waits
LOOK_SECONDS = 0.5  # how often the runner asks whether somebody cancelled
MOST_KEPT = 200  # records left alone that are told one by one
WAITING, RUNNING, CANCELLED, PARKED = "waiting", "running", "cancelled", "parked"


def is_large(found: Status) -> bool:
    """Whether the import is work for the background."""
    return (found.total or 0) > AT_ONCE


def start(session: Session, import_id: int, language: str | None = None) -> Status:
    """Hands the import to the workers, in this transaction. Once, however often it is called; also after a cancel.

    Raises `NotFound` for an import of somebody else.
    """
    found = state.status(session, import_id)
    if found.state == RUNNING:
        return found
    state.set_job(session, import_id, state=WAITING, result=_result(session, import_id, cancelled=False))
    enqueue(session, "import", {"import": import_id, "language": language}, unique_key=f"import:{import_id}")
    return state.status(session, import_id)


def cancel(session: Session, import_id: int) -> Status:
    """Stops the import after the batch at hand; what has landed stays, and starting it again goes on from there.

    Raises `NotFound` for an import of somebody else, `Conflict` where it has ended.
    """
    found = state.status(session, import_id)
    if found.state not in (WAITING, RUNNING, CANCELLED):
        raise Conflict("import.ended")
    state.set_job(session, import_id, state=CANCELLED, result=_result(session, import_id, cancelled=True))
    return state.status(session, import_id)


def _result(session: Session, import_id: int, **more: Any) -> dict[str, Any]:
    table = session.table(JOB)
    kept = session.connection.scalar(sa.select(table.c.result).where(table.c.id == import_id)) or {}
    return {**kept, "problem": None, **more}


def _cancelled(session: Session, import_id: int) -> bool:
    return bool(_result(session, import_id).get("cancelled"))


class _Asked:
    """Whether somebody cancelled; the database is asked now and then."""

    def __init__(self, site: Site, import_id: int) -> None:
        self.site = site
        self.id = import_id
        self.found = False
        self._last = 0.0

    def __call__(self) -> bool:
        if not self.found and time.monotonic() - self._last > LOOK_SECONDS:
            with self.site.session() as session:
                self.found = _cancelled(session, self.id)
            self._last = time.monotonic()
        return self.found


@long_job("import")
def run_in_background(context: JobContext) -> dict[str, Any]:
    """The whole import. What refuses it as a whole is told to its owner, and not tried again by itself."""
    import_id = int(context.payload["import"])
    language = context.payload.get("language")
    stop = _Asked(context.site, import_id)
    if not stop():
        try:
            done = run_import(context.site, import_id, stop=stop, language=language)
        except Answer as answer:
            if isinstance(answer, Conflict):  # another runner is at it: this job comes back and looks again
                raise
            told = say_answer(answer, language or context.site.settings.language)
            with context.transaction() as session:
                kept = {**_result(session, import_id), "problem": told}
                state.set_job(session, import_id, state=PARKED, result=kept)
            return {"problem": told}
        if not stop.found:
            return {"created": done.created, "updated": done.updated, "rejected": done.rejected}
    with context.transaction() as session:
        state.set_job(session, import_id, state=CANCELLED)
    return {"cancelled": True}


# --- taking back -----------------------------------------------------------------------------------------------------


def can_undo(session: Session, found: Status) -> bool:
    """Whether this import can be taken back now: it landed something within a day, and nobody is taking it back."""
    below = any(counts["created"] or counts["updated"] for counts in (found.related or {}).values())
    if found.dry_run or not found.over or not (found.created or found.updated or below) or found.updated_at is None:
        return False
    return found.undo is None and found.updated_at >= session.now - WITHIN


def start_undo(session: Session, import_id: int, language: str | None = None, *, by_worker: bool = True) -> Status:
    """Begins to take the import back, by a worker unless the caller does it (`undo_now`).

    Raises `NotFound`, `Conflict` where it cannot be taken back.
    """
    found = state.status(session, import_id)
    if found.undo is not None and found.undo.get("state") == RUNNING:
        return found
    if not can_undo(session, found):
        raise Conflict("import.undo_too_late" if found.undo is None else "import.undone")
    tell_undo(session, import_id, state=RUNNING)
    if by_worker:
        job = {"import": import_id, "language": language}
        enqueue(session, "import.undo", job, unique_key=f"import undo:{import_id}")
    return state.status(session, import_id)


def tell_undo(session: Session, import_id: int, **told: Any) -> None:
    """Notes how far taking back is, without touching the day within which it is possible."""
    table = session.table(JOB)
    kept = session.connection.scalar(sa.select(table.c.result).where(table.c.id == import_id)) or {}
    session.connection.execute(sa.update(table).where(table.c.id == import_id).values(result={**kept, "undo": told}))


def undo_now(site: Site, import_id: int, language: str | None = None) -> None:
    """Takes the import back as its owner, and notes what came of it."""
    with site.session() as session:
        row, _, _ = state.load(session, import_id)
    done = undo_import(site, import_id, user_id=row["owner"], language=language)
    told = {"state": "done", "removed": done.removed, "restored": done.restored, "kept": list(done.kept[:MOST_KEPT])}
    if done.related:
        told["related"] = {entity: list(ids[:MOST_KEPT]) for entity, ids in done.related.items()}
    with site.session(write=True) as session:
        tell_undo(session, import_id, **told, count=len(done.kept) + sum(map(len, done.related.values())))


@long_job("import.undo")
def undo_in_background(context: JobContext) -> dict[str, Any]:
    undo_now(context.site, int(context.payload["import"]), context.payload.get("language"))
    return {}
