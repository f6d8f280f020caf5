"""Kinds that the language names and this version does not do yet. They are answered, never ignored."""

from __future__ import annotations

LATER: dict[str, str] = {
    "board": "layouts",
    "calendar": "layouts",
    "tree": "layouts",
    "search": "layouts",
    "dashboard": "layouts",
    "print": "layouts",
    "page": "layouts",
    "message": "layouts",
    "snapshot": "rules",
}
