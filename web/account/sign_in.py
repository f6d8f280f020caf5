"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, session

from runtime.errors import Answer
from runtime.messages import say_answer
from runtime.security import sessions
from web import cookies
from web.state import end_reading, state, web

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def page() -> Response:
    if state().user_id is not None:
        return make_response(redirect(own_address(request.args.get("next")), 303))
    return make_response(
        render_template("account/sign_in.html", login="", problem="", next=request.args.get("next", ""))
    )


@blueprint.post("/sign-in")
def sign_in() -> Response:
    """A new session with a new cookie; the old one, if any, is worth nothing afterwards."""
    login, password = request.form.get("login", "").strip()[:200], request.form.get("password", "")[:1000]
    try:
        agent = request.headers.get("User-Agent", "")[:300]
        token = sessions.sign_in(web().site, login, password, request.remote_addr or "", agent=agent)
    except Answer as error:
        problem = say_answer(error, state().language)
        wanted = request.form.get("next", "")
        text = render_template("account/sign_in.html", login=login, problem=problem, next=wanted)
        return make_response(text, error.status)
    session.clear()
    response = make_response(redirect(own_address(request.form.get("next")), 303))
    cookies.keep(response, web().site, token)
    return response


@blueprint.post("/sign-out")
def sign_out() -> Response:
    end_reading()
    if state().token:
        sessions.sign_out(web().site, state().token)
    session.clear()
    response = make_response(redirect("/sign-in", 303))
    cookies.forget(response, web().site)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def own_address(wanted: str | None) -> str:
    """`wanted` if it is a path of this site, else the home page. Control characters and `//host` are refused."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    if any(ord(c) < 33 or c == "\\" for c in wanted):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted
