"""Rules tried out by an administrator on their pages: nothing of it is kept, and a draft is judged before it counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from runtime import trials
from runtime.errors import Forbidden, Refused
from runtime.security.sessions import set_password
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from tests.records.world import content
from web.app import create_app

PASSWORD = "right horse battery"
Send = Callable[..., TestResponse]


@pytest.fixture
def f(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def person(f: World, login: str) -> Send:
    """Sends forms as somebody who has signed in; GET where there is no data."""
    with f.site.session(write=True) as session:
        set_password(session, f.user(login), PASSWORD)
    client = create_app(f.site, testing=True).test_client()

    def token(answer: TestResponse) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
        return found.group(1) if found else ""

    first = token(client.get("/sign-in"))
    client.post("/sign-in", data={"login": login, "password": PASSWORD, "csrf_token": first})
    mine = token(client.get("/profile"))

    def send(address: str, data: dict[str, Any] | None = None) -> TestResponse:
        if data is None:
            return client.get(address)
        return client.post(address, data={**data, "csrf_token": mine})

    return send


def figures(page: TestResponse) -> list[int]:
    return [int(n.replace(",", "")) for n in re.findall(r"<dd>([\d,]+)</dd>", page.text)]


def unchanged(f: World, send: Callable[[], TestResponse]) -> TestResponse:
    with f.site.session() as session:
        before = content(session)
    answer = send()
    with f.site.session() as session:
        assert content(session) == before
    return answer


@pytest.mark.mission("AD-01")
def test_a_workflow_says_on_how_many_records_it_would_have_fired(f: World) -> None:
    admin = person(f, "admin")
    contact = f.id("contact", name="赵建国")
    for name in ("甲", "乙"):
        deal = {"name": name, "customer": f.k("K1"), "contact": contact, "manual_amount": 1000}
        f.update("zhangsan", "opportunity", f.create("zhangsan", "opportunity", **deal), stage="won")
    since = {"since": (f.clock.now() - timedelta(days=1)).date().isoformat()}
    page = unchanged(f, lambda: admin("/rules/workflow/opportunity_won", since))
    assert figures(page) == [2, 2]
    assert "甲</a>" in page.text
    draft = "extend: {workflow: opportunity_won}\nwhen: \"name == '甲'\"\n"
    page = unchanged(f, lambda: admin("/rules/workflow/opportunity_won", {**since, "draft": draft}))
    assert figures(page) == [1, 1]
    assert admin("/rules/workflow/opportunity_won", {"since": "soon"}).status_code == 400


def test_a_draft_score_is_compared_with_the_live_one(f: World) -> None:
    admin = person(f, "admin")
    draft = "extend: {score: customer_value}\nparts:\n  - {name: manufacturing, points: 45}\n"
    page = unchanged(f, lambda: admin("/rules/score/customer_value", {"draft": draft}))
    total, changed, regraded = figures(page)
    with f.site.session() as session:
        table = session.table("customer")
        living = sa.select(sa.func.count()).select_from(table).where(table.c.deleted_at.is_(None))
        assert total == session.connection.scalar(living)
    assert 0 < regraded <= changed <= total
    same = admin("/rules/score/customer_value", {"draft": "extend: {score: customer_value}\n"})
    assert (same.status_code, figures(same)) == (200, [])


def test_a_draft_with_mistakes_is_answered_line_by_line(f: World) -> None:
    admin = person(f, "admin")
    for draft, said in (
        ("extend: {score: customer_value}\nparts:\n  - {name: manufacturing, pints: 45}\n", "3:27"),
        ("extend: {score: customer_value}\nparts: [\n", ":"),
        ("extend: {score: prospect_heat}\n", "customer_value"),
        ("- a\n- b\n", ":"),
        ('extend: {score: customer_value}\nparts:\n  - {name: new, points: 4, when: "nosuch > 1"}\n', "nosuch"),
    ):
        page = admin("/rules/score/customer_value", {"draft": draft})
        assert (page.status_code, said in page.text) == (422, True), draft
        assert draft.splitlines()[0].replace("'", "&#39;") in page.text
    assert "csrf" in admin("/rules/score/customer_value").text


def test_an_assignment_is_replayed_with_a_draft(f: World) -> None:
    admin = person(f, "admin")
    south = f.id("region", code="south")
    for n in range(3):
        f.create("zhangsan", "lead", company=f"南{n}", phone=f"1391234000{n}", region=south)
    day = f.clock.now().date().isoformat()
    dates = {"since": day, "until": day}
    plain = unchanged(f, lambda: admin("/rules/assignment/lead_by_region", dates))
    assert figures(plain)[:2] == [3, 3]
    draft = "extend: {assignment: lead_by_region}\nrules:\n  - {name: south, when: \"region.code == 'nowhere'\"}\n"
    page = unchanged(f, lambda: admin("/rules/assignment/lead_by_region", {**dates, "draft": draft}))
    assert figures(page) == [3, 3, 3]
    assert "公共线索池" in page.text
    assert admin("/rules/assignment/lead_by_region", {"since": "x", "until": day}).status_code == 400


def test_what_is_nowhere_published_is_tried_out(f: World) -> None:
    """An assignment replayed over the last month, an approval on a record made up: new documents, nothing kept."""
    admin = person(f, "admin")
    for n in range(3):
        f.create("zhangsan", "lead", company=f"新{n}", phone=f"1391234000{n}")
    day = f.clock.now().date().isoformat()
    fresh = "assignment: all_to_wang\nentity: lead\nto: owner\nrules:\n  - {name: all, pick: {from: {user: wang}}}\n"
    page = unchanged(f, lambda: admin("/rules/new", {"draft": fresh, "since": day, "until": day}))
    assert (page.status_code, figures(page)) == (200, [3, 3, 3])
    assert "王经理" in page.text
    assert unchanged(f, lambda: admin("/rules/new", {"draft": fresh})).status_code == 200  # of last month at first
    chain = 'approval: big\nentity: quote\nstart: {on: submit, when: "discount_rate > 5"}\nsteps:\n  - {name: boss, by: {user: vp}}\n'
    page = unchanged(f, lambda: admin("/rules/new", {"draft": chain, "discount_rate": "9"}))
    assert (page.status_code, "郑总监" in page.text) == (200, True)
    others = (
        "reminder: fresh\nentity: lead\nwhere: \"status == 'new'\"\nto: owner\nsubject: x\n",
        "workflow: fresh\nentity: lead\non: create\nsteps:\n  - {notify: owner}\n",
    )
    for draft in others:
        page = unchanged(f, lambda draft=draft: admin("/rules/new", {"draft": draft}))
        assert (page.status_code, 3 in figures(page)) == (200, True), page.text[:3000]
    for draft, status, said in (
        (chain.replace("user: vp", "role: nobody"), 422, "5:"),
        ("entity: thing\nfields: {name: text}\n", 409, "assignment"),
        (chain + "---\n" + fresh, 409, "assignment"),
    ):
        page = unchanged(f, lambda draft=draft: admin("/rules/new", {"draft": draft}))
        assert (page.status_code, said in page.text) == (status, True), draft
    assert person(f, "zhangsan")("/rules/new").status_code == 403
    assert person(f, "vp")("/rules/new", {"draft": fresh}).status_code == 403


@pytest.mark.mission("CU-20")
def test_a_score_that_no_field_holds_yet_is_tried_out(f: World) -> None:
    """Every record has another one than now, none; the grades are counted, and nothing is published or written."""
    admin = person(f, "admin")
    for n in range(3):
        f.create("zhangsan", "lead", company=f"评{n}", phone=f"1391234100{n}", **({"email": "a@b.cn"} if n else {}))
    fresh = 'score: fresh\nentity: lead\nparts:\n  - {name: one, points: 5}\n  - {name: mail, points: 20, when: "email is not None"}\n'
    graded = fresh + "grades:\n  - {name: good, from: 20, label: {zh: 好, en: Good}}\n  - {name: bad, from: 0}\n"
    page = unchanged(f, lambda: admin("/rules/new", {"draft": graded}))
    assert (page.status_code, figures(page)) == (200, [3, 3, 3])
    assert re.findall(r'<th scope="row">([^<]+)</th>', page.text) == ["– → 好", "– → Bad"]
    assert re.findall(r"<strong>(\d+)</strong>", page.text) == ["5", "25", "25"]
    page = unchanged(f, lambda: admin("/rules/new", {"draft": fresh}))
    assert figures(page) == [3, 3, 0]
    wrong = unchanged(f, lambda: admin("/rules/new", {"draft": fresh.replace("email", "nosuch", 1)}))
    assert (wrong.status_code, "5:" in wrong.text) == (422, True)


def test_a_reminder_and_a_pool_are_run_dry(f: World) -> None:
    admin = person(f, "admin")
    f.create("zhangsan", "task", subject="过期", assignee=f.user("zhangsan"), due_at="2026-03-01T10:00:00+08:00")
    page = unchanged(f, lambda: admin("/rules/reminder/task_overdue", {}))
    assert figures(page)[0] == 1
    assert "张三" in page.text
    counted = unchanged(f, lambda: admin("/rules/reminder/prospects_created", {}))
    assert counted.status_code == 200
    assert unchanged(f, lambda: admin("/rules/pool/customers_east", {})).status_code == 200


def test_an_approval_is_tried_out_on_made_up_values_and_as_a_draft(f: World) -> None:
    admin = person(f, "admin")
    owner = str(f.user("zhangsan"))
    made_up = {"owner": owner, "amount": "12000"}
    page = unchanged(f, lambda: admin("/rules/approval/expense_request", made_up))
    assert "王经理" in page.text
    assert "郑总监" in page.text
    draft = 'extend: {approval: expense_request}\nstart: {on: submit, when: "amount > 50_000"}\n'
    page = unchanged(f, lambda: admin("/rules/approval/expense_request", {**made_up, "draft": draft}))
    assert "郑总监" not in page.text.split('id="trial"')[1]
    wrong = admin("/rules/approval/expense_request", {"owner": owner, "amount": "many"})
    assert (wrong.status_code, "data-error" in wrong.text) == (422, True)
    assert admin("/rules/approval/expense_request", {"__record": "999999"}).status_code == 404


@pytest.mark.attack("N30", "N12")
def test_rules_are_for_administrators(f: World) -> None:
    rep, admin = person(f, "zhangsan"), person(f, "admin")
    for address in ("/rules", "/rules/score/customer_value", "/rules/web_form/contact_us"):
        assert rep(address).status_code == 403
        assert admin(address).status_code == 200
    assert rep("/rules/reminder/task_overdue", {}).status_code == 403
    assert "/f/contact_us/embed.js" in admin("/rules/web_form/contact_us").text
    for address in ("/rules/score/nothing", "/rules/nothing/x", "/rules/role/admin"):
        assert admin(address).status_code == 404
    assert admin("/rules/web_form/contact_us", {}).status_code == 404
    with f.as_("zhangsan") as session, pytest.raises(Forbidden):
        trials.rule_of(session, "score", "customer_value")
    with f.as_("admin") as session, pytest.raises(Refused):
        trials.drafted(session, "score", "customer_value", "extend: {score: other}\n")
