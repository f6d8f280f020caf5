"""CU: customers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runtime import actions, records
from runtime.errors import Answer, NotFound, Refused
from runtime.views.binder import Binder
from runtime.views.lookups import find
from tests.acceptance.conftest import World


def problems(error: pytest.ExceptionInfo[Refused]) -> list[tuple[str, str | None]]:
    return [(p.code, p.field) for p in error.value.problems]


def messages(error: pytest.ExceptionInfo[Refused]) -> str:
    return " ".join(str(p.message or p.code) for p in error.value.problems)


@pytest.mark.mission("CU-03")
def test_customers_of_a_brand_are_counted_and_found(f: World) -> None:
    brand = f.create("vp", "brand_group", name="星海")
    for name in ("K1", "K5"):
        f.update("vp", "customer", f.k(name), brand_group=brand)
    f.create("vp", "opportunity", name="成交", customer=f.k("K1"), stage="won", manual_amount=180000)
    page = f.read("vp", "brand_group", brand)
    assert (page["customer_count"], page["won_amount"]) == (2, Decimal(180000))
    assert sorted(f.list("vp", "customer", "brand_group.name == '星海'", of="short_name")) == ["K1", "K5"]


@pytest.mark.mission("CU-08")
def test_contact_methods_are_validated_and_normalised(f: World) -> None:
    points = [
        {"kind": "mobile", "phone": "+86 139-1234-5678", "primary": True},
        {"kind": "mobile", "phone": "13712345678"},
        {"kind": "email", "email": "zhou@example.com"},
        {"kind": "wechat", "account": "zhou_wx"},
        {"kind": "fax", "phone": "021-62345678"},
    ]
    contact = f.create("zhangsan", "contact", name="周", customer=f.k("K1"), points=points)
    saved = f.read("zhangsan", "contact", contact)["points"]
    assert saved[0].values["value"] == "13912345678"
    assert [p.values["value"] for p in saved][2:4] == ["zhou@example.com", "zhou_wx"]
    wrong = [{"kind": "mobile", "phone": "1391234"}]
    with pytest.raises(Refused) as refused:
        f.create("zhangsan", "contact", name="吴", customer=f.k("K1"), points=wrong)
    assert problems(refused) == [("value.not_a_phone", "points.0.phone")]


def test_an_address_takes_only_a_city_of_its_province(f: World) -> None:
    jiangsu, nanjing = f.id("division", code="320000"), f.id("division", code="320100")
    hangzhou = f.id("division", code="330100")
    good = [{"purposes": ["shipping"], "province": jiangsu, "city": nanjing, "street": "中山路 1 号"}]
    f.update("zhangsan", "customer", f.k("K1"), addresses=good)
    assert f.read("zhangsan", "customer", f.k("K1"))["addresses"][0].values["full"] == "江苏省南京市中山路 1 号"
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "customer", f.k("K1"), addresses=[{"province": jiangsu, "city": hangzhou}])
    assert problems(refused)[0][1] == "addresses.0.city"


@pytest.mark.mission("CU-09")
def test_an_order_takes_the_shipping_address_and_keeps_it(f: World) -> None:
    jiangsu, nanjing, suzhou = (f.id("division", code=code) for code in ("320000", "320100", "320500"))
    offered = cities(f, "zhangsan", jiangsu)
    assert {"南京市", "苏州市"} <= offered
    assert not {"杭州市", "宁波市"} & offered  # of the neighbouring province
    k1 = f.k("K1")
    addresses = [
        {"purposes": ["invoice"], "province": jiangsu, "city": suzhou, "street": "财务路 9 号"},
        {"purposes": ["shipping", "service"], "province": jiangsu, "city": nanjing, "street": "中山路 1 号"},
    ]
    f.update("zhangsan", "customer", k1, addresses=addresses)
    lines = [{"text": "零件", "quantity": 1, "price": 10}]
    order = f.create("zhangsan", "sales_order", customer=k1, lines=lines)
    assert f.read("zhangsan", "sales_order", order)["ship_to"] == "江苏省南京市中山路 1 号"
    given = f.create("zhangsan", "sales_order", customer=k1, lines=lines, ship_to="自提")
    quote = f.create("zhangsan", "quote", customer=k1, lines=lines)
    f.update(None, "quote", quote, status="accepted")
    with f.as_("zhangsan", write=True) as session:
        made = actions.run(session, "quote", quote, "convert_quote_to_order", {})
    assert made.goto is not None
    kept = f.read("zhangsan", "customer", k1)["addresses"][1]
    f.update("zhangsan", "customer", k1, addresses=[{"id": kept.id, "street": "新街口 8 号"}])
    snapshots = {i: f.read("zhangsan", "sales_order", i)["ship_to"] for i in (order, given, made.goto[1])}
    assert list(snapshots.values()) == ["江苏省南京市中山路 1 号", "自提", "江苏省南京市中山路 1 号"]
    later = f.create("zhangsan", "sales_order", customer=k1, lines=lines)
    assert f.read("zhangsan", "sales_order", later)["ship_to"] == "江苏省南京市新街口 8 号"


def cities(f: World, login: str, province: int) -> set[str]:
    """What the look-up of an address offers once the province is chosen."""
    with f.as_(login) as session:
        binder = Binder(session)
        field = binder.field("address", "city")
        assert field is not None
        return {
            one.title
            for text in ("", "市")
            for one in find(binder, "division", text, field, {"province": str(province)})
        }


@pytest.mark.mission("CU-13")
def test_interest_in_a_series_makes_a_segment(f: World) -> None:
    series = f.id("product_series", code="XA")
    f.update("zhangsan", "customer", f.k("K1"), interests=[{"target": "series", "series": series, "level": "high"}])
    assert f.list("zhangsan", "customer", "interests.any(series.code == 'XA')", of="short_name") == ["K1"]
    saved = f.read("zhangsan", "customer", f.k("K1"))["interests"][0].values
    assert (saved["level"], saved["since_on"].isoformat()) == ("high", "2026-03-16")


@pytest.mark.mission("CU-14")
def test_interest_in_needs_makes_a_segment(f: World) -> None:
    needs = [{"target": "need", "topic": topic, "level": "medium"} for topic in ("cost", "remote")]
    f.update("zhangsan", "customer", f.k("K1"), interests=needs)
    assert f.list("zhangsan", "customer", "interests.any(topic == 'cost')", of="short_name") == ["K1"]
    saved = [line.values for line in f.read("zhangsan", "customer", f.k("K1"))["interests"]]
    assert [(s["topic"], s["level"], str(s["since_on"])) for s in saved] == [
        ("cost", "medium", "2026-03-16"),
        ("remote", "medium", "2026-03-16"),
    ]


def test_basic_query_on_profile_fields(f: World) -> None:
    found = f.list("vp", "customer", "scale == 'from_200' and region.code == 'east'", of="short_name")
    assert sorted(found) == ["K1", "K5"]


def test_advanced_query_nests_groups(f: World) -> None:
    where = (
        "(region.code == 'east' and (stage == 'repeat' or industry.code == 'C39'))"
        " or (region.code == 'south' and not (scale is None))"
    )
    assert sorted(f.list("vp", "customer", where, of="short_name")) == ["K1", "K5", "S7"]


@pytest.mark.mission("CU-36")
def test_query_by_interest_level(f: World) -> None:
    series = f.id("product_series", code="XA")
    for name, level in (("K1", "high"), ("K5", "low"), ("K7", "medium")):
        f.update("vp", "customer", f.k(name), interests=[{"target": "series", "series": series, "level": level}])
    where = "interests.any(series.code == 'XA' and level.rank >= 2)"
    assert sorted(f.list("vp", "customer", where, of="short_name")) == ["K1", "K7"]


@pytest.mark.mission("CU-38")
def test_query_for_customers_without_communication(f: World) -> None:
    f.create("zhangsan", "communication", subject="电话", customer=f.k("K1"))
    f.create("zhangsan", "communication", subject="电话", customer=f.k("K2"), at="2026-01-05T10:00:00+08:00")
    where = "owner.login == 'zhangsan' and not communications.any(at >= now() - days(30))"
    assert sorted(f.list("vp", "customer", where, of="short_name")) == ["K2", "P1"]


def test_birthdays_in_the_next_seven_days_cross_the_year_and_know_leap_days(f: World) -> None:
    from datetime import UTC, datetime

    for name, birthday in (("甲", "1990-01-03"), ("乙", "1992-02-29"), ("丙", "1985-06-01")):
        f.create("vp", "customer", name=name, kind="person", birthday=birthday)
    f.clock.set(datetime(2026, 12, 28, 2, tzinfo=UTC))
    soon = "next_birthday <= today() + days(7)"
    assert f.list("vp", "customer", soon) == ["甲"]
    f.clock.set(datetime(2027, 2, 25, 2, tzinfo=UTC))
    assert f.list("vp", "customer", soon) == ["乙"]
    assert f.read("vp", "customer", f.id("customer", name="乙"))["next_birthday"].isoformat() == "2027-02-28"


@pytest.mark.mission("CU-43")
def test_a_relation_shows_its_inverse_on_the_other_side(f: World) -> None:
    kind = f.id("relation_type", name="客户的客户")
    z = f.create("zhangsan", "customer", name="Z 有限公司")
    relation = f.create("zhangsan", "customer_relation", customer=f.k("K1"), kind=kind, other=z)
    assert f.list("zhangsan", "customer_relation", f"other.id == {z}", of="inverse") == ["供货方"]
    assert f.read("zhangsan", "customer_relation", relation)["customer"] == f.k("K1")


def test_a_blacklisted_affiliate_is_flagged(f: World) -> None:
    assert f.read("zhangsan", "customer", f.k("K1"))["relation_risk"] is False
    kind = f.id("relation_type", name="关联企业")
    f.create("vp", "customer_relation", customer=f.k("K1"), kind=kind, other=f.k("K3"))
    assert f.read("zhangsan", "customer", f.k("K1"))["relation_risk"] is True


def test_a_blacklisted_customer_gets_no_opportunity(f: World) -> None:
    with pytest.raises(Refused) as refused:
        f.create("lisi", "opportunity", name="不行", customer=f.k("K3"))
    assert "黑名单" in messages(refused)


@pytest.mark.mission("LD-12")
def test_the_profile_has_its_four_sections_and_checks_the_credit_code(f: World) -> None:
    form = f.site.application().form_for("customer")
    sections = {section.name for tab in form.tabs for section in tab.sections} | {tab.name for tab in form.tabs}
    assert {"legal", "finance", "structure", "value"} <= sections
    k1 = f.k("K1")
    f.update("fin", "customer", k1, uscc="91310000MA1K8888XD", legal_rep="赵建国", credit_limit=200000)
    with pytest.raises(Refused) as refused:
        f.update("fin", "customer", k1, uscc="91310000MA1K8888X1")
    assert problems(refused)[0][1] == "uscc"
    assert "校验位" in messages(refused)


def test_parents_form_a_tree_without_cycles(f: World) -> None:
    assert f.list("vp", "customer", f"parent.id == {f.k('K1')}", of="short_name") == ["K2"]
    with pytest.raises(Answer):
        f.update("vp", "customer", f.k("K1"), parent=f.k("K2a"))
    assert f.read("vp", "customer", f.k("K1"))["child_count"] == 1


@pytest.mark.mission("CU-85")
def test_every_change_is_in_the_audit_trail(f: World) -> None:
    f.update("zhangsan", "customer", f.k("K1"), short_name="K1", employees=361, payment_days=30)
    with f.as_("zhangsan") as session:
        event = records.history(session, "customer", f.k("K1"))[0]
    changed = dict(event.changes)
    assert changed == {"employees": (None, 361), "payment_days": (None, 30)}
    assert (event.user_id, event.channel, event.at) == (f.user("zhangsan"), "form", f.clock.now())
    admin = f.user("admin")
    with pytest.raises(Answer), f.site.session(admin, write=True) as session:
        records.update(session, "audit", f.id("audit", id=1), {"action": "nothing"})
    assert "audit" in f.site.application().entities


def test_a_person_needs_no_contact_of_their_own(f: World) -> None:
    person = f.create("zhangsan", "customer", name="林小雨", kind="person", phone="13811112222", gender="female")
    assert f.read("zhangsan", "customer", person)["phone"] == "13811112222"


def test_only_one_primary_sales_representative(f: World) -> None:
    both = [{"person": f.user(login), "role": "sales", "primary": True} for login in ("zhangsan", "lisi")]
    with pytest.raises(Refused) as refused:
        f.update("zhangsan", "customer", f.k("K1"), members=both)
    assert problems(refused)[0][1] == "members"


@pytest.mark.mission("CU-16")
def test_a_customer_shows_its_opportunities_and_their_progress(f: World) -> None:
    for number, stage in enumerate(("need", "proposal", "won"), 1):
        f.create("zhangsan", "opportunity", name=f"商机{number}", customer=f.k("K1"), stage=stage, manual_amount=100000)
    page = f.read("zhangsan", "customer", f.k("K1"))
    assert (page["opp_count"], page["opp_open"], page["open_amount"]) == (3, 2, Decimal(200000))
    own = f"customer.id == {f.k('K1')}"
    assert f.list("zhangsan", "opportunity", own, of="stage", sort="stage") == ["need", "proposal", "won"]
    form = f.site.application().form_for("customer")
    tab = next(t for t in form.tabs if t.related == "opportunities")
    assert {"stage", "amount"} <= {c.key for c in tab.columns}
    assert next(c for c in tab.columns if c.key == "amount").total == "sum"
    assert "opp_open" in form.header


@pytest.mark.mission("CU-41")
def test_a_customer_is_also_a_supplier(f: World) -> None:
    f.update("zhangsan", "customer", f.k("K1"), roles=["customer", "supplier"])
    with f.as_("zhangsan") as session:
        state = records.evaluate_form(session, "customer", f.k("K1"), {})
    assert state.visible is not None
    assert f.list("vp", "customer", "'supplier' in roles", of="short_name") == ["K1"]
    tab = next(t for t in f.site.application().form_for("customer").tabs if t.name == "supply")
    assert tab.visible_when is not None
    product = f.id("product", name="软件许可 A")
    f.update("pm", "product", product, suppliers=[{"supplier": f.k("K1"), "price": 60}])
    assert f.read("pm", "product", product)["suppliers"][0].titles["supplier"] == "零件制造有限公司"


def test_records_out_of_reach_are_not_found(f: World) -> None:
    with pytest.raises(NotFound):
        f.read("chenwu", "customer", f.k("K1"))
