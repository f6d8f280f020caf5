"""What a long job is given: its payload, transactions only its rightful worker can commit, a place to note how far.

    @long_job("rescore")
    def rescore(context):
        while True:
            with context.transaction() as session:
                last = work(session, after=context.cursor or 0)
                if last is None:
                    return {"done": context.progress}
                context.note(session, cursor=last, progress=context.progress + 500)

Killed anywhere, it goes on from the last note.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.jobs.queue import Claimed, still_ours

if TYPE_CHECKING:
    from runtime.site import Session, Site


class LeaseLost(Exception):  # noqa: N818 - not an error: somebody else goes on with the job
    """Another worker has taken the job over; nothing of the present transaction is committed."""


class JobContext:
    def __init__(self, site: Site, claimed: Claimed) -> None:
        self.site = site
        self.claimed = claimed
        self.payload = claimed.payload
        state = claimed.result if isinstance(claimed.result, dict) else {}
        self.cursor: Any = state.get("cursor")
        self.progress: int = state.get("progress", 0)

    @contextmanager
    def transaction(self, user_id: int | None = None) -> Iterator[Session]:
        """A writing session of the system, or of the user the job is for. Raises `LeaseLost`."""
        with self.site.session(user_id, write=True, channel="job") as session:
            if not still_ours(session, self.claimed):
                raise LeaseLost
            yield session

    def note(
        self, session: Session, *, cursor: Any = None, progress: int | None = None, total: int | None = None
    ) -> None:
        """Keeps how far the job is, in the transaction of the work itself. The cursor is JSON."""
        if cursor is not None:
            self.cursor = cursor
        if progress is not None:
            self.progress = progress
        table = session.table("job")
        values: dict[str, Any] = {
            "result": {"cursor": self.cursor, "progress": self.progress},
            "progress": self.progress,
        }
        if total is not None:
            values["total"] = total
        session.connection.execute(sa.update(table).where(table.c.id == self.claimed.id).values(values))
