"""Saying texts in the language of the request."""

from __future__ import annotations

from web import state as _state
from web.catalogue import LANGUAGES

__all__ = ["LANGUAGES", "_", "plural"]


def _(msgid: str, **params: object) -> str:
    """The text in the language of this request."""
    return _state.web().catalogue.say(_state.state().language, msgid, **params)


def plural(number: int, one: str, many: str, **params: object) -> str:
    """`one` or `many` (msgids with `{n}`) by the number; Chinese has one form and translates both alike."""
    return _(one if number == 1 else many, n=f"{number:,}", **params)
