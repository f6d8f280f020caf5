"""Time limits of approvals: what is due is looked at every few minutes, each step once for each time it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rules.approval_case import RUNNING
from runtime.decisions import approval_nudges
from runtime.decisions import approval_store as store
from runtime.jobs.registry import Payload, job, schedule

if TYPE_CHECKING:
    from runtime.site import Session

MOST = 500  # steps of one run; what is left is due at the next


@job("approval_time_outs")
def time_outs(session: Session, payload: Payload) -> dict[str, Any]:
    """Escalates, decides or reminds where a step's time is up."""
    return {"steps": run_due(session)}


schedule("approval_time_outs", "*/5 * * * *", "approval_time_outs")


def run_due(session: Session) -> int:
    """Carries out every step whose time is up; the number of those that were still open."""
    step, case = session.table(store.STEP), session.table(store.CASE)
    wanted = (
        sa.select(step.c.case, step.c.name)
        .join(case, case.c.id == step.c.case)
        .where(step.c.due_at <= session.now, step.c.state == "open", case.c.state.in_(RUNNING))
        .order_by(step.c.due_at, step.c.id)
        .limit(MOST)
    )
    return sum(
        approval_nudges.run_out(session, case_id, name) for case_id, name in session.connection.execute(wanted).all()
    )
