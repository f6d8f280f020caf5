"""The session cookie: out of reach of scripts, sent to this host alone, over https alone where the site has it."""

from __future__ import annotations

from flask import Response, request

from runtime.security.sessions import ABSOLUTE, COOKIE
from runtime.site import Site


def is_https(site: Site) -> bool:
    return site.settings.base_url.startswith("https://")


def name(site: Site, plain: str = COOKIE) -> str:
    """With https the browser itself guards that the cookie belongs to this very host (`__Host-`)."""
    return f"__Host-{plain}" if is_https(site) else plain


def token(site: Site) -> str:
    """The session token of this request, "" for none."""
    return request.cookies.get(name(site), "")


def keep(response: Response, site: Site, value: str) -> None:
    age = int(ABSOLUTE.total_seconds())
    response.set_cookie(name(site), value, max_age=age, secure=is_https(site), httponly=True, samesite="Lax", path="/")


def forget(response: Response, site: Site) -> None:
    response.delete_cookie(name(site), secure=is_https(site), httponly=True, samesite="Lax", path="/")
