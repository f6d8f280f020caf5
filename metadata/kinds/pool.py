"""pool: records nobody owns: who takes them, how many, when they come back, and what is masked until then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.build.common import label, origin
from metadata.build.layout import columns as build_columns
from metadata.drafts import Thing, World
from metadata.kinds.assignment import people_of, target_of
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import ColumnShape, column_references, condition
from metadata.kinds.shape import Shape, duration, name, names, number, one, one_of, parts, rule, texts
from metadata.kinds.who import check_who, who_expressions, who_references, whos
from metadata.models.pool import Ceiling, Claim, ClaimApproval, Return, Shift
from metadata.models.pool import Pool as Model
from metadata.places import Path
from rules.durations import parse_duration

APPROVAL: Path = ("claim", "approval")
MOMENTS = ("since", "claimed", "protected")


class CeilingShape(Shape):
    """How many records a person may hold."""

    named_by = "name"
    name = name(zh="名称", en="name")
    label = texts(zh="标签", en="label")
    limit = number(1, 1_000_000, zh="上限", en="the most a person holds")
    when = rule(zh="只计哪些记录", en="which of the records held are counted")


def ceilings(given: Any) -> Any:
    """`50`, or a list of maps; the first without a name is called `all`."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = [{"limit": given}]
    if not isinstance(given, list):
        return given
    return [{"name": "all" if n == 0 else f"limit_{n}", **g} if isinstance(g, dict) else g for n, g in enumerate(given)]


class ApprovalShape(Shape):
    """Somebody agrees before a claim hands the record over; until then it lies in the pool and nobody else takes it."""

    by = whos(zh="由谁确认；省略时为公海管理者", en="who agrees; the managers where left out")
    when = rule(zh="哪些记录的领取须确认", en="for which records; for all where left out")
    within = duration(zh="多久之内", en="within which time, such as 24wh")
    then = one_of("reject", "accept", zh="超时后", en="what then", default="reject")


class ClaimShape(Shape):
    """What limits a claim."""

    daily = number(1, 100_000, zh="每人每天可领取数", en="claims per person and day")
    holding = parts(
        CeilingShape,
        expand=ceilings,
        alone={"type": "integer", "minimum": 1},
        zh="持有上限",
        en="ceilings of what a person holds: 50, or a list",
    )
    cooldown = duration(zh="原负责人多久内不能再领", en="how long a former owner waits")
    protect = duration(zh="保护期", en="how long no rule takes it back after it was taken")
    approval = one(ApprovalShape, zh="领取须确认", en="a claim that somebody agrees to")


class ReturnShape(Shape):
    """When a held record comes back by itself."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name, kept in the log")
    label = texts(zh="原因（给人看）", en="the reason, for people")
    since = rule(required=True, zh="从何时算起", en="the date or moment it is counted from")
    after = duration(required=True, zh="多久之后", en="how long after that")
    when = rule(zh="哪些记录", en="which records")
    warn = duration(zh="提前多久提醒", en="how long before that its owner is told")


class ShiftShape(Shape):
    """When a record that nobody takes goes on to another pool."""

    named_by = "name"
    to = name(required=True, zh="目标公海", en="the pool it goes to")
    name = name(required=True, zh="名称", en="name")
    after = duration(required=True, zh="多久无人领取", en="after lying here for so long")
    when = rule(zh="哪些记录", en="which records")


@register
class Pool(Kind):
    word = "pool"
    folder = "rules"
    declared = True
    called = {"zh": "公海", "en": "Pool"}
    about = {
        "zh": "无主记录的公海：谁可领取、每天多少、持有上限、原负责人冷却期、保护期、"
        "何时自动回收并提前提醒、领取前遮蔽哪些字段。",
        "en": "Records nobody owns: who may take them, how many a day, ceilings, cool-down of former owners, "
        "protection, when they come back by themselves with a warning before, and which fields are masked until "
        "they are taken.",
    }
    example = """
entity: request
label: {zh: 请求, en: Request}
owner: person
fields:
  person: {type: user, default: "=user"}
  phone: phone
  pool: {type: text, readonly: true}
  pooled_at: {type: datetime, readonly: true}
  taken_at: {type: datetime, readonly: true}
---
role: boss
label: {zh: 主管, en: Boss}
grants: {"*": {read: all, create: all, edit: all, assign: all}}
---
pool: open_requests
entity: request
field: pool
since: pooled_at
claimed: taken_at
members: {role: boss}
mask: [phone]
claim: {daily: 3, holding: 50, cooldown: 7d, protect: 48wh}
returns:
  - {name: idle, since: "coalesce(taken_at, created_at)", after: 15d, warn: 3d}
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    entity = name(required=True, zh="实体", en="entity")
    to = name(zh="负责人字段", en="the user field; the entity's owner where left out")
    field = name(
        required=True, zh="存放所在公海名称的字段", en="a select or text field that holds the name of the pool"
    )
    since = name(required=True, zh="进入公海的时间字段", en="a moment: when it came into the pool")
    claimed = name(zh="被领取的时间字段", en="a moment: when it was taken")
    protected = name(zh="保护期截止的时间字段", en="a moment: until when no rule takes it back")
    members = whos(required=True, zh="可领取的人", en="who may see and claim")
    managers = whos(zh="管理者", en="who may assign from it, move records, and see masked fields")
    accepts = rule(zh="接收哪些记录", en="which records may come into it")
    exempt = rule(zh="哪些记录不自动回收", en="which records no rule takes back")
    mask = names(zh="领取前遮蔽的字段", en="fields members do not see before the claim")
    columns = parts(ColumnShape, zh="公海页显示的列", en="columns of the page")
    claim = one(ClaimShape, zh="领取限制", en="limits of claims")
    returns = parts(ReturnShape, zh="自动回收", en="when held records come back")
    moves = parts(ShiftShape, zh="转入其他公海", en="when records go on to another pool")
    views = number(1, 100_000, zh="每人每天可查看的公海记录数", en="records of it a member opens in a day")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        for key in ("to", "field", *MOMENTS):
            if isinstance(data.get(key), str):
                yield Reference(path=(key,), to="field", name=data[key], entity=entity)
        for index, found in enumerate(data.get("mask") or ()):
            yield Reference(path=("mask", index), to="field", name=found, entity=entity)
        yield from column_references(data.get("columns"), ("columns",), entity)
        for at, found in _moves(data):
            yield Reference(path=(*at, "to"), to="pool", name=found["to"])
        for at, found in (*_people(data), *_approvers(data)):
            yield from who_references(found, at, entity)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["entity"]
        for key in ("accepts", "exempt"):
            yield from condition(data, key, (), entity)
        for at, found in _returns(data):
            if isinstance(found.get("since"), str):
                yield Wanted(path=(*at, "since"), text=found["since"], entity=entity)
            yield from condition(found, "when", at, entity)
        for at, found in (*_moves(data), *_ceilings(data), (APPROVAL, _approval(data))):
            yield from condition(found, "when", at, entity)
        for at, found in (*_people(data), *_approvers(data)):
            yield from who_expressions(found, at, entity)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        entity = thing.data["entity"]
        if entity not in world.entities:
            return
        _check_fields(thing, world)
        _check_mask(thing, world)
        _check_moves(thing, world)
        for at, found in _people(thing.data):
            check_who(found, at, entity, thing, world)
            if any(found.get(key) for key in ("field", "manager_of", "unit_head", "expression")):
                world.report("pool.people", thing, at)
        for at, found in _approvers(thing.data):
            check_who(found, at, entity, thing, world)
        _check_approval(thing, world)
        for at, _found in _returns(thing.data):
            since = thing.expression((*at, "since"))
            if since is not None and since.type.kind not in ("date", "datetime"):
                world.report("pool.since", thing, (*at, "since"), given=since.type.kind)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data["entity"]
        to = target_of(thing, world)
        fields = [data.get(k) for k in ("field", "since", "claimed", "protected") if data.get(k)]
        if entity not in world.entities or to is None:
            return None
        if any(f not in world.entities[entity].fields for f in fields) or _lost(data, (), thing, "accepts", "exempt"):
            return None
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            to=to,
            field=data["field"],
            since=data["since"],
            claimed=data.get("claimed"),
            protected=data.get("protected"),
            members=people_of(data.get("members"), ("members",), thing),
            managers=people_of(data.get("managers"), ("managers",), thing),
            accepts=thing.expression(("accepts",)),
            exempt=thing.expression(("exempt",)),
            mask=frozenset(data.get("mask") or ()).intersection(world.entities[entity].fields),
            columns=build_columns(data.get("columns"), entity, world),
            claim=_claim(data.get("claim") or {}, thing, world),
            returns=tuple(
                _return(f, at, thing, world) for at, f in _returns(data) if not _lost(f, at, thing, "since", "when")
            ),
            moves=tuple(_move(f, at, thing) for at, f in _moves(data) if not _lost(f, at, thing, "when")),
            views=data.get("views"),
            origin=origin(thing),
        )


def _returns(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [(("returns", found["name"]), found) for found in data.get("returns") or ()]


def _moves(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [(("moves", found["name"]), found) for found in data.get("moves") or ()]


def _ceilings(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    held = (data.get("claim") or {}).get("holding") or ()
    return [(("claim", "holding", found["name"]), found) for found in held]


def _people(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [((key, n), found) for key in ("members", "managers") for n, found in enumerate(data.get(key) or ())]


def _approval(data: dict[str, Any]) -> dict[str, Any]:
    return (data.get("claim") or {}).get("approval") or {}


def _approvers(data: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [((*APPROVAL, "by", n), found) for n, found in enumerate(_approval(data).get("by") or ())]


def _check_approval(thing: Thing, world: World) -> None:
    """Somebody has to be there who agrees, and a way to end is due only where there is an end."""
    given = _approval(thing.data)
    if "approval" in (thing.data.get("claim") or {}) and not given.get("by") and not thing.data.get("managers"):
        world.report("pool.no_approver", thing, APPROVAL)
    if "then" in given and "within" not in given:
        world.report("pool.then_without_within", thing, (*APPROVAL, "then"))


def _lost(data: dict[str, Any], at: Path, thing: Thing, *keys: str) -> bool:
    """Whether one of the rules could not be read."""
    return any(key in data and (*at, key) not in thing.expressions for key in keys)


def _check_fields(thing: Thing, world: World) -> None:
    data = thing.data
    draft = world.entities[data["entity"]]
    if target_of(thing, world) is None and not world.untrusted(draft.name):
        world.report("assignment.no_owner", thing, ("entity",), entity=draft.name)
    for key in MOMENTS:
        found = draft.fields.get(data.get(key) or "")
        if found is not None and found.value_type.kind != "datetime":
            world.report("assignment.field", thing, (key,), name=found.name, wanted="datetime")
    home = draft.fields.get(data["field"])
    if home is None:
        return
    if home.type_name not in ("select", "text"):
        world.report("assignment.field", thing, ("field",), name=home.name, wanted="select / text")
    elif home.type_name == "select":
        known = world.options.get(str(home.spec.get("options")))
        if known is not None and thing.name not in known.choices:
            world.report("pool.choice", thing, ("field",), name=thing.name, options=known.name, field=home.name)


def _check_mask(thing: Thing, world: World) -> None:
    """A mask holds for columns of the entity and for its lines; not for what makes a record's title."""
    draft = world.entities[thing.data["entity"]]
    title = world.title_field(draft.name)
    masked = set(thing.data.get("mask") or ()) & draft.fields.keys()
    for index, found in enumerate(thing.data.get("mask") or ()):
        member = draft.fields.get(found)
        if member is None:
            continue
        many = (member.type is not None and member.type.storage in ("choices", "links", "none")) or member.live
        unique = member.spec.get("unique") is True  # what is unique can be asked for by writing it
        if member.system or unique or found == title or (many and member.type_name != "lines"):
            world.report("pool.mask", thing, ("mask", index), name=found)
    for other in world.entities.values():
        for member in other.fields.values():
            formula = other.thing.expression((*member.path, "formula"))
            reads = {n for e, n in formula.reads if e == draft.name} if formula else set()
            reads |= _shown(other.name, member.spec.get("of"), draft.name, world)
            found_here = sorted(reads & masked)
            if other.name != draft.name and found_here:
                place = [other.thing.place(member.path)]
                name_ = f"{other.name}.{member.name}"
                world.report("pool.mask_read", thing, ("mask",), related=place, name=found_here[0], reader=name_)


def _shown(entity: str, of: Any, target: str, world: World) -> set[str]:
    """The fields of `target` that a lookup shows."""
    if not isinstance(of, str):
        return set()
    *way, last = of.split(".")
    holder = world.field_at(entity, way) if way else None
    return {last} if holder is not None and holder.value_type.entity == target else set()


def _check_moves(thing: Thing, world: World) -> None:
    by_name = {t.name: t for t in world.of_kind("pool")}
    for at, found in _moves(thing.data):
        target = by_name.get(found["to"])
        if target is not None and target.data.get("entity") != thing.data["entity"]:
            world.report("assignment.pool", thing, (*at, "to"), name=found["to"], entity=thing.data["entity"])
        trail, here = [thing.name], found["to"]
        while here in by_name and here not in trail:
            trail.append(here)
            onward = [m["to"] for _, m in _moves(by_name[here].data)]
            here = thing.name if thing.name in onward else next((n for n in onward if n not in trail), "")
        if here == thing.name:
            world.report("pool.loop", thing, (*at, "to"), names=" → ".join([*trail, thing.name]))


def _claim(data: dict[str, Any], thing: Thing, world: World) -> Claim:
    held = [(at, f) for at, f in _ceilings({"claim": data}) if not _lost(f, at, thing, "when")]
    return Claim(
        daily=data.get("daily"),
        holding=tuple(
            Ceiling(
                name=found["name"],
                label=label(thing, found.get("label"), found["name"], world),
                limit=found.get("limit", 1_000_000),
                when=thing.expression((*at, "when")),
            )
            for at, found in held
        ),
        cooldown=parse_duration(data.get("cooldown") or ""),
        protect=parse_duration(data.get("protect") or ""),
        approval=_build_approval(data, thing),
    )


def _build_approval(data: dict[str, Any], thing: Thing) -> ClaimApproval | None:
    given = data.get("approval")
    if given is None or _lost(given, APPROVAL, thing, "when"):
        return None
    return ClaimApproval(
        by=people_of(given["by"], (*APPROVAL, "by"), thing)
        if given.get("by")
        else people_of(thing.data.get("managers"), ("managers",), thing),
        when=thing.expression((*APPROVAL, "when")),
        within=parse_duration(given.get("within") or ""),
        then=given.get("then") or "reject",
    )


def _return(found: dict[str, Any], at: Path, thing: Thing, world: World) -> Return:
    since, after = thing.expression((*at, "since")), parse_duration(found["after"])
    assert since is not None  # the shape and the type check saw to it
    assert after is not None
    return Return(
        name=found["name"],
        label=label(thing, found.get("label"), found["name"], world),
        since=since,
        after=after,
        when=thing.expression((*at, "when")),
        warn=parse_duration(found.get("warn") or ""),
        origin=origin(thing, at),
    )


def _move(found: dict[str, Any], at: Path, thing: Thing) -> Shift:
    after = parse_duration(found["after"])
    assert after is not None
    return Shift(
        name=found["name"], to=found["to"], after=after, when=thing.expression((*at, "when")), origin=origin(thing, at)
    )
