"""LD: leads and prospects."""

from __future__ import annotations

import pytest

from runtime.errors import Refused
from tests.acceptance.conftest import World


@pytest.mark.mission("LD-01")
def test_a_lead_keeps_who_acquired_it_and_in_which_role(f: World) -> None:
    lead = f.create("mk", "lead", company="展会来客有限公司", phone="13811112222", source="exhibition")
    page = f.read("mk", "lead", lead)
    assert (page["acquired_by"], page["acquired_title"]) == (f.user("mk"), "市场专员")
    assert page["code"] == "XS26030001"
    with pytest.raises(Refused):
        f.update("mk", "lead", lead, acquired_by=f.user("zhangsan"))


def test_a_lead_can_be_reached(f: World) -> None:
    with pytest.raises(Refused) as refused:
        f.create("mk", "lead", company="无从联系有限公司")
    assert {p.field for p in refused.value.problems} <= {"phone", "email", None}


def test_a_lead_assigned_without_action_is_listed_until_a_call(f: World) -> None:
    lead = f.create("wang", "lead", company="P5", phone="13811113333", owner=f.user("zhangsan"))
    waiting = "owner is not None and status == 'new' and not communications.any()"
    assert f.list("wang", "lead", waiting, of="company") == ["P5"]
    f.create("zhangsan", "communication", subject="电话", lead=lead)
    assert f.list("wang", "lead", waiting, of="company") == []


def test_three_contacts_with_roles_become_influencers(f: World) -> None:
    own = f"customer.id == {f.k('K1')}"
    found = f.list("zhangsan", "contact", own, of="decision_role", sort="decision_role")
    assert found == ["decision", "end_user", "purchasing"]
    lines = [{"contact": f.id("contact", name=name), "attitude": "support"} for name in ("赵建国", "钱进", "孙丽")]
    deal = f.create("zhangsan", "opportunity", name="影响者", customer=f.k("K1"), influencers=lines)
    assert f.read("zhangsan", "opportunity", deal)["decision_maker_known"] is True


def test_an_expected_date_in_the_past_is_refused(f: World) -> None:
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "customer", f.k("P1"), expected_close="2026-03-01")
    assert [p.field for p in refused.value.problems] == ["expected_close"]
    f.update("zhangsan", "customer", f.k("P1"), expected_close="2026-04-30", expected_amount=200000)
