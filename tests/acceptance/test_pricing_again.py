"""Prices decided again: when the customer, the day or the quantity changes, and when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions
from runtime.errors import Conflict, Refused
from runtime.explain import decision
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from tests.acceptance.test_pricing import prices, product


@pytest.fixture
def w(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def lines(w: World, entity: str, record: int) -> list[dict[str, Any]]:
    return [dict(line.values) for line in w.read("admin", entity, record)["lines"]]


def again(w: World, entity: str, record: int, login: str = "zhangsan", **given: Any) -> actions.Outcome:
    with w.as_(login, write=True) as session:
        return actions.run(session, entity, record, "reprice", given)


def offer(w: World, entity: str, record: int, login: str = "zhangsan") -> actions.Offer:
    with w.as_(login) as session:
        return next(one for one in actions.offers(session, entity, record) if one.name == "reprice")


@pytest.mark.mission("PR-17")
def test_another_customer_or_day_prices_the_lines_that_nobody_sent(w: World) -> None:
    prices(
        w,
        {"customer_type": "vip", "value": 96},
        {"customer_type": "regular", "value": 110},
        {"customer_type": "regular", "value": 105, "valid_from": "2026-04-01"},
    )
    w.update(None, "customer", w.k("K1"), type="vip")
    made = w.create(
        "zhangsan", "quote", customer=w.k("P1"), lines=[{"product": product(w)}, {"text": "培训", "price": 9}]
    )
    assert [li["price"] for li in lines(w, "quote", made)] == [110, 9]
    w.update("zhangsan", "quote", made, quoted_on="2026-04-02", valid_until="2026-05-01")
    assert [li["price"] for li in lines(w, "quote", made)] == [105, 9]
    before = w.read("admin", "quote", made)["version"]
    w.update("zhangsan", "quote", made, customer=w.k("K1"))
    found = w.read("admin", "quote", made)
    assert [li.values["price"] for li in found["lines"]] == [96, 9]
    assert (found["subtotal"], found["version"]) == (Decimal(105), before + 1)
    w.update("zhangsan", "quote", made, name="主题不定价")
    assert [li["price"] for li in lines(w, "quote", made)] == [96, 9]


def test_lines_of_orders_are_priced_and_frozen_once_it_is_formal(w: World) -> None:
    prices(w, {"min_quantity": 1, "value": 110}, {"min_quantity": 100, "value": 98})
    made = w.create("zhangsan", "sales_order", customer=w.k("K1"), lines=[{"product": product(w), "quantity": 100}])
    (line,) = lines(w, "sales_order", made)
    assert (line["list"], line["price"], line["amount"]) == (120, 98, 9800)
    with w.as_("zhangsan") as session:
        why = decision(session, "pricing", "sales_order", made)["steps"][0]["reasons"]
    assert why[:2] == ["标价 120.00", "价目“标准价目”：定价 98.00，得 98.00"]
    w.update("zhangsan", "sales_order", made, lines=[{"id": line["id"], "quantity": 50}])
    assert lines(w, "sales_order", made)[0]["price"] == 110
    w.update("zhangsan", "sales_order", made, status="formal")
    prices(w, {"value": 50, "priority": 9}, name="新价目")
    w.update("zhangsan", "sales_order", made, ordered_on="2026-03-20")
    assert lines(w, "sales_order", made)[0]["price"] == 110
    closed = offer(w, "sales_order", made)
    assert closed.why == "没有可重新定价的明细：单据已定稿，或价格来自报价。"
    with pytest.raises(Conflict):
        again(w, "sales_order", made)


@pytest.mark.mission("PR-11", "PR-12")
def test_packs_and_quantities_of_orders(w: World) -> None:
    """Two packs of twelve are 24 pieces; twelve of what is sold from ten in fives are refused."""
    licence, jacket = product(w), product(w, "工装夹克")
    pack = w.create(None, "product_pack", product=licence, name="箱", factor=12)
    prices(w, {"pack": pack, "value": 1200})
    made = w.create(
        "zhangsan", "sales_order", customer=w.k("K1"), lines=[{"product": licence, "pack": pack, "quantity": 2}]
    )
    (line,) = lines(w, "sales_order", made)
    assert (line["units"], line["price"], line["amount"]) == (24, 100, 2400)
    for quantity, text in ((12, "数量须为 5 的整倍数。"), (5, "数量不能少于 10。")):
        given = {"customer": w.k("K1"), "lines": [{"product": jacket, "quantity": quantity}]}
        answer = w.api("zhangsan", "POST", "/sales_order", json=given)
        problems = [(p["field"], p["message"]) for p in answer.json["problems"]]
        assert (answer.status_code, problems) == (422, [("lines.0.quantity", text)])


def test_somebody_asks_for_the_prices_of_today_and_sees_them_before(w: World) -> None:
    prices(w, {"value": 100})
    jacket = product(w, "工装夹克")
    made = w.create(
        "zhangsan",
        "quote",
        customer=w.k("K1"),
        lines=[
            {"product": product(w)},
            {"product": product(w), "price": 90, "price_kept": True},
            {"product": jacket, "quantity": 10},
            {"text": "培训", "price": 9},
        ],
    )
    prices(w, {"value": 95, "priority": 5}, name="春季价目")
    assert [li["price"] for li in lines(w, "quote", made)] == [100, 90, 168, 9]
    with w.as_("zhangsan") as session:
        open_, source, stored = actions.find(session, "quote", made, "reprice")
        shown = source.detail(session, session.app.entities["quote"], stored, "reprice")["lines"]
    assert [(li["before"], li["after"], li["changes"], li["by_hand"]) for li in shown] == [
        ("¥100.00", "¥95.00", True, ""),
        ("¥90.00", "¥95.00", True, "手工定价"),
        ("¥168.00", "¥168.00", False, ""),
    ]
    assert shown[0]["reasons"][1] == "价目“春季价目”：定价 95.00，得 95.00"
    assert [ask.name for ask in open_.asks] == ["by_hand"]
    assert again(w, "quote", made).message == "已按今天的价目重新定价：4 行中 1 行单价变动。"
    assert [li["price"] for li in lines(w, "quote", made)] == [95, 90, 168, 9]
    with w.as_("zhangsan") as session:
        kept = decision(session, "pricing", "quote", made)["steps"][1]["reasons"]
    assert kept[-1] == "保留手工定价 90.00"
    answer = w.api("zhangsan", "POST", f"/quote/{made}/actions/reprice", json={"by_hand": True})
    assert (answer.json["lines"], answer.json["changed"]) == (4, 1)
    assert [(li["price"], li["price_kept"]) for li in lines(w, "quote", made)][1] == (95, False)
    with w.as_("admin") as session:
        table = session.table("audit")
        causes = set(session.connection.scalars(sa.select(table.c.cause).where(table.c.entity == "quote")))
    assert causes == {None, "pricing:again"}


def test_a_colleague_who_may_only_read_does_not_price_again(w: World) -> None:
    made = w.create("zhangsan", "quote", customer=w.k("K1"), lines=[{"product": product(w)}])
    w.create(None, "record_share", entity="quote", record=made, person=w.user("chenwu"))
    assert offer(w, "quote", made, "chenwu").why == "您没有权限修改此记录。"


@pytest.mark.mission("PR-19")
def test_below_the_floor_takes_an_approval_on_quotes_and_orders(w: World) -> None:
    w.update(None, "product", product(w), min_price=115)
    made = w.create("zhangsan", "quote", customer=w.k("K1"), lines=[{"product": product(w)}])
    (line,) = lines(w, "quote", made)
    assert line["below_floor"] is False
    w.update("zhangsan", "quote", made, lines=[{"id": line["id"], "discount": 5}])  # 114.00: no price anew, a mark
    (line,) = lines(w, "quote", made)
    assert (line["price"], line["below_floor"]) == (120, True)
    with w.as_("zhangsan") as session:
        assert decision(session, "pricing", "quote", made)["steps"][0]["reasons"][-1] == "低于底价 115.00"
    with w.as_("zhangsan", write=True) as session:
        actions.run(session, "quote", made, "submit", {})
    assert w.read("admin", "quote", made)["status"] == "review"
    order = w.create(
        "zhangsan", "sales_order", customer=w.k("K1"), lines=[{"product": product(w), "price": 110, "price_kept": True}]
    )
    with pytest.raises(Refused) as refusal:
        w.update("zhangsan", "sales_order", order, status="formal")
    assert [p.message or p.code for p in refusal.value.problems] == ["有明细低于最低价，须提交审批"]
    with w.as_("zhangsan", write=True) as session:
        actions.run(session, "sales_order", order, "submit", {})
    assert w.read("admin", "sales_order", order)["status"] == "planned"
    with w.as_("wang", write=True) as session:
        actions.run(session, "sales_order", order, "approve", {})
    assert w.read("admin", "sales_order", order)["status"] == "formal"
