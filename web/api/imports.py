"""Imports: upload with a preview of the columns, map, run as a job, look how far it is, fetch what was refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Response, request, send_file
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from runtime.errors import BadQuery, NotFound
from runtime.exchange import background, state
from runtime.exchange import imports as exchange
from runtime.exchange.state import Status
from runtime.files.attachments import open_file
from runtime.files.names import safe_name
from runtime.site import Session
from web.api import context, idempotent
from web.api.records import answer
from web.api.strict_json import read_json

MOST_FILE = 100_000_000


def upload() -> Response:
    """multipart/form-data: `file`, `entity`, optionally `mapping` (JSON), `match`, `dry_run`, `preview`.

    With `preview=true` the columns and first rows are answered and nothing is kept; else the import is begun.
    """
    context.parameters()
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    if (request.content_length or 0) > MOST_FILE:
        raise RequestEntityTooLarge
    file = request.files.get("file")
    entity = request.form.get("entity", "")
    if file is None or not entity:
        raise BadQuery("request.missing_parameter", name="file" if file is None else "entity")
    asked = _request()
    name = safe_name(file.filename or "file.csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        file.save(path)
        if request.form.get("preview") == "true":
            with context.reading() as session:
                return answer(_preview(exchange.preview(session, entity, path, name, asked)))
        return idempotent.run(lambda session: _begin(session, entity, path, name, asked))


def _begin(session: Session, entity: str, path: Path, name: str, asked: exchange.Request) -> Response:
    number = exchange.begin(session, entity, path, name, asked)
    return answer(_status(state.status(session, number)), 201, {"Location": f"/api/v1/imports/{number}"})


def _request() -> exchange.Request:
    form = request.form
    mapping = read_json(form["mapping"].encode()) if form.get("mapping") else None
    if mapping is not None and not (
        isinstance(mapping, dict) and all(v is None or isinstance(v, str) for v in mapping.values())
    ):
        raise BadQuery("request.bad_parameter", name="mapping", expected='{"column": "field"}')
    match = tuple(part.strip() for part in form.get("match", "").split(",") if part.strip())
    return exchange.Request(
        mapping=mapping,
        match=match,
        clear=form.get("clear") == "true",
        dry_run=form.get("dry_run") == "true",
        sheet=form.get("sheet") or None,
        encoding=form.get("encoding") or None,
    )


def _preview(found: exchange.Preview) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "sheets": list(found.sheets),
        "sheet": found.sheet,
        "encoding": found.encoding,
        "columns": [{"column": c.header, "field": c.path, "skipped": c.skipped} for c in found.columns],
        "sample": [{"row": number, "cells": [_cell(c) for c in cells]} for number, cells in found.sample],
    }


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def read(identity: str) -> Response:
    context.parameters()
    return answer(_status(_own(identity)))


def run(identity: str) -> Response:
    """Runs the import from where it stands: a small one at once (200), a large one in the background (202)."""
    context.parameters()
    found = _own(identity)
    if background.is_large(found):
        language = context.language()
        with context.writing() as session:
            started = background.start(session, found.id, language)
        return answer(_status(started), 202, {"Location": f"/api/v1/imports/{found.id}"})
    return answer(_status(exchange.run_import(context.site(), found.id, language=context.language())))


def cancel(identity: str) -> Response:
    """Stops a running import after the batch at hand; running it again goes on from there."""
    context.parameters()
    number = _own(identity).id
    with context.writing() as session:
        return answer(_status(background.cancel(session, number)))


def rejects(identity: str) -> Response:
    """The file of refused rows, in the format the import came in."""
    context.parameters()
    found = _own(identity)
    if found.rejects is None:
        raise NotFound
    with context.site().session() as session:  # the import is his, and so is this file of it
        opened = open_file(session, found.rejects)
        return send_file(opened.stream, mimetype=opened.media, as_attachment=True, download_name=opened.name)


def _own(identity: str) -> Status:
    """The import, if it is the user's own; administrators see all."""
    with context.reading() as session:
        return state.status(session, context.record_id(identity))


def _status(found: Status) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "name": found.name,
        "entity": found.target,
        "state": found.state,
        "dry_run": found.dry_run,
        "total": found.total,
        "done": found.done,
        "created": found.created,
        "updated": found.updated,
        "same": found.same,
        "lines": dict(found.lines) if found.lines is not None else None,
        "related": {n: dict(c) for n, c in found.related.items()} if found.related is not None else None,
        "rejected": found.rejected,
        "problem": found.problem,
        "mapping": dict(found.mapping),
        "rejects": f"/api/v1/imports/{found.id}/rejects" if found.rejects is not None else None,
    }
