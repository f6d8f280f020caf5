"""Qualification of records: which rule applies, what answers itself, and a check with everything that follows it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Segment
from metadata.models.qualification import Criterion, Qualification
from rules.durations import Duration
from rules.evaluate import holds
from rules.qualifying import Grant, Refusal, Verdict, judge, usable
from runtime import records
from runtime.decisions.effects import carry_out
from runtime.decisions.people import resolve_all
from runtime.environment import working_time
from runtime.errors import Conflict, RecordProblem, Refused
from runtime.files.attachments import Use, link_files
from runtime.messages import say
from runtime.query.pinyin import sort_key
from runtime.records.reach import Change
from runtime.records.rollups import spread
from runtime.records.values import CHUNK, Draft, Loader, Stored
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CHECK, LINE, GRANT = "qualification_check", "qualification_line", "qualification_grant"
CAUSE = "qualification:"
_COMMAS = re.compile(r"[,，、;；\n]+")


def rules_of(app: Application, entity: str) -> tuple[Qualification, ...]:
    """The qualifications of an entity, in the order in which they are asked."""
    return tuple(sorted(app.rules_of(entity, "qualification"), key=lambda rule: (rule.order, rule.name)))


def applicable(app: Application, entity: str, record: Stored | Draft) -> Qualification | None:
    """The first rule that applies to a record."""
    environment = record.loader.environment
    return next((r for r in rules_of(app, entity) if r.when is None or holds(r.when, record, environment)), None)


def automatic(rule: Qualification, record: Stored | Draft) -> dict[str, bool]:
    """What the record answers by itself, by criterion."""
    environment = record.loader.environment
    return {c.name: holds(c.holds, record, environment) for c in rule.criteria if c.holds is not None}


def may_check(session: Session, rule: Qualification, record: Stored) -> bool:
    """Whether the person may check this record: whom the rule names, else whoever may edit it."""
    if session.user.superuser:
        return True
    if rule.by:
        return session.user.id in resolve_all(session, rule.by, record)
    return Access(session).allows(rule.entity, "edit", record, record.loader.environment)


# --- grants


def grants_of(session: Session, rule: Qualification, record: Stored, *, lock: bool = False) -> list[Grant]:
    """The person's grants for this rule and record, with how often each was used this month."""
    if session.user.id is None:
        return []
    table = session.table(GRANT)
    wanted = sa.select(table).where(
        table.c.person == session.user.id,
        table.c.active.is_(True),
        table.c.deleted_at.is_(None),
        sa.or_(table.c.rule.is_(None), table.c.rule == rule.name),
    )
    if lock and session.site.dialect != "sqlite":
        wanted = wanted.with_for_update()
    rows = [
        row
        for row in session.connection.execute(wanted.order_by(table.c.id)).mappings()
        if _meant(session, row, rule, record)
    ]
    used = _used_this_month(session, [row["id"] for row in rows])
    return [
        Grant(
            id=row["id"],
            items=_items(row["items"], rule),
            limit=row["monthly_limit"],
            used=used.get(row["id"], 0),
            until=row["until"],
        )
        for row in rows
    ]


def _meant(session: Session, row: Any, rule: Qualification, record: Stored) -> bool:
    """Whether the record lies in the segment a grant is limited to."""
    if row["segment"] is None:
        return True
    segment: Segment | None = session.app.segments.get(row["segment"])
    if segment is None or segment.entity != rule.entity:
        return False
    return holds(segment.where, record, record.loader.environment)


def unknown_items(text: str | None, rules: Sequence[Qualification]) -> list[str]:
    """What the criteria of a grant name that none of the rules has."""
    known = {word for rule in rules for c in rule.criteria for word in (c.name, *c.label.values.values())}
    return sorted(_words(text) - known)


def _words(text: str | None) -> set[str]:
    return {word.strip() for word in _COMMAS.split(text or "") if word.strip()}


def _items(text: str | None, rule: Qualification) -> frozenset[str] | None:
    """Criteria by name or label; None: all that may be waived."""
    words = _words(text)
    if not words:
        return None
    return frozenset(c.name for c in rule.criteria if words & {c.name, *c.label.values.values()})


def _used_this_month(session: Session, grants: Sequence[int]) -> dict[int, int]:
    if not grants:
        return {}
    table = session.table(CHECK)
    first = session.today.replace(day=1)
    counted = sa.select(table.c.grant, sa.func.count()).where(
        table.c.grant.in_(grants), table.c.created_on >= first, table.c.deleted_at.is_(None)
    )
    return {row[0]: row[1] for row in session.connection.execute(counted.group_by(table.c.grant))}


def refusal_text(session: Session, refusal: Refusal) -> str:
    return say(f"qualification.grant_{refusal}", session.language)


# --- a check


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What somebody says: answers by manual criterion, what is to be waived, and the papers (ids of staged files)."""

    given: Mapping[str, bool | None]
    waived: frozenset[str] = frozenset()
    reason: str | None = None
    evidence: int | None = None
    papers: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check that was kept."""

    id: int
    rule: Qualification
    verdict: Verdict
    expires_on: date | None


def check(session: Session, record: Stored, answers: Answers, *, special: bool) -> Checked:
    """Checks a record, keeps the check with the rule as it is, writes the outcome and carries out what follows.

    The caller has locked the record and seen to it that the action is open. With `special` the result must be a pass,
    by a grant of the person. Raises `Refused` for answers that are missing or do not suffice, `Conflict` where the
    grant does not cover them.
    """
    entity = record.plan.name
    rule = applicable(session.app, entity, record)
    if rule is None:
        raise Conflict("qualification.not_applicable")
    known = {**answers.given, **automatic(rule, record)}
    waived = answers.waived if special else frozenset()
    verdict = judge(rule.asked, known, method=rule.method, pass_mark=rule.pass_mark, waived=waived)
    grant = _grant_for(session, rule, record, verdict) if special else None
    _complete(session, rule, answers, verdict, special=special)
    expires_on = expiry(session, rule.valid) if verdict.word != "failed" else None
    made = _keep(session, rule, record, answers, verdict, grant, expires_on)
    cause = f"{CAUSE}{rule.name}"
    choice = rule.outcome.choice(verdict.word)
    if record.raw(rule.outcome.field) != choice:
        records.update(session.sub(cause=cause), entity, record.record_id or 0, {rule.outcome.field: choice})
    effects = rule.effects(verdict.word)
    label = rule.label.of(session.language)
    carry_out(session, effects, entity, record.record_id, cause, person=session.user.id, old=record.row, label=label)
    return Checked(id=made, rule=rule, verdict=verdict, expires_on=expires_on)


def _grant_for(session: Session, rule: Qualification, record: Stored, verdict: Verdict) -> Grant | None:
    """The grant a special pass uses; None where nothing had to be waived."""
    if verdict.word == "failed":
        raise Refused(
            problems=[RecordProblem(code="qualification.still_unmet", params={"items": short(session, rule, verdict)})]
        )
    if verdict.word == "passed":
        return None
    waived = [line.name for line in verdict.lines if line.result == "waived"]
    waivable = [c.name for c in rule.criteria if c.asked.waivable]
    found = usable(grants_of(session, rule, record, lock=True), session.today, waived, waivable)
    if isinstance(found, str):
        raise Conflict("action.closed", why=refusal_text(session, found))
    return found


def _complete(session: Session, rule: Qualification, answers: Answers, verdict: Verdict, *, special: bool) -> None:
    """Papers and the reason are there where they are due."""
    problems: list[RecordProblem] = []
    met = {line.name for line in verdict.lines if line.result == "passed"}
    for criterion in rule.criteria:
        if criterion.evidence and criterion.name in met and criterion.name not in answers.papers:
            problems.append(RecordProblem(code="required", field=f"{criterion.name}_evidence"))
    if special and verdict.word == "special":
        if not (answers.reason or "").strip():
            problems.append(RecordProblem(code="required", field="reason"))
        if rule.special_evidence and answers.evidence is None:
            problems.append(RecordProblem(code="required", field="evidence"))
    if problems:
        raise Refused(problems=problems)


def expiry(session: Session, valid: Duration | None) -> date | None:
    """The last business date on which an outcome of today holds."""
    if valid is None:
        return None
    if valid.working:
        end = working_time(session).add(session.now, valid)
    else:
        end = session.now + valid.elapsed
    return end.astimezone(session.zone).date() if end is not None else None


def short(session: Session, rule: Qualification, verdict: Verdict) -> str:
    """What a failed verdict lacks, in words."""
    names = [c.label.of(session.language) for c in rule.criteria if c.name in verdict.unmet]
    if verdict.missing:
        params = {"score": f"{verdict.score.normalize():f}", "mark": f"{rule.pass_mark.normalize():f}"}
        names.append(say("qualification.points_short", session.language, **params))
    return "、".join(names) if session.language == "zh" else ", ".join(names)


# --- keeping it


def _keep(
    session: Session,
    rule: Qualification,
    record: Stored,
    answers: Answers,
    verdict: Verdict,
    grant: Grant | None,
    expires_on: date | None,
) -> int:
    table = session.table(CHECK)
    entity, record_id = rule.entity, record.record_id or 0
    earlier = (table.c.entity == entity, table.c.record == record_id, table.c.is_current.is_(True))
    living = table.c.deleted_at.is_(None)
    session.connection.execute(sa.update(table).where(*earlier, living).values(is_current=False))
    language = session.site.settings.language
    words = {"passed": "qualification.passed", "failed": "qualification.failed", "special": "qualification.special"}
    row = {
        "summary": f"{rule.label.of(language)}: {say(words[verdict.word], language)}"[:300],
        "entity": entity,
        "record": record_id,
        "rule": rule.name,
        "rule_label": rule.label.of(language)[:200],
        "published": session.version,
        "rule_text": as_text(rule),
        "method": rule.method,
        "pass_mark": rule.pass_mark,
        "score": verdict.score,
        "verdict": verdict.word,
        "outcome": rule.outcome.choice(verdict.word),
        "is_special": verdict.word == "special",
        "grant": grant.id if grant is not None else None,
        "reason": answers.reason if verdict.word == "special" else None,
        "note": answers.note,
        "checked_by": session.user.id,
        "checked_at": session.now,
        "expires_on": expires_on,
        "is_current": True,
        **dict.fromkeys(_links_to(session.app, entity), record_id),
    }
    made = _insert(session, CHECK, row)
    results = {line.name: line for line in verdict.lines}
    for position, criterion in enumerate(rule.criteria, 1):
        line = _insert(
            session, LINE, {"check": made, "position": position, **_line(criterion, results[criterion.name], language)}
        )
        _attach(session, LINE, line, answers.papers.get(criterion.name), f"{criterion.name}_evidence")
    _attach(session, CHECK, made, answers.evidence, "evidence")
    session.touch(CHECK)
    spread(session, [Change(CHECK, made, frozenset(), after={**row, "id": made}, known=True)], {})
    return made


def _line(criterion: Criterion, line: Any, language: str) -> dict[str, Any]:
    return {
        "criterion": criterion.name,
        "label": criterion.label.of(language)[:200],
        "labels": dict(criterion.label.values),
        "automatic": criterion.holds is not None,
        "must": criterion.asked.must,
        "points": criterion.asked.points,
        "given": line.points,
        "result": line.result,
        "rule": criterion.holds.text if criterion.holds is not None else None,
    }


def as_text(rule: Qualification) -> dict[str, Any]:
    """The rule as it is now, as plain data, so that an old check can always say what it was checked by."""
    return {
        "name": rule.name,
        "label": dict(rule.label.values),
        "when": rule.when.text if rule.when is not None else None,
        "method": rule.method,
        "pass_mark": f"{rule.pass_mark:f}",
        "valid": str(rule.valid) if rule.valid is not None else None,
        "criteria": [
            {
                "name": c.name,
                "label": dict(c.label.values),
                "holds": c.holds.text if c.holds is not None else None,
                "must": c.asked.must,
                "points": f"{c.asked.points:f}",
                "waivable": c.asked.waivable,
                "evidence": c.evidence,
            }
            for c in rule.criteria
        ],
    }


def _links_to(app: Application, entity: str) -> list[str]:
    """Links of checks to the entity that was checked, added by the application above the platform."""
    fields = app.entities[CHECK].own_fields
    return [f.name for f in fields if f.storage == "link" and f.to == entity and f.origin.layer != "platform"]


def _insert(session: Session, entity: str, values: Mapping[str, Any]) -> int:
    table, described = session.table(entity), session.app.entities[entity]
    row: dict[str, Any] = {
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }
    for name, value in values.items():
        member = described.fields.get(name)
        column = column_name(member) if member is not None else name
        row[column] = value
        if f"{column}__sort" in table.c:
            row[f"{column}__sort"] = sort_key(value) if isinstance(value, str) else None
    return int(session.connection.execute(sa.insert(table).values(row).returning(table.c.id)).scalar_one())


def _attach(session: Session, entity: str, record_id: int, file: int | None, asked: str) -> None:
    """Gives an upload of this person to the check."""
    if file is None:
        return
    if link_files(session, [Use(entity, record_id, "evidence", file)]):
        raise Refused(problems=[RecordProblem(code="file.not_yours", field=asked)])
    table = session.table(entity)
    session.connection.execute(sa.update(table).where(table.c.id == record_id).values(evidence=file))


# --- what was checked before


def current_checks(session: Session, entity: str, ids: Collection[int]) -> dict[int, Any]:
    """The checks that count now, by record."""
    table = session.table(CHECK)
    found: dict[int, Any] = {}
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        part = ordered[start : start + CHUNK]
        wanted = sa.select(table).where(
            table.c.entity == entity,
            table.c.record.in_(part),
            table.c.is_current.is_(True),
            table.c.deleted_at.is_(None),
        )
        found.update((row["record"], row) for row in session.connection.execute(wanted.order_by(table.c.id)).mappings())
    return found


def last_answers(session: Session, entity: str, record_id: int) -> dict[str, str]:
    """What was answered the last time, by criterion."""
    latest = current_checks(session, entity, [record_id]).get(record_id)
    if latest is None:
        return {}
    line = session.table(LINE)
    wanted = sa.select(line.c.criterion, line.c.result).where(line.c.check == latest["id"])
    return {row[0]: row[1] for row in session.connection.execute(wanted)}


def stored(session: Session, entity: str, record_id: int) -> Stored | None:
    return Loader(session).record(entity, record_id)
