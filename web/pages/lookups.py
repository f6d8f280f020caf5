"""What a look-up field offers while one types."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from runtime.errors import NotFound
from runtime.views.binder import Binder
from runtime.views.lookups import find
from web.state import reading

blueprint = Blueprint("lookups", __name__)


@blueprint.get("/e/<entity>/lookup/<path>")
def offer(entity: str, path: str) -> Response:
    """Options for the link at the end of `path` (dots follow links), for the text `q`."""
    binder = Binder(reading())
    if entity not in binder.app.entities:
        raise NotFound
    field = binder.path(entity, path.split("."))
    if field is None or field.target is None:
        raise NotFound
    found = find(binder, field.target, request.args.get("q", ""), field)
    return make_response(render_template("partials/options.html", options=found))


@blueprint.get("/find/<entity>")
def offer_any(entity: str) -> Response:
    """Options among all records of an entity, for a parameter that names one."""
    binder = Binder(reading())
    if entity not in binder.app.entities or not binder.can(entity, "read"):
        raise NotFound
    found = find(binder, entity, request.args.get("q", ""))
    return make_response(render_template("partials/options.html", options=found))
