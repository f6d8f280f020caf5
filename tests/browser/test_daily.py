"""What is done all day: cells edited in place, the palette, empty lists, and a look through somebody else's eyes."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import BOTH, DESKTOP, Live, Opener, Width, fits, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect


def made(page: sync_api.Page, live: Live, name: str) -> str:
    page.goto(f"{live.address}/e/customer/new")
    page.fill("#f-name", name)
    page.click("[data-save] >> visible=true")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    return page.url


@pytest.mark.experience(4, at="desktop")
def test_a_cell_is_edited_left_and_gone_on_from(open_page: Opener, live: Live) -> None:
    """Double click or F2 edits one cell, Escape restores, Tab saves and goes on, what is refused stays with why."""
    page = open_page()
    made(page, live, "格中改名有限公司")
    page.goto(f"{live.address}/e/customer?q=格中改名&cols=name,short_name,employees,annual_revenue,created_on")
    row = page.locator("#list tbody tr")
    short, staff, closed = (row.locator("td").nth(place) for place in (2, 3, 5))
    short.dblclick()
    short.locator("input:not([type=hidden])").fill("不留下")
    page.keyboard.press("Escape")
    expect(short).to_have_text("")
    closed.dblclick()  # filled by the system: nothing opens
    expect(closed.locator("input")).to_have_count(0)
    short.dblclick()
    short.locator("input:not([type=hidden])").fill("格中")
    page.keyboard.press("Tab")
    expect(row.locator("td").nth(2)).to_have_text("格中")
    field = staff.locator("input:not([type=hidden])")
    expect(field).to_be_focused()
    field.fill("很多")
    page.keyboard.press("Enter")
    expect(staff.locator(".field-problem")).to_be_visible()
    expect(staff.locator("input:not([type=hidden])")).to_have_value("很多")
    staff.locator("input:not([type=hidden])").fill("12")
    page.keyboard.press("Enter")
    expect(row.locator("td").nth(3)).to_have_text("12")


@pytest.mark.experience(4, at="desktop")
def test_a_cell_changed_by_somebody_else_says_so(open_page: Opener, live: Live) -> None:
    one, other = open_page(), open_page()
    made(one, live, "两人同改有限公司")
    address = f"{live.address}/e/customer?q=两人同改&cols=name,short_name"
    for page in (one, other):
        page.goto(address)
        page.locator("#list tbody td").nth(2).dblclick()
        expect(page.locator("#list tbody td").nth(2).locator("input:not([type=hidden])")).to_be_visible()
    for page, text in ((one, "先到"), (other, "后到")):
        page.locator("#list tbody td").nth(2).locator("input:not([type=hidden])").fill(text)
        page.keyboard.press("Enter")
    expect(one.locator("#list tbody td").nth(2)).to_have_text("先到")
    expect(other.locator("#list tbody td").nth(2)).to_contain_text("先到")  # what is stored now
    expect(other.locator("#list tbody td").nth(2).locator("input:not([type=hidden])")).to_have_value("后到")


@BOTH
@pytest.mark.experience(4)
def test_a_value_of_a_record_is_edited_where_it_stands(open_page: Opener, live: Live, viewport: Width) -> None:
    """The pencil or a double click; what follows from the value follows at once; computed ones have no pencil."""
    page = open_page(viewport=viewport)
    record = made(page, live, "就地改值钢铁" if viewport is DESKTOP else "指尖改值玻璃")

    def fact(name: str) -> sync_api.Locator:
        return page.locator("#p-profile .fact", has=page.locator(f"[data-fact={name}]"))

    short, amount = fact("short_name"), fact("expected_amount")
    short.hover()
    short.locator(".fact-edit").click()
    field = short.locator("input:not([type=hidden])")
    expect(field).to_be_focused()
    field.fill("不留下")
    page.keyboard.press("Escape")
    expect(short.locator("dd")).to_have_text("—")
    expect(short.locator(".fact-edit")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill("就地")
    page.keyboard.press("Enter")
    expect(short.locator("dd")).to_have_text("就地")
    expect(short.locator("input")).to_have_count(0)
    amount.locator("dd").dblclick()
    field = amount.locator("input:not([type=hidden])")
    field.fill("很多")
    page.keyboard.press("Enter")
    expect(amount.locator(".field-problem")).to_be_visible()
    expect(field).to_have_value("很多")
    assert fits(page)
    field.fill("1234.5")
    page.keyboard.press("Enter")
    expect(amount.locator("dd")).to_have_text("¥1,234.50")
    expect(page.locator(".why-mark").first.locator("xpath=../button")).to_have_count(0)
    page.goto(record)
    expect(short.locator("dd")).to_have_text("就地")
    other = open_page(viewport=viewport)
    for window in (page, other):
        window.goto(record)
        window.locator("#p-profile [data-fact=short_name]").dblclick()
        expect(window.locator("#p-profile [data-fact=short_name] input:not([type=hidden])")).to_be_focused()
    for window, text in ((page, "先到"), (other, "后到")):
        window.keyboard.type(text)
        window.keyboard.press("Enter")
        expect(window.locator("#p-profile [data-fact=short_name]")).to_contain_text("先到")
    expect(other.locator("#p-profile [data-fact=short_name] input:not([type=hidden])")).to_have_value("后到")
    assert other.locator(".field-problem").count() == 1  # the newer change is shown, what one typed is kept


@BOTH
@pytest.mark.experience(18)
def test_the_palette_goes_anywhere(open_page: Opener, live: Live, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    page.keyboard.press("Control+k")
    palette = page.locator("#palette[open]")
    expect(palette.locator("input[role=combobox]")).to_be_focused()
    with page.expect_response(lambda answer: "%E5%95%86%E6%9C%BA" in answer.url):
        page.keyboard.type("商机")
    page.wait_for_load_state("networkidle")
    expect(palette.locator(".palette-item").first).to_contain_text("商机")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.keyboard.press("ArrowDown")
    expect(palette.locator(".palette-item").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(palette.locator("input[role=combobox]")).to_be_focused()
    with page.expect_response(lambda answer: "/palette" in answer.url):
        page.keyboard.press("Escape")  # a search field is emptied first, and looks again
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#keys[open]")).to_be_visible()


@BOTH
@pytest.mark.experience(32)
def test_an_empty_list_says_what_to_do(open_page: Opener, live: Live, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/campaign")
    empty = page.locator(".empty")
    expect(empty.locator(".empty-title")).to_be_visible()
    expect(empty.locator("a[href='/e/campaign/new']")).to_be_visible()
    expect(empty.locator("a[href='/e/campaign/import']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@BOTH
@pytest.mark.experience(33)
def test_an_administrator_sees_the_pages_as_somebody_else(
    open_page: Opener, live: Live, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/view-as")
    page.locator("#f-person").press_sequentially("李四")
    page.locator(".lookup-option", has_text="李四").first.click()
    page.click("form[action='/view-as'] .btn-primary")
    banner = page.locator(".view-as")
    expect(banner).to_contain_text("李四")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.goto(f"{live.address}/recycle-bin")
    expect(banner).to_contain_text("李四")
    page.click(".view-as button")
    expect(banner).to_have_count(0)
