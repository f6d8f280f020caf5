"""Why a record is reminded of, and what workflows did with it: the same answer for command line, API and page."""

from __future__ import annotations

import pytest

from runtime.jobs.queue import enqueue
from runtime.jobs.worker import Worker
from tests.acceptance.conftest import World


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_why_a_person_is_reminded_of_a_prospect(f: World, language: str) -> None:
    p1 = f.k("P1")
    with f.site.session(write=True) as session:
        enqueue(session, "remind", {"names": ["prospect_unqualified"]})
    Worker(f.site).run_all()
    path = f"/customer/{p1}/explain/reminder"
    found = f.api("zhangsan", "GET", path, headers={"Accept-Language": language}).json
    step = next(s for s in found["steps"] if s["name"] == "prospect_unqualified")
    assert step["result"] is True
    assert "2026-03-08" in step["why"]
    assert [told["person"] for told in step["told"]] == ["张三"]
    assert next(s for s in found["steps"] if s["name"] == "prospect_unowned")["result"] is False
    assert f.api("chenwu", "GET", path).status_code == 404


def test_what_workflows_did_with_a_record(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="单", customer=f.k("K1"), manual_amount=1)
    f.update("zhangsan", "opportunity", deal, stage="won")
    Worker(f.site).run_all()
    found = f.api("zhangsan", "GET", f"/opportunity/{deal}/explain/workflow").json
    assert [(s["label"], s["event"]) for s in found["steps"]] == [("商机赢单", "move")]
