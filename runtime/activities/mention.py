"""Mentioning people: told are those who may see what they are mentioned about, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime import records
from runtime.errors import NotFound, NotSignedIn
from runtime.messages import say
from runtime.messaging.notify import notify
from runtime.query.select import titles_of
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST = 20  # people mentioned in one entry
LONGEST = 500  # characters of the text that a notice repeats


def tell(
    session: Session, record: tuple[str, int], activity: tuple[str, int], people: Sequence[int], text: str
) -> tuple[str, ...]:
    """Tells the people mentioned in an activity about a record; the names of those who may not see it.

    Somebody the author does not know of is passed over in silence, as if there were nobody.
    """
    wanted = [i for i in dict.fromkeys(people) if i != session.user.id][:MOST]
    known = titles_of(session, "user", wanted) if wanted else {}
    untold = []
    for person in wanted:
        if person in known and not _told(session, record, activity, person, text):
            untold.append(known[person])
    return tuple(untold)


def _told(session: Session, record: tuple[str, int], activity: tuple[str, int], person: int, text: str) -> bool:
    """Whether the person may see both, and was told in their language what they may read of it."""
    try:
        theirs = session.sub(person)
        for entity, record_id in (record, activity):
            records.read(theirs, entity, record_id, ["id"])
    except (NotFound, NotSignedIn):
        return False
    title = titles_of(theirs, record[0], [record[1]]).get(record[1], "")
    declared = session.app.entities[activity[0]]
    access = Access(theirs)
    shown = [name for name in (declared.title, declared.activity.text if declared.activity else None) if name]
    readable = all(name == "id" or access.visible(declared.name, name) for name in shown)
    author = session.user.name
    notify(
        session,
        [person],
        lambda language: say("mention.subject", language, name=author, title=title),
        text[:LONGEST] if readable else None,
        entity=record[0],
        record=record[1],
        word="mention",
        key=f"mention:{activity[0]}:{activity[1]}",
    )
    return True
