"""Naming somebody by "@" in the comment of an approval: picked from a list, told by a notice, marked in the history."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE, sync_api
from tests.browser.test_approvals import request
from tests.browser.test_pools import Stage, sign_in, stage

__all__ = ["stage"]

pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_colleague_is_picked_and_told(stage: Stage, chromium: sync_api.Browser, viewport: dict[str, int]) -> None:
    record = request(stage, "提及" + ("桌面" if viewport is DESKTOP else "手机"), 900)
    rep = sign_in(chromium, stage, "zhangsan")
    rep.goto(f"{stage.address}/e/expense_request/{record}/actions/submit")
    area = rep.locator("textarea[name=comment]")
    area.press_sequentially("请批 @李")  # in the dialog of the action, too
    rep.locator(".mention-list [role=option]").first.wait_for()
    rep.keyboard.press("Enter")
    expect(area).to_have_value("请批 @李四 ")
    rep.click("[data-save]")
    expect(rep.locator("#toasts")).to_contain_text("未通知（无权查看）：李四")

    manager = sign_in(chromium, stage, "wang", viewport)
    manager.goto(f"{stage.address}/inbox")
    manager.click(".inbox-card h2 a")
    area = manager.locator("#comment")
    area.press_sequentially("同意，@张")
    manager.locator(".mention-list:visible [role=option]", has_text="张三").first.click()
    expect(area).to_have_value("同意，@张三 ")
    assert manager.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    manager.click("button[formaction$='/approve']")
    expect(manager.locator(".history .mention, .chain .mention").first).to_have_text("@张三")
    rep.goto(f"{stage.address}/notifications")
    expect(rep.locator("#main")).to_contain_text("中提到了您")
