"""Emptying the recycle bin: what has lain in it longer than `bin_keep_days` goes for ever; its audit stays."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from runtime.errors import Answer, NotFound
from runtime.jobs.context import JobContext
from runtime.jobs.registry import long_job, schedule

BATCH = 200


@long_job("empty_bin")
def empty_bin(context: JobContext) -> dict[str, int]:
    """How many records were removed, and how many stay because something still refers to them.

    Does nothing where the setting is 0. Lines go with the record they were recycled with.
    """
    days = context.site.settings.bin_keep_days
    removed = kept = 0
    if days <= 0:
        return {"removed": 0, "kept": 0}
    app = context.site.application()
    names = [e.name for e in app.entities.values() if not e.retired]
    for name in sorted(names, key=lambda n: app.entities[n].parent is not None):
        done, left = _empty(context, name, days)
        removed, kept = removed + done, kept + left
    return {"removed": removed, "kept": kept}


@long_job("purge_files")
def purge_files(context: JobContext) -> dict[str, int]:
    """Removes files that left their records longer ago than the recycle bin keeps, and those of purged records."""
    from runtime.files.leaving import purge_left  # late: loaded by the worker that runs it

    return {"removed": purge_left(context.site)}


def _empty(context: JobContext, entity: str, days: int) -> tuple[int, int]:
    from runtime import records  # late: loaded by the worker that runs it

    removed = kept = after = 0
    while True:
        with context.transaction() as session:
            if entity not in session.app.entities:
                return removed, kept
            table = session.table(entity)
            old = sa.select(table.c.id).where(
                table.c.deleted_at < session.now - timedelta(days=days), table.c.id > after
            )
            ids = session.connection.scalars(old.order_by(table.c.id).limit(BATCH)).all()
            for record_id in ids:
                try:
                    with session.connection.begin_nested():
                        records.purge(session, entity, record_id)
                    removed += 1
                except NotFound:
                    continue  # a record recycled with it has taken it along
                except Answer:
                    kept += 1
        if not ids:
            return removed, kept
        after = ids[-1]


schedule("empty_bin", "57 3 * * *", "empty_bin")
schedule("purge_files", "7 4 * * *", "purge_files")
