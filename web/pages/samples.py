"""Sample data, for administrators: loaded by one click, removed by another, and what had to stay."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template

from runtime import samples
from runtime.errors import Forbidden
from runtime.query.titles import titles_of_each
from runtime.site import Session
from runtime.views.binder import Binder
from web import htmx
from web.i18n import _
from web.notes import note
from web.state import reading, writing

blueprint = Blueprint("samples", __name__)
ADDRESS = "/samples"


@blueprint.get("/samples")
def page() -> Response:
    """What there is of sample data; while workers are at it the page asks again by itself."""
    session = reading()
    if not session.user.admin:
        raise Forbidden()
    now = samples.status(session)
    binder = Binder(session)
    known = [
        (binder.app.entities[name], count)
        for name, count in samples.counts(session).items()
        if not binder.app.entities[name].retired
    ]
    template = "samples/status.html" if htmx.wanted() and htmx.target() == "samples" else "samples/page.html"
    made = render_template(
        template,
        now=now,
        known=[(e.name, e.plural.of(binder.language), count) for e, count in known],
        total=sum(count for _entity, count in known),
        offered=now.state == samples.FAILED or samples.offered(session),
        kept=_kept(session, now),
    )
    return make_response(made)


def _kept(session: Session, now: samples.Status) -> list[tuple[str, int, str, str, str, str]]:
    """(entity, id, its label, title, reason, the record that is the reason) of what the last removal left."""
    ids: dict[str, list[int]] = {}
    for entity, record, _why, _said in now.kept:
        if entity in session.app.entities:
            ids.setdefault(entity, []).append(record)
    titles = titles_of_each(session, ids) if ids else {}
    return [
        (e, i, session.app.entities[e].label.of(session.language), titles.get(e, {}).get(i, f"#{i}"), why, said)
        for e, i, why, said in now.kept
        if e in session.app.entities
    ]


@blueprint.post("/samples/load")
def load() -> Response:
    with writing() as session:
        begun = samples.start_loading(session)
    note(_("Sample data are being loaded.") if begun else _("Sample data are there, or on their way."))
    return make_response(redirect(ADDRESS, 303))


@blueprint.post("/samples/remove")
def remove() -> Response:
    with writing() as session:
        samples.start_removing(session)
    note(_("Sample data are being removed."))
    return make_response(redirect(ADDRESS, 303))
