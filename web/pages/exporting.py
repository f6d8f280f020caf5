"""Exporting what a list shows: the same columns, filters, search and order, every row."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, request, send_file

from runtime.errors import BadQuery
from runtime.exchange.exports import export
from runtime.query.select import parse_where
from runtime.views.binder import Binder
from web.device import device
from web.pages.lists import open_list, read_address
from web.state import reading

blueprint = Blueprint("exporting", __name__)
MEDIA = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}


@blueprint.get("/e/<entity>/export")
def give(entity: str) -> Response:
    """The rows of the list at this address as a file; `as` is xlsx or csv (with a BOM, as Excel expects)."""
    session = reading()
    binder = Binder(session, device())
    bound = open_list(binder, entity)
    kind = request.args.get("as", "xlsx")
    if kind not in MEDIA:
        raise BadQuery("bad_request")
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    if asked.problem:
        parse_where(session, entity, asked.where_text)  # raises the same problem as an answer
    columns = asked.columns(bound)
    # Declared conditions are narrowed to what this user sees, like everything else that leaves the house.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export.{kind}"
        export(
            session,
            entity,
            path,
            kind,
            columns=[c.key for c in columns],
            where=(*asked.where, *asked.rules),
            sort=asked.sort,
            q=asked.q or None,
        )
        content = path.read_bytes()
    return send_file(BytesIO(content), mimetype=MEDIA[kind], as_attachment=True, download_name=f"{bound.plural}.{kind}")
