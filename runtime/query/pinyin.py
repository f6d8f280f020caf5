"""Pinyin of Chinese text: the stored key that sorts it, and the initials it is found by."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from rules.folding import fold

_LONGEST = 120  # characters that take part in sorting
_KNOWN = 8192  # characters remembered
_READING = re.compile(r'"(\d+)":\s*"([^",]+)')  # a code point and its first reading


class _Syllables:
    """The commonest reading, without its tone, of each Chinese character: 300 KB.

    The tables come from pypinyin's data file. The package itself would keep them, and more, as 13 MB of dictionaries.
    """

    def __init__(self) -> None:
        self._names: list[str] = [""]
        self._planes: dict[int, array[int]] = {}  # plane of Unicode -> index into the names by character
        package = find_spec("pypinyin")
        if package is None or not package.submodule_search_locations:
            raise ImportError("pypinyin is not installed")
        numbers: dict[str, int] = {}
        text = (Path(package.submodule_search_locations[0]) / "pinyin_dict.json").read_text(encoding="utf-8")
        for code, reading in (found.groups() for found in _READING.finditer(text)):
            name = reading.translate(_PLAIN)
            number = numbers.get(name)
            if number is None:
                number = numbers[name] = len(self._names)
                self._names.append(name)
            plane, place = divmod(int(code), 0x10000)
            if plane not in self._planes:
                self._planes[plane] = array("H", bytes(2 * 0x10000))
            self._planes[plane][place] = number

    def of(self, character: str) -> str | None:
        plane, place = divmod(ord(character), 0x10000)
        found = self._planes.get(plane)
        return (self._names[found[place]] or None) if found is not None else None


@lru_cache(maxsize=1)
def _syllables() -> _Syllables:
    return _Syllables()


def syllable(character: str) -> str | None:
    """The commonest reading without its tone: 深 → shen; None for what is no Chinese character."""
    return _syllables().of(character) if character >= "\u3400" else None


def sort_key(text: str | None) -> str | None:
    """What sorts the text: each Chinese character by its pinyin, then the character; the rest folded."""
    if text is None:
        return None
    if text.isascii():
        return text[:_LONGEST].casefold()
    return fold(text[:_LONGEST]).translate(_sounds())


def sort_keys(texts: Sequence[str | None]) -> list[str | None]:
    """The key of each text; where texts recur, each is worked out once."""
    distinct = set(texts)
    if len(distinct) * 2 > len(texts):
        return [sort_key(text) for text in texts]
    keys = {text: sort_key(text) for text in distinct}
    return [keys[text] for text in texts]


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
