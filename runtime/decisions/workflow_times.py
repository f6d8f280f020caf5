"""Workflows that the clock sets off: at the times of a cron expression, or relative to a date of their records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.workflow import Trigger, Workflow
from runtime.decisions.due import bound
from runtime.decisions.matching import condition_of, matching
from runtime.decisions.workflow_store import Start, common, known_keys, start
from runtime.jobs.context import JobContext
from runtime.jobs.registry import Schedule, long_job, schedules_from
from runtime.query.expressions import field_value
from runtime.records.plan import plan_of
from runtime.schema.aliases import alias_of
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

JOB = "workflow_by_clock"
BATCH = 1000
LATE = timedelta(days=7)  # how long ago a date may be for a workflow still to act on it
EVERY = "*/5 * * * *"  # how often moments are looked at


@schedules_from
def workflow_schedules(app: Application) -> Iterable[Schedule]:
    for name, workflow in sorted(app.of("workflow").items()):
        for index, trigger in enumerate(workflow.triggers if workflow.enabled else ()):
            cron = cron_of(app, workflow, trigger)
            if cron is not None:
                payload = {"workflow": name, "trigger": index}
                yield Schedule(name=f"workflow:{name}:{index}", cron=cron, job=JOB, payload=payload)


def cron_of(app: Application, workflow: Workflow, trigger: Trigger) -> str | None:
    """When the clock looks at a trigger; None for those that are no matter of time."""
    if trigger.event == "cron":
        return trigger.cron
    if trigger.event != "date":
        return None
    return f"{trigger.at.minute} {trigger.at.hour} * * *" if _kind(app, workflow, trigger) == "date" else EVERY


def _kind(app: Application, workflow: Workflow, trigger: Trigger) -> str:
    here = workflow.entity
    found = None
    for name in trigger.path:
        holder = app.entities[here] if here else None
        found = holder.fields.get(name) if holder else None
        here = found.value_type.entity if found else None
    return found.value_type.kind if found else "date"


@long_job(JOB)
def workflow_by_clock(context: JobContext) -> dict[str, int]:
    """Starts a run for each record that is due, batch by batch; one run where the workflow is about no record."""
    name, index = context.payload["workflow"], context.payload["trigger"]
    while True:
        with context.transaction() as session:
            workflow: Workflow | None = session.app.of("workflow").get(name)
            if workflow is None or not workflow.enabled or index >= len(workflow.triggers):
                return {"started": context.progress}
            trigger = workflow.triggers[index]
            if workflow.entity is None:
                start(session, [Start(workflow=name, event=trigger.event)])
                return _log(session, name, 1)
            pairs = due(session, workflow, trigger, after=context.cursor or 0, limit=BATCH)
            known = known_keys(session, [key for _, key in pairs if key])
            fresh = [(i, key) for i, key in pairs if key is None or key not in known]
            start(session, [_start(workflow, trigger, record, key) for record, key in fresh])
            done = context.progress + len(fresh)
            if len(pairs) < BATCH:
                return _log(session, name, done)
            context.note(session, cursor=pairs[-1][0], progress=done)


def _start(workflow: Workflow, trigger: Trigger, record: int, key: str | None) -> Start:
    return Start(workflow=workflow.name, event=trigger.event, entity=workflow.entity, record=record, key=key)


def due(
    session: Session, workflow: Workflow, trigger: Trigger, *, after: int = 0, limit: int | None = None
) -> list[tuple[int, str | None]]:
    """Records a trigger is due for, with the key of the occasion (None: each time is one)."""
    entity = str(workflow.entity)
    conditions = [workflow.when] if workflow.when is not None else []
    if trigger.event == "cron":
        return [(i, None) for i in matching(session, entity, conditions, after=after, limit=limit)]
    table = plan_of(session, entity).table
    anchor, kind = anchor_of(session, entity, trigger.path, table)
    ready = bound(session, trigger.offset, before=trigger.before).on(session, anchor, kind)
    fresh = sa.not_(_long_ago(session, trigger, anchor, kind))
    where = condition_of(session, conditions, table)
    wanted = sa.select(table.c.id, anchor).where(table.c.deleted_at.is_(None), table.c.id > after, ready, fresh)
    if where is None:
        ids = matching(session, entity, conditions, ready, fresh, after=after, limit=limit)
        wanted = wanted.where(table.c.id.in_(ids))
    else:
        wanted = wanted.where(where)
    rows = session.connection.execute(wanted.order_by(table.c.id).limit(limit))
    return [(i, f"{workflow.name}:{i}:{value.isoformat()}") for i, value in rows]


def _long_ago(session: Session, trigger: Trigger, anchor: Any, kind: str) -> sa.ColumnElement[bool]:
    """Occasions so late that nobody waits for them: a new workflow does not act on years of history."""
    earlier = bound(session, trigger.offset, before=trigger.before)
    if earlier.day is not None:
        return type(earlier)(day=earlier.day - LATE).on(session, anchor, kind)
    assert earlier.moment is not None
    return type(earlier)(moment=earlier.moment - LATE).on(session, anchor, kind)


def anchor_of(session: Session, entity: str, path: tuple[str, ...], table: Any) -> tuple[Any, str]:
    """The column of a date at a path, over links by sub-queries, and its kind."""
    holder = session.app.entities[entity]
    member = holder.fields[path[0]]
    if len(path) == 1:
        found = field_value(entity, path[0], table, _context(session))
        return found, member.value_type.kind
    target = str(member.value_type.entity)
    alias = alias_of(session.table(target))
    inner, kind = anchor_of(session, target, path[1:], alias)
    link = table.c[column_name(member)]
    return sa.select(inner).where(alias.c.id == link).scalar_subquery(), kind


def _context(session: Session) -> Any:
    from runtime.decisions.matching import context_of

    return context_of(session)


def _log(session: Session, name: str, started: int) -> dict[str, int]:
    row = {"word": "workflow", "name": name, "ran_at": session.now, "matched": started, "told": 0}
    session.connection.execute(sa.insert(session.table("rule_run")).values(**row, **common(session)))
    return {"started": started}
