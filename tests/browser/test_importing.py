"""The import wizard in the browser, from the file to taking it back; on a phone as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
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
