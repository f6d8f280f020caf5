"""Answers and errors as pages and fragments: a sentence, what to do next, the request's id; never a traceback."""

from __future__ import annotations

import logging
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from runtime.errors import Answer, Busy, NotSignedIn
from runtime.messages import say_answer
from web.i18n import _
from web.state import end_reading, state

_log = logging.getLogger("octavo.web")
_OPEN = ("sign_in.sign_in", "sign_in.sign_out", "preferences.change")  # forms that need no session


def install(app: Flask) -> None:
    app.register_error_handler(Answer, answer)
    app.register_error_handler(CSRFError, bad_token)
    app.register_error_handler(SecurityError, foreign_host)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, program_error)


def is_fragment() -> bool:
    """Whether a script of the page asks, which takes a fragment instead of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def answer(error: Answer) -> Response:
    """An answer of the runtime. Somebody who has not signed in is led to the sign-in page and back."""
    if isinstance(error, NotSignedIn) and not _for_program() and not is_fragment():
        target = "/sign-in"
        back = request.full_path.rstrip("?") if request.method == "GET" else _form_page()
        if back != "/":
            target += "?" + urlencode({"next": back})
        return make_response(redirect(target, 303))
    response = show(error.status, say_answer(error, state().language), code=error.code)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = "2"
    return response


def _form_page() -> str:
    """The page whose form was sent: there the browser still has what was typed."""
    from web.account.sign_in import own_address  # late: the account pages answer with errors themselves

    return own_address(urlsplit(request.referrer or "").path)


def bad_token(_error: CSRFError) -> Response:
    """A form without its token. Where that is because the session is gone as well, one signs in and sends it again."""
    from web.account.install import identify  # late: it stands on this module

    if request.endpoint not in _OPEN:
        identify()
        if state().user_id is None:
            return answer(NotSignedIn())
    return show(400, _("This page is out of date. Reload it and try again; nothing was saved."), code="bad_token")


def foreign_host(_error: SecurityError) -> Response:
    """A host name that is not ours: no page of ours can be made for it."""
    text = (
        "本服务器不响应此主机名。 This server does not answer to that host name (settings: base_url, trusted_hosts).\n"
    )
    return Response(text, 400, content_type="text/plain; charset=utf-8")


def http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    texts = {
        400: _("The request could not be understood."),
        403: _("You are not allowed to do this."),
        404: _("There is nothing at this address, or you may not see it."),
        405: _("This address does not do that."),
        413: _("That is too large."),
        414: _("The address is too long."),
        415: _("That kind of file is not accepted."),
        429: _("Too many tries. Wait a moment and try again."),
    }
    response = show(status, texts.get(status, error.name), code=str(status))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def program_error(error: Exception) -> Response:
    _log.exception("request %s failed: %s %s", state().request_id, request.method, request.path)
    return show(500, _("Something went wrong on the server. The administrator finds it under this number:"), code="500")


def show(status: int, message: str, *, code: str) -> Response:
    """The error in the form the asker understands: problem document, fragment or page."""
    now = state()
    if _for_program():
        body = {"type": f"about:blank#{code}", "title": message, "status": status, "detail": message, "problems": []}
        response = jsonify(body | {"request": now.request_id})
        response.mimetype = "application/problem+json"
    else:
        end_reading()
        name = "errors/fragment.html" if is_fragment() else "errors/page.html"
        response = make_response(render_template(name, status=status, message=message, request_id=now.request_id))
    response.status_code = status
    return response


def _for_program() -> bool:
    return request.path.startswith("/api/")
