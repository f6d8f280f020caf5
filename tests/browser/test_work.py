"""A day's work in the browser."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import BOTH, DESKTOP, PHONE, Live, Opener, Width, fits, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"


def test_signing_in_with_a_wrong_password_says_so(open_page: Opener, live: Live) -> None:
    page = open_page(signed_in=False)
    page.goto(f"{live.address}/")
    page.fill("#login", "admin")
    page.fill("#password", "wrong")
    page.press("#password", "Enter")
    expect(page.locator("[data-error]")).to_be_visible()
    expect(page.locator("#login")).to_have_value("admin")
    expect(page.locator("#password")).to_be_focused()


@pytest.mark.experience(2, 3, at="desktop")
def test_a_list_is_sorted_filtered_searched_and_paged_in_its_address(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}")
    page.click("th a.sort >> nth=0")
    page.wait_for_url(re.compile("sort="))
    expect(page.locator("th[aria-sort]").first).to_be_visible()
    page.click("#filters [data-menu] >> nth=0")
    page.check("#filters .dropdown-menu.show input >> nth=0")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile("f\\.stage="))
    expect(page.locator(".btn-chip.is-set")).to_be_visible()
    page.click(".btn-reset")
    page.wait_for_url(re.compile(f"{LIST}$"))  # a search typed meanwhile would meet the page that is on its way
    page.fill("#q", "ljzz")
    page.wait_for_url(re.compile("q=ljzz"))
    expect(page.locator("tbody tr")).to_have_count(3)
    page.goto(f"{live.address}{LIST}")
    page.click("a[rel=next]")
    page.wait_for_url(re.compile("page=2"))
    page.fill(".page-go input", "3")
    page.press(".page-go input", "Enter")
    page.wait_for_url(re.compile("page=3"))
    page.go_back()
    page.wait_for_url(re.compile("page=2"))


def test_a_wrong_expression_is_told_at_its_field(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}")
    page.click(".filter-more [data-menu]")
    page.fill("#where", "annual_revenu > 1")
    page.click(".filter-more .btn-primary")
    expect(page.locator("#where-problem")).to_contain_text("annual_revenue")
    expect(page.locator("#where")).to_have_value("annual_revenu > 1")


@pytest.mark.experience(14, 15, at="desktop")
def test_a_record_with_lines_is_created_by_keyboard(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}/e/opportunity/new")
    expect(page.locator("#f-name")).to_be_focused()
    page.keyboard.type("键盘商机")
    box = page.locator("[data-field=customer] input[role=combobox]")
    box.click()
    box.press_sequentially("ljzz")
    box.press("Enter")  # at once: the answer to what was typed is waited for
    expect(box).to_have_value(re.compile("零件制造"))
    page.click("[role=tab] >> nth=1")
    page.click("[data-add-line]")
    product = page.locator("tbody [role=combobox]").first
    product.click()
    expect(page.locator("tbody [role=option]").first).to_be_visible()
    product.press("ArrowDown")
    product.press("Enter")
    price = page.locator('[name="lines.0.price"]')
    expect(price).not_to_have_value("")
    quantity = page.locator('[name="lines.0.quantity"]')
    quantity.fill("100")
    quantity.press("Enter")
    expect(page.locator(".lines-table tbody > tr")).to_have_count(2)
    page.keyboard.press("Control+Delete")
    expect(page.locator(".lines-table tbody > tr")).to_have_count(1)
    expect(page.locator('[data-computed="lines.0.amount"]')).to_contain_text("¥")
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile(r"/e/opportunity/\d+$"))
    expect(page.locator("h1")).to_have_text("键盘商机")
    expect(page.locator(".toast-note")).to_be_visible()


def test_a_refused_form_keeps_everything_and_leads_to_the_first_problem(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}/new")
    page.fill("#f-email", "not a mail")
    page.fill("#f-short_name", "留住的简称")
    page.click("[data-save]")
    expect(page.locator(".problems")).to_be_visible()
    expect(page.locator("#f-name")).to_be_focused()
    expect(page.locator("#f-short_name")).to_have_value("留住的简称")
    expect(page.locator("#f-email")).to_have_value("not a mail")


def test_rules_show_and_hide_fields_while_one_types(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}/new")
    expect(page.locator("[data-field=scale]")).to_be_visible()
    page.select_option("#f-kind", "person")
    expect(page.locator("[data-field=scale]")).to_be_hidden()
    page.select_option("#f-kind", "company")
    expect(page.locator("[data-field=scale]")).to_be_visible()


@BOTH
@pytest.mark.experience(20)
def test_leaving_a_changed_form_asks_first(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}{LIST}/1/edit")
    page.fill("#f-short_name", "未保存")
    expect(page.locator(".dirty-mark")).to_be_visible()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{live.address}/")
    assert asked == ["beforeunload"]


def test_two_editors_see_what_differs(open_page: Opener, live: Live) -> None:
    first, second = open_page(), open_page()
    for page in (first, second):
        page.goto(f"{live.address}{LIST}/2/edit")
    first.fill("#f-short_name", "甲写的")
    first.click("[data-save]")
    first.wait_for_url(re.compile(r"/e/customer/2$"))
    second.fill("#f-short_name", "乙写的")
    second.click("[data-save]")
    expect(second.locator(".conflict")).to_contain_text("甲写的")
    expect(second.locator("#f-short_name")).to_have_value("乙写的")
    second.click("[data-save]")
    second.wait_for_url(re.compile(r"/e/customer/2$"))
    second.click("[data-tab=p-history]")
    expect(second.locator("#p-history .history > li.line-entry").first).to_contain_text("甲写的")
    expect(second.locator("#p-history .history > li.line-entry").first).to_contain_text("乙写的")


@BOTH
@pytest.mark.experience(19)
def test_deleting_can_be_undone_and_restored(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    name = "删除又恢复" if viewport is DESKTOP else "手机回收站"
    page.goto(f"{live.address}{LIST}/new")
    page.fill("#f-name", name)
    page.click("[data-save]")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    record = page.url
    for way in ("undo", "bin"):
        page.click(".page-tools [data-menu]")
        page.click(".dropdown-item.text-danger")
        page.click("dialog .btn-danger")
        page.wait_for_url(f"{live.address}{LIST}")
        if way == "undo":
            page.click(".toast-note .btn")
            page.wait_for_load_state("networkidle")
        else:
            page.goto(f"{live.address}/recycle-bin?entity=customer")
            page.click(f"tr:has-text('{name}') button")
            page.wait_for_load_state("networkidle")
        page.goto(record)
        expect(page.locator("h1")).to_have_text(name)


@BOTH
@pytest.mark.experience(21)
def test_rows_are_chosen_and_deleted_together(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    for name in ("成批一", "成批二"):
        page.goto(f"{live.address}{LIST}/new")
        page.fill("#f-name", name)
        page.click("[data-save]")
        page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    page.goto(f"{live.address}{LIST}?q=%E6%88%90%E6%89%B9")
    if viewport is PHONE:  # one is ticked on its card, the others from the bar that comes up
        page.locator("#list [name=id]").first.check()
        expect(page.locator("#bulk [data-chosen]")).to_contain_text("1")
        page.check("[data-select-page]")
    else:
        page.check("[data-select-all]")
    expect(page.locator("#bulk [data-chosen]")).to_contain_text("2")
    assert fits(page)
    page.click("#bulk .btn-danger")
    page.click("dialog .btn-danger")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".empty-title")).to_be_visible()


@pytest.mark.experience(17, 18, at="desktop")
def test_the_search_key_finds_by_pinyin(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}/")
    page.keyboard.press("/")
    expect(page.locator("#search-all")).to_be_focused()
    page.keyboard.type("ljzz")
    expect(page.locator(".search-hit").first).to_contain_text("零件制造")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))


@BOTH
@pytest.mark.experience(30, 31)
def test_language_and_theme_switch_in_place(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}{LIST}?view=mine")
    page.click("button[name=language][value=en]")
    page.wait_for_load_state("load")
    assert page.url == f"{live.address}{LIST}?view=mine"
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Customers")
    page.click("button[name=theme]")
    page.wait_for_load_state("load")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.click("button[name=language][value=zh]")
    page.wait_for_load_state("load")
    expect(page.locator("h1")).to_have_text("客户")


PAGES = ["/", LIST, f"{LIST}/1", f"{LIST}/1/edit", "/e/opportunity/1", "/e/opportunity/new", "/reports/sales_funnel"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@BOTH
@pytest.mark.experience(13, 31)
def test_no_page_scrolls_sideways(open_page: Opener, live: Live, viewport: dict[str, int], theme: str) -> None:
    page = open_page(viewport=viewport, theme=theme)
    wide = []
    for address in [*PAGES, "/recycle-bin", "/profile", f"{LIST}/import"]:
        page.goto(live.address + address)
        page.wait_for_load_state("networkidle")
        if page.evaluate("document.documentElement.scrollWidth") > viewport["width"]:
            wide.append(address)
    assert wide == []


@pytest.mark.experience(13, at="phone")
def test_on_a_phone_everything_is_within_reach(open_page: Opener, live: Live) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{live.address}/")
    small = page.evaluate("[...document.querySelectorAll('.bottom a')].filter(a => a.offsetHeight < 44).length")
    assert small == 0
    page.click(".top-toggle")
    expect(page.locator("#side")).to_be_visible()
    page.click("#side a[href='/e/customer']")
    page.wait_for_url(f"{live.address}{LIST}")
    page.locator("tbody tr").first.click(position={"x": 20, "y": 40})
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))


@pytest.mark.parametrize("where", PAGES)
@pytest.mark.experience(35, at="desktop")
def test_every_control_has_a_name_and_every_id_is_single(open_page: Opener, live: Live, where: str) -> None:
    page = open_page()
    page.goto(live.address + where)
    page.wait_for_load_state("networkidle")
    nameless = page.evaluate(
        """[...document.querySelectorAll('main button, main a[href], main input:not([type=hidden]), main select, main textarea')]
        .filter(e => !(e.innerText || e.getAttribute('aria-label') || e.title || e.labels?.length || e.getAttribute('aria-labelledby')))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    doubled = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"
    )
    assert doubled == []


@BOTH
@pytest.mark.experience(13)
def test_the_first_page_is_light(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport, signed_in=False)
    sizes: dict[str, int] = {}
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    urls: dict[str, str] = {}
    client.on("Network.responseReceived", lambda e: urls.update({e["requestId"]: e["response"]["url"]}))
    client.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
    page.goto(f"{live.address}/sign-in")
    page.fill("#login", "admin")
    page.fill("#password", "octavo-demo-2026")
    page.press("#password", "Enter")
    page.wait_for_url(f"{live.address}/")
    page.goto(f"{live.address}{LIST}")
    page.wait_for_load_state("networkidle")
    first = sum(sizes.values())
    assert first <= 160_000, {urls.get(k): v for k, v in sizes.items()}
    sizes.clear()
    page.goto(f"{live.address}{LIST}/1")
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) <= 25_000, {urls.get(k): v for k, v in sizes.items()}
