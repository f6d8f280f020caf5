"""options: a named set of choices."""

from __future__ import annotations

from typing import Any

from metadata.kinds.base import Kind, register
from metadata.kinds.fields import Choice, choice_map, choices_schema
from metadata.kinds.shape import Defs, Json, Prop, flag, texts, was


class _Choices(Prop):
    def json(self, defs: Defs, extend: bool) -> Json:
        item = Choice.reference(defs, extend, in_container=True)
        return choices_schema({"if": {"type": "null"}, "else": item})


@register
class Options(Kind):
    word = "options"
    folder = "entities"
    called = {"zh": "选项集", "en": "Options"}
    about = {
        "zh": "一组选项，供单选、多选字段使用。选项可带属性，表达式中读作 stage.closed。",
        "en": "A set of choices for select and multi_select fields. A choice may carry properties, "
        "read in expressions as `stage.closed`.",
    }
    example = """
options: stage
choices:
  new: {zh: 新建, en: New}
  won: {zh: 赢单, en: Won, colour: green, closed: true}
"""
    label = texts(zh="名称", en="label")
    choices = _Choices(
        shape=Choice,
        container="map",
        required=True,
        expand=choice_map,
        zh="选项",
        en="name → choice, or a list of names",
    )
    open = flag(zh="管理员可直接增加选项", en="admins add choices without publishing")
    was = was()
    retired = flag(zh="停用", en="no longer in use")

    @classmethod
    def build(cls, thing: Any, world: Any) -> Any:
        return None
