"""Runs of workflows in the database: rows written by the platform alone, in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.workflow import Workflow
from runtime.jobs.queue import enqueue
from runtime.publishing import store
from runtime.security.audit import plain

if TYPE_CHECKING:
    from metadata.model import Application
    from runtime.site import Session

WAITING, PAUSED, DONE, ENDED, PARKED, STOPPED = "waiting", "paused", "done", "ended", "parked", "stopped"
JOB = "run_workflows"
JOB_RUNS = 500  # runs that one job takes
LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run to be: `before` is the row before the change, `given` what a hook was sent, `key` what it is once by."""

    workflow: str
    event: str
    entity: str | None = None
    record: int | None = None
    person: int | None = None
    before: Mapping[str, Any] | None = None
    changed: frozenset[str] = frozenset()
    given: Mapping[str, Any] | None = None
    chain: tuple[str, ...] = ()
    key: str | None = None
    stopped: str | None = None  # the message of a loop: the run is kept and not run


def common(session: Session) -> dict[str, Any]:
    """The system fields of a new row."""
    return {
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }


def start(session: Session, starts: Sequence[Start], *, at: datetime | None = None) -> list[int]:
    """Writes the runs and the jobs that carry them out, in the transaction of the session; the ids of the runs."""
    if not starts:
        return []
    table = session.table("workflow_run")
    same = common(session)
    rows = [{**_row(session, found), **same} for found in starts]
    ids = [
        int(i)
        for i in session.connection.scalars(sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    ]
    session.touch("workflow_run")
    enqueue_runs(session, [i for i, found in zip(ids, starts) if found.stopped is None], at)
    return ids


def enqueue_runs(session: Session, ids: Sequence[int], at: datetime | None = None) -> None:
    for first in range(0, len(ids), JOB_RUNS):
        enqueue(session, JOB, {"runs": list(ids[first : first + JOB_RUNS])}, run_at=at)


def _row(session: Session, found: Start) -> dict[str, Any]:
    before: dict[str, Any] | None = None
    if found.before is not None:
        before = {"values": {k: told(v) for k, v in found.before.items()}, "changed": sorted(found.changed)}
    elif found.changed:
        before = {"values": None, "changed": sorted(found.changed)}
    return {
        "workflow": found.workflow,
        "published": session.version,
        "event": found.event,
        "entity": found.entity,
        "record": found.record,
        "person": found.person,
        "state": STOPPED if found.stopped else WAITING,
        "position": 0,
        "tries": 0,
        "error": found.stopped,
        "before": before,
        "given": dict(found.given) if found.given is not None else None,
        "chain": list(found.chain),
        "event_key": found.key,
        "ended_at": session.now if found.stopped else None,
    }


def told(value: Any) -> Any:
    """A value as JSON that `heard` gives back."""
    found = plain(value)
    return found if isinstance(found, str | int | bool | list | dict) or found is None else str(found)


def read(session: Session, run_id: int, *, lock: bool = False) -> dict[str, Any] | None:
    table = session.table("workflow_run")
    wanted = sa.select(table).where(table.c.id == run_id, table.c.deleted_at.is_(None))
    if lock and session.site.dialect != "sqlite":
        wanted = wanted.with_for_update()
    found = session.connection.execute(wanted).mappings().first()
    return None if found is None else dict(found)


def note(session: Session, run_id: int, **values: Any) -> None:
    table = session.table("workflow_run")
    if values.get("error"):
        values["error"] = str(values["error"])[:LONGEST_ERROR]
    change = sa.update(table).where(table.c.id == run_id)
    session.connection.execute(change.values(**values, updated_at=session.now))


def log_step(session: Session, run: Mapping[str, Any], name: str, effect: str, state: str, result: Any) -> None:
    row = {"run": run["id"], "position": run["position"], "name": name[:60], "effect": effect, "state": state}
    table = session.table("workflow_step")
    session.connection.execute(sa.insert(table).values(**row, result=result, at=session.now, **common(session)))


def definition(session: Session, name: str, published: int | None) -> Workflow | None:
    """The workflow as it was when its run began: a running one keeps its version."""
    app = session.app if published in (None, session.version) else _version(session, int(published or 0))
    found: Workflow | None = app.of("workflow").get(name)
    return found


def _version(session: Session, number: int) -> Application:
    known: dict[int, Application] = session.site.cache.setdefault("workflow versions", {})
    if number not in known:
        known[number] = store.load_application(session.connection, number, session.site.settings)
    return known[number]


def known_keys(session: Session, keys: Iterable[str]) -> dict[str, int]:
    """Runs there are already under these keys."""
    table = session.table("workflow_run")
    wanted = sa.select(table.c.event_key, table.c.id).where(table.c.event_key.in_(list(keys)))
    return {str(key): int(run) for key, run in session.connection.execute(wanted)}
