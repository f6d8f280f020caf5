"""numbering: a pattern of numbers that several entities may share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.drafts import Thing, World
from metadata.kinds.base import Kind, Reference, register
from metadata.kinds.shape import Prop, Shape, flag, names, number, one_of, text, texts
from metadata.number_pattern import check_pattern, check_settings
from metadata.places import Path
from rules.digits import ALGORITHMS


def _digits(*, zh: str, en: str) -> Prop:
    item = {"type": "string", "minLength": 1, "maxLength": 40}
    return Prop(schema={"type": "array", "items": item, "uniqueItems": True, "maxItems": 50}, zh=zh, en=en)


class NumberedShape(Shape):
    """How numbers are counted, whether they are written in the entity or in a document of their own."""

    gapless = flag(zh="不留空号", en="no gaps: given in the transaction, one after the other")
    start = number(0, 10**9, zh="起始值", en="first value", default="1")
    check_ = one_of(*sorted(ALGORITHMS), zh="校验位算法，用于 {check}", en="how {check} is computed")
    skip = _digits(zh="跳过的流水号，如 *4*", en="sequences that are never given, such as *4*")
    reserved = _digits(zh="保留的流水号，如 *888", en="sequences kept for a grant by hand, such as *888")
    granted_by = names(zh="可授予保留号的角色", en="roles that may grant a reserved number, besides administrators")


def numbering_references(data: Mapping[str, Any], at: Path) -> Iterable[Reference]:
    for index, role in enumerate(data.get("granted_by") or ()):
        yield Reference(path=(*at, "granted_by", index), to="role", name=role)


@register
class Numbering(NumberedShape, Kind):
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
    pattern = text(
        required=True, zh="样式", en="{yyyy} {yy} {MM} {dd}, fields such as {store.code:3}, one {seq:digits}"
    )

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        yield from numbering_references(thing.data, ())

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_pattern(thing.data["pattern"], thing, ("pattern",), world)
        check_settings(thing.data, thing, (), world)
