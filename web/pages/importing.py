"""Importing a file: upload, sheet and header, columns; then a trial that says what the run would do."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, make_response, render_template, request, send_file

from metadata.model import Entity, Field
from runtime.errors import Answer, Refused
from runtime.exchange import state as imports_state
from runtime.exchange.imports import Preview, Request, begin, preview
from runtime.exchange.mapping import below_of, hidden_paths, importable, line_of, related_of
from runtime.exchange.related import keyable
from runtime.exchange.rows import MODES
from runtime.exchange.source import text_of
from runtime.exchange.writers import Sheet, write_xlsx
from runtime.files.attachments import open_file, storage_of, upload
from runtime.messages import say_answer
from runtime.site import Session
from runtime.views.binder import Binder
from web import htmx
from web.i18n import _
from web.pages.imports import launch
from web.state import reading, state, writing

blueprint = Blueprint("importing", __name__)
ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16")
MOST_HEADERS = 10
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _open(binder: Binder, entity: str) -> Entity:
    return binder.entity(entity, "import")


@blueprint.get("/e/<entity>/import")
def start(entity: str) -> Response:
    binder = Binder(reading())
    return _first(binder, _open(binder, entity))


def _first(binder: Binder, described: Entity, **more: Any) -> Response:
    session = binder.session
    recent = [imports_state.status(session, i) for i in imports_state.recent(session, described.name)]
    lists = [(field.name, label) for field, label in _lists(binder, described)]
    return _page(binder, described, recent=recent, lists=lists, **more)


@blueprint.post("/e/<entity>/import")
def take(entity: str) -> Response:
    """Keeps the file and leads to its columns; a file that is no table is told at once."""
    binder = Binder(reading())
    described = _open(binder, entity)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _first(binder, described, problem=_("Choose a file first."), status=422)
    try:
        with writing() as session:
            file_id = upload(session, cast(Any, file.stream), file.filename)
        with writing() as session:
            _preview(session, entity, file_id, Request(remember=True))
    except Answer as error:
        binder = Binder(reading())
        return _first(binder, described, problem=say_answer(error, state().language), status=error.status)
    return htmx.go(f"/e/{entity}/import/{file_id}")


@blueprint.get("/e/<entity>/import/template")
def template(entity: str) -> Response:
    """An empty table with a column for every field this person may fill, also those of lines (`明细/数量`) and of the
    related records that `with` names; required ones carry a star."""
    binder = Binder(reading())
    described = _open(binder, entity)
    fields = fields_of(binder, described) + lines_of(binder, described)
    for field, label in _lists(binder, described):
        if field.name in request.args.getlist("with"):
            fields += _inner(binder, field, label)
    names = [label + ("*" if _required(binder, described, path) else "") for path, label in fields]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        title = described.plural.of(binder.language)
        write_xlsx(Sheet(name=title, columns=tuple(names), rows=()), path)
        content = path.read_bytes()
    return send_file(BytesIO(content), mimetype=XLSX, as_attachment=True, download_name=f"{title}.xlsx")


def fields_of(binder: Binder, described: Entity) -> list[tuple[str, str]]:
    """Names and labels of the fields that a column may fill, as this person may write them."""
    locked = binder.access.hidden(described.name) | binder.access.read_only(described.name)
    found = (f for f in described.fields.values() if importable(f) and not f.retired and f.name not in locked)
    return [(f.name, f.label.of(binder.language)) for f in found if f.type not in ("secret", "file", "image", "files")]


def lines_of(binder: Binder, described: Entity) -> list[tuple[str, str]]:
    """Paths and labels of the fields of lines that a column may fill, as `lines.quantity` and `明细/数量`."""
    found: list[tuple[str, str]] = []
    locked = binder.access.hidden(described.name) | binder.access.read_only(described.name)
    for holder in described.fields.values():
        line = line_of(binder.app, holder)
        if line is not None and not holder.retired and not holder.readonly and holder.name not in locked:
            found += _inner(binder, holder, holder.label.of(binder.language))
    return found


def _inner(binder: Binder, holder: Field, label: str) -> list[tuple[str, str]]:
    """Paths and labels of the fields below a field that a column may fill."""
    below = below_of(binder.app, holder)
    if below is None:
        return []
    back = holder.by or (below.parent[1] if below.parent else "")
    return [(f"{holder.name}.{n}", f"{label}/{text}") for n, text in fields_of(binder, below) if n != back]


def _lists(binder: Binder, described: Entity) -> list[tuple[Field, str]]:
    """Fields with related records that this person may import beside their record, with their labels."""
    hidden = hidden_paths(binder.access, described)
    fields = (f for f in described.fields.values() if f.name not in hidden and related_of(binder.app, f) is not None)
    return [(f, f.label.of(binder.language)) for f in fields]


def _required(binder: Binder, described: Entity, path: str) -> bool:
    """Whether a new record, line or related record needs the field; what is below a record is never needed itself."""
    name, _, inner = path.partition(".")
    below = below_of(binder.app, described.fields[name]) if inner else None
    return not inner and described.fields[name].required if below is None else below.fields[inner].required


@blueprint.get("/e/<entity>/import/<int:file_id>")
def columns(entity: str, file_id: int) -> Response:
    """The columns of the file, what each would fill, and its first rows; sheet, header and encoding by the address."""
    binder = Binder(reading())
    described = _open(binder, entity)
    asked = _reading(request.args)
    try:
        return _columns(binder, described, file_id, asked)
    except Answer as error:
        if error.status != 422:
            raise
        told = say_answer(error, binder.language)
        return _columns(binder, described, file_id, Request(remember=True), problem=told, status=422)


def _reading(given: Mapping[str, str]) -> Request:
    """How the file is to be read, as asked in a form or an address."""
    header = given.get("header_row", "")
    encoding = given.get("encoding", "")
    return Request(
        sheet=given.get("sheet") or None,
        header=int(header) if header.isascii() and header.isdigit() and 0 < len(header) < 7 else None,
        encoding=encoding if encoding in ENCODINGS else None,
        remember=True,
    )


def _preview(session: Session, entity: str, file_id: int, asked: Request) -> tuple[Preview, str]:
    found = open_file(session, file_id)
    with storage_of(session.site).local(found.digest) as path:
        return preview(session, entity, path, found.name, asked), found.name


def _columns(binder: Binder, described: Entity, file_id: int, asked: Request, **more: Any) -> Response:
    seen, name = _preview(binder.session, described.name, file_id, asked)
    fields = fields_of(binder, described)
    known = dict(fields)
    paths = [c.path for c in seen.columns if c.path]
    keys = [(n, label) for n, label in _keys(binder, described) if n in known or n in paths]
    values = {
        "file": name,
        "file_id": file_id,
        "seen": seen,
        "columns": seen.columns,
        "sample": [list(row[1]) for row in seen.sample[:5]],
        "top": [
            (number, " | ".join(filter(None, map(text_of, cells)))[:80]) for number, cells in seen.top[:MOST_HEADERS]
        ],
        "encodings": ENCODINGS if seen.kind == "csv" else (),
        "fields": fields,
        "line_fields": lines_of(binder, described),
        "related": _related(binder, described, paths),
        "lists": [(field.name, label) for field, label in _lists(binder, described)],
        "within": {},
        "keys": keys,
        "match": _likely_key(described, paths),
        "mode": "both",
        **more,
    }
    return _page(binder, described, **values)


def _keys(binder: Binder, described: Entity) -> list[tuple[str, str]]:
    """Fields that a record already there may be found by."""
    hidden = binder.access.hidden(described.name)
    found = (f for f in described.fields.values() if f.stored and not f.retired and f.name not in hidden)
    fitting = (
        f for f in found if f.storage in ("text", "integer") and not f.options and (not f.system or f.name == "id")
    )
    return [
        (f.name, f.label.of(binder.language)) for f in fitting if f.type not in ("secret", "long_text", "rich_text")
    ]


def _related(binder: Binder, described: Entity, paths: list[str]) -> list[dict[str, Any]]:
    """The lists of related records that the columns fill, or that somebody asked for, with their fields and keys."""
    asked = {*request.values.getlist("with"), *(path.partition(".")[0] for path in paths if "." in path)}
    found = []
    for field, label in _lists(binder, described):
        below = related_of(binder.app, field)
        if field.name in asked and below is not None:
            inner = [(path.partition(".")[2], text.partition("/")[2]) for path, text in _inner(binder, field, label)]
            keys = [(n, text) for n, text in inner if keyable(below, n) and below.fields[n].storage == "text"]
            found.append({"name": field.name, "label": label, "fields": inner, "keys": keys})
    return found


def _likely_key(described: Entity, paths: list[str]) -> str:
    """The number or a unique field among the columns; the id above all."""
    names = ["id", described.number.field if described.number else None]
    names += [f.name for f in described.fields.values() if f.unique and f.storage == "text"]
    return next((n for n in names if n and n in paths), "")


def _page(binder: Binder, described: Entity, *, problem: str = "", status: int = 200, **values: Any) -> Response:
    head = {
        "entity": described.name,
        "label": described.plural.of(binder.language),
        "icon_name": described.icon,
        "problem": problem,
    }
    return make_response(render_template("importing.html", **head, **values), status)


@blueprint.post("/e/<entity>/import/<int:file_id>")
def run(entity: str, file_id: int) -> Response:
    """A trial (`run` is dry) or the run itself, with the columns as chosen; leads to what came of it."""
    binder = Binder(reading())
    described = _open(binder, entity)
    form = request.form
    mapping = {h: target or None for h, target in zip(form.getlist("header"), form.getlist("target")) if h}
    match, mode = form.get("match", ""), form.get("mode", "both")
    within = {n.removeprefix("within."): key for n, key in form.items() if n.startswith("within.") and key}
    read = _reading(form)
    asked = Request(
        mapping=mapping,
        match=(*((match,) if match else ()), *(f"{name}.{key}" for name, key in within.items())),
        clear=form.get("clear") == "1",
        dry_run=form.get("run") != "real",
        mode=mode if mode in MODES else "both",
        sheet=read.sheet,
        encoding=read.encoding,
        header=read.header,
    )
    try:
        if asked.mode == "update" and not match:
            raise Refused("import.no_key")
        with writing() as session:
            found = open_file(session, file_id)
            with storage_of(session.site).local(found.digest) as path:
                import_id = begin(session, entity, path, found.name, asked)
        return launch(import_id)
    except Answer as error:
        told = say_answer(error, state().language)
        chosen = {"chosen": mapping, "match": match, "mode": mode, "clear": asked.clear, "within": within}
        return _columns(Binder(reading()), described, file_id, read, problem=told, status=error.status, **chosen)
