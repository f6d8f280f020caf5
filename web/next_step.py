"""Asking for the next step where an activity was closed: by its form, in a cell, or with others in a bulk change."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response

from web import htmx
from web.notes import ask

ACTION = "next_step"  # of `runtime.activities.complete`


def address(entity: str, record_id: int, back: str) -> str:
    """The dialog that asks, which leads back to where the person was."""
    return f"/e/{entity}/{record_id}/actions/{ACTION}?{urlencode({'next': back})}"


def ask_on_next_page(entity: str, closed: frozenset[int], back: str) -> None:
    """Asks on the page that is shown next, where exactly one was closed."""
    for record_id in closed:
        ask(address(entity, record_id, back))


def ask_now(response: Response, entity: str, closed: frozenset[int], back: str) -> Response:
    """Asks on the page as it is, once the answer is in."""
    for record_id in closed:
        htmx.trigger(response, "ask-first", {"address": address(entity, record_id, back)})
    return response
