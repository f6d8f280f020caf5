"""Notes shown once on the next page, as toasts; one may offer to undo."""

from __future__ import annotations

from typing import Any, cast

from flask import flash


def note(text: str, kind: str = "success", *, undo: str | None = None) -> None:
    """`kind` is success, info, warning or danger; `undo` is the address that takes the deed back by POST."""
    flash(cast(Any, {"message": text, "undo": undo}), kind)


def ask(address: str) -> None:
    """Opens the dialog at this address on the next page."""
    flash(cast(Any, {"message": "", "undo": None, "ask": address}), "ask")
