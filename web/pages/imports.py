"""An import on its way and after: progress, what a trial found, texts nobody knows, the run, cancel, undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from metadata.model import Entity
from runtime.digits import number_in
from runtime.errors import Answer, NotFound
from runtime.exchange import background
from runtime.exchange.batch import said
from runtime.exchange.imports import begin_again, landed_before, request_of, run_import
from runtime.exchange.mapping import field_at
from runtime.exchange.rows import CREATE, EMPTY
from runtime.exchange.state import Status, refused_rows
from runtime.exchange.state import status as status_of
from runtime.exchange.unknown import Unknown, unknown_values
from runtime.messages import say_answer
from runtime.publishing.choices import publish_choices
from runtime.query.titles import titles_of
from runtime.site import Session
from runtime.views.binder import Binder
from web import htmx
from web.i18n import _
from web.notes import note
from web.state import end_reading, reading, state, web, writing

blueprint = Blueprint("imports", __name__)
SHOWN = 50  # refused rows on the page
REFUSE = "!"  # what a text may be answered with: its rows stay out


def launch(import_id: int) -> Response:
    """Runs a small import at once, hands a large one to the workers; leads to its page."""
    result = status_of(reading(), import_id)
    if result.state == "done":
        note(_("This file was imported already: only its refused rows are tried again."))
    if background.is_large(result):
        with writing() as session:
            background.start(session, import_id, state().language)
    else:
        end_reading()
        run_import(web().site, import_id, language=state().language)
    return htmx.go(f"/imports/{import_id}")


@blueprint.get("/imports/<int:import_id>")
def progress(import_id: int) -> Response:
    """How far an import is; while it runs the page asks again by itself."""
    return _page(import_id)


def _page(import_id: int, problem: str = "", status: int = 200) -> Response:
    session = reading()
    binder = Binder(session)
    found = status_of(session, import_id)
    described = binder.app.entities.get(found.target)
    over = found.over and found.state == "done"
    undone = (found.undo or {}) if found.undo else {}
    kept = [number for number in undone.get("kept", ()) if isinstance(number, int)]
    landed = landed_before(session, import_id) if over and found.dry_run and described is not None else None
    landed = landed if landed is not None and landed.over else None
    judged = landed or found  # what landed stays as it is: of the same file only the rows refused then are tried again
    values = {
        "result": found if landed is None else _unchanged(found, landed),
        "entity": found.target,
        "label": described.plural.of(binder.language) if described is not None else found.target,
        "problem": problem,
        "refused": _refused(session, judged) if judged.rejected else [],
        "unknown": _unknown(binder, found) if over and found.dry_run and found.rejected else [],
        "can_undo": background.can_undo(session, found),
        "undone": undone,
        "kept": sorted(titles_of(session, found.target, kept).items()) if kept and described is not None else [],
        "related": _related(binder, described, found) if landed is None else [],
        "related_kept": _related_kept(session, undone),
        "landed": landed,
        "asked": request_of(session, import_id) if found.dry_run else None,
    }
    template = "importing/progress.html" if htmx.wanted() else "importing/running.html"
    return make_response(render_template(template, **values), status)


def _related(binder: Binder, described: Entity | None, found: Status) -> list[tuple[str, dict[str, int]]]:
    """What becomes of related records that came in the same sheet, by the labels of their lists."""
    if described is None or not found.related:
        return []
    fields = described.fields
    return [(fields[n].label.of(binder.language), dict(c)) for n, c in found.related.items() if n in fields]


def _related_kept(session: Session, undone: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(entity, id, title) of related records that undoing left alone."""
    kept = (undone.get("related") or {}).items()
    return [(entity, i, t) for entity, ids in kept for i, t in sorted(titles_of(session, entity, ids).items())]


def _unchanged(trial: Status, landed: Status) -> Status:
    """What the trial of a file comes to whose import has been made: nothing new."""
    same = landed.created + landed.updated + landed.same
    return replace(
        trial,
        created=0,
        updated=0,
        same=same,
        skipped=landed.skipped,
        rejected=landed.rejected,
        lines=None,
        related=None,
    )


def _refused(session: Session, found: Status) -> list[tuple[int, str]]:
    rows = refused_rows(session, found.id, limit=SHOWN)
    return [(number, said(problems, session.language)) for (number, _cells), problems in rows]


def _unknown(binder: Binder, found: Status) -> list[dict[str, Any]]:
    """The unknown texts with what each may be said to mean."""
    entity = binder.app.entities[found.target]
    meant = request_of(binder.session, found.id).values
    listed = []
    for one in unknown_values(binder.session, found.id):
        path = tuple(one.field.split("."))
        bound = binder.path(entity.name, path)
        if bound is not None:
            label = "/".join(filter(None, (binder.label(entity.name, path[0]) if path[1:] else "", bound.label)))
            choices = [(c.name, c.label) for c in bound.choices if not c.retired]
            may_create = one.can_create or (one.kind == "choice" and binder.session.user.admin)
            now = meant.get(one.field, {}).get(one.text, REFUSE)
            listed.append(
                {"one": one, "field": bound, "label": label, "choices": choices, "create": may_create, "now": now}
            )
    return listed


@blueprint.post("/imports/<int:import_id>/cancel")
def cancel(import_id: int) -> Response:
    """Stops after the batch at hand; what has landed stays."""
    with writing() as session:
        background.cancel(session, import_id)
    return htmx.go(f"/imports/{import_id}")


@blueprint.post("/imports/<int:import_id>/run")
def go(import_id: int) -> Response:
    """The import that was tried: the same file, columns, keys and meanings, in earnest."""
    try:
        with writing() as session:
            real = begin_again(session, import_id, dry_run=False)
        return launch(real)
    except Answer as error:
        if isinstance(error, NotFound):
            raise
        return _page(import_id, say_answer(error, state().language), error.status)


@blueprint.post("/imports/<int:import_id>/values")
def mean(import_id: int) -> Response:
    """Tries once more with what people said that unknown texts mean; new choices are published first."""
    binder = Binder(reading())
    session = binder.session
    answers = _answers(unknown_values(session, import_id))
    meant = {name: dict(meanings) for name, meanings in request_of(session, import_id).values.items()}
    entity = binder.app.entities.get(status_of(session, import_id).target)
    if entity is None:
        raise NotFound
    new: dict[str, list[str]] = {}
    for one, answer in answers:
        options = _options(binder, entity, one)
        if answer == CREATE and one.kind == "choice" and options:
            new.setdefault(options, []).append(one.text)
    try:
        if new:
            end_reading()
            made = publish_choices(session, new)
            answers = [(one, _made(one, answer, _options(binder, entity, one), made)) for one, answer in answers]
        for one, answer in answers:
            meant.setdefault(one.field, {})[one.text] = answer
        with writing() as writer:
            tried = begin_again(writer, import_id, values=meant, dry_run=True)
        return launch(tried)
    except Answer as error:
        return _page(import_id, say_answer(error, state().language), error.status)


def _options(binder: Binder, entity: Entity, one: Unknown) -> str | None:
    field = field_at(binder.app, entity, one.field)
    return None if field is None else field.options


def _answers(unknown: list[Unknown]) -> list[tuple[Unknown, str]]:
    """What the form says of each unknown text, where it says something that can be."""
    found = []
    for place, one in enumerate(unknown):
        if request.form.get(f"text.{place}") != one.text:
            continue
        answer = request.form.get(f"meaning.{place}", REFUSE)
        record = request.form.get(f"record.{place}", "")
        if one.kind == "record" and record:
            answer = str(number) if (number := number_in(record)) is not None else REFUSE
        if answer == REFUSE or (answer == CREATE and one.kind == "record" and not one.can_create):
            continue
        if one.kind == "record" and answer not in (EMPTY, CREATE) and number_in(answer) is None:
            continue
        found.append((one, answer))
    return found


def _made(one: Unknown, answer: str, options: str | None, made: dict[str, dict[str, str]]) -> str:
    return made.get(options or "", {}).get(one.text, answer) if answer == CREATE and one.kind == "choice" else answer


@blueprint.post("/imports/<int:import_id>/undo")
def undo(import_id: int) -> Response:
    """Takes an import of the last 24 hours back; what somebody changed since stays, and is listed."""
    try:
        with writing() as session:
            small = not background.is_large(status_of(session, import_id))
            background.start_undo(session, import_id, state().language, by_worker=not small)
        if small:
            background.undo_now(web().site, import_id, state().language)
    except Answer as error:
        if isinstance(error, NotFound):
            raise
        return _page(import_id, say_answer(error, state().language), error.status)
    return htmx.go(f"/imports/{import_id}")
