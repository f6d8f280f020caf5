"""Rows CU-10, CU-27, LD-07 to LD-10: qualification of prospects, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions, explain
from runtime.decisions.qualification_rule import run_out
from runtime.errors import Conflict, Forbidden, NotFound, Refused
from runtime.exchange.imports import Request, import_file
from runtime.files.attachments import upload
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from runtime.reports.run import run as run_report
from tests.acceptance.both import fixture_f_on, together
from tests.acceptance.conftest import World

GOOD = {"need": "passed", "budget": "passed", "decider": "passed", "timetable": "open"}


@pytest.fixture
def b(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def check(world: World, login: str, record: int, action: str = "qualify", **given: Any) -> dict[str, Any]:
    with world.as_(login, write=True) as session:
        return dict(actions.run(session, "customer", record, action, given).data)


def offer(world: World, login: str, record: int, name: str) -> actions.Offer:
    with world.as_(login) as session:
        return next(o for o in actions.offers(session, "customer", record) if o.name == name)


def why(world: World, login: str, record: int) -> dict[str, Any]:
    with world.as_(login) as session:
        return explain.decision(session, "qualification", "customer", record)


def results(found: dict[str, Any]) -> dict[str, str]:
    return {line["criterion"]: line["result"] for line in found["lines"]}


def grant(world: World, **more: Any) -> int:
    return world.create("vp", "qualification_grant", person=world.user("zhangsan"), **more)


def maker(world: World) -> int:
    """A prospect in manufacturing."""
    industry = world.id("industry", code="C34")
    return world.create("zhangsan", "customer", name="泵业有限公司", industry=industry, owner=world.user("zhangsan"))


@pytest.mark.mission("CU-10")
def test_rule_sets_by_kind_of_customer_and_both_methods(b: World) -> None:
    p1, pump = b.k("P1"), maker(b)
    by_points = check(b, "zhangsan", p1, need="passed", budget="passed", decider="open", timetable="passed")
    assert (by_points["rule"], by_points["verdict"], by_points["score"]) == ("prospect_general", "failed", "40")
    by_points = check(b, "zhangsan", p1, **GOOD)
    assert (by_points["verdict"], by_points["score"], by_points["pass_mark"]) == ("passed", "50", "50")
    assert b.read("zhangsan", "customer", p1)["qualification"] == "qualified"
    assert b.read("zhangsan", "customer", p1)["stage"] == "qualified"
    all_of = check(b, "zhangsan", pump, need="passed", visited="failed")
    assert (all_of["rule"], all_of["verdict"], all_of["unmet"]) == (
        "prospect_manufacturing",
        "failed",
        ["已实地考察工厂"],
    )
    assert check(b, "zhangsan", pump, need="passed", visited="passed")["verdict"] == "passed"


OTHER_WAY = """
extend: {qualification: prospect_general}
method: all
pass_mark: null
---
extend: {qualification: prospect_manufacturing}
method: points
pass_mark: 60
criteria: [{name: need, points: 60}, {name: visited, points: 50}]
"""


@pytest.mark.mission("CU-10")
def test_either_method_is_chosen_for_either_set(b: World) -> None:
    """The general set by musts alone, manufacturing by at least 60 points: as an administrator chooses."""
    p1, pump = b.k("P1"), maker(b)
    publish(b.site, with_site_files(current_layers(b.site), {"site.yaml": OTHER_WAY}), "methods", accept=True)
    found = check(b, "zhangsan", p1, need="passed", budget="failed", decider="failed", timetable="failed")
    assert (found["rule"], found["verdict"]) == ("prospect_general", "failed")
    assert check(b, "zhangsan", p1, need="passed", budget="passed", decider="passed", timetable="passed")[
        "verdict"
    ] == ("passed")
    short = check(b, "zhangsan", pump, need="failed", visited="passed")
    assert (short["verdict"], short["score"], short["pass_mark"]) == ("failed", "50", "60")
    enough = check(b, "zhangsan", pump, need="passed", visited="failed")
    assert (enough["verdict"], enough["score"]) == ("passed", "60")


@pytest.mark.mission("CU-27")
def test_a_bankrupt_prospect_cannot_be_qualified_and_the_message_names_the_criterion(b: World) -> None:
    p1 = b.k("P1")
    b.update("zhangsan", "customer", p1, legal_status="bankrupt")
    response = b.api("zhangsan", "PATCH", f"/customer/{p1}", json={"qualification": "qualified"})
    assert response.status_code == 422
    problem = response.json["problems"][0]
    assert (problem["field"], problem["code"]) == ("qualification", "qualification.unmet")
    assert "未破产" in problem["message"]
    found = check(b, "zhangsan", p1, **GOOD)
    assert (found["verdict"], found["unmet"], results(found)["solvent"]) == ("failed", ["未破产"], "failed")
    assert b.read("zhangsan", "customer", p1)["qualification"] == "unqualified"


@pytest.mark.mission("LD-08")
def test_a_related_party_on_the_blacklist_fails_by_itself(b: World) -> None:
    p1 = b.k("P1")
    kind = b.id("relation_type", name="关联企业")
    b.create("vp", "customer_relation", customer=p1, kind=kind, other=b.k("K3"))
    found = check(b, "zhangsan", p1, **GOOD)
    assert (found["verdict"], found["unmet"]) == ("failed", ["与黑名单无关联"])
    b.update("zhangsan", "customer", p1, export_control=True)
    assert set(check(b, "zhangsan", p1, **GOOD)["unmet"]) == {"与黑名单无关联", "非禁止出口"}


def test_a_grant_names_what_is_there(b: World) -> None:
    for field, wrong in (("rule", "prospect_genral"), ("segment", "manufacturing_west"), ("items", "solvent, 不存在")):
        with pytest.raises(Refused) as refusal:
            grant(b, **{field: wrong})
        assert [p.field for p in refusal.value.problems] == [field]
        answer = b.api("vp", "POST", "/qualification_grant", json={"person": str(b.user("zhangsan")), field: wrong})
        assert answer.status_code == 422
        assert wrong.split(", ")[-1] in answer.get_data(as_text=True)
    made = grant(b, rule="prospect_general", segment="manufacturing_east")
    with pytest.raises(Refused):
        b.update("vp", "qualification_grant", made, segment="nowhere")


@pytest.mark.mission("LD-10")
def test_the_outcome_is_set_by_hand_only_after_a_check(b: World, tmp_path: Path) -> None:
    p1 = b.k("P1")
    for login in ("zhangsan", "vp", "admin"):
        for choice in ("qualified", "special", "unqualified"):
            with pytest.raises(Refused) as refused:
                b.update(login, "customer", p1, qualification=choice)
            assert refused.value.problems[0].field == "qualification"
    with pytest.raises(Refused):
        b.create("zhangsan", "customer", name="新来的", qualification="qualified")
    batch = {"records": [{"update": {"id": str(p1), "qualification": "qualified"}}]}
    assert b.api("zhangsan", "POST", "/customer/batch", json=batch).status_code in (400, 422)
    file = tmp_path / "in.csv"
    file.write_text("客户名称,资格\n进口一号有限公司,合格\n", encoding="utf-8")
    asked = Request(mapping={"客户名称": "name", "资格": "qualification"})
    status = import_file(b.site, "customer", file, user_id=b.user("mk"), name=file.name, request=asked)
    assert (status.created, status.rejected) == (0, 1)
    assert b.read("vp", "customer", p1)["qualification"] == "pending"
    check(b, "zhangsan", p1, **GOOD)
    b.update("zhangsan", "customer", p1, qualification="qualified")  # what the check says already
    with pytest.raises(Refused):
        b.update("zhangsan", "customer", p1, qualification="special")
    with pytest.raises(Forbidden):
        b.update("admin", "qualification_check", b.id("qualification_check", record=p1), verdict="failed")


CHANGED = """
extend: {qualification: prospect_general}
pass_mark: 70
criteria:
  - {name: budget, label: {zh: 预算已批准, en: Budget approved}}
  - {name: solvent, holds: "legal_status == 'operating'"}
"""


@pytest.mark.mission("LD-07")
def test_an_old_check_keeps_the_rule_it_was_made_by(b: World) -> None:
    p1 = b.k("P1")
    check(b, "zhangsan", p1, **GOOD)
    publish(b.site, with_site_files(current_layers(b.site), {"site.yaml": CHANGED}), "stricter", accept=True)
    assert b.read("zhangsan", "customer", p1)["qualification"] == "qualified"
    found = why(b, "zhangsan", p1)
    old = found["checks"][0]
    assert found["checked_by_another_rule"]
    assert found["pass_mark"] == "70"
    assert (old["published"], old["pass_mark"], old["verdict"]) == (1, "50", "passed")
    assert next(line["label"] for line in old["lines"] if line["criterion"] == "budget") == "预算已知"
    assert old["rule_text"]["criteria"][0]["holds"] == "not (legal_status == 'bankrupt')"
    again = check(b, "zhangsan", p1, **GOOD)
    assert (again["verdict"], again["unmet"]) == ("failed", ["未破产"])
    assert [c["published"] for c in why(b, "zhangsan", p1)["checks"]] == [2, 1]


@pytest.mark.mission("LD-09")
def test_the_holder_of_a_grant_may_pass_with_reason_and_evidence_and_others_may_not(b: World) -> None:
    pump = maker(b)
    assert offer(b, "zhangsan", pump, "qualify_special").why == "您没有特殊处理的授权。"
    grant(b, items="已实地考察工厂", monthly_limit=1, until="2026-12-31", reason="华东重点项目")
    given = {"need": "passed", "visited": "waived"}
    with pytest.raises(Refused) as refused:
        check(b, "zhangsan", pump, "qualify_special", **given)
    assert {p.field for p in refused.value.problems} == {"reason", "evidence"}
    with b.as_("zhangsan", write=True) as session:
        paper = upload(session, BytesIO(b"%PDF-1.4 letter"), "letter.pdf")
    with pytest.raises(Refused) as refused:  # a must that is not waivable stands in the way
        check(b, "zhangsan", pump, "qualify_special", **{**given, "need": "failed"}, reason="急", evidence=paper)
    assert "有明确需求" in str(refused.value.problems[0].params)
    found = check(
        b, "zhangsan", pump, "qualify_special", **given, reason="客户为集团子公司，母公司已考察", evidence=paper
    )
    assert (found["verdict"], found["outcome"], results(found)["visited"]) == ("special", "special", "waived")
    assert b.read("zhangsan", "customer", pump)["qualification"] == "special"
    kept = b.read("vp", "qualification_check", int(found["check"]))
    assert (kept["reason"], kept["evidence"], kept["is_special"]) == ("客户为集团子公司，母公司已考察", paper, True)
    with pytest.raises(Conflict):  # once a month
        check(b, "zhangsan", maker_named(b, "阀业有限公司"), "qualify_special", **given, reason="再来")
    with pytest.raises(Conflict):
        check(b, "wang", pump, "qualify_special", **given, reason="不是我的")
    with pytest.raises((Conflict, NotFound)):
        check(b, "lisi", pump, "qualify_special", **given, reason="不是我的")
    own = b.create("lisi", "customer", name="李四的泵业", industry=b.id("industry", code="C34"), owner=b.user("lisi"))
    assert offer(b, "lisi", own, "qualify_special").why == "您没有特殊处理的授权。"
    with pytest.raises(Conflict):  # nor for a prospect of one's own, without a grant
        check(b, "lisi", own, "qualify_special", **given, reason="想通过")
    assert report_rows(b, "vp") == [("张三", 1, 1)]
    assert report_rows(b, "lisi") == []


def maker_named(world: World, name: str) -> int:
    industry = world.id("industry", code="C34")
    return world.create("zhangsan", "customer", name=name, industry=industry)


def report_rows(world: World, login: str) -> list[tuple[Any, ...]]:
    with world.as_(login) as session:
        found = run_report(session, "special_handling")
    return [(row.titles["checked_by"], row.values["passes"], row.values["special"]) for row in found.rows]


def test_a_grant_that_ran_out_or_is_switched_off_opens_nothing(b: World) -> None:
    p1 = b.k("P1")
    made = grant(b, until="2026-03-15")
    assert offer(b, "zhangsan", p1, "qualify_special").why == "您的特殊处理授权已过期。"
    b.update("vp", "qualification_grant", made, until="2026-03-16", segment="manufacturing_east")
    assert offer(b, "zhangsan", p1, "qualify_special").why == "您没有特殊处理的授权。"
    b.update("vp", "qualification_grant", made, segment=None)
    assert offer(b, "zhangsan", p1, "qualify_special").why is None
    b.update("vp", "qualification_grant", made, active=False)
    assert offer(b, "zhangsan", p1, "qualify_special").why is not None
    with pytest.raises(Forbidden):
        b.create("zhangsan", "qualification_grant", person=b.user("zhangsan"))


def test_the_monthly_limit_holds_among_many_at_once(b: World) -> None:
    grant(b, monthly_limit=3)
    made = [b.create("zhangsan", "customer", name=f"同时{n}有限公司") for n in range(8)]
    given = {"need": "passed", "budget": "waived", "decider": "passed", "timetable": "failed", "reason": "月底"}
    answers = together([lambda i=i: check(b, "zhangsan", i, "qualify_special", **given) for i in made])  # type: ignore[misc]
    assert sum(isinstance(a, dict) and a["verdict"] == "special" for a in answers) == 3
    assert sum(isinstance(a, Conflict) for a in answers) == 5
    with b.as_(None) as session:
        table = session.table("qualification_check")
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(table)) == 3


def test_an_outcome_runs_out_with_its_time(b: World) -> None:
    p1 = b.k("P1")
    assert str(check(b, "zhangsan", p1, **GOOD)["expires_on"]) == "2027-03-16"
    b.clock.advance(days=365)
    with b.as_(None, write=True) as session:
        assert run_out(session, {}) == {}
    b.clock.advance(days=1)
    with b.as_(None, write=True) as session:
        assert run_out(session, {}) == {"prospect_general": 1}
    assert b.read("vp", "customer", p1)["qualification"] == "pending"
    assert not why(b, "vp", p1)["checks"][0]["current"]


def test_actions_and_log_are_the_same_through_the_api(b: World) -> None:
    p1 = b.k("P1")
    listed = b.api("zhangsan", "GET", f"/customer/{p1}/actions").json["actions"]
    asked = next(a for a in listed if a["name"] == "qualify")
    assert asked["open"]
    assert [ask["name"] for ask in asked["asks"]] == ["need", "budget", "decider", "timetable", "note"]
    missing = b.api("zhangsan", "POST", f"/customer/{p1}/actions/qualify", json={"budget": "passed"})
    assert missing.status_code == 422
    assert [p["field"] for p in missing.json["problems"]] == ["need"]
    done = b.api("zhangsan", "POST", f"/customer/{p1}/actions/qualify", json=GOOD)
    assert (done.status_code, done.json["verdict"]) == (200, "passed")
    told = b.api("zhangsan", "GET", f"/customer/{p1}/explain/qualification")
    assert told.json["checks"][0]["verdict"] == "passed"
    assert b.api("chenwu", "GET", f"/customer/{p1}/explain/qualification").status_code == 404
    with b.as_("chenwu", write=True) as session, pytest.raises(NotFound):
        actions.run(session, "customer", p1, "qualify", GOOD)
