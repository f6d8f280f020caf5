"""A prospect entered from wherever one is: few keys, nothing to reach for, what can be known is filled in."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import BOTH, DESKTOP, PHONE, Live, Opener, Width, fits, sync_api
from tests.browser.guide import CLICK, KEY

pytestmark = pytest.mark.browser
expect = sync_api.expect
ANYWHERE = {  # page -> names unlike each other, for a desktop and for a phone
    "/": ("青松印刷有限公司", "白鹭渔具有限公司"),
    "/reports/sales_funnel": ("红枫化工有限公司", "玉门石油机械厂"),
    "/e/opportunity/1": ("雪山矿泉有限公司", "大漠光伏有限公司"),
    "/notifications": ("竹海家具有限公司", "银杏药业有限公司"),
}
SECONDS, GROUPS = 20, 6  # a person's, and how often they reach for something else


@BOTH
@pytest.mark.experience(1)
@pytest.mark.parametrize("where", ANYWHERE)
def test_a_prospect_is_entered_from_any_page_within_twenty_seconds(
    open_page: Opener, live: Live, viewport: Width, where: str
) -> None:
    """Reckoned for a person: so many clicks and keys, each with the seconds they take, as docs/tasks.md has them."""
    page = open_page(viewport=viewport)
    page.goto(live.address + where)
    name = ANYWHERE[where][viewport is PHONE]
    line = f"{list(ANYWHERE).index(where)}{int(viewport is PHONE)}"
    clicks, keys, groups = 0, 0, 0
    page.click(".top-new")
    page.click("a[data-quick='/e/customer/quick']")
    clicks, groups = clicks + 2, groups + 2
    dialog = page.locator("#quick[open]")
    expect(dialog.locator("[name=name]")).to_be_focused()  # nobody has to reach for the first field
    assert dialog.locator("[required], [aria-required=true]").count() <= 3
    assert fits(page)
    for text, go_on in ((name, "Tab"), (f" 0512-6677 88{line} ", "Enter")):
        page.keyboard.type(text)
        page.keyboard.press(go_on)
        keys, groups = keys + len(text) + 1, groups + 1
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    expect(page.locator("h1")).to_have_text(name)
    assert clicks * CLICK + keys * KEY <= SECONDS
    assert groups <= GROUPS
    expect(page.locator("[data-touch=call]")).to_have_attribute("href", re.compile(r"^tel:[+\d-]+$"))  # blanks are gone
    expect(
        page.locator(".record-main, .figures").filter(has_text="管理员").first
    ).to_be_attached()  # the owner: oneself


@BOTH
@pytest.mark.experience(1)
def test_enter_saves_and_control_enter_saves_and_begins_the_next(
    open_page: Opener, live: Live, viewport: Width
) -> None:
    page = open_page(viewport=viewport)
    names = ("黄河桥梁", "珠峰登山", "太湖水产") if viewport is DESKTOP else ("秦岭茶叶", "渤海航运", "天山毛纺")
    page.goto(f"{live.address}/e/task")
    page.click(".top-new")
    page.click("a[data-quick='/e/customer/quick']")
    field = page.locator("#quick[open] [name=name]")
    for number, name in enumerate(names[:2]):
        expect(field).to_be_focused()
        expect(field).to_have_value("")
        page.keyboard.type(f"{name}有限公司")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#toasts .toast-note").nth(number)).to_be_visible()
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    page.keyboard.type(f"{names[2]}有限公司")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    for name in names:
        page.goto(f"{live.address}/e/customer?q={name}")
        expect(page.locator("#list tbody tr")).to_have_count(1)


@BOTH
@pytest.mark.experience(1, 15)
def test_the_form_fills_in_what_can_be_known(open_page: Opener, live: Live, viewport: Width) -> None:
    """The owner, and of a task its time; of what belongs to a record, that record."""
    page = open_page(viewport=viewport)
    if viewport is DESKTOP:  # on a phone the keyboard would cover half of the form before anybody has seen it
        page.goto(f"{live.address}/e/customer/new")
        expect(page.locator("#f-name")).to_be_focused()
    page.goto(f"{live.address}/e/customer/1")
    page.locator(".reach-acts a[href*='/new']").click()
    page.wait_for_url(re.compile("/e/task/new"))
    expect(page.locator("[data-field=customer] input[role=combobox]")).to_have_value(re.compile("零件制造"))
    expect(page.locator("[data-field=assignee] input[role=combobox]")).to_have_value("管理员")


def test_nothing_moves_while_somebody_presses(open_page: Opener, live: Live) -> None:
    """What the server says of a changed field waits until the button is let go: else Save would slip away beneath it."""
    page = open_page()
    page.goto(f"{live.address}/e/customer")
    known = page.locator("tbody tr td a").first.inner_text()
    page.goto(f"{live.address}/e/customer/new")
    page.fill("#f-name", known)
    page.locator("h1").hover()
    with page.expect_response("**/duplicates*") as told:
        page.mouse.down()  # the field is left, which asks for twins
    assert told.value.status == 200
    page.wait_for_timeout(300)
    expect(page.locator("[data-duplicates]")).to_be_empty()
    page.mouse.up()
    expect(page.locator("[data-duplicates]")).to_contain_text(known)
