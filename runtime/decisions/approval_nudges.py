"""What moves a running approval on without deciding it: reminders, comments, and time that has run out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from rules.approval_case import Event, Refusal
from rules.approving import time_out
from runtime.decisions import approval_store as store
from runtime.decisions.approval_mentions import Mentioned, mention
from runtime.decisions.approvals import directory, endings_of, follow, tell
from runtime.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from runtime.site import Session


def remind(session: Session, case_id: int) -> int:
    """Tells those who are asked once more, at most once a day each; the number of people told."""
    held = store.load(session, case_id, lock=True)
    if session.user.id != held.case.submitter and not session.user.admin:
        raise Forbidden("approval.not_submitter")
    tasks = [t for t in held.case.tasks if t.state == "open"]
    if not tasks:
        raise Conflict("approval.ended")
    told = 0
    for task in tasks:
        told += len(tell(session, held, "reminded", [task.person], f"{task.number}:{session.today.isoformat()}"))
    store.log(session, held.id, [Event(code="reminded")], person=session.user.id)
    return told


def comment_on(session: Session, case_id: int, text: str, people: Sequence[int] = ()) -> Mentioned:
    """A remark in the history of a case, told to its submitter, to those who are asked and to whom it mentions.

    `people` are those chosen while it was written.
    """
    held = store.load(session, case_id, lock=True)
    store.log(session, held.id, [Event(code="commented")], person=session.user.id, comment=text)
    named = mention(session, held, text, people)
    concerned = {t.person for t in held.case.tasks if t.state == "open"} | {held.case.submitter}
    concerned -= {session.user.id, *named.told}
    tell(session, held, "commented", sorted(i for i in concerned if i), None)
    return named


def run_out(session: Session, case_id: int, step: str) -> bool:
    """What the rule declares for a step whose time is up; False where it was decided meanwhile."""
    held = store.load(session, case_id, lock=True)
    declared = held.rule.step(step)
    table = session.table(store.STEP)
    row = session.connection.execute(
        sa.select(table.c.due_at, table.c.state).where(table.c.case == case_id, table.c.name == step)
    ).first()
    if row is None or declared is None or row.state != "open" or row.due_at is None or row.due_at > session.now:
        return False
    people = directory(session, held)
    try:
        after = time_out(held.case, step, declared.on_timeout, people)
    except Refusal:
        return False
    follow(session, held, after, endings_of(held.case, after))
    again = declared.on_timeout == "remind" or any(e.code == "handed_over" for e in after.events)
    if after.step(step).state == "open":
        due = store.due(session, held.rule, step) if again else None
        session.connection.execute(
            sa.update(table).where(table.c.case == case_id, table.c.name == step).values(due_at=due)
        )
    return True
