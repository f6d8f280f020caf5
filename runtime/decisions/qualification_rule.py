"""The outcome of a qualification changes by checks alone; it runs out when its time is over, and says why it is so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.qualification import Criterion, Qualification
from rules.expression import Expression
from rules.qualifying import judge
from runtime import records
from runtime.decisions import qualifying
from runtime.decisions.qualifying import CAUSE, CHECK, LINE
from runtime.decisions.scores import moment
from runtime.explain import explainer
from runtime.jobs.registry import Payload, job, schedule
from runtime.messages import say
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import Draft, Stored
from runtime.security.access import Access
from runtime.views.titles import titles_of

if TYPE_CHECKING:
    from runtime.site import Session

SHOWN = 10  # checks that the log of a record shows
BATCH = 500


class Guard(RecordRule):
    """Refuses an outcome that no check has given. The system itself may load data as they are."""

    name = "qualification"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "qualification"))

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        cause = session.cause or ""
        if cause.startswith(CAUSE) or (session.user.id is None and not cause):
            return
        fields = {rule.outcome.field for rule in qualifying.rules_of(session.app, plan.name)}
        asked = [(draft, name) for draft in drafts for name in sorted(fields) if _touched(draft, name)]
        if not asked:
            return
        checks = qualifying.current_checks(session, plan.name, {d.record_id for d, _ in asked if d.record_id})
        for draft, name in asked:
            latest = checks.get(draft.record_id or 0)
            if latest is None or latest["outcome"] != draft.raw(name) or _over(latest, session.today):
                _refuse(session, draft, name)


class GrantGuard(RecordRule):
    """A grant names rules, criteria and segments that are there: a slip of the pen would open nothing, or too much."""

    name = "qualification_grant"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == qualifying.GRANT

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        rules = session.app.of("qualification")
        for draft in drafts:
            rule, segment = draft.raw("rule"), draft.raw("segment")
            meant = [rules[rule]] if rule in rules else [] if rule else list(rules.values())
            if rule and not meant:
                draft.refuse("qualification.grant_rule", "rule", name=rule, known=", ".join(sorted(rules)))
            if segment:
                fits = {r.entity for r in meant}
                known = sorted(s.name for s in session.app.segments.values() if not meant or s.entity in fits)
                if segment not in known:
                    draft.refuse("qualification.grant_segment", "segment", name=segment, known=", ".join(known) or "–")
            if meant:
                for word in qualifying.unknown_items(draft.raw("items"), meant):
                    draft.refuse("qualification.grant_item", "items", name=word)


register(Guard())
register(GrantGuard())


def _over(check: Any, today: date) -> bool:
    return check["expires_on"] is not None and check["expires_on"] < today


def _touched(draft: Draft, name: str) -> bool:
    if name not in draft.changed:
        return False
    field = draft.plan.fields[name]
    opening = field.default if not isinstance(field.default, Expression) else None
    return not draft.creating or draft.raw(name) not in (None, opening)


def _refuse(session: Session, draft: Draft, name: str) -> None:
    rule = qualifying.applicable(session.app, draft.plan.name, draft)
    if rule is None or rule.outcome.field != name:
        draft.refuse("qualification.no_rule", name)
        return
    label = rule.label.of(session.language)
    wanted = draft.raw(name) in (rule.outcome.passed, rule.outcome.special)
    found = qualifying.automatic(rule, draft)
    failing = [c.label.of(session.language) for c in rule.criteria if found.get(c.name) is False and c.asked.must]
    if wanted and failing:
        items = ("、" if session.language == "zh" else ", ").join(failing)
        draft.refuse("qualification.unmet", name, rule=label, items=items)
    else:
        draft.refuse("qualification.needs_check", name, rule=label)


# --- time over


@job("qualification_expiry")
def run_out(session: Session, _payload: Payload) -> dict[str, int]:
    """Ends outcomes whose time is over: how many, by rule."""
    table = session.table(CHECK)
    done: dict[str, int] = {}
    for name, rule in session.app.of("qualification").items():
        over = sa.select(table.c.id, table.c.record, table.c.outcome).where(
            table.c.entity == rule.entity,
            table.c.rule == name,
            table.c.is_current.is_(True),
            table.c.expires_on < session.today,
            table.c.deleted_at.is_(None),
        )
        while rows := session.connection.execute(over.order_by(table.c.id).limit(BATCH)).all():
            session.connection.execute(
                sa.update(table).where(table.c.id.in_([row[0] for row in rows])).values(is_current=False)
            )
            done[name] = done.get(name, 0) + len(rows)
            _expire(session, rule, {row[1]: row[2] for row in rows})
    return done


def _expire(session: Session, rule: Qualification, outcomes: dict[int, str]) -> None:
    """The records still have the outcome of the check that ended: they get the choice for that."""
    if rule.outcome.expired is None:
        return
    table = session.table(rule.entity)
    column = table.c[session.app.entities[rule.entity].fields[rule.outcome.field].column or rule.outcome.field]
    wanted = sa.select(table.c.id, column).where(table.c.id.in_(outcomes), table.c.deleted_at.is_(None))
    same = [i for i, choice in session.connection.execute(wanted) if choice == outcomes[i]]
    change = {rule.outcome.field: rule.outcome.expired}
    if same:
        system = session.sub(cause=f"{CAUSE}{rule.name}")
        records.update_many(system, rule.entity, [(i, change, None) for i in same], atomic=False)


schedule("qualification_expiry", "25 0 * * *", "qualification_expiry")


# --- why


@explainer("qualification")
def explain(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """The rule that applies, each criterion with its result, and the checks there were."""
    record = qualifying.stored(session, entity, record_id)
    assert record is not None, entity  # the caller has read it
    access = Access(session)
    rule = qualifying.applicable(session.app, entity, record)
    log = checks_of(session, entity, record_id)
    found: dict[str, Any] = {"decision": "qualification", "checks": log, "steps": [], "rule": None}
    if rule is None:
        return {**found, "summary": say("qualification.not_applicable", session.language)}
    if not access.visible(entity, rule.outcome.field):
        return {**found, "checks": [], "summary": say("qualification.hidden", session.language)}
    before = qualifying.last_answers(session, entity, record_id)
    answers: dict[str, bool | None] = {name: {"passed": True, "failed": False}.get(r) for name, r in before.items()}
    answers |= qualifying.automatic(rule, record)
    waived = {name for name, result in before.items() if result == "waived"}
    verdict = judge(rule.asked, answers, method=rule.method, pass_mark=rule.pass_mark, waived=waived)
    results = {line.name: line for line in verdict.lines}
    current = log[0] if log and log[0]["current"] else None
    changed = current is not None and current["rule"] == rule.name and current["rule_text"] != qualifying.as_text(rule)
    return {
        **found,
        "rule": {"name": rule.name, "label": rule.label.of(session.language), "method": rule.method},
        "summary": _summary(session, rule, current),
        "score": f"{verdict.score.normalize():f}",
        "pass_mark": f"{rule.pass_mark.normalize():f}" if rule.method == "points" else None,
        "checked_by_another_rule": changed,
        "steps": [_step(session, access, c, results[c.name], record) for c in rule.criteria],
    }


def _summary(session: Session, rule: Qualification, current: dict[str, Any] | None) -> str:
    language, label = session.language, rule.label.of(session.language)
    if current is None:
        return say("qualification.unchecked", language, rule=label)
    code = "qualification.checked_until" if current["expires_on"] else "qualification.checked"
    params = {"word": current["verdict_label"], "at": current["on"], "until": current["expires_on"] or ""}
    return say(code, language, rule=current["rule_label"], **params)


def _step(session: Session, access: Access, criterion: Criterion, line: Any, record: Stored) -> dict[str, Any]:
    language = session.language
    why = say("qualification.by_hand", language)
    if criterion.holds is not None:
        seen = all(access.visible(e, n) for e, n in criterion.holds.reads)
        why = criterion.holds.text if seen else say("qualification.hidden_criterion", language)
    return {
        "name": criterion.name,
        "label": criterion.label.of(language),
        "result": line.result,
        "result_label": say(f"qualification.result_{line.result}", language),
        "points": f"{line.points.normalize():f}",
        "of_points": f"{criterion.asked.points.normalize():f}" if criterion.asked.points else None,
        "must": criterion.asked.must,
        "automatic": criterion.holds is not None,
        "why": why,
    }


def checks_of(session: Session, entity: str, record_id: int) -> list[dict[str, Any]]:
    """The latest checks of a record that the person may see, newest first, each with its lines as they were."""
    table, line = session.table(CHECK), session.table(LINE)
    wanted = sa.select(table).where(table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    rows = session.connection.execute(wanted.order_by(table.c.id.desc()).limit(SHOWN)).mappings().all()
    lines: dict[int, list[Any]] = {}
    query = sa.select(line).where(line.c.check.in_([row["id"] for row in rows])).order_by(line.c.check, line.c.position)
    for found in session.connection.execute(query).mappings():
        lines.setdefault(found["check"], []).append(found)
    people = titles_of(session, "user", [row["checked_by"] for row in rows if row["checked_by"]])
    return [_told(session, row, lines.get(row["id"], []), people) for row in rows]


def _told(session: Session, row: Any, lines: Sequence[Any], people: dict[int, Any]) -> dict[str, Any]:
    language = session.language
    label = (row["rule_text"] or {}).get("label") or {}
    return {
        "id": str(row["id"]),
        "rule": row["rule"],
        "rule_label": label.get(language) or row["rule_label"],
        "published": row["published"],
        "rule_text": row["rule_text"],
        "verdict": row["verdict"],
        "verdict_label": say(f"qualification.{row['verdict']}", language),
        "score": f"{row['score'].normalize():f}" if row["score"] is not None else None,
        "pass_mark": f"{row['pass_mark'].normalize():f}" if row["method"] == "points" else None,
        "by": people.get(row["checked_by"]) or "",
        "at": row["checked_at"],
        "when": moment(session, row["checked_at"]),
        "on": row["created_on"].isoformat(),
        "expires_on": row["expires_on"].isoformat() if row["expires_on"] is not None else None,
        "current": bool(row["is_current"]),
        "reason": row["reason"],
        "lines": [
            {
                "criterion": found["criterion"],
                "label": (found["labels"] or {}).get(language) or found["label"],
                "result": found["result"],
                "result_label": say(f"qualification.result_{found['result']}", language),
                "points": f"{found['given'].normalize():f}" if found["given"] is not None else None,
            }
            for found in lines
        ],
    }
