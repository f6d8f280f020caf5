"""What a person was told: the list, how many are new, read, put off; each person sees what was told to them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.reminder import Reminder
from runtime import records
from runtime.decisions.digests import ANY, Preference, preferences
from runtime.messages import say

if TYPE_CHECKING:
    from runtime.site import Session

PAGE = 30
SNOOZES: Mapping[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a notice that gathers several."""

    subject: str
    entity: str | None
    record: int | None
    rule: str
    label: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    id: int
    subject: str
    body: str | None
    entity: str | None
    record: int | None
    word: str | None
    rule: str | None
    at: datetime
    new: bool
    snoozed_until: datetime | None
    lines: tuple[Line, ...] = ()
    why: tuple[str, ...] = ()


def unread(session: Session) -> int:
    """How many notices are new: neither read nor put off."""
    table = session.table("notification")
    wanted = sa.select(sa.func.count()).select_from(table).where(*_own(session, table), table.c.read_at.is_(None))
    return int(session.connection.scalar(wanted.where(_awake(session, table))) or 0)


def _own(session: Session, table: sa.Table) -> Sequence[sa.ColumnElement[bool]]:
    return table.c.recipient == session.user.id, table.c.deleted_at.is_(None)


def _awake(session: Session, table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.or_(table.c.snoozed_until.is_(None), table.c.snoozed_until <= session.now)


def notices(session: Session, *, only_new: bool = False, page: int = 1) -> list[Notice]:
    """The newest first; what is put off comes back when its time has come. One more than a page, if there is more."""
    table = session.table("notification")
    wanted = sa.select(table).where(*_own(session, table), _awake(session, table))
    if only_new:
        wanted = wanted.where(table.c.read_at.is_(None))
    wanted = wanted.order_by(table.c.id.desc()).limit(PAGE + 1).offset((page - 1) * PAGE)
    rows = session.connection.execute(wanted).mappings().all()
    lines = _lines(session, [row["id"] for row in rows])
    return [_notice(session, dict(row), tuple(lines.get(row["id"], ()))) for row in rows]


def _notice(session: Session, row: Mapping[str, Any], lines: tuple[Line, ...]) -> Notice:
    rules = [row["rule"]] if row["rule"] else list(dict.fromkeys(line.rule for line in lines))
    why = tuple(s for name in rules if (s := story(session, row["word"], name)))
    return Notice(
        id=row["id"],
        subject=row["subject"],
        body=row["body"],
        entity=row["entity"],
        record=row["record"],
        word=row["word"],
        rule=row["rule"],
        at=row["created_at"],
        new=row["read_at"] is None,
        snoozed_until=row["snoozed_until"],
        lines=lines if len(lines) > 1 else (),
        why=why,
    )


def _lines(session: Session, ids: Sequence[int]) -> dict[int, list[Line]]:
    table = session.table("reminder_notice")
    found: dict[int, list[Line]] = {}
    if ids:
        wanted = sa.select(table).where(table.c.notification.in_(ids)).order_by(table.c.reminder, table.c.id)
        for row in session.connection.execute(wanted).mappings():
            line = Line(
                subject=row["subject"] or "",
                entity=row["entity"],
                record=row["record"],
                rule=row["reminder"],
                label=_label(session, row["reminder"]),
                level=row["level"] or 0,
            )
            found.setdefault(row["notification"], []).append(line)
    return found


def _label(session: Session, name: str) -> str:
    found = session.app.of("reminder").get(name)
    return str(found.label.of(session.language)) if found is not None else name


def story(session: Session, word: str | None, name: str | None) -> str | None:
    """Why somebody was told, in a sentence: the rule, its time, and how it climbs."""
    found = session.app.of(word or "").get(name or "")
    if found is None:
        return None
    language = session.language
    label = found.label.of(language)
    if not isinstance(found, Reminder):
        return say("notice.why_rule", language, label=label)
    parts = [say("notice.why_rule", language, label=label)]
    if found.help is not None:
        parts.append(found.help.of(language))
    if found.after is not None:
        parts.append(say("notice.why_after", language, after=found.after.said(language)))
    if found.repeat is not None:
        parts.append(say("notice.why_repeat", language, repeat=found.repeat.said(language)))
    for step in found.escalate:
        length = step.after or step.at
        if length is not None:
            parts.append(say("notice.why_climb", language, after=length.said(language)))
    return " ".join(parts)


# --- what a person does with them --------------------------------------------------------------------------------


def mark_read(session: Session, ids: Sequence[int] | None = None) -> int:
    """Marks notices as read, all where none are named; how many were new."""
    table = session.table("notification")
    change = sa.update(table).where(*_own(session, table), table.c.read_at.is_(None))
    if ids is not None:
        change = change.where(table.c.id.in_(list(ids)))
    session.touch("notification")
    return session.connection.execute(change.values(read_at=session.now, updated_at=session.now)).rowcount


def snooze(session: Session, notice: int, how: str) -> bool:
    """Puts a notice off; it comes back as new. False where there is none."""
    table = session.table("notification")
    until = session.now + SNOOZES[how]
    change = sa.update(table).where(*_own(session, table), table.c.id == notice)
    values = {"snoozed_until": until, "read_at": None, "updated_at": session.now}
    return session.connection.execute(change.values(**values)).rowcount == 1


def own_notice(session: Session, notice: int) -> Mapping[str, Any] | None:
    table = session.table("notification")
    wanted = sa.select(table).where(*_own(session, table), table.c.id == notice)
    found = session.connection.execute(wanted).mappings().first()
    return None if found is None else dict(found)


def own_preference(session: Session) -> Preference:
    """How the person wants to be told, for all rules."""
    return preferences(session, [session.user.id or 0]).get(session.user.id or 0, {}).get(None, ANY)


def set_preference(
    session: Session, *, bell: bool, mail: bool, quiet_from: time | None, quiet_until: time | None
) -> None:
    table = session.table("notice_preference")
    same = (table.c.person == session.user.id, table.c.rule.is_(None), table.c.deleted_at.is_(None))
    known = session.connection.scalar(sa.select(table.c.id).where(*same))
    values = {"bell": bell, "mail": mail, "quiet_from": quiet_from, "quiet_until": quiet_until}
    system = session.sub(cause="notice_preference")
    if known is None:
        records.create(system, "notice_preference", {"person": session.user.id, **values})
    else:
        records.update(system, "notice_preference", known, values)
