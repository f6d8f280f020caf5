"""Notifications: the list, the bell's figure, reading, putting off, and how one wants to be told."""

from __future__ import annotations

from datetime import time

from flask import Blueprint, Response, make_response, redirect, render_template, request

from runtime import actions
from runtime.digits import number_in
from runtime.errors import BadQuery, Forbidden, NotFound
from runtime.site import Session
from runtime.views import notices
from web.i18n import _
from web.notes import note
from web.state import reading, writing

blueprint = Blueprint("notices", __name__)


@blueprint.get("/notifications")
def page() -> Response:
    session = reading()
    number = max(1, number_in(request.args.get("page", "1")) or 1)
    only_new = request.args.get("new") == "1"
    found = notices.notices(session, only_new=only_new, page=number)
    return make_response(
        render_template(
            "notices/page.html",
            found=found[: notices.PAGE],
            more=len(found) > notices.PAGE,
            page=number,
            only_new=only_new,
            unread=notices.unread(session),
            wish=notices.own_preference(session),
            zone=session.zone,
        )
    )


@blueprint.get("/notifications/bell")
def bell() -> Response:
    """How many are new: asked for by every open page now and then, one indexed count."""
    count = notices.unread(reading())
    response = make_response(render_template("notices/bell.html", count=count))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/notifications/read")
def read() -> Response:
    """Marks one as read, or all."""
    given = number_in(request.form.get("id", ""))
    with writing() as session:
        notices.mark_read(session, None if given is None else [given])
    return make_response(redirect("/notifications", 303))


@blueprint.post("/notifications/<int:notice>/open")
def go(notice: int) -> Response:
    """Marks it as read and leads to what it is about."""
    with writing() as session:
        found = notices.own_notice(session, notice)
        if found is None:
            raise NotFound()
        notices.mark_read(session, [notice])
        known = found["entity"] in session.app.entities and found["record"]
        place = _place(session, found["entity"], found["record"]) if known else "/notifications"
    return make_response(redirect(place, 303))


def _place(session: Session, entity: str, record: int) -> str:
    """The page of a record; of one that is out of sight, where the person does what they are asked."""
    try:
        actions.visible(session, entity, record)
    except (NotFound, Forbidden):
        asked = actions.entrusted(session, entity, record)
        if asked:
            return asked[0][1].desk
    return f"/e/{entity}/{record}"


@blueprint.post("/notifications/<int:notice>/snooze")
def snooze(notice: int) -> Response:
    how = request.form.get("for", "day")
    if how not in notices.SNOOZES:
        raise BadQuery("bad_request")
    with writing() as session:
        if not notices.snooze(session, notice, how):
            raise NotFound()
    note(_("Put off; it comes back later."))
    return make_response(redirect("/notifications", 303))


@blueprint.post("/notifications/preferences")
def preferences() -> Response:
    with writing() as session:
        notices.set_preference(
            session,
            bell=request.form.get("bell") == "1",
            mail=request.form.get("mail") == "1",
            quiet_from=_clock("quiet_from"),
            quiet_until=_clock("quiet_until"),
        )
    note(_("Saved"))
    return make_response(redirect("/notifications", 303))


def _clock(name: str) -> time | None:
    given = request.form.get(name, "").strip()
    try:
        return time.fromisoformat(given) if given else None
    except ValueError as error:
        raise BadQuery("bad_request") from error
