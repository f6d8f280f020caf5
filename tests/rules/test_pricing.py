"""Prices as pure functions: the figures of the mission's rows, precedence, and what must hold of every decision."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pricing import METHODS, Case, Offer, decide, quantity_problem

DAY = date(2026, 3, 16)


def offer(number: int, method: str, value: Any, **more: Any) -> Offer:
    return Offer(id=number, label=f"P{number}", method=method, value=Decimal(str(value)), **more)


def case(quantity: Any = 1, price: Any = 120, cost: Any = 80, **fits: Any) -> Case:
    known = {name: frozenset(values) for name, values in fits.items()}
    return Case(on=DAY, quantity=Decimal(quantity), list=Decimal(price), cost=Decimal(cost), fits=known)


@pytest.mark.mission("PR-15", "PR-16")
@pytest.mark.parametrize(
    ("method", "value", "price"),
    [("markup_cost", 25, "100.00"), ("margin_price", 25, "106.67"), ("off_list", 15, "102.00"), ("price", 96, "96.00")],
)
def test_the_basis_of_a_price_is_explicit(method: str, value: int, price: str) -> None:
    assert decide(case(), [offer(1, method, value)]).price == Decimal(price)


def test_without_a_price_list_the_list_price_counts() -> None:
    found = decide(case(), [])
    assert (found.price, [s.word for s in found.steps]) == (Decimal("120.00"), ["list"])
    assert decide(Case(on=DAY, quantity=None, list=None, cost=None), [offer(1, "off_list", 5)]).price is None


@pytest.mark.mission("PR-18")
def test_quantity_breaks() -> None:
    prices = [offer(1, "price", 110, least=Decimal(1)), offer(2, "price", 98, least=Decimal(100))]
    assert [decide(case(q), prices).price for q in (1, 99, 100, 500)] == [110, 110, 98, 98]


def test_the_more_specific_price_goes_first_and_priority_before_it() -> None:
    everybody = offer(1, "price", 90)
    vip = offer(2, "price", 96, keys={"type": "vip"})
    assert decide(case(type={"vip"}), [everybody, vip]).price == 96
    assert decide(case(type={"regular"}), [everybody, vip]).price == 90
    assert decide(case(type={"vip"}), [everybody, vip], choose="best").price == 90
    first = offer(3, "price", 99, priority=5)
    assert decide(case(type={"vip"}), [everybody, vip, first]).price == 99


def test_days_bound_an_offer() -> None:
    early = offer(1, "price", 1, last=date(2026, 3, 15))
    late = offer(2, "price", 2, first=date(2026, 3, 17))
    today = offer(3, "price", 3, first=DAY, last=DAY)
    assert decide(case(), [early, late, today]).price == 3


@pytest.mark.mission("PR-19")
def test_promotions_compete_or_stack() -> None:
    vip = offer(1, "off_price", 20, keys={"type": "vip"})
    many = offer(2, "off_price", 10, least=Decimal(100))
    both = case(100, type={"vip"})
    assert decide(both, [], [vip, many]).price == Decimal("96.00")
    stacked = [offer(1, "off_price", 20, keys={"type": "vip"}, stack=True), offer(2, "off_price", 10, stack=True)]
    found = decide(both, [], stacked)
    assert found.price == Decimal("86.40")
    assert [(s.word, s.before, s.after) for s in found.steps[1:]] == [
        ("reduced", Decimal("120.00"), Decimal("96.00")),
        ("reduced", Decimal("96.00"), Decimal("86.40")),
    ]
    assert decide(both, [], [many, offer(3, "less", 5, priority=9)], combine="first").price == Decimal("115.00")


def test_a_markup_does_not_tell_the_cost() -> None:
    steps = decide(case(), [offer(1, "markup_cost", 25)]).steps
    assert all("value" not in step.plain() for step in steps if step.method == "markup_cost")


@pytest.mark.parametrize(
    ("quantity", "problem"),
    [(12, ("multiple", 5)), (5, ("least", 10)), (15, None), (1000, ("most", 500)), (None, None)],
)
def test_quantities(quantity: Any, problem: Any) -> None:
    asked = None if quantity is None else Decimal(quantity)
    assert quantity_problem(asked, Decimal(10), Decimal(500), Decimal(5)) == problem


OFFERS = st.builds(
    Offer,
    id=st.integers(1, 50),
    label=st.text("abc", min_size=1, max_size=3),
    method=st.sampled_from(METHODS),
    value=st.decimals(0, 150, places=2),
    keys=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(1, 2), max_size=2),
    least=st.none() | st.decimals(0, 50, places=2),
    priority=st.integers(-2, 2),
    stack=st.booleans(),
)


@given(st.lists(OFFERS, max_size=6), st.lists(OFFERS, max_size=6), st.decimals(0, 1000, places=2))
def test_every_price_is_positive_rounded_explained_and_the_same_in_any_order(
    prices: list[Offer], promotions: list[Offer], listed: Decimal
) -> None:
    prices = list({p.id: p for p in prices}.values())
    promotions = list({p.id: p for p in promotions}.values())
    asked = case(20, listed, 50, a={1}, b={2})
    found = decide(asked, prices, promotions)
    assert found.price is not None
    assert found.price >= 0
    assert found.price == found.price.quantize(Decimal("0.01"))
    taken = [step for step in found.steps if step.word != "passed"]
    assert taken[-1].after == found.price
    without = decide(asked, prices)
    assert without.price is not None
    assert found.price <= without.price
    assert decide(asked, prices[::-1], promotions[::-1]).price == found.price
