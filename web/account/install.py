"""Finds out who asks, before every request; registers the account pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from runtime.security import sessions
from web import cookies
from web.account import preferences, profile, sign_in, view_as
from web.i18n import LANGUAGES
from web.state import connection, state, web


def install(app: Flask, limiter: Limiter, sign_in_limit: str, limited: Sequence[Callable[..., Any]]) -> None:
    """`limited` is what the limiter does before, after and at the end of a request; it does so for signing in."""
    app.before_request(identify)
    limiter.limit(sign_in_limit, methods=["POST"])(sign_in.blueprint)
    hooks: tuple[Any, ...] = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    for functions, hook in zip(hooks, limited):
        functions.setdefault(sign_in.blueprint.name, []).append(hook)
    for blueprint in (sign_in.blueprint, preferences.blueprint, profile.blueprint, view_as.blueprint):
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
