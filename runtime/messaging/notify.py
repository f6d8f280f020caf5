"""Notifications: what people are told inside the program, each in the language they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Text

if TYPE_CHECKING:
    from runtime.site import Session

LONGEST_SUBJECT = 200
Said = str | Text | Callable[[str], str]  # as it is, by language, or made for a language
CHUNK = 500


def notify(
    session: Session,
    people: Iterable[int],
    subject: Said,
    body: Said | None = None,
    *,
    entity: str | None = None,
    record: int | None = None,
    word: str | None = None,
    rule: str | None = None,
    key: str | None = None,
) -> list[int]:
    """Tells people, in the transaction of the session; the ids of those who were told.

    `word` and `rule` name what tells them (`reminder`, `no_contact`), `entity` and `record` where it leads. With `key`
    nobody is told twice under the same key, whether the first notice was read or not.
    """
    wanted = list(dict.fromkeys(people))
    if not wanted:
        return []
    table = session.table("notification")
    if key is not None:
        told = _told(session, table, wanted, key)
        wanted = [i for i in wanted if i not in told]
    languages = _languages(session, wanted)
    rows: list[dict[str, Any]] = []
    for person in wanted:
        language = languages.get(person) or session.site.settings.language
        rows.append(
            {
                "recipient": person,
                "subject": said(subject, language)[:LONGEST_SUBJECT],
                "body": None if body is None else said(body, language),
                "entity": entity,
                "record": record,
                "word": word,
                "rule": rule,
                "told_key": key,
                "created_at": session.now,
                "created_on": session.today,
                "created_by": session.user.id,
                "updated_at": session.now,
                "updated_by": session.user.id,
                "version": 1,
            }
        )
    for start in range(0, len(rows), CHUNK):
        session.connection.execute(sa.insert(table), rows[start : start + CHUNK])
    session.touch("notification")
    return wanted


def said(text: Said, language: str) -> str:
    """The text for a reader of `language`."""
    if isinstance(text, Text):
        return text.of(language)
    return text if isinstance(text, str) else text(language)


def _told(session: Session, table: sa.Table, people: list[int], key: str) -> set[int]:
    known = sa.select(table.c.recipient).where(table.c.told_key == key, table.c.recipient.in_(people))
    return set(session.connection.scalars(known))


def _languages(session: Session, people: list[int]) -> dict[int, str | None]:
    person = session.table("user")
    found: dict[int, str | None] = {}
    for start in range(0, len(people), CHUNK):
        wanted = sa.select(person.c.id, person.c.language).where(person.c.id.in_(people[start : start + CHUNK]))
        found.update((i, language) for i, language in session.connection.execute(wanted))
    return found
