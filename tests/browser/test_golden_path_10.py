"""Golden path G10: the first steps of G1 in English, in the dark, at 390 px: nothing untranslated, nothing too wide.

A lead by hand, its assignment confirmed, converted, the prospect checked, an opportunity, a quote that needs approval,
the order: each step by the page that people use, every page on the way looked at.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import records
from tests.browser.conftest import PHONE, sync_api
from tests.browser.test_pools import Stage, sign_in, stage

__all__ = ["stage"]

pytestmark = pytest.mark.browser
expect = sync_api.expect
COMPANY = "Harbour Robotics Ltd"
# Words of the program, not of records: headings of fields, buttons, tabs, dialogs.
WORDS = """(people) => [...document.querySelectorAll('main label, main legend, main button, main th, main dt, main h2, main nav a, dialog[open] *, .bottom, #toasts .toast-text')]
    .filter(e => !e.closest('td, dd, .chip, .lookup, .crumbs, .view-tabs') && !e.children.length)
    .map(e => people.reduce((text, name) => text.replaceAll(name, ''), e.innerText || '')).filter(text => /[\\u4e00-\\u9fff]/.test(text))"""


class Pocket:
    """Somebody with a phone in English at night, and what was amiss on the way."""

    def __init__(self, browser: sync_api.Browser, stage: Stage, login: str) -> None:
        self.page = sign_in(browser, stage, login, PHONE, "en")
        self.page.context.add_cookies([{"name": "octavo-theme", "value": "dark", "url": stage.address}])
        self.address = stage.address
        self.amiss: list[tuple[str, object]] = []
        with stage.site.session() as session:
            self.people = [name for name in session.connection.scalars(sa.select(session.table("user").c.name)) if name]

    def go(self, path: str) -> sync_api.Page:
        self.page.goto(self.address + path)
        self.look()
        return self.page

    def look(self) -> None:
        page = self.page
        page.wait_for_load_state("networkidle")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        where = page.url.removeprefix(self.address)
        if words := page.evaluate(WORDS, self.people):
            self.amiss.append((where, words))
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            self.amiss.append((where, "scrolls sideways"))

    def save(self, leads_to: str) -> int:
        """Saves the form and waits for the record's page; its id."""
        self.page.click("[data-save] >> visible=true")
        self.page.wait_for_url(re.compile(rf"/e/{leads_to}/\d+$"))
        self.look()
        return int(self.page.url.rsplit("/", 1)[1])

    def here(self, entity: str) -> int:
        """The record whose page it is."""
        found = re.search(rf"/e/{entity}/(\d+)$", self.page.url)
        assert found, self.page.url
        return int(found.group(1))

    def act(self, entity: str, record: int, name: str, **given: str) -> None:
        self.go(f"/e/{entity}/{record}/actions/{name}")
        for key, value in given.items():
            field = self.page.locator(f"[name='{key}'] >> visible=true")
            field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
        with self.page.expect_navigation():
            self.page.click("[data-save] >> visible=true")
        self.look()


def test_first_steps_of_golden_path_1(stage: Stage, chromium: sync_api.Browser) -> None:
    mk, vp, gm = (Pocket(chromium, stage, login) for login in ("mk", "vp", "gm"))
    page = mk.go("/e/lead/new")
    page.fill("#f-company", COMPANY)
    page.fill("#f-name", "Ann Lee")
    page.fill("#f-email", "ann@harbour.example")
    page.fill("#f-expected_amount", "600000")
    lead = mk.save("lead")
    vp.act("lead", lead, "reassign", assignment="key_leads")  # LD-04: proposed by weight, confirmed by the manager
    gm.go("/proposals")
    expect(gm.page.locator("#proposals, main").first).to_contain_text("张三")
    gm.page.click("button[value=accept]")
    expect(gm.page.locator(".empty-title")).to_have_text("No proposal waits for you")
    gm.look()

    rep, manager = Pocket(chromium, stage, "zhangsan"), Pocket(chromium, stage, "wang")
    expect(rep.go("/").locator(".home-assigned")).to_contain_text(COMPANY)
    rep.act("lead", lead, "convert_lead_to_customer")
    deal = rep.here("opportunity")
    customer = of(stage, "opportunity", deal, "customer")
    rep.go(f"/e/customer/{customer}/actions/qualify")  # CU-10
    rep.act("customer", customer, "qualify", need="passed", budget="passed", decider="passed", timetable="passed")
    expect(rep.page.locator(".qual-summary")).to_contain_text("70 of 50 points")

    page = rep.go(f"/e/opportunity/{deal}/edit")  # LD-18
    page.click("[role=tab] >> nth=1")
    page.click("[data-add-line]")
    for name, value in (("text", "Robot cell"), ("price", "1000"), ("quantity", "10")):
        page.fill(f"[name='lines.0.{name}']", value)
    rep.look()
    rep.save("opportunity")
    rep.act("opportunity", deal, "convert_opportunity_to_quote")  # QU-01
    quote = rep.here("quote")
    page = rep.go(f"/e/quote/{quote}/edit")
    field = page.locator("#f-discount")
    if not field.is_visible():
        page.locator("[role=tab]", has_text="Amounts").click()
    field.fill("12")
    rep.save("quote")
    assert of(stage, "quote", quote, "amount") == Decimal("8800.00")
    rep.act("quote", quote, "submit")
    manager.go("/inbox")
    manager.page.click(".inbox-card h2 a")
    manager.look()
    manager.page.fill("#comment", "Agreed")
    manager.page.click("button[formaction$='/approve']")
    manager.look()
    rep.act("quote", quote, "convert_quote_to_order")  # OP-30
    order = rep.here("sales_order")
    expect(rep.page.locator("main")).to_contain_text("8,800.00")
    assert of(stage, "sales_order", order, "customer") == customer
    assert of(stage, "sales_order", order, "amount") == Decimal("8800.00")
    for path in (
        "/e/sales_order",
        "/e/quote",
        "/e/lead",
        f"/e/customer/{customer}",
        f"/search?q={COMPANY[:7]}",
        "/notifications",
    ):
        rep.go(path)
    assert [who.amiss for who in (mk, vp, gm, rep, manager)] == [[]] * 5


def of(stage: Stage, entity: str, record: int, name: str) -> Any:
    with stage.site.session() as session:
        return records.read(session, entity, record).values[name]
