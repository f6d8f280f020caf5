"""Pages put together once: a template is rendered with marks where values go, and each request only fills them in.

What is rendered with marks may depend on the published version, the kind of user, language and address alone; whatever
belongs to a record, a person or a browser has to be a mark.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import g, request
from markupsafe import Markup, escape

_KEY = secrets.token_hex(8)  # nobody can write a mark into a label or a value
_FIND = re.compile(f"(?:\ue000{_KEY}:|{_KEY}-)([^\ue001~]*)[\ue001~]")


def mark(name: str) -> Markup:
    """Stands in a template for the value `name`."""
    return Markup(f"\ue000{_KEY}:{name}\ue001")  # noqa: S704 - no markup in it


def address_mark(name: str) -> str:
    """Stands for the value `name` in an address as well; neither it nor the value may be changed by encoding."""
    return f"{_KEY}-{name}~"


@contextmanager
def asked_by(query: str) -> Iterator[None]:
    """The request as if `query` was its query string, for what is rendered of its address."""
    real = request.query_string
    _readdress(query.encode())
    try:
        yield
    finally:
        _readdress(real)


def _readdress(query: bytes) -> None:
    request.query_string = query
    for derived in ("args", "full_path", "url"):
        request.__dict__.pop(derived, None)
    g.pop("address_now", None)


class Prepared:
    """Rendered HTML with gaps."""

    __slots__ = ("_parts", "_places")

    def __init__(self, text: str) -> None:
        self._parts = [str(part) for part in _FIND.split(text)]
        self._places = [(place, self._parts[place]) for place in range(1, len(self._parts), 2)]

    def fill(self, values: Mapping[str, object]) -> Markup:
        """The HTML with `values` in the gaps, escaped where they are not markup. Raises KeyError for a missing one.

        Plain text is escaped without becoming an object of its own: a page has dozens of gaps.
        """
        parts = self._parts.copy()
        for place, name in self._places:
            value = values[name]
            parts[place] = html.escape(value) if type(value) is str else escape(value)
        return Markup("".join(parts))  # noqa: S704 - the template escaped its own, and the values were just now
