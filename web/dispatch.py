"""Flask, but a reader never meets a publish: what fell between two versions is read once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from runtime.errors import Busy
from web.state import unwind

CHANGED = "version_changed"


class Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none here is asynchronous, and Flask asks a dozen times a request."""
        return func

    def dispatch_request(self) -> ResponseReturnValue:
        """The answer of the view. Errors of the database in a page's reading session become answers here."""
        try:
            return self._once()
        except Busy as answer:
            if answer.code != CHANGED or request.method not in ("GET", "HEAD"):
                raise
        return self._once()

    def _once(self) -> ResponseReturnValue:
        try:
            return super().dispatch_request()
        except Exception as error:
            unwind(error)
            raise
