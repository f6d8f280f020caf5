"""conversion: what a record becomes, with its lines, in parts or once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.build.common import label, origin, text
from metadata.build.effects import build_effects
from metadata.drafts import Thing, World
from metadata.effect_checks import check_effects
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.effects import effect_expressions, effect_references, effects
from metadata.kinds.shape import NAME, Prop, Shape, flag, name, named, one, rule, texts
from metadata.kinds.shape import text as text_of
from metadata.kinds.values import build_values, check_values, is_rule, value_expressions, value_references, values
from metadata.models.conversion import Conversion as Model
from metadata.models.conversion import LineMap, Target, Undo
from metadata.places import Path
from rules.typing import BOOLEAN, decimal

_LINKS = {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": {"type": "string"}}
_NUMBERS = ("integer", "decimal")


def _names(*, zh: str, en: str) -> Prop:
    return Prop(schema=_LINKS, zh=zh, en=en)


class LinesShape(Shape):
    """Lines of the target from a collection of the source."""

    short = "from"
    from_ = name(required=True, zh="来源的明细字段", en="lines or related field of the source")
    where = rule(zh="取哪些明细", en="which of them")
    map = values(zh="字段对应", en="fields of the new line: = expressions over the source's line, or fixed values")
    quantity = name(zh="目标数量字段", en="field of the new line that gets the quantity taken over")
    left = rule(zh="来源明细的剩余数量", en="how much of a source line is left")
    back = name(zh="指回来源明细的链接", en="link of the new line to the line it comes from")


class ExistingShape(Shape):
    """A record that is taken instead of making one."""

    short = None
    match = Prop(
        schema={
            "if": {"type": "array"},
            "then": {"items": {"type": "object"}, "minItems": 1, "maxItems": 5},
            "else": {"type": "object", "minProperties": 1},
        },
        required=True,
        expand=lambda v: [v] if isinstance(v, dict) else v,
        zh="字段都相等即为同一记录；列表为依次尝试",
        en="a record with equal fields is taken; several ways are tried in order",
    )


class TargetShape(Shape):
    """A record that is made."""

    entity = name(required=True, zh="实体", en="entity")
    label = texts(zh="名称", en="label; that of the entity where left out")
    when = rule(zh="何时才生成", en="made only when this holds")
    map = values(zh="字段对应", en="fields: = expressions over the source, or fixed values")
    made = _names(zh="指向先生成的记录", en="links to targets made before: field → target")
    back = name(zh="指回来源的链接", en="link to the source")
    existing = one(ExistingShape, zh="先找已有记录", en="a record that is there already is taken")
    lines = named(LinesShape, zh="明细", en="lines")


class UndoShape(Shape):
    """How the result is taken back."""

    when = rule(zh="结果满足时才可撤销", en="allowed while this holds of the result")
    set = values(zh="撤销时结果的取值", en="what the result says then")
    source = values(zh="撤销时来源的取值", en="what the source says then")


@register
class Conversion(Kind):
    word = "conversion"
    folder = "rules"
    declared = True
    called = {"zh": "转换", "en": "Conversion"}
    about = {
        "zh": "把一条记录连同明细转成另一条或几条：字段对应、已有则不新建、部分数量、双向链接、只转一次、可撤销。",
        "en": "Makes other records of a record and its lines: fields mapped, existing ones taken, quantities in parts, "
        "links both ways, once only, undone where allowed.",
    }
    example = """
conversion: visit_again
from: visit
label: {zh: 再次拜访, en: Visit again}
when: "hours > 0"
why: {zh: 先填写时长, en: Enter the hours first}
to:
  next:
    entity: visit
    map: {subject: "=subject", visited_on: "=visited_on + days(7)"}
"""
    from_ = name(required=True, zh="来源实体", en="entity that is converted")
    label = texts(zh="名称", en="label")
    icon = text_of(zh="图标", en="icon", pattern=r"^[a-z0-9-]{1,40}$")
    when = rule(zh="何时可转", en="open while this holds")
    why = texts(zh="不可转时的说明", en="said where it is closed")
    once = flag(zh="只转一次", en="only once; an undone one does not count")
    to = named(TargetShape, required=True, zh="生成的记录", en="what is made, in order")
    result = name(zh="主要结果", en="the target people go on with; the last where left out")
    keep = _names(zh="来源上的链接", en="links of the source: field → target")
    source = values(zh="转换后来源的取值", en="what the source says afterwards, set together with `keep`")
    undo = one(UndoShape, zh="撤销", en="how the result is taken back")
    then = effects(zh="之后执行", en="effects on the source afterwards")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, source = thing.data, thing.data["from"]
        yield Reference(path=("from",), to="entity", name=source)
        for target, given in (data.get("to") or {}).items():
            yield from _target_references(given, ("to", target), source, world)
        for field in data.get("keep") or ():
            yield Reference(path=("keep", field), to="field", name=field, entity=source)
        yield from value_references(data.get("source") or {}, ("source",), source, source, world)
        undo = data.get("undo") or {}
        result = _result_entity(data)
        yield from value_references(undo.get("set") or {}, ("undo", "set"), result, result, world)
        yield from value_references(undo.get("source") or {}, ("undo", "source"), source, source, world)
        yield from effect_references(data.get("then"), ("then",), source, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, source = thing.data, thing.data["from"]
        if isinstance(data.get("when"), str):
            yield Wanted(path=("when",), text=data["when"], entity=source, expected=BOOLEAN)
        for target, given in (data.get("to") or {}).items():
            yield from _target_expressions(given, ("to", target), source, world)
        undo = data.get("undo") or {}
        result = _result_entity(data)
        if isinstance(undo.get("when"), str) and result is not None:
            yield Wanted(path=("undo", "when"), text=undo["when"], entity=result, expected=BOOLEAN)
        yield from value_expressions(data.get("source") or {}, ("source",), source, source, world)
        yield from value_expressions(undo.get("source") or {}, ("undo", "source"), source, source, world)
        yield from effect_expressions(data.get("then"), ("then",), source, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, source = thing.data, thing.data["from"]
        targets = data.get("to") or {}
        if not targets and not thing.partial:
            world.report("conversion.nothing", thing, ("conversion",), name=thing.name)
        seen: dict[str, Any] = {}
        for target, given in targets.items():
            _check_target(target, given, seen, thing, world)
            seen[target] = given
        for field, target in (data.get("keep") or {}).items():
            _check_made(field, target, source, seen, ("keep", field), thing, world)
        result = data.get("result")
        if result is not None and result not in targets:
            hint = world.suggest("target", result, list(targets))
            world.report("conversion.target", thing, ("result",), hint=hint, name=result, known=", ".join(targets))
        main = targets.get(_result(data)) or {}
        if (data.get("once") or data.get("undo")) and not main.get("back") and not thing.partial:
            word = "once" if data.get("once") else "undo"
            world.report("conversion.no_back", thing, (word,), name=_result(data) or "-", word=word)
        undo = data.get("undo")
        if undo is not None:
            _check_undo(undo, main, thing, world)
            check_values(undo.get("source") or {}, ("undo", "source"), source, source, thing, world)
        check_values(data.get("source") or {}, ("source",), source, source, thing, world)
        check_effects(data.get("then"), ("then",), source, thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, source = thing.data, thing.data["from"]
        when, result = thing.expression(("when",)), _result(data)
        found = [_build_target(n, g, ("to", n), source, thing, world) for n, g in (data.get("to") or {}).items()]
        targets = tuple(target for target in found if target is not None)
        if (
            source not in world.entities
            or not targets
            or len(targets) < len(found)
            or ("when" in data and when is None)
        ):
            return None
        if result not in (data.get("to") or {}):
            return None
        return Model(
            name=thing.name,
            entity=source,
            label=label(thing, data.get("label"), thing.name, world),
            icon=data.get("icon"),
            when=when,
            why=text(data.get("why"), world),
            once=data.get("once") is True,
            targets=targets,
            result=result,
            source=build_values(data.get("source"), ("source",), source, source, thing, world) or (),
            keep=tuple((data.get("keep") or {}).items()),
            undo=_build_undo(data, thing, world),
            then=build_effects(data.get("then"), ("then",), source, thing, world),
            origin=origin(thing),
        )


def _result(data: Mapping[str, Any]) -> str:
    return str(data.get("result") or next(reversed(data.get("to") or {"": None})))


def _result_entity(data: Mapping[str, Any]) -> str | None:
    found = (data.get("to") or {}).get(_result(data))
    return found.get("entity") if isinstance(found, Mapping) else None


def _members(entity: str | None, field: Any, world: World) -> str | None:
    """The entity of the records a collection field holds."""
    draft = world.entities.get(entity) if entity else None
    found = draft.fields.get(field) if draft and isinstance(field, str) else None
    return found.value_type.entity if found is not None and found.value_type.kind == "collection" else None


def _target_references(given: Mapping[str, Any], at: Path, source: str, world: World) -> Iterable[Reference]:
    entity = given["entity"]
    yield Reference(path=(*at, "entity"), to="entity", name=entity)
    yield from value_references(given.get("map") or {}, (*at, "map"), entity, source, world)
    for field in given.get("made") or ():
        yield Reference(path=(*at, "made", field), to="field", name=field, entity=entity)
    if isinstance(given.get("back"), str):
        yield Reference(path=(*at, "back"), to="field", name=given["back"], entity=entity)
    for index, way in enumerate((given.get("existing") or {}).get("match") or ()):
        yield from value_references(way, (*at, "existing", "match", index), entity, source, world)
    for field, lines in (given.get("lines") or {}).items():
        here = (*at, "lines", field)
        yield Reference(path=here, to="field", name=field, entity=entity)
        yield Reference(path=(*here, "from"), to="field", name=lines["from"], entity=source)
        line, origin_line = _members(entity, field, world), _members(source, lines["from"], world)
        yield from value_references(lines.get("map") or {}, (*here, "map"), line, origin_line, world)
        for key in ("quantity", "back"):
            if isinstance(lines.get(key), str) and line is not None:
                yield Reference(path=(*here, key), to="field", name=lines[key], entity=line)


def _target_expressions(given: Mapping[str, Any], at: Path, source: str, world: World) -> Iterable[Wanted]:
    entity = given["entity"]
    if isinstance(given.get("when"), str):
        yield Wanted(path=(*at, "when"), text=given["when"], entity=source, expected=BOOLEAN)
    yield from value_expressions(given.get("map") or {}, (*at, "map"), entity, source, world)
    for index, way in enumerate((given.get("existing") or {}).get("match") or ()):
        yield from value_expressions(way, (*at, "existing", "match", index), entity, source, world)
    for field, lines in (given.get("lines") or {}).items():
        here = (*at, "lines", field)
        line, origin_line = _members(entity, field, world), _members(source, lines["from"], world)
        if line is None or origin_line is None:
            continue
        for key, expected in (("where", BOOLEAN), ("left", decimal())):
            if isinstance(lines.get(key), str):
                yield Wanted(path=(*here, key), text=lines[key], entity=origin_line, expected=expected)
        yield from value_expressions(lines.get("map") or {}, (*here, "map"), line, origin_line, world)


# --- what makes no sense ---------------------------------------------------------------------------------------------


def _check_target(name: str, given: Mapping[str, Any], seen: Mapping[str, Any], thing: Thing, world: World) -> None:
    at: Path = ("to", name)
    entity, source = given["entity"], thing.data["from"]
    if entity not in world.entities or source not in world.entities:
        return
    if world.entities[entity].parent is not None:
        world.report("conversion.lines_alone", thing, (*at, "entity"), name=entity)
    check_values(given.get("map") or {}, (*at, "map"), entity, source, thing, world)
    for field, target in (given.get("made") or {}).items():
        _check_made(field, target, entity, seen, (*at, "made", field), thing, world)
    _check_link(given.get("back"), entity, source, (*at, "back"), thing, world)
    for index, way in enumerate((given.get("existing") or {}).get("match") or ()):
        check_values(way, (*at, "existing", "match", index), entity, source, thing, world)
    for field, lines in (given.get("lines") or {}).items():
        here = (*at, "lines", field)
        member = world.entities[entity].fields.get(field)
        line, origin_line = _members(entity, field, world), _members(source, lines["from"], world)
        if member is not None and (member.type_name != "lines" or line is None):
            world.report("conversion.no_lines", thing, here, name=field)
        if origin_line is None and lines["from"] in world.entities[source].fields:
            world.report("conversion.no_collection", thing, (*here, "from"), name=lines["from"])
        if line is None or origin_line is None:
            continue
        check_values(lines.get("map") or {}, (*here, "map"), line, origin_line, thing, world)
        _check_link(lines.get("back"), line, origin_line, (*here, "back"), thing, world)
        quantity = world.entities[line].fields.get(lines.get("quantity", ""))
        if quantity is not None and quantity.value_type.kind not in _NUMBERS:
            world.report("conversion.quantity", thing, (*here, "quantity"), name=quantity.name)
        if ("left" in lines) != ("quantity" in lines) and not thing.partial:
            world.report("conversion.left", thing, here)


def _check_made(
    field: str, target: Any, entity: str, seen: Mapping[str, Any], at: Path, thing: Thing, world: World
) -> None:
    if target not in seen:
        known = ", ".join(seen) or "-"
        world.report(
            "conversion.target",
            thing,
            at,
            hint=world.suggest("target", str(target), list(seen)),
            name=str(target),
            known=known,
        )
    else:
        _check_link(field, entity, seen[target]["entity"], at, thing, world)


def _check_link(field: Any, entity: str, to: str, at: Path, thing: Thing, world: World) -> None:
    draft = world.entities.get(entity)
    found = draft.fields.get(field) if draft and isinstance(field, str) else None
    if found is not None and (found.value_type.kind, found.value_type.entity) != ("record", to):
        world.report("conversion.link", thing, at, name=str(field), entity=to)


def _check_undo(undo: Mapping[str, Any], main: Mapping[str, Any], thing: Thing, world: World) -> None:
    given = undo.get("set") or {}
    if not given and not thing.partial:
        world.report("conversion.undo", thing, ("undo",))
    entity = main.get("entity")
    if entity is not None:
        check_values(given, ("undo", "set"), entity, entity, thing, world)
    for field, value in given.items():
        if is_rule(value) or isinstance(value, Mapping):
            world.report("conversion.undo", thing, ("undo", "set", field))


# --- the model -------------------------------------------------------------------------------------------------------


def _build_target(
    name: str, given: Mapping[str, Any], at: Path, source: str, thing: Thing, world: World
) -> Target | None:
    entity, when = given["entity"], thing.expression((*at, "when"))
    mapped = build_values(given.get("map"), (*at, "map"), entity, source, thing, world)
    if entity not in world.entities or mapped is None or ("when" in given and when is None):
        return None
    ways = (given.get("existing") or {}).get("match") or ()
    existing = [
        build_values(w, (*at, "existing", "match", i), entity, source, thing, world) for i, w in enumerate(ways)
    ]
    found = [
        _build_lines(f, g, (*at, "lines", f), entity, source, thing, world)
        for f, g in (given.get("lines") or {}).items()
    ]
    lines = tuple(line for line in found if line is not None)
    if len(lines) < len(found) or any(way is None for way in existing):
        return None
    declared = given.get("label") or world.entities[entity].thing.data.get("label")
    return Target(
        name=name,
        entity=entity,
        label=label(thing, declared, name, world),
        values=mapped,
        when=when,
        made=tuple((given.get("made") or {}).items()),
        back=given.get("back"),
        existing=tuple(way for way in existing if way),
        lines=lines,
    )


def _build_lines(
    field: str, given: Mapping[str, Any], at: Path, entity: str, source: str, thing: Thing, world: World
) -> LineMap | None:
    line, origin_line = _members(entity, field, world), _members(source, given["from"], world)
    mapped = build_values(given.get("map"), (*at, "map"), line, origin_line, thing, world)
    where, left = thing.expression((*at, "where")), thing.expression((*at, "left"))
    lost = ("where" in given and where is None) or ("left" in given and left is None)
    if line is None or origin_line is None or mapped is None or lost:
        return None
    return LineMap(
        field=field,
        entity=line,
        source=given["from"],
        source_entity=origin_line,
        values=mapped,
        where=where,
        quantity=given.get("quantity"),
        left=left,
        back=given.get("back"),
    )


def _build_undo(data: Mapping[str, Any], thing: Thing, world: World) -> Undo | None:
    given = data.get("undo")
    entity = _result_entity(data)
    if not given or entity is None:
        return None
    when = thing.expression(("undo", "when"))
    mapped = build_values(given.get("set"), ("undo", "set"), entity, entity, thing, world)
    source = build_values(given.get("source"), ("undo", "source"), data["from"], data["from"], thing, world)
    if mapped is None or source is None or ("when" in given and when is None):
        return None
    return Undo(when=when, values=mapped, source=source)
