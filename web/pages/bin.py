"""The recycle bin: what was deleted, by entity, and bringing it back."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from metadata.model import Sort
from runtime.query.select import Query, run
from runtime.views.binder import Binder
from web.rows import kit_for
from web.state import reading
from web.widgets import widget

blueprint = Blueprint("bin", __name__)


@blueprint.get("/recycle-bin")
def page() -> Response:
    """Deleted records of one entity, newest first; tabs lead to the others."""
    session = reading()
    binder = Binder(session)
    entities = [
        e
        for e in binder.app.entities.values()
        if e.parent is None
        and not e.platform
        and not e.retired
        and all(binder.can(e.name, op) for op in ("read", "delete"))
    ]
    names = [e.name for e in entities]
    chosen = request.args.get("entity", "")
    if chosen not in names:
        chosen = names[0] if names else ""
    rows, found = [], None
    if chosen:
        described = binder.app.entities[chosen]
        named = described.title if binder.visible(chosen, described.title) else "id"
        select = (named, "deleted_at", "deleted_by")
        sort = (Sort(path=("deleted_at",), descending=True),)
        wanted = tuple(dict.fromkeys(select))
        number = max(1, request.args.get("page", 1, type=int))
        query = Query(entity=chosen, select=wanted, sort=sort, limit=50, page=number, count="capped", deleted=True)
        found = run(session, query)
        kit = kit_for(binder)
        for row in found.rows:
            title = row.titles.get(described.title) or row.values.get(described.title) or f"#{row.id}"
            cells = []
            for name in ("deleted_at", "deleted_by"):
                field = binder.field(chosen, name)
                value = row.values.get(name)
                cells.append(
                    "" if field is None else widget(field.widget).show(field, kit)(value, row.titles.get(name))
                )
            rows.append((row.id, title, cells))
    labels = [(e.name, e.plural.of(binder.language)) for e in entities]
    return make_response(render_template("bin.html", entities=labels, chosen=chosen, rows=rows))
