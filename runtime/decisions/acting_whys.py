"""Why somebody is or will be reminded of a record, and what workflows did with it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.reminder import Reminder
from runtime.decisions.matching import matching
from runtime.decisions.people import names
from runtime.decisions.reminder_query import anchor_of, conditions_of
from runtime.explain import explainer
from runtime.messages import say
from runtime.records.plan import plan_of

if TYPE_CHECKING:
    from runtime.site import Session

LATEST = 20


@explainer("reminder")
def explain_reminder(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Each reminder of the entity: whether the record meets it, since when, who was told and when."""
    found: list[Reminder] = [r for r in session.app.rules_of(entity, "reminder") if r.enabled and r.count is None]
    steps = [_step(session, reminder, record_id) for reminder in found]
    met = sum(1 for step in steps if step["result"])
    return {
        "decision": "reminder",
        "summary": say("why.reminders", session.language, met=met, count=len(steps)),
        "steps": steps,
    }


def _step(session: Session, reminder: Reminder, record_id: int) -> dict[str, Any]:
    language = session.language
    table = plan_of(session, reminder.entity).table
    meets = bool(matching(session, reminder.entity, conditions_of(reminder), table.c.id == record_id))
    anchor, _ = anchor_of(session, reminder, table)
    since = session.connection.scalar(sa.select(anchor).where(table.c.id == record_id)) if anchor is not None else None
    notice = session.table("reminder_notice")
    told = session.connection.execute(
        sa.select(notice.c.recipient, notice.c.created_at, notice.c.level)
        .where(notice.c.reminder == reminder.name, notice.c.record == record_id, notice.c.entity == reminder.entity)
        .where(notice.c.deleted_at.is_(None))
        .order_by(notice.c.id)
    ).all()
    people = names(session, [person for person, _, _ in told])
    day = since.astimezone(session.zone).date() if isinstance(since, datetime) else since
    if not meets:
        why = say("why.reminder_not", language)
    elif reminder.after is None or day is None:
        why = say("why.reminder_now", language)
    else:
        why = say("why.reminder_since", language, since=day, after=reminder.after.said(language))
    return {
        "label": reminder.label.of(language),
        "name": reminder.name,
        "result": meets,
        "why": why,
        "told": [{"person": people.get(p, ""), "at": at.isoformat(), "level": level or 0} for p, at, level in told],
    }


@explainer("workflow")
def explain_workflow(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """The latest runs of workflows on the record: what set them off, how they ended."""
    run = session.table("workflow_run")
    wanted = sa.select(run).where(run.c.entity == entity, run.c.record == record_id, run.c.deleted_at.is_(None))
    rows = session.connection.execute(wanted.order_by(run.c.id.desc()).limit(LATEST)).mappings().all()
    states = session.app.options["run_state"]
    steps = []
    for row in rows:
        rule, state = session.app.of("workflow").get(row["workflow"]), states.choice(row["state"])
        steps.append(
            {
                "label": rule.label.of(session.language) if rule else row["workflow"],
                "result": state.label.of(session.language) if state else row["state"],
                "why": (row["error"] or "") if session.user.admin else "",
                "event": row["event"],
                "at": row["created_at"].isoformat(),
            }
        )
    return {"decision": "workflow", "summary": say("why.workflows", session.language, count=len(steps)), "steps": steps}
