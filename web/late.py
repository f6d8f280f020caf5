"""Blueprints and views whose modules are imported when the first request asks for them.

Most processes serve a few of the pages; each page brings half a dozen modules of the runtime. The routes of a page are
read from its source, where they stand as `@blueprint.get("/address")` above a function: `tests/web/test_late.py` holds
what was read to what the module itself registers. A module written in another way is imported at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Blueprint

_NAME = re.compile(r'^blueprint = Blueprint\("(\w+)", __name__\)$', re.MULTILINE)
_ROUTES = re.compile(r'((?:^@blueprint\.(?:get|post)\("[^"\n]+"\)\n)+)def (\w+)\(', re.MULTILINE)
_ROUTE = re.compile(r'@blueprint\.(get|post)\("([^"\n]+)"\)')


class Late:
    """A view function by its place; imported and kept at its first call."""

    def __init__(self, module: str, name: str) -> None:
        self.__module__, self.__name__, self.__qualname__ = module, name, name
        self._found: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **values: Any) -> Any:
        found = self._found
        if found is None:
            found = self._found = getattr(import_module(self.__module__), self.__name__)
        return found(*args, **values)


def blueprint(module: str) -> Blueprint:
    """The blueprint of a page, its views not imported yet."""
    read = routes(module)
    if read is None:
        made: Blueprint = import_module(module).blueprint
        return made
    name, found = read
    made = Blueprint(name, module)
    views = {view: Late(module, view) for _, _, view in found}
    for method, address, view in found:
        made.add_url_rule(address, view, views[view], methods=[method])
    return made


def routes(module: str) -> tuple[str, list[tuple[str, str, str]]] | None:
    """The name of a module's blueprint and its (method, address, view); None where its source does not tell."""
    spec = find_spec(module)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        text = Path(spec.origin).read_text(encoding="utf-8")
    except OSError:
        return None
    name = _NAME.search(text)
    found = [
        (method.upper(), address, view)
        for lines, view in _ROUTES.findall(text)
        for method, address in _ROUTE.findall(lines)
    ]
    whole = text.count("blueprint.") == len(found) and text.count("@blueprint.") == len(found)
    return (name[1], found) if name and found and whole else None
