"""segment: a named condition over an entity."""

from __future__ import annotations

from collections.abc import Iterable

from metadata.drafts import Thing, World
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import condition
from metadata.kinds.shape import name, rule, texts


@register
class Segment(Kind):
    word = "segment"
    folder = "layouts"
    called = {"zh": "细分", "en": "Segment"}
    about = {
        "zh": "给一组记录起名字的条件，列表、报表、群发都可以使用。",
        "en": "A named condition over an entity, usable in lists, reports and mailings.",
    }
    example = """
segment: long_visits
entity: visit
where: "hours >= 4"
"""
    entity = name(required=True, zh="实体", en="entity")
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    where = rule(required=True, zh="条件", en="condition")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        yield Reference(path=("entity",), to="entity", name=thing.data["entity"])

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        yield from condition(thing.data, "where", (), thing.data["entity"])
