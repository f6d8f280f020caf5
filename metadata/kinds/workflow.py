"""workflow: what happens by itself when a record changes, a date comes, a time is due, or another program calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from metadata.build.common import label, origin, text
from metadata.build.effects import build_effects
from metadata.drafts import Thing, World, suggestion
from metadata.effect_checks import check_effects
from metadata.fields.base import field_types
from metadata.frozen import FrozenMap
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.effects import effect_expressions, effect_references, effects
from metadata.kinds.shape import NAME, Defs, Json, Prop, Shape, duration, flag, name, names, one_of, path, rule, texts
from metadata.kinds.shape import text as text_of
from metadata.kinds.who import as_list
from metadata.loops import check_loops
from metadata.models.workflow import RECORD_EVENTS, Trigger
from metadata.models.workflow import Workflow as Model
from rules.durations import parse_duration
from rules.typing import BOOLEAN, Type

EVENTS = ("create", "update", "delete", "restore")
HOOKS = ("signature", "token", "open")
KINDS_OF_TRIGGER = ("event", "update", "move", "date", "cron", "hook")
CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
CRON = re.compile(r"^[0-9*/,-]+( [0-9*/,A-Za-z#L?-]+){4}$")
_NO_PARAMETER = ("lines", "related", "lookup", "secret", "file", "image", "files", "score", "links", "any_link")


class TriggerShape(Shape):
    """What sets it off: an event of the record, a move, a date, a time, or a call. Exactly one."""

    short = "event"
    event = one_of(*EVENTS, zh="记录事件", en="an event of a record")
    update = names(zh="这些字段变化时", en="one of these fields changes")
    move = name(zh="单选字段变化时", en="a select moves")
    to = names(zh="变为", en="with move: into one of these choices")
    from_ = names(zh="从", en="with move: out of one of these choices")
    date = path(zh="相对某日期字段", en="a date or moment of the record")
    before = duration(zh="提前", en="with date: this long before")
    after = duration(zh="之后", en="with date: this long after")
    at = text_of(zh="当天几点", en="with date: time of day, 09:00 where left out", pattern=CLOCK.pattern)
    cron = text_of(zh="定时（cron）", en="at the times of a cron expression", pattern=CRON.pattern)
    hook = one_of(*HOOKS, zh="外部调用 /hooks/名称", en="a call of /hooks/<name>: how the caller proves itself")

    @classmethod
    def json(cls, defs: Defs, extend: bool, in_container: bool = False) -> Json:
        """Lists of choices and fields may be a single one."""
        whole = cls.object_schema(defs, extend, in_container)
        single = {"type": "string", "pattern": NAME}
        for key in ("update", "to", "from"):
            whole["properties"][key] = {"if": {"type": "string"}, "then": single, "else": whole["properties"][key]}
        return {"if": {"type": "string"}, "then": cls.props()["event"].json(defs, False), "else": whole}

    @classmethod
    def canonical(cls, value: Any) -> Any:
        found = super().canonical(value)
        if isinstance(found, dict):
            for key in ("update", "to", "from"):
                if key in found:
                    found[key] = as_list(found[key])
        return found


class _Triggers(Prop):
    def json(self, defs: Defs, extend: bool) -> Json:
        single = TriggerShape.reference(defs, False)
        return {"if": {"type": "array"}, "then": {"type": "array", "items": single, "minItems": 1}, "else": single}


_TAKES = {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": {"type": "string"}}


@register
class Workflow(Kind):
    word = "workflow"
    folder = "rules"
    declared = True
    called = {"zh": "工作流", "en": "Workflow"}
    about = {
        "zh": "记录变化、日期来到、定时或外部调用时自动执行的步骤；可等待，失败会重试，每次执行都有记录。",
        "en": "Steps done by themselves when a record changes, a date comes, a time is due or a program calls; "
        "they may wait, are retried, and every run is on record.",
    }
    example = """
workflow: long_visit
entity: visit
on: create
when: "hours >= 8"
steps:
  - {notify: {to: created_by, subject: {zh: "长时间拜访：{subject}", en: "A long visit: {subject}"}}}
  - {wait: 2d, unless: "hours < 8"}
  - {set: {subject: "'Long: {subject}'"}}
"""
    entity = name(zh="实体", en="entity; none for a workflow that is about no record")
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    on = _Triggers(
        shape=TriggerShape, container="list", required=True, expand=as_list, zh="何时触发", en="what sets it off"
    )
    when = rule(zh="条件", en="condition; may look at old values where a change sets it off")
    steps = effects(required=True, zh="步骤", en="what is done, one after the other")
    run = one_of(
        "later",
        "now",
        zh="何时执行：提交之后，或随保存一起（只能赋值）",
        en="after the commit; or now: with the save, only `set`",
        default="later",
    )
    enabled = flag(zh="启用", en="in use", default="true")
    takes = Prop(
        schema=_TAKES, zh="外部调用的参数及类型", en="what a hook takes: name → field type, read as params.name"
    )

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data.get("entity")
        if isinstance(entity, str):
            yield Reference(path=("entity",), to="entity", name=entity)
            for index, trigger in enumerate(data.get("on") or ()):
                here = ("on", index) if isinstance(thing.document.data.get("on"), list) else ("on",)
                for field in trigger.get("update") or ():
                    yield Reference(path=(*here, "update"), to="field", name=field, entity=entity)
                if isinstance(trigger.get("move"), str):
                    yield Reference(path=(*here, "move"), to="field", name=trigger["move"], entity=entity)
                if isinstance(trigger.get("date"), str):
                    yield Reference(path=(*here, "date"), to="path", name=trigger["date"], entity=entity)
        yield from effect_references(data.get("steps"), ("steps",), entity, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data.get("entity")
        more: dict[str, Any] = {"allow_old": _changes(data), "parameters": parameters(data)}
        if isinstance(data.get("when"), str):
            yield Wanted(path=("when",), text=data["when"], entity=entity, expected=BOOLEAN, **more)
        yield from effect_expressions(data.get("steps"), ("steps",), entity, world, **more)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, entity = thing.data, thing.data.get("entity")
        for index, trigger in enumerate(data.get("on") or ()):
            here = ("on", index) if isinstance(thing.document.data.get("on"), list) else ("on",)
            _check_trigger(trigger, here, entity, thing, world)
        if not data.get("steps") and not thing.partial:
            world.report("workflow.empty", thing, ("steps",))
        check_effects(data.get("steps"), ("steps",), entity, thing, world, waits=True)
        _check_takes(data, thing, world)
        if data.get("run") == "now":
            _check_now(data, thing, world)
        check_loops(thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data.get("entity")
        if (entity is not None and entity not in world.entities) or (
            "when" in data and ("when",) not in thing.expressions
        ):
            return None
        triggers = tuple(_trigger(given) for given in data.get("on") or ())
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            help=text(data.get("help"), world),
            triggers=triggers,
            when=thing.expression(("when",)),
            steps=build_effects(data.get("steps"), ("steps",), entity, thing, world),
            now=data.get("run") == "now",
            enabled=data.get("enabled", True) is not False,
            takes=FrozenMap(dict(data.get("takes") or {})),
            origin=origin(thing),
        )


def event_of(trigger: Mapping[str, Any]) -> str | None:
    """create, update, delete, restore, move, date, cron, hook; None where it says none of them or several."""
    given = [key for key in KINDS_OF_TRIGGER if trigger.get(key) is not None]
    if len(given) != 1:
        return None
    return str(trigger["event"]) if given[0] == "event" else given[0]


def _changes(data: Mapping[str, Any]) -> bool:
    """Whether every trigger is a change of the record, so that old values are known."""
    events = {event_of(trigger) for trigger in data.get("on") or ()}
    return bool(events) and events <= RECORD_EVENTS


def parameters(data: Mapping[str, Any]) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for key, kind in (data.get("takes") or {}).items():
        known = field_types().get(kind)
        if known is not None and not known.required_properties and kind not in _NO_PARAMETER:
            found[key] = known.value_type({})
    return found


def _check_takes(data: Mapping[str, Any], thing: Thing, world: World) -> None:
    fitting = parameters(data)
    known = sorted(n for n, t in field_types().items() if not t.required_properties and n not in _NO_PARAMETER)
    for key, kind in (data.get("takes") or {}).items():
        if key not in fitting:
            params: dict[str, Any] = {"given": kind, "known": ", ".join(known)}
            world.report("shape.one_of", thing, ("takes", key), hint=suggestion(kind, known), **params)


def _check_trigger(trigger: Mapping[str, Any], at: Any, entity: str | None, thing: Thing, world: World) -> None:
    event = event_of(trigger)
    if event is None:
        world.report("workflow.trigger", thing, at, known=", ".join((*EVENTS, *KINDS_OF_TRIGGER[2:])))
        return
    if entity is None and event not in ("cron", "hook"):
        world.report("effect.no_record", thing, at, word=event)
        return
    if entity is not None and event == "hook":
        world.report("workflow.hook_entity", thing, at)
    for key in ("to", "from"):
        if event != "move" and trigger.get(key):
            world.report("effect.belongs", thing, (*at, key), at_key=True, key=key, words="move")
    for key in ("before", "after", "at"):
        if event != "date" and trigger.get(key):
            world.report("effect.belongs", thing, (*at, key), at_key=True, key=key, words="date")
    if event == "move":
        _check_move(trigger, at, str(entity), thing, world)
    if event == "date":
        found = world.field_at(str(entity), trigger["date"].split("."))
        if found is not None and found.value_type.kind not in ("date", "datetime"):
            world.report("workflow.not_a_date", thing, (*at, "date"), name=trigger["date"])
        if trigger.get("before") and trigger.get("after"):
            world.report("effect.belongs", thing, (*at, "before"), at_key=True, key="before / after", words="date")
    if event == "cron":
        check_cron(trigger["cron"], (*at, "cron"), thing, world)


def check_cron(given: str, at: Any, thing: Thing, world: World) -> None:
    """The five parts lie in their ranges."""
    limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    for part, (low, high) in zip(given.split(), limits):
        numbers = [int(n) for n in re.findall(r"(?<![/\d])\d+", part)]
        if any(not low <= n <= high for n in numbers):
            world.report("workflow.cron", thing, at, given=given)
            return


def _check_move(trigger: Mapping[str, Any], at: Any, entity: str, thing: Thing, world: World) -> None:
    found = world.field_at(entity, [trigger["move"]])
    if found is None:
        return
    if found.value_type.kind != "select" or found.value_type.options is None:
        world.report("workflow.not_a_select", thing, (*at, "move"), name=trigger["move"])
        return
    known = world.choices(found.value_type.options)
    for key in ("to", "from"):
        for choice in trigger.get(key) or ():
            if choice not in known and not world.open_options(found.value_type.options):
                params: dict[str, Any] = {"given": choice, "known": ", ".join(known)}
                world.report("shape.one_of", thing, (*at, key), hint=suggestion(choice, known), **params)


def _check_now(data: Mapping[str, Any], thing: Thing, world: World) -> None:
    for item in data.get("steps") or ():
        if item.get("set") is None or item.get("on") is not None:
            world.report("workflow.now", thing, ("steps", item["name"]))
    if not {event_of(trigger) for trigger in data.get("on") or ()} <= {"create", "update", "move"}:
        world.report("workflow.now", thing, ("run",))


def _trigger(given: Mapping[str, Any]) -> Trigger:
    event = event_of(given) or "none"
    offset = parse_duration(given.get("before") or given.get("after") or "")
    return Trigger(
        event=event,
        fields=tuple(given.get("update") or ()),
        field=given.get("move"),
        into=tuple(given.get("to") or ()),
        out_of=tuple(given.get("from") or ()),
        path=tuple(given["date"].split(".")) if event == "date" else (),
        offset=offset,
        before=given.get("before") is not None,
        at=time.fromisoformat(given["at"]) if given.get("at") else time(9),
        cron=given.get("cron"),
        hook=given.get("hook"),
    )


__all__ = ["Workflow", "check_cron", "event_of", "parameters"]
