"""Why?: what the rules do on a record, and where a value comes from."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template

from metadata.model import Field
from runtime import explain
from runtime.errors import NotFound
from runtime.records import read
from runtime.records.form import stored_state
from runtime.views.binder import Binder
from runtime.views.forms import bind_form
from web import htmx
from web.device import device
from web.i18n import _
from web.state import reading
from web.why import readable, why_text

blueprint = Blueprint("whys", __name__)
MOST_STEPS = 60


@blueprint.get("/e/<entity>/<int:record_id>/why")
def record(entity: str, record_id: int) -> Response:
    """Every field of the form that a rule hides, locks, requires or computes on this record, each with the rule."""
    session = reading()
    binder = _binder(entity)
    read(session, entity, record_id, fields=["id"])
    form = bind_form(binder, entity)
    state = stored_state(session, entity, record_id)
    rules, computed = [], []
    for name, bound in form.fields.items():
        reason = state.why.get(name) if state is not None else None
        if reason is not None:
            rules.append((bound.label, why_text(binder, entity, reason)))
        if is_computed(bound.field) or explain.is_number(binder.app.entities[entity], name):
            computed.append((name, bound.label, _source(binder, entity, bound.field)))
    return _dialog("whys/record.html", entity=entity, id=record_id, rules=rules, computed=computed)


@blueprint.get("/e/<entity>/<int:record_id>/why/<name>")
def field(entity: str, record_id: int, name: str) -> Response:
    """Where a value comes from: its formula, and what each part of it came to."""
    session = reading()
    binder = _binder(entity)
    bound = binder.field(entity, name) if name in binder.app.entities[entity].fields else None
    if bound is None or bound.field.type in ("secret", "related"):
        raise NotFound
    told = explain.value(session, entity, record_id, name)
    rule = bound.field.formula
    legible = rule is not None and all(binder.access.visible(e, n) for e, n in rule.reads)
    steps = [s for s in told.get("steps", ()) if not _literal(s["text"])][-MOST_STEPS:]
    decided = told.get("numbering") or _decided(binder, entity, record_id, bound.field)
    return _dialog(
        "whys/field.html",
        entity=entity,
        id=record_id,
        label=bound.label,
        told=told,
        formula=readable(binder, entity, rule.text) if rule is not None and legible and not decided else "",
        steps=[(readable(binder, entity, s["text"]), s["value"], s["depth"]) for s in steps],
        decided=decided,
    )


def _binder(entity: str) -> Binder:
    binder = Binder(reading(), device())
    binder.entity(entity)
    return binder


def _dialog(template: str, **values: Any) -> Response:
    body = render_template(template, **values)
    if htmx.wanted():
        return make_response(body)
    return make_response(render_template("whys/page.html", template=template, **values))


def is_computed(field: Field) -> bool:
    """Whether the value follows from others."""
    return field.computed != "no" or field.type in ("score", "grade")


def _source(binder: Binder, entity: str, field: Field) -> str:
    if field.type in ("score", "grade"):
        return _("Points of a score")
    if field.of:
        return _("Shown through a link")
    rule = field.formula
    if explain.is_number(binder.app.entities[entity], field.name):
        return explain.WORDS["numbering"]["zh" if binder.language == "zh" else "en"]
    if rule is None or not all(binder.access.visible(e, n) for e, n in rule.reads):
        return _("Computed by a formula")
    return readable(binder, entity, rule.text)


def _decided(binder: Binder, entity: str, record_id: int, field: Field) -> Any:
    """What the score says of its parts, where the field holds it or its grade; other scores of the record do not."""
    if field.type not in ("score", "grade"):
        return None
    mine = {s.name for s in binder.app.rules_of(entity, "score") if field.name in (s.field, s.grade_field)}
    told = explain.decision(binder.session, "score", entity, record_id)
    return next((score for score in told["scores"] if score["name"] in mine), None)


def _literal(text: str) -> bool:
    """A part that says its value itself."""
    return text[:1] in "'\"0123456789" or text in ("None", "True", "False")
