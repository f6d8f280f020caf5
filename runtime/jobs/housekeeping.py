"""Sweeping up: finished jobs, old fires, effects, idempotency keys, sessions, uploads, and what undoing would need."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from runtime.jobs.context import JobContext
from runtime.jobs.queue import DONE
from runtime.jobs.registry import Payload, job, long_job, schedule
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


@job("seal_audit")
def seal_audit(session: Session, _payload: Payload) -> dict[str, int]:
    """Seals what the audit trail holds, so that tampering shows."""
    from runtime.security.audit import seal  # late: loaded by the worker that runs it

    return {"sealed": seal(session)}


@long_job("sweep_files")
def sweep_files(context: JobContext) -> dict[str, int]:
    """Removes uploads that no record took, and contents that no file refers to."""
    from runtime.files.attachments import sweep  # late: loaded by the worker that runs it

    return {"removed": sweep(context.site)}


@long_job("forget_imports")
def forget_imports(context: JobContext) -> None:
    """Drops the earlier values kept for taking an import back, once that is no longer possible."""
    from runtime.exchange.undo import forget  # late: loaded by the worker that runs it

    forget(context.site)


@job("seal_secrets")
def seal_secrets(session: Session, _payload: Payload) -> dict[str, int]:
    """Encrypts the values of fields that became secrets after they were filled."""
    from runtime.security.secrets import seal_all  # late: loaded by the worker that runs it

    return {"sealed": seal_all(session)}


@long_job("forget_mass")
def forget_mass(context: JobContext) -> None:
    """Drops the earlier values kept for taking bulk changes back, once that is no longer possible."""
    from runtime.mass import forget  # late: loaded by the worker that runs it

    forget(context.site)


schedule("forget_mass", "32 3 * * *", "forget_mass")
schedule("housekeeping", "17 3 * * *", "housekeeping")
schedule("seal_audit", "7 * * * *", "seal_audit")
schedule("sweep_files", "37 * * * *", "sweep_files")
schedule("forget_imports", "27 3 * * *", "forget_imports")
schedule("seal_secrets", "47 3 * * *", "seal_secrets")
