"""Quick create: a record in a few fields, from anywhere, or for a look-up that then holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from markupsafe import Markup

from runtime.duplicates.find import watched
from runtime.duplicates.rule import REFUSED
from runtime.errors import Conflict, Refused
from runtime.messages import say_answer, say_problem
from runtime.query.titles import titles_of
from runtime.records import create, evaluate_form
from runtime.views.binder import Binder
from runtime.views.forms import BoundForm, read_form
from runtime.views.records import inputs
from runtime.views.titles import titles_for
from web.device import device
from web.form_session import form_token
from web.i18n import _
from web.notes import note
from web.pages.duplicates import found_for
from web.pages.records import Likely, look_first, open_form, sentences
from web.state import reading, state, writing

blueprint = Blueprint("quick", __name__)


@blueprint.get("/e/<entity>/quick")
def ask(entity: str) -> Response:
    """The dialog with its defaults; parameters prefill fields, `title` what the record is called."""
    session = reading()
    binder = Binder(session, device())
    form = _few(binder, entity)
    given = {name: values for name, values in request.args.to_dict(flat=False).items() if name in form.fields}
    title = binder.app.entities[entity].title
    if request.args.get("title") and title in form.fields and title not in given:
        given[title] = [request.args["title"][:200]]
    started = evaluate_form(session, entity, None, read_form(form, given))
    return _dialog(binder, form, started.values, started)


@blueprint.post("/e/<entity>/quick")
def save(entity: str) -> Response:
    """Creates the record: its id, title and address as JSON; a refusal gives the dialog back as it was typed."""
    form = _few(Binder(reading(), device()), entity)
    given = read_form(form, request.form.to_dict(flat=False))
    try:
        with writing() as session:
            saved = create(session, entity, given)
            look_first(saved, request.form.getlist("duplicates_seen"))
            title = titles_of(session, entity, [saved.id]).get(saved.id) or f"#{saved.id}"
    except Likely as error:
        return _again(entity, given, [(p.field, say_problem(p, state().language)) for p in error.problems], alike=True)
    except Refused as error:
        alike = any(p.code == REFUSED for p in error.problems)
        return _again(entity, given, sentences(error), alike=alike)
    except Conflict as error:
        return _again(entity, given, [(None, say_answer(error, state().language))])
    if request.form.get("then") == "open":
        note(_("Saved"))
    return jsonify({"id": str(saved.id), "title": title, "entity": entity, "address": f"/e/{entity}/{saved.id}"})


def _few(binder: Binder, entity: str) -> BoundForm:
    """The form with the fields of quick create alone: those declared, and whatever else must be given."""
    whole = open_form(binder, entity, "create")
    names = {f.name for f in whole.quick}
    needed = [f for f in whole.fields.values() if f.required and not f.readonly and f.field.default is None]
    fields = [f for f in whole.quick if not f.readonly and f.widget != "lines"]
    fields += [f for f in needed if f.name not in names]
    return replace(whole, fields={f.name: f for f in fields})


def _again(
    entity: str, given: Mapping[str, Any], problems: Sequence[tuple[str | None, str]], *, alike: bool = False
) -> Response:
    session = reading()
    binder = Binder(session, device())
    form = _few(binder, entity)
    started = evaluate_form(session, entity, None, dict(given))
    shown = Markup(found_for(entity, None)) if alike else Markup()  # noqa: S704 - escaped by its template
    return _dialog(binder, form, started.values, started, raw=given, problems=problems, status=422, twins=shown)


def _dialog(
    binder: Binder,
    form: BoundForm,
    values: Mapping[str, Any],
    started: Any,
    *,
    raw: Mapping[str, Any] | None = None,
    problems: Sequence[tuple[str | None, str]] = (),
    status: int = 200,
    twins: str = "",
) -> Response:
    by_field: dict[str, list[str]] = {}
    for field, sentence in problems:
        if field in form.fields:
            by_field.setdefault(field or "", []).append(sentence)
    named = titles_for(binder, form, values, raw)
    made = inputs(binder, form, values, named, raw=raw, state=started, problems=by_field)
    for one in made.values():
        one.visible, one.within = True, "q"
    html = render_template(
        "records/quick.html",
        form=form,
        made=list(made.values()),
        problems=[text for field, text in problems if field not in form.fields],
        token=form_token(),
        currency=binder.session.site.settings.currency,
        watched=watched(binder.session, form.entity),
        twins=twins,
        select="select" in request.values,
    )
    return make_response(html, status)
