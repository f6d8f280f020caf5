"""LD-02: the form of the company's web site, from the page people outside see to the lead and who gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from runtime.jobs.worker import Worker
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from web.app import create_app

FORM = "/f/contact_us"
FILLED = {"company": "远方科技", "name": "周远", "phone": "13912340001", "consent": "true"}


@pytest.fixture
def f(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


@pytest.fixture
def visitor(f: World) -> FlaskClient:
    return create_app(f.site, testing=True).test_client()


def hidden(page: TestResponse) -> dict[str, str]:
    """What the page sends along by itself."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))


def said(page: TestResponse) -> list[str]:
    return re.findall(r'(?:data-error|class="field-problem"[^>]*)>([^<]+)<', page.text)


def leads(f: World, *columns: str) -> list[tuple[Any, ...]]:
    with f.site.session() as session:
        table = session.table("lead")
        return [tuple(row) for row in session.connection.execute(sa.select(*(table.c[c] for c in columns)))]


@pytest.mark.mission("LD-02")
def test_a_form_of_the_web_site_becomes_a_lead_with_its_campaign(f: World, visitor: FlaskClient) -> None:
    page = visitor.get(f"{FORM}?utm_source=baidu&utm_campaign=spring&gclid=1", headers={"Accept-Language": "en"})
    assert "<h1>Contact us</h1>" in page.text
    sent = hidden(page)
    assert (sent["utm_source"], sent["utm_campaign"], "gclid" in sent) == ("baidu", "spring", False)
    f.clock.advance(seconds=20)
    south = f.id("region", code="south")
    answer = visitor.post(FORM, data={**sent, **FILLED, "region": str(south)})
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, f"{FORM}/thanks")
    assert "We have received it" in visitor.get(answer.headers["Location"]).text
    columns = ("company", "source", "utm_source", "utm_campaign", "consent", "created_by", "acquired_by")
    assert leads(f, *columns) == [("远方科技", "website", "baidu", "spring", True, None, None)]
    [(owner,)] = leads(f, "owner")
    with f.site.session() as session:
        decided = session.table("assignment_decision")
        wanted = sa.select(decided.c.rule, decided.c.person, decided.c.cause)
        assert [tuple(r) for r in session.connection.execute(wanted)] == [("south", owner, "web_form:contact_us")]
        audit = session.table("audit")
        made = sa.select(audit.c.channel, audit.c.cause).where(audit.c.entity == "lead")
        assert {tuple(r) for r in session.connection.execute(made)} == {("web_form", "web_form:contact_us")}


@pytest.mark.mission("LD-02")
def test_what_is_refused_comes_back_with_everything_that_was_typed(f: World, visitor: FlaskClient) -> None:
    sent = hidden(visitor.get(f"{FORM}?lang=zh&utm_source=weixin"))
    f.clock.advance(seconds=20)
    typed = {**sent, "company": '远方"<b>', "name": "", "email": "no address", "message": "第一行\n第二行"}
    page = visitor.post(FORM, data=typed)
    assert page.status_code == 422
    assert said(page) == ["请填写。", "“no address”不是邮箱地址", "请先勾选同意。"]
    assert "远方&#34;&lt;b&gt;" in page.text
    assert "第一行\n第二行</textarea>" in page.text
    assert hidden(page) == sent  # the campaign, the language, and the token, which was not used up
    assert leads(f, "id") == []
    assert visitor.post(FORM, data={**sent, **FILLED}).status_code == 303
    assert len(leads(f, "id")) == 1


@pytest.mark.mission("LD-02")
def test_a_form_is_taken_once_and_not_at_once(f: World, visitor: FlaskClient) -> None:
    sent = hidden(visitor.get(FORM))
    early = visitor.post(FORM, data={**sent, **FILLED})
    assert (early.status_code, leads(f, "id")) == (422, [])
    assert hidden(early)["__token"] == sent["__token"]  # waiting is enough
    f.clock.advance(seconds=20)
    for _ in range(3):
        assert visitor.post(FORM, data={**sent, **FILLED}).status_code == 303
    assert len(leads(f, "id")) == 1
    old = hidden(visitor.get(FORM))
    f.clock.advance(hours=25)
    late = visitor.post(FORM, data={**old, **FILLED})
    assert late.status_code == 422
    assert "周远" in late.text
    f.clock.advance(seconds=20)
    assert visitor.post(FORM, data={**hidden(late), **FILLED}).status_code == 303
    assert len(leads(f, "id")) == 2


@pytest.mark.mission("LD-02")
def test_a_web_site_shows_the_form_only_where_it_is_named(f: World, visitor: FlaskClient) -> None:
    plain = visitor.get(FORM).headers
    assert (plain["X-Frame-Options"], "frame-ancestors 'none'" in plain["Content-Security-Policy"]) == ("DENY", True)
    change = (
        "extend: {web_form: contact_us}\norigins: [https://www.example.com]\n"
        "redirect: https://www.example.com/thanks\nhelp: {zh: 换了说明, en: Other words}\n"
    )
    publish(f.site, with_site_files(current_layers(f.site), {"form.yaml": change}), "a web site")
    page = visitor.get(f"{FORM}?embed=1&lang=en")
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.example.com" in policy
    assert "form-action 'self' https://www.example.com" in policy
    assert ("X-Frame-Options" in page.headers, "Other words" in page.text) == (False, True)
    assert "unsafe" not in policy
    f.clock.advance(seconds=20)
    headers = {"Origin": "https://www.example.com", "Sec-Fetch-Site": "cross-site"}
    # a plain form on the web site itself has no token: what it sends is shown to be checked, and sent from there
    check = visitor.post(FORM, data={**FILLED, "utm_source": "own"}, headers=headers)
    assert (check.status_code, "周远" in check.text, hidden(check)["utm_source"]) == (422, True, "own")
    f.clock.advance(seconds=20)
    answer = visitor.post(FORM, data={**hidden(check), **FILLED})
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://www.example.com/thanks")
    inside = hidden(page)
    answer = visitor.post(FORM, data={**inside, **FILLED})
    assert answer.headers["Location"].startswith(f"{FORM}/thanks")  # within a frame one's own words, and a link on
    assert 'href="https://www.example.com/thanks" target="_top"' in visitor.get(answer.headers["Location"]).text


@pytest.mark.mission("LD-02")
def test_what_comes_in_sets_workflows_off_and_links_offer_what_may_be_picked(f: World, visitor: FlaskClient) -> None:
    change = """workflow: greet
entity: lead
on: create
when: "source == 'website'"
steps: [{set: {job_title: "Greeted: {name}"}}]
---
extend: lead
fields:
  region: {where: "code != 'north'"}
"""
    publish(f.site, with_site_files(current_layers(f.site), {"greet.yaml": change}), "greetings")
    page = visitor.get(FORM)
    north, south = f.id("region", code="north"), f.id("region", code="south")
    assert (f'<option value="{south}">' in page.text, f'<option value="{north}">' in page.text) == (True, False)
    f.clock.advance(seconds=20)
    refused = visitor.post(FORM, data={**hidden(page), **FILLED, "region": str(north)})
    assert (refused.status_code, leads(f, "id")) == (422, [])
    assert visitor.post(FORM, data={**hidden(page), **FILLED}).status_code == 303
    Worker(f.site).run_all()
    assert [title for (title,) in leads(f, "job_title")] == ["Greeted: 周远"]


@pytest.mark.mission("LD-02")
def test_the_web_has_assignments_of_its_own(f: World, visitor: FlaskClient) -> None:
    rule = (
        "assignment: a_web\nentity: lead\non: [web]\nrules: [{name: vp, pick: {from: {user: vp}, by: round_robin}}]\n"
    )
    publish(f.site, with_site_files(current_layers(f.site), {"a_web.yaml": rule}), "the web")
    sent = hidden(visitor.get(FORM))
    f.clock.advance(seconds=20)
    assert visitor.post(FORM, data={**sent, **FILLED}).status_code == 303
    f.create("zhangsan", "lead", company="手工录入", phone="13912340003")
    owners = dict(leads(f, "company", "owner"))
    assert owners["远方科技"] == f.user("vp")
    assert owners["手工录入"] != f.user("vp")
