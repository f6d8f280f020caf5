"""Approvals in the browser: submitted on the record, decided in the inbox on a phone, and a chain tried out."""

from __future__ import annotations

import pytest

from runtime import records
from tests.browser.conftest import PHONE, sync_api
from tests.browser.test_pools import Stage, sign_in, stage

__all__ = ["stage"]  # the fixture: a site with the people of the demonstration on a clock of its own

pytestmark = pytest.mark.browser
expect = sync_api.expect


def request(stage: Stage, purpose: str, amount: int) -> int:
    with stage.site.session(stage.user("zhangsan"), write=True) as session:
        lines = [{"item": "展位", "category": "venue", "amount": amount}]
        return records.create(session, "expense_request", {"purpose": purpose, "lines": lines}).id


@pytest.mark.mission("EX-03")
def test_submitted_and_approved_on_the_phone(stage: Stage, chromium: sync_api.Browser) -> None:
    record = request(stage, "参加春季展会", 12_000)
    rep = sign_in(chromium, stage, "zhangsan")
    rep.goto(f"{stage.address}/e/expense_request/{record}/actions/submit")
    rep.fill("[name=comment]", "请尽快")
    rep.click("[data-save]")
    expect(rep.locator("#toasts")).to_contain_text("王经理")  # who is next is told
    expect(rep.locator("#panel-approval")).to_contain_text("等待 王经理 审批")

    manager = sign_in(chromium, stage, "wang", PHONE)
    manager.goto(f"{stage.address}/inbox")
    expect(manager.locator(".inbox-card")).to_contain_text("12,000.00")
    assert manager.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for button in manager.locator(".inbox-acts .btn").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    manager.click(".inbox-card h2 a")
    expect(manager.locator("#main")).to_contain_text("展位")
    manager.fill("#comment", "同意参加")
    manager.click("button[formaction$='/approve']")
    expect(manager.locator("#toasts")).to_contain_text("郑总监")

    director = sign_in(chromium, stage, "vp", language="en")
    director.goto(f"{stage.address}/inbox")
    expect(director.locator(".inbox-tabs")).to_contain_text("Waiting for me")
    director.click(".inbox-card h2 a")
    expect(director.locator(".chain")).to_contain_text("同意参加")
    director.fill("#comment", "Too much")
    director.click("button[formaction$='/reject']")
    expect(director.locator("#toasts")).to_contain_text("Rejected")
    rep.goto(f"{stage.address}/inbox?box=submitted")
    rep.goto(f"{stage.address}/e/expense_request/{record}")
    expect(rep.locator("#panel-approval")).to_contain_text("已驳回")
    expect(rep.locator("#panel-approval")).to_contain_text("Too much")


@pytest.mark.mission("CT-23")
def test_a_change_of_a_contract_and_its_difference(stage: Stage, chromium: sync_api.Browser) -> None:
    with stage.site.session(stage.user("zhangsan"), write=True) as session:
        customer = records.create(session, "customer", {"name": "合同客户有限公司"}).id
        lines = [{"text": "服务", "quantity": 1, "price": 50_000}]
        values = {"customer": customer, "name": "年度合同", "lines": lines}
        record = records.create(session, "contract", values).id
    rep, manager = sign_in(chromium, stage, "zhangsan"), sign_in(chromium, stage, "wang")

    def decide() -> None:
        manager.goto(f"{stage.address}/inbox")
        manager.click(".inbox-acts button")
        expect(manager.locator("#toasts")).to_contain_text("已通过")

    rep.goto(f"{stage.address}/e/contract/{record}/actions/submit")
    rep.click("[data-save]")
    expect(rep.locator("#toasts")).to_contain_text("王经理")
    decide()
    with stage.site.session(stage.user("zhangsan"), write=True, channel="form") as session:
        records.update(session, "contract", record, {"payment_days": 60})
    rep.goto(f"{stage.address}/e/contract/{record}")
    expect(rep.locator("#panel-versions")).to_contain_text("60")
    rep.goto(f"{stage.address}/e/contract/{record}/actions/submit_change")
    rep.fill("[name=reason]", "客户要求")
    rep.click("[data-save]")
    expect(rep.locator("#toasts")).to_contain_text("王经理")
    decide()
    rep.goto(f"{stage.address}/e/contract/{record}")
    expect(rep.locator("h1")).to_contain_text("-V2")
    rep.goto(f"{stage.address}/e/contract/{record}/versions")
    expect(rep.locator(".diff")).to_contain_text("60")


def test_a_chain_tried_out(stage: Stage, chromium: sync_api.Browser) -> None:
    admin = sign_in(chromium, stage, "admin")
    admin.goto(f"{stage.address}/inbox")
    admin.click("a[href='/rules?of=approval']")
    admin.click("a[href='/rules/approval/expense_request']")
    admin.fill("[name=amount]", "12000")
    admin.fill("#f-owner", "张三")
    admin.locator(".lookup-option", has_text="张三").first.click()
    admin.click(".trial .btn-primary")
    expect(admin.locator("#trial")).to_contain_text("王经理 → 郑总监")
    expect(admin.locator("#f-owner")).to_have_value("张三")
    admin.fill("[name=amount]", "3000")
    admin.click(".trial .btn-primary")
    expect(admin.locator("#chain")).to_contain_text("条件不满足")
    rep = sign_in(chromium, stage, "zhangsan")
    assert rep.goto(f"{stage.address}/rules/approval/expense_request").status == 403  # type: ignore[union-attr]
