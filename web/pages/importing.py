"""Importing a file: upload, columns, a dry run that says what would happen, then the run."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, make_response, render_template, request

from runtime.errors import Answer, Forbidden, NotFound
from runtime.exchange.background import cancel as cancel_import
from runtime.exchange.background import is_large
from runtime.exchange.background import start as start_import
from runtime.exchange.imports import Request, begin, preview, run_import
from runtime.exchange.mapping import importable
from runtime.exchange.state import status as status_of
from runtime.files.attachments import open_file, storage_of, upload
from runtime.messages import say_answer
from runtime.views.binder import Binder
from web import htmx
from web.i18n import _
from web.state import end_reading, reading, state, web, writing

blueprint = Blueprint("importing", __name__)


def _open(binder: Binder, entity: str) -> Any:
    described = binder.app.entities.get(entity)
    if described is None or described.parent is not None or not binder.can(entity, "read"):
        raise NotFound
    if not binder.can(entity, "import"):
        raise Forbidden
    return described


@blueprint.get("/e/<entity>/import")
def start(entity: str) -> Response:
    binder = Binder(reading())
    return _page(binder, _open(binder, entity))


@blueprint.post("/e/<entity>/import")
def take(entity: str) -> Response:
    """Keeps the file and leads to its columns; a file that is no table is told at once."""
    binder = Binder(reading())
    described = _open(binder, entity)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(binder, described, problem=_("Choose a file first."), status=422)
    try:
        with writing() as session:
            file_id = upload(session, cast(Any, file.stream), file.filename)
        with writing() as session:
            found = open_file(session, file_id)
            with storage_of(session.site).local(found.digest) as path:
                preview(session, entity, path, found.name)
    except Answer as error:
        binder = Binder(reading())
        return _page(binder, described, problem=say_answer(error, state().language), status=error.status)
    return htmx.go(f"/e/{entity}/import/{file_id}")


@blueprint.get("/e/<entity>/import/<int:file_id>")
def columns(entity: str, file_id: int) -> Response:
    """The columns of the file, what each would fill, and its first rows."""
    session = reading()
    binder = Binder(session)
    return _columns(binder, _open(binder, entity), file_id)


def _columns(binder: Binder, described: Any, file_id: int, **more: Any) -> Response:
    session = binder.session
    found = open_file(session, file_id)
    with storage_of(session.site).local(found.digest) as path:
        seen = preview(session, described.name, path, found.name)
    hidden = binder.access.hidden(described.name)
    fields = [(f.name, f.label.of(binder.language)) for f in described.fields.values() if importable(f)]
    keys = [(n, label) for n, label in fields if n not in hidden and described.fields[n].storage in ("text", "integer")]
    values = {
        "file": found.name,
        "file_id": file_id,
        "columns": seen.columns,
        "sample": [list(row[1]) for row in seen.sample[:5]],
        "fields": [(n, label) for n, label in fields if n not in hidden],
        "keys": keys,
        **more,
    }
    return _page(binder, described, **values)


def _page(binder: Binder, described: Any, *, problem: str = "", status: int = 200, **values: Any) -> Response:
    head = {
        "entity": described.name,
        "label": described.plural.of(binder.language),
        "icon_name": described.icon,
        "problem": problem,
    }
    return make_response(render_template("importing.html", **head, **values), status)


@blueprint.post("/e/<entity>/import/<int:file_id>")
def run(entity: str, file_id: int) -> Response:
    """A dry run or the run, with the columns as chosen; then what came of it."""
    binder = Binder(reading())
    described = _open(binder, entity)
    headers, targets = request.form.getlist("header"), request.form.getlist("target")
    mapping = {header: target or None for header, target in zip(headers, targets)}
    match = request.form.get("match", "")
    asked = Request(mapping=mapping, match=(match,) if match else (), dry_run=request.form.get("run") != "real")
    chosen = {"chosen": mapping, "match": match}
    try:
        with writing() as session:
            found = open_file(session, file_id)
            with storage_of(session.site).local(found.digest) as path:
                import_id = begin(session, entity, path, found.name, asked)
        result = status_of(reading(), import_id)
        if is_large(result):
            with writing() as session:
                start_import(session, import_id, state().language)
            return htmx.go(f"/imports/{import_id}")
        end_reading()
        result = run_import(web().site, import_id, language=state().language)
    except Answer as error:
        told = say_answer(error, state().language)
        return _columns(Binder(reading()), described, file_id, problem=told, status=error.status, **chosen)
    return _columns(Binder(reading()), described, file_id, result=result, **chosen)


@blueprint.get("/imports/<int:import_id>")
def progress(import_id: int) -> Response:
    """How far a large import is; while it runs the page asks again by itself."""
    session = reading()
    binder = Binder(session)
    found = status_of(session, import_id)
    described = binder.app.entities.get(found.target)
    label = described.plural.of(binder.language) if described is not None else found.target
    template = "importing/progress.html" if htmx.wanted() else "importing/running.html"
    return make_response(render_template(template, result=found, entity=found.target, label=label))


@blueprint.post("/imports/<int:import_id>/cancel")
def cancel(import_id: int) -> Response:
    """Stops after the batch at hand; what has landed stays."""
    with writing() as session:
        cancel_import(session, import_id)
    return htmx.go(f"/imports/{import_id}")
