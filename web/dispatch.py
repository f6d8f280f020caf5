"""Flask, but a reader never meets a publish: what fell between two versions is read once more."""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue

from runtime.errors import Busy
from web.state import unwind

CHANGED = "version_changed"


class Application(Flask):
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
