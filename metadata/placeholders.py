"""Texts with places to be filled: `{name}`, `{customer.owner.name}`. A doubled brace stands for itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)\}")


def paths_in(given: Any) -> Iterator[str]:
    """The paths a text names, or those of a text in all its languages; each once."""
    texts = given.values() if isinstance(given, Mapping) else [given]
    found = (match[1] for text in texts if isinstance(text, str) for match in _PLACE.finditer(text) if match[1])
    yield from dict.fromkeys(found)


def filled(text: str, value: Callable[[str], str]) -> str:
    """The text with each path replaced by what `value` answers for it."""
    return _PLACE.sub(lambda match: value(match[1]) if match[1] else match[0][0], text)
