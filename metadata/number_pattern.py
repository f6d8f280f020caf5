"""Patterns of record numbers, such as `KH{yyyy}-{seq:5}` or `{plan.code}{store.code:3}{seq:6}-{check}`."""

from __future__ import annotations

import re
from typing import Any

from metadata.drafts import Thing, World
from metadata.places import Path
from rules.digits import ALGORITHMS

_PART = re.compile(r"\{([^{}]*)\}")
_SEQUENCE = re.compile(r"seq(:[1-9][0-9]?)?")
_DATES = re.compile(r"(?:yyyy|yy|MM|dd|[-/.])+")
_FIELD = re.compile(r"^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(?::([1-9][0-9]?))?$")
_CHECK = "check"
_DIGITS = re.compile(r"[0-9?*]{1,40}")


def check_pattern(pattern: str, thing: Thing, path: Path, world: World) -> None:
    """One `{seq:5}`, any of `{yyyy} {yy} {MM} {dd}` (also joined: `{yyMM}`), of the record's fields, one `{check}`."""
    parts = list(_PART.finditer(pattern))
    sequences = [p for p in parts if _SEQUENCE.fullmatch(p[1])]
    for part in parts:
        if part not in sequences and not _DATES.fullmatch(part[1]) and not _FIELD.match(part[1]):
            world.report("number.part", thing, path, offset=part.start(), part=part[0][:40])
    if re.search(r"[{}]", _PART.sub("", pattern)):
        world.report("number.part", thing, path, part=pattern[:40])
    elif len(sequences) != 1:
        world.report("number.sequence", thing, path, pattern=pattern[:60])


def check_settings(given: dict[str, Any], thing: Thing, path: Path, world: World) -> None:
    """The check digit has its place and a way to compute it; patterns of the sequence leave numbers to give."""
    pattern = given.get("pattern")
    if isinstance(pattern, str):
        wanted = pattern.count("{check}")
        if wanted != (1 if given.get("check") else 0):
            at = (*path, "check") if given.get("check") else (*path, "pattern")
            world.report("number.check", thing, at, known=", ".join(sorted(ALGORITHMS)))
    for key in ("skip", "reserved"):
        for index, found in enumerate(given.get(key) or ()):
            if not _DIGITS.fullmatch(str(found)):
                world.report("number.digits", thing, (*path, key, index), given=str(found)[:40])
            elif not re.search("[0-9]", str(found)):
                world.report("number.all_skipped", thing, (*path, key, index), given=str(found)[:40])


def fields_in(pattern: str) -> list[tuple[int, str]]:
    """The fields a pattern shows, with the offset of each."""
    found: list[tuple[int, str]] = []
    for part in _PART.finditer(pattern):
        named = _FIELD.match(part[1])
        inside = part[1]
        if named and inside != _CHECK and not _SEQUENCE.fullmatch(inside) and not _DATES.fullmatch(inside):
            found.append((part.start() + 1, named[1]))
    return found
