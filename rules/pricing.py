"""Prices decided by rules: pure functions from what is asked and what price lists and promotions say.

Every decision comes with its steps, so that a person can read why the price is what it is. Amounts are in one currency
and are rounded half-up to its decimals after every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

METHODS = ("price", "off_list", "markup_cost", "margin_price", "off_price", "less")
AMOUNTS = frozenset({"price", "less"})  # their value is an amount of money, that of the others a percentage
OF_COST = frozenset({"markup_cost", "margin_price"})
CHOICES = ("specific", "best")
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A line of a price list, or a promotion. `keys` are the dimensions it is for; one it does not name fits all.

    `least` is the quantity from which it counts, `first` and `last` the days; `own_currency` says that it was written
    in the currency that is asked for. A promotion with `stack` may be combined with others that have it.
    """

    id: int
    label: str
    method: str
    value: Decimal
    keys: Mapping[str, Any] = field(default_factory=dict)
    least: Decimal | None = None
    first: date | None = None
    last: date | None = None
    priority: int = 0
    stack: bool = False
    own_currency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked: a day, a quantity, the list price and the cost, and per dimension the values that fit."""

    on: date
    quantity: Decimal | None
    list: Decimal | None
    cost: Decimal | None
    fits: Mapping[str, frozenset[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`word`: list (where it starts), price (a price list), reduced (a promotion), passed (looked at, not taken)."""

    word: Literal["list", "price", "reduced", "passed", "floor", "kept"]
    label: str = ""
    method: str = ""
    value: Decimal | None = None
    before: Decimal | None = None
    after: Decimal | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON, exact numbers as text."""
        shown = {"word": self.word, "label": self.label, "method": self.method}
        numbers = {"value": self.value, "before": self.before, "after": self.after}
        return {k: v for k, v in shown.items() if v} | {
            k: f"{v.normalize():f}" for k, v in numbers.items() if v is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The price of one unit (None: there is nothing to start from) and why."""

    price: Decimal | None
    steps: tuple[Step, ...]


def decide(
    case: Case,
    prices: Sequence[Offer],
    promotions: Sequence[Offer] = (),
    *,
    choose: str = "specific",
    combine: str = "best",
    scale: int = 2,
) -> Decision:
    """The price: that of the price list chosen, else the list price; then the promotions.

    `choose`: the most specific price (priority, named dimensions, quantity break, latest day), or the best for the
    buyer. `combine` of promotions: the best of every one alone and of all that stack together, or the first by
    priority.
    """
    steps: list[Step] = []
    price = None if case.list is None else rounded(case.list, scale)
    if price is not None:
        steps.append(Step(word="list", after=price))
    fitting = [
        (offer, after)
        for offer in prices
        if applies(offer, case) and (after := _after(offer, case, price, scale)) is not None
    ]
    if fitting:
        ordered = sorted(fitting, key=_best if choose == "best" else _specific)
        (taken, after), *others = ordered
        steps.append(_step("price", taken, price, after))
        steps.extend(_step("passed", offer, None, other) for offer, other in others[:5])
        price = after
    if price is None:
        return Decision(price=None, steps=tuple(steps))
    price, more = _promoted(case, price, [p for p in promotions if applies(p, case)], combine, scale)
    return Decision(price=price, steps=(*steps, *more))


def applies(offer: Offer, case: Case) -> bool:
    """Whether an offer counts for what is asked."""
    if offer.least is not None and (case.quantity is None or case.quantity < offer.least):
        return False
    if (offer.first is not None and case.on < offer.first) or (offer.last is not None and case.on > offer.last):
        return False
    return all(value in case.fits.get(name, frozenset()) for name, value in offer.keys.items())


def rounded(amount: Decimal, scale: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


def _after(offer: Offer, case: Case, price: Decimal | None, scale: int) -> Decimal | None:
    """The price that an offer makes; None where what it starts from is missing."""
    value = offer.value
    if offer.method == "price":
        found: Decimal | None = value
    elif offer.method == "off_list":
        found = None if case.list is None else case.list * (HUNDRED - value) / HUNDRED
    elif offer.method == "markup_cost":
        found = None if case.cost is None else case.cost * (HUNDRED + value) / HUNDRED
    elif offer.method == "margin_price":
        found = None if case.cost is None or value >= HUNDRED else case.cost * HUNDRED / (HUNDRED - value)
    elif offer.method == "off_price":
        found = None if price is None else price * (HUNDRED - value) / HUNDRED
    else:
        found = None if price is None else price - value
    return None if found is None else rounded(max(found, Decimal(0)), scale)


def _specific(found: tuple[Offer, Decimal]) -> tuple[Any, ...]:
    offer, after = found
    day = offer.first.toordinal() if offer.first is not None else 0
    named = len(offer.keys) + offer.own_currency
    return (-offer.priority, -named, -(offer.least or Decimal(0)), -day, after, offer.id)


def _best(found: tuple[Offer, Decimal]) -> tuple[Any, ...]:
    return (found[1], *_specific(found))


def _promoted(
    case: Case, price: Decimal, promotions: Iterable[Offer], combine: str, scale: int
) -> tuple[Decimal, list[Step]]:
    ordered = sorted(promotions, key=lambda offer: (-offer.priority, offer.id))
    if combine == "first":
        ways = [[offer] for offer in ordered[:1]]
    else:
        stacking = [offer for offer in ordered if offer.stack]
        ways = [[offer] for offer in ordered if not offer.stack or len(stacking) < 2]
        ways += [stacking] if len(stacking) > 1 else []
    best: tuple[Decimal, list[Step]] = (price, [])
    for way in ways:
        here, steps = price, []
        for offer in way:
            after = _after(offer, case, here, scale)
            if after is not None and after < here:
                steps.append(_step("reduced", offer, here, after))
                here = after
        if here < best[0]:
            best = (here, steps)
    taken = {step.label for step in best[1]}
    passed = [_step("passed", offer, None, None) for offer in ordered if offer.label not in taken][:5]
    return best[0], [*best[1], *passed]


def _step(word: Any, offer: Offer, before: Decimal | None, after: Decimal | None) -> Step:
    """A percentage on cost would tell the cost: it is left out of what people may read."""
    value = None if offer.method in OF_COST else offer.value
    return Step(word=word, label=offer.label, method=offer.method, value=value, before=before, after=after)


def quantity_problem(
    quantity: Decimal | None, least: Decimal | None, most: Decimal | None, multiple: Decimal | None
) -> tuple[str, Decimal] | None:
    """What is wrong with a quantity: ("least" | "most" | "multiple", the bound); None where it may be ordered."""
    if quantity is None:
        return None
    if least is not None and quantity < least:
        return "least", least
    if most is not None and quantity > most:
        return "most", most
    if multiple is not None and multiple > 0 and quantity % multiple != 0:
        return "multiple", multiple
    return None
