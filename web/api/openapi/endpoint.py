"""`GET /openapi.json`: built once per version, set of roles and language."""

from __future__ import annotations

import hashlib

from flask import Response, request

from runtime.security.access import Access
from web.api import context
from web.api.openapi.document import build
from web.api.problem import dump

SERVER = "/api/v1"


def openapi() -> Response:
    context.parameters()
    with context.reading() as session:
        memo = session.tables.memo
        key = ("openapi", Access(session).shape, session.language)
        found = memo.get(key)
        if found is None:
            body = dump(build(session, SERVER))
            found = memo[key] = (body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        body, tag = found
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304, headers={"ETag": tag})
        return Response(body, mimetype="application/json", headers={"ETag": tag, "Vary": "Authorization"})
