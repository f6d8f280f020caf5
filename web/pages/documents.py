"""Files kept with a record: shown with their versions, added, put in the place of an earlier one, removed."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from runtime.decisions.people import names
from runtime.digits import number_in
from runtime.errors import Answer, Conflict, NotFound
from runtime.files.kept import MOST_AT_ONCE, keep, kept, remove
from runtime.messages import say_answer, say_problem
from runtime.records import read
from runtime.views.binder import Binder
from web import htmx
from web.i18n import _
from web.pages.uploads import stage_loose
from web.rows import kit_for
from web.state import reading, state, writing
from web.widgets import widget

blueprint = Blueprint("documents", __name__)


@blueprint.get("/e/<entity>/<int:record_id>/files")
def show(entity: str, record_id: int) -> Response:
    """The card of a record's files."""
    return _card(entity, record_id)


@blueprint.post("/e/<entity>/<int:record_id>/files")
def add(entity: str, record_id: int) -> Response:
    """Adds files, or with `of` a new version of one; what is refused is told in the card."""
    _known(entity, record_id)
    of = number_in(request.form.get("of", ""))
    files = [f for f in request.files.getlist("file") if f.filename][: 1 if of is not None else MOST_AT_ONCE]
    try:
        uploads = [stage_loose(file) for file in files]
        if uploads:
            with writing() as session:
                keep(session, entity, record_id, uploads, of=of)
    except NotFound:
        raise
    except Answer as error:
        return _card(entity, record_id, _said(error), error.status)
    if not uploads:
        return _card(entity, record_id, _("Choose a file first."), 422)
    return _changed(entity, record_id)


@blueprint.post("/e/<entity>/<int:record_id>/files/<int:file_id>/remove")
def drop(entity: str, record_id: int, file_id: int) -> Response:
    """Takes a file off the record, with all its versions."""
    _known(entity, record_id)
    try:
        with writing() as session:
            remove(session, entity, record_id, file_id)
    except Conflict as error:
        return _card(entity, record_id, _said(error), error.status)
    return _changed(entity, record_id)


def _known(entity: str, record_id: int) -> Binder:
    session = reading()
    binder = Binder(session)
    if not binder.entity(entity).files:
        raise NotFound
    read(session, entity, record_id, fields=["id"])
    return binder


def _said(error: Answer) -> str:
    language = state().language
    return "; ".join(say_problem(p, language) for p in error.problems) or say_answer(error, language)


def _changed(entity: str, record_id: int) -> Response:
    if not htmx.wanted():
        return htmx.go(f"/e/{entity}/{record_id}")
    response = _card(entity, record_id)
    response.headers["HX-Trigger"] = htmx.events({"files-changed": {}})
    return response


def _card(entity: str, record_id: int, problem: str = "", status: int = 200) -> Response:
    binder = _known(entity, record_id)
    session = binder.session
    files = list(reversed(kept(session, entity, [record_id]).get(record_id, [])))
    people = names(session, [f.person for one in files for f in (one, *one.earlier) if f.person is not None])
    moment = binder.field(entity, "created_at")
    show_at = widget("datetime").show(moment, kit_for(binder, compact=True)) if moment is not None else None
    html = render_template(
        "documents/card.html",
        entity=entity,
        id=record_id,
        files=files,
        people=people,
        when=lambda at: show_at(at, None) if show_at is not None else "",
        size=size_text,
        may_edit=binder.can(entity, "edit"),
        problem=problem,
    )
    return make_response(html, 422 if status >= 400 else 200)


def size_text(size: int) -> str:
    """Bytes as people read them."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
