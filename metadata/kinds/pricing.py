"""pricing: the price of a line from price lists and promotions that are data, with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.build.common import label, origin
from metadata.drafts import FieldDraft, Thing, World
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.shape import NAME, Prop, Shape, name, one, one_of, rule, texts
from metadata.models.pricing import Limits, Source
from metadata.models.pricing import Pricing as Model
from metadata.places import Path
from rules.expression import Expression
from rules.pricing import CHOICES, METHODS
from rules.typing import BOOLEAN, DATE, TEXT, decimal

_NUMBER = ("integer", "decimal", "money", "percent")
_FIELDS = ("quantity", "first", "last", "priority", "stack", "currency", "method")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "quantity": ("integer", "decimal"),
    "first": ("date",),
    "last": ("date",),
    "priority": ("integer",),
    "stack": ("boolean",),
    "currency": ("text", "select"),
    "method": ("select",),
}
_SET_KINDS: Mapping[str, tuple[str, ...]] = {
    "price": ("money", "decimal"),
    "list": ("money", "decimal"),
    "why": ("json",),
    "below": ("boolean",),
    "kept": ("boolean",),
}
_RULES = ("when", "list", "cost", "quantity", "date", "currency", "floor", "net")
_MATCH = {
    "type": "object",
    "propertyNames": {"pattern": NAME},
    "minProperties": 1,
    "maxProperties": 12,
    "additionalProperties": {"type": "string", "minLength": 1},
}


class SourceShape(Shape):
    """Records that are prices or promotions."""

    from_ = name(required=True, zh="存放价格的实体", en="entity of the prices or promotions")
    where = rule(zh="哪些有效", en="which of them count")
    match = Prop(
        schema=_MATCH,
        required=True,
        rule=True,
        zh="字段: 明细上的表达式；字段为空则不限。第一项是查找键",
        en="field: expression over the line; an empty field fits all. The first is the key they are looked up by",
    )
    value = rule(required=True, zh="数值", en="the price or percentage, over the record")
    method = name(required=True, zh="方法字段", en=f"select with some of {', '.join(METHODS)}")
    quantity = name(zh="起订数量字段", en="field with the quantity from which it counts")
    first = name(zh="起始日期字段", en="field with the first day")
    last = name(zh="截止日期字段", en="field with the last day")
    priority = name(zh="优先级字段", en="integer field; higher goes first")
    stack = name(zh="可叠加字段", en="boolean field: may be combined with others that have it")
    currency = name(zh="币种字段", en="field with the currency of the amounts; the site's where empty")
    choose = one_of(
        "specific", "best", "first", zh="如何取舍", en="prices: specific or best; promotions: best or first"
    )


class LimitsShape(Shape):
    """How much may be ordered."""

    field = name(required=True, zh="数量字段", en="field where a wrong quantity is shown")
    least = rule(zh="最小数量", en="smallest quantity, in base units")
    most = rule(zh="最大数量", en="largest quantity")
    multiple = rule(zh="数量倍数", en="a multiple of this")


class SetShape(Shape):
    """The fields that get what was decided."""

    price = name(required=True, zh="单价", en="the price of a unit")
    list = name(zh="标价", en="the list price")
    why = name(zh="原因（json）", en="json field with the reasons")
    below = name(zh="低于底价", en="boolean field: below the floor")
    kept = name(zh="手工定价", en="boolean field: the price is a person's and stays")


@register
class Pricing(Kind):
    word = "pricing"
    folder = "rules"
    declared = True
    called = {"zh": "定价", "en": "Pricing"}
    about = {
        "zh": "明细的单价：价目表（客户类型、区域、数量、日期、币种、包装）、成本加成、促销叠加或取优、"
        "底价，并说明原因。",
        "en": "The price of a line: price lists by any dimension, quantity, day and currency; cost-plus and "
        "list-minus; promotions that stack or compete; a floor; and the reasons as a list.",
    }
    example = """
entity: rate_card
fields:
  subject: {type: text, required: true}
  how: {type: select, options: {price: Price, off_list: Off the list}, default: price}
  amount: {type: decimal, scale: 2, required: true}
---
entity: billing
fields:
  visit: {type: link, to: visit, required: true}
  price: money
---
pricing: visit_prices
entity: billing
list: "100"
prices: {from: rate_card, match: {subject: visit.subject}, method: how, value: amount}
set: {price: price}
"""
    entity = name(required=True, zh="明细实体", en="entity of the lines")
    label = texts(zh="名称", en="label")
    when = rule(zh="何时定价", en="prices are decided while this holds")
    list = rule(required=True, zh="标价", en="the list price")
    cost = rule(zh="成本", en="the cost of a unit")
    quantity = rule(zh="数量（基本单位）", en="the quantity, in base units")
    date = rule(zh="计价日期", en="the day; today where left out")
    currency = rule(zh="币种", en="the currency code; the site's where nothing")
    prices = one(SourceShape, zh="价目表", en="price lists")
    promotions = one(SourceShape, zh="促销", en="promotions")
    floor = rule(zh="底价", en="the lowest price")
    net = rule(zh="与底价相比的净价", en="what is compared with the floor; the price where left out")
    below_floor = one_of("flag", "refuse", zh="低于底价时", en="below the floor: marked, or refused", default="flag")
    limits = one(LimitsShape, zh="数量控制", en="how much may be ordered")
    set = one(SetShape, required=True, zh="写入的字段", en="the fields that get what was decided")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["entity"]
        yield Reference(path=("entity",), to="entity", name=entity)
        for key, found in (data.get("set") or {}).items():
            yield Reference(path=("set", key), to="field", name=found, entity=entity)
        if isinstance((data.get("limits") or {}).get("field"), str):
            yield Reference(path=("limits", "field"), to="field", name=data["limits"]["field"], entity=entity)
        for word in ("prices", "promotions"):
            given = data.get(word)
            if not given:
                continue
            yield Reference(path=(word, "from"), to="entity", name=given["from"])
            for key in _FIELDS:
                if isinstance(given.get(key), str):
                    yield Reference(path=(word, key), to="field", name=given[key], entity=given["from"])
            for key in given.get("match") or ():
                yield Reference(path=(word, "match", key), to="field", name=key, entity=given["from"])

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["entity"]
        expected = {"when": BOOLEAN, "date": DATE, "currency": TEXT}
        for key in _RULES:
            if isinstance(data.get(key), str):
                yield Wanted(path=(key,), text=data[key], entity=entity, expected=expected.get(key, decimal()))
        for key in ("least", "most", "multiple"):
            text = (data.get("limits") or {}).get(key)
            if isinstance(text, str):
                yield Wanted(path=("limits", key), text=text, entity=entity, expected=decimal())
        for word in ("prices", "promotions"):
            given = data.get(word)
            if not given:
                continue
            source = given["from"]
            if isinstance(given.get("where"), str):
                yield Wanted(path=(word, "where"), text=given["where"], entity=source, expected=BOOLEAN)
            yield Wanted(path=(word, "value"), text=given["value"], entity=source, expected=decimal())
            for key, text in (given.get("match") or {}).items():
                member = _field(source, key, world)
                wanted = member.value_type if member is not None else None
                yield Wanted(path=(word, "match", key), text=text, entity=entity, expected=wanted)

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data, entity = thing.data, thing.data["entity"]
        for key, found in (data.get("set") or {}).items():
            member = _field(entity, found, world)
            if member is not None and (member.value_type.kind not in _SET_KINDS[key] or member.spec.get("formula")):
                wanted = " / ".join(_SET_KINDS[key])
                world.report("pricing.field", thing, ("set", key), name=found, type=member.type_name, wanted=wanted)
        for word in ("prices", "promotions"):
            if data.get(word):
                _check_source(word, data[word], thing, world)
        if data.get("below_floor") == "refuse" and "floor" not in data:
            world.report("pricing.no_floor", thing, ("below_floor",))
        for path, expression in thing.expressions.items():
            if path[0] in _RULES[1:6] or (path[0] in ("prices", "promotions") and path[1] == "match"):
                _check_inputs(entity, path, expression, thing, world)

    @classmethod
    def build(cls, thing: Thing, world: World) -> Model | None:
        data, entity = thing.data, thing.data["entity"]
        found = {key: thing.expression((key,)) for key in _RULES}
        if entity not in world.entities or any(key in data and found[key] is None for key in _RULES):
            return None
        sources = {word: _build_source(word, data.get(word), thing, world) for word in ("prices", "promotions")}
        if found["list"] is None or any(data.get(word) and sources[word] is None for word in sources):
            return None
        given = data.get("set") or {}
        return Model(
            name=thing.name,
            entity=entity,
            label=label(thing, data.get("label"), thing.name, world),
            when=found["when"],
            list=found["list"],
            cost=found["cost"],
            quantity=found["quantity"],
            date=found["date"],
            currency=found["currency"],
            prices=sources["prices"],
            promotions=sources["promotions"],
            floor=found["floor"],
            net=found["net"],
            refuse=data.get("below_floor") == "refuse",
            limits=_build_limits(data.get("limits"), thing),
            price=given["price"],
            list_field=given.get("list"),
            why=given.get("why"),
            below=given.get("below"),
            kept=given.get("kept"),
            reads=_reads(thing, sources.values()),
            marks=_pairs(found[key] for key in ("floor", "net")),
            origin=origin(thing),
        )


def _field(entity: str, found: Any, world: World) -> FieldDraft | None:
    draft = world.entities.get(entity)
    return draft.fields.get(found) if draft and isinstance(found, str) else None


def _check_source(word: str, given: Mapping[str, Any], thing: Thing, world: World) -> None:
    source = given["from"]
    for key in _FIELDS:
        member = _field(source, given.get(key), world)
        if member is not None and member.value_type.kind not in _KINDS[key]:
            wanted = " / ".join(_KINDS[key])
            world.report("pricing.field", thing, (word, key), name=member.name, type=member.type_name, wanted=wanted)
    method = _field(source, given.get("method"), world)
    options = world.options.get(str(method.spec.get("options"))) if method is not None else None
    for choice in options.choices if options else ():
        if choice not in METHODS:
            world.report("pricing.method", thing, (word, "method"), name=choice, known=", ".join(METHODS))
    allowed = CHOICES if word == "prices" else ("best", "first")
    if given.get("choose") not in (None, *allowed):
        world.report("pricing.choose", thing, (word, "choose"), known=", ".join(allowed))
    for key in given.get("match") or ():
        member = _field(source, key, world)
        plain = member is not None and member.type is not None
        if plain and member.type.storage in ("none", "children", "choices", "links", "any_link"):  # type: ignore[union-attr]
            world.report("pricing.match", thing, (word, "match", key), name=key)


def _check_inputs(entity: str, path: Path, expression: Expression, thing: Thing, world: World) -> None:
    """Prices are decided before formulas: a formula of the line itself would still have its earlier value."""
    for owner, read in sorted(expression.reads):
        member = _field(owner, read, world)
        if owner == entity and member is not None and member.spec.get("formula") and not member.live:
            world.report("pricing.computed", thing, path, name=read)


def _build_source(word: str, given: Any, thing: Thing, world: World) -> Source | None:
    if not given or given["from"] not in world.entities:
        return None
    match = [(key, thing.expression((word, "match", key))) for key in given["match"]]
    value, where = thing.expression((word, "value")), thing.expression((word, "where"))
    if value is None or ("where" in given and where is None) or any(found is None for _, found in match):
        return None
    return Source(
        entity=given["from"],
        match=tuple((key, found) for key, found in match if found is not None),
        value=value,
        where=where,
        choose=given.get("choose") or ("specific" if word == "prices" else "best"),
        **{key: given.get(key) for key in _FIELDS},
    )


def _build_limits(given: Any, thing: Thing) -> Limits | None:
    if not given:
        return None
    rules = {key: thing.expression(("limits", key)) for key in ("least", "most", "multiple")}
    return Limits(field=given["field"], **rules)


def _reads(thing: Thing, sources: Iterable[Source | None]) -> frozenset[tuple[str, str]]:
    """What of the line and of what it belongs to decides the price."""
    found = [thing.expression((key,)) for key in (*_RULES[1:6],)]
    return _pairs((*found, *(expression for source in sources if source is not None for _, expression in source.match)))


def _pairs(expressions: Iterable[Expression | None]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for expression in expressions if expression is not None for pair in expression.reads)
