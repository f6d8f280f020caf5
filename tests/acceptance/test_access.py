"""CU-72…84, AD-06: who sees what, the same in every channel."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from runtime import records
from runtime.errors import Answer, BadQuery, Forbidden, NotFound
from runtime.exchange import exports
from runtime.query.select import parse_sort
from tests.acceptance.conftest import World

EAST = {"K1", "K2", "K2a", "K3", "K5", "K7", "E2C", "P1"}


def exported(f: World, login: str, entity: str, folder: Path, select: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The rows of a CSV export as the person gets it."""
    file = folder / f"{login}-{entity}.csv"
    with f.as_(login) as session:
        exports.export(session, entity, file, "csv", columns=select or None)
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))


def api_names(f: World, login: str, entity: str = "customer", field: str = "short_name") -> set[str]:
    answer = f.api(login, "GET", f"/{entity}?select={field}&limit=500")
    assert answer.status_code == 200, answer.json
    return {row[field] for row in answer.json["records"]}


def total(f: World, login: str, report: str) -> int:
    from runtime.reports.run import run

    with f.as_(login) as session:
        result = run(session, report, {})
    return int(result.totals[0].values["customers"])


@pytest.mark.mission("CU-72")
def test_the_director_sees_all_and_a_representative_own_and_team(f: World, tmp_path: Path) -> None:
    everything = len(f.list(None, "customer"))
    assert len(f.list("vp", "customer")) == len(api_names(f, "vp")) == everything
    # Zhang San's team is the industry group of the east: himself, Li Si and their manager
    own_and_team = {"K1", "K2", "K2a", "K3", "K5", "K7", "P1"}
    assert set(f.list("zhangsan", "customer", of="short_name")) == own_and_team
    assert api_names(f, "zhangsan") == own_and_team
    assert total(f, "vp", "customers_by_region") == everything - 1  # the report leaves out the blacklisted one
    assert total(f, "zhangsan", "customers_by_region") == len(own_and_team) - 1


@pytest.mark.mission("CU-73")
def test_a_regional_manager_sees_the_own_branch_and_all_below(f: World, tmp_path: Path) -> None:
    assert set(f.list("wang", "customer", of="short_name")) == EAST
    assert api_names(f, "wang") == EAST
    assert {row["简称"] for row in exported(f, "wang", "customer", tmp_path, ("short_name",))} == EAST
    assert ("customer", f.k("S7")) not in f.search("wang", "百川百货")
    assert ("customer", f.k("S7")) in f.search("vp", "百川百货")
    assert total(f, "wang", "customers_by_region") == len(EAST) - 1


@pytest.mark.mission("CU-74")
def test_one_customer_is_shared_for_reading_until_a_date(f: World) -> None:
    k7 = f.k("K7")
    with pytest.raises(NotFound):
        f.read("chenwu", "customer", k7)
    f.create(
        None, "record_share", entity="customer", record=k7, person=f.user("chenwu"), until="2026-03-20T00:00:00+08:00"
    )
    assert f.read("chenwu", "customer", k7)["short_name"] == "K7"
    with pytest.raises(Forbidden):
        f.update("chenwu", "customer", k7, phone="0755-61234567")
    assert f.api("chenwu", "PATCH", f"/customer/{k7}", json={"short_name": "X"}).status_code == 403
    f.clock.advance(days=5)
    with pytest.raises(NotFound):
        f.read("chenwu", "customer", k7)


@pytest.mark.mission("CU-76")
def test_a_role_without_opportunities_meets_them_nowhere(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="机密商机", customer=f.k("K1"), manual_amount=500000)
    assert ("opportunity", deal) in f.search("zhangsan", "机密商机")
    assert f.search("cs", "机密商机") == []
    assert f.api("cs", "GET", f"/opportunity/{deal}").status_code == 404
    assert f.api("cs", "GET", "/opportunity").status_code == 404
    with f.as_("cs") as session:
        from runtime.views.binder import Binder
        from runtime.views.forms import bind_form

        tabs = {tab.name for tab in bind_form(Binder(session), "customer").tabs}
    assert "opportunities" not in tabs
    with pytest.raises(BadQuery):
        f.list("cs", "customer", "opportunities.any(amount > 100000)")


@pytest.mark.mission("CU-82")
def test_moving_a_representative_changes_the_managers_view_at_once(f: World) -> None:
    mover = f.create(None, "customer", name="随人走", owner=f.user("zhaoliu"))
    assert "随人走" in f.list("wang", "customer")
    f.update(None, "user", f.user("zhaoliu"), unit=f.id("unit", code="S1"), manager=f.user("liujing"))
    assert "随人走" not in f.list("wang", "customer")
    assert "随人走" in f.list("liujing", "customer")
    assert mover


@pytest.mark.mission("CU-83")
def test_service_never_reads_the_content_of_a_communication(f: World, tmp_path: Path) -> None:
    talk = f.create("zhangsan", "communication", subject="电话", customer=f.k("K1"), content="绝密底价八十万")
    assert "content" not in f.read("cs", "communication", talk)
    assert "content" not in f.api("cs", "GET", f"/communication/{talk}").json
    assert f.search("cs", "绝密底价") == []
    assert ("communication", talk) in f.search("zhangsan", "绝密底价")
    for where in ("content is not None", "contains(content, '底价')"):
        with pytest.raises(BadQuery):
            f.list("cs", "communication", where, of="subject")
    assert f.api("cs", "GET", "/communication?select=content").status_code == 400
    for row in [*exported(f, "vp", "communication", tmp_path, ("subject", "content"))]:
        assert row["内容"] == "绝密底价八十万"
    with pytest.raises(Answer):
        exported(f, "cs", "communication", tmp_path, ("subject", "content"))
    with f.as_("cs") as session:
        assert all("content" not in event.changes for event in records.history(session, "communication", talk))
        report = f.site.application().reports["communications_by_person"]
        assert ("communication", "content") not in {read for m in report.measures for read in m.expression.reads}


@pytest.mark.mission("CU-84")
def test_a_representative_cannot_infer_revenue(f: World, tmp_path: Path) -> None:
    assert "annual_revenue" not in f.read("zhangsan", "customer", f.k("K1"))
    for where in ("annual_revenue > 0", "parent.annual_revenue > 0", "children.sum(annual_revenue) > 0"):
        with pytest.raises(BadQuery):
            f.list("zhangsan", "customer", where)
    with f.as_("zhangsan") as session, pytest.raises(BadQuery):
        parse_sort(session, "customer", "-annual_revenue")
    unknown = f.api("zhangsan", "GET", "/customer?where=no_such_field > 0")
    hidden = f.api("zhangsan", "GET", "/customer?where=annual_revenue > 0")
    assert (
        (hidden.status_code, hidden.json["title"])
        == (unknown.status_code, unknown.json["title"])
        == (400, hidden.json["title"])
    )
    assert f.api("zhangsan", "GET", "/customer?sort=-annual_revenue").status_code == 400
    rows = exported(f, "zhangsan", "customer", tmp_path)
    assert rows
    assert all("年营业额" not in row for row in rows)
    assert f.read("wang", "customer", f.k("K1"))["annual_revenue"] == 12000000


@pytest.mark.mission("PR-08")
def test_cost_is_hidden_from_representatives_in_every_channel(f: World, tmp_path: Path) -> None:
    product = f.id("product", name="软件许可 A")
    lines = [{"product": product, "quantity": 10, "price": 120}]
    deal = f.create("zhangsan", "opportunity", name="含成本", customer=f.k("K1"), lines=lines)
    seen = f.read("zhangsan", "opportunity", deal)
    assert not {"line_cost", "line_profit", "line_margin"} & seen.keys()
    assert not {"cost", "cost_amount"} & seen["lines"][0].values.keys()
    assert not {"cost", "margin"} & f.read("zhangsan", "product", product).keys()
    for entity, field in (("product", "cost"), ("product", "margin"), ("opportunity", "line_cost")):
        assert f.api("zhangsan", "GET", f"/{entity}?select={field}").status_code == 400
        assert f.api("zhangsan", "GET", f"/{entity}?where={field} > 1").status_code == 400
        assert f.api("zhangsan", "GET", f"/{entity}?sort={field}").status_code == 400
    with pytest.raises(Answer):
        exported(f, "zhangsan", "product", tmp_path, ("name", "cost"))
    assert f.read("wang", "opportunity", deal)["line_cost"] == 800
    assert f.read("pm", "product", product)["cost"] == 80


def test_a_record_given_away_is_out_of_sight(f: World) -> None:
    deal = f.create("wang", "opportunity", name="转走", customer=f.k("K7"), owner=f.user("wang"))
    with f.as_("vp", write=True) as session:
        records.update(session, "opportunity", deal, {"owner": f.user("chenwu"), "unit": f.id("unit", code="S1")})
    assert "转走" not in f.list("wang", "opportunity")
    assert "转走" in f.list("chenwu", "opportunity")
