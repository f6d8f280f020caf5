"""Records that are likely the same: told while one is entered, listed for those who tidy up, merged side by side."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from runtime.errors import TooManyRequests
from runtime.messages import say_answer
from runtime.views.binder import Binder
from runtime.views.duplicates import Likely, likely
from runtime.views.forms import bind_form, read_form
from web.device import device
from web.state import reading, state

blueprint = Blueprint("duplicates", __name__)


@blueprint.post("/e/<entity>/duplicates")
@blueprint.post("/e/<entity>/<int:record_id>/duplicates")
def check(entity: str, record_id: int | None = None) -> Response:
    """What the form as typed so far is likely a twin of, as a fragment; nothing is kept."""
    return make_response(found_for(entity, record_id))


def found_for(entity: str, record_id: int | None) -> str:
    """The fragment for the form that was sent."""
    session = reading()
    given = {}
    if entity in session.app.entities:
        given = read_form(bind_form(Binder(session, device()), entity), request.form.to_dict(flat=False))
    told = ""
    try:
        found = likely(session, entity, record_id, given)
    except TooManyRequests as answer:
        found, told = Likely(), say_answer(answer, state().language)
    return render_template("records/duplicates.html", found=found, told=told)
