"""numbering: a pattern of numbers that several entities may share."""

from __future__ import annotations

from metadata.drafts import Thing, World
from metadata.kinds.base import Kind, register
from metadata.kinds.shape import flag, number, text, texts
from metadata.number_pattern import check_pattern


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
pattern: "V{yyyyMM}-{seq:4}"
"""
    label = texts(zh="名称", en="label")
    pattern = text(required=True, zh="样式", en="{yyyy} {yy} {MM} {dd}, fields, and one {seq:digits}")
    gapless = flag(zh="不留空号", en="no gaps: given in the transaction, one after the other")
    start = number(0, 10**9, zh="起始值", en="first value", default="1")

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_pattern(thing.data["pattern"], thing, ("pattern",), world)
