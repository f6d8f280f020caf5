"""The import wizard in the browser, from the file to taking it back; on a phone as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.conftest import BOTH, DESKTOP, Live, Opener, fits, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"


@BOTH
@pytest.mark.experience(9)
def test_a_file_is_tried_imported_and_taken_back(
    open_page: Opener, live: Live, tmp_path: Path, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    name = "导入桌面" if viewport is DESKTOP else "导入手机"
    rows = [f"{name}{n}有限公司,通用设备制造业,{n}" for n in range(3)]
    file = tmp_path / "客户.csv"
    file.write_text("\n".join(["我的客户,,", "客户名称,行业,年营业额", *rows, f"{name}坏,没有的行业,多"]), "gb18030")
    page.goto(f"{live.address}{LIST}/import")
    page.set_input_files("#file", file)
    page.click("form[enctype] .btn-primary")
    expect(page.locator("#header_row")).to_have_value("2")
    expect(page.locator("[name=target] >> nth=1")).to_have_value("industry")
    page.click("button[value=dry]")
    expect(page.locator(".figures dd").first).to_have_text("3")
    expect(page.locator(".import-refused tbody tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.click(".import-result [data-save]")
    expect(page.locator(".wizard-steps .is-now")).to_have_text("结果")
    page.goto(f"{live.address}{LIST}?q={name}")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.goto(f"{live.address}{LIST}/import")
    page.locator("table a[href^='/imports/']").first.click()
    page.click("form[action$='/undo'] button")
    page.click("dialog .btn-danger")
    expect(page.locator("#import")).to_contain_text("移除 3 条")
    page.goto(f"{live.address}{LIST}?q={name}")
    expect(page.locator(".empty-title")).to_be_visible()


@BOTH
@pytest.mark.experience(9)
def test_orders_with_their_lines_in_one_sheet(
    open_page: Opener, live: Live, tmp_path: Path, viewport: dict[str, int]
) -> None:
    """Two orders, three lines, one bad product: the trial says so, a second run adds nothing, undo takes all of it."""
    page = open_page(viewport=viewport)
    name = "整单桌面" if viewport is DESKTOP else "整单手机"
    customer = f"{name}机械有限公司"
    page.goto(f"{live.address}/e/customer/new")
    page.fill("[name=name]", customer)
    page.click("[data-save] >> visible=true")
    page.wait_for_url(re.compile(r"/e/customer/\d+"))
    rows = [f"{name}一,{customer},现场服务,3", ",,实施服务,2", f"{name}二,{customer},现场服务,1"]
    rows.append(f"{name}坏,{customer},没有的,1")
    products = page.request.get(f"{live.address}/find/product?q=服务").text()
    titles = re.findall(r'data-title="([^"]+)"', products)[:2]
    text = "\n".join(["主题,客户,明细/产品,明细/数量", *rows])
    text = text.replace("现场服务", titles[0]).replace("实施服务", titles[1])
    file = tmp_path / "订单.csv"
    file.write_text(text, "utf-8")

    def tried() -> None:
        page.goto(f"{live.address}/e/sales_order/import")
        page.set_input_files("#file", file)
        page.click("form[enctype] .btn-primary")
        expect(page.locator("[name=target] >> nth=2")).to_have_value("lines.product")
        page.select_option("#match", "name")
        page.click("button[value=dry]")
        expect(page.locator(".import-lines")).to_be_visible()
        assert fits(page)

    tried()
    expect(page.locator(".figures dd").first).to_have_text("2")
    expect(page.locator(".import-lines")).to_have_text("明细: 新建 3 行，更新 0 行，不变 0 行，删除 0 行")
    expect(page.locator(".import-refused tbody tr")).to_have_text(re.compile(r"5\s*明细/产品：找不到“没有的”$"))
    page.click(".import-result [data-save]")
    expect(page.locator(".wizard-steps .is-now")).to_have_text("结果")
    done = page.url
    page.goto(f"{live.address}/e/sales_order?q={name}")
    expect(page.locator("tbody tr")).to_have_count(2)
    file.write_text(text.replace(",2", ",5"), "utf-8")
    tried()
    expect(page.locator(".import-lines")).to_have_text("明细: 新建 0 行，更新 1 行，不变 2 行，删除 0 行")
    page.goto(done)
    page.click("form[action$='/undo'] button")
    page.click("dialog .btn-danger")
    expect(page.locator("#import")).to_contain_text("移除 2 条")
    page.goto(f"{live.address}/e/sales_order?q={name}")
    expect(page.locator(".empty-title")).to_be_visible()
