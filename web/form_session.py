"""The cookie of the forms: what Flask keeps in the browser (form token, notes), opened and signed once a browser.

Opening a signed cookie and signing the same form token anew for every page costs as much as reading a record. Both
follow from the text alone, so the last ones are remembered.
"""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any, TypeVar, cast

from flask import Flask, Request, current_app, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer

API = "/api/"
_MOST = 2_000  # browsers remembered
_RAW = "csrf_token"  # where Flask-WTF keeps the secret that a form token is the signature of

T = TypeVar("T")


class FormSessions(SecureCookieSessionInterface):
    """Flask's signed cookies. The API has none: it neither reads nor writes what belongs to forms."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None
        self._opened: dict[str, tuple[dict[str, Any], float]] = {}
        self._tokens: dict[str, str] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie holds; nothing where there is none, or it is forged or too old. None for the API."""
        if request.path.startswith(API):
            return None
        text = request.cookies.get(self.get_cookie_name(app))
        known = self._known(app, text) if text else None
        if known is None or not 0 <= time.time() - known[1] <= app.permanent_session_lifetime.total_seconds():
            return self.session_class()
        return self.session_class(deepcopy(known[0]))

    def _known(self, app: Flask, text: str) -> tuple[dict[str, Any], float] | None:
        """What a cookie holds and when it was signed; None for a forged one."""
        known = self._opened.get(text)
        if known is None:
            signer = self.get_signing_serializer(app)
            assert signer is not None  # every site has a secret key
            try:
                data, moment = signer.loads(text, return_timestamp=True)
            except BadSignature:
                return None
            known = (data, moment.timestamp())
            _remember(self._opened, text, known)
        return known

    def token(self) -> str:
        """The form token of the browser that asks; a new browser is given one."""
        found = self._tokens.get(session.get(_RAW, ""))
        if found is None:
            found = generate_csrf()
            _remember(self._tokens, session[_RAW], found)
        return found


def form_token() -> str:
    """What a form of the page being made has to send back, as Flask-WTF signs and checks it."""
    return cast(FormSessions, current_app.session_interface).token()


def _remember(known: dict[str, T], text: str, value: T) -> None:
    if len(known) >= _MOST:
        known.clear()
    known[text] = value
