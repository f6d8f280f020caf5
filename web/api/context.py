"""What one call of the API works in: the caller, the transaction, the language."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from flask import current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from metadata.model import Entity
from runtime.errors import BadQuery, Forbidden, NotFound, NotSignedIn
from runtime.security import sessions
from runtime.security.access import Access
from runtime.security.tokens import resolve_token
from runtime.site import Session, Site
from web import cookies
from web.api.problem import language_of_request
from web.api.strict_json import printable, read_json
from web.state import connection

EXTENSION = "octavo.api"
MOST_BODY = 20_000_000  # bytes
MOST_TEXT = 4_000  # characters of one parameter
_TOKEN = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{8,200})")
_ID = re.compile(r"[1-9][0-9]{0,15}")


def site() -> Site:
    return cast(Site, current_app.extensions[EXTENSION])


def request_id() -> str:
    known = g.get("octavo")
    if known is not None:
        return str(known.request_id)
    if "api_request_id" not in g:
        g.api_request_id = secrets.token_hex(8)
    return str(g.api_request_id)


def caller() -> int:
    """The id of the user who calls: by token; by the session cookie only to read, from a page of this site."""
    known: int | None = g.get("api_user")
    if known is None:
        known = _by_token() or _by_cookie()
        if known is None:
            raise NotSignedIn
        g.api_user = known
    return known


def _by_token() -> int | None:
    given = request.headers.get("Authorization")
    if given is None:
        return None
    found = _TOKEN.fullmatch(given)
    user = resolve_token(site(), found.group(1), connection()) if found else None
    if user is None:
        raise NotSignedIn
    return user


def _by_cookie() -> int | None:
    """A cookie is sent by the browser whoever asks; reading alone is harmless, and only from our own pages."""
    if request.method not in ("GET", "HEAD"):
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return None
    token = cookies.token(site())
    return sessions.resolve(site(), token, connection()) if token else None


def language() -> str:
    """The language of the answers of this call."""
    known: str | None = g.get("api_language")
    if known is None:
        known = g.api_language = language_of_request(site().settings.language)
    return known


@contextmanager
def reading() -> Iterator[Session]:
    user = caller()
    with site().session(
        user, language=language(), channel="api", request_id=request_id(), connection=connection()
    ) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    user = caller()
    with site().session(user, write=True, language=language(), channel="api", request_id=request_id()) as session:
        yield session


# --- what stands in the request ------------------------------------------------------------------------------------


def entity_of(session: Session, name: str, operation: str = "read") -> Entity:
    """The entity, if this user may do `operation` on some of its records.

    One that the user may do nothing with at all does not exist for him: the same 404 as for an unknown name.
    """
    found = session.app.entities.get(name)
    if found is None or found.retired:
        raise NotFound
    access = Access(session)
    if access.can(name, operation):
        return found
    if not any(access.can(name, other) for other in ("read", "create", "edit", "delete")):
        raise NotFound
    raise Forbidden


def record_id(text: str) -> int:
    """The id in the address. What cannot be an id is a record that is not there."""
    if not _ID.fullmatch(text):
        raise NotFound
    return int(text)


def parameters(*known: str) -> dict[str, str]:
    """The query string: every parameter known, given once, of bounded length."""
    found: dict[str, str] = {}
    if not request.query_string:
        return found
    for name, values in request.args.lists():
        if name not in known:
            raise BadQuery("request.unknown_parameter", name=printable(name))
        if len(values) != 1:
            raise BadQuery("request.parameter_twice", name=name)
        if len(values[0]) > MOST_TEXT or "\0" in values[0]:
            raise BadQuery("request.bad_parameter", name=name, expected=f"text (≤ {MOST_TEXT})")
        found[name] = values[0]
    return found


def whole(values: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query string within its bounds."""
    text = values.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise BadQuery("request.bad_parameter", name=name, expected=f"{least}…{most}")
    return int(text)


def body_object() -> dict[str, Any]:
    """The body as a JSON object. 415 for another type of content, 400 for broken JSON."""
    value = body_json()
    if not isinstance(value, dict):
        raise BadQuery("json.not_an_object")
    return value


def body_json() -> Any:
    if request.mimetype not in ("application/json", "application/merge-patch+json"):
        raise UnsupportedMediaType
    if (request.content_length or 0) > MOST_BODY:
        raise RequestEntityTooLarge
    data = request.get_data(cache=True)
    if len(data) > MOST_BODY:
        raise RequestEntityTooLarge
    return read_json(data)
