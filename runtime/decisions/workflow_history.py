"""A workflow over history: on how many records it would have acted since a moment, had it been there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.workflow import Trigger, Workflow
from rules.evaluate import holds
from runtime.decisions.due import bound
from runtime.decisions.matching import matching
from runtime.decisions.workflow_times import anchor_of
from runtime.records.plan import plan_of
from runtime.records.values import CHUNK, Loader, Stored

if TYPE_CHECKING:
    from runtime.site import Session

SAMPLE = 10
MOST_ROWS = 200_000  # of the audit trail that are looked at


@dataclass(slots=True)
class WouldHave:
    """`fired` times on `records` different records, the first few of them in `sample`.

    `exact` is False where a condition was judged by the records as they are now, not as they were.
    """

    workflow: str
    since: datetime
    fired: int = 0
    records: int = 0
    sample: list[int] = field(default_factory=list)
    exact: bool = True


def would_have(session: Session, workflow: Workflow, since: datetime) -> WouldHave:
    """Counts over stage log, audit trail and records; nothing is written."""
    found = WouldHave(workflow=workflow.name, since=since)
    seen: dict[int, None] = {}
    for trigger in workflow.triggers:
        for record_id in _fired(session, workflow, trigger, since, found):
            found.fired += 1
            seen.setdefault(record_id)
    found.records = len(seen)
    found.sample = list(seen)[:SAMPLE]
    return found


def _fired(session: Session, workflow: Workflow, trigger: Trigger, since: datetime, found: WouldHave) -> Iterator[int]:
    if workflow.entity is None:
        times = _times(session, trigger, since) if trigger.event == "cron" else 0
        found.fired += times
        return
    if trigger.event == "move":
        yield from _moves(session, workflow, trigger, since, found)
    elif trigger.event in ("create", "update", "delete", "restore"):
        yield from _changes(session, workflow, trigger, since, found)
    elif trigger.event == "date":
        found.exact = found.exact and workflow.when is None
        yield from _dates(session, workflow, trigger, since)
    elif trigger.event == "cron":
        found.exact = False
        ids = matching(session, workflow.entity, [workflow.when] if workflow.when is not None else [])
        yield from ids
        found.fired += (max(_times(session, trigger, since), 1) - 1) * len(ids)


def _times(session: Session, trigger: Trigger, since: datetime) -> int:
    """How often a cron expression was due."""
    from croniter import croniter  # late: for whoever simulates

    clock = croniter(str(trigger.cron), since.astimezone(session.zone))
    times = 0
    while times < MOST_ROWS and clock.get_next(datetime).astimezone(UTC) <= session.now:
        times += 1
    return times


def _dates(session: Session, workflow: Workflow, trigger: Trigger, since: datetime) -> Iterator[int]:
    entity = str(workflow.entity)
    table = plan_of(session, entity).table
    anchor, kind = anchor_of(session, entity, trigger.path, table)
    due = bound(session, trigger.offset, before=trigger.before).on(session, anchor, kind)
    earlier = session.sub()
    earlier.now, earlier.today = since, since.astimezone(session.zone).date()
    before = bound(earlier, trigger.offset, before=trigger.before).on(session, anchor, kind)
    conditions = [workflow.when] if workflow.when is not None else []
    yield from matching(session, entity, conditions, due, sa.not_(before))


def _moves(session: Session, workflow: Workflow, trigger: Trigger, since: datetime, found: WouldHave) -> Iterator[int]:
    log = session.table("stage_log")
    wanted = sa.select(log.c.record, log.c.from_value).where(
        log.c.entity == workflow.entity, log.c.field == trigger.field, log.c.moved_at >= since
    )
    if trigger.into:
        wanted = wanted.where(log.c.to_value.in_(trigger.into))
    if trigger.out_of:
        wanted = wanted.where(log.c.from_value.in_(trigger.out_of))
    rows = session.connection.execute(wanted.order_by(log.c.id).limit(MOST_ROWS)).all()
    changes = [(record, {str(trigger.field): [before, None]}) for record, before in rows]
    yield from _judged(session, workflow, changes, found)


def _changes(
    session: Session, workflow: Workflow, trigger: Trigger, since: datetime, found: WouldHave
) -> Iterator[int]:
    """From the audit trail: what changed, and from what."""
    if trigger.event == "create" and workflow.when is None:
        table = plan_of(session, str(workflow.entity)).table
        yield from matching(session, str(workflow.entity), [], table.c.created_at >= since)
        return
    audit = session.table("audit")
    wanted = sa.select(audit.c.record, audit.c.changes).where(
        audit.c.entity == workflow.entity, audit.c.action == trigger.event, audit.c.at >= since
    )
    rows: list[tuple[int, dict[str, Any]]] = []
    for record, changes in session.connection.execute(wanted.order_by(audit.c.id).limit(MOST_ROWS)):
        given = changes if isinstance(changes, dict) else {}
        if not trigger.fields or any(name in given for name in trigger.fields):
            rows.append((record, given))
    yield from _judged(session, workflow, rows, found)


def _judged(
    session: Session, workflow: Workflow, changes: list[tuple[int, dict[str, Any]]], found: WouldHave
) -> Iterator[int]:
    """Those whose condition holds: old values from the trail, the rest as it is now."""
    if workflow.when is None:
        yield from (record for record, _ in changes)
        return
    found.exact = False
    entity = str(workflow.entity)
    for first in range(0, len(changes), CHUNK):
        part = changes[first : first + CHUNK]
        loader = Loader(session)
        loader.want(entity, [record for record, _ in part])
        for record_id, given in part:
            record = loader.record(entity, record_id)
            if record is None:
                continue
            old = {**record.row, **{k: v[0] for k, v in given.items() if isinstance(v, list) and len(v) == 2}}
            before = Stored(loader, record.plan, old)
            environment = session.environment(old=before, changed=frozenset(given))
            if holds(workflow.when, record, environment):
                yield record_id
