"""Letters that count as the same, defined so that every database can do exactly the same as Python.

Folding is NFKC, then one lower-case letter for each letter of the Latin, Greek, Cyrillic and Armenian alphabets that
has exactly one, then ß as ss and a plain i for İ. Letters of other scripts stay as they are.
"""

from __future__ import annotations

import unicodedata

_RANGES = ((0xC0, 0x590), (0x1E00, 0x2000))
WHITE = " \t\n\r\v\f\x85\xa0\u2002\u2003\u2009\u200a\u202f\u205f\u3000\ufeff"
MAX_TEXT = 100_000  # characters that joining texts makes at most
SPECIAL = (("ß", "ss"), ("ẞ", "ss"), ("İ", "i"))


def _letters() -> list[str]:
    return [chr(code) for low, high in _RANGES for code in range(low, high)]


def _single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    special = {letter for letter, _ in SPECIAL}
    return {a: b for a, b in pairs if len(b) == 1 and a != b and a not in special and b not in special}


LOWER = _single([(c, c.lower()) for c in _letters()])
UPPER = {a: b for a, b in _single([(c, c.upper()) for c in _letters()]).items() if b > "\x7f"}
FOLD = {
    a: b
    for a, b in _single([(c, c.casefold()) for c in _letters()]).items()
    if unicodedata.normalize("NFKC", a) == a and unicodedata.normalize("NFKC", b) == b
}

_ASCII_LOWER = {chr(c): chr(c + 32) for c in range(65, 91)}
_ASCII_UPPER = {chr(c): chr(c - 32) for c in range(97, 123)}
_LOWER_TABLE = str.maketrans(LOWER | _ASCII_LOWER)
_UPPER_TABLE = str.maketrans(UPPER | _ASCII_UPPER)
_FOLD_TABLE = str.maketrans(FOLD | _ASCII_LOWER | dict(SPECIAL))


def lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_LOWER_TABLE)


def upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER_TABLE)


def fold(text: str) -> str:
    """What `contains`, `starts_with` and `ends_with` compare."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text)
    # every letter that is folded has another form without case: most Chinese text has none of them
    return text if text.casefold() == text else text.translate(_FOLD_TABLE)


def storable(text: str | None) -> str | None:
    """The text, or None where no database could hold it (NUL, halves of surrogate pairs)."""
    if text is None or "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        return None
    return text
