"""Pricing again in the browser: what would change is seen line by line before it is taken."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from runtime import records
from tests.browser.conftest import DESKTOP, PHONE, sync_api
from tests.browser.test_pools import Stage, sign_in, stage

__all__ = ["stage"]  # the fixture

pytestmark = pytest.mark.browser
expect = sync_api.expect


def quote(stage: Stage) -> int:
    """A quote of two lines, one of them priced by hand, made before prices rose."""
    with stage.site.session(write=True) as session:
        kind = records.create(session, "product_type", {"code": "RJ", "name": "软件"}).id
        series = records.create(session, "product_series", {"code": "XA", "name": "系列 A", "type": kind}).id
        values = {"name": "行业许可", "type": kind, "series": series, "list_price": 120, "min_price": 92}
        product = records.create(session, "product", {**values, "status": "on_sale"}).id
        entries = [{"product": product, "value": 100}]
        records.create(session, "price_list", {"name": "标准价目", "entries": entries})
        customer = records.create(session, "customer", {"name": "比价机械", "owner": stage.user("zhangsan")}).id
        lines = [{"product": product, "quantity": 3}, {"product": product, "price": 90, "price_kept": True}]
        values = {"customer": customer, "owner": stage.user("zhangsan"), "lines": lines}
        made = records.create(session, "quote", values).id
        entries = [{"product": product, "value": 95, "priority": 5}]
        records.create(session, "price_list", {"name": "春季价目", "entries": entries})
        return made


@pytest.mark.mission("PR-19")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_prices_of_today_are_seen_before_they_are_taken(
    stage: Stage, chromium: sync_api.Browser, language: str
) -> None:
    record = quote(stage)
    viewport = DESKTOP if language == "zh" else PHONE
    page = sign_in(chromium, stage, "zhangsan", viewport, language)
    page.emulate_media(color_scheme="light" if language == "zh" else "dark")
    page.goto(f"{stage.address}/e/quote/{record}/actions/reprice")
    rows = page.locator(".price-line")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text(re.compile(r"100\.00\s+\D*95\.00"))
    expect(rows.nth(1)).to_contain_text("手工定价" if language == "zh" else "Price by hand")
    rows.nth(0).locator("summary").click()
    expect(rows.nth(0)).to_contain_text("春季价目")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.click("[data-save]")
    expect(page.locator("#toasts")).to_contain_text("2 行中 1 行" if language == "zh" else "1 of 2")
    with stage.site.session() as session:
        table = session.table("quote_line")
        prices = session.connection.scalars(sa.select(table.c.price).order_by(table.c.id)).all()
    assert [int(price) for price in prices] == [95, 90]
