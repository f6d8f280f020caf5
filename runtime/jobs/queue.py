"""The queue is the table of the platform entity `job`: the database holds the truth, whoever runs the jobs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.jobs.registry import jobs
from runtime.messages import say
from runtime.schema.aliases import alias_of

if TYPE_CHECKING:
    from runtime.site import Session, Site

WAITING, RUNNING, DONE, PARKED = "waiting", "running", "done", "parked"
LONGEST_PAUSE = 3600  # seconds between two tries
_ERROR_LENGTH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A job leased to a worker."""

    id: int
    name: str
    payload: Mapping[str, Any]
    tries: int
    worker: str
    result: Any
    on_behalf_of: int | None


def enqueue(
    session: Session,
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    unique_key: str | None = None,
    run_at: datetime | None = None,
    order_key: str | None = None,
) -> int | None:
    """Adds a job in the transaction of the session: it exists exactly if that commits. Its id.

    With `unique_key`: None where a job of that key is waiting already. Jobs of one `order_key` run one after the other
    in the order they were enqueued. The payload is JSON.
    """
    if name not in jobs():
        raise ValueError(f"no job is called {name!r}")
    table = session.table("job")
    if unique_key is not None:
        twin = sa.select(table.c.id).where(table.c.unique_key == unique_key, table.c.state == WAITING)
        if session.connection.scalar(twin.limit(1)) is not None:
            return None
    row = {
        "name": name,
        "payload": dict(payload or {}),
        "state": WAITING,
        "run_at": run_at or session.now,
        "unique_key": unique_key,
        "order_key": order_key,
        "tries": 0,
        "on_behalf_of": session.user.id,
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "version": 1,
    }
    job_id = session.connection.scalar(sa.insert(table).values(row).returning(table.c.id))
    if "bell" not in session.cache:  # once per transaction, however many jobs it adds
        session.cache["bell"] = True
        session.after_commit(session.site.bell.ring)
    session.site.bell.note(job_id)
    return job_id


def claim(site: Site, worker: str, job_id: int | None = None) -> Claimed | None:
    """Leases the next due job (or this one, if it is due) to a worker; None where there is none."""
    with site.session(write=True) as session:
        table, now = session.table("job"), session.now
        if _nothing_due(session, table, now):
            return None
        row = session.connection.execute(_next(table, now, job_id)).mappings().first()
        if row is None:
            return None
        tries = row["tries"] + 1
        change = {
            "state": RUNNING,
            "worker": worker,
            "tries": tries,
            "started_at": now,
            "lease_until": now + timedelta(seconds=site.settings.job_lease_seconds),
            "updated_at": now,
        }
        if row["state"] == RUNNING:
            change["error"] = say("job.lost", site.settings.language)
        session.connection.execute(sa.update(table).where(table.c.id == row["id"]).values(change))
        return Claimed(
            id=row["id"],
            name=row["name"],
            payload=row["payload"] or {},
            tries=tries,
            worker=worker,
            result=row["result"],
            on_behalf_of=row["on_behalf_of"],
        )


def _nothing_due(session: Session, table: sa.Table, now: datetime) -> bool:
    return session.connection.scalar(sa.select(table.c.id).where(is_due(table, now)).limit(1)) is None


def is_due(table: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    """Waiting and due, or running under a lease that has ended."""
    fresh = sa.and_(table.c.state == WAITING, table.c.run_at <= now)
    lost = sa.and_(table.c.state == RUNNING, table.c.lease_until < now)
    return sa.or_(fresh, lost)


def _next(table: sa.Table, now: datetime, job_id: int | None) -> sa.Select:
    before = alias_of(table, "before")
    blocked = (
        sa.select(sa.literal(1))
        .where(before.c.order_key == table.c.order_key, before.c.id < table.c.id)
        .where(before.c.state.in_((WAITING, RUNNING)))
    )
    query = sa.select(table).where(is_due(table, now), ~sa.exists(blocked))
    if job_id is not None:
        query = query.where(table.c.id == job_id)
    return query.order_by(table.c.run_at, table.c.id).limit(1).with_for_update(skip_locked=True)


def still_ours(session: Session, claimed: Claimed) -> bool:
    """Extends the lease inside this transaction; False where another worker has taken the job over.

    On PostgreSQL the row stays locked until the transaction ends, on SQLite the whole database: what is written after
    this can only be committed by the rightful worker.
    """
    table = session.table("job")
    until = session.now + timedelta(seconds=session.site.settings.job_lease_seconds)
    ours = sa.and_(table.c.id == claimed.id, table.c.worker == claimed.worker, table.c.tries == claimed.tries)
    change = sa.update(table).where(ours, table.c.state == RUNNING).values(lease_until=until)
    return session.connection.execute(change).rowcount == 1


def finish(session: Session, claimed: Claimed, result: Any) -> None:
    """Notes that the job is done, in the transaction that did it."""
    table = session.table("job")
    values = {"state": DONE, "ended_at": session.now, "lease_until": None, "error": None, "result": result}
    change = sa.update(table).where(table.c.id == claimed.id)
    session.connection.execute(change.values({**values, "updated_at": session.now}))


def fail(site: Site, claimed: Claimed, reason: str, *, most: int, final: bool = False) -> None:
    """Puts the job back for a later try, or parks it where an administrator sees it."""
    with site.session(write=True) as session:
        table = session.table("job")
        parked = final or claimed.tries >= most
        values: dict[str, Any] = {
            "state": PARKED if parked else WAITING,
            "error": reason[:_ERROR_LENGTH],
            "lease_until": None,
            "updated_at": session.now,
        }
        if parked:
            values["ended_at"] = session.now
        else:
            values["run_at"] = session.now + timedelta(seconds=pause(claimed.tries))
        ours = sa.and_(table.c.id == claimed.id, table.c.worker == claimed.worker, table.c.tries == claimed.tries)
        session.connection.execute(sa.update(table).where(ours, table.c.state == RUNNING).values(values))


def pause(tries: int) -> float:
    """Seconds until the next try: 2, 4, 8, … up to an hour, a fifth of it at random so that jobs spread."""
    return float(min(2**tries, LONGEST_PAUSE)) * random.uniform(0.9, 1.1)  # noqa: S311 - spreads, secures nothing


def retry(session: Session, job_id: int) -> bool:
    """Lets a parked job run again at once; for administrators. False where it is not parked."""
    table = session.table("job")
    values = {"state": WAITING, "tries": 0, "run_at": session.now, "ended_at": None}
    change = sa.update(table).where(table.c.id == job_id, table.c.state == PARKED).values(values)
    session.after_commit(session.site.bell.ring)
    return session.connection.execute(change).rowcount == 1
