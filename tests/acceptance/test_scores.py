"""Rows CU-20, CU-21, CU-28: scores of customers, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import explain
from runtime.commands.scores import compare, rescore
from runtime.jobs import Worker
from runtime.jobs.scheduler import Scheduler
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import check, current_layers, plan, publish
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World

# What an administrator writes for CU-20, in place of the score that is shipped.
VALUE = """
extend: {score: customer_value}
parts:
  - {name: large, points: 40, when: "annual_revenue >= 10_000_000"}
  - {name: manufacturing, points: 20, when: "industry.code == 'C' or industry.parent.code == 'C'"}
  - {name: recent_deal, points: 30, when: "last_won_on >= today() - days(90)"}
  - {name: advocate, points: 10, when: "referral_count > 0"}
"""


@pytest.fixture
def b(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def score(world: World, name: str = "K1") -> tuple[Any, Any]:
    found = world.read("vp", "customer", world.k(name))
    return found["value_score"], found["value_grade"]


def why(world: World, name: str = "K1", login: str = "vp") -> dict[str, Any]:
    with world.as_(login) as session:
        found = explain.decision(session, "score", "customer", world.k(name))
    return next((s for s in found["scores"] if s["name"] == "customer_value"), {})


def with_document(world: World, text: str) -> list[Any]:
    return list(with_site_files(current_layers(world.site), {"site.yaml": text}))


def k1_as_in_the_sheet(world: World) -> None:
    """1,200 万, 制造业, the last deal 100 days ago."""
    world.create(
        "vp", "opportunity", name="旧单", customer=world.k("K1"), stage="won", manual_amount=1, closed_on="2025-12-06"
    )


@pytest.mark.mission("CU-21")
def test_a_deal_today_lifts_k1_from_60_b_to_90_a(b: World) -> None:
    k1_as_in_the_sheet(b)
    assert score(b) == (Decimal(60), "b")
    deal = b.create("vp", "opportunity", name="新单", customer=b.k("K1"), stage="negotiation", manual_amount=180000)
    assert score(b) == (Decimal(60), "b")
    b.update("vp", "opportunity", deal, stage="won", closed_on="2026-03-16")
    assert score(b) == (Decimal(90), "a")
    found = why(b)
    assert {s["name"]: s["result"] for s in found["steps"]} == {
        "large": "40", "manufacturing": "20", "recent_deal": "30", "advocate": "0",
    }  # fmt: skip
    assert [(h["before"], h["value"], h["grade"]) for h in found["history"]][:2] == [
        ("60", "90", "A"),
        (None, "60", "B"),
    ]


@pytest.mark.mission("CU-21")
def test_the_score_follows_the_day(b: World) -> None:
    k1_as_in_the_sheet(b)
    b.create("vp", "opportunity", name="新单", customer=b.k("K1"), stage="won", manual_amount=1, closed_on="2026-03-16")
    assert score(b) == (Decimal(90), "a")
    for _ in range(91):
        b.clock.advance(days=1)
    Scheduler(b.site, "one").tick()
    Worker(b.site).run_all()
    assert score(b) == (Decimal(60), "b")
    assert why(b)["history"][0]["value"] == "60"


def test_a_referral_and_its_loss_move_the_score(b: World) -> None:
    k1_as_in_the_sheet(b)
    new = b.create("vp", "customer", name="被推荐有限公司", source="referral", referrer=b.k("K1"))
    assert score(b) == (Decimal(70), "b")
    b.update("vp", "customer", new, referrer=b.k("K2"))
    assert score(b) == (Decimal(60), "b")
    assert score(b, "K2")[0] == Decimal(30)


SHOWN = "extend: customer\nfields: {value_score: {sensitive: false}, value_grade: {sensitive: false}}\n"


def test_a_score_tells_nobody_what_is_hidden_from_them(b: World) -> None:
    k1_as_in_the_sheet(b)
    for login in ("zhangsan", "cs"):  # neither may see the annual revenue, which the score reads
        assert why(b, login=login) == {}
        assert "value_score" not in b.read(login, "customer", b.k("K1"))
    publish(b.site, with_document(b, SHOWN), accept=True)
    steps = {s["name"]: s for s in why(b, login="zhangsan")["steps"]}
    assert (steps["large"]["result"], steps["manufacturing"]["result"]) == (None, "20")
    assert "12,000,000" not in str(steps)
    assert b.read("zhangsan", "customer", b.k("K1"))["value_score"] == Decimal(60)
    assert {s["name"]: s["result"] for s in why(b, login="vp")["steps"]}["large"] == "40"


@pytest.mark.mission("CU-20")
def test_an_administrator_defines_the_score_and_sees_it_on_k1_before_publishing(b: World) -> None:
    k1_as_in_the_sheet(b)
    url = "/metadata/score/customer_value"
    wrong = VALUE.replace("annual_revenue", "anual_revenue")
    assert b.api("admin", "PUT", url, json={"text": wrong}).status_code == 200
    problem = b.api("admin", "POST", "/metadata/check").json["problems"][0]
    assert (problem["code"], problem["line"], problem["column"]) == ("expression.unknown_name", 4, 38)
    assert "annual_revenue" in str(problem)
    dearer = VALUE.replace("points: 20", "points: 45")
    assert b.api("admin", "PUT", url, json={"text": dearer}).status_code == 200
    impacts = b.api("admin", "POST", "/metadata/plan").json["impacts"]
    told = next(i for i in impacts if i["code"] == "impact.score")
    assert str(b.k("K1")) in told["sample"]
    assert score(b) == (Decimal(60), "b")  # nothing has changed yet
    listed = compare(b.site, with_document(b, dearer), "customer", "zh", 50)[0]
    k1 = next(row for row in listed["list"] if row["id"] == str(b.k("K1")))
    assert (k1["before"], k1["after"], k1["grade_before"], k1["grade_after"]) == ("60", "85", "b", "a")
    assert b.api("admin", "POST", "/metadata/publish", json={"note": "制造业加分", "accept": True}).status_code == 201
    assert score(b) == (Decimal(85), "a")
    assert listed["changed"] == told["count"]


def test_a_draft_is_compared_over_all_records(b: World) -> None:
    dearer = VALUE.replace("points: 20", "points: 35")
    layers = with_document(b, dearer)
    found = compare(b.site, layers, "customer", "en", 100)[0]
    publish(b.site, layers, accept=True)
    with b.as_(None) as session:
        table = session.table("customer")
        now = {str(i): (v, g) for i, v, g in session.connection.execute(
            sa.select(table.c.id, table.c.value_score, table.c.value_grade))}  # fmt: skip
    assert found["changed"] == len(found["list"]) > 0
    for row in found["list"]:
        assert (Decimal(row["after"]), row["grade_after"]) == now[row["id"]]
    assert found["regraded"] == sum(1 for r in found["list"] if r["grade_before"] != r["grade_after"])


def test_rescoring_repairs_and_leaves_right_values_alone(b: World) -> None:
    assert rescore(b.site, "customer") == {"value_score": 0, "heat_score": 0}
    with b.as_(None, write=True) as session:
        table = session.table("customer")
        session.connection.execute(sa.update(table).where(table.c.id == b.k("K1")).values(value_score=1))
    assert rescore(b.site, "customer") == {"value_score": 1, "heat_score": 0}
    assert score(b) == (Decimal(60), "b")


@pytest.mark.mission("CU-28")
def test_prospects_have_a_heat_beside_their_value(b: World) -> None:
    prospect = b.k("P1")
    before = b.read("vp", "customer", prospect)["heat_score"]
    b.create("mk", "behavior_event", customer=prospect, kind="click", subject="春季活动")
    after = b.read("vp", "customer", prospect)
    assert after["heat_score"] == before + 5
    assert after["value_score"] is not None
    assert b.read("vp", "customer", b.k("K1"))["heat_score"] is None  # no prospect any more
    for _ in range(9):
        b.create("mk", "behavior_event", customer=prospect, kind="click")
    assert b.read("vp", "customer", prospect)["heat_score"] == before + 30  # capped
    clicks = [s for s in _explained(b, prospect)["steps"] if s["name"] == "clicks"]
    assert [(s["result"], s["most"]) for s in clicks] == [("30", "30")]
    b.clock.advance(hours=1)
    b.create(
        "zhangsan", "communication", customer=prospect, subject="电话", kind="call", at="2026-03-16T10:30:00+08:00"
    )
    assert b.read("vp", "customer", prospect)["heat_score"] == before + 50


def _explained(world: World, record: int) -> dict[str, Any]:
    response = world.api("vp", "GET", f"/customer/{record}/explain/score")
    assert response.status_code == 200
    return next(s for s in response.json["scores"] if s["name"] == "prospect_heat")


def test_plan_of_an_unchanged_score_says_nothing(b: World) -> None:
    made = plan(b.site, with_document(b, "extend: {score: customer_value}\nlabel: {zh: 价值, en: Value}\n"))
    assert [i for i in made.impacts if i.code.startswith("impact.score")] == []
    assert not check(with_document(b, VALUE)).errors
