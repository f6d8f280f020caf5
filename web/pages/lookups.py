"""What a look-up field offers while one types."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from metadata.model import Entity
from runtime.errors import NotFound
from runtime.exchange.lookup import titles
from runtime.messages import say
from runtime.query.titles import titles_of
from runtime.views.binder import Binder, BoundField
from runtime.views.lookups import find
from web.state import reading

blueprint = Blueprint("lookups", __name__)
MOST_RESOLVED = 500


@blueprint.get("/e/<entity>/lookup/<path>")
def offer(entity: str, path: str) -> Response:
    """Options for the link at the end of `path` (dots follow links), for the text `q`."""
    binder = Binder(reading())
    field = _link(binder, entity, path)
    target = field.target or ""
    this = {k.removeprefix("this."): v for k, v in request.args.items() if k.startswith("this.")}
    known = {name: value for name, value in this.items() if name in field.depends}
    empty = next((name for name in field.depends if this and not known.get(name)), None)
    waits = binder.label(field.entity, empty) if empty and binder.visible(field.entity, empty) else ""
    found = find(binder, target, request.args.get("q", ""), field, known or None)
    html = render_template("partials/options.html", options=found, waits=waits, create=_creatable(binder, target))
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
    binder.entity(entity, alone=False)
    found = find(binder, entity, request.args.get("q", ""))
    return make_response(render_template("partials/options.html", options=found))


@blueprint.get("/e/<entity>/pick/<path>")
def pick(entity: str, path: str) -> Response:
    """Records of which several can be taken at once for the link at the end of `path`; with `list` their list alone."""
    binder = Binder(reading())
    field = _link(binder, entity, path)
    text = request.args.get("q", "")
    values = {"options": find(binder, field.target or "", text, field), "q": text, "label": field.label}
    name = "records/pick_list.html" if "list" in request.args else "records/pick.html"
    return make_response(render_template(name, **values, address=f"/e/{entity}/pick/{path}"))


@blueprint.post("/e/<entity>/resolve/<path>")
def resolve(entity: str, path: str) -> Response:
    """What texts from a spreadsheet stand for, by number, unique text or title: {text: {id, title} or {problem}}."""
    session = reading()
    binder = Binder(session)
    field = _link(binder, entity, path)
    target = field.target or ""
    if not binder.can(target, "read"):
        raise NotFound
    texts = [t for t in dict.fromkeys(t.strip()[:200] for t in request.form.getlist("text")) if t][:MOST_RESOLVED]
    found = titles(session, target, texts)
    named = titles_of(session, target, sorted({ids[0] for ids in found.values() if len(ids) == 1}))
    answer: dict[str, dict[str, str]] = {}
    for text, ids in found.items():
        if len(ids) == 1 and ids[0] in named:
            answer[text] = {"id": str(ids[0]), "title": named[ids[0]]}
        else:
            code = "ambiguous_record" if len(ids) > 1 else "value.unknown_record"
            answer[text] = {"problem": say(code, session.language, value=text[:60], count=len(ids))}
    return jsonify(answer)


def _link(binder: Binder, entity: str, path: str) -> BoundField:
    field = binder.path(entity, path.split(".")) if entity in binder.app.entities else None
    if field is None or field.target is None:
        raise NotFound
    return field
