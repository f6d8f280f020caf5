"""Text that a spreadsheet would take for a formula: made harmless on the way out, restored on the way in."""

from __future__ import annotations

import re

# Also behind blanks, and in full width: spreadsheets fold both before they look.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r]")
_NEUTRALISED = re.compile(r"'(?='*\s*[=+\-@＝＋－＠\t\r])")


def neutralised(text: str) -> str:
    """`text` with a `'` before what would start a formula; a text that already looks so gets another one."""
    return f"'{text}" if text and (_FORMULA.match(text) or _NEUTRALISED.match(text)) else text


def restored(text: str) -> str:
    """The text that `neutralised` was given."""
    return text[1:] if text[:1] == "'" and _NEUTRALISED.match(text) else text
