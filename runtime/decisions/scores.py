"""Scores of records: the history of their changes, and each part with what it gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.fields import field_type
from metadata.model import Application, Entity, Field
from metadata.models.score import Part, Score
from rules.evaluate import evaluate, holds
from rules.scoring import Given, Scored, decide, grade_of
from rules.typing import decimal
from runtime.explain import explainer
from runtime.messages import say
from runtime.query.dialects import Term, dialect
from runtime.query.expressions import value as sql_value
from runtime.records.input import coercion
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.refresh import before_update
from runtime.records.rollups import when_recomputed
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import Draft, Loader, Stored
from runtime.schema.tables import column_name
from runtime.security.access import Access, sql_context

if TYPE_CHECKING:
    from runtime.site import Session

SHOWN = 20  # changes of a score that its history shows


def scores_of(app: Application, entity: str) -> tuple[Score, ...]:
    """The scores of an entity that a field holds."""
    return tuple(score for score in app.rules_of(entity, "score") if score.field is not None)


def score_held(app: Application, entity: str, field: Field) -> Score | None:
    return next((s for s in scores_of(app, entity) if s.field == field.name), None)


# --- history


class KeepHistory(RecordRule):
    """Writes a line of history for each record whose score a write has changed."""

    name = "score"

    def applies(self, app: Application, entity: Entity) -> bool:
        return any(score.history for score in scores_of(app, entity.name))

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for score in scores_of(session.app, plan.name):
            if score.history and score.field is not None:
                moved = {d: ((d.before or {}).get(score.field), d.values.get(score.field)) for d in drafts}
                _log(session, plan.name, score, [(d, *pair) for d, pair in moved.items() if pair[0] != pair[1]])


register(KeepHistory())


def _recomputed(
    session: Session, plan: EntityPlan, field: Field, changes: Mapping[int, tuple[Decimal | None, Decimal | None]]
) -> None:
    score = score_held(session.app, plan.name, field)
    if score is None or not score.history:
        return
    loader = Loader(session)
    loader.want(plan.name, changes)
    loader.own(plan.name, changes)
    records = ((loader.record(plan.name, i), pair) for i, pair in changes.items())
    _log(session, plan.name, score, [(r, *pair) for r, pair in records if r is not None])


when_recomputed("score", _recomputed)

Moved = tuple[Draft | Stored, Decimal | None, Decimal | None]


def _log(session: Session, entity: str, score: Score, moved: Iterable[Moved]) -> None:
    rows = [
        {
            **_common(session, entity, score),
            "record": record.record_id,
            "before": before,
            "value": after,
            "grade": grade_of(after, score.thresholds),
            "parts": {g.name: plain(g.points) for g in given(score, record)} if after is not None else {},
        }
        for record, before, after in moved
    ]
    if rows:
        session.connection.execute(sa.insert(session.table("score_result")), rows)


def _common(session: Session, entity: str, score: Score) -> dict[str, Any]:
    """What all rows of one moment share."""
    return {
        "entity": entity,
        "score": score.name,
        "published": session.version,
        "at": session.now,
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }


def _set_based(session: Session, plan: EntityPlan, field: Field, where: sa.ColumnElement[bool]) -> None:
    """The history of all records that an UPDATE is about to change: one INSERT … SELECT."""
    score = score_held(session.app, plan.name, field)
    if score is None or not score.history or field.formula is None:
        return
    table, log = plan.table, session.table("score_result")
    context = sql_context(session)
    builder = dialect(session.site.dialect, context.environment)
    now = builder.assign(Term(sql_value(field.formula, table, context), field.formula.type), field.value_type)
    cases = [(now.element >= builder.literal(g.least, field.value_type).element, sa.literal(g.name))
             for g in sorted(score.grades, key=lambda g: -g.least)]  # fmt: skip
    parts: list[Any] = []
    for part in score.parts:
        points = builder.number_text(Term(sql_value(part.given, table, context), part.given.type))
        parts += [sa.literal(part.name, sa.Text()), points.element]
    made = sa.func.json_object(*parts) if session.site.dialect == "sqlite" else sa.func.jsonb_build_object(*parts)
    common = _common(session, plan.name, score)
    values = {
        **{name: sa.literal(value, log.c[name].type) for name, value in common.items()},
        "record": table.c.id,
        "before": _as_kept(builder, Term(table.c[column_name(field)], field.value_type), log.c.before),
        "value": _as_kept(builder, now, log.c.value),
        "grade": sa.case(*cases, else_=sa.null()) if cases else sa.null(),
        "parts": made,
    }
    rows = sa.select(*values.values()).where(where)
    session.connection.execute(sa.insert(log).from_select(list(values), rows))


def _as_kept(builder: Any, term: Term, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A score as the history keeps it: four decimals."""
    found: sa.ColumnElement[Any] = builder.convert_to(term, decimal(4, 18)).element
    return found


before_update("score", _set_based)


# --- why


def given(score: Score, record: Draft | Stored) -> list[Given]:
    """What each part gives a record now."""
    environment = record.loader.environment
    return [
        Given(name=p.name, points=Decimal(evaluate(p.given, record, environment) or 0), most=p.most)
        for p in score.parts
    ]


def worked_out(score: Score, record: Draft | Stored, scale: int) -> Scored:
    """The score of a record as the rule gives it at this moment, whatever is stored."""
    applies = score.when is None or holds(score.when, record, record.loader.environment)
    return decide(
        given(score, record),
        applies=applies,
        low=score.low,
        high=score.high,
        scale=scale,
        grades=score.thresholds,
    )


@explainer("score")
def explain(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Every score of a record that the person may see, part by part, with its latest changes."""
    record = Loader(session).record(entity, record_id)
    assert record is not None, entity  # the caller has read it
    access = Access(session)
    found = [
        _explained(session, access, score, record)
        for score in scores_of(session.app, entity)
        if access.visible(entity, score.field or "")
    ]
    several = len(found) > 1
    steps = [
        {**step, "label": f"{one['label']} · {step['label']}" if several else step["label"]}
        for one in found
        for step in one["steps"]
    ]
    return {
        "decision": "score",
        "summary": " ".join(one["summary"] for one in found) or say("score.none", session.language),
        "steps": steps,
        "scores": found,
    }


def _explained(session: Session, access: Access, score: Score, record: Stored) -> dict[str, Any]:
    entity, language = score.entity, session.language
    field = session.app.entities[entity].fields[score.field or ""]
    stored: Decimal | None = record.raw(field.name)
    now = worked_out(score, record, field.value_type.scale)
    grade = next((g for g in score.grades if g.name == grade_of(stored, score.thresholds)), None)
    applies = score.when is None or now.score is not None
    label = score.label.of(language)
    steps = [_step(session, access, part, one, record) for part, one in zip(score.parts, now.parts)] if applies else []
    return {
        "name": score.name,
        "label": label,
        "field": field.name,
        "value": None if stored is None else plain(stored),
        "grade": None if grade is None else grade.name,
        "grade_label": None if grade is None else grade.label.of(language),
        "low": plain(score.low),
        "high": plain(score.high),
        "total": plain(now.total),
        "limited": now.limited,
        "current": now.score == stored,
        "summary": _summary(session, label, stored, grade.label.of(language) if grade else None, applies=applies),
        "steps": steps,
        "history": history(session, score, record.record_id or 0),
    }


def _summary(session: Session, label: str, stored: Decimal | None, grade: str | None, *, applies: bool) -> str:
    if not applies or stored is None:
        return say("score.not_applied", session.language, score=label)
    code = "score.graded" if grade else "score.given"
    return say(code, session.language, score=label, value=plain(stored), grade=grade or "")


def _step(session: Session, access: Access, part: Part, one: Given, record: Stored) -> dict[str, Any]:
    """A part; what reads fields that are hidden from the person says nothing but its name."""
    language = session.language
    found: dict[str, Any] = {"name": part.name, "label": part.label.of(language)}
    if not all(access.visible(entity, name) for entity, name in part.given.reads):
        return {**found, "result": None, "most": None, "why": say("score.hidden_part", language)}
    return {
        **found,
        "result": plain(one.points),
        "most": None if part.most is None else plain(part.most),
        "rule": part.said,
        "why": "; ".join(_operands(session, access, part, record)) or part.said,
        "help": part.help.of(language) if part.help else "",
    }


def _operands(session: Session, access: Access, part: Part, record: Stored) -> Iterable[str]:
    """The record's own values that the part looks at, for people."""
    described, context = session.app.entities[record.plan.name], coercion(session)
    for entity, name in sorted(part.given.reads):
        field = described.fields.get(name) if entity == described.name else None
        if field is None or field.storage in ("children", "links", "choices") or field.type in ("related", "lookup"):
            continue
        value = record.raw(field.name) if field.computed != "live" or field.keep else record.get(field.name)
        if field.storage == "link":
            target = record.get(field.name)
            title = session.app.entities[field.to or ""].title if target is not None else ""
            shown = str(target.get(title) or "") if access.can(field.to or "", "read") and target is not None else "…"
        else:
            shown = field_type(field.type).to_text(value, field, context)
        yield f"{field.label.of(session.language)}: {shown or '–'}"


def history(session: Session, score: Score, record_id: int) -> list[dict[str, Any]]:
    """The latest changes of a record's score, newest first."""
    log = session.table("score_result")
    wanted = sa.select(log.c.at, log.c.before, log.c.value, log.c.grade).where(
        log.c.entity == score.entity,
        log.c.record == record_id,
        log.c.score == score.name,
        log.c.deleted_at.is_(None),
    )
    labels = {g.name: g.label.of(session.language) for g in score.grades}
    return [
        {
            "at": at,
            "when": moment(session, at),
            "before": None if before is None else plain(before),
            "value": None if after is None else plain(after),
            "grade": labels.get(grade or "", grade),
        }
        for at, before, after, grade in session.connection.execute(wanted.order_by(log.c.id.desc()).limit(SHOWN))
    ]


def moment(session: Session, at: Any) -> str:
    """A moment for people, in the site's zone."""
    field = session.app.entities["score_result"].fields["at"]
    return field_type(field.type).to_text(at, field, coercion(session))


def plain(number: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{number.normalize():f}"


def score_fields(session: Session, entity: str) -> list[Field]:
    """The fields of type score, in the order in which they can be computed."""
    plan = plan_of(session, entity)
    names = {score.field for score in scores_of(session.app, entity)}
    return [plan.fields[d.field] for d in session.app.dependencies if d.entity == entity and d.field in names]
