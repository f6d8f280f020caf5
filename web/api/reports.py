"""Reports and declared list views."""

from __future__ import annotations

from flask import Response, request

from runtime import reports
from runtime.errors import BadQuery, NotFound
from runtime.security.access import Access
from runtime.views.binder import Binder
from runtime.views.lists import bind_list
from web.api import context
from web.api.records import answer, list_page
from web.api.strict_json import printable

MOST_PARAMETERS = 50


def list_reports() -> Response:
    context.parameters()
    with context.reading() as session:
        access = Access(session)
        listed = [
            {
                "name": r.name,
                "label": r.label.of(session.language),
                "entity": r.entity,
                "parameters": [
                    {
                        "name": p.name,
                        "label": p.label.of(session.language),
                        "type": p.field_type,
                        "optional": p.optional,
                    }
                    for p in r.parameters
                ],
            }
            for r in session.app.reports.values()
            if access.can(r.entity, "read") and access.can(r.entity, "report")
        ]
        return answer({"reports": listed})


def run_report(name: str) -> Response:
    given = _given()
    with context.reading() as session:
        result = reports.run(session, name, given)
        return answer(result.as_data())


def _given() -> dict[str, str]:
    """Parameters by their own names, each once."""
    names = list(request.args)
    if len(names) > MOST_PARAMETERS:
        raise BadQuery("request.unknown_parameter", name=printable(names[MOST_PARAMETERS]))
    return context.parameters(*names)


def list_view(entity: str, view: str) -> Response:
    """A declared view of a list: its condition, columns and order; the query string may narrow it further."""
    given = context.parameters("where", "select", "sort", "limit", "cursor", "count", "q")
    with context.reading() as session:
        described = context.entity_of(session, entity)
        bound = bind_list(Binder(session), entity)  # without what this user may not see, as on the page
        found = bound.view(view)
        if found is None and view != "all":
            raise NotFound
        if "select" not in given:
            given["select"] = ",".join(c.key for c in (found.columns if found else ()) or bound.columns)
        rules = tuple(e for e in (bound.where, found.where if found else None) if e is not None)
        sort = (found.sort if found else ()) or bound.sort
        more = {} if "sort" in given else {"sort": sort}
        return answer(list_page(session, described, given, rules=rules, **more))
