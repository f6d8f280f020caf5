"""Finds out who asks, before every request; registers the account pages."""

from __future__ import annotations

from flask import Flask, request

from runtime.security import sessions
from web import cookies, late
from web.account import preferences, sign_in, view_as
from web.account.limit import limit_sign_in
from web.i18n import LANGUAGES
from web.state import connection, state, web


def install(app: Flask) -> None:
    app.before_request(identify)
    app.before_request_funcs.setdefault(sign_in.blueprint.name, []).append(limit_sign_in)
    for blueprint in (
        sign_in.blueprint,
        preferences.blueprint,
        late.blueprint("web.account.profile"),
        view_as.blueprint,
    ):
        app.register_blueprint(blueprint)


def identify() -> None:
    """Reads language and theme, and resolves the session of the cookie. Static files and the API need none."""
    if request.endpoint == "files.vendor" or request.path.startswith("/api/"):
        return
    now, settings = state(), web().site.settings
    chosen = request.cookies.get("octavo-language", "")
    now.chosen_language = chosen if chosen in LANGUAGES else None
    now.language = now.chosen_language or settings.language
    theme = request.cookies.get("octavo-theme", "")
    now.chosen_theme = theme if theme in preferences.THEMES else None
    now.theme = now.chosen_theme or "auto"
    token = cookies.token(web().site)
    if token:
        now.token = token
        now.user_id = sessions.resolve(web().site, token, connection())
        view_as.identify(now)
