"""Prices as lines are written: list price, price lists, promotions and the floor, for all lines of a write at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.pricing import Pricing, Source
from rules.evaluate import evaluate
from rules.expression import Expression
from rules.pricing import Case, Decision, Offer, Step, decide, quantity_problem, rounded
from runtime.pricing.offers import fitting, offer_of, rows_of
from runtime.records import rulebook
from runtime.records.compute import currency_of
from runtime.records.input import CHANNELS, currency_scale
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, register

if TYPE_CHECKING:
    from runtime.records.values import Draft, Stored
    from runtime.site import Session

AGAIN = "pricing:again"  # the cause of a change that prices every line anew


@dataclass(frozen=True, slots=True)
class _Line:
    """A line whose price is decided, with what it is decided from."""

    draft: Draft
    day: date
    currency: str
    scale: int
    rate: Decimal
    list: Decimal | None
    cost: Decimal | None
    quantity: Decimal | None


class PricingRule(RecordRule):
    name = "pricing"
    previews = True

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "pricing")) or bool(priced_lines(app, entity))

    def gathering(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for field, pricing in priced_lines(session.app, plan.entity):
            wanting = [d for d in drafts if not d.creating and field not in d.lines and _bears(session, pricing, d)]
            if wanting:
                wanting[0].loader.own(plan.name, [d.record_id or 0 for d in wanting])
                for draft in wanting:
                    draft.take_lines(field)

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for pricing in session.app.rules_of(plan.name, "pricing"):
            open_ = [draft for draft in drafts if pricing.when is None or _value(pricing.when, draft) is True]
            concerned = [draft for draft in open_ if _concerned(session, pricing, draft)]
            if concerned:
                _decide(session, pricing, [_line(session, pricing, draft) for draft in concerned])
            decided = {id(draft) for draft in concerned}
            for draft in open_:
                if id(draft) not in decided and not pricing.marks.isdisjoint(_changes(draft)):
                    _mark(session, pricing, draft)

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for pricing in session.app.rules_of(plan.name, "pricing"):
            if pricing.limits is not None or pricing.refuse:
                for draft in drafts:
                    _judge(session, pricing, draft)


def _value(expression: Expression | None, draft: Draft) -> Any:
    return None if expression is None else evaluate(expression, draft, draft.loader.environment)


def priced_lines(app: Application, entity: Entity) -> list[tuple[str, Pricing]]:
    """The lines of an entity whose prices are decided: the field they are in, and by what."""
    every: Iterable[Pricing] = app.of("pricing").values()
    parents = ((app.entities[pricing.entity], pricing) for pricing in every)
    return [
        (lines.parent_field, pricing)
        for lines, pricing in parents
        if lines.parent is not None and lines.parent[0] == entity.name and lines.parent_field is not None
    ]


def _bears(session: Session, pricing: Pricing, draft: Draft) -> bool:
    """Whether the change of a record bears on the prices of its lines."""
    return session.cause == AGAIN or not (pricing.reads | pricing.marks).isdisjoint(_changes(draft))


def _changes(draft: Draft) -> set[tuple[str, str]]:
    """What has changed in the line and in what it belongs to."""
    changed = {(draft.plan.name, name) for name in draft.changed}
    if draft.parent is not None:
        changed |= {(draft.parent.plan.name, name) for name in draft.parent.changed}
    return changed


def _concerned(session: Session, pricing: Pricing, draft: Draft) -> bool:
    """New lines, those where something that decides has changed, and all of them where they are priced again."""
    if draft.creating or session.cause == AGAIN:
        return True
    marks = pricing.reads | {(pricing.entity, name) for name in (pricing.kept, pricing.price) if name}
    return not _changes(draft).isdisjoint(marks)


def _line(session: Session, pricing: Pricing, draft: Draft) -> _Line:
    currency, rate = _terms(session, pricing, draft)
    day = _value(pricing.date, draft) or session.today
    amounts = [_number(_value(rule, draft)) for rule in (pricing.list, pricing.cost)]
    listed, cost = (None if amount is None else amount * rate for amount in amounts)
    quantity = _number(_value(pricing.quantity, draft))
    return _Line(draft, day, currency, currency_scale(session, currency), rate, listed, cost, quantity)


def _terms(session: Session, pricing: Pricing, draft: Draft) -> tuple[str, Decimal]:
    """The currency of the line, and how much of it one unit of the site's currency is today."""
    currency = str(_value(pricing.currency, draft) or currency_of(session, draft))
    base = session.site.settings.currency
    rates = draft.loader.environment.rates
    rate = rates(base, currency, session.today) if rates and currency != base else None
    return currency, rate or Decimal(1)


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _decide(session: Session, pricing: Pricing, lines: Sequence[_Line]) -> None:
    memo: dict[Any, Any] = {}
    prices = _Offers(session, pricing.prices, lines, memo)
    promotions = _Offers(session, pricing.promotions, lines, memo)
    for line in lines:
        fits = {**prices.fits(line), **promotions.fits(line)}
        found = decide(
            Case(on=line.day, quantity=line.quantity, list=line.list, cost=line.cost, fits=fits),
            prices.of(line),
            promotions.of(line),
            choose=pricing.prices.choose if pricing.prices else "specific",
            combine=pricing.promotions.choose if pricing.promotions else "best",
            scale=line.scale,
        )
        _give(session, pricing, line, found)


class _Offers:
    """What one source says, for all lines; dimension names are kept apart by source."""

    def __init__(self, session: Session, source: Source | None, lines: Sequence[_Line], memo: dict[Any, Any]) -> None:
        self.session, self.source, self.memo = session, source, memo
        self.rows: list[Stored] = []
        if source is not None:
            keys = [_value(source.match[0][1], line.draft) for line in lines]
            self.rows = rows_of(session, source, keys, [line.day for line in lines])

    def of(self, line: _Line) -> list[Offer]:
        if self.source is None:
            return []
        mark = ("offers", self.source.entity, line.currency)
        if mark not in self.memo:
            made = [offer_of(self.session, self.source, row, line.currency, self.memo) for row in self.rows]
            self.memo[mark] = [self._named(offer) for offer in made if offer is not None]
        found: list[Offer] = self.memo[mark]
        return found

    def _named(self, offer: Offer) -> Offer:
        assert self.source is not None
        return replace(offer, keys={f"{self.source.entity}.{name}": value for name, value in offer.keys.items()})

    def fits(self, line: _Line) -> Mapping[str, frozenset[Any]]:
        if self.source is None:
            return {}
        return {
            f"{self.source.entity}.{name}": fitting(
                self.session, self.source, name, _value(expression, line.draft), self.memo
            )
            for name, expression in self.source.match
        }


def _give(session: Session, pricing: Pricing, line: _Line, found: Decision) -> None:
    draft = line.draft
    steps = list(found.steps)
    kept = _keeps(session, pricing, draft, found.price)
    if kept:
        steps.append(Step(word="kept", after=_number(draft.raw(pricing.price))))
    elif found.price is not None:
        rulebook.decide(draft, pricing.price, found.price)
        draft.given.discard(pricing.price)
    if pricing.list_field is not None and line.list is not None:
        rulebook.decide(draft, pricing.list_field, rounded(line.list, line.scale))
        draft.given.discard(pricing.list_field)
    _say(pricing, draft, [step.plain() for step in steps], _below(pricing, draft, line.rate))


def _mark(session: Session, pricing: Pricing, draft: Draft) -> None:
    """The price stays; whether it lies below the floor is looked at anew, as after another discount."""
    kept = draft.raw(pricing.why) if pricing.why is not None else None
    steps = [dict(step) for step in kept or () if isinstance(step, Mapping) and step.get("word") != "floor"]
    _say(pricing, draft, steps, _below(pricing, draft, _terms(session, pricing, draft)[1]))


def _say(pricing: Pricing, draft: Draft, steps: list[dict[str, Any]], below: Decimal | None) -> None:
    if pricing.below is not None:
        rulebook.decide(draft, pricing.below, below is not None)
    if below is not None:
        steps.append(Step(word="floor", after=below).plain())
    if pricing.why is not None:
        rulebook.decide(draft, pricing.why, steps)


def _keeps(session: Session, pricing: Pricing, draft: Draft, decided: Decimal | None) -> bool:
    """Whether a person's price stays: it is marked so, or a program gave a price of its own and said nothing else."""
    if pricing.kept is None:
        return False
    mine = _number(draft.raw(pricing.price))
    given = pricing.price in draft.given and (draft.creating or pricing.price in draft.changed)
    by_program = given and CHANNELS.get(session.channel) != "form" and pricing.kept not in draft.given
    if by_program and mine is not None and mine != decided:
        rulebook.decide(draft, pricing.kept, True)
    return draft.raw(pricing.kept) is True and mine is not None


def _below(pricing: Pricing, draft: Draft, rate: Decimal) -> Decimal | None:
    """The floor, where the price lies below it."""
    floor = _number(_value(pricing.floor, draft))
    net = _number(_value(pricing.net, draft) if pricing.net is not None else draft.raw(pricing.price))
    return floor * rate if floor is not None and net is not None and net < floor * rate else None


def _judge(session: Session, pricing: Pricing, draft: Draft) -> None:
    if pricing.when is not None and _value(pricing.when, draft) is not True:
        return
    limits = pricing.limits
    if limits is not None and (draft.creating or draft.changed):
        bounds = [_number(_value(rule, draft)) for rule in (limits.least, limits.most, limits.multiple)]
        problem = quantity_problem(_number(_value(pricing.quantity, draft)), *bounds)
        if problem is not None:
            draft.refuse(f"pricing.{problem[0]}", limits.field, bound=f"{problem[1].normalize():f}")
    if pricing.refuse and (draft.creating or draft.changed):
        floor = _below(pricing, draft, _terms(session, pricing, draft)[1])
        if floor is not None:
            draft.refuse("pricing.below_floor", pricing.price, floor=f"{floor.normalize():f}")


register(PricingRule())
