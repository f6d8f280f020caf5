"""Customers with their contacts in one sheet, in the browser; on a phone as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_customers_with_their_contacts(open_page: Opener, live: Live, tmp_path: Path, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    name = "一表桌面" if viewport is DESKTOP else "一表手机"
    rows = [f"{name}甲有限公司,{name}张三,13800138001", f",{name}李四,", f"{name}乙有限公司,{name}王五,"]
    file = tmp_path / "客户与联系人.csv"
    file.write_text("\n".join(["客户名称,联系人姓名,手机号", *rows, f"{name}坏,{name}赵六,12"]), "utf-8")

    def columns() -> None:
        page.goto(f"{live.address}/e/customer/import")
        page.set_input_files("#file", file)
        page.click("form[enctype] .btn-primary")
        expect(page.locator("[name=target] >> nth=1")).to_have_value("contacts.name")

    columns()
    expect(page.locator("#with")).to_have_value("contacts")
    page.select_option("[name=target] >> nth=2", "contacts.mobile")
    page.select_option("#match", "name")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.click("button[value=dry]")
    expect(page.locator(".figures dd").first).to_have_text("2")
    expect(page.locator(".import-lines")).to_have_text("联系人: 新建 3 条，更新 0 条，不变 0 条，跳过 0 条")
    expect(page.locator(".import-refused tbody tr")).to_contain_text("“12”不是有效的电话号码")
    page.click(".import-result [data-save]")
    expect(page.locator(".wizard-steps .is-now")).to_have_text("结果")
    done = page.url
    page.goto(f"{live.address}/e/contact?q={name}")
    expect(page.locator("tbody tr")).to_have_count(3)
    file.write_text(file.read_text("utf-8").replace(f"{name}赵六,12", f"{name}赵六,13800138006"), "utf-8")
    columns()
    expect(page.locator("[name=target] >> nth=2")).to_have_value("contacts.mobile")  # as it was mapped last time
    page.select_option("#match", "name")
    page.click("button[value=dry]")
    expect(page.locator(".import-lines")).to_have_text("联系人: 新建 1 条，更新 0 条，不变 3 条，跳过 0 条")
    page.goto(done)
    page.click("form[action$='/undo'] button")
    page.click("dialog .btn-danger")
    expect(page.locator("#import")).to_contain_text("移除 5 条")
    page.goto(f"{live.address}/e/contact?q={name}")
    expect(page.locator(".empty-title")).to_be_visible()
