"""The home page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template

from runtime.decisions.whys import newly_assigned
from runtime.query.titles import titles_of
from runtime.site import Session
from runtime.views.binder import Binder
from runtime.views.home import figures, places, recent
from runtime.views.menus import bind_menu
from web.i18n import _
from web.state import reading

blueprint = Blueprint("home", __name__)
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2563eb"/>'
    '<path d="M9 8h6.2c3 0 4.3 1.6 4.3 3.9 0 1.6-.8 2.7-1.9 3.3M9 8v16M15.5 15.5c3.5-.3 7.5 1 7.5 4.6 0 2.6-2 '
    '3.9-5 3.9H9" fill="none" stroke="#fff" stroke-width="2.6" stroke-linejoin="round" stroke-linecap="round"/></svg>'
)


@blueprint.get("/")
def page() -> Response:
    """A greeting, figures, quick ways to create, and what one worked on last."""
    session = reading()
    binder = Binder(session)
    names = places(bind_menu(binder))
    hour = session.now.astimezone(session.zone).hour
    greeting = _("Good morning") if hour < 12 else _("Good afternoon") if hour < 18 else _("Good evening")
    creatable = [binder.app.entities[n] for n in names if binder.can(n, "create")][:6]
    quick = [(e.name, e.label.of(binder.language), e.icon) for e in creatable]
    shown = figures(binder, names)
    return make_response(
        render_template(
            "home.html",
            greeting=greeting,
            name=session.user.name,
            day=binder.coercion().today,
            figures=shown,
            samples=_samples(session, empty=not any(one.count for one in shown)),
            recent=recent(binder, names),
            quick=quick,
            assigned=_assigned(binder),
        )
    )


def _samples(session: Session, *, empty: bool) -> str:
    """For administrators: whether sample data are "there", or "offered" since there is nothing else."""
    if not session.user.admin:
        return ""
    from runtime import samples  # late: for administrators alone

    if samples.status(session).state in (samples.LOADING, samples.LOADED, samples.REMOVING, samples.FAILED):
        return "there"
    return "offered" if empty and samples.offered(session) else ""


def _assigned(binder: Binder) -> list[dict[str, Any]]:
    """What rules gave this person lately: the notice stands where the day begins."""
    session = binder.session
    if not session.app.of("assignment"):
        return []
    found = newly_assigned(session)
    titles = {e: titles_of(session, e, [i for n, i, _at in found if n == e]) for e in {e for e, _i, _at in found}}
    return [
        {
            "entity": entity,
            "id": record,
            "title": titles[entity][record],
            "label": binder.app.entities[entity].label.of(binder.language),
            "icon": binder.app.entities[entity].icon,
            "at": at.astimezone(session.zone).strftime("%m-%d %H:%M"),
        }
        for entity, record, at in found
        if record in titles[entity]
    ]


@blueprint.get("/favicon.svg")
def favicon() -> Response:
    response = make_response(_ICON)
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
