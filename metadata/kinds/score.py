"""score: parts that give points, a range, and grades; a field of type `score` holds the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.drafts import Thing, World
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import condition
from metadata.kinds.shape import NAME, Json, Prop, Shape, flag, name, number, one, rule, text, texts
from metadata.kinds.shape import name as a_name
from metadata.kinds.shape import parts as some
from metadata.models.score import Score as Model
from metadata.scoring import build_score
from metadata.scoring_checks import check_score
from rules.typing import BOOLEAN, DATE, DATETIME, Type, decimal

_ANY_NUMBER = decimal(4, 18)
_POINTS: Json = {"if": {"type": "string"}, "then": {"pattern": "^=."}, "else": {"type": "number"}}


def _exact(*, zh: str, en: str, required: bool = False) -> Prop:
    return Prop(schema={"type": "number", "minimum": -1_000_000, "maximum": 1_000_000}, zh=zh, en=en, required=required)


class BandShape(Shape):
    """Points for values from one bound (included) to another (not included); a bound left out is open."""

    from_ = _exact(zh="从（含）", en="from, included")
    to = _exact(zh="到（不含）", en="to, not included")
    points = _exact(required=True, zh="分数", en="points")


class DecayShape(Shape):
    """Points fade evenly to nothing."""

    since = rule(required=True, zh="起算日期", en="the date they begin to fade; without one there are no points")
    days = number(1, 36_500, zh="多少天后归零", en="days until nothing is left")


class PartShape(Shape):
    """What gives points: `points` (when a condition holds), `bands` of a number, or `choices` of a select."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    points = Prop(schema=_POINTS, zh="分数，或以 = 开头的表达式", en='points, or an expression that starts with "="')
    when = rule(zh="何时给分", en="given only when this holds")
    segment = a_name(zh="何时给分：属于细分", en="given only to records of this segment")
    of = rule(zh="分段或选项所看的值", en="the value that bands or choices look at")
    bands = some(BandShape, zh="数值分段", en="points by ranges of a number")
    choices = Prop(
        schema={
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"type": "number", "minimum": -1_000_000, "maximum": 1_000_000},
            "minProperties": 1,
        },
        zh="按选项给分",
        en="points by choice of a select",
    )
    weight = _exact(zh="权重，乘以分数", en="factor of the points")
    decay = one(DecayShape, zh="随时间衰减", en="fades with time")
    cap = _exact(zh="本项最多多少分", en="the most this part gives")


class GradeShape(Shape):
    """A grade holds from its score up to the next higher one."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    from_ = _exact(required=True, zh="从多少分起（含）", en="least score")
    label = texts(zh="名称", en="label")
    colour = text(zh="颜色", en="colour", pattern=r"^(#[0-9a-fA-F]{6}|[a-z-]{2,20})$")
    icon = text(zh="图标", en="icon", pattern=r"^[a-z0-9-]{1,40}$")


@register
class Score(Kind):
    word = "score"
    folder = "rules"
    declared = True
    called = {"zh": "评分", "en": "Score"}
    about = {
        "zh": "按条件、数值分段、选项或表达式给记录打分，可加权、封顶、随时间衰减，并分等级。"
        "结果存放在 type: score 的字段里，等级在 type: grade 的字段里；字段、子记录或日期变化时自动更新。",
        "en": "Points for records by condition, ranges of a number, choices or an expression; with weights, caps, "
        "fading and grades. A field of type score holds the number, one of type grade the grade; both are kept right "
        "when a field, a child record or the date changes.",
    }
    example = """
score: visit_value
entity: visit
range: [0, 100]
parts:
  - {name: long, points: 40, when: "hours >= 4", label: {zh: 长时间拜访, en: Long visit}}
  - {name: hours, of: hours, bands: [{from: 1, to: 3, points: 10}, {from: 3, points: 30}], label: {zh: 时长, en: Hours}}
  - {name: recent, points: 30, decay: {since: visited_on, days: 90}, label: {zh: 最近, en: Recent}}
grades:
  - {name: a, from: 70, label: A, colour: green}
  - {name: b, from: 0, label: B}
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    entity = name(required=True, zh="实体", en="entity")
    when = rule(zh="适用于哪些记录；其余没有分数", en="which records have the score; the others have none")
    range = Prop(
        schema={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        zh="分数范围",
        en="least and greatest score",
        default="[0, 100]",
    )
    parts = some(PartShape, required=True, zh="评分项", en="what gives points")
    grades = some(GradeShape, zh="等级", en="grades, best first")
    history = flag(zh="保存每次变化的分数与明细", en="keep every change of the score with its parts")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        yield Reference(path=("entity",), to="entity", name=thing.data["entity"])
        for part in thing.data.get("parts") or ():
            if isinstance(part.get("segment"), str):
                yield Reference(path=("parts", part["name"], "segment"), to="segment", name=part["segment"])

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        entity = thing.data["entity"]
        yield from condition(thing.data, "when", (), entity)
        for part in thing.data.get("parts") or ():
            yield from _of_part(part, entity, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        check_score(thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        return build_score(thing, world)


def _of_part(part: Mapping[str, Any], entity: str, world: World) -> Iterable[Wanted]:
    at = ("parts", part["name"])
    points = part.get("points")
    if isinstance(points, str):
        yield Wanted(path=(*at, "points"), text=points[1:], entity=entity, expected=_ANY_NUMBER, skip=1)
    for key in ("when", "of"):
        if isinstance(part.get(key), str):
            expected = BOOLEAN if key == "when" else None
            yield Wanted(path=(*at, key), text=part[key], entity=entity, expected=expected)
    since = (part.get("decay") or {}).get("since")
    if isinstance(since, str):
        path = (*at, "decay", "since")
        yield Wanted(path=path, text=since, entity=entity, expected=_a_day(since, entity, world))


def _a_day(since: str, entity: str, world: World) -> Type:
    """A date; a field that is a moment will do as well."""
    found = world.field_at(entity, since.split("."))
    return DATETIME if found is not None and found.value_type.kind == "datetime" else DATE
