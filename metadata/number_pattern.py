"""Patterns of record numbers, such as `KH{yyyy}-{seq:5}`."""

from __future__ import annotations

import re

from metadata.drafts import Thing, World
from metadata.places import Path

_PART = re.compile(r"\{([^{}]*)\}")
_SEQUENCE = re.compile(r"seq(:[1-9][0-9]?)?")
_DATES = re.compile(r"(?:yyyy|yy|MM|dd|[-/.])+")
_FIELD = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")


def check_pattern(pattern: str, thing: Thing, path: Path, world: World) -> None:
    """One `{seq:5}`, and any of `{yyyy} {yy} {MM} {dd}` (also joined: `{yyMM}`) and of the record's fields."""
    parts = list(_PART.finditer(pattern))
    sequences = [p for p in parts if _SEQUENCE.fullmatch(p[1])]
    for part in parts:
        if part not in sequences and not _DATES.fullmatch(part[1]) and not _FIELD.match(part[1]):
            world.report("number.part", thing, path, offset=part.start(), part=part[0][:40])
    if re.search(r"[{}]", _PART.sub("", pattern)):
        world.report("number.part", thing, path, part=pattern[:40])
    elif len(sequences) != 1:
        world.report("number.sequence", thing, path, pattern=pattern[:60])


def fields_in(pattern: str) -> list[tuple[int, str]]:
    """The fields a pattern shows, with the offset of each."""
    found = [(part.start() + 1, part[1]) for part in _PART.finditer(pattern)]
    return [(at, n) for at, n in found if _FIELD.match(n) and not _SEQUENCE.fullmatch(n) and not _DATES.fullmatch(n)]
