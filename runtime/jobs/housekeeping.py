"""Sweeping up: finished jobs, old fires, effects, idempotency keys and sessions."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from runtime.jobs.queue import DONE
from runtime.jobs.registry import Payload, job, schedule
from runtime.schema import internal
from runtime.site import Session

KEEP_KEYS = timedelta(hours=24)


@job("housekeeping")
def housekeeping(session: Session, _payload: Payload) -> dict[str, int]:
    """Removes what nobody asks for any more; how many rows of each."""
    now, jobs = session.now, session.table("job")
    old = now - timedelta(days=session.site.settings.job_keep_days)
    stale = {
        "jobs": sa.delete(jobs).where(jobs.c.state == DONE, jobs.c.ended_at < old),
        "fires": sa.delete(internal.fire).where(internal.fire.c.due_at < old),
        "effects": sa.delete(internal.idempotent_effect).where(internal.idempotent_effect.c.done_at < old),
        "keys": sa.delete(internal.idempotency).where(internal.idempotency.c.created_at < now - KEEP_KEYS),
        "sessions": sa.delete(internal.session).where(internal.session.c.expires_at < now),
    }
    return {name: session.connection.execute(statement).rowcount for name, statement in stale.items()}


schedule("housekeeping", "17 3 * * *", "housekeeping")
