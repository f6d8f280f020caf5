"""Writing calls: one transaction each, and `Idempotency-Key` honoured for a day."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, request

from runtime import idempotency
from runtime.errors import BadQuery
from runtime.site import Session
from web.api import context

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEPT_HEADERS = ("Location", "ETag")


def run(work: Callable[[Session], Response]) -> Response:
    """The answer of `work` in a transaction of its own; with a key, the answer of the first time."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        with context.writing() as session:
            return work(session)
    if not _KEY.fullmatch(key):
        raise BadQuery("request.bad_idempotency_key")
    wanted = idempotency.fingerprint(request.method, request.path, request.get_data(cache=True))
    with context.writing() as session:
        before = idempotency.claim(session, key, wanted)
        if before is not None:
            return _again(before)
        response = work(session)
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = response.get_data(as_text=True)
        idempotency.keep(session, key, response.status_code, headers, body)
        return response


def _again(kept: idempotency.Kept) -> Response:
    response = Response(kept.body, kept.status, mimetype="application/json")
    for name, value in kept.headers.items():
        response.headers[name] = value
    response.headers["Idempotent-Replayed"] = "true"
    return response
