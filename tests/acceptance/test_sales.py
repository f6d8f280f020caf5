"""OP and SA: opportunities, communications."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from runtime import records
from runtime.errors import Refused
from tests.acceptance.conftest import World


def fields(error: pytest.ExceptionInfo[Refused]) -> list[str | None]:
    return [p.field for p in error.value.problems]


def test_numbers_follow_the_month(f: World) -> None:
    k1 = f.k("K1")
    first, second = (f.create("zhangsan", "opportunity", name=name, customer=k1) for name in ("一", "二"))
    assert [f.read("zhangsan", "opportunity", deal)["code"] for deal in (first, second)] == [
        "SJ-2603-001",
        "SJ-2603-002",
    ]
    f.clock.set(datetime(2026, 4, 1, 1, tzinfo=UTC))
    third = f.create("zhangsan", "opportunity", name="三", customer=k1)
    assert f.read("zhangsan", "opportunity", third)["code"] == "SJ-2604-001"
    with pytest.raises(Refused) as refused:
        f.create("zhangsan", "opportunity", customer=k1)
    assert fields(refused) == ["name"]


@pytest.mark.mission("OP-02")
def test_the_description_is_saved_and_searchable(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="描述", customer=f.k("K1"), description="三个工厂的排产改造")
    assert f.read("zhangsan", "opportunity", deal)["description"] == "三个工厂的排产改造"
    assert ("opportunity", deal) in f.search("zhangsan", "排产改造")


def test_the_department_is_the_owners(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="部门", customer=f.k("K1"))
    assert f.read("zhangsan", "opportunity", deal)["unit"] == f.id("unit", code="E1")


def test_the_customer_brings_industry_and_region(f: World) -> None:
    with f.as_("zhangsan") as session:
        state = records.evaluate_form(session, "opportunity", None, {"name": "新", "customer": f.k("K1")})
    assert state.values["industry"] == f.id("industry", code="C34")
    assert state.values["region"] == f.id("region", code="east")


@pytest.mark.mission("OP-05")
def test_return_on_investment_appears_before_saving(f: World) -> None:
    typed = {"name": "MMS 系统采购商机", "customer": f.k("K1")}
    typed |= {"manual_amount": "1,235,000", "est_cost": "800,000", "expense": "35,000"}
    with f.as_("zhangsan") as session:
        state = records.evaluate_form(session, "opportunity", None, typed)
    assert (state.values["profit"], state.values["margin"]) == (Decimal(400000), Decimal("32.39"))
    assert f.list("zhangsan", "opportunity") == []


@pytest.mark.mission("OP-16")
def test_profit_is_recomputed_when_a_line_changes(f: World) -> None:
    given = {"est_cost": 800000, "expense": 35000, "lines": [{"text": "项目实施", "quantity": 1, "price": 1235000}]}
    deal = f.create("zhangsan", "opportunity", name="利润", customer=f.k("K1"), **given)
    page = f.read("zhangsan", "opportunity", deal)
    assert (page["profit"], page["margin"]) == (Decimal(400000), Decimal("32.39"))
    line = {"id": page["lines"][0].id, "text": "项目实施", "quantity": 1, "price": 1335000}
    f.update("zhangsan", "opportunity", deal, lines=[line])
    page = f.read("zhangsan", "opportunity", deal)
    assert (page["amount"], page["profit"], page["margin"]) == (Decimal(1335000), Decimal(500000), Decimal("37.45"))


def test_the_stage_sets_the_confidence_unless_overridden(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="信心", customer=f.k("K1"), manual_amount=1235000)
    f.update("zhangsan", "opportunity", deal, stage="negotiation")
    assert f.read("zhangsan", "opportunity", deal)["confidence"] == 70
    f.update("zhangsan", "opportunity", deal, confidence_override=99)
    page = f.read("zhangsan", "opportunity", deal)
    assert (page["confidence"], page["weighted"]) == (99, Decimal(1222650))
    with f.as_("zhangsan") as session:
        event = records.history(session, "opportunity", deal)[0]
    assert event.changes["confidence_override"] == (None, Decimal(99))


def test_priorities_sort_high_first_and_have_colours(f: World) -> None:
    for name, priority in (("甲", "low"), ("乙", "high"), ("丙", "medium")):
        f.create("zhangsan", "opportunity", name=name, customer=f.k("K1"), priority=priority)
    assert f.list("zhangsan", "opportunity", sort="priority") == ["乙", "丙", "甲"]
    assert all(choice.colour for choice in f.site.application().options["priority"].choices)


def test_a_closing_date_in_the_past_is_flagged_while_open(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="逾期", customer=f.k("K1"), expected_close="2026-03-10")
    assert f.read("zhangsan", "opportunity", deal)["overdue"] is True
    assert f.list("zhangsan", "opportunity", "overdue") == ["逾期"]
    f.update("zhangsan", "opportunity", deal, stage="won", manual_amount=1)
    assert f.read("zhangsan", "opportunity", deal)["overdue"] is False


@pytest.mark.mission("OP-10")
def test_the_benefit_of_the_value_propositions_adds_up(f: World) -> None:
    values = [{"pain": "手工排产", "benefit": 600000}, {"pain": "停机", "benefit": 450000}]
    deal = f.create("zhangsan", "opportunity", name="价值", customer=f.k("K1"), propositions=values)
    assert f.read("zhangsan", "opportunity", deal)["benefit"] == Decimal(1050000)


@pytest.mark.mission("OP-12")
def test_the_weighted_win_score(f: World) -> None:
    a = f.id("competitor", name="A")
    factors = [("行业经验", 5, 84), ("实施能力", 3, 80), ("价格", 2, 60)]
    lines = [{"factor": n, "weight": w, "our_score": s, "competitor": a, "rival_score": 65} for n, w, s in factors]
    deal = f.create("zhangsan", "opportunity", name="优势", customer=f.k("K1"), strengths=lines)
    page = f.read("zhangsan", "opportunity", deal)
    assert (page["win_score"], page["rival_score"]) == (78, 65)


@pytest.mark.mission("OP-09")
def test_three_competitors_are_compared_and_losses_reported(f: World) -> None:
    rivals = [{"competitor": f.id("competitor", name=n), "price": 100, "threat": "high"} for n in "ABC"]
    deal = f.create("zhangsan", "opportunity", name="竞争", customer=f.k("K1"), competitors=rivals, manual_amount=300)
    assert len(f.read("zhangsan", "opportunity", deal)["competitors"]) == 3
    lost = {"stage": "lost", "lost_reason": "price", "lost_to": f.id("competitor", name="A"), "closed_on": "2026-03-16"}
    f.update("zhangsan", "opportunity", deal, **lost)
    from runtime.reports.run import run

    with f.as_("vp") as session:
        result = run(session, "lost_to", {})
    assert [result.text(column, result.rows[0]) for column in result.columns][:2] == ["A", "价格"]
    assert f.read("vp", "competitor", f.id("competitor", name="A"))["lost_amount"] == Decimal(300)


def test_a_lost_deal_needs_its_reason(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="输单", customer=f.k("K1"))
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "opportunity", deal, stage="lost")
    assert fields(refused) == ["lost_reason"]


@pytest.mark.mission("OP-17")
def test_only_managers_rate_the_priority_of_a_deal(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="评估", customer=f.k("K1"))
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "opportunity", deal, management_priority="high")
    assert fields(refused) == ["management_priority"]
    f.update("wang", "opportunity", deal, management_priority="high", management_note="重点跟进")
    other = f.create("zhangsan", "opportunity", name="其他", customer=f.k("K1"))
    f.update("wang", "opportunity", other, management_priority="low")
    assert f.list("wang", "opportunity", sort="management_priority") == ["评估", "其他"]


@pytest.mark.mission("OP-20")
def test_shares_of_the_sales_team_total_a_hundred(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="分成", customer=f.k("K1"))
    members = [{"person": f.user("zhangsan"), "share": 70}, {"person": f.user("lisi"), "share": 20}]
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "opportunity", deal, members=members)
    assert fields(refused) == ["members"]
    members[1]["share"] = 30
    f.update("zhangsan", "opportunity", deal, members=members)
    assert f.read("zhangsan", "opportunity", deal)["share_total"] == 100


@pytest.mark.mission("OP-15")
def test_return_on_investment_is_profit_over_what_was_put_in(f: World) -> None:
    given = {"manual_amount": 1235000, "est_cost": 800000, "expense": 35000}
    deal = f.create("zhangsan", "opportunity", name="回报", customer=f.k("K1"), **given)
    assert f.read("zhangsan", "opportunity", deal)["roi"] == Decimal("47.90")


@pytest.mark.mission("OP-32")
def test_the_forecast_weighs_deals_by_month_owner_and_department(f: World) -> None:
    given = {"manual_amount": 1235000, "confidence_override": 99, "expected_close": "2026-03-31"}
    f.create("zhangsan", "opportunity", name="MMS 系统采购商机", customer=f.k("K1"), **given)
    from runtime.reports.run import run

    with f.as_("vp") as session:
        result = run(session, "forecast", {})
    assert [group.name for group in result.groups] == ["expected_close", "unit", "owner"]
    assert [row.values["weighted"] for row in result.rows] == [Decimal(1222650)]


# --- communications --------------------------------------------------------------------------------------------------


@pytest.mark.mission("SA-09")
def test_a_communication_is_one_line_and_may_have_details(f: World) -> None:
    talk = f.create("zhangsan", "communication", subject="电话回访", customer=f.k("K1"))
    f.update("zhangsan", "communication", talk, purpose="need", content="确认需求", minutes=15)
    page = f.read("zhangsan", "communication", talk)
    assert (page["purpose"], page["kind"], page["owner"]) == ("need", "phone", f.user("zhangsan"))


@pytest.mark.mission("SA-12")
def test_an_admin_adds_a_kind_of_communication_without_a_restart(f: World) -> None:
    kinds = {c.label.of("zh") for c in f.site.application().options["communication_kind"].choices}
    assert {"电话", "拜访", "邮件", "微信", "会议"} <= kinds
    from metadata.packages import load_texts
    from runtime.publishing import layers
    from runtime.publishing.publish import publish

    text = "extend: {options: communication_kind}\nchoices:\n  live: {zh: 直播, en: Live stream, meeting: false}\n"
    below = layers.folder_layers(f.site.settings)
    publish(f.site, [*below[:-1], load_texts({"entities/communication_kind.yaml": text}, "site")], "直播")
    f.create("zhangsan", "communication", subject="新品直播", kind="live", customer=f.k("K1"))
    from runtime.reports.run import run

    with f.as_("vp") as session:
        result = run(session, "communications_by_person", {})
    assert "直播" in [result.text(column, row) for row in result.rows for column in result.columns]


@pytest.mark.mission("SA-14")
def test_outcomes_are_counted(f: World) -> None:
    for result in ("positive", "positive", "rejected"):
        f.create("zhangsan", "communication", subject="电话", customer=f.k("K1"), result=result)
    from runtime.reports.run import run

    with f.as_("vp") as session:
        found = run(session, "communications_by_person", {})
    values = found.totals[0].values
    assert (values["communications"], values["positive"]) == (3, 2)


def test_decision_makers_are_contacts_of_the_customer(f: World) -> None:
    k1, zhao, stranger = f.k("K1"), f.id("contact", name="赵建国"), f.id("contact", name="南方人")
    talk = f.create("zhangsan", "communication", subject="拜访", customer=k1, deciders=[zhao])
    assert f.read("zhangsan", "communication", talk)["deciders"] == (zhao,)
    with pytest.raises(Refused) as refused:
        f.create("zhangsan", "communication", subject="拜访", customer=k1, deciders=[stranger])
    assert fields(refused)[0] is not None


def test_a_communication_on_a_deal_shows_at_the_customer(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="商机甲", customer=f.k("K1"))
    f.create("zhangsan", "communication", subject="拜访", kind="visit", opportunity=deal)
    own = f"customer.id == {f.k('K1')}"
    assert f.list("zhangsan", "communication", own, of="opportunity.name") == ["商机甲"]
    assert f.read("zhangsan", "customer", f.k("K1"))["last_contact_at"] == f.clock.now()


def test_my_day_has_overdue_and_todays_tasks(f: World) -> None:
    days = {
        "昨天": "2026-03-15T17:00:00+08:00",
        "今天": "2026-03-16T17:00:00+08:00",
        "后天": "2026-03-18T10:00:00+08:00",
    }
    for name, due in days.items():
        f.create("zhangsan", "task", subject=name, due_at=due, customer=f.k("K1"))
    assert f.list("zhangsan", "task", "overdue", of="subject") == ["昨天"]
    found = f.list("zhangsan", "task", "date(due_at) <= today()", of="subject", sort="due_at")
    assert found == ["昨天", "今天"]
    assert f.list("zhangsan", "task", of="signal", sort="due_at") == ["overdue", "today", "planned"]
