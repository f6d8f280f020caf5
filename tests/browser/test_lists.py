"""Lists as people arrange them: frozen columns, kept in a view, in both themes; cards on a phone."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
NARROW = {"width": 1000, "height": 800}
WIDE = "short_name*300,name*260,kind*300,industry*300,region*300,owner*300,updated_at*300"
PLACES = """() => [...document.querySelectorAll('#list tbody tr:first-child td')].map(td => {
  const { left, right } = td.getBoundingClientRect(); return [Math.round(left), Math.round(right)]; })"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.experience(3, at="desktop")
def test_a_chosen_column_is_frozen_and_kept_in_a_view(open_page: Opener, live: Live, theme: str) -> None:
    page = open_page(viewport=NARROW, theme=theme)
    page.goto(f"{live.address}/e/customer?cols={WIDE}")
    page.click("[hx-get*='/columns'] >> visible=true")
    pin = page.locator("[data-columns-form] li", has=page.locator("[value^='name*']")).locator("[data-freeze]")
    pin.focus()
    page.keyboard.press("Enter")
    expect(pin).to_have_attribute("aria-pressed", "true")
    page.click("[data-columns-form] .btn-primary")
    expect(page.locator("table.has-frozen")).to_be_visible()
    assert "name*260!" in page.url.replace("%2A", "*").replace("%21", "!")
    box = page.locator("#list .table-responsive")
    edge = round(page.evaluate("document.querySelector('#list .table-responsive').getBoundingClientRect().left"))
    before = page.evaluate(PLACES)
    box.evaluate("box => box.scrollTo(700, 0)")
    page.wait_for_timeout(100)
    after = page.evaluate(PLACES)
    check = after[0][1] - after[0][0]
    assert before[2][0] > after[2][0] == edge + check  # the name went to the edge, and stays there
    assert after[1][0] < edge  # the first column is no longer the one that stays
    row = page.locator("#list tbody tr").first.bounding_box()
    assert row is not None
    at = "([x, y]) => document.elementFromPoint(x, y).closest('td').className"
    over = page.evaluate(at, [after[2][0] + 20, row["y"] + 15])
    assert "c-frozen" in over  # and is not seen through
    painted = page.locator("#list tbody td.c-frozen").first.evaluate("td => getComputedStyle(td).backgroundColor")
    assert re.fullmatch(r"rgb\(.*\)|color\(srgb [\d. ]+\)", painted), painted  # opaque
    page.click("[hx-get*='/views/keep'] >> visible=true")
    page.fill("dialog [name=name]", f"冻结 {theme}")
    page.click("dialog .btn-primary")
    page.wait_for_url(re.compile(r"view=my-\d+"))
    expect(page.locator("th[data-frozen]")).to_have_attribute("data-column", "name")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.experience(3, 13, at="phone")
def test_on_a_phone_a_frozen_column_is_part_of_its_card(open_page: Opener, live: Live) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{live.address}/e/customer?cols=name,kind!,owner!")
    expect(page.locator("#list tbody td.c-frozen").first).to_have_css("position", "static")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_stands_above_a_list_follows_its_filters(open_page: Opener, live: Live) -> None:
    """An export, and the chooser of columns, go by the list as it is now, not as the page was opened."""
    page = open_page()
    page.goto(f"{live.address}/e/customer?cols=name!,kind")
    page.fill("#q", "软件")
    page.wait_for_url(re.compile("q="))
    count = int(re.sub(r"\D", "", page.locator("#list [role=status]").inner_text()))
    page.click(".page-tools [data-menu]")
    with page.expect_download() as started:
        page.click("[data-export=csv]")
    exported = started.value.path().read_text("utf-8-sig").splitlines()
    assert len(exported) - 1 == count > 0
    page.click("[data-columns]")
    chosen = page.locator("[data-columns-form] [name=col]:checked")
    expect(chosen).to_have_count(2)
    expect(page.locator("[data-columns-form] [name=q]")).to_have_value("软件")
