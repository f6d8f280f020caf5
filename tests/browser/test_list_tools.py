"""Lists: what is cut off is told while the pointer is over it; kept views are looked after and put away."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"
WIDE = ("code", "industry", "region", "owner", "kind", "stage", "source", "created_at", "updated_at", "created_by")
NARROW = "cols=name*60," + ",".join(f"{name}*240" for name in WIDE)


def test_a_cell_that_is_cut_off_tells_its_whole_text(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}?{NARROW}")
    cell = page.locator("tbody td.c-title").first
    assert cell.evaluate("e => e.scrollWidth > e.clientWidth")
    cell.hover()
    expect(cell).to_have_attribute("title", cell.inner_text().strip())
    page.goto(f"{live.address}{LIST}?cols=name,code")
    cell = page.locator("tbody td.c-title").first
    cell.hover()
    assert cell.get_attribute("title") is None  # nothing is said twice


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_kept_views_are_looked_after(open_page: Opener, live: Live, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    name = "管桌面" if viewport is DESKTOP else "管手机"
    page.goto(f"{live.address}{LIST}?sort=-name")
    page.click("#view-tabs [hx-get*='/views/keep']")
    page.fill("#view-name", name)
    page.click("#list-dialog .btn-primary")
    expect(page.locator("#view-tabs .active")).to_contain_text(name)
    page.goto(f"{live.address}{LIST}?view=all")
    page.click("#view-tabs [hx-get$='/views']")
    row = page.locator("#list-dialog tbody tr", has_text=name)
    expect(row).to_contain_text("管理员")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    box = row.locator("button").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= viewport["width"] - 16  # in sight without scrolling, on a phone too
    row.locator("button").click()
    expect(page.locator("#toasts")).to_contain_text("视图已归档")
    expect(page.locator("#view-tabs")).not_to_contain_text(name)
    page.click("#view-tabs [hx-get$='/views']")
    page.locator("#list-dialog tbody tr", has_text=name).locator("button").click()
    expect(page.locator("#view-tabs .active")).to_contain_text(name)


def test_cells_that_cannot_be_edited_look_so_and_say_so(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}?cols=name,short_name,decider_count")
    row = page.locator("#list tbody tr").first
    plain, computed = row.locator("td[data-label]").nth(1), row.locator("td[data-label]").nth(2)

    def frame(cell: sync_api.Locator) -> str:
        cell.hover()
        return str(cell.evaluate("e => getComputedStyle(e).boxShadow"))

    assert "inset" in frame(plain)
    assert "inset" not in frame(computed)
    box = computed.bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + 4, box["y"] + box["height"] / 2)
    expect(page.locator("#toasts")).to_contain_text("“决策人数”不能在此编辑")
    assert page.locator("[data-cell]").count() == 0
