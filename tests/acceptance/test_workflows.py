"""AD-01, AD-02, AD-03, SA-15, OP-19, LD-02's way in: workflows of the stock application and of an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.commands import rules
from runtime.decisions import workflows
from runtime.errors import Conflict
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import schedules
from runtime.jobs.scheduler import Scheduler
from runtime.jobs.worker import Worker
from runtime.messaging.calling import signature, signing_key
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from web.hooks import create_hooks


@pytest.fixture
def f(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def work(f: World) -> None:
    Worker(f.site).run_all()
    assert rows(f, "job", "name", "error", state="parked") == []


def rows(f: World, entity: str, *columns: str, **same: Any) -> list[tuple[Any, ...]]:
    with f.site.session() as session:
        table = session.table(entity)
        wanted = sa.select(*(table.c[c] for c in columns)).where(*(table.c[k] == v for k, v in same.items()))
        return [tuple(row) for row in session.connection.execute(wanted.order_by(table.c.id))]


def deal(f: World, **more: Any) -> int:
    contact = f.id("contact", name="赵建国")
    values = {"name": "MMS 系统采购商机", "customer": f.k("K1"), "contact": contact, "manual_amount": 1235000}
    return f.create("zhangsan", "opportunity", **values, **more)


@pytest.mark.mission("AD-01")
def test_a_won_deal_makes_a_task_a_mail_and_a_field(f: World) -> None:
    f.update(None, "contact", f.id("contact", name="赵建国"), email="zhao@example.com")
    won = deal(f)
    f.update("zhangsan", "opportunity", won, stage="won")
    assert f.read(None, "opportunity", won)["closed_on"] is None  # after the commit, not with it
    work(f)
    assert str(f.read(None, "opportunity", won)["closed_on"]) == "2026-03-16"
    due = rows(f, "task", "subject", "assignee", "due_at", opportunity=won)
    assert [(s, a) for s, a, _ in due] == [("赢单交接：MMS 系统采购商机", f.user("zhangsan"))]
    assert due[0][2] == f.clock.now() + timedelta(days=3)
    assert rows(f, "message", "recipient", "subject", "state") == [
        ("zhao@example.com", "感谢选择我们：MMS 系统采购商机", "waiting")
    ]
    assert rows(f, "notification", "subject", recipient=f.user("wang")) == [("赢单：MMS 系统采购商机 ¥1,235,000.00",)]
    assert rows(f, "workflow_run", "state", "workflow") == [("done", "opportunity_won")]
    f.update("zhangsan", "opportunity", won, name="MMS")
    work(f)
    assert len(rows(f, "workflow_run", "id")) == 1


BUILT = """
workflow: won_follow_up
entity: opportunity
label: {zh: 赢单回访, en: After a win}
on: {move: stage, to: won}
steps:
  - task: {subject: "回访：{name}", opportunity: "=id", customer: "=customer", assignee: {field: owner}, due_at: {within: 5wd}}
  - message: {to: {manager_of: owner}, subject: "请关注：{name}", body: "{customer.name} 已签约"}
  - set: {description: "已安排回访"}
"""


@pytest.mark.mission("AD-01")
def test_an_administrator_builds_one_while_the_program_runs(f: World) -> None:
    """“Won → task, mail, field”: a slip is told at its place, a dry look at the past, then it is published and works."""
    url = "/metadata/workflow/won_follow_up"
    assert f.api("admin", "PUT", url, json={"text": BUILT.replace("to: won", "to: wonn")}).status_code == 200
    problem = f.api("admin", "POST", "/metadata/check").json["problems"][0]
    assert (problem["line"], "won" in problem["message"] + str(problem)) == (5, True)
    assert f.api("admin", "PUT", url, json={"text": BUILT}).status_code == 200
    assert f.api("admin", "POST", "/metadata/check").json["problems"] == []
    assert f.api("admin", "POST", "/metadata/publish", json={"note": "赢单回访", "accept": True}).status_code == 201
    assert f.api("zhangsan", "PUT", url, json={"text": BUILT}).status_code == 403
    won = deal(f)
    f.update("zhangsan", "opportunity", won, stage="won")
    work(f)
    assert ("回访：MMS 系统采购商机", f.user("zhangsan")) in rows(f, "task", "subject", "assignee", opportunity=won)
    assert ("wang@example.com", "请关注：MMS 系统采购商机") in rows(f, "message", "recipient", "subject")
    assert f.read("zhangsan", "opportunity", won)["description"] == "已安排回访"
    assert (("won_follow_up", "done")) in rows(f, "workflow_run", "workflow", "state", record=won)


@pytest.mark.mission("AD-02")
@pytest.mark.mission("OP-19")
def test_a_proposal_brings_three_tasks_and_one_reminder_unless_somebody_spoke(f: World) -> None:
    quiet, spoken = deal(f), deal(f)
    for each in (quiet, spoken):
        f.update("zhangsan", "opportunity", each, stage="proposal")
    work(f)
    assert len(rows(f, "task", "id", opportunity=quiet)) == 3
    f.clock.advance(days=1)
    f.create("zhangsan", "communication", subject="演示", customer=f.k("K1"), opportunity=spoken)
    work(f)
    assert rows(f, "notification", "record", recipient=f.user("zhangsan"), word="workflow") == []
    f.clock.advance(days=1, seconds=1)
    work(f)
    assert rows(f, "notification", "record", recipient=f.user("zhangsan"), word="workflow") == [(quiet,)]
    states = dict(rows(f, "workflow_run", "record", "state", workflow="proposal_follow_up"))
    assert states == {quiet: "done", spoken: "ended"}
    f.clock.advance(days=5)
    work(f)
    assert len(rows(f, "notification", "record", recipient=f.user("zhangsan"), word="workflow")) == 1


@pytest.mark.mission("AD-03")
def test_each_night_idle_customers_become_inactive_and_the_run_is_on_record(f: World) -> None:
    k1 = f.k("K1")  # 400 days old and never spoken to
    night = next(s for s in _schedules(f) if s.name == "workflow:inactive_customers:0")
    assert night.cron == "0 2 * * *"
    f.clock.advance(hours=16, minutes=1)  # Tuesday 02:01
    scheduler = Scheduler(f.site)
    scheduler.tick()
    scheduler.tick()
    work(f)
    assert f.read(None, "customer", k1)["activity"] == "inactive"
    runs = rows(f, "workflow_run", "record", "state", workflow="inactive_customers")
    assert runs == [(k1, "done")]
    assert rows(f, "rule_run", "word", "matched", name="inactive_customers") == [("workflow", 1)]
    moved = rows(f, "stage_log", "cause", record=k1, to_value="inactive")
    assert moved == [("workflow:inactive_customers",)]
    f.create("zhangsan", "communication", subject="恢复联系", customer=k1)
    work(f)
    assert f.read(None, "customer", k1)["activity"] == "active"


def _schedules(f: World) -> list[Any]:
    with f.site.session() as session:
        return schedules(session.app)


@pytest.mark.mission("SA-15")
def test_the_next_action_of_a_communication_becomes_a_dated_task(f: World) -> None:
    next_at = "2026-03-20T10:00:00+08:00"
    f.create("zhangsan", "communication", subject="电话", customer=f.k("P1"), next_action="发送报价", next_at=next_at)
    work(f)
    [(subject, assignee, due)] = rows(f, "task", "subject", "assignee", "due_at", customer=f.k("P1"))
    assert (subject, assignee, due.isoformat()) == ("发送报价", f.user("zhangsan"), "2026-03-20T02:00:00+00:00")
    assert f.read(None, "customer", f.k("P1"))["next_action_at"] is not None


def test_a_refused_step_is_parked_and_an_administrator_lets_it_go_on(f: World) -> None:
    won = deal(f)
    f.update("zhangsan", "opportunity", won, stage="won")
    with f.site.session(write=True) as session:  # nobody is left to give the task to
        table = session.table("opportunity")
        session.connection.execute(sa.update(table).where(table.c.id == won).values(owner=None))
    work(f)
    [(run, state, step, error)] = rows(f, "workflow_run", "id", "state", "step", "error")
    assert (state, step) == ("parked", "task")
    assert "assignee" in error
    assert f.api("zhangsan", "POST", f"/workflow_run/{run}/actions/rerun").status_code in (403, 404)
    f.update(None, "opportunity", won, owner=f.user("lisi"))
    with f.site.session(write=True) as session:
        workflows.rerun(session, run)
    work(f)
    assert rows(f, "workflow_run", "state") == [("done",)]
    assert len(rows(f, "task", "id", opportunity=won)) == 1
    with f.site.session(write=True) as session, pytest.raises(Conflict):
        workflows.rerun(session, run)


def test_a_workflow_over_history_says_on_how_many_records_it_would_have_fired(f: World) -> None:
    since = f.clock.now()
    first, second = deal(f), deal(f)
    for each in (first, second):
        f.update("zhangsan", "opportunity", each, stage="won")
    f.update("zhangsan", "opportunity", first, stage="closing")
    f.update("zhangsan", "opportunity", first, stage="won")
    found = rules.would_have(f.site, "opportunity_won", since)
    assert found is not None
    assert (found.fired, found.records, found.exact) == (3, 2, True)
    later = rules.would_have(f.site, "opportunity_won", since + timedelta(days=1))
    assert later is not None
    assert later.fired == 0


@pytest.mark.parametrize("way", ["token", "form"])
def test_a_form_of_the_web_site_becomes_a_lead_once(f: World, way: str) -> None:
    app = Flask("hooks")
    app.register_blueprint(create_hooks(f.site))
    client, key = app.test_client(), signing_key(f.site, "web_lead")
    given = {"company": "远方科技", "phone": "13912340001", "utm_source": "baidu"}
    headers = {"Octavo-Token": key, "Idempotency-Key": "once"}
    body: dict[str, Any] = {"data": given} if way == "form" else {"json": given}
    answers = [client.post("/hooks/web_lead", headers=headers, **body) for _ in range(3)]
    assert [a.status_code for a in answers] == [202, 202, 202]
    assert len({a.json["run"] for a in answers}) == 1
    work(f)
    assert rows(f, "lead", "company", "source", "utm_source") == [("远方科技", "website", "baidu")]
    assert client.post("/hooks/web_lead", json=given).status_code == 403
    assert client.post("/hooks/web_lead", json=given, headers={"Octavo-Token": "x" * 64}).status_code == 403
    assert client.post("/hooks/nothing", json=given, headers=headers).status_code == 404
    assert client.post("/hooks/web_lead", json={"nosuch": 1}, headers={"Octavo-Token": key}).status_code == 422
    assert client.post("/hooks/web_lead", json={"company": "x" * 300_000}, headers=headers).status_code == 413
    assert (
        client.post("/hooks/web_lead", data="[" * 100_000, headers=headers, content_type="application/json").status_code
        == 400
    )
    trap = client.post("/hooks/web_lead", json={**given, "website_url": "spam"}, headers={"Octavo-Token": key})
    assert trap.json["run"] is None
    assert len(rows(f, "lead", "id")) == 1
    codes = {client.post("/hooks/web_lead", json=given).status_code for _ in range(60)}
    assert 429 in codes


def test_what_comes_in_by_the_web_is_assigned_where_the_rules_say_so(f: World) -> None:
    """`on: [web]` is for what a form of the web site sends, and for nothing that a person enters."""
    rule = "assignment: a_web\nentity: lead\non: [web]\nrules: [{name: director, pick: {from: {user: vp}, by: round_robin}}]\n"
    publish(f.site, with_site_files(current_layers(f.site), {"a_web.yaml": rule}), "the web")
    app = Flask("hooks")
    app.register_blueprint(create_hooks(f.site))
    headers = {"Octavo-Token": signing_key(f.site, "web_lead")}
    sent = app.test_client().post(
        "/hooks/web_lead", json={"company": "网上来的", "phone": "13912340002"}, headers=headers
    )
    assert sent.status_code == 202
    by_hand = f.create("zhangsan", "lead", company="手工录入", phone="13912340003")
    work(f)
    [(by_web, owner)] = rows(f, "lead", "id", "owner", company="网上来的")
    assert owner == f.user("vp")
    decided = dict(rows(f, "assignment_decision", "record", "assignment"))
    assert decided[by_web] == "a_web"
    assert decided.get(by_hand) != "a_web"


def test_a_signature_is_bound_to_the_body_and_the_minute(f: World) -> None:
    from runtime.messaging.calling import is_signed

    secret, body = signing_key(f.site, "x"), '{"a": 1}'
    given = signature(secret, 1_000_000, body)
    assert is_signed(secret, given, body, 1_000_200)
    assert not is_signed(secret, given, body + " ", 1_000_200)
    assert not is_signed(secret, given, body, 1_000_301)
    assert not is_signed(signing_key(f.site, "y"), given, body, 1_000_200)
    assert not is_signed(secret, "t=abc,v1=", body, 1_000_200)


def test_running_rules_by_hand_starts_what_the_clock_sets_off(f: World) -> None:
    assert rules.run_workflow(f.site, "inactive_customers") == 1
    assert rules.run_workflow(f.site, "opportunity_won") is None
    assert rules.unknown_reminders(f.site, ["task_overdue", "nosuch"]) == "nosuch"
    with f.site.session(write=True) as session:
        enqueue(session, "remind", {"names": ["task_overdue"]})
    work(f)
    assert rows(f, "rule_run", "name", "matched") == [("inactive_customers", 1), ("task_overdue", 0)]
