"""What every answer carries and every request must keep to: headers, limits, fetch metadata."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, abort, g, request
from flask.globals import request_ctx
from secure import ContentSecurityPolicy, Secure
from secure.headers import (
    CrossOriginOpenerPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.routing import IntegerConverter

from runtime.settings import Settings
from web.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_BODY = 32 * 1024 * 1024
MOST_FORM = 2 * 1024 * 1024
MOST_FIELDS = 5_000
MOST_QUERY = 8_000
_CROSSED = frozenset(
    {"web_forms.send"}
)  # what pages of other sites may send to: it looks at where it comes from itself
_ALWAYS_TRUSTED = ("localhost", "127.0.0.1", "[::1]")


def trusted_hosts(settings: Settings) -> list[str]:
    """The host of `base_url`, those the operator names, and this machine."""
    own = urlsplit(settings.base_url).hostname
    return list(dict.fromkeys([*([own] if own else []), *settings.trusted_hosts, *_ALWAYS_TRUSTED]))


def secure_headers(*, https: bool) -> dict[str, str]:
    """Headers of every answer. Nothing inline, nothing foreign; pictures may be data: for the style sheet's own."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "data:", "blob:")
        .font_src("'self'")
        .connect_src("'self'")
        .object_src("'none'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
    )
    headers = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        referrer=ReferrerPolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        hsts=StrictTransportSecurity().max_age(31_536_000) if https else None,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return dict(headers.headers)


class RecordNumber(IntegerConverter):
    """The numbers of records in addresses: what no database could hold is no address."""

    regex = "[0-9]{1,16}"


_Header = tuple[str, tuple[str, str]]  # the name in small letters, then the header itself
_REQUEST_ID = "octavo.request_id"
_OPENED = "octavo.opened"
_UNSAID = (None, "no-cache")  # no-cache is what send_file says of its own accord


class _Headed:
    """Gives every answer the fixed headers it does not have itself.

    Below Flask, where headers are a list: as a mapping each of them would be looked up and checked at every answer.
    """

    def __init__(self, inner: WSGIApplication, fixed: Mapping[str, str]) -> None:
        self._inner = inner
        self._fixed = [(name.lower(), (name, value)) for name, value in fixed.items()]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said = {name.lower(): value for name, value in headers}
            if said.get("cache-control") in _UNSAID:
                headers = [pair for pair in headers if pair[0].lower() != "cache-control"]
                headers.append(("Cache-Control", "no-store"))
            fixed = self._fixed if _OPENED not in environ else _opened(self._fixed, *environ[_OPENED])
            headers.extend([pair for key, pair in fixed if key not in said])
            known = environ.get(_REQUEST_ID)
            if known is not None:
                headers.append(("X-Request-Id", known))
            return start_response(status, headers, *more)

        return self._inner(environ, start)


def install(app: Flask, settings: Settings) -> None:
    """Registers limits and headers on the application, before its addresses."""
    app.url_map.converters["int"] = RecordNumber
    https = settings.base_url.startswith("https://")
    app.config.update(
        TRUSTED_HOSTS=trusted_hosts(settings),
        MAX_CONTENT_LENGTH=MOST_BODY,
        MAX_FORM_MEMORY_SIZE=MOST_FORM,
        MAX_FORM_PARTS=MOST_FIELDS,
    )
    app.wsgi_app = _Headed(app.wsgi_app, secure_headers(https=https))  # type: ignore[method-assign]

    @app.before_request
    def check() -> None:
        asked = request_ctx.request  # looked up once: each look through the proxy costs as much as a statement's bind
        g.octavo = State(request_id=secrets.token_hex(8))
        asked.environ[_REQUEST_ID] = g.octavo.request_id
        _ = asked.host  # refuses a host that is not ours
        if len(asked.query_string) > MOST_QUERY:
            abort(414)
        if asked.method not in ("GET", "HEAD", "OPTIONS"):
            _check_body()

    @app.teardown_request
    def close(_error: BaseException | None) -> None:
        now = g.get("octavo")
        if now is not None:
            now.session = None
            now.stack.close()


def open_to(framed_by: Sequence[str], leads_to: str) -> None:
    """Lets the web sites named frame the page being answered, and its form lead to one of them ("" for none)."""
    request.environ[_OPENED] = (tuple(framed_by), leads_to)


def _opened(fixed: Sequence[_Header], framed_by: Sequence[str], leads_to: str) -> list[_Header]:
    """The fixed headers of such a page. The older header against frames can name no web site, so it is left out."""
    found = []
    for key, (name, value) in fixed:
        if key == "content-security-policy":
            value = value.replace("form-action 'self'", f"form-action 'self' {leads_to}".rstrip())
            if framed_by:
                value = value.replace("frame-ancestors 'none'", "frame-ancestors " + " ".join(framed_by))
        if key != "x-frame-options" or not framed_by:
            found.append((key, (name, value)))
    return found


def _check_body() -> None:
    """Limits of a form that is not multipart, and requests that another site sent."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.endpoint not in _CROSSED:
        abort(403)
    if request.mimetype == "application/x-www-form-urlencoded":
        if (request.content_length or 0) > MOST_FORM:
            abort(413)
        if request.get_data(cache=True, parse_form_data=False).count(b"&") >= MOST_FIELDS:
            abort(413)
