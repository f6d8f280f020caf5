"""Search over everything one may see, grouped by what was found."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from runtime.query.search import search
from runtime.views.binder import Binder
from runtime.views.lookups import second_lines
from web import htmx
from web.state import reading

blueprint = Blueprint("search", __name__)
FEW, MANY = 12, 60
MOST_SECOND = 12  # kinds of records told apart by a second line: each takes a statement of its own


@blueprint.get("/search")
def page() -> Response:
    """Results for `q`: a short list below the search field, or a page."""
    session = reading()
    text = request.args.get("q", "").strip()[:100]
    fragment = htmx.wanted() and htmx.target() == "search-results"
    hits = list(search(session, text, limit=FEW if fragment else MANY)) if text else []
    groups: list[Any] = []
    binder = Binder(session)
    for name, found in groupby(sorted(hits, key=lambda hit: hit.entity), key=lambda hit: hit.entity):
        entity = session.app.entities[name]
        several = list(found)
        told_apart = several if len(groups) < MOST_SECOND else []
        second = second_lines(binder, name, [hit.id for hit in told_apart])
        shown = [(hit.id, hit.title, second.get(hit.id, "")) for hit in several]
        groups.append((name, entity.plural.of(session.language), entity.icon, shown))
    template = "partials/search_results.html" if fragment else "search.html"
    return make_response(render_template(template, groups=groups, q=text))
