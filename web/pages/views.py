"""Views that people keep of a list, and the columns they choose."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from metadata.fields.date import written
from runtime.errors import Answer, NotFound
from runtime.messages import say_answer, say_problem
from runtime.query.titles import titles_of
from runtime.views.binder import Binder
from runtime.views.columns import behind, candidates
from runtime.views.saved import LEFT_OUT, SavedView, archive, bring_back, chosen, forget, keep, may_share, views_of
from web import htmx
from web.device import device
from web.i18n import _
from web.notes import note
from web.pages.lists import open_list, read_address
from web.state import reading, state, writing
from web.templating import list_address

blueprint = Blueprint("views", __name__)


@blueprint.get("/e/<entity>/columns")
def columns(entity: str) -> Response:
    """What to choose columns from, with those of the present list on top."""
    binder = Binder(reading(), device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    kept_as = {c.field.key: c for c in asked.chosen}
    shown = asked.columns(bound)
    on = {c.key for c in shown}
    left_out = {"cols", "col", "page", "edited", "view"}
    others = [(k, v) for k, values in _said(asked.saved).items() if k not in left_out for v in values]
    if asked.saved:
        others += [("view", asked.saved.key), ("edited", "1")]
    elif asked.view:
        others.append(("view", asked.view.name))
    kept = {k: v for k, v in request.args.to_dict(flat=False).items() if k not in ("cols", "col")}
    html = render_template(
        "lists/columns.html",
        bound=bound,
        chosen=[(c, kept_as.get(c.key)) for c in shown],
        rest=[c for c in candidates(binder, entity) if c.key not in on],
        behind=[(link, [c for c in fields if c.key not in on]) for link, fields in behind(binder, entity)],
        others=others,
        reset=list_address(entity, **kept),
    )
    return make_response(html)


def _said(saved: SavedView | None) -> dict[str, list[str]]:
    """The parameters of the list: those of the kept view unless the address says all itself."""
    given = request.args.to_dict(flat=False)
    if "col" in given:  # as the chooser says them, one by one
        given["cols"] = [",".join(given.pop("col"))]
    return {**(saved.as_lists() if saved and "edited" not in given else {}), **given}


@blueprint.get("/e/<entity>/views/keep")
def ask(entity: str) -> Response:
    binder = Binder(reading(), device())
    open_list(binder, entity)
    return _dialog(binder, entity, _named(binder, entity))


@blueprint.post("/e/<entity>/views/keep")
def save(entity: str) -> Response:
    """Keeps the view under its name; the parameters of the list are those of this address."""
    binder = Binder(reading(), device())
    open_list(binder, entity)
    saved = _named(binder, entity)
    mine = saved if saved is not None and saved.own else None
    form = request.form
    share = form.get("share", "")
    try:
        with writing() as session:
            if form.get("forget") and mine is not None:
                forget(session, mine.id)
                note(_("The view was removed"), undo=f"/views/{mine.id}/back")
                return htmx.go(list_address(entity))
            view_id = keep(
                session,
                entity,
                form.get("name", ""),
                _said(saved),
                shared=bool(share),
                role=share if share not in ("", "*") else None,
                default=bool(form.get("default")),
                view_id=mine.id if mine is not None and not form.get("as_new") else None,
            )
    except Answer as error:
        language = state().language
        problem = " ".join(say_problem(p, language) for p in error.problems) or say_answer(error, language)
        return _dialog(binder, entity, saved, problem, error.status)
    note(_("The view was kept"))
    return htmx.go(list_address(entity, view=f"my-{view_id}"))


@blueprint.get("/e/<entity>/views")
def manage(entity: str) -> Response:
    """The views of a list with their owners, who else has them and when they were last looked at."""
    binder = Binder(reading(), device())
    bound = open_list(binder, entity)
    session = binder.session
    views = sorted(views_of(session, entity), key=lambda view: view.archived)
    names = titles_of(session, "user", sorted({view.owner for view in views}))
    roles = {role.name: role.label.of(binder.language) for role in binder.app.roles.values()}
    rows = [
        {
            "view": view,
            "owner": names.get(view.owner, ""),
            "role": roles.get(view.role or "", ""),
            "used": _("never") if view.used_on is None else written(view.used_on, binder.language),
            "governed": view.own or session.user.admin,
        }
        for view in views
    ]
    return make_response(render_template("lists/views.html", bound=bound, rows=rows))


@blueprint.post("/views/<int:view_id>/archive")
def put_away(view_id: int) -> Response:
    """Takes a view off the tabs, or puts it back."""
    away = request.form.get("away") == "1"
    with writing() as session:
        entity = archive(session, view_id, away)
    note(_("The view was archived") if away else _("The view is a tab again"))
    return htmx.go(list_address(entity, view="all" if away else f"my-{view_id}"))


@blueprint.post("/views/<int:view_id>/back")
def undo(view_id: int) -> Response:
    """Brings a removed view back."""
    with writing() as session:
        entity = bring_back(session, view_id)
    return htmx.go(list_address(entity, view=f"my-{view_id}"))


def _named(binder: Binder, entity: str) -> SavedView | None:
    bare = not {name for name in request.args if name not in LEFT_OUT - {"view"}}
    return chosen(views_of(binder.session, entity), request.args.get("view"), bare=bare)


def _dialog(binder: Binder, entity: str, saved: SavedView | None, problem: str = "", status: int = 200) -> Response:
    shared = may_share(binder.session, entity)
    roles = binder.app.roles.values() if shared else ()
    values: dict[str, Any] = {
        "address": request.full_path.rstrip("?"),
        "saved": saved,
        "name": request.form.get("name", saved.name if saved else ""),
        "problem": problem,
        "may_share": shared,
        "roles": [(role.name, role.label.of(binder.language)) for role in roles],
    }
    if entity not in binder.app.entities:
        raise NotFound
    return make_response(render_template("lists/keep.html", **values), status)
