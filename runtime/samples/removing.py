"""Removing sample data: what they made and nobody needs goes to the recycle bin, the last made first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime import records, samples
from runtime.errors import Answer, NotFound
from runtime.messages import say_answer
from runtime.samples.claims import REFUSED, Root, claims, known
from runtime.schema.internal import password, token
from runtime.schema.internal import state as facts
from runtime.schema.internal_samples import sample
from runtime.security.sessions import revoke_all

if TYPE_CHECKING:
    from runtime.site import Session

Open = Callable[[], AbstractContextManager["Session"]]
BATCH = 100
KEPT = 200  # records left alone that are told one by one
CAUSE = "sample:remove"  # in the audit; what is in force holds nothing back that sample data alone put in force
GONE = "left"  # the status of a person who cannot sign in


def remove(opening: Open) -> samples.Status:
    """Removes what can be removed, in sessions of the system that `opening` gives; what came of it."""
    with opening() as session:
        _shut_out(session)
        kept = {root: (why, _title(session, of)) for root, (why, of) in claims(session).items()}
        waiting = [root for root in reversed(list(known(session))) if root not in kept]
        samples.write(session, replace(samples.status(session), state=samples.REMOVING, done=0, total=len(waiting)))
    total, removed = len(waiting), 0
    refused: dict[Root, str] = {}
    while waiting:  # again while something goes: what refers to a record may have been made before it
        refused, before = {}, removed
        for start in range(0, len(waiting), BATCH):
            with opening() as session:
                for root in waiting[start : start + BATCH]:
                    problem = _removed(session, root)
                    if problem is None:
                        removed += 1
                    else:
                        refused[root] = problem
                samples.write(session, samples.Status(state=samples.REMOVING, done=removed, total=total))
        waiting = list(refused)
        if removed == before:
            break
    kept |= {root: (REFUSED, text) for root, text in refused.items()}
    with opening() as session:
        return _conclude(session, removed, kept)


def _shut_out(session: Session) -> None:
    """Nobody whom sample data brought signs in any more, whether or not their record must stay."""
    people = [record for entity, record in known(session) if entity == "user"]
    for person in people:
        session.connection.execute(sa.delete(password).where(password.c.user_id == person))
        session.connection.execute(sa.delete(token).where(token.c.user_id == person))
        revoke_all(session, person)
        records.update(session, "user", person, {"status": GONE})
        notice = session.table("notification")  # what they were told is nobody's work, and would keep them
        told = sa.update(notice).where(notice.c.recipient == person, notice.c.deleted_at.is_(None))
        session.connection.execute(told.values(deleted_at=session.now))


def _removed(session: Session, root: Root) -> str | None:
    """None, or why the record stays."""
    session.cause = CAUSE
    try:
        with session.connection.begin_nested():
            records.delete(session, *root)
    except NotFound:
        pass  # it went with another one
    except Answer as answer:
        return say_answer(answer, session.site.settings.language)
    session.connection.execute(sa.delete(sample).where(sample.c.entity == root[0], sample.c.record_id == root[1]))
    return None


def _title(session: Session, root: Root | None) -> str:
    from runtime.query.titles import titles_of  # late: lists are not needed where nothing is kept

    if root is None:
        return ""
    label = session.app.entities[root[0]].label.of(session.site.settings.language)
    return f"{label} {titles_of(session, root[0], [root[1]]).get(root[1], f'#{root[1]}')}"


def _conclude(session: Session, removed: int, kept: dict[Root, tuple[str, str]]) -> samples.Status:
    left = known(session)
    dead = [(row.entity, row.record_id) for row in session.connection.execute(sa.select(sample))]
    for entity, record in dead:
        if (entity, record) not in left:
            session.connection.execute(sa.delete(sample).where(sample.c.entity == entity, sample.c.record_id == record))
    if not left:  # all of it is gone: it can be loaded again
        session.connection.execute(sa.delete(facts).where(facts.c.name.startswith(samples.MARK, autoescape=True)))
    told = tuple((*root, *kept[root]) for root in left if root in kept)
    now = samples.Status(state=samples.REMOVED, removed=removed, kept_count=len(told), kept=told[:KEPT])
    samples.write(session, now)
    return now
