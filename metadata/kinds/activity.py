"""`activity:`, `timeline:` and `next_action:` of an entity: what happens around its records, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.drafts import EntityDraft, Thing, World
from metadata.frozen import FrozenMap
from metadata.kinds.base import Reference, Wanted
from metadata.kinds.shape import NAME, Prop, Shape, flag, name, names, number, rule
from metadata.models.activity import Activity, NextAction, TimelinePart
from rules.typing import BOOLEAN

_MOMENTS = ("date", "datetime")
_FIELDS = {"activity": ("at", "kind", "text", "person"), "next_action": ("at", "signal", "idle", "plan")}


class ActivityShape(Shape):
    """Records of the entity are things that happen: calls, visits, tasks."""

    at = name(required=True, zh="何时（datetime 字段）", en="when: a datetime field")
    kind = name(zh="种类（select 字段），用其图标与颜色", en="of what kind: a select, with its icons and colours")
    text = name(zh="内容（文本字段）", en="what was said: a text field")
    person = name(zh="何人（user 字段）；省略时为负责人", en="who: a user field; the owner where left out")
    show = names(zh="时间线上另外显示的字段", en="fields the timeline tells, too")
    open = rule(zh="何时仍待完成", en="while this holds it is still to be done")
    done = Prop(
        schema={
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "minProperties": 1,
        },
        zh="完成时写入的字段与值",
        en="what doing it sets: field and value",
    )


class TimelineShape(Shape):
    """Related records that stand in the timeline."""

    short = "field"
    named_by = "field"
    field = name(required=True, zh="关联字段（related）", en="a `related` field")
    log = flag(
        zh="快速记录写到这里（须是有 activity 的实体）", en="the quick log writes here: its entity is an activity"
    )


class NextActionShape(Shape):
    """What comes next with a record, and how long it lay idle."""

    at = name(required=True, zh="下一步时间（date 或 datetime 字段）", en="when: a date or datetime field")
    signal = name(required=True, zh="状态（select 字段，通常是公式）", en="how urgent: a select, mostly a formula")
    idle = name(zh="未联系天数（integer 字段）", en="days without contact: an integer field")
    idle_after = number(1, 3650, zh="几天起提示", en="stands out from so many days on", default="30")
    plan = name(
        zh="计划下一步的关联字段（实体须有 activity）", en="the related field a step is planned in: an activity"
    )


def activity_references(thing: Thing) -> Iterable[Reference]:
    data = thing.data
    for word, keys in _FIELDS.items():
        given = data.get(word) or {}
        for key in keys:
            if isinstance(given.get(key), str):
                yield Reference(path=(word, key), to="field", name=given[key], entity=thing.name)
    for found in (data.get("activity") or {}).get("show") or ():
        yield Reference(path=("activity", "show", found), to="field", name=found, entity=thing.name)
    for found in (data.get("activity") or {}).get("done") or ():
        yield Reference(path=("activity", "done", found), to="field", name=found, entity=thing.name)
    for part in data.get("timeline") or ():
        yield Reference(path=("timeline", part["field"], "field"), to="field", name=part["field"], entity=thing.name)


def activity_expressions(thing: Thing) -> Iterable[Wanted]:
    given = (thing.data.get("activity") or {}).get("open")
    if isinstance(given, str):
        yield Wanted(path=("activity", "open"), text=given, entity=thing.name, expected=BOOLEAN)


def check_activity(thing: Thing, world: World) -> None:
    """Every field is of the kind its place needs; what the quick log and plans write to is an activity."""
    draft = world.entities.get(thing.name)
    if draft is None:
        return
    wanted: Mapping[tuple[str, str], tuple[str, ...]] = {
        ("activity", "at"): ("datetime",),
        ("activity", "kind"): ("select",),
        ("activity", "text"): ("text",),
        ("activity", "person"): ("user",),
        ("next_action", "at"): _MOMENTS,
        ("next_action", "signal"): ("select",),
        ("next_action", "idle"): ("integer",),
    }
    for (word, key), kinds in wanted.items():
        member = draft.fields.get(str((thing.data.get(word) or {}).get(key)))
        if member is not None and _kind(member) not in kinds:
            params: dict[str, Any] = {"name": member.name, "type": member.type_name, "wanted": " / ".join(kinds)}
            world.report("activity.field", thing, (word, key), **params)
    given = thing.data.get("activity") or {}
    if given.get("done") and "open" not in given:
        world.report("activity.done", thing, ("activity", "done"), at_key=True)
    for part in thing.data.get("timeline") or ():
        _related(draft, part["field"], ("timeline", part["field"]), world, active=part.get("log") is True)
    plan = (thing.data.get("next_action") or {}).get("plan")
    if isinstance(plan, str):
        _related(draft, plan, ("next_action", "plan"), world, active=True)


def _kind(member: Any) -> str:
    value = member.value_type
    return "user" if (value.kind, value.entity) == ("record", "user") else str(value.kind)


def _related(draft: EntityDraft, name: str, path: tuple[str, ...], world: World, *, active: bool) -> None:
    member = draft.fields.get(name)
    if member is None:
        return
    if member.type_name != "related":
        world.report("activity.related", draft.thing, path, name=name, type=member.type_name)
        return
    target = world.entities.get(str(member.spec.get("entity")))
    if active and target is not None and not target.thing.data.get("activity") and not target.thing.partial:
        world.report("activity.none", draft.thing, path, name=name, entity=target.name)


def build_activity(draft: EntityDraft) -> Activity | None:
    given = draft.thing.data.get("activity")
    if not given or given.get("at") not in draft.fields:
        return None
    names = {key: given[key] for key in ("kind", "text", "person") if given.get(key) in draft.fields}
    done = {k: v for k, v in (given.get("done") or {}).items() if k in draft.fields}
    show = tuple(n for n in given.get("show") or () if n in draft.fields)
    still = draft.thing.expression(("activity", "open"))
    return Activity(at=given["at"], show=show, open=still, done=FrozenMap(done), **names)


def build_timeline(draft: EntityDraft) -> tuple[TimelinePart, ...]:
    given = draft.thing.data.get("timeline") or ()
    return tuple(
        TimelinePart(field=p["field"], log=p.get("log") is True)
        for p in given
        if p["field"] in draft.fields and draft.fields[p["field"]].type_name == "related"
    )


def build_next_action(draft: EntityDraft) -> NextAction | None:
    given = draft.thing.data.get("next_action")
    if not given or not {given.get("at"), given.get("signal")} <= draft.fields.keys():
        return None
    names = {key: given[key] for key in ("idle", "plan") if given.get(key) in draft.fields}
    return NextAction(at=given["at"], signal=given["signal"], idle_after=given.get("idle_after", 30), **names)
