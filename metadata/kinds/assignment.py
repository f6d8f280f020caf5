"""assignment: ordered rules that say who gets a record, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.build.common import frozen, label, origin
from metadata.drafts import Thing, World, suggestion
from metadata.frozen import FrozenMap
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import condition
from metadata.kinds.shape import (
    NAME,
    Defs,
    Json,
    Prop,
    Shape,
    anything,
    duration,
    flag,
    name,
    number,
    one,
    one_of,
    parts,
    path,
    rule,
    text,
    texts,
)
from metadata.kinds.who import as_list, build_who, check_who, who_expressions, who_references, whos
from metadata.models.assignment import Assignment as Model
from metadata.models.assignment import AssignmentRule, Confirm, Pick
from metadata.models.who import Who
from metadata.places import Path
from rules.assigning import strategies
from rules.durations import parse_duration
from rules.typing import BOOLEAN, Type, decimal

TRIGGERS = ("create", "import", "web")
PERSON = "user"
_FIGURES = ("load", "weight", "best")
_OF_RECORD = frozenset({"best", "where"})  # these may read the record as `this`


class PickShape(Shape):
    """One of several people."""

    from_ = whos(required=True, zh="候选人", en="the people to choose from")
    by = text(
        zh="选人方式：轮流、负载最少、技能、权重、表达式，或代码包注册的方式",
        en="round_robin (default), least_loaded, skill, weight, expression, or a strategy of a code package",
        pattern=NAME,
    )
    load = rule(zh="候选人当前负载", en="a person's load; without it the records of this entity they own")
    weight = rule(zh="候选人权重", en="a person's share, for by: weight")
    best = rule(zh="得分最高者当选", en="a person's figure for `this` record, for by: expression; the greatest wins")
    where = rule(zh="候选人须满足的条件", en="which people come into question for `this` record")
    skills = path(zh="候选人的技能字段", en="a person's skills, for by: skill")
    needs = path(zh="记录需要的技能字段", en="what the record needs, for by: skill")
    most = number(1, 1_000_000, zh="负载上限", en="people with this load take no more")
    options = anything(zh="代码包选人方式的参数", en="settings of a strategy of a code package")


class ElseShape(Shape):
    """Where records go that nobody gets."""

    short = "pool"
    pool = name(required=True, zh="公海", en="a pool")


class RuleShape(Shape):
    """A rule; the first that holds and finds somebody decides."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name, kept with the decision")
    label = texts(zh="标签", en="label")
    when = rule(zh="何时适用", en="for which records; all that get here where left out")
    pick = one(PickShape, zh="选人", en="choose a person")
    else_ = one(ElseShape, zh="放入公海", en="put into a pool; the last rule")

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        found = super().json(defs, extend, in_container)
        if not extend:
            found["anyOf"] = [{"required": ["pick"]}, {"required": ["else"]}]
        return found


class ConfirmShape(Shape):
    """Somebody agrees before the record is handed over."""

    by = whos(required=True, zh="由谁确认", en="who confirms")
    within = duration(zh="多久之内", en="within which time, such as 24wh")
    then = one_of("accept", "reject", zh="超时后", en="what then", default="accept")
    pool = name(zh="被拒后放入哪个公海", en="the pool for rejected records")


_TRIGGER = {"enum": list(TRIGGERS)}
_ON = {
    "if": {"type": "string"},
    "then": _TRIGGER,
    "else": {"type": "array", "items": _TRIGGER, "uniqueItems": True},
}


@register
class Assignment(Kind):
    word = "assignment"
    folder = "rules"
    declared = True
    called = {"zh": "分配规则", "en": "Assignment"}
    about = {
        "zh": "按顺序的规则决定记录归谁：轮流、负载最少、技能、权重、表达式；可先由经理确认；每个决定都记下原因。",
        "en": "Ordered rules say who gets a record: in turn, by load, skill, weight or an expression; a manager may "
        "confirm first; every decision is kept with its reasons.",
    }
    example = """
entity: request
label: {zh: 请求, en: Request}
owner: person
fields:
  person: {type: user, default: "=user"}
  urgent: boolean
---
role: boss
label: {zh: 主管, en: Boss}
grants: {"*": {read: all, create: all, edit: all, assign: all}}
---
assignment: request_to_person
entity: request
on: [create, import]
rules:
  - {name: urgent, when: "urgent", pick: {from: {role: boss}, by: least_loaded}}
  - {name: rest, pick: {from: {role: boss}, by: round_robin}}
confirm: {by: {role: boss}, within: 24wh, then: accept}
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    entity = name(required=True, zh="实体", en="entity")
    to = name(zh="写入哪个用户字段；省略时为负责人", en="the user field that is set; the entity's owner where left out")
    at = name(zh="分配时间写入哪个字段", en="a field for the moment of the assignment")
    on = Prop(
        schema=_ON,
        expand=lambda v: [v] if isinstance(v, str) else v,
        zh="何时自动执行；随时可手工执行",
        en="when it runs by itself: create, import, web; by hand it always can",
    )
    when = rule(zh="哪些记录", en="which records it concerns at all")
    rules = parts(RuleShape, required=True, zh="规则，依次判断", en="the rules, in their order")
    confirm = one(ConfirmShape, zh="确认", en="a proposal that somebody confirms")
    notify = flag(zh="通知被分配的人", en="tell the person", default="true")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        for key in ("to", "at"):
            if isinstance(data.get(key), str):
                yield Reference(path=(key,), to="field", name=data[key], entity=entity)
        for at, found in _rules(data):
            pool = (found.get("else") or {}).get("pool")
            if isinstance(pool, str):
                yield Reference(path=(*at, "else", "pool"), to="pool", name=pool)
            yield from _pick_references(found.get("pick"), (*at, "pick"), entity)
        confirm = data.get("confirm") or {}
        for index, given in enumerate(confirm.get("by") or ()):
            yield from who_references(given, ("confirm", "by", index), entity)
        if isinstance(confirm.get("pool"), str):
            yield Reference(path=("confirm", "pool"), to="pool", name=confirm["pool"])

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["entity"]
        yield from condition(data, "when", (), entity)
        for at, found in _rules(data):
            yield from condition(found, "when", at, entity)
            yield from _pick_expressions(found.get("pick"), (*at, "pick"), entity)
        for index, given in enumerate((data.get("confirm") or {}).get("by") or ()):
            yield from who_expressions(given, ("confirm", "by", index), entity)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, entity = thing.data, thing.data["entity"]
        if entity not in world.entities:
            return
        _check_target(thing, world)
        if not data.get("rules") and not thing.partial:
            world.report("assignment.empty", thing, ("rules",))
        closed: str | None = None
        for at, found in _rules(data):
            if closed is not None:
                world.report("assignment.unreachable", thing, at, name=found["name"], before=closed)
            if found.get("else") and found.get("pick"):
                world.report("assignment.both", thing, (*at, "else"), name=found["name"])
            _check_pick(found.get("pick"), (*at, "pick"), entity, thing, world)
            _check_pool((found.get("else") or {}).get("pool"), (*at, "else", "pool"), entity, thing, world)
            if found.get("else") and "when" not in found:
                closed = found["name"]
            if found.get("when") in ("False", "false"):
                world.report("assignment.unreachable", thing, (*at, "when"), name=found["name"], before="when")
        for index, given in enumerate((data.get("confirm") or {}).get("by") or ()):
            check_who(given, ("confirm", "by", index), entity, thing, world)
        _check_pool((data.get("confirm") or {}).get("pool"), ("confirm", "pool"), entity, thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data["entity"]
        to = target_of(thing, world)
        if entity not in world.entities or to is None or ("when" in data and ("when",) not in thing.expressions):
            return None
        made = (_rule(found, at, thing, world) for at, found in _rules(data))
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            to=to,
            at=data.get("at"),
            on=tuple(data.get("on") or ()),
            when=thing.expression(("when",)),
            rules=tuple(r for r in made if r is not None),
            confirm=_confirm(data.get("confirm"), thing),
            notify=data.get("notify", True),
            origin=origin(thing),
        )


def target_of(thing: Thing, world: World) -> str | None:
    """The user field a rule sets: declared, else the owner of its entity."""
    draft = world.entities.get(thing.data["entity"])
    declared = thing.data.get("to") or (draft.thing.data.get("owner") if draft else None)
    return declared if draft is not None and declared in draft.fields else None


def _rules(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [(("rules", found["name"]), found) for found in data.get("rules") or ()]


def _pick_references(pick: Any, at: Path, entity: str) -> Iterable[Reference]:
    if not isinstance(pick, dict):
        return
    for index, given in enumerate(pick.get("from") or ()):
        yield from who_references(given, (*at, "from", index), entity)
    for key, holder in (("skills", PERSON), ("needs", entity)):
        if isinstance(pick.get(key), str):
            yield Reference(path=(*at, key), to="path", name=pick[key], entity=holder)


def _pick_expressions(pick: Any, at: Path, entity: str) -> Iterable[Wanted]:
    if not isinstance(pick, dict):
        return
    for index, given in enumerate(pick.get("from") or ()):
        yield from who_expressions(given, (*at, "from", index), entity)
    for key in (*_FIGURES, "where"):
        if isinstance(pick.get(key), str):
            expected: Type = BOOLEAN if key == "where" else decimal()
            outer = entity if key in _OF_RECORD else None
            yield Wanted(path=(*at, key), text=pick[key], entity=PERSON, expected=expected, outer=outer)


def _check_target(thing: Thing, world: World) -> None:
    data, entity = thing.data, thing.data["entity"]
    draft = world.entities[entity]
    to = data.get("to") or draft.thing.data.get("owner")
    found = draft.fields.get(to) if isinstance(to, str) else None
    if to is None:
        world.report("assignment.no_owner", thing, ("entity",), entity=entity)
    elif found is not None and (found.value_type.entity != PERSON or found.value_type.kind != "record"):
        world.report("assignment.field", thing, ("to",) if "to" in data else ("entity",), name=to, wanted="user")
    moment = draft.fields.get(data.get("at") or "")
    if moment is not None and moment.value_type.kind != "datetime":
        world.report("assignment.field", thing, ("at",), name=moment.name, wanted="datetime")


_NEEDED = {"weight": ("weight",), "expression": ("best",), "skill": ("skills", "needs")}


def _check_pick(pick: Any, at: Path, entity: str, thing: Thing, world: World) -> None:
    if not isinstance(pick, dict):
        return
    by = pick.get("by") or "round_robin"
    known = strategies()
    if by not in known:
        world.report("assignment.strategy", thing, (*at, "by"), hint=suggestion(by, known), name=by)
    for key in _NEEDED.get(by, ()):
        if key not in pick:
            world.report("assignment.needs", thing, at, by=by, key=key)
    if not pick.get("from") and not thing.partial:
        world.report("assignment.nobody", thing, at)
    for index, given in enumerate(pick.get("from") or ()):
        check_who(given, (*at, "from", index), entity, thing, world)


def _check_pool(pool: Any, at: Path, entity: str, thing: Thing, world: World) -> None:
    for found in world.of_kind("pool"):
        if found.name == pool and found.data.get("entity") != entity:
            world.report("assignment.pool", thing, at, name=pool, entity=entity)


def _rule(found: dict[str, Any], at: Path, thing: Thing, world: World) -> AssignmentRule | None:
    pick = _pick(found.get("pick"), (*at, "pick"), thing)
    pool = (found.get("else") or {}).get("pool")
    lost = "when" in found and (*at, "when") not in thing.expressions
    if lost or (pick is None and pool is None):
        return None
    return AssignmentRule(
        name=found["name"],
        label=label(thing, found.get("label"), found["name"], world),
        when=thing.expression((*at, "when")),
        pick=pick,
        pool=pool if pick is None else None,
        origin=origin(thing, at),
    )


def people_of(given: Any, at: Path, thing: Thing, *, included: bool = True) -> tuple[Who, ...]:
    made = (build_who(found, (*at, index), thing, included=included) for index, found in enumerate(given or ()))
    return tuple(w for w in made if w is not None)


def _pick(pick: Any, at: Path, thing: Thing) -> Pick | None:
    if not isinstance(pick, dict):
        return None
    if any(key in pick and (*at, key) not in thing.expressions for key in (*_FIGURES, "where")):
        return None
    paths = {key: tuple(pick[key].split(".")) for key in ("skills", "needs") if isinstance(pick.get(key), str)}
    return Pick(
        people=people_of(pick.get("from"), (*at, "from"), thing, included=False),
        by=pick.get("by") or "round_robin",
        load=thing.expression((*at, "load")),
        weight=thing.expression((*at, "weight")),
        best=thing.expression((*at, "best")),
        where=thing.expression((*at, "where")),
        most=pick.get("most"),
        options=FrozenMap(dict(frozen(pick.get("options") or {}))),
        **paths,
    )


def _confirm(given: Any, thing: Thing) -> Confirm | None:
    if not isinstance(given, dict):
        return None
    return Confirm(
        by=people_of(as_list(given.get("by")), ("confirm", "by"), thing),
        within=parse_duration(given.get("within") or ""),
        then=given.get("then", "accept"),
        pool=given.get("pool"),
    )
