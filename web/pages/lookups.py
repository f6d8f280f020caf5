"""What a look-up field offers while one types."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from metadata.model import Entity
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
    this = {k.removeprefix("this."): v for k, v in request.args.items() if k.startswith("this.")}
    known = {name: value for name, value in this.items() if name in field.depends}
    empty = next((name for name in field.depends if this and not known.get(name)), None)
    waits = binder.label(field.entity, empty) if empty and binder.visible(field.entity, empty) else ""
    found = find(binder, field.target, request.args.get("q", ""), field, known or None)
    html = render_template("partials/options.html", options=found, waits=waits, create=_creatable(binder, field.target))
    return make_response(html)


def _creatable(binder: Binder, target: str) -> Entity | None:
    """The entity whose records the person may create from the look-up itself."""
    entity = binder.app.entities[target]
    own = entity.parent is None and not entity.platform and not entity.retired and entity.ledger is None
    return entity if own and binder.can(target, "create") else None


@blueprint.get("/find/<entity>")
def offer_any(entity: str) -> Response:
    """Options among all records of an entity, for a parameter that names one."""
    binder = Binder(reading())
    if entity not in binder.app.entities or not binder.can(entity, "read"):
        raise NotFound
    found = find(binder, entity, request.args.get("q", ""))
    return make_response(render_template("partials/options.html", options=found))
