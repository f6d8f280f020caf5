"""Duplicates and merging in the stock application: intake, customers, what an import refuses, what a merge carries over."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from runtime.duplicates import oracle
from runtime.duplicates.merge import merge
from runtime.duplicates.unmerge import last_merge, unmerge
from runtime.exchange import state
from runtime.exchange.batch import said
from runtime.exchange.imports import import_file
from runtime.views.duplicates import likely
from tests.acceptance.conftest import World


def test_typing_a_name_shows_who_is_there_also_out_of_sight(f: World) -> None:
    oracle.forget_all()
    with f.as_("chenwu") as session:  # of the south: sees none of the east
        found = likely(session, "customer", None, {"name": "零件制造"}).told
    assert (found[0].id, found[0].title) == (None, "零件制造有限公司")
    assert ("负责人", "张＊＊") in found[0].facts
    with f.as_("zhangsan") as session:
        mine = likely(session, "customer", None, {"name": "零件制造"}).told
    assert mine[0].id == f.k("K1")
    assert mine[0].same == ("客户名称",)


def test_leads_and_customers_are_compared(f: World) -> None:
    lead = {"company": "零件制造(有限公司)", "phone": "13700001111"}
    answer = f.api("zhangsan", "POST", "/lead", json=lead)
    assert answer.status_code == 201
    assert [w["code"] for w in answer.json["_warnings"]] == ["duplicate.warned"]
    assert "零件制造有限公司" in answer.json["_warnings"][0]["message"]
    customer = f.api("zhangsan", "POST", "/customer", json={"name": "别的名字", "phone": "137 0000 1111"})
    assert "零件制造(有限公司)" in customer.json["_warnings"][0]["message"]
    code = "91310000631696382C"
    assert f.api("zhangsan", "POST", "/customer", json={"name": "甲", "uscc": code}).status_code == 201
    refused = f.api("zhangsan", "POST", "/customer", json={"name": "乙", "uscc": code})
    assert refused.status_code == 422
    assert [(p["field"], p["code"]) for p in refused.json["problems"]] == [("uscc", "duplicate.refused")]


@pytest.mark.mission("CU-23")
def test_an_import_of_prospects_keeps_bad_and_double_rows_apart(f: World, tmp_path: Path) -> None:
    header = ["客户名称", "总机", "行业"]
    good = [[f"导入潜客{i}科技有限公司", f"139{i:08}", "通用设备制造业"] for i in range(950)]
    bad = [[f"坏行{i}", "12", "通用设备制造业"] for i in range(15)] + [["", f"138{i:08}", ""] for i in range(15)]
    double = [[f"导入潜客{i}科技（有限公司）", "", ""] for i in range(10)] + [
        [f"电话重复{i}", f"139{i:08}", ""] for i in range(10)
    ]
    file = tmp_path / "潜在客户.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *good, *bad, *double])
    status = import_file(f.site, "customer", file, user_id=f.user("vp"))
    assert (status.created, status.rejected) == (950, 50)
    with f.as_("vp") as session:
        reasons = [said(problems, "zh") for _, problems in state.all_refused(session, status.id)]
    assert len(reasons) == 50
    assert all(reasons)
    assert sum("重复" in reason for reason in reasons) == 20


def test_a_merge_carries_contacts_deals_and_figures_over_and_back(f: World) -> None:
    kept = f.k("K1")
    gone = f.create(None, "customer", name="零件制造（重复）", owner=f.user("zhangsan"), phone="021-62340000")
    person = f.create(None, "contact", name="周工", customer=gone, mobile="13500001234")
    deal = f.create(
        None,
        "opportunity",
        name="并入的商机",
        customer=gone,
        contact=person,
        owner=f.user("zhangsan"),
        manual_amount=500,
    )
    before = f.read("vp", "customer", kept)
    with f.as_("vp", write=True) as session:
        merge(session, "customer", kept, [gone], {"phone": gone})
    after = f.read("vp", "customer", kept)
    assert after["phone"] == f.read(None, "customer", kept)["phone"] != before["phone"]
    assert after["opp_count"] == before["opp_count"] + 1
    assert f.read("vp", "opportunity", deal)["customer"] == kept
    assert f.read("vp", "contact", person)["customer"] == kept
    with f.as_("vp", write=True) as session:
        past = last_merge(session, "customer", kept)
        assert past is not None
        unmerge(session, past)
    assert f.read("vp", "customer", kept)["opp_count"] == before["opp_count"]
    assert f.read("vp", "contact", person)["customer"] == gone
