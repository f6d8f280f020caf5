"""Language and theme, switched in place; kept in cookies and, for somebody signed in, with the person."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from runtime.views.preferences import remember
from web.account.sign_in import own_address
from web.i18n import LANGUAGES
from web.state import end_reading, state, web

THEMES = ("auto", "light", "dark")
_YEAR = 365 * 24 * 3600
blueprint = Blueprint("preferences", __name__)


@blueprint.post("/preferences")
def change() -> Response:
    """`language` and `theme`, each optional; then back to where one was."""
    response = make_response(redirect(own_address(request.form.get("next")), 303))
    language, theme = request.form.get("language"), request.form.get("theme")
    values = {}
    if language in LANGUAGES:
        values["language"] = language
    if theme in THEMES:
        values["theme"] = theme
    secure = web().site.settings.base_url.startswith("https://")
    for name, value in values.items():
        response.set_cookie(f"octavo-{name}", value, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")
    user_id = state().user_id
    if values and user_id is not None:
        end_reading()
        with web().site.session(user_id, write=True, channel="form") as session:
            remember(session, **values)
    return response
