"""Mentioning people: told are those who may see what they are mentioned about, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from metadata.model import Application
from runtime import records
from runtime.errors import NotFound, NotSignedIn
from runtime.messages import say
from runtime.messaging.notify import notify
from runtime.query.titles import titles_of
from runtime.records.input import resolve
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST = 20  # people mentioned in one entry
_NAMED = re.compile(r"(?<![A-Za-z0-9_.+@-])@([\w·]{1,40})")
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


def text_field(app: Application, entity: str) -> str | None:
    """The field of an activity in which people may be mentioned: the one that holds its text."""
    described = app.entities.get(entity)
    return described.activity.text if described is not None and described.activity is not None else None


def text_of(session: Session, entity: str, record_id: int) -> str:
    """What the activity says now, as far as this person may read it; nothing of an entity without activities."""
    name = text_field(session.app, entity)
    if name is None or not Access(session).visible(entity, name):
        return ""
    return str(records.read(session, entity, record_id, [name]).values.get(name) or "")


def tell_new(session: Session, entity: str, record_id: int, people: Sequence[int], before: str) -> tuple[str, ...]:
    """Tells whoever the text of an activity mentions by name now and did not `before`; the names of the untold.

    `people` are those chosen while it was written, which tells apart who has the same name; others are known by a name
    that is one person's alone. It is about the first record with a timeline that the activity belongs to, or itself.
    """
    text = text_of(session, entity, record_id)
    wanted = named(session, text, people, before)
    return tell(session, _about(session, entity, record_id), (entity, record_id), wanted, text) if wanted else ()


def named(session: Session, text: str, people: Sequence[int], before: str = "") -> list[int]:
    """Those whom a text names by "@" now and did not `before`: people chosen, and names that are one person's alone."""
    if "@" not in text:
        return []
    names = titles_of(session, "user", list(people)[:MOST]) if people else {}
    wanted = [i for i, name in names.items() if f"@{name}" in text and f"@{name}" not in before]
    for name in dict.fromkeys(_NAMED.findall(text)):
        if name not in names.values() and f"@{name}" not in before:
            found = resolve(session, "user", name)
            wanted += found if len(found) == 1 else []
    return list(dict.fromkeys(wanted))


def _about(session: Session, entity: str, record_id: int) -> tuple[str, int]:
    access, app = Access(session), session.app
    links = {
        f.name: f.to
        for f in app.entities[entity].own_fields
        if f.storage == "link" and f.to in app.entities and app.entities[f.to or ""].timeline
        if access.visible(entity, f.name) and access.can(f.to or "", "read")
    }
    values = records.read(session, entity, record_id, list(links) or ["id"]).values
    return next(((to or "", values[n]) for n, to in links.items() if values.get(n) is not None), (entity, record_id))


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
