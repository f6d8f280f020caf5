"""The first steps in English, in the dark, on a phone: nothing untranslated, nothing that scrolls sideways."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"
WORDS = """[...document.querySelectorAll('main label, main legend, main button, main th, main .form-label, .bottom, main .wizard-steps')]
    .filter(e => !e.closest('td, .chip, .lookup, .log-kinds')).map(e => e.innerText || '')
    .filter(text => /[\\u4e00-\\u9fff]/.test(text))"""


def test_first_steps(open_page: Opener, live: Live) -> None:
    page = open_page(viewport=PHONE, theme="dark", language="en")
    untranslated, wide = {}, []
    for address in ("/", LIST, f"{LIST}/new", f"{LIST}/query", f"{LIST}/import", "/e/opportunity/new", "/inbox"):
        page.goto(live.address + address)
        if found := page.evaluate(WORDS):
            untranslated[address] = found
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            wide.append(address)
    assert (untranslated, wide) == ({}, [])
    page.goto(f"{live.address}{LIST}/new")
    page.fill("#f-name", "Pocket Trading Ltd")
    page.click("[data-save]")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("h1")).to_have_text("Pocket Trading Ltd")
    page.goto(f"{live.address}{LIST}?q=Pocket")
    expect(page.locator("tbody tr")).to_have_count(1)
