"""numbering: a pattern of numbers that several entities may share."""

from __future__ import annotations

import re

from metadata.drafts import Thing, World
from metadata.kinds.base import Kind, register
from metadata.kinds.shape import PATH, flag, number, text, texts
from metadata.places import Path

_PART = re.compile(r"\{([^{}]*)\}")
_SEQUENCE = re.compile(r"seq(:[1-9][0-9]?)?")
_DATES = re.compile(r"(yyyy|yy|mm|MM|dd)+")
_FIELD = re.compile(PATH)


def check_pattern(pattern: str, thing: Thing, path: Path, world: World) -> None:
    """One `{seq:5}`, and any of `{yyyy} {yy} {mm} {dd}` (also joined: `{yymm}`) and of the record's fields."""
    parts = list(_PART.finditer(pattern))
    sequences = [p for p in parts if _SEQUENCE.fullmatch(p[1])]
    for part in parts:
        if part not in sequences and not _DATES.fullmatch(part[1]) and not _FIELD.match(part[1]):
            world.report("number.part", thing, path, offset=part.start(), part=part[0][:40])
    if len(sequences) != 1:
        world.report("number.sequence", thing, path, pattern=pattern[:60])
    if re.search(r"[{}]", _PART.sub("", pattern)):
        world.report("number.part", thing, path, part=pattern[:40])


@register
class Numbering(Kind):
    word = "numbering"
    folder = "rules"
    called = {"zh": "编号规则", "en": "Numbering"}
    about = {
        "zh": "编号样式。每当 {seq} 之前的部分变化，流水号重新开始。",
        "en": "A pattern of numbers. The count starts anew whenever the part before `{seq}` changes.",
    }
    example = """
numbering: visit_number
pattern: "V{yyyy}{mm}-{seq:4}"
"""
    label = texts(zh="名称", en="label")
    pattern = text(required=True, zh="样式", en="{yyyy} {yy} {mm} {dd} and one {seq:digits}")
    gapless = flag(zh="不留空号", en="no gaps: given in the transaction, one after the other")
    start = number(0, 10**9, zh="起始值", en="first value", default="1")

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_pattern(thing.data["pattern"], thing, ("pattern",), world)


def fields_in(pattern: str) -> list[tuple[int, str]]:
    """The fields a pattern shows, with the offset of each."""
    found = [(part.start() + 1, part[1]) for part in _PART.finditer(pattern)]
    return [(at, n) for at, n in found if _FIELD.match(n) and not _SEQUENCE.fullmatch(n) and not _DATES.fullmatch(n)]
