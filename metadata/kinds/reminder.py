"""reminder: people are told of records that stay as they are for too long, once per match and period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from metadata.build.common import label, origin, text
from metadata.build.effects import build_effects
from metadata.drafts import Thing, World, suggestion
from metadata.effect_checks import check_effects
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.effects import People, effect_expressions, effect_references, effects
from metadata.kinds.shape import (
    Defs,
    Json,
    Prop,
    Shape,
    duration,
    flag,
    name,
    one,
    parts,
    path,
    rule,
    texts,
)
from metadata.kinds.shape import text as text_prop
from metadata.kinds.who import build_who, check_who, who_expressions, who_references
from metadata.kinds.workflow import CRON, check_cron
from metadata.models.reminder import CountByPerson, Escalation
from metadata.models.reminder import Reminder as Model
from metadata.models.who import Who
from metadata.placeholders import paths_in
from metadata.places import Path
from rules.durations import PATTERN, Duration, parse_duration
from rules.typing import BOOLEAN, INTEGER, decimal

EVERY = "0 9 * * *"
PERSON = "user"
_COUNTED = {"count": INTEGER, "median": decimal(2)}
_NOT_COUNTED = ("since", "after", "repeat", "escalate", "then", "stop", "by")


class SinceShape(Shape):
    """The moment a tracked field took its present value."""

    entered = name(required=True, zh="进入当前值的字段", en="a tracked select: since it has its present value")


class _Since(Prop):
    def json(self, defs: Defs, extend: bool) -> Json:
        plain: Json = {"type": "string", "minLength": 1}
        return {"if": {"type": "string"}, "then": plain, "else": SinceShape.reference(defs, False)}


class _After(Prop):
    """A duration, or one per choice."""

    def json(self, defs: Defs, extend: bool) -> Json:
        single: Json = {"type": "string", "pattern": PATTERN}
        return {"if": {"type": "string"}, "then": single, "else": {"type": "object", "additionalProperties": single}}


class EscalationShape(Shape):
    """Who else is told where the first were told in vain."""

    after = duration(zh="首次提醒之后", en="so long after the first notice")
    at = duration(zh="起点之后", en="or so long after the anchor")
    to = People(zh="通知谁", en="who is told")


class CountShape(Shape):
    """Records counted by person."""

    by = path(required=True, zh="按哪个用户字段统计", en="the user field that records are counted by")
    of = People(zh="统计哪些人", en="the people counted, also those without any")
    when = rule(required=True, zh="何时提醒：params.count 与 params.median", en="when: params.count and params.median")


@register
class Reminder(Kind):
    word = "reminder"
    folder = "rules"
    declared = True
    called = {"zh": "提醒", "en": "Reminder"}
    about = {
        "zh": "记录长时间没有动静时提醒负责人，无人理会时逐级上报；每条记录每个周期只提醒一次。",
        "en": "Tells people of records that stay as they are for too long, and climbs where nobody heeds it; once per "
        "record and period.",
    }
    example = """
reminder: unvisited
entity: visit
where: "hours is None"
since: "visited_on"
after: 3wd
to: created_by
repeat: 7d
escalate:
  - {after: 2wd, to: {manager_of: created_by}}
subject: {zh: "请补记 {subject} 的时长", en: "Enter the hours of {subject}"}
"""
    entity = name(required=True, zh="实体", en="entity")
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    segment = name(zh="细分", en="the segment it is about")
    where = rule(zh="条件", en="which records; together with the segment")
    stop = rule(zh="何时停止", en="stops where this holds, besides no longer matching")
    since = _Since(
        zh="起点：日期、表达式或 {entered: 字段}", en="from when: a date, an expression, or {entered: field}", rule=True
    )
    after = _After(zh="多久之后", en="how long after it; or one per choice of the field named by `by`")
    by = name(zh="时长按哪个单选字段", en="the select whose choices have an `after` of their own")
    every = text_prop(
        zh="何时检查（cron），默认每天 09:00", en="when to look, 0 9 * * * where left out", pattern=CRON.pattern
    )
    to = People(zh="提醒谁", en="who is told")
    subject = texts(zh="一行内容；{字段} 会替换为值", en="the line; {field} is filled in")
    repeat = duration(zh="仍未处理时多久再提醒", en="again after so long while it lasts; once where left out")
    escalate = parts(EscalationShape, zh="逐级上报", en="who else is told, later and later")
    count = one(CountShape, zh="按人统计", en="count records by person instead")
    then = effects(zh="首次提醒时执行", en="what is done at the first notice")
    mail = flag(zh="同时发邮件", en="also by e-mail", default="true")
    enabled = flag(zh="启用", en="in use", default="true")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        if isinstance(data.get("segment"), str):
            yield Reference(path=("segment",), to="segment", name=data["segment"])
        entered = data["since"].get("entered") if isinstance(data.get("since"), Mapping) else None
        if isinstance(entered, str):
            yield Reference(path=("since", "entered"), to="field", name=entered, entity=entity)
        if isinstance(data.get("by"), str):
            yield Reference(path=("by",), to="field", name=data["by"], entity=entity)
        about = PERSON if data.get("count") else entity
        for at, who in _people(data):
            yield from who_references(who, at, about)
        for found in paths_in(data.get("subject")):
            if not (data.get("count") and found in _COUNTED):
                yield Reference(path=("subject",), to="path", name=found, entity=about)
        count = data.get("count") or {}
        if isinstance(count.get("by"), str):
            yield Reference(path=("count", "by"), to="path", name=count["by"], entity=entity)
        for index, who in enumerate(count.get("of") or ()):
            yield from who_references(who, ("count", "of", index), None)
        yield from effect_references(data.get("then"), ("then",), entity, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["entity"]
        for key in ("where", "stop"):
            if isinstance(data.get(key), str):
                yield Wanted(path=(key,), text=data[key], entity=entity, expected=BOOLEAN)
        segment = next((t for t in world.of_kind("segment") if t.name == data.get("segment")), None)
        if segment is not None:
            yield Wanted(path=("segment",), text=segment.data["where"], entity=entity, expected=BOOLEAN)
        if isinstance(data.get("since"), str):
            yield Wanted(path=("since",), text=data["since"], entity=entity)
        about = PERSON if data.get("count") else entity
        for at, who in _people(data):
            yield from who_expressions(who, at, about)
        if isinstance((data.get("count") or {}).get("when"), str):
            found = data["count"]["when"]
            yield Wanted(path=("count", "when"), text=found, entity=PERSON, expected=BOOLEAN, parameters=_COUNTED)
        yield from effect_expressions(data.get("then"), ("then",), entity, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, entity = thing.data, thing.data["entity"]
        if not data.get("to") and not data.get("then") and not data.get("count") and not thing.partial:
            world.report("reminder.empty", thing, ("reminder",))
        if not data.get("where") and not data.get("segment") and not thing.partial:
            world.report("shape.required", thing, ("entity",), key="where / segment")
        about = PERSON if data.get("count") else entity
        for at, who in _people(data):
            check_who(who, at, about, thing, world)
        if data.get("every"):
            check_cron(data["every"], ("every",), thing, world)
        _check_anchor(data, entity, thing, world)
        _check_escalation(data, thing, world)
        if data.get("count"):
            _check_count(data, entity, thing, world)
        check_effects(data.get("then"), ("then",), entity, thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data["entity"]
        keys = [key for key in ("where", "stop", "since", "segment") if isinstance(data.get(key), str)]
        if entity not in world.entities or any((key,) not in thing.expressions for key in keys):
            return None
        since = data.get("since")
        after = data.get("after")
        count = _count(thing)
        if data.get("count") and count is None:
            return None
        where = (thing.expression(("segment",)), thing.expression(("where",)))
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            help=text(data.get("help"), world),
            where=tuple(found for found in where if found is not None),
            stop=thing.expression(("stop",)),
            since=thing.expression(("since",)) if isinstance(since, str) else None,
            entered=since.get("entered") if isinstance(since, Mapping) else None,
            after=parse_duration(after) if isinstance(after, str) else None,
            after_by=_by_choice(after) if isinstance(after, Mapping) else (),
            by=data.get("by"),
            every=data.get("every") or EVERY,
            to=_who(data.get("to"), ("to",), thing),
            subject=text(data.get("subject"), world),
            repeat=parse_duration(data.get("repeat") or ""),
            escalate=tuple(_escalation(given, index, thing) for index, given in enumerate(data.get("escalate") or ())),
            count=count,
            then=build_effects(data.get("then"), ("then",), entity, thing, world),
            mail=data.get("mail", True) is not False,
            enabled=data.get("enabled", True) is not False,
            origin=origin(thing),
        )


def _people(data: Mapping[str, Any]) -> Iterable[tuple[Path, Any]]:
    for index, who in enumerate(data.get("to") or ()):
        yield ("to", index), who
    for level, given in enumerate(data.get("escalate") or ()):
        for index, who in enumerate(given.get("to") or ()):
            yield ("escalate", level, "to", index), who


def _who(given: Any, at: Path, thing: Thing, *, included: bool = True) -> tuple[Who, ...]:
    found = (build_who(who, (*at, index), thing, included=included) for index, who in enumerate(given or ()))
    return tuple(who for who in found if who is not None)


def _by_choice(after: Mapping[str, str]) -> tuple[tuple[str, Duration], ...]:
    pairs = ((choice, parse_duration(given)) for choice, given in after.items())
    return tuple((choice, found) for choice, found in pairs if found is not None)


def _escalation(given: Mapping[str, Any], level: int, thing: Thing) -> Escalation:
    after, at = parse_duration(given.get("after") or ""), parse_duration(given.get("at") or "")
    return Escalation(to=_who(given.get("to"), ("escalate", level, "to"), thing), after=after, at=at)


def _count(thing: Thing) -> CountByPerson | None:
    given, when = thing.data.get("count"), thing.expression(("count", "when"))
    if not isinstance(given, Mapping) or when is None:
        return None
    of = _who(given.get("of"), ("count", "of"), thing, included=False)
    return CountByPerson(by=tuple(given["by"].split(".")), of=of, when=when)


def _check_anchor(data: Mapping[str, Any], entity: str, thing: Thing, world: World) -> None:
    since = data.get("since")
    if since is None:
        for key in ("after", "by"):
            if data.get(key) is not None:
                world.report("reminder.after", thing, (key,), key=key)
        return
    if isinstance(since, Mapping):
        field = world.field_at(entity, [str(since.get("entered"))])
        if field is not None and field.spec.get("tracked") is not True:
            world.report("reminder.not_tracked", thing, ("since", "entered"), name=since["entered"])
    else:
        found = thing.expression(("since",))
        if found is not None and found.type.kind not in ("date", "datetime"):
            world.report("reminder.since", thing, ("since",))
    after = data.get("after")
    if isinstance(after, Mapping):
        field = world.field_at(entity, [str(data.get("by"))]) if data.get("by") else None
        if field is None or field.value_type.kind != "select":
            world.report("shape.required", thing, ("after",), key="by")
            return
        known = world.choices(field.value_type.options or "")
        for choice in after:
            if choice not in known:
                hint = suggestion(choice, known)
                params: dict[str, Any] = {"name": choice, "field": data["by"]}
                world.report("reminder.choice", thing, ("after", choice), at_key=True, hint=hint, **params)


_HOURS = {"m": 1 / 60, "h": 1, "wh": 3, "d": 24, "wd": 24 * 7 / 5, "w": 168}


def _length(found: Duration) -> timedelta:
    """About how long; working time by an ordinary week."""
    return timedelta(hours=found.amount * _HOURS[found.unit])


def _check_escalation(data: Mapping[str, Any], thing: Thing, world: World) -> None:
    told = [_told(who) for who in data.get("to") or ()]
    before: dict[str, timedelta] = {}
    for level, given in enumerate(data.get("escalate") or ()):
        keys = [key for key in ("after", "at") if given.get(key)]
        if len(keys) != 1:
            world.report("shape.required", thing, ("escalate", level), key="after / at")
            continue
        if keys[0] == "at" and data.get("since") is None:
            world.report("reminder.after", thing, ("escalate", level, "at"), key="at")
        found = parse_duration(given[keys[0]])
        if found is None:
            continue
        if keys[0] in before and _length(found) <= before[keys[0]]:
            world.report("reminder.escalation", thing, ("escalate", level, keys[0]), given=given[keys[0]])
        before[keys[0]] = _length(found)
        here = [_told(who) for who in given.get("to") or ()]
        if here and all(one in told for one in here):
            world.report("reminder.ring", thing, ("escalate", level, "to"), level=str(level + 1))
        told += here
        if not here:
            world.report("shape.required", thing, ("escalate", level), key="to")


def _told(who: Any) -> tuple[Any, ...]:
    """People in the same words are the same people."""
    if not isinstance(who, Mapping):
        return (who,)
    plain = {key: value for key, value in who.items() if not (key == "level" and value == 1)}
    return tuple(sorted(plain.items()))


def _check_count(data: Mapping[str, Any], entity: str, thing: Thing, world: World) -> None:
    for key in _NOT_COUNTED:
        if data.get(key) is not None:
            world.report("reminder.count", thing, (key,), at_key=True, key=key)
    found = world.field_at(entity, data["count"]["by"].split("."))
    if found is not None and found.value_type.entity != PERSON:
        world.report("who.not_a_person", thing, ("count", "by"), name=data["count"]["by"], wanted=PERSON)
    if not data["count"].get("of"):
        world.report("shape.required", thing, ("count",), key="of")
