"""Prices of quotes, on either database: PR-11, PR-12, PR-15 … PR-19, QU-01."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.errors import Refused
from runtime.explain import decision
from runtime.records.form import evaluate_form
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World


@pytest.fixture
def w(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def product(w: World, name: str = "软件许可 A") -> int:
    return w.id("product", name=name)


def prices(w: World, *entries: dict[str, Any], name: str = "标准价目") -> int:
    return w.create(None, "price_list", name=name, entries=[{"product": product(w), **entry} for entry in entries])


def line(w: World, customer: str = "K1", login: str = "zhangsan", **given: Any) -> dict[str, Any]:
    """The line of a new quote, as stored."""
    asked = {"product": product(w), **given}
    made = w.create(login, "quote", customer=w.k(customer), lines=[asked])
    return dict(w.read("admin", "quote", made)["lines"][0].values)


@pytest.mark.mission("PR-15", "PR-16")
@pytest.mark.parametrize(
    ("method", "value", "price"),
    [("markup_cost", 25, "100.00"), ("margin_price", 25, "106.67"), ("off_list", 15, "102.00")],
)
def test_cost_plus_and_list_minus(w: World, method: str, value: int, price: str) -> None:
    prices(w, {"method": method, "value": value})
    found = line(w)
    assert (found["list"], found["price"]) == (Decimal("120"), Decimal(price))


@pytest.mark.mission("PR-17")
def test_customers_of_two_types_pay_two_prices_on_one_day(w: World) -> None:
    prices(w, {"customer_type": "vip", "value": 96}, {"customer_type": "regular", "value": 110})
    w.update(None, "customer", w.k("K1"), type="vip")
    assert line(w, "K1")["price"] == Decimal("96")
    assert line(w, "P1")["price"] == Decimal("110")


@pytest.mark.mission("PR-18")
def test_the_quantity_decides(w: World) -> None:
    prices(w, {"min_quantity": 1, "value": 110}, {"min_quantity": 100, "value": 98})
    assert [line(w, quantity=q)["price"] for q in (1, 99, 100)] == [110, 110, 98]


@pytest.mark.mission("PR-19")
def test_promotions_compete_or_stack_and_say_why(w: World) -> None:
    w.update(None, "customer", w.k("K1"), type="vip")
    prices(w, {"value": 110}, {"value": 98, "min_quantity": 100})
    first = w.create(None, "promotion", name="VIP 八折", customer_type="vip", value=20, priority=2)
    second = w.create(None, "promotion", name="百件九折", min_quantity=100, value=10, priority=1)
    assert line(w, quantity=100)["price"] == Decimal("78.40")
    for promotion in (first, second):
        w.update(None, "promotion", promotion, stackable=True)
    made = w.create("zhangsan", "quote", customer=w.k("K1"), lines=[{"product": product(w), "quantity": 100}])
    assert w.read("zhangsan", "quote", made)["lines"][0].values["price"] == Decimal("70.56")
    with w.as_("zhangsan") as session:
        why = decision(session, "pricing", "quote", made)
    assert why["steps"][0]["reasons"] == [
        "标价 120.00",
        "价目“标准价目”：定价 98.00，得 98.00",
        "未采用“标准价目”（定价 110.00）",
        "促销“VIP 八折”：再减 20.00 %，98.00 → 78.40",
        "促销“百件九折”：再减 10.00 %，78.40 → 70.56",
    ]
    answer = w.api("zhangsan", "GET", f"/quote/{made}/explain/pricing")
    assert answer.json["steps"][0]["reasons"] == why["steps"][0]["reasons"]


@pytest.mark.mission("PR-11")
def test_a_pack_of_twelve(w: World) -> None:
    jacket = product(w, "工装夹克")
    pack = w.id("product_pack", product=jacket)
    prices(w, {"product": jacket, "pack": pack, "value": 1800})
    found = line(w, product=jacket, pack=pack, quantity=5)
    assert (found["units"], found["price"], found["amount"]) == (Decimal(60), Decimal(150), Decimal(9000))
    assert line(w, product=jacket, quantity=20)["price"] == Decimal(168)


@pytest.mark.mission("PR-12")
def test_twelve_jackets_are_refused_where_ten_and_fives_are_due(w: World) -> None:
    jacket = product(w, "工装夹克")
    for quantity, code in ((12, "pricing.multiple"), (5, "pricing.least")):
        with pytest.raises(Refused) as refusal:
            line(w, product=jacket, quantity=quantity)
        assert [(p.code, p.field) for p in refusal.value.problems] == [(code, "lines.0.quantity")]
    assert line(w, product=jacket, quantity=15)["quantity"] == 15


def test_regions_include_those_below_and_days_count(w: World) -> None:
    east, south = w.id("region", code="east"), w.id("region", code="south")
    prices(w, {"region": south, "value": 70}, {"region": east, "value": 90}, {"value": 80, "valid_from": "2026-04-01"})
    assert line(w)["price"] == Decimal(90)


def test_a_price_by_hand_stays_and_the_floor_is_marked(w: World) -> None:
    w.update(None, "product", product(w), min_price=96)
    prices(w, {"value": 100})
    kept = line(w, price=90, price_kept=True)
    assert (kept["price"], kept["price_kept"], kept["below_floor"]) == (Decimal(90), True, True)
    sent = {"customer": w.k("K1"), "lines": [{"product": product(w), "price": "90"}]}
    made = w.api("zhangsan", "POST", "/quote", json=sent)  # a program that says a price means it
    assert w.read("zhangsan", "quote", int(made.json["id"]))["lines"][0].values["price_kept"] is True
    discounted = line(w, discount=5)
    assert (discounted["price"], discounted["below_floor"]) == (Decimal(100), True)
    assert line(w, discount=4)["below_floor"] is False


def test_the_form_shows_the_price_while_it_is_filled_in(w: World) -> None:
    prices(w, {"min_quantity": 1, "value": 110}, {"min_quantity": 100, "value": 98})
    with w.as_("zhangsan") as session:
        given = {"customer": w.k("K1"), "lines": [{"product": product(w), "quantity": "100", "price": "110"}]}
        state = evaluate_form(session, "quote", None, given)
        assert state.values["lines"][0]["price"] == Decimal(98)
        assert state.values["amount"] == Decimal(9800)
        given["lines"][0] |= {"price_kept": True}  # type: ignore[index]
        assert evaluate_form(session, "quote", None, given).values["lines"][0]["price"] == Decimal(110)


def test_a_line_is_priced_anew_only_when_something_that_decides_has_changed(w: World) -> None:
    prices(w, {"value": 100})
    made = w.create("zhangsan", "quote", customer=w.k("K1"), lines=[{"product": product(w), "quantity": 1}])
    prices(w, {"value": 50, "priority": 9}, name="新价目")
    row = w.read("zhangsan", "quote", made)["lines"][0]
    w.update("zhangsan", "quote", made, name="改名", lines=[{"id": row.id, "tax": 6}])
    assert w.read("zhangsan", "quote", made)["lines"][0].values["price"] == Decimal(100)
    w.update("zhangsan", "quote", made, lines=[{"id": row.id, "quantity": 2}])
    assert w.read("zhangsan", "quote", made)["lines"][0].values["price"] == Decimal(50)
    w.update(None, "quote", made, status="approved")
    w.update(None, "quote", made, lines=[{"id": row.id, "quantity": 3}])
    assert w.read("zhangsan", "quote", made)["lines"][0].values["price"] == Decimal(50)


def test_a_document_in_another_currency(w: World) -> None:
    w.create(None, "rate", currency="USD", day="2026-01-01", rate="8")
    prices(w, {"value": 100}, {"value": 11, "currency": "USD"})
    with w.as_("zhangsan", write=True) as session:
        made = records.create(
            session, "quote", {"customer": w.k("K1"), "currency": "USD", "lines": [{"product": product(w)}]}
        )
    found = w.read("zhangsan", "quote", made.id)["lines"][0].values
    assert (found["list"], found["price"]) == (Decimal(15), Decimal(11))


def test_a_hundred_lines_take_no_more_statements_than_one(w: World) -> None:
    prices(w, {"value": 100})
    w.create(None, "promotion", name="全场", value=5)

    def statements(lines: int) -> int:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
            seen.append(text)

        sa.event.listen(w.site.engine, "before_cursor_execute", note)
        try:
            with w.as_("zhangsan") as session:
                given = [{"product": product(w), "quantity": n + 1} for n in range(lines)]
                evaluate_form(session, "quote", None, {"customer": w.k("K1"), "lines": given})
        finally:
            sa.event.remove(w.site.engine, "before_cursor_execute", note)
        return len([s for s in seen if "price_entry" in s or "promotion" in s])

    statements(1)
    assert statements(100) == statements(1)


@pytest.mark.mission("QU-01")
def test_a_quote_of_five_products_to_the_cent(w: World) -> None:
    w.update(None, "customer", w.k("K1"), type="vip")
    prices(w, {"customer_type": "vip", "value": "96.33"})
    lines = [{"product": product(w), "quantity": n} for n in (1, 3, 7)]
    lines += [{"product": product(w, "行业包")}, {"product": product(w, "工装夹克"), "quantity": 10, "discount": 12}]
    made = w.create("zhangsan", "quote", customer=w.k("K1"), lines=lines, discount=12)
    found = w.read("admin", "quote", made)
    assert found["code"] == "BJ20260316001"
    assert [li.values["amount"] for li in found["lines"]] == [
        Decimal(t) for t in ("96.33", "288.99", "674.31", "80000.00", "1478.40")
    ]
    assert found["subtotal"] == Decimal("82538.03")
    assert found["amount"] == Decimal("72633.47")
    assert found["tax_amount"] == Decimal("9442.35")
    assert found["total"] == Decimal("82075.82")
