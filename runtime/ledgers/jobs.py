"""Each night what is left of expired lots is booked away."""

from __future__ import annotations

from runtime.jobs.context import JobContext
from runtime.jobs.registry import long_job, schedule
from runtime.ledgers.posting import expire


@long_job("expire_lots")
def expire_lots(context: JobContext) -> dict[str, int]:
    """One transaction per ledger; a second run finds nothing to do."""
    done: dict[str, int] = {}
    with context.site.session() as session:
        names = [e.name for e in session.app.entities.values() if e.ledger is not None and e.ledger.lots is not None]
    for name in names:
        with context.site.session(write=True) as session:
            done[name] = expire(session, name)
    return done


schedule("expire_lots", "20 0 * * *", "expire_lots")
