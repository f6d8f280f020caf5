"""The timeline of a record: its quick log, its filters, and what happened, one page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from runtime.activities.log import LONGEST, Target, log, target_of
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, Conflict, NotFound, Refused, TooBig, WrongMedia
from runtime.messages import say_answer, say_problem
from runtime.query.titles import titles_of
from runtime.records import read
from runtime.records.past import masked_of
from runtime.records.undo import undo_change
from runtime.views.binder import Binder
from runtime.views.timeline import Asked, Entry, Page, Scope, page, scope_of, words
from web import htmx
from web.i18n import _, plural
from web.mentioning import mentioned
from web.notes import note
from web.pages.uploads import stage_loose
from web.rows import kit_for
from web.state import reading, state, writing
from web.widgets import widget

blueprint = Blueprint("timeline", __name__)
MOST_FILES = 10


@blueprint.get("/e/<entity>/<int:record_id>/timeline")
def show(entity: str, record_id: int) -> Response:
    """The timeline with its quick log and filters; with `after` the entries that come next, with `list` those alone."""
    binder = Binder(reading())
    scope = _scope(binder, entity, record_id)
    asked = _asked(binder)
    after = request.args.get("after") or None
    found = page(scope, asked, after)
    if after is not None or "list" in request.args:
        return make_response(render_template("timeline/entries.html", **_entries(scope, found)))
    return _whole(scope, found)


@blueprint.post("/e/<entity>/<int:record_id>/log")
def write(entity: str, record_id: int) -> Response:
    """Logs what happened; what is refused stays in the box with the reason."""
    binder = Binder(reading())
    _scope(binder, entity, record_id)
    target = target_of(binder.app, entity, binder.language)
    if target is None or not binder.can(target.entity.name, "create"):
        raise NotFound
    text = request.form.get("text", "")[: LONGEST + 1]
    try:
        uploads = [stage_loose(file) for file in request.files.getlist("file")[:MOST_FILES] if file.filename]
        with writing() as session:
            kind = request.form.get("kind") or None
            logged = log(session, entity, record_id, text=text, kind=kind, mentions=mentioned(), uploads=uploads)
    except (Refused, Conflict, WrongMedia, TooBig) as error:
        return _refused(entity, record_id, target, error)
    scope = _scope(Binder(reading()), entity, record_id)
    response = make_response(render_template("timeline/entries.html", **_entries(scope, page(scope, Asked()))))
    said: dict[str, Any] = {"message": str(_("Logged"))}
    if logged.untold:
        names = ("、" if binder.language == "zh" else ", ").join(logged.untold)
        said = {
            "message": str(_("Logged. Not told, for they may not see this: {names}", names=names)),
            "kind": "warning",
        }
    response.headers["HX-Trigger"] = htmx.events({"toast": said, "record-changed": {}})
    return response


def _refused(entity: str, record_id: int, target: Target, error: Answer) -> Response:
    """The box as it is, with what is wrong; files are still chosen in the browser."""
    language = state().language
    told = []
    for problem in error.problems:
        field = target.entity.fields.get(problem.field or "")
        sentence = say_problem(problem, language)
        told.append(f"{field.label.of(language)}: {sentence}" if field is not None else sentence)
    html = render_template("timeline/problems.html", problems=told or [say_answer(error, language)])
    response = make_response(html, 422)
    response.headers["HX-Retarget"] = "#log-problems"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


@blueprint.post("/e/<entity>/<int:record_id>/undo-change")
def undo(entity: str, record_id: int) -> Response:
    """Takes one change of one field back, or says why that is no longer possible."""
    audit = number_in(request.form.get("audit", ""))
    with_field = request.form.get("field", "")
    language = state().language
    if entity not in reading().app.entities or audit is None:
        raise NotFound
    try:
        with writing() as session:
            undo_change(session, entity, record_id, audit, with_field[:60])
    except (Refused, Conflict) as error:
        why = "; ".join(say_problem(p, language) for p in error.problems) or say_answer(error, language)
        note(_("Not taken back: {why}", why=why), "danger")
    else:
        note(_("The change was taken back"))
    return htmx.go(f"/e/{entity}/{record_id}")


# --- showing -------------------------------------------------------------------------------------------------------


def _scope(binder: Binder, entity: str, record_id: int) -> Scope:
    """The timeline of a record this person may read. Raises `NotFound`."""
    binder.entity(entity)
    read(binder.session, entity, record_id, fields=["id"])
    return scope_of(binder, entity, record_id, masked_of(binder.session, binder.access, entity, record_id))


def _asked(binder: Binder) -> Asked:
    """What the address asks for. Raises `BadQuery` for a day that is none."""
    given = request.args
    since, until = _day(binder, given.get("from", "")), _day(binder, given.get("to", ""), more=1)
    return Asked(
        words=frozenset(word for word in given.getlist("kind") if word),
        person=number_in(given.get("person", "")),
        since=since,
        until=until,
        own="own" in given,
    )


def _day(binder: Binder, text: str, more: int = 0) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:20]) + timedelta(days=more)
        return datetime.combine(day, time(), binder.session.zone)
    except (ValueError, OverflowError):
        raise BadQuery("bad_day", value=text[:20]) from None


def _whole(scope: Scope, found: Page) -> Response:
    binder = scope.binder
    target = target_of(binder.app, scope.entity.name, binder.language)
    box = target if target is not None and binder.can(target.entity.name, "create") else None
    person = number_in(request.args.get("person", ""))
    return make_response(
        render_template(
            "timeline/body.html",
            log=box,
            kinds=_kinds(binder, box) if box is not None else (),
            default_kind=box.kind.default if box is not None and box.kind is not None else "",
            files_too=box is not None and box.entity.files,
            words=words(scope),
            chosen=request.args.getlist("kind"),
            people=binder.can("user", "read"),
            person=person,
            person_name=titles_of(binder.session, "user", [person]).get(person, "") if person else "",
            since=request.args.get("from", ""),
            until=request.args.get("to", ""),
            **_entries(scope, found),
        )
    )


def _kinds(binder: Binder, box: Target) -> Any:
    bound = binder.field(box.entity.name, box.activity.kind) if box.activity.kind else None
    return tuple(c for c in bound.choices if not c.retired) if bound is not None and not bound.readonly else ()


def _entries(scope: Scope, found: Page) -> dict[str, Any]:
    binder = scope.binder
    kit = kit_for(binder)
    zone = binder.session.zone
    painted: dict[tuple[str, str], Any] = {}

    def shown(entity: str, name: str, value: Any, title: Any) -> Any:
        if (entity, name) not in painted:
            field = binder.field(entity, name)
            painted[entity, name] = None if field is None else widget(field.widget).show(field, kit)
        paint = painted[entity, name]
        return "" if paint is None else paint(value, title)

    days = binder.field(scope.entity.name, "created_on")

    def day(at: datetime) -> str:
        local = at.astimezone(zone).date()
        distance = (local - binder.session.today).days
        if distance in _NEAR:
            return str(_NEAR[distance]())
        return days.type.to_text(local, days.field, kit.coercion) if days is not None else local.isoformat()

    return {
        "entries": found.entries,
        "next": found.next,
        "entity": scope.entity.name,
        "id": scope.record,
        "may_edit": binder.can(scope.entity.name, "edit"),
        "shown": shown,
        "show_field": lambda one: widget(one.field.widget).show(one.field, kit)(one.value, one.title),
        "day": day,
        "clock": lambda at: f"{at.astimezone(zone):%H:%M}",
        "lasted": lasted,
        "undoable": lambda entry, change: _undoable(binder, scope, entry, change.name),
        "again": {k: request.args.getlist(k) for k in ("kind", "person", "from", "to", "own") if k in request.args},
        "said": said_of,
    }


_NEAR = {0: lambda: _("Today"), -1: lambda: _("Yesterday"), 1: lambda: _("Tomorrow")}


def _undoable(binder: Binder, scope: Scope, entry: Entry, name: str) -> bool:
    """Whether a button is offered; whether it still applies is found out when it is pressed."""
    if entry.operation != "update" or entry.entity != scope.entity.name or entry.about:
        return False
    field = binder.field(scope.entity.name, name)
    return field is not None and not field.readonly and binder.can(scope.entity.name, "edit")


def said_of(operation: str) -> str:
    """What somebody did, in the reader's language."""
    texts: Mapping[str, str] = {
        "create": _("created the record"),
        "update": _("changed the record"),
        "delete": _("moved the record to the recycle bin"),
        "restore": _("restored the record"),
        "import": _("imported the record"),
        "file:remove": _("removed a file"),
    }
    return texts.get(operation) or _("did “{name}”", name=operation.removeprefix("action:").replace("_", " "))


def lasted(seconds: int) -> str:
    """A length of time, roughly."""
    days, hours = divmod(seconds // 3600, 24)
    if days:
        return str(plural(days, "{n} day", "{n} days"))
    return str(plural(hours, "{n} hour", "{n} hours")) if hours else str(_("less than an hour"))
