"""Files of records: taken in with a form, given out with the rights of the record they belong to."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, Response, make_response, send_file
from werkzeug.datastructures import FileStorage

from runtime.files.attachments import open_file, upload
from runtime.views.binder import BoundField
from web.state import reading, writing

blueprint = Blueprint("uploads", __name__)


def stage(bound: BoundField, file: FileStorage) -> int:
    """Keeps an upload until the record is saved with it; its id."""
    with writing() as session:
        return upload(session, cast(BinaryIO, file.stream), file.filename or "", field=bound.field)


def stage_loose(file: FileStorage) -> int:
    """Keeps an upload that goes to the record itself; its id."""
    with writing() as session:
        return upload(session, cast(BinaryIO, file.stream), file.filename or "")


@blueprint.get("/files/<int:file_id>")
def give(file_id: int) -> Response:
    """The file; only pictures of safe kinds may be shown in a page, all else is a download in a sandbox."""
    found = open_file(reading(), file_id)
    response = make_response(
        send_file(
            found.stream,
            mimetype=found.media if found.inline else "application/octet-stream",
            as_attachment=not found.inline,
            download_name=found.name,
            conditional=False,
            etag=False,
            max_age=None,
        )
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'; style-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response
