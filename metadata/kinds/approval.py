"""approval: who agrees before something counts, step after step or side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from metadata.build.common import label, origin
from metadata.build.effects import build_effects
from metadata.drafts import EntityDraft, FieldDraft, Thing, World
from metadata.effect_checks import check_effects
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.effects import effect_expressions, effect_references, effects
from metadata.kinds.shape import (
    NAME,
    PATH,
    Defs,
    Json,
    Prop,
    Shape,
    duration,
    flag,
    name,
    names,
    one,
    one_of,
    parts,
    rule,
    texts,
)
from metadata.kinds.who import build_who, check_who, who_expressions, who_references, whos
from metadata.models.approval import ENDINGS, ApprovalStep
from metadata.models.approval import Approval as Model
from metadata.places import Path
from rules.approval_case import parse_need
from rules.durations import parse_duration
from rules.typing import BOOLEAN

TRIGGERS = ("submit", "create", "change", "revision")
_NEED: Json = {"type": ["string", "integer"], "minimum": 1, "maximum": 1000}
_NEED["pattern"] = r"^(any|all|vote|[1-9][0-9]?%|100%|[1-9][0-9]{0,2})$"


class StartShape(Shape):
    """When it starts."""

    short = "on"
    on = one_of(*TRIGGERS, zh="何时开始：提交、新建、字段变动、变更单", en="submit, create, change of fields, revision")
    fields = names(zh="哪些字段变动（on: change）", en="the fields whose change starts it (on: change)")
    when = rule(zh="需要审批的条件；不满足时提交即通过", en="where it is needed; what is submitted passes elsewhere")


class StepShape(Shape):
    """A step: people who are asked, or steps side by side."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="标题", en="title")
    by = whos(zh="审批人", en="who is asked")
    need = Prop(
        schema=_NEED,
        zh="需要多少人同意：any 任一（默认），all 全部，2 人，60%，vote 过半",
        en='how many must agree: any (the first decision counts; default), all, 2, "60%", vote (more than half)',
    )
    when = rule(zh="何时需要这一步", en="when the step is needed")
    own = one_of("manager", "skip", "ask", zh="审批人是提交人时", en="where the submitter is asked", default="manager")
    repeat = one_of("skip", "ask", zh="刚同意过的人", en="who has just agreed one step before", default="skip")
    timeout = duration(zh="期限", en="time to decide: 24h, 24wh, 3wd")
    on_timeout = one_of("escalate", "approve", "reject", "remind", zh="超时后", en="what then", default="remind")

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        found = super().json(defs, extend, in_container)
        if not extend and cls is StepShape:
            found["oneOf"] = [{"required": ["by"]}, {"required": ["parallel"]}]
        return found


class SideStepShape(StepShape):
    """One of the steps side by side."""


StepShape.parallel = parts(SideStepShape, zh="并行的步骤", en="steps side by side instead of `by`")  # type: ignore[attr-defined]
SideStepShape.parallel = None  # type: ignore[attr-defined]


@register
class Approval(Kind):
    word = "approval"
    folder = "rules"
    declared = True
    called = {"zh": "审批", "en": "Approval"}
    about = {
        "zh": "提交后由谁同意：依次或并行，任一、全部、几人、过半；上级、角色、部门负责人、字段、表达式；"
        "期限、升级、加签、转交、退回；审批中锁定，通过后执行动作。",
        "en": "Who agrees to what was submitted: one after the other or side by side, any, all, some, a vote; "
        "managers, roles, heads, fields, expressions; time limits and escalation; the record is locked meanwhile.",
    }
    example = """
entity: trip
label: {zh: 出差, en: Trip}
owner: person
fields:
  person: {type: user, default: "=user"}
  days: integer
  place: text
---
role: boss
label: {zh: 主管, en: Boss}
grants: {"*": {read: all, create: all, edit: all, assign: all}}
---
approval: trip
start: {on: submit, when: "days > 1"}
steps:
  - {name: manager, by: {manager_of: person}, timeout: 24wh, on_timeout: escalate}
  - name: review
    when: "days > 10"
    parallel:
      - {name: first, by: {role: boss}}
      - {name: second, by: {role: boss}, need: 2}
locks: [days, place]
on_approved: [{notify: person}]
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    entity = name(zh="实体，省略时同名", en="the entity, where the approval is not named after it")
    start = one(StartShape, required=True, zh="何时开始", en="when it starts")
    steps = parts(StepShape, required=True, zh="步骤", en="the steps in their order")
    locks = Prop(
        schema={
            "if": {"type": "string"},
            "then": {"const": "all"},
            "else": {"type": "array", "items": {"type": "string", "pattern": NAME}, "uniqueItems": True},
        },
        zh="审批中锁定的字段；all（默认）锁定整条记录及明细",
        en="fields locked meanwhile; all (default): the whole record and its lines",
        default="all",
    )
    shows = Prop(
        schema={"type": "array", "items": {"type": "string", "pattern": PATH}, "uniqueItems": True, "maxItems": 30},
        zh="审批人首先看到的字段",
        en="the fields an approver sees first",
    )
    withdraw = flag(zh="提交人可撤回", en="the submitter may take it back", default="true")
    moved = Prop(
        schema={
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"type": "string", "pattern": NAME},
        },
        zh="已删除的步骤 → 等在那里的审批转到哪一步",
        en="steps that are gone → where cases that wait at them go on",
    )
    keepers = whos(zh="找不到审批人时由谁处理；默认管理员", en="who is told where nobody is found; administrators")
    on_submitted = effects(zh="提交后", en="when it was submitted")
    on_approved = effects(zh="通过后", en="when it was approved")
    on_rejected = effects(zh="驳回后", en="when it was rejected")
    on_withdrawn = effects(zh="撤回后", en="when it was withdrawn")
    on_returned = effects(zh="退回提交人后", en="when it was returned to the submitter")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, approval_entity(thing)
        where: Path = ("entity",) if "entity" in data else (cls.word,)
        yield Reference(path=where, to="entity", name=entity)
        for index, found in enumerate(data["start"].get("fields") or ()):
            yield Reference(path=("start", "fields", index), to="field", name=found, entity=entity)
        if isinstance(data.get("locks"), list):
            for index, found in enumerate(data["locks"]):
                yield Reference(path=("locks", index), to="field", name=found, entity=entity)
        for index, found in enumerate(data.get("shows") or ()):
            yield Reference(path=("shows", index), to="path", name=found, entity=entity)
        for at, given in _people(data):
            yield from who_references(given, at, entity)
        for ending in ENDINGS:
            key = f"on_{ending}"
            yield from effect_references(data.get(key), (key,), entity, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, approval_entity(thing)
        yield from _when(data["start"], ("start",), entity)
        for at, step, _ in _steps(data):
            yield from _when(step, at, entity)
        for at, given in _people(data):
            yield from who_expressions(given, at, entity)
        for ending in ENDINGS:
            key = f"on_{ending}"
            yield from effect_expressions(data.get(key), (key,), entity, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, entity = thing.data, approval_entity(thing)
        if entity not in world.entities:
            return
        if not data.get("steps") and not thing.partial:
            world.report("approval.no_steps", thing, ("steps",))
        _check_start(thing, world)
        seen: set[str] = set()
        for at, step, _ in _steps(data):
            _check_step(at, step, seen, thing, world)
        for at, given in _people(data):
            check_who(given, at, entity, thing, world)
        for ending in ENDINGS:
            key = f"on_{ending}"
            check_effects(data.get(key), (key,), entity, thing, world)
        for gone, to in (data.get("moved") or {}).items():
            if gone in seen or to not in seen:
                code = "approval.moved_there" if gone in seen else "approval.moved_nowhere"
                world.report(code, thing, ("moved", gone), name=gone if gone in seen else to)
        _check_state(thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, approval_entity(thing)
        start = data["start"]
        if entity not in world.entities or _unread(thing, start, ("start",)):
            return None
        locks = data.get("locks", "all")
        keepers = (build_who(w, ("keepers", i), thing) for i, w in enumerate(data.get("keepers") or ()))
        then = ((e, build_effects(data.get(f"on_{e}"), (f"on_{e}",), entity, thing, world)) for e in ENDINGS)
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            trigger=start.get("on", "submit"),
            fields=tuple(start.get("fields") or ()),
            when=thing.expression(("start", "when")),
            steps=tuple(_built_steps(thing, world)),
            locks=None if locks == "all" else tuple(locks),
            shows=tuple(data.get("shows") or ()),
            withdraw=data.get("withdraw", True),
            moved=tuple(sorted((data.get("moved") or {}).items())),
            keepers=tuple(w for w in keepers if w is not None),
            effects=tuple((ending, made) for ending, made in then if made),
            fingerprint=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32],
            origin=origin(thing),
        )


def approval_entity(thing: Thing) -> str:
    """The entity an approval is about: declared, or of its own name."""
    found = thing.data.get("entity")
    return found if isinstance(found, str) else thing.name


def _steps(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any], int]]:
    """(path, step, stage) of every step and of those side by side, groups included."""
    for stage, step in enumerate(data.get("steps") or (), 1):
        at: Path = ("steps", step["name"])
        yield at, step, stage
        for inner in step.get("parallel") or ():
            yield (*at, "parallel", inner["name"]), inner, stage


def _people(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for at, step, _ in _steps(data):
        for index, given in enumerate(step.get("by") or ()):
            yield (*at, "by", index), given
    for index, given in enumerate(data.get("keepers") or ()):
        yield ("keepers", index), given


def _when(data: dict[str, Any], at: Path, entity: str) -> Iterable[Wanted]:
    if isinstance(data.get("when"), str):
        yield Wanted(path=(*at, "when"), text=data["when"], entity=entity, expected=BOOLEAN, allow_old=True)


def _unread(thing: Thing, data: dict[str, Any], at: Path) -> bool:
    """Whether a condition is given that could not be read."""
    return "when" in data and (*at, "when") not in thing.expressions


def _check_start(thing: Thing, world: World) -> None:
    start, entity = thing.data["start"], approval_entity(thing)
    on = start.get("on", "submit")
    if on == "change" and not start.get("fields"):
        world.report("approval.no_fields", thing, ("start",))
    if on != "change" and start.get("fields"):
        world.report("approval.fields_unused", thing, ("start", "fields"), on=on)
    declared = world.entities[entity].thing.data.get("revisions") or {}
    if on == "revision" and declared.get("approval") != thing.name:
        world.report("approval.no_revisions", thing, ("start",), name=thing.name, entity=entity)


def _check_step(at: Path, step: dict[str, Any], seen: set[str], thing: Thing, world: World) -> None:
    if step["name"] in seen:
        world.report("approval.step_twice", thing, (*at, "name"), name=step["name"])
    seen.add(step["name"])
    if "on_timeout" in step and "timeout" not in step:
        world.report("approval.no_timeout", thing, (*at, "on_timeout"), name=step["name"])
    if "parallel" in step:
        _check_group(at, step, thing, world)
        return
    need = parse_need(step.get("need", "any"))
    single = all(isinstance(w, dict) and not {"role", "team", "unit", "field"} & set(w) for w in step.get("by") or ())
    if single and need.kind == "count" and need.value > len(step.get("by") or ()):
        count = len(step.get("by") or ())
        world.report("approval.too_few", thing, (*at, "need"), need=need.value, count=count)


def _check_group(at: Path, step: dict[str, Any], thing: Thing, world: World) -> None:
    need, count = parse_need(step.get("need", "all")), len(step["parallel"] or ())
    if count < 2:
        world.report("approval.group", thing, (*at, "parallel"), name=step["name"])
    elif need.kind == "count" and need.value > count:
        world.report("approval.too_few", thing, (*at, "need"), need=need.value, count=count)
    for key in ("timeout", "on_timeout", "own", "repeat"):
        if key in step:
            world.report("approval.group_key", thing, (*at, key), key=key, name=step["name"])


def _check_state(thing: Thing, world: World) -> None:
    """What an approval sets when it ends well is worthless where people may write it themselves."""
    draft = world.entities[approval_entity(thing)]
    for effect in thing.data.get("on_approved") or ():
        for field in effect.get("set") or () if isinstance(effect.get("set"), dict) else ():
            member = draft.fields.get(field)
            if member is not None and member.value_type.kind == "select" and not _guarded(draft, member):
                path = ("on_approved", effect.get("name", "set"), "set", field)
                world.report("approval.state_open", thing, path, severity="warning", field=field, entity=draft.name)


def _guarded(draft: EntityDraft, member: FieldDraft) -> bool:
    """Whether something keeps people from writing it as they like: the field itself, or a check that reads it."""
    if member.spec.get("readonly") or "readonly_when" in member.spec:
        return True
    known = draft.thing.expressions.items()
    return any(at[0] == "checks" and (draft.name, member.name) in found.reads for at, found in known)


def _built_steps(thing: Thing, world: World) -> Iterator[ApprovalStep]:
    for stage, given in enumerate(thing.data.get("steps") or (), 1):
        at: Path = ("steps", given["name"])
        if "parallel" not in given:
            yield from _built(given, at, stage, None, thing, world)
            continue
        for inner in given["parallel"] or ():
            yield from _built(inner, (*at, "parallel", inner["name"]), stage, (at, given), thing, world)


def _built(
    given: dict[str, Any], at: Path, stage: int, group: tuple[Path, dict[str, Any]] | None, thing: Thing, world: World
) -> Iterator[ApprovalStep]:
    by = tuple(build_who(who, (*at, "by", index), thing) for index, who in enumerate(given.get("by") or ()))
    if _unread(thing, given, at) or (group is not None and _unread(thing, group[1], group[0])) or None in by:
        return
    shared = thing.expression((*group[0], "when")) if group is not None else None
    yield ApprovalStep(
        name=given["name"],
        label=label(thing, given.get("label"), given["name"], world),
        stage=stage,
        by=tuple(who for who in by if who is not None),
        need=parse_need(given.get("need", "any")),
        stage_need=parse_need(group[1].get("need", "all")) if group is not None else parse_need("all"),
        group=group[1]["name"] if group is not None else None,
        group_when=shared,
        when=thing.expression((*at, "when")),
        own=given.get("own", "manager"),
        repeat=given.get("repeat", "skip"),
        timeout=parse_duration(given["timeout"]) if "timeout" in given else None,
        on_timeout=given.get("on_timeout", "remind"),
    )
