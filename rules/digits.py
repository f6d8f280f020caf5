"""Check digits of numbers: pure functions over the characters before the digit; letters count as A=10 … Z=35.

Everything else (spaces, dashes) is left out. Every algorithm answers the text that stands for `{check}`.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(algorithm: str, text: str) -> str:
    """The check digit or digits of `text`. KeyError for an algorithm that is not there."""
    return ALGORITHMS[algorithm](text)


def fits(patterns: tuple[str, ...], digits: str) -> bool:
    """Whether the digits of a sequence match one of the patterns: `*` any digits, `?` one."""
    return any(fnmatchcase(digits, pattern) for pattern in patterns)


def _plain(text: str) -> list[int]:
    return [int(c) for c in text if "0" <= c <= "9"]


def _expanded(text: str) -> list[int]:
    """Digits; a letter as the two digits of its value."""
    return [int(d) for c in text.upper() if c.isascii() and c.isalnum() for d in str(int(c, 36))]


def _luhn(text: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(_expanded(text))):
        doubled = digit * 2 if index % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def _weights_731(text: str) -> str:
    """Weights 7, 3, 1 over the digits from the left; letters do not count."""
    return str(-sum(d * (7, 3, 1)[i % 3] for i, d in enumerate(_plain(text))) % 10)


def _weights_31(text: str) -> str:
    """Weights 3, 1 from the right, as on articles (EAN); letters do not count."""
    return str(-sum(d * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(_plain(text)))) % 10)


def _mod11_10(text: str) -> str:
    """ISO/IEC 7064 MOD 11,10; letters do not count."""
    product = 10
    for digit in _plain(text):
        product = ((product + digit) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def _mod97(text: str) -> str:
    """ISO/IEC 7064 MOD 97-10: two digits."""
    number = int("".join(map(str, _expanded(text))) or "0")
    return f"{98 - number * 100 % 97:02d}"


def _damm(text: str) -> str:
    """Finds every single error and every swap of neighbours; letters do not count."""
    state = 0
    for digit in _plain(text):
        state = _DAMM[state][digit]
    return str(state)


ALGORITHMS: dict[str, Callable[[str], str]] = {
    "luhn": _luhn,
    "weights_731": _weights_731,
    "weights_31": _weights_31,
    "mod11_10": _mod11_10,
    "mod97": _mod97,
    "damm": _damm,
}
