"""Actions of a record: their dialog, carrying them out, and the cards beside the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from metadata.fields import field_type
from runtime import actions
from runtime.actions import Ask, Offer
from runtime.errors import Conflict, Forbidden, NotFound, Refused
from runtime.messages import say_answer, say_problem
from runtime.records import read
from runtime.views.binder import Binder, BoundChoice, BoundField
from runtime.views.forms import Input
from runtime.views.records import title_of
from runtime.views.titles import titles_of
from web import htmx
from web.mentioning import mentioned
from web.notes import note
from web.pages.uploads import stage
from web.panels import dialog_of, panel
from web.state import reading, state, writing

blueprint = Blueprint("actions", __name__)


@blueprint.get("/e/<entity>/<int:record_id>/actions/<name>")
def ask(entity: str, record_id: int, name: str) -> Response:
    """The dialog of an action, as a fragment or, without scripts, as a page of its own."""
    return _dialog(entity, record_id, name, {}, {})


@blueprint.post("/e/<entity>/<int:record_id>/actions/<name>")
def run(entity: str, record_id: int, name: str) -> Response:
    """Carries an action out; what it refuses comes back in the dialog with everything that was typed."""
    _known(Binder(reading()), entity)
    given: dict[str, Any] = {key: value for key, value in request.form.items() if key != "csrf_token"}
    if people := mentioned():
        given[actions.MENTION] = people
    try:
        given |= _files(entity, record_id, name)
        with writing() as session:
            outcome = actions.run(session, entity, record_id, name, given)
    except Refused as error:
        language = state().language
        by_field: dict[str, list[str]] = {}
        for problem in error.problems:
            by_field.setdefault(problem.field or "", []).append(say_problem(problem, language))
        return _dialog(entity, record_id, name, given, by_field or {"": [say_answer(error, language)]}, 422)
    except Conflict as error:
        note(say_answer(error, state().language), "danger")
        return htmx.go(_back(entity, record_id))
    if outcome.message:
        note(outcome.message)
    return htmx.go(f"/e/{outcome.goto[0]}/{outcome.goto[1]}" if outcome.goto else _back(entity, record_id))


@blueprint.get("/e/<entity>/<int:record_id>/panel/<word>")
def card(entity: str, record_id: int, word: str) -> Response:
    """One card beside the record; empty where it has nothing to show."""
    session = reading()
    binder = Binder(session)
    _known(binder, entity)
    found = panel(word)
    if found is None or not found.applies(binder.app, binder.app.entities[entity]):
        raise NotFound
    read(session, entity, record_id, fields=["id"])
    data = found.data(session, entity, record_id)
    if data is None:
        return make_response("")
    html = render_template(found.template, heading=found.label(), entity=entity, id=record_id, **data)
    return make_response(html)


def _known(binder: Binder, entity: str) -> None:
    binder.entity(entity, alone=False)


def _back(entity: str, record_id: int) -> str:
    from web.account.sign_in import own_address  # late: pages do not otherwise need the account pages

    wanted = own_address(request.args.get("next"))
    return wanted if wanted != "/" else f"/e/{entity}/{record_id}"


def _files(entity: str, record_id: int, name: str) -> dict[str, Any]:
    """Keeps uploads of the action's file asks; their ids by ask."""
    uploads = {key: file for key, file in request.files.items() if file and file.filename}
    if not uploads:
        return {}
    session = reading()
    offer, _source, _record = actions.find(session, entity, record_id, name)
    fields = {a.name: bind(Binder(session), a) for a in offer.asks if a.type in ("file", "image")}
    return {key: stage(fields[key], file) for key, file in uploads.items() if key in fields}


def _dialog(
    entity: str,
    record_id: int,
    name: str,
    given: Mapping[str, Any],
    problems: Mapping[str, list[str]],
    status: int = 200,
) -> Response:
    session = reading()
    binder = Binder(session)
    _known(binder, entity)
    offer, source, stored = actions.find(session, entity, record_id, name)
    if not offer.open:
        raise Conflict("action.closed", why=offer.why)
    described = binder.app.entities[entity]
    fields = [described.title] if described.title != "id" and binder.visible(entity, described.title) else ["id"]
    try:
        record = read(session, entity, record_id, fields=fields)
    except (NotFound, Forbidden):  # entrusted, not seen: a page of its own tells as much as they may know
        return htmx.go(source.desk)
    detail = source.detail(session, described, stored, name) if offer.detail else {}
    in_dialog = htmx.wanted() and htmx.target() != "action-page"
    asked = {one.name for one in offer.asks}
    values: dict[str, Any] = {
        "offer": offer,
        "entity": entity,
        "id": record_id,
        "title": title_of(binder, entity, record),
        "address": request.full_path.rstrip("?"),
        "inputs": inputs(binder, offer, given, problems),
        "problems": [text for key, texts in problems.items() if key not in asked for text in texts],
        "in_dialog": in_dialog,
        "detail": detail,
        "given": given,
    }
    body = render_template(dialog_of(offer.word), **values)
    if htmx.wanted():
        return make_response(body, status)
    page = render_template("records/action_page.html", **values, body=Markup(body))  # noqa: S704 - escaped by its template
    return make_response(page, status)


def inputs(binder: Binder, offer: Offer, given: Mapping[str, Any], problems: Mapping[str, list[str]]) -> list[Input]:
    """The asks as what is filled in, with what was typed before."""
    return [asked(binder, one, given.get(one.name), list(problems.get(one.name, ()))) for one in offer.asks]


def asked(binder: Binder, one: Ask, typed: Any, problems: list[str]) -> Input:
    """One ask as what is filled in."""
    bound = bind(binder, one)
    raw = typed if typed is not None else one.default
    if typed is None and raw is not None and one.type not in ("select", "link", "user"):
        raw = bound.type.to_input(raw, bound.field, binder.coercion())
    title = None
    if bound.target and raw not in (None, "") and str(raw).isdigit():
        title = titles_of(binder.session, bound.target, [int(raw)]).get(int(raw))
    made = Input(field=bound, name=one.name, raw=raw, value=raw, title=title, required=one.required)
    made.problems = problems
    return made


def bind(binder: Binder, one: Ask) -> BoundField:
    """The ask as a field of a page."""
    field = actions.as_field(one)
    kind = field_type(one.type)
    target = field.to
    return BoundField(
        key=one.name,
        name=one.name,
        entity="",
        field=field,
        type=kind,
        widget=kind.widget,
        label=one.label,
        help=one.help,
        required=one.required,
        choices=tuple(BoundChoice(name=name, label=label) for name, label in one.choices),
        target=target,
        span=2 if one.type == "long_text" else 1,
        source=f"/find/{target}" if target else "",
        mentions=one.mentions,
    )
