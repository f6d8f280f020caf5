"""Conversions of the mission, on either database: LD-11, LD-18, LD-19, OP-30, QU-04, QU-05."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runtime import actions, records
from runtime.errors import Busy, Conflict, Refused
from runtime.explain import decision
from runtime.views import lookups
from runtime.views.binder import Binder
from tests.acceptance.both import fixture_f_on, together
from tests.acceptance.conftest import World
from tests.scale import ROUNDS, WRITERS


@pytest.fixture
def w(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def do(w: World, login: str, entity: str, record: int, name: str, **given: Any) -> Any:
    with w.as_(login, write=True) as session:
        return actions.run(session, entity, record, name, given)


def offer(w: World, login: str, entity: str, record: int, name: str) -> actions.Offer:
    with w.as_(login) as session:
        return next(o for o in actions.offers(session, entity, record) if o.name == name)


def product(w: World) -> int:
    return w.id("product", name="软件许可 A")


def lead_of(w: World, **values: Any) -> int:
    """A lead of the representative's, whatever the rules of assignment made of it."""
    made = w.create(None, "lead", **values)
    w.update(None, "lead", made, owner=w.user("zhangsan"))
    return made


def quote(w: World, **more: Any) -> int:
    lines = [{"product": product(w), "quantity": 10}, {"text": "培训", "quantity": 2, "price": 500}]
    return w.create("zhangsan", "quote", customer=w.k("K1"), lines=lines, **more)


@pytest.mark.mission("LD-11", "LD-18")
def test_a_prospect_becomes_an_opportunity_with_what_is_known_of_it(w: World) -> None:
    prospect = w.k("P1")
    closed = offer(w, "zhangsan", "customer", prospect, "convert_prospect_to_opportunity")
    assert not closed.open
    assert closed.why == "未通过资格认证，或客户已放弃、列入黑名单"
    with pytest.raises(Conflict) as refusal:
        do(w, "zhangsan", "customer", prospect, "convert_prospect_to_opportunity")
    assert refusal.value.code == "action.closed"
    w.update(None, "customer", prospect, qualification="qualified", expected_amount=180000, source="exhibition",
             expected_close="2026-05-31", description="展会认识", interests=[{"target": "product", "product": product(w)}])  # fmt: skip
    made = do(w, "zhangsan", "customer", prospect, "convert_prospect_to_opportunity")
    assert made.goto is not None
    found = w.read("zhangsan", "opportunity", made.goto[1])
    carried = {n: found[n] for n in ("name", "customer", "source", "manual_amount", "description")}
    assert carried == {
        "name": "潜在客户一号有限公司",
        "customer": prospect,
        "source": "exhibition",
        "manual_amount": Decimal("180000.0000"),
        "description": "展会认识",
    }
    assert (found["owner"], str(found["expected_close"])) == (w.user("zhangsan"), "2026-05-31")
    assert found["unit"] == w.id("unit", code="E1")
    assert [line.values["product"] for line in found["lines"]] == [product(w)]
    with w.as_(None) as session:
        log = session.table("stage_log")
        rows = session.connection.execute(
            log.select().where(log.c.entity == "opportunity", log.c.field == "stage")
        ).all()
    assert [(r.record, r.to_value) for r in rows] == [(made.goto[1], "initial")]


@pytest.mark.mission("LD-19")
def test_prospects_are_offered_on_the_page_of_the_opportunity(w: World) -> None:
    made = w.create("zhangsan", "opportunity", name="新机会", customer=w.k("P1"), manual_amount=1)
    assert w.read("zhangsan", "opportunity", made)["customer"] == w.k("P1")
    with w.as_("zhangsan") as session:
        found = lookups.find(Binder(session), "customer", "潜在客户一号")
    assert [hit.id for hit in found] == [w.k("P1")]


def test_a_lead_becomes_customer_contact_and_opportunity_or_joins_those_there_are(w: World) -> None:
    lead = lead_of(w, company="全新机械有限公司", name="周敏", phone="13900001111", expected_amount=5000)
    made = do(w, "zhangsan", "lead", lead, "convert_lead_to_customer").data["made"]
    assert {n: m["existing"] for n, m in made.items()} == {"customer": False, "contact": False, "opportunity": False}
    assert w.read("zhangsan", "lead", lead)["status"] == "converted"
    assert w.read("zhangsan", "lead", lead)["customer"] == made["customer"]["id"]
    deal = w.read("zhangsan", "opportunity", made["opportunity"]["id"])
    assert (deal["lead"], deal["customer"], deal["contact"]) == (lead, made["customer"]["id"], made["contact"]["id"])
    with pytest.raises(Conflict):
        do(w, "zhangsan", "lead", lead, "convert_lead_to_customer")
    twin = lead_of(w, company="全新机械有限公司", name="周敏", phone="13900001111")
    again = do(w, "zhangsan", "lead", twin, "convert_lead_to_customer").data["made"]
    assert {n: m["existing"] for n, m in again.items()} == {"customer": True, "contact": True, "opportunity": False}
    assert again["customer"]["id"] == made["customer"]["id"]
    other = lead_of(w, company="全新机械有限公司", name="李雷", phone="13900002222")
    third = do(w, "zhangsan", "lead", other, "convert_lead_to_customer", new_customer=True).data["made"]
    assert third["customer"]["id"] not in (made["customer"]["id"],)
    hidden = lead_of(w, company="深圳百川百货有限公司", phone="13900003333")
    assert "无权查看" in (offer(w, "zhangsan", "lead", hidden, "convert_lead_to_customer").why or "")


@pytest.mark.mission("OP-30")
def test_a_won_opportunity_becomes_one_order_however_often_it_is_pressed(w: World) -> None:
    customer = w.k("K1")
    w.update(None, "customer", customer, addresses=[{"street": "科技路 1 号"}], payment_days=30)
    deal = w.create("zhangsan", "opportunity", name="MMS 系统采购商机", customer=customer,
                    lines=[{"product": product(w), "quantity": 3, "discount": 10}, {"text": "实施", "price": 1000}])  # fmt: skip
    assert (
        offer(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order").why
        == "赢单且不含复杂产品的商机才生成订单"
    )
    w.update("zhangsan", "opportunity", deal, stage="won")
    made = do(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order")
    assert made.goto is not None
    order = w.read("zhangsan", "sales_order", made.goto[1])
    assert order["code"].startswith("DD20260316")
    assert (order["customer"], order["opportunity"], order["status"]) == (customer, deal, "planned")
    assert (order["ship_to"], order["payment_days"]) == ("科技路 1 号", 30)
    assert [(li.values["item"], li.values["amount"]) for li in order["lines"]] == [
        ("软件许可 A", Decimal("324.0000")),
        ("实施", Decimal("1000.0000")),
    ]
    assert order["amount"] == Decimal("1324.0000")
    assert w.list("zhangsan", "sales_order", f"opportunity.id == {deal}", of="code") == [order["code"]]  # the tab of it
    with w.as_("zhangsan") as session:
        state = decision(session, "conversion", "opportunity", deal)
    assert order["code"] in str(state)
    again = offer(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order")
    assert again.why == f"已转：{order['code']}"
    with pytest.raises(Conflict):
        do(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order")
    do(w, "zhangsan", "sales_order", made.goto[1], "undo_opportunity_to_order")
    assert w.read("zhangsan", "sales_order", made.goto[1])["status"] == "cancelled"
    assert offer(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order").open


@pytest.mark.attack("N104")
@pytest.mark.mission("OP-30")
def test_sixteen_people_press_at_once_and_one_order_is_made(w: World) -> None:
    """Won opportunities, each converted by 16 at once: 25 of them make 400 attempts and 25 orders."""
    with w.as_("zhangsan", write=True) as session:
        rows = [{"name": f"O{n}", "customer": w.k("K1"), "manual_amount": 1, "stage": "won"} for n in range(ROUNDS)]
        deals = [saved.id for saved in records.create_many(session, "opportunity", rows)]  # type: ignore[union-attr]

    def press(deal: int) -> int | None:
        while True:
            try:
                made = do(w, "zhangsan", "opportunity", deal, "convert_opportunity_to_order")
            except Busy:
                continue
            except Conflict:
                return None
            return made.goto[1] if made.goto else None

    for deal in deals:
        results = together([lambda deal=deal: press(deal)] * WRITERS)  # type: ignore[misc]
        assert sum(isinstance(r, int) for r in results) == 1, results
        assert results.count(None) == 15, results
    assert len(w.list(None, "sales_order", of="code")) == ROUNDS


@pytest.mark.mission("QU-05")
def test_a_quote_becomes_orders_in_parts_and_keeps_what_is_left(w: World) -> None:
    made = quote(w)
    assert not offer(w, "zhangsan", "quote", made, "convert_quote_to_order").open
    w.update(None, "quote", made, status="approved")
    first, second = (line.id for line in w.read("zhangsan", "quote", made)["lines"])
    asks = {ask.name: ask.default for ask in offer(w, "zhangsan", "quote", made, "convert_quote_to_order").asks}
    assert asks == {f"lines_{first}": Decimal("10.00"), f"lines_{second}": Decimal("2.00")}
    with pytest.raises(Refused) as refusal:
        do(w, "zhangsan", "quote", made, "convert_quote_to_order", **{f"lines_{first}": "10.01"})
    assert refusal.value.problems[0].field == f"lines_{first}"
    given = {f"lines_{first}": "4", f"lines_{second}": "0"}
    part = do(w, "zhangsan", "quote", made, "convert_quote_to_order", **given)
    order = w.read("zhangsan", "sales_order", part.goto[1])
    assert [(li.values["quantity"], li.values["quote_line"]) for li in order["lines"]] == [(Decimal("4.00"), first)]
    assert [li.values["ordered"] for li in w.read("zhangsan", "quote", made)["lines"]] == [4, 0]
    assert w.read("zhangsan", "quote", made)["status"] == "approved"
    rest = do(w, "zhangsan", "quote", made, "convert_quote_to_order")
    assert [li.values["quantity"] for li in w.read("zhangsan", "sales_order", rest.goto[1])["lines"]] == [6, 2]
    assert w.read("zhangsan", "quote", made)["status"] == "converted"
    with pytest.raises(Conflict):
        do(w, "zhangsan", "quote", made, "convert_quote_to_order")
    do(w, "zhangsan", "sales_order", part.goto[1], "undo_quote_to_order")
    assert w.read("zhangsan", "quote", made)["status"] == "accepted"
    asks = {ask.name: ask.default for ask in offer(w, "zhangsan", "quote", made, "convert_quote_to_order").asks}
    assert asks == {f"lines_{first}": Decimal("4.00")}
    with w.as_("zhangsan") as session:
        why = decision(session, "conversion", "quote", made)
    assert [s["left"] for s in why["steps"] if s["label"] == "转订单"] == [[{"label": "软件许可 A", "left": "4.00"}]]


@pytest.mark.attack("N104")
def test_parts_taken_at_once_are_never_more_than_there_is(w: World) -> None:
    made = quote(w)
    w.update(None, "quote", made, status="approved")
    first, second = (line.id for line in w.read("zhangsan", "quote", made)["lines"])

    def take(_: int) -> bool:
        given = {f"lines_{first}": "1", f"lines_{second}": "0"}
        while True:
            try:
                do(w, "zhangsan", "quote", made, "convert_quote_to_order", **given)
            except Busy:
                continue
            except (Conflict, Refused):
                return False
            except Exception as answer:
                if type(answer).__name__ == "BadQuery":  # the line is gone from the questions
                    return False
                raise
            return True

    results = together([lambda n=n: take(n) for n in range(16)])  # type: ignore[misc]
    assert sum(r is True for r in results) == 10, results
    assert [li.values["ordered"] for li in w.read("zhangsan", "quote", made)["lines"]] == [10, 0]


def test_the_api_offers_and_runs_them(w: World) -> None:
    made = quote(w)
    w.update(None, "quote", made, status="approved")
    listed = w.api("zhangsan", "GET", f"/quote/{made}/actions").json["actions"]
    assert next(a for a in listed if a["name"] == "convert_quote_to_order")["open"] is True
    answer = w.api("zhangsan", "POST", f"/quote/{made}/actions/convert_quote_to_order", json={})
    assert answer.status_code == 200, answer.json
    assert w.api("zhangsan", "POST", f"/quote/{made}/actions/convert_quote_to_order", json={}).status_code == 409
    assert w.api("lisi", "POST", f"/quote/{made}/actions/convert_quote_to_order", json={}).status_code == 404
    why = w.api("zhangsan", "GET", f"/quote/{made}/explain/conversion").json
    assert why["decision"] == "conversion"


@pytest.mark.mission("QU-04")
def test_a_quote_becomes_a_contract_with_lines_and_terms_and_is_locked(w: World) -> None:
    made = quote(w, terms="验收后 30 天付款", discount=10)
    w.update(None, "quote", made, status="approved")
    done = do(w, "zhangsan", "quote", made, "convert_quote_to_contract")
    contract = w.read("zhangsan", "contract", done.goto[1])
    assert (contract["quote"], contract["customer"], contract["terms"]) == (made, w.k("K1"), "验收后 30 天付款")
    assert [(li.values["item"], li.values["amount"]) for li in contract["lines"]] == [
        ("软件许可 A", Decimal("1080.0000")),
        ("培训", Decimal("900.0000")),
    ]
    assert contract["amount"] == w.read("zhangsan", "quote", made)["amount"]
    assert w.read("zhangsan", "quote", made)["status"] == "converted"
    with pytest.raises(Conflict):
        do(w, "zhangsan", "quote", made, "convert_quote_to_contract")
    answer = w.api("zhangsan", "PATCH", f"/quote/{made}", json={"lines": []})
    assert answer.status_code in (403, 409, 422), answer.json
    assert len(w.read("zhangsan", "quote", made)["lines"]) == 2


@pytest.mark.mission("OP-31")
def test_complex_products_make_a_contract_and_the_others_an_order(w: World) -> None:
    simple, difficult = product(w), w.id("product", name="工装夹克")
    w.update(None, "product_type", w.id("product_type", code="FZ"), complex=True)
    for item, open_one, closed in (
        (simple, "convert_opportunity_to_order", "convert_opportunity_to_contract"),
        (difficult, "convert_opportunity_to_contract", "convert_opportunity_to_order"),
    ):
        deal = w.create("zhangsan", "opportunity", name="商机", customer=w.k("K1"), stage="won",
                        lines=[{"product": item, "quantity": 10}])  # fmt: skip
        assert not offer(w, "zhangsan", "opportunity", deal, closed).open
        made = do(w, "zhangsan", "opportunity", deal, open_one)
        assert made.goto is not None
        assert w.read("zhangsan", made.goto[0], made.goto[1])["opportunity"] == deal
