"""Numbers of records as addresses and forms carry them."""

from __future__ import annotations

MOST_DIGITS = 16  # beyond it no id or version lies, and Python itself refuses to read thousands of digits


def number_in(text: object) -> int | None:
    """The number that up to 16 ASCII digits say; None for everything else (`²` and `١` are digits, too)."""
    said = str(text)
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS else None
