"""The lines of reminders become one notice for each person: grouped, in quiet hours later, by mail where wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.decisions.workflow_store import common
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import Payload, job
from runtime.messages import say
from runtime.messaging.outbox import post_mail

if TYPE_CHECKING:
    from runtime.site import Session

JOB = "remind_later"
SHOWN = 20  # lines of a notice's text; the page has them all
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    bell: bool = True
    mail: bool = True
    quiet_from: time | None = None
    quiet_until: time | None = None


ANY = Preference()


@job(JOB)
def remind_later(session: Session, _payload: Payload) -> dict[str, int]:
    """Tells those whose quiet hours are over."""
    return {"notices": digest_all(session)}


def digest_all(session: Session) -> int:
    """One notice for each person with untold lines who may be told now; how many notices."""
    table = session.table("reminder_notice")
    waiting = sa.select(table).where(table.c.told_at.is_(None), table.c.due_at <= session.now)
    waiting = waiting.where(table.c.deleted_at.is_(None)).order_by(table.c.recipient, table.c.reminder, table.c.id)
    by_person: dict[int, list[Mapping[str, Any]]] = {}
    for row in session.connection.execute(waiting).mappings():
        by_person.setdefault(row["recipient"], []).append(dict(row))
    wishes = preferences(session, list(by_person))
    addresses = _people(session, list(by_person))
    notices = 0
    for person, lines in by_person.items():
        own = wishes.get(person, {})
        until = quiet_until(session, own.get(None, ANY))
        if until is not None:
            enqueue(session, JOB, {}, run_at=until, unique_key=f"{JOB}:{until.isoformat()}")
            continue
        notices += _tell(session, person, lines, own, addresses.get(person))
    return notices


def preferences(session: Session, people: Sequence[int]) -> dict[int, dict[str | None, Preference]]:
    """By person and rule (None: for all rules)."""
    found: dict[int, dict[str | None, Preference]] = {}
    table = session.table("notice_preference")
    for first in range(0, len(people), CHUNK):
        part = list(people[first : first + CHUNK])
        wanted = sa.select(table).where(table.c.person.in_(part), table.c.deleted_at.is_(None))
        for row in session.connection.execute(wanted).mappings():
            wish = Preference(
                bell=row["bell"] is not False,
                mail=row["mail"] is not False,
                quiet_from=row["quiet_from"],
                quiet_until=row["quiet_until"],
            )
            found.setdefault(row["person"], {})[row["rule"]] = wish
    return found


def quiet_until(session: Session, wish: Preference) -> datetime | None:
    """When the quiet hours of this moment end; None where there are none now."""
    begin, end = wish.quiet_from, wish.quiet_until
    if begin is None or end is None or begin == end:
        return None
    local = session.now.astimezone(session.zone)
    clock = local.time().replace(tzinfo=None)
    within = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not within:
        return None
    found = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return found if found > local else found + timedelta(days=1)


def _people(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Language and address of each person."""
    person = session.table("user")
    found: dict[int, tuple[str, str | None]] = {}
    for first in range(0, len(ids), CHUNK):
        wanted = sa.select(person.c.id, person.c.language, person.c.email)
        for i, language, email in session.connection.execute(wanted.where(person.c.id.in_(ids[first : first + CHUNK]))):
            found[i] = (language or session.site.settings.language, email)
    return found


def _tell(
    session: Session,
    person: int,
    lines: Sequence[Mapping[str, Any]],
    wishes: Mapping[str | None, Preference],
    known: tuple[str, str | None] | None,
) -> int:
    """The notice, the mail, and the lines marked as told."""
    language, address = known or (session.site.settings.language, None)

    def wish(line: Mapping[str, Any]) -> Preference:
        return wishes.get(line["reminder"]) or wishes.get(None, ANY)

    shown = [line for line in lines if wish(line).bell]
    mailed = [line for line in lines if wish(line).mail and _by_mail(session, line["reminder"])]
    notice = _notice(session, person, shown, language) if shown else None
    if address and mailed:
        body = "\n".join(_mail_line(session, line) for line in mailed)
        post_mail(session, [address], subject_of(session, mailed, language), body)
    table = session.table("reminder_notice")
    change = sa.update(table).where(table.c.id.in_([line["id"] for line in lines]))
    session.connection.execute(change.values(told_at=session.now, notification=notice, updated_at=session.now))
    return 1 if notice is not None else 0


def _by_mail(session: Session, name: str) -> bool:
    found = session.app.of("reminder").get(name)
    return found is None or found.mail


def _notice(session: Session, person: int, lines: Sequence[Mapping[str, Any]], language: str) -> int:
    alone = lines[0] if len(lines) == 1 else None
    row = {
        "recipient": person,
        "subject": subject_of(session, lines, language)[:200],
        "body": None if alone else "\n".join(str(line["subject"]) for line in lines[:SHOWN]),
        "word": "reminder",
        "rule": alone["reminder"] if alone else None,
        "entity": alone["entity"] if alone else None,
        "record": alone["record"] if alone else None,
    }
    table = session.table("notification")
    session.touch("notification")
    added = sa.insert(table).values(**row, **common(session)).returning(table.c.id)
    return int(session.connection.execute(added).scalar_one())


def subject_of(session: Session, lines: Sequence[Mapping[str, Any]], language: str) -> str:
    """The line itself where it stands alone, else how many of which reminders."""
    if len(lines) == 1:
        return str(lines[0]["subject"])
    counts: dict[str, int] = {}
    for line in lines:
        counts[line["reminder"]] = counts.get(line["reminder"], 0) + 1
    parts = (f"{_label(session, name, language)} {n}" for name, n in counts.items())
    return say(
        "reminder.digest", language, count=len(lines), rules="、".join(parts) if language == "zh" else ", ".join(parts)
    )


def _label(session: Session, name: str, language: str) -> str:
    found = session.app.of("reminder").get(name)
    return found.label.of(language) if found is not None else name


def _mail_line(session: Session, line: Mapping[str, Any]) -> str:
    address = f"{session.site.settings.base_url.rstrip('/')}/e/{line['entity']}/{line['record']}"
    return f"- {line['subject']}\n  {address}"
