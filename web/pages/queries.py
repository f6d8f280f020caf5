"""The query builder: conditions by clicks, as an expression at the same time; applied to the list, or kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from runtime.errors import Answer, BadQuery
from runtime.messages import say_answer, say_problem
from runtime.publishing.segments import publish_segment
from runtime.query.select import Query, parse_where
from runtime.query.select import run as run_query
from runtime.views.binder import Binder
from runtime.views.builder.bind import bind_tree, fitted
from runtime.views.builder.operators import Operator
from runtime.views.builder.read import tree_of
from runtime.views.builder.tree import MEASURES, MODES, Condition, Group
from runtime.views.builder.write import expression_of
from runtime.views.lists import BoundList
from runtime.views.saved import keep, may_share
from web import htmx
from web.device import device
from web.i18n import _
from web.notes import note
from web.pages.lists import count_text, open_list, period_labels, read_address
from web.query_form import done, tree_of_form
from web.state import end_reading, reading, state, writing
from web.templating import list_address

blueprint = Blueprint("queries", __name__)
LONGEST = 4000  # characters of an expression


@dataclass(slots=True, kw_only=True)
class Shown:
    """What the builder shows: the tree, the expression, and what is wrong with it."""

    tree: Group
    text: str
    problem: str = ""
    status: int = 200


@blueprint.get("/e/<entity>/query")
def ask(entity: str) -> Response:
    """The builder for the condition of the list at this address."""
    binder = Binder(reading(), device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    shown = _read(binder, entity, asked.where_text)
    if not shown.tree.items and not shown.problem:
        shown.tree = Group(items=(Condition(),))
    return _page(binder, bound, shown)


@blueprint.post("/e/<entity>/query")
def change(entity: str) -> Response:
    """The builder after a click; or what was built as the list's condition, as a view, as a segment."""
    binder = Binder(reading(), device())
    bound = open_list(binder, entity)
    shown = _taken(binder, entity)
    deed = request.form.get("do", "")
    if deed in ("apply", "view", "segment") and not shown.problem:
        _count(binder, entity, shown)
        if not shown.problem:
            return _kept(binder, bound, shown, deed)
    return _page(binder, bound, shown)


def _taken(binder: Binder, entity: str) -> Shown:
    """The tree of the form; where the text was changed instead, that of the text."""
    text = request.form.get("text", "").strip()[:LONGEST]
    if text != request.form.get("said", "").strip():
        return _read(binder, entity, text, tree_of_form(request.form))
    tree = fitted(binder, entity, done(tree_of_form(request.form), request.form.get("do", "")))
    assert isinstance(tree, Group)
    return Shown(tree=tree, text=expression_of(binder, entity, tree) or "")


def _read(binder: Binder, entity: str, text: str, otherwise: Group | None = None) -> Shown:
    try:
        return Shown(tree=tree_of(binder, entity, text), text=text)
    except BadQuery as error:
        told = say_answer(error, binder.language)
        return Shown(tree=otherwise or Group(), text=text, problem=told, status=422)


def _kept(binder: Binder, bound: BoundList, shown: Shown, deed: str) -> Response:
    entity = bound.entity
    others = {k: v for k, v in request.args.to_dict(flat=False).items() if k not in ("where", "page")}
    said: dict[str, Any] = {**others, **({"where": [shown.text]} if shown.text else {})}
    name = request.form.get("name", "")
    try:
        if deed == "segment":
            end_reading()  # publishing takes the database for itself
            made = publish_segment(binder.session, entity, name, shown.text)
            note(_("The segment was published"))
            return htmx.go(list_address(entity, segment=made))
        if deed == "view":
            share = request.form.get("share", "")
            role = share if share not in ("", "*") else None
            with writing() as session:
                view_id = keep(session, entity, name, said, shared=bool(share), role=role)
            note(_("The view was kept"))
            return htmx.go(list_address(entity, view=f"my-{view_id}"))
    except Answer as error:
        language = state().language
        told = " ".join(say_problem(p, language) for p in error.problems) or say_answer(error, language)
        shown.problem, shown.status = told, error.status
        again = Binder(reading(), device())
        return _page(again, open_list(again, entity), shown)
    return htmx.go(list_address(entity, **said))


def _count(binder: Binder, entity: str, shown: Shown) -> str:
    """How many records fit, as text; what is wrong with the condition is noted in `shown`."""
    try:
        where = (parse_where(binder.session, entity, shown.text),) if shown.text else ()
        found = run_query(binder.session, Query(entity=entity, where=where, limit=1, count="capped"))
    except BadQuery as error:
        shown.problem, shown.status = say_answer(error, binder.language), error.status
        return ""
    return count_text(found.count or 0, found.count_capped)


def _page(binder: Binder, bound: BoundList, shown: Shown) -> Response:
    count = "" if shown.problem else _count(binder, bound.entity, shown)
    shared = may_share(binder.session, bound.entity)
    roles = binder.app.roles.values() if shared else ()
    query = request.query_string.decode("utf-8", "replace")
    values = {
        "bound": bound,
        "shown": shown,
        "root": bind_tree(binder, bound.entity, shown.tree),
        "count": count,
        "address": f"/e/{bound.entity}/query{'?' + query if query else ''}",
        "name": request.form.get("name", ""),
        "share": request.form.get("share", ""),
        "may_share": shared,
        "roles": [(role.name, role.label.of(binder.language)) for role in roles],
        "may_publish": binder.session.user.admin,
        "periods": period_labels(),
        "modes": [(mode, mode_label(mode)) for mode in MODES],
        "measures": [(measure, measure_label(measure)) for measure in MEASURES],
        "operator_label": operator_label,
    }
    fragment = htmx.wanted()
    html = render_template("queries/builder.html" if fragment else "queries/page.html", **values)
    return make_response(html, shown.status)


# --- words ---------------------------------------------------------------------------------------------------------


def mode_label(mode: str) -> str:
    texts = {
        "all": _("all of these hold"),
        "any": _("any of these holds"),
        "none": _("none of these holds"),
        "not_all": _("not all of these hold"),
    }
    return texts[mode]


def measure_label(measure: str) -> str:
    texts = {
        "any": _("there is one for which"),
        "none": _("there is none for which"),
        "all": _("for each of them"),
        "count": _("their number"),
        "sum": _("the sum of"),
        "avg": _("the average of"),
        "min": _("the least of"),
        "max": _("the greatest of"),
    }
    return texts[measure]


def operator_label(operator: Operator) -> str:
    """The operator in words; of a date a comparison is told in words of time."""
    texts: Mapping[str, str] = {
        "contains": _("contains"),
        "not_contains": _("does not contain"),
        "is": _("is"),
        "is_not": _("is not"),
        "starts": _("starts with"),
        "ends": _("ends with"),
        "empty": _("is empty"),
        "filled": _("is filled in"),
        "eq": "=",
        "ne": "≠",
        "ge": "≥",
        "gt": ">",
        "le": "≤",
        "lt": "<",
        "between": _("between"),
        "in": _("is one of"),
        "not_in": _("is none of"),
        "period": _("in"),
        "last": _("in the last … days"),
        "next": _("in the next … days"),
        "since": _("since … days ago"),
        "older": _("more than … days ago"),
        "within": _("up to … days from now"),
        "on": _("on"),
        "before": _("before"),
        "after": _("after"),
        "past": _("is past"),
        "future": _("is still to come"),
        "me": _("is me"),
        "not_me": _("is not me"),
        "reports": _("reports to me"),
        "my_team": _("is in a team I lead"),
        "my_unit": _("in my unit or below"),
        "in_unit": _("in the unit, or below it"),
        "has": _("has"),
        "has_not": _("does not have"),
        "yes": _("yes"),
        "no": _("no"),
    }
    return texts[operator.name]
