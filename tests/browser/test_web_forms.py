"""LD-02 in the browser: a web site shows the form within its page; what people send becomes a lead with its campaign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.bootstrap import init_site
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from runtime.site import Site
from tests.browser.conftest import DESKTOP, PHONE, serving, sync_api
from web.app import create_app

pytestmark = pytest.mark.browser
expect = sync_api.expect
FAST = "limit: {seconds: 0}\n"


class Stage:
    """A site on one port and a web site of the company on another, with a page that shows the form."""

    def __init__(self, site: Site, address: str, company: str) -> None:
        self.site, self.address, self.company = site, address, company

    def publish(self, text: str) -> None:
        change = {"form.yaml": f"extend: {{web_form: contact_us}}\n{text}"}
        publish(self.site, with_site_files(current_layers(self.site), change), "the web site")

    def leads(self) -> list[tuple[str | None, ...]]:
        with self.site.session() as session:
            table = session.table("lead")
            wanted = sa.select(table.c.company, table.c.email, table.c.utm_source, table.c.consent)
            return [tuple(row) for row in session.connection.execute(wanted.order_by(table.c.id))]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    site = init_site(tmp_path / "site", admin_password="octavo-demo").site
    company, shown = Flask("company"), {"html": ""}
    company.add_url_rule("/", view_func=lambda: f"<!doctype html><title>Company</title><h1>Us</h1>{shown['html']}")
    with serving(create_app(site, testing=True)) as address, serving(company) as other:
        shown["html"] = f'<script src="{address}/f/contact_us/embed.js?lang=en" data-title="Contact" async></script>'
        yield Stage(site, address, other)
    site.close()


@pytest.mark.mission("LD-02")
def test_a_web_site_shows_the_form_and_passes_its_campaign_on(stage: Stage, chromium: sync_api.Browser) -> None:
    page = chromium.new_context(viewport=DESKTOP).new_page()
    page.goto(f"{stage.company}/?utm_source=baidu&embed=0&theme=x")
    frame = page.frame_locator("iframe")
    page.wait_for_timeout(300)
    assert frame.locator("form").count() == 0  # no web site is named yet: the browser does not show it
    stage.publish(f"origins: ['{stage.company}']\n{FAST}")
    page.goto(f"{stage.company}/?utm_source=baidu&embed=0&theme=x")
    expect(frame.locator("h1")).to_have_text("Contact us")
    frame.locator("[name=company]").fill("远方科技")
    frame.locator("[name=email]").fill("no address")
    frame.locator("button").click()
    expect(frame.locator("[data-field=email] .field-problem")).to_contain_text("no address")
    expect(frame.locator("[data-field=name] .field-problem")).to_be_visible()
    expect(frame.locator("[name=company]")).to_have_value("远方科技")
    height = page.locator("iframe").get_attribute("height")
    assert height is not None
    inside = frame.locator("html").evaluate("e => e.scrollHeight - e.clientHeight")
    assert inside <= 1  # the frame is as high as the form: nothing scrolls within it
    frame.locator("[name=name]").fill("周远")
    frame.locator("[name=email]").fill("zhou@example.com")
    frame.locator("[name=consent]").check()
    frame.locator("button").click()
    expect(frame.locator(".web-form-thanks")).to_contain_text("We have received it")
    assert stage.leads() == [("远方科技", "zhou@example.com", "baidu", True)]


@pytest.mark.mission("LD-02")
def test_the_page_of_the_form_works_on_a_phone_without_scripts(stage: Stage, chromium: sync_api.Browser) -> None:
    stage.publish(FAST)
    context = chromium.new_context(viewport=PHONE, color_scheme="dark", locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stage.address}/f/contact_us?utm_source=weixin")
    expect(page.locator("h1")).to_have_text("联系我们")
    assert not page.locator("#web-form-trap").is_visible() or page.locator("#web-form-trap").bounding_box()["x"] < 0  # type: ignore[index]
    page.click("a[lang=en]")
    expect(page.locator("h1")).to_have_text("Contact us")
    page.fill("[name=company]", "Acme")
    page.fill("[name=name]", "Jo")
    page.click("form .btn-primary")
    expect(page.locator("[data-field=phone] .field-problem")).to_be_visible()
    expect(page.locator("[data-field=consent] .field-problem")).to_be_visible()
    page.fill("[name=phone]", "13912340001")
    page.check("[name=consent]")
    page.click("form .btn-primary")
    expect(page.locator(".web-form-thanks")).to_contain_text("Thank you")
    assert stage.leads() == [("Acme", None, "weixin", True)]
    assert context.cookies() == []
    page.goto(f"{stage.address}/f/contact_us?lang=zh")
    wide = page.locator("html").bounding_box()
    assert wide is not None
    assert wide["width"] <= 390
