"""Reading a value with several members: a JSON list, or text with the members separated."""

from __future__ import annotations

import re
from typing import Any

from metadata.fields.base import Rejection
from metadata.fields.reading import one_line

_SEPARATOR = re.compile("[,;，；、|\n\r]+")
MOST = 1000


def members_of(raw: Any) -> list[Any]:
    """The members of a list or tuple as they are, or the non-empty parts of a text. At most 1,000."""
    if isinstance(raw, str):
        if len(raw) > 100_000:
            raise Rejection("value.too_many", max=MOST)
        raw = [part for part in (one_line(p) for p in _SEPARATOR.split(raw)) if part]
    if not isinstance(raw, list | tuple):
        raise Rejection("value.not_a_list")
    if len(raw) > MOST:
        raise Rejection("value.too_many", max=MOST)
    return list(raw)


def joined(shown: list[tuple[str, str]]) -> str | None:
    """Text of members (shown, key) for a spreadsheet cell, the key standing in for what holds a separator itself."""
    return "; ".join(key if _SEPARATOR.search(text) else text for text, key in shown) or None
