"""qualification: criteria that a record is checked by, and what its outcome changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from metadata.build.common import label as label_for
from metadata.build.common import origin
from metadata.build.common import text as text_for
from metadata.build.effects import build_effects
from metadata.drafts import Thing, World, suggestion
from metadata.effect_checks import check_effects
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.effects import effect_expressions, effect_references, effects
from metadata.kinds.layout import condition
from metadata.kinds.shape import Prop, Shape, duration, flag, name, number, one, one_of, parts, rule, texts
from metadata.kinds.who import build_who, check_who, who_expressions, who_references, whos
from metadata.models.qualification import Criterion, Outcome
from metadata.models.qualification import Qualification as Model
from rules.durations import parse_duration
from rules.qualifying import Asked
from rules.typing import BOOLEAN

VERDICTS = ("passed", "failed", "special")
_NUMBER = {"type": "number", "minimum": 0, "maximum": 100_000}


class CriterionShape(Shape):
    """With `holds` it answers itself; else somebody says whether it is met."""

    named_by = "name"
    name = name(required=True, zh="名称", en="name")
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help for the one who answers")
    holds = rule(zh="自动判断的条件；不写则由人判断", en="condition that answers it; left out, somebody does")
    must = flag(zh="必须满足", en="without it nothing passes", default="true where it gives no points")
    points = Prop(schema=_NUMBER, zh="满足得多少分", en="points where it is met")
    waivable = flag(zh="可特殊处理", en="may be waived by those who hold the right")
    evidence = flag(zh="要有证明文件", en="needs a file where it is met")


class OutcomeShape(Shape):
    """Where the outcome stands: a select field that only checks change."""

    field = name(required=True, zh="结果字段（单选）", en="select field")
    passed = name(required=True, zh="合格时的选项", en="its choice for passed")
    failed = name(required=True, zh="不合格时的选项", en="its choice for failed")
    special = name(required=True, zh="特殊合格时的选项", en="its choice for passed by special handling")
    expired = name(zh="过期后改为哪个选项", en="its choice once the result is no longer valid")


class SpecialShape(Shape):
    """Special handling, by those who hold a grant (records of qualification_grant)."""

    evidence = flag(zh="必须附证明文件", en="needs a file")


@register
class Qualification(Kind):
    word = "qualification"
    folder = "rules"
    declared = True
    called = {"zh": "资格审核", "en": "Qualification"}
    about = {
        "zh": "按条件审核记录是否合格：条件可自动判断或由人判断，要求全部满足或按分数。"
        "结果写入一个单选字段，只有审核能改。持有授权的人可豁免部分条件，须写明理由。每次审核连同当时的规则一起保存。",
        "en": "Whether a record qualifies: criteria answered by a condition or by somebody, all of them or by points. "
        "The outcome goes into a select field that nothing else changes. Those who hold a grant may waive criteria, "
        "with a reason. Every check is kept together with the rule as it was.",
    }
    example = """
extend: visit
fields:
  readiness: {type: select, options: [unknown, ready, not_ready], default: unknown}
---
qualification: visit_ready
entity: visit
outcome: {field: readiness, passed: ready, failed: not_ready, special: ready}
method: points
pass_mark: 50
valid: 90d
criteria:
  - {name: planned, holds: "visited_on is not None", label: {zh: 已定日期, en: Date set}}
  - {name: agreed, points: 60, waivable: true, label: {zh: 客户已同意, en: Agreed with the customer}}
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    entity = name(required=True, zh="实体", en="entity")
    when = rule(zh="适用于哪些记录", en="which records it is for")
    order = number(0, 10_000, zh="顺序：先适用的为准", en="order: the first that applies counts", default="100")
    outcome = one(OutcomeShape, required=True, zh="结果", en="the outcome")
    method = one_of("all", "points", zh="全部满足或按分数", en="every criterion, or by points", default="all")
    pass_mark = Prop(schema=_NUMBER, zh="及格分数", en="points needed")
    valid = duration(zh="有效期", en="how long the outcome holds")
    by = whos(zh="谁可以审核；默认是能修改记录的人", en="who may check; by default those who may edit the record")
    criteria = parts(CriterionShape, required=True, zh="条件", en="criteria")
    special = one(SpecialShape, zh="特殊处理", en="special handling")
    on_passed = effects(zh="合格后", en="when it passed")
    on_failed = effects(zh="不合格后", en="when it failed")
    on_special = effects(zh="特殊合格后", en="when it passed by special handling")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        field = (data.get("outcome") or {}).get("field")
        if isinstance(field, str):
            yield Reference(path=("outcome", "field"), to="field", name=field, entity=entity)
        for index, who in enumerate(data.get("by") or ()):
            yield from who_references(who, ("by", index), entity)
        for word in VERDICTS:
            yield from effect_references(data.get(f"on_{word}"), (f"on_{word}",), entity, world)

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["entity"]
        yield from condition(data, "when", (), entity)
        for given in data.get("criteria") or ():
            if isinstance(given.get("holds"), str):
                path = ("criteria", given["name"], "holds")
                yield Wanted(path=path, text=given["holds"], entity=entity, expected=BOOLEAN)
        for index, who in enumerate(data.get("by") or ()):
            yield from who_expressions(who, ("by", index), entity)
        for word in VERDICTS:
            yield from effect_expressions(data.get(f"on_{word}"), (f"on_{word}",), entity, world)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        _check(thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        return _build(thing, world)


# --- what makes no sense


OWN = frozenset({"note", "reason", "evidence"})  # what is asked beside the criteria


def _check(thing: Thing, world: World) -> None:
    data = thing.data
    entity = data["entity"]
    papers = {f"{c['name']}_evidence": c["name"] for c in data.get("criteria") or () if c.get("evidence")}
    for given in data.get("criteria") or ():
        name = given["name"]
        if name in OWN or name in papers:
            world.report("qualification.taken", thing, ("criteria", name, "name"), name=name, hint=f"{name}_given")
    _outcome(thing, world)
    _counting(thing, world)
    for index, who in enumerate(data.get("by") or ()):
        check_who(who, ("by", index), entity, thing, world)
    for word in VERDICTS:
        check_effects(data.get(f"on_{word}"), (f"on_{word}",), entity, thing, world)
    for given in data.get("criteria") or ():
        holds = thing.expression(("criteria", given["name"], "holds"))
        if holds is not None and holds.uses_user:
            world.report("qualification.user", thing, ("criteria", given["name"], "holds"), name=given["name"])
        if given.get("evidence") and "holds" in given:
            world.report("qualification.evidence", thing, ("criteria", given["name"], "evidence"), name=given["name"])
    when = thing.expression(("when",))
    if when is not None and when.uses_user:
        world.report("qualification.user", thing, ("when",), name="when")
    _always_first(thing, world)


def _outcome(thing: Thing, world: World) -> None:
    given = thing.data["outcome"]
    draft = world.entities.get(thing.data["entity"])
    member = draft.fields.get(given.get("field", "")) if draft else None
    if member is None:
        return
    options = member.value_type.options
    if member.value_type.kind != "select" or options is None or "formula" in member.spec:
        world.report("qualification.field", thing, ("outcome", "field"), name=member.name, type=member.type_name)
        return
    known = world.choices(options)
    for key in (*VERDICTS, "expired"):
        choice = given.get(key)
        if isinstance(choice, str) and choice not in known:
            params: dict[str, Any] = {"name": choice, "options": options, "known": ", ".join(known)}
            hint = suggestion(choice, known)
            world.report("qualification.choice", thing, ("outcome", key), hint=hint, **params)
    if given.get("failed") in (given.get("passed"), given.get("special")):
        world.report("qualification.same", thing, ("outcome", "failed"), name=str(given["failed"]))


def _counting(thing: Thing, world: World) -> None:
    """The pass mark can be reached, and means something."""
    data = thing.data
    criteria = data.get("criteria") or ()
    if not criteria and not thing.partial:
        world.report("qualification.empty", thing, ("criteria",))
    most = sum((Decimal(c.get("points", 0)) for c in criteria), Decimal(0))
    mark = Decimal(data.get("pass_mark", 0))
    if data.get("method") != "points":
        if "pass_mark" in data:
            world.report("qualification.no_points", thing, ("pass_mark",), at_key=True)
    elif "pass_mark" not in data:
        world.report("shape.required", thing, (), key="pass_mark")
    elif mark > most and not thing.partial:
        world.report("qualification.out_of_reach", thing, ("pass_mark",), mark=str(mark), most=str(most))


def _always_first(thing: Thing, world: World) -> None:
    """A rule without a condition hides all that come after it."""
    here = (thing.data.get("order", 100), thing.name)
    for other in world.of_kind("qualification"):
        if other is thing or other.data["entity"] != thing.data["entity"] or "when" in other.data:
            continue
        if (other.data.get("order", 100), other.name) < here:
            related = [other.place(("qualification",))]
            params: dict[str, Any] = {"name": thing.name, "other": other.name}
            world.report(
                "qualification.hidden", thing, ("qualification",), severity="warning", related=related, **params
            )


# --- the model


def _build(thing: Thing, world: World) -> Model | None:
    data, entity = thing.data, thing.data["entity"]
    if entity not in world.entities or ("when" in data and thing.expression(("when",)) is None):
        return None
    criteria = [_criterion(given, thing, world) for given in data.get("criteria") or ()]
    whole = [c for c in criteria if c is not None]
    outcome = data["outcome"]
    if len(whole) < len(criteria) or outcome.get("field") not in world.entities[entity].fields:
        return None
    by = (build_who(who, ("by", index), thing) for index, who in enumerate(data.get("by") or ()))
    then = {w: build_effects(data.get(f"on_{w}"), (f"on_{w}",), entity, thing, world) for w in VERDICTS}
    return Model(
        name=thing.name,
        entity=entity,
        label=label_for(thing, data.get("label"), thing.name, world),
        help=text_for(data.get("help"), world),
        criteria=tuple(whole),
        outcome=Outcome(**{key: outcome.get(key) for key in ("field", *VERDICTS, "expired")}),
        method="points" if data.get("method") == "points" else "all",
        pass_mark=Decimal(data.get("pass_mark", 0)),
        when=thing.expression(("when",)),
        order=data.get("order", 100),
        valid=parse_duration(data["valid"]) if isinstance(data.get("valid"), str) else None,
        by=tuple(who for who in by if who is not None),
        special_evidence=(data.get("special") or {}).get("evidence") is True,
        on_passed=then["passed"],
        on_failed=then["failed"],
        on_special=then["special"],
        origin=origin(thing),
    )


def _criterion(given: Mapping[str, Any], thing: Thing, world: World) -> Criterion | None:
    holds = thing.expression(("criteria", given["name"], "holds"))
    if holds is None and "holds" in given:
        return None
    points = Decimal(given.get("points", 0))
    return Criterion(
        name=given["name"],
        label=label_for(thing, given.get("label"), given["name"], world),
        help=text_for(given.get("help"), world),
        holds=holds,
        evidence=given.get("evidence") is True,
        asked=Asked(
            name=given["name"],
            must=given.get("must", "points" not in given),
            points=points,
            waivable=given.get("waivable") is True,
        ),
    )
