"""Importing a library without the optional helpers that it would load where they happen to be installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Modules of these names cannot be imported meanwhile, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: what Python itself calls "not there"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
