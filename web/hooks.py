"""`POST /hooks/<name>`: other programs and forms outside set workflows off."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from runtime.errors import Answer, BadQuery, TooBig, WrongMedia
from runtime.messages import say
from runtime.security.ratelimit import count_call
from runtime.site import Site
from web.api.problem import language_of_request, of_answer
from web.api.strict_json import read_json

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def create_hooks(site: Site) -> Blueprint:
    """The blueprint of a site. Callers prove themselves by signature or token, never by a cookie."""
    blueprint = Blueprint("hooks", __name__)

    @blueprint.errorhandler(Answer)
    def refused(answer: Answer) -> Response:
        return of_answer(answer, language_of_request(site.settings.language))

    @blueprint.post("/hooks/<name>")
    def hook(name: str) -> tuple[Response, int]:
        """202 with the id of the run; 200 with the same id where the key was used before."""
        # late: most sites are called seldom
        from runtime.decisions.workflow_hooks import MOST_A_MINUTE, MOST_BYTES, hook_of, prove, receive

        with site.session(write=True) as session:
            count_call(session, f"hook:{name}:{request.remote_addr}", MOST_A_MINUTE)
        if (request.content_length or 0) > MOST_BYTES:
            raise TooBig()
        form = request.mimetype in _FORMS
        body = "" if form else request.get_data(cache=True, as_text=True)
        if len(body) > MOST_BYTES:
            raise TooBig()
        with site.session(write=True, channel="hook") as session:
            workflow = hook_of(session, name)
            prove(session, workflow, body, request.headers.get("Octavo-Signature", ""), _token())
            key = request.headers.get("Idempotency-Key") or request.headers.get("Octavo-Event")
            run = receive(session, workflow, dict(request.form) if form else _read(body), key)
            said = say("hook.taken", session.language)
        return jsonify({"run": str(run) if run is not None else None, "message": said}), 202

    return blueprint


def _token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("Octavo-Token", "")


def _read(body: str) -> dict[str, Any]:
    """A JSON object, however deep it pretends to be."""
    if request.mimetype not in ("application/json", ""):
        raise WrongMedia()
    found = read_json((body or "{}").encode())
    if not isinstance(found, dict):
        raise BadQuery("bad_request")
    return found
