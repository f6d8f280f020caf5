"""Seeing the pages as somebody else does: for administrators, to look and never to touch, under a banner."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from runtime.digits import number_in
from runtime.errors import Forbidden, NotFound, NotSignedIn
from runtime.security import audit
from runtime.site import Site
from web import cookies
from web.account.sign_in import own_address
from web.state import State, end_reading, reading, state, web

COOKIE = "octavo-view-as"
LONGEST = 8 * 3600  # seconds a view lasts at most
blueprint = Blueprint("view_as", __name__)
# what somebody looking through another's eyes may still send: ending it, their own language, rules of a form
_OPEN = frozenset({"/view-as", "/preferences", "/sign-out"})


def _signer(site: Site) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(site.settings.secret_key, salt="view-as")


def identify(now: State) -> None:
    """Whose eyes the request looks through. Raises `Forbidden` for whatever would change something."""
    given = request.cookies.get(COOKIE, "")
    if not given or now.user_id is None:
        return
    try:
        admin, person = _signer(web().site).loads(given, max_age=LONGEST)
    except (BadSignature, ValueError, TypeError):
        return
    if admin != now.user_id or not isinstance(person, int):
        return
    with web().site.session(now.user_id, connection=now.connection) as session:
        if not session.user.admin:
            return
    now.seen_as = person
    reads = request.method in ("GET", "HEAD") or request.path.endswith("/evaluate")
    if (not reads and request.path not in _OPEN) or request.path.startswith("/profile"):
        raise Forbidden("view_as.read_only")


@blueprint.get("/view-as")
def ask() -> Response:
    if not reading().user.admin:
        raise NotFound
    return make_response(render_template("account/view_as.html"))


@blueprint.post("/view-as")
def change() -> Response:
    """Begins looking as `person`; ends it where none is given. The audit says who looked as whom."""
    now, site = state(), web().site
    response: Any = make_response(redirect(own_address(request.form.get("next")), 303))
    person = number_in(request.form.get("person", ""))
    if now.user_id is None:
        raise NotSignedIn
    if person is None:
        response.delete_cookie(COOKIE, secure=cookies.is_https(site), httponly=True, samesite="Lax")
        return response
    end_reading()
    with site.session(now.user_id, write=True, channel="form", request_id=now.request_id) as session:
        if not session.user.admin:
            raise NotFound
        session.sub(person)  # there is such a person, and they may sign in
        audit.write(session, [audit.Entry("user", person, "view_as", {})])
    response.set_cookie(
        COOKIE,
        _signer(site).dumps([now.user_id, person]),
        max_age=LONGEST,
        secure=cookies.is_https(site),
        httponly=True,
        samesite="Lax",
    )
    return response
