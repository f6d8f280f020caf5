"""Rows AD-07, MK-03, OP-18, QU-02, EX-03, CT-22, CT-23, QU-09, BU-05: approvals and versions, through the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts
from runtime.decisions.approval_jobs import run_due
from runtime.publishing import publish
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World


@pytest.fixture
def b(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def make(world: World, login: str, entity: str, **values: Any) -> str:
    answer = world.api(login, "POST", f"/{entity}", json=values)
    assert answer.status_code == 201, answer.json
    found: str = answer.json["id"]
    return found


def act(world: World, login: str, entity: str, record: str, name: str, status: int = 200, **given: Any) -> Any:
    answer = world.api(login, "POST", f"/{entity}/{record}/actions/{name}", json=given)
    assert answer.status_code == status, answer.json
    return answer.json


def get(world: World, login: str, entity: str, record: str) -> dict[str, Any]:
    found: dict[str, Any] = world.api(login, "GET", f"/{entity}/{record}").json
    return found


def asked(world: World, entity: str, record: str) -> list[str]:
    """The logins of those who are asked now."""
    with world.site.session() as session:
        case, task, person = (session.table(n) for n in ("approval_case", "approval_task", "user"))
        wanted = (
            sa.select(person.c.login)
            .join(task, task.c.person == person.c.id)
            .join(case, case.c.id == task.c.case)
            .where(case.c.entity == entity, case.c.record == int(record), task.c.state == "open")
            .where(case.c.state == "waiting")
        )
        return sorted(session.connection.scalars(wanted))


def service(price: int, quantity: int = 10) -> dict[str, Any]:
    return {"text": "实施服务", "quantity": quantity, "price": price}


def quote(world: World, login: str, customer: str, discount: str, **line: Any) -> str:
    lines = [line or {**service(100), "list": 100}]
    return make(world, login, "quote", customer=str(world.k(customer)), discount=discount, lines=lines)


@pytest.mark.mission("QU-02")
def test_discounts_are_approved_by_department(b: World) -> None:
    small = quote(b, "zhangsan", "K1", "10")
    assert act(b, "zhangsan", "quote", small, "submit")["state"] == "approved"
    assert get(b, "zhangsan", "quote", small)["status"] == "approved"

    middle = quote(b, "zhangsan", "K1", "12")
    act(b, "zhangsan", "quote", middle, "submit")
    assert (asked(b, "quote", middle), get(b, "zhangsan", "quote", middle)["status"]) == (["wang"], "review")
    act(b, "wang", "quote", middle, "approve", comment="同意")
    assert get(b, "zhangsan", "quote", middle)["status"] == "approved"

    large = quote(b, "zhangsan", "K1", "25")
    act(b, "zhangsan", "quote", large, "submit")
    assert asked(b, "quote", large) == ["wang"]
    act(b, "wang", "quote", large, "approve")
    assert asked(b, "quote", large) == ["vp"]
    act(b, "vp", "quote", large, "approve")
    assert get(b, "zhangsan", "quote", large)["status"] == "approved"

    b.update(None, "unit", b.id("unit", code="S"), discount_limit=5, director_limit=15)
    south = quote(b, "chenwu", "S7", "8")
    act(b, "chenwu", "quote", south, "submit")
    assert asked(b, "quote", south) == ["liujing"]
    south = quote(b, "chenwu", "S7", "18")
    act(b, "chenwu", "quote", south, "submit")
    act(b, "liujing", "quote", south, "approve")
    assert asked(b, "quote", south) == ["vp"]


@pytest.mark.mission("QU-02")
def test_a_low_margin_is_approved_side_by_side(b: World) -> None:
    found = quote(b, "zhangsan", "K1", "0")
    line = get(b, "zhangsan", "quote", found)["lines"][0]["id"]
    b.update(None, "quote_line", int(line), cost=90)
    act(b, "zhangsan", "quote", found, "submit")
    assert asked(b, "quote", found) == ["fin", "vp"]
    act(b, "fin", "quote", found, "approve")
    assert get(b, "zhangsan", "quote", found)["status"] == "review"
    act(b, "vp", "quote", found, "approve")
    assert get(b, "zhangsan", "quote", found)["status"] == "approved"


@pytest.mark.mission("QU-02")
@pytest.mark.attack("N100")
def test_nobody_approves_a_quote_by_its_status(b: World) -> None:
    found = quote(b, "zhangsan", "K1", "25")
    for who in ("zhangsan", "wang", "admin"):
        answer = b.api(who, "PATCH", f"/quote/{found}", json={"status": "approved"})
        assert answer.status_code == 422, answer.json
    act(b, "zhangsan", "quote", found, "submit")
    for values in ({"discount": "5"}, {"lines": []}, {"owner": str(b.user("lisi"))}, {"status": "approved"}):
        answer = b.api("zhangsan", "PATCH", f"/quote/{found}", json=values)
        assert answer.status_code == (403 if "owner" in values else 409), answer.json  # he may not hand over at all
        assert get(b, "vp", "quote", found)["discount"] == "25.00"
    assert b.api("zhangsan", "DELETE", f"/quote/{found}").status_code in (403, 409)
    act(b, "zhangsan", "quote", found, "approve", status=409)
    act(b, "lisi", "quote", found, "approve", status=404)


@pytest.mark.mission("EX-03")
def test_expenses_by_amount_with_stand_in_and_another_signature(b: World) -> None:
    def request(amount: int) -> str:
        line = {"item": "客户拜访", "category": "travel", "amount": amount}
        found = make(b, "zhangsan", "expense_request", purpose=f"拜访 {amount}", lines=[line])
        act(b, "zhangsan", "expense_request", found, "submit")
        return found

    small = request(3000)
    assert asked(b, "expense_request", small) == ["wang"]
    act(b, "wang", "expense_request", small, "approve")
    assert get(b, "zhangsan", "expense_request", small)["status"] == "approved"

    large = request(12000)
    act(b, "wang", "expense_request", large, "approve")
    assert asked(b, "expense_request", large) == ["vp"]
    act(b, "vp", "expense_request", large, "add_before", person=str(b.user("fin")))
    assert asked(b, "expense_request", large) == ["fin"]
    act(b, "fin", "expense_request", large, "approve")
    act(b, "vp", "expense_request", large, "approve")
    assert get(b, "zhangsan", "expense_request", large)["status"] == "approved"

    b.update(None, "user", b.user("wang"), status="on_leave", delegate=b.user("liujing"))
    away = request(3000)
    assert asked(b, "expense_request", away) == ["liujing"]


@pytest.mark.mission("MK-03")
def test_campaigns_by_budget(b: World) -> None:
    b.update(None, "user", b.user("mk"), manager=b.user("wang"))

    def campaign(plan: int) -> str:
        line = {"item": "场地", "category": "venue", "plan": plan}
        found = make(b, "mk", "campaign", name=f"活动 {plan}", lines=[line])
        act(b, "mk", "campaign", found, "submit")
        return found

    small = campaign(100_000)
    assert asked(b, "campaign", small) == ["wang"]
    act(b, "wang", "campaign", small, "approve")
    assert get(b, "mk", "campaign", small)["status"] == "approved"
    large = campaign(100_001)
    assert asked(b, "campaign", large) == ["vp"]
    act(b, "vp", "campaign", large, "approve")
    assert asked(b, "campaign", large) == ["gm"]
    act(b, "gm", "campaign", large, "approve")
    assert get(b, "mk", "campaign", large)["status"] == "approved"


@pytest.mark.mission("OP-18")
def test_deals_by_amount_or_margin(b: World) -> None:
    def deal(**values: Any) -> str:
        return make(b, "zhangsan", "opportunity", name="商机", customer=str(b.k("K1")), **values)

    large = deal(manual_amount=1_235_000, est_cost=800_000, expense=35_000)
    act(b, "zhangsan", "opportunity", large, "submit")
    assert asked(b, "opportunity", large) == ["vp"]
    assert b.api("zhangsan", "PATCH", f"/opportunity/{large}", json={"manual_amount": 1}).status_code == 409
    act(b, "vp", "opportunity", large, "reject", comment="成本再核实")
    history = b.api("zhangsan", "GET", f"/opportunity/{large}/explain/approval").json
    assert history["state"] == "rejected"
    assert history["steps"][0]["people"] == [
        {"name": "郑总监", "state": "rejected", "why": "", "comment": "成本再核实"}
    ]
    assert ("郑总监", "成本再核实") in [(e["who"], e["comment"]) for e in history["history"]]
    assert b.api("zhangsan", "PATCH", f"/opportunity/{large}", json={"est_cost": 700_000}).status_code == 200
    act(b, "zhangsan", "opportunity", large, "submit")
    assert asked(b, "opportunity", large) == ["vp"]

    thin = deal(manual_amount=100_000, est_cost=86_000)
    act(b, "zhangsan", "opportunity", thin, "submit")
    assert asked(b, "opportunity", thin) == ["vp"]
    good = deal(manual_amount=100_000, est_cost=85_000)
    assert act(b, "zhangsan", "opportunity", good, "submit")["state"] == "approved"


def contract(world: World) -> str:
    lines = [service(50_000, 1), {**service(100_000, 1), "text": "设备"}]
    found = make(world, "zhangsan", "contract", name="框架合同", customer=str(world.k("K1")), lines=lines)
    act(world, "zhangsan", "contract", found, "submit")
    act(world, "wang", "contract", found, "approve")
    return found


@pytest.mark.mission("CT-22")
def test_a_contract_in_force_changes_through_an_approved_change_alone(b: World) -> None:
    found = contract(b)
    before = get(b, "zhangsan", "contract", found)
    assert (before["status"], before["amount"]["amount"]) == ("active", "150000.00")
    line = before["lines"][0]["id"]
    for who in ("zhangsan", "wang", "admin"):
        answer = b.api(who, "PATCH", f"/contract/{found}", json={"payment_days": 90})
        assert answer.status_code == 200, answer.json
        assert get(b, "zhangsan", "contract", found)["payment_days"] == before["payment_days"]
        assert b.api(who, "PATCH", f"/contract_line/{line}", json={"price": 1}).status_code in (403, 404, 405, 409)
        assert b.api(who, "DELETE", f"/contract/{found}").status_code in (403, 409)
    act(b, "zhangsan", "contract", found, "submit_change", reason="客户要求延长账期")
    assert get(b, "zhangsan", "contract", found)["payment_days"] == before["payment_days"]
    assert asked(b, "contract", found) == ["wang"]
    act(b, "wang", "contract", found, "approve")
    assert get(b, "zhangsan", "contract", found)["payment_days"] == 90


@pytest.mark.mission("CT-23")
def test_an_approved_change_makes_version_two(b: World) -> None:
    found = contract(b)
    first, second = get(b, "zhangsan", "contract", found)["lines"]
    number = get(b, "zhangsan", "contract", found)["code"]
    lines = [{"id": first["id"], "price": 60_000}, {"id": second["id"]}, service(5_000, 1)]
    b.api("zhangsan", "PATCH", f"/contract/{found}", json={"lines": lines})
    act(b, "zhangsan", "contract", found, "submit_change", reason="增项")
    act(b, "wang", "contract", found, "approve")
    now = get(b, "zhangsan", "contract", found)
    assert (now["amount"]["amount"], now["revision"], now["shown"]) == ("165000.00", 2, f"{number}-V2")
    told = b.api("zhangsan", "GET", f"/contract/{found}/explain/versions").json
    assert [(v["number"], v["state"]) for v in told["versions"]] == [(2, "current"), (1, "past")]
    assert told["versions"][1]["content"]["lines"][0]["price"] == "50000"
    compared = {step["label"]: step for step in told["steps"]}
    assert [line["word"] for line in compared["标的明细"]["lines"]] == ["added", "changed"]


@pytest.mark.mission("CT-23")
def test_a_large_rise_also_needs_the_director(b: World) -> None:
    found = contract(b)
    lines = get(b, "zhangsan", "contract", found)["lines"]
    change = {"lines": [{"id": lines[0]["id"], "price": 70_000}, {"id": lines[1]["id"]}]}
    b.api("zhangsan", "PATCH", f"/contract/{found}", json=change)
    act(b, "zhangsan", "contract", found, "submit_change", reason="涨价")
    act(b, "wang", "contract", found, "approve")
    assert asked(b, "contract", found) == ["vp"]


@pytest.mark.mission("QU-09")
def test_quotes_keep_their_first_version(b: World) -> None:
    found = quote(b, "zhangsan", "K1", "5")
    act(b, "zhangsan", "quote", found, "submit")
    line = get(b, "zhangsan", "quote", found)["lines"][0]["id"]
    b.api("zhangsan", "PATCH", f"/quote/{found}", json={"lines": [{"id": line, "quantity": 20}]})
    assert get(b, "zhangsan", "quote", found)["amount"]["amount"] == "950.00"
    act(b, "zhangsan", "quote", found, "submit_change", reason="加量")
    now = get(b, "zhangsan", "quote", found)
    assert (now["amount"]["amount"], now["revision"]) == ("1900.00", 2)
    told = b.api("zhangsan", "GET", f"/quote/{found}/explain/versions").json
    assert told["versions"][1]["content"]["amount"] == "950"
    with b.as_("vp") as session:
        table = session.table("revision")
        first = session.connection.scalar(sa.select(table.c.id).where(table.c.entity == "quote", table.c.number == 1))
    for who in ("zhangsan", "vp", "admin"):  # the first version is for reading
        assert b.api(who, "PATCH", f"/revision/{first}", json={"snapshot": {}}).status_code in (403, 404)
        assert b.api(who, "DELETE", f"/revision/{first}").status_code in (403, 404)
    changed = next(step for step in told["steps"] if step["label"] == "明细")
    assert {c["label"]: (c["old"], c["new"]) for c in changed["lines"][0]["changes"]}["数量"] == ("10", "20")


@pytest.mark.mission("BU-05")
def test_a_budget_is_spent_once_it_is_approved_and_keeps_its_first_version(b: World) -> None:
    line = {"item": "场地", "category": "venue", "plan": 20_000}
    found = make(b, "mk", "campaign", name="春季展会", lines=[line])
    spending = {"expenses": [{"item": "定金", "amount": 5_000}]}
    answer = b.api("mk", "PATCH", f"/campaign/{found}", json=spending)
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (422, "expenses")
    act(b, "mk", "campaign", found, "submit")
    act(b, "gm", "campaign", found, "approve")
    assert b.api("mk", "PATCH", f"/campaign/{found}", json=spending).status_code == 200
    now = get(b, "mk", "campaign", found)
    assert (now["spent"]["amount"], now["remaining"]["amount"], now["revision"]) == ("5000.00", "15000.00", 1)
    lines = [{"id": now["lines"][0]["id"], "plan": 30_000}]
    b.api("mk", "PATCH", f"/campaign/{found}", json={"lines": lines})
    assert get(b, "mk", "campaign", found)["budget"]["amount"] == "20000.00"
    act(b, "mk", "campaign", found, "submit_change", reason="场地涨价")
    act(b, "gm", "campaign", found, "approve")
    now = get(b, "mk", "campaign", found)
    assert (now["budget"]["amount"], now["remaining"]["amount"], now["revision"]) == ("30000.00", "25000.00", 2)
    told = b.api("mk", "GET", f"/campaign/{found}/explain/versions").json
    assert told["versions"][1]["content"]["budget"] == "20000"


_CHAIN = """
approval: trip
entity: expense_request
label: {zh: 出差审批, en: Trips}
start: {on: submit, when: "purpose == '出差'"}
steps:
  - {name: manager, label: {zh: 经理, en: Manager}, by: {manager_of: owner}, timeout: 24wh, on_timeout: escalate}
  - name: review
    label: {zh: 会签, en: Review}
    when: "amount >= 5_000"
    parallel:
      - {name: finance, label: {zh: 财务, en: Finance}, by: {role: finance}}
      - {name: anyone, label: {zh: 任一, en: Any of two}, by: [{user: gm}, {user: admin}], need: any}
  - {name: director, label: {zh: 总监, en: Director}, when: "amount >= 10_000", by: {role: approving_director}}
on_approved: [{set: {status: approved}}]
"""


@pytest.mark.mission("AD-07")
@pytest.mark.mission("MK-19")
def test_an_administrator_declares_a_chain_and_running_cases_keep_theirs(b: World) -> None:
    """Sequence, side by side, any of several, branches by amount, return to a step, withdraw, hand over, time-out."""

    def declare(text: str) -> None:
        layers = [layer for layer in publish.current_layers(b.site) if layer.name != "site"]
        extra = {"trip.yaml": text.replace("approval: trip", "approval: a_trip")}
        publish.publish(b.site, [*layers, load_texts(extra, "site")], "trip")

    def trip(amount: int) -> str:
        line = {"item": "机票", "category": "travel", "amount": amount}
        found = make(b, "zhangsan", "expense_request", purpose="出差", lines=[line])
        act(b, "zhangsan", "expense_request", found, "submit")
        return found

    declare(_CHAIN)
    large = trip(12_000)
    act(b, "wang", "expense_request", large, "approve")
    assert asked(b, "expense_request", large) == ["admin", "fin", "gm"]
    either = trip(5_000)
    act(b, "wang", "expense_request", either, "approve")
    act(b, "gm", "expense_request", either, "approve")  # any of two: the other need not any more
    assert asked(b, "expense_request", either) == ["fin"]
    act(b, "fin", "expense_request", either, "approve")
    assert get(b, "zhangsan", "expense_request", either)["status"] == "approved"  # below 10,000 no director
    running = trip(3_000)
    declare(_CHAIN.replace("manager_of: owner", "role: finance"))
    assert asked(b, "expense_request", running) == ["wang"]
    act(b, "wang", "expense_request", running, "approve")
    assert get(b, "zhangsan", "expense_request", running)["status"] == "approved"
    assert asked(b, "expense_request", trip(3_000)) == ["fin"]

    act(b, "fin", "expense_request", large, "return", step="manager", comment="请经理再看")
    assert asked(b, "expense_request", large) == ["wang"]
    act(b, "wang", "expense_request", large, "delegate", person=str(b.user("vp")))
    act(b, "vp", "expense_request", large, "approve")
    assert asked(b, "expense_request", large) == ["admin", "fin", "gm"]
    act(b, "zhangsan", "expense_request", large, "withdraw")
    assert asked(b, "expense_request", large) == []

    declare(_CHAIN)
    late = trip(3_000)
    for hours, who in ((71, "wang"), (2, "vp")):  # 24 working hours are three working days of eight
        b.clock.advance(hours=hours)
        with b.site.session(write=True) as session:
            run_due(session)
        assert asked(b, "expense_request", late) == [who]
