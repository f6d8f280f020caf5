"""The same deed on many rows of a list: chosen ones, or all that the list finds; progress, results, taking back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from runtime import actions, mass
from runtime.activities.complete import may_follow, open_ids
from runtime.digits import number_in
from runtime.errors import Answer, NotFound, NotSignedIn, RecordProblem, Refused
from runtime.messages import say_answer, say_problem
from runtime.query.select import Query
from runtime.query.titles import titles_of
from runtime.site import Session
from runtime.views.binder import Binder, BoundField
from runtime.views.columns import candidates
from runtime.views.forms import Input, read_one
from web import htmx
from web.device import device
from web.i18n import _, plural
from web.next_step import ACTION
from web.notes import ask as ask_first
from web.notes import note
from web.pages.actions import inputs
from web.pages.lists import open_list, read_address
from web.state import reading, state, writing

blueprint = Blueprint("bulk", __name__)
_NOT_SET = frozenset({"lines", "related", "secret", "file", "image", "rich_text"})
SHOWN = 200  # records of each kind on the page of a bulk change
LOOKED_AT = 5  # chosen records whose actions are offered


@blueprint.post("/e/<entity>/bulk/ask")
def ask(entity: str) -> Response:
    """The dialog that asks which field to change, and to what."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    return _dialog(binder, entity, request.form.get("field", ""))


@blueprint.get("/e/<entity>/bulk/field")
def field(entity: str) -> Response:
    """The input of the field chosen in the dialog."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    bound = _settable(binder, entity).get(request.args.get("field", ""))
    if bound is None:
        return make_response("")
    return make_response(render_template("lists/bulk_field.html", one=_input(bound)))


@blueprint.post("/e/<entity>/bulk")
def begin(entity: str) -> Response:
    """Changes a field of the chosen rows, or of all the list finds (`all`)."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    bound = _settable(binder, entity).get(request.form.get("field", ""))
    if bound is None:
        return _dialog(binder, entity, "", _("Choose a field"), 422)
    texts = request.form.getlist("value")
    raw = read_one(bound, texts)
    try:
        # what cannot be read is told at once, not record by record
        bound.type.coerce(raw, bound.field, binder.coercion())
        if bound.choices and any(bound.choice(v) is None for v in ([raw] if isinstance(raw, str) else raw or ())):
            raise Refused(problems=[RecordProblem(code="unknown_choice", params={"value": " ".join(texts)[:60]})])
        title = _(
            "{name}: {field} changed", name=binder.app.entities[entity].plural.of(binder.language), field=bound.label
        )
        return _started(binder, entity, "set", {"values": {bound.name: raw}}, title)
    except Refused as error:
        sentence = "; ".join(say_problem(p, binder.language) for p in error.problems)
        return _dialog(binder, entity, bound.name, sentence, 422)
    except Answer as error:
        return _dialog(binder, entity, bound.name, say_answer(error, binder.language), error.status)
    except Exception as error:
        rejected = _rejected(error, binder.language)
        if rejected is None:
            raise
        return _dialog(binder, entity, bound.name, rejected, 422, texts)


def _rejected(error: Exception, language: str) -> str | None:
    from metadata.fields.base import Rejection  # late: only where a value was refused

    if not isinstance(error, Rejection):
        return None
    return say_problem(RecordProblem(code=error.code, params=error.params), language)


@blueprint.post("/e/<entity>/delete")
def delete_many(entity: str) -> Response:
    """Moves the chosen rows, or all the list finds, to the recycle bin; says which stayed and why."""
    if state().user_id is None:
        raise NotSignedIn
    binder = Binder(reading(), device())
    open_list(binder, entity)
    name = binder.app.entities[entity].plural.of(binder.language)
    return _started(binder, entity, "delete", {}, _("{name}: moved to the recycle bin", name=name))


@blueprint.post("/e/<entity>/bulk/actions")
def offer(entity: str) -> Response:
    """The dialog with the actions of the rules: those open on the first chosen records that ask nothing."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    values = {**_passed_on(entity), "offers": list(_offered(binder, entity).values())}
    return make_response(render_template("lists/bulk_actions.html", **values))


@blueprint.post("/e/<entity>/bulk/action")
def act(entity: str) -> Response:
    """Carries an action out on each of the chosen rows, or all the list finds; where it is closed it says why."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    found = _offered(binder, entity).get(request.form.get("name", ""))
    if found is None:
        note(_("None of the chosen records offers this now"), "warning")
        return htmx.go(_back(entity))
    title = f"{binder.app.entities[entity].plural.of(binder.language)}: {found.label}"
    return _started(binder, entity, "action", {"name": found.name, "given": {}}, title)


def _offered(binder: Binder, entity: str) -> dict[str, actions.Offer]:
    """Actions open on one of the first chosen records; those that ask for something are done record by record."""
    found: dict[str, actions.Offer] = {}
    for record_id in _chosen(binder, entity)[:LOOKED_AT]:
        try:
            offered = actions.offers(binder.session, entity, record_id)
        except NotFound:
            continue
        fitting = (o for o in offered if o.open and not o.page and not any(a.required for a in o.asks))
        found = {**{o.name: o for o in fitting}, **found}
    return found


@blueprint.get("/bulk/<int:mass_id>")
def show(mass_id: int) -> Response:
    """How far a bulk change is, and what it could not do; a script asks again while it runs."""
    session = reading()
    binder = Binder(session)
    found = mass.status(session, mass_id)
    refused = mass.refusals(session, mass_id, SHOWN) if found.over and found.refused else []
    done = mass.done_records(session, mass_id, SHOWN) if found.over else []
    values = {
        "mass": found,
        "rows": _refusals(binder, found.target, refused),
        "changed": sorted(titles_of(session, found.target, done).items()) if done else [],
        "label": binder.app.entities[found.target].plural.of(binder.language)
        if found.target in binder.app.entities
        else "",
    }
    values["closed"] = found.over and bool(_closed(session, found.target, mass_id, SHOWN))
    template = "bulk/body.html" if htmx.wanted() and htmx.target() == "bulk" else "bulk/page.html"
    return make_response(render_template(template, **values))


@blueprint.post("/bulk/<int:mass_id>/cancel")
def cancel(mass_id: int) -> Response:
    with writing() as session:
        mass.cancel(session, mass_id)
    return htmx.go(f"/bulk/{mass_id}")


@blueprint.post("/bulk/<int:mass_id>/undo")
def undo(mass_id: int) -> Response:
    """Takes a bulk change back."""
    found = mass.status(reading(), mass_id)
    return _begun(found.target, lambda s: mass.undo(s, mass_id, _("Taken back: {name}", name=found.title)))


@blueprint.get("/bulk/<int:mass_id>/next")
def ask_next(mass_id: int) -> Response:
    """The dialog that asks for the next step of each activity that a bulk change closed."""
    return _next_dialog(mass_id, {}, {})


@blueprint.post("/bulk/<int:mass_id>/next")
def plan_next(mass_id: int) -> Response:
    """Plans the same next step for each of them, as a bulk change of its own."""
    session = reading()
    entity = mass.status(session, mass_id).target
    closed = _closed(session, entity, mass_id)
    given = {key: value for key, value in request.form.items() if key in ("next", "next_at")}
    if not closed:
        raise NotFound
    offer, _source, _record = actions.find(session, entity, closed[0], ACTION)
    try:
        actions.read_asks(session, offer.asks, given)
    except Refused as error:
        problems = {p.field or "": [say_problem(p, state().language)] for p in error.problems}
        return _next_dialog(mass_id, given, problems, 422)
    title = f"{session.app.entities[entity].plural.of(state().language)}: {offer.label}"
    details = {"name": ACTION, "given": given}
    return _begun(entity, lambda s: mass.start(s, entity, "action", details, closed, title=title))


def _next_dialog(
    mass_id: int, given: Mapping[str, Any], problems: Mapping[str, list[str]], status: int = 200
) -> Response:
    session = reading()
    entity = mass.status(session, mass_id).target
    closed = _closed(session, entity, mass_id)
    if not closed:
        raise NotFound
    offer, _source, _record = actions.find(session, entity, closed[0], ACTION)
    values = {
        "offer": offer,
        "title": plural(len(closed), "{n} record", "{n} records"),
        "address": request.full_path.rstrip("?"),
        "inputs": inputs(Binder(session), offer, given, problems),
        "problems": problems.get("", []),
        "in_dialog": htmx.wanted() and htmx.target() != "action-page",
        "back": f"/bulk/{mass_id}",
        "given": given,
    }
    body = render_template("records/action.html", **values)
    if htmx.wanted():
        return make_response(body, status)
    page = render_template("records/action_page.html", **values, body=Markup(body))  # noqa: S704 - escaped by its template
    return make_response(page, status)


def _closed(session: Session, entity: str, mass_id: int, most: int = mass.MOST) -> list[int]:
    """The activities among the first records of a bulk change that are closed now and that others may follow."""
    if session.app.entities.get(entity) is None or not may_follow(session, entity):
        return []
    ids = mass.done_records(session, mass_id, most)
    parts = [ids[start : start + SHOWN] for start in range(0, len(ids), SHOWN)]
    still = frozenset[int]().union(*(open_ids(session, entity, part) for part in parts))
    return [i for i in ids if i not in still]


def _started(binder: Binder, entity: str, deed: str, details: Mapping[str, Any], title: str) -> Response:
    ids = _chosen(binder, entity)
    if not ids:
        note(_("No records were chosen"), "warning")
        return htmx.go(_back(entity))
    return _begun(entity, lambda session: mass.start(session, entity, deed, details, ids, title=title), ids)


class _Nothing(Exception):  # noqa: N818 - not an error: the transaction is not kept
    """Nothing could be done: nothing of the attempt is kept either."""


def _begun(entity: str, start: Callable[[Session], int], ids: Sequence[int] = ()) -> Response:
    """A small change is done in the transaction that notes it and told in a note; a large one has its own page.

    Where it closed activities, among `ids`, the next page asks for the next step.
    """
    found: mass.Status | None = None
    closed: frozenset[int] = frozenset()
    refused: list[tuple[int, Answer]] = []
    try:
        with writing() as session:
            language = session.language
            mass_id = start(session)
            if mass.status(session, mass_id).total > mass.AT_ONCE:
                return htmx.go(f"/bulk/{mass_id}")
            was_open = open_ids(session, entity, ids)
            mass.run_batch(session, mass_id)
            closed = was_open - open_ids(session, entity, sorted(was_open))
            found = mass.status(session, mass_id)
            refused = mass.refusals(session, mass_id)
            if not found.done:
                raise _Nothing
    except _Nothing:
        found = None
    if found is not None:
        undo_at = f"/bulk/{mass_id}/undo" if found.can_undo else None
        note(f"{found.title} · {plural(found.done, '{n} record', '{n} records')}", undo=undo_at)
        if closed:
            ask_first(f"/bulk/{mass_id}/next?{urlencode({'next': _back(entity)})}")
    reasons: dict[str, int] = {}
    for _record, answer in refused:
        reason = _reason(answer, language)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, number in reasons.items():
        note(f"{plural(number, '{n} record stayed', '{n} records stayed')}: {reason}", "warning")
    return htmx.go(_back(entity))


def _reason(answer: Answer, language: str) -> str:
    return "; ".join(say_problem(p, language) for p in answer.problems) or say_answer(answer, language)


def _refusals(binder: Binder, entity: str, refused: Sequence[tuple[int, Answer]]) -> list[tuple[int, str, str]]:
    titles = titles_of(binder.session, entity, [i for i, _answer in refused]) if refused else {}
    return [(i, titles.get(i) or f"#{i}", _reason(answer, binder.language)) for i, answer in refused]


def _chosen(binder: Binder, entity: str) -> list[int]:
    if not request.form.get("all"):
        return [number for v in request.form.getlist("id") if (number := number_in(v)) is not None][: mass.MOST]
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    if asked.problem:
        raise NotFound
    query = Query(entity=entity, where=tuple(asked.where), rules=tuple(asked.rules), q=asked.q or None)
    return mass.choose(binder.session, query)


def _settable(binder: Binder, entity: str) -> dict[str, BoundField]:
    """The fields that one value can be given to on many records."""
    return {
        f.name: f
        for f in candidates(binder, entity)
        if not f.readonly and f.field.writable and not f.field.unique and f.widget not in _NOT_SET
    }


def _input(bound: BoundField, raw: Any = None) -> Input:
    many = bound.widget in ("checkboxes", "lookup_many", "tags")
    made = Input(field=bound, name="value", raw=raw if raw is not None else [] if many else None)
    made.required = bound.required
    return made


def _dialog(
    binder: Binder, entity: str, name: str, problem: str = "", status: int = 200, texts: Sequence[str] = ()
) -> Response:
    fields = _settable(binder, entity)
    bound = fields.get(name)
    one = None
    if bound is not None:
        one = _input(bound, list(texts) if bound.widget == "checkboxes" else texts[-1] if texts else None)
        one.problems = [problem] if problem else []
    values = {
        **_passed_on(entity),
        "fields": sorted(fields.values(), key=lambda f: f.label),
        "chosen": bound,
        "one": one,
        "problem": "" if one is not None else problem,
    }
    return make_response(render_template("lists/bulk.html", **values), status)


def _passed_on(entity: str) -> dict[str, Any]:
    """What a dialog keeps of the choice that was made in the list."""
    return {
        "entity": entity,
        "ids": request.form.getlist("id")[: mass.MOST],
        "all": request.form.get("all", ""),
        "number": request.form.get("number", ""),
        "next": request.form.get("next", ""),
        "query": request.query_string.decode("utf-8", "replace"),
    }


def _back(entity: str) -> str:
    from web.account.sign_in import own_address  # late: pages do not otherwise need the account pages

    # the address goes first: in the dialog for the next step the form has a `next` of its own
    wanted = own_address(request.args.get("next") or request.form.get("next"))
    return wanted if wanted != "/" else f"/e/{entity}"
