"""The query builder in the browser: by clicks on a desktop, by keyboard, on a phone."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"


def part(name: str, node: str) -> str:
    return f"[id='{name}-{node}']"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_query_is_built_by_clicks_and_shown(open_page: Opener, live: Live, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}{LIST}")
    page.click("a.btn-chip[href*='/query']")
    page.select_option(part("p", "0.0-0"), "owner")
    expect(page.locator(part("o", "0.0"))).to_be_visible()
    page.select_option(part("o", "0.0"), "not_me")
    expect(page.locator("#query-text")).to_have_value("owner != user")
    page.click("button[value='add:0']")
    page.select_option(part("p", "0.1-0"), "communications")
    page.select_option(part("a", "0.1"), "none")
    page.click("button[value='add:0.1.0']")
    page.select_option(part("p", "0.1.0.0-0"), "at")
    page.select_option(part("o", "0.1.0.0"), "last")
    page.fill(part("v", "0.1.0.0-0"), "30")
    page.keyboard.press("Tab")
    text = "owner != user and not communications.any(now() - days(30) <= at <= now())"
    expect(page.locator("#query-text")).to_have_value(text)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.click("button[value=apply]")
    page.wait_for_url("**where=**")
    expect(page.locator("a.btn-chip.is-set[href*='/query']")).to_be_visible()


def test_a_query_is_built_by_keyboard_alone(open_page: Opener, live: Live) -> None:
    page = open_page(language="en")
    page.goto(f"{live.address}{LIST}/query")
    page.focus(part("p", "0.0-0"))
    page.keyboard.type("Employees")
    page.keyboard.press("Tab")
    expect(page.locator(part("o", "0.0"))).to_be_visible()
    page.focus(part("v", "0.0-0"))
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    expect(page.locator("#query-text")).to_have_value("employees == 50")
    page.focus("button[value='remove:0.0']")
    page.keyboard.press("Enter")
    expect(page.locator("#query-text")).to_have_value("")


def test_an_expression_becomes_clicks(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}/query")
    page.fill("#query-text", "stage in ('new', 'repeat') or not (employees > 5 and owner == user)")
    page.keyboard.press("Tab")
    expect(page.locator(part("m", "0"))).to_have_value("any")
    expect(page.locator(part("m", "0.1"))).to_have_value("not_all")
    expect(page.locator(part("v", "0.0-repeat"))).to_be_checked()
    page.click("[id='q-0.0'] .period:has-text('推荐')")
    expect(page.locator("#query-text")).to_have_value(
        "stage in ('new', 'repeat', 'advocate') or not (employees > 5 and owner == user)"
    )
    page.fill("#query-text", "stage = 'new'")
    page.keyboard.press("Tab")
    expect(page.locator("#query-problem")).to_be_visible()
    expect(page.locator("#query-text")).to_have_value("stage = 'new'")
