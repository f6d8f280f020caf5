"""Pinyin of Chinese text: the stored key that sorts it, and the initials it is found by."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache

from rules.folding import fold

_LONGEST = 120  # characters that take part in sorting
_KNOWN = 8192  # characters remembered


@lru_cache(maxsize=1)
def _readings() -> dict[int, str]:
    """Code point -> its readings with tone marks; the commonest first. The phrase tables stay unloaded (memory)."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin.pinyin_dict import pinyin_dict  # late: a megabyte that only sites with Chinese text need

    return pinyin_dict


@lru_cache(maxsize=8192)
def syllable(character: str) -> str | None:
    """The commonest reading without its tone: 深 → shen; None for what is no Chinese character."""
    found = _readings().get(ord(character)) if character >= "\u3400" else None
    return None if found is None else found.split(",")[0].translate(_PLAIN)


def sort_key(text: str | None) -> str | None:
    """What sorts the text: each Chinese character by its pinyin, then the character; the rest folded."""
    if text is None:
        return None
    if text.isascii():
        return text[:_LONGEST].casefold()
    return fold(text[:_LONGEST]).translate(_sounds())


def initials(text: str) -> str:
    """深圳市腾讯科技 → szstxkj; other letters and digits stay."""
    return text.translate(_first_letters())


class _Letters(dict[int, str]):
    """What stands for a character, worked out when it is first met: a table for `str.translate`."""

    def __init__(self, of: Callable[[str], str]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, code: int) -> str:
        found = self._of(chr(code))
        if len(self) < _KNOWN:
            self[code] = found
        return found


@lru_cache(maxsize=1)
def _sounds() -> _Letters:
    return _Letters(lambda c: f"{s} {c}" if (s := syllable(c)) else c)


@lru_cache(maxsize=1)
def _first_letters() -> _Letters:
    return _Letters(lambda c: "" if not c.isalnum() else s[0] if (s := syllable(c)) else c)


def _plain() -> dict[int, str]:
    marked = {"a": "āáǎà", "e": "ēéěèê", "i": "īíǐì", "o": "ōóǒò", "u": "ūúǔù", "v": "ǖǘǚǜü", "n": "ńňǹ", "m": "ḿ"}
    table = {ord(m): plain for plain, letters in marked.items() for m in letters}
    return table | {0x0304: "", 0x0301: "", 0x030C: "", 0x0300: "", 0x0302: ""}


_PLAIN = _plain()
