"""Reminders run: what is due is noted and becomes lines; the lines of a person become one notice; see `digests`."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.reminder import Reminder
from metadata.models.who import Who
from metadata.placeholders import filled
from rules.evaluate import holds
from runtime.decisions import people
from runtime.decisions.digests import digest_all
from runtime.decisions.effects import carry_out
from runtime.decisions.matching import condition_of
from runtime.decisions.reminder_query import Due, due, end_ceased, keep
from runtime.decisions.workflow_store import common
from runtime.decisions.workflow_times import anchor_of as column_at
from runtime.errors import Answer, NotFound
from runtime.jobs.context import JobContext
from runtime.jobs.registry import Schedule, long_job, schedules_from
from runtime.messages import say_answer
from runtime.messaging.filling import fill, reader_of, text_at, title_of
from runtime.records.plan import plan_of
from runtime.records.values import Loader

if TYPE_CHECKING:
    from runtime.site import Session

JOB = "remind"
BATCH = 100  # records of one transaction: on SQLite everybody else waits meanwhile
PERSON = "user"
NAMED = 50  # records a dry run names
SAMPLE = 20_000  # records a dry run finds the people of; more are counted alone


@schedules_from
def reminder_schedules(app: Application) -> Iterable[Schedule]:
    """One for each time of day at which some reminder looks, so that its notices come together."""
    times = {r.every for r in app.of("reminder").values() if r.enabled}
    for every in sorted(times):
        yield Schedule(name=f"remind:{every}", cron=every, job=JOB, payload={"every": every})


@long_job(JOB)
def remind(context: JobContext) -> dict[str, int]:
    """Runs every reminder of a time of day, batch by batch, then tells people once each. Killed, it goes on."""
    cursor = context.cursor or {"rule": "", "after": 0, "told": 0}
    while True:
        with context.transaction() as session:
            reminder = _next(session.app, context.payload, cursor)
            if reminder is None:
                break
            cursor = run_batch(session, reminder, cursor)
            context.note(session, cursor=cursor, progress=cursor["told"])
    with context.transaction() as session:
        notices = digest_all(session)
    return {"lines": cursor["told"], "notices": notices}


def _next(app: Application, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Reminder | None:
    """The rule at hand, or the one after those that are done."""
    wanted = payload.get("names")
    fitting = [
        r
        for name, r in sorted(app.of("reminder").items())
        if r.enabled and (name in wanted if wanted is not None else r.every == payload.get("every"))
    ]
    at_hand = next((r for r in fitting if r.name == cursor["rule"] and cursor["after"] > 0), None)
    return at_hand or next((r for r in fitting if r.name > cursor["rule"]), None)


def run_batch(session: Session, reminder: Reminder, cursor: Mapping[str, Any]) -> dict[str, Any]:
    """The next records of a reminder; the cursor after them (`after` 0: the reminder is done)."""
    after = cursor["after"] if cursor["rule"] == reminder.name else 0
    telling = Telling(session, reminder)
    if reminder.count is not None:
        matched = telling.count()
        last = 0
    else:
        if after == 0:
            end_ceased(session, reminder)
        found = due(session, reminder, after=after, limit=BATCH)
        telling.tell(found)
        matched = len(found)
        last = found[-1].record if len(found) == BATCH else 0
    _log(session, reminder, matched, len(telling.lines), telling.errors)
    telling.write()
    return {"rule": reminder.name, "after": last, "told": cursor["told"] + len(telling.lines)}


def _log(session: Session, reminder: Reminder, matched: int, told: int, errors: Sequence[str]) -> None:
    row = {"word": "reminder", "name": reminder.name, "ran_at": session.now, "matched": matched, "told": told}
    row["error"] = "\n".join(errors[:20]) or None
    session.connection.execute(sa.insert(session.table("rule_run")).values(**row, **common(session)))


@dataclass
class Telling:
    """One batch of a reminder: who is told of what. People and their languages are found once each."""

    session: Session
    reminder: Reminder
    lines: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loader = Loader(self.session)
        self._found: dict[Any, list[int]] = {}
        self._readers: dict[int, Session] = {}

    def tell(self, found: Sequence[Due]) -> None:
        """Lines for everybody to be told, what is done at the first notice, and what is kept of it."""
        ids = [d.record for d in found]
        self.loader.want(self.reminder.entity, ids)
        self.loader.own(self.reminder.entity, ids)
        for each in found:
            record = self.loader.record(self.reminder.entity, each.record)
            if each.first and self.reminder.then:
                self._do(each)
            told: dict[int, int] = {}
            for level in each.levels:
                for person in self.people_at(level, record):
                    told.setdefault(person, level)
            for person, level in told.items():
                self._line(person, level, record, self.reminder.entity, each.record)
        keep(self.session, self.reminder, found, common(self.session))

    def _do(self, each: Due) -> None:
        """What is done at the first notice; one that is refused holds up no other."""
        reminder = self.reminder
        label = reminder.label.of(self.session.site.settings.language)
        try:
            with self.session.connection.begin_nested():
                carry_out(
                    self.session, reminder.then, reminder.entity, each.record, f"reminder:{reminder.name}", label=label
                )
        except Answer as answer:
            language = self.session.site.settings.language
            self.errors.append(f"{reminder.entity} {each.record}: {say_answer(answer, language)}")

    def people_at(self, level: int, record: Any) -> list[int]:
        whos = self.reminder.to if level == 0 else self.reminder.escalate[level - 1].to
        return list(dict.fromkeys(i for who in whos for i in self._people(who, record)))

    def _people(self, who: Who, record: Any) -> list[int]:
        key = (who, _basis(who, record)) if who.expression is None else (who, id(record))
        if key not in self._found:
            self._found[key] = people.resolve(self.session, who, record, self.loader.environment)
        return self._found[key]

    def _line(self, person: int, level: int, record: Any, entity: str, record_id: int, **known: str) -> None:
        reader = self._readers.get(person)
        if reader is None:
            reader = self._readers[person] = reader_of(self.session, person)
        self.lines.append(
            {
                "recipient": person,
                "reminder": self.reminder.name,
                "entity": entity,
                "record": record_id,
                "level": level,
                "subject": self._said(record, reader, known)[:200],
                "due_at": self.session.now,
            }
        )

    def _said(self, record: Any, reader: Session, known: Mapping[str, str]) -> str:
        subject = self.reminder.subject
        if subject is None:
            return f"{self.reminder.label.of(reader.language)}：{title_of(record, reader)}"
        if not known:
            return fill(subject, record, reader)
        said = subject.of(reader.language)
        return filled(said, lambda path: known[path] if path in known else text_at(record, path.split("."), reader))

    def count(self) -> int:
        """Counts records by person and tells of those the rule is about; how many people they are."""
        session, reminder, rule = self.session, self.reminder, self.reminder.count
        assert rule is not None
        table = plan_of(session, reminder.entity).table
        where = condition_of(session, reminder.where, table)
        if where is None:
            raise NotFound("reminder.no_sql", name=reminder.name)
        by, _ = column_at(session, reminder.entity, rule.by, table)
        wanted = sa.select(by, sa.func.count()).where(table.c.deleted_at.is_(None), where).group_by(by)
        counts = {person: int(n) for person, n in session.connection.execute(wanted) if person is not None}
        counted = people.resolve_all(session, rule.of, None)
        figures = {person: counts.get(person, 0) for person in counted}
        median = Decimal(str(statistics.median(figures.values()))) if figures else Decimal(0)
        told = self._told_today(counted)
        fresh: list[Due] = []
        for person, number in figures.items():
            if person in told:
                continue
            record = self.loader.record(PERSON, person)
            environment = session.environment(parameters={"count": number, "median": median})
            if holds(rule.when, record, environment):
                known = {"count": str(number), "median": f"{median.normalize():f}"}
                others = (i for who in reminder.to for i in self._people(who, record))
                for recipient in dict.fromkeys([person, *others]):
                    self._line(recipient, 0, record, PERSON, person, **known)
                fresh.append(Due(record=person, since=None, match=None, levels=(0,), first=True, level=0))
        self._keep_counted(fresh)
        return len(fresh)

    def _told_today(self, ids: Sequence[int]) -> set[int]:
        match = self.session.table("reminder_match")
        wanted = sa.select(match.c.record, match.c.last_at).where(
            match.c.reminder == self.reminder.name, match.c.record.in_(list(ids)), match.c.deleted_at.is_(None)
        )
        zone, today = self.session.zone, self.session.today
        return {r for r, at in self.session.connection.execute(wanted) if at and at.astimezone(zone).date() == today}

    def _keep_counted(self, fresh: Sequence[Due]) -> None:
        match = self.session.table("reminder_match")
        ids = [d.record for d in fresh]
        same = (match.c.reminder == self.reminder.name, match.c.record.in_(ids), match.c.deleted_at.is_(None))
        gone = sa.delete(match).where(*same)
        if ids:
            self.session.connection.execute(gone)
            keep(self.session, self.reminder, fresh, common(self.session))

    def write(self) -> None:
        table, same = self.session.table("reminder_notice"), common(self.session)
        if self.lines:
            self.session.connection.execute(sa.insert(table), [{**line, **same} for line in self.lines])


def _basis(who: Who, record: Any) -> Any:
    """The record at the end of what names the people: the same one means the same people."""
    here = record
    for name in who.field or who.manager_of or who.unit_head:
        here = here.get(name) if here is not None and hasattr(here, "get") else None
    if isinstance(here, tuple):
        return here
    return (here.plan.name, here.record_id) if hasattr(here, "plan") else here


# --- what would happen --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run now would do: records, people, and lines in their notices (None: too many to say).

    `sample` are the first records, each with the people told of it; of counts by person, the persons counted.
    """

    reminder: str
    records: int
    people: int | None = None
    lines: int | None = None
    sample: tuple[tuple[int, tuple[int, ...]], ...] = ()


def forecast(session: Session, reminder: Reminder) -> Forecast:
    """What a run now would do; nothing is written, and nobody is told."""
    telling = Telling(session, reminder)
    if reminder.count is not None:
        with session.connection.begin_nested() as attempt:
            matched = telling.count()
            attempt.rollback()
        told = {line["recipient"] for line in telling.lines}
        sample: dict[int, list[int]] = {}
        for line in telling.lines:
            sample.setdefault(line["record"], []).append(line["recipient"])
        return Forecast(
            reminder=reminder.name,
            records=matched,
            people=len(told),
            lines=len(telling.lines),
            sample=_first(sample),
        )
    found = due(session, reminder)
    if len(found) > SAMPLE:
        return Forecast(reminder=reminder.name, records=len(found))
    telling.loader.want(reminder.entity, [d.record for d in found])
    told_by: dict[int, int] = {}
    named: dict[int, list[int]] = {}
    for each in found:
        record = telling.loader.record(reminder.entity, each.record)
        persons = {p for level in each.levels for p in telling.people_at(level, record)}
        named[each.record] = sorted(persons)
        for person in persons:
            told_by[person] = told_by.get(person, 0) + 1
    return Forecast(
        reminder=reminder.name,
        records=len(found),
        people=len(told_by),
        lines=sum(told_by.values()),
        sample=_first(named),
    )


def _first(named: Mapping[int, Sequence[int]]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    return tuple((record, tuple(dict.fromkeys(people))) for record, people in islice(named.items(), NAMED))
