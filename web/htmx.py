"""What htmx says in headers, and what it is answered."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, make_response, redirect, request


def wanted() -> bool:
    """A script asks for a fragment."""
    return request.headers.get("HX-Request") == "true"


def target() -> str:
    """The id of the element that takes the answer, "" where none is told (htmx 4 sends `div#list`)."""
    return request.headers.get("HX-Target", "").partition("#")[2]


def go(address: str) -> Response:
    """Leads to another page, after a form."""
    if wanted():
        response = make_response("", 204)
        response.status_code = 200
        response.headers["HX-Redirect"] = address
        return response
    return make_response(redirect(address, 303))


def events(told: dict[str, Any]) -> str:
    """The header that fires several events: name → detail."""
    return json.dumps(told)  # ASCII, as headers have to be


def trigger(response: Response, name: str, detail: dict[str, Any]) -> Response:
    """Fires an event on the page once the answer is in."""
    response.headers["HX-Trigger"] = events({name: detail})
    return response
