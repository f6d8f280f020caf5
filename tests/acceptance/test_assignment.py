"""Rows CU-24, SA-03, LD-03, LD-04, LD-05: who gets a record, why, and who is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import explain, records
from runtime.decisions import proposals
from runtime.decisions.assigning import assign_records, assignment_named
from runtime.decisions.membership import memberships
from runtime.errors import Busy, Conflict, Forbidden
from runtime.exchange.imports import Request, import_file
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from tests.acceptance.both import fixture_f_on, together
from tests.acceptance.conftest import World


@pytest.fixture
def b(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def owners(world: World, entity: str, names: list[str], title: str = "name") -> list[str | None]:
    """The logins of those who have the records, in the order of the titles."""
    with world.site.session() as session:
        table, person = session.table(entity), session.table("user")
        wanted = sa.select(table.c[title], person.c.login).outerjoin(person, person.c.id == table.c.owner)
        known = dict(session.connection.execute(wanted.where(table.c[title].in_(names))).all())
    return [known[name] for name in names]


def why(world: World, entity: str, record: int, login: str = "vp") -> dict[str, Any]:
    with world.as_(login) as session:
        return explain.decision(session, "assignment", entity, record)


@pytest.mark.mission("CU-24")
def test_four_manufacturers_in_the_east_go_in_turn_and_the_rest_to_the_pool(b: World, tmp_path: Path) -> None:
    file = tmp_path / "prospects.csv"
    lines = ["客户名称,区域,行业,来源"]
    lines += [f"制造{n}号有限公司,华东,C34,公司网站" for n in range(1, 5)]
    lines += ["零售一号有限公司,华东,F52,公司网站", "西北一号有限公司,西北,F52,公司网站"]
    file.write_text("\n".join(lines), encoding="utf-8")
    mapping = {"客户名称": "name", "区域": "region", "行业": "industry.code", "来源": "source"}
    status = import_file(
        b.site, "customer", file, user_id=b.user("mk"), name=file.name, request=Request(mapping=mapping)
    )
    assert status.created == 6
    made = [f"制造{n}号有限公司" for n in range(1, 5)]
    assert Counter(owners(b, "customer", made)) == {"zhangsan": 2, "lisi": 2}
    assert owners(b, "customer", made) == ["zhangsan", "lisi", "zhangsan", "lisi"]
    east, west = b.id("customer", name="零售一号有限公司"), b.id("customer", name="西北一号有限公司")
    assert b.read("vp", "customer", east)["pool"] == "customers_east"
    assert b.read("vp", "customer", west)["pool"] == "customers_south"
    assert b.read("vp", "customer", east)["owner"] is None
    found = why(b, "customer", b.id("customer", name="制造1号有限公司"))
    assert "华东制造业轮流" in found["summary"]
    assert "张三" in found["summary"]
    assert [c["name"] for c in found["steps"][-1]["candidates"]] == ["张三", "李四"]
    assert "公海-华东" in why(b, "customer", east)["summary"]
    for name, person in zip(made, ("张三", "李四", "张三", "李四")):  # each shows why
        told = why(b, "customer", b.id("customer", name=name))
        assert person in told["summary"]
        assert [step["result"] for step in told["steps"]][-1] == "chosen"
    assert "公海-华南" in why(b, "customer", west)["summary"]


@pytest.mark.mission("SA-03")
def test_a_representative_on_leave_is_passed_over(b: World, tmp_path: Path) -> None:
    with b.site.session(write=True) as session:
        records.update(session, "user", b.user("zhangsan"), {"status": "on_leave"})
    industry, region = b.id("industry", code="C34"), b.id("region", code="east")
    for n in range(3):
        b.create("mk", "lead", company=f"线索{n}", phone=f"1390000000{n}", industry=industry, region=region, owner=None)
    assert owners(b, "lead", ["线索0", "线索1", "线索2"], "company") == ["lisi"] * 3
    found = why(b, "lead", b.id("lead", company="线索0"))
    assert found["steps"][-1]["absent"] == ["张三"]
    file = tmp_path / "new.csv"
    file.write_text("客户名称,区域,行业,来源\n新客户0,华东,C34,展会\n新客户1,华东,C34,展会\n", encoding="utf-8")
    mapping = {"客户名称": "name", "区域": "region", "行业": "industry.code", "来源": "source"}
    import_file(b.site, "customer", file, user_id=b.user("mk"), name=file.name, request=Request(mapping=mapping))
    assert owners(b, "customer", ["新客户0", "新客户1"]) == ["lisi"] * 2
    assert "张三不在" in why(b, "customer", b.id("customer", name="新客户0"))["steps"][-1]["why"]


@pytest.mark.mission("LD-03")
def test_a_lead_that_needs_english_goes_to_the_least_loaded_who_speaks_it(b: World) -> None:
    with b.site.session(write=True) as session:
        for login in ("zhangsan", "lisi", "chenwu"):
            records.update(session, "user", b.user(login), {"skills": ["english"] if login != "lisi" else []})
    for n in range(2):
        b.create(None, "lead", company=f"旧线索{n}", phone="13900000001", owner=b.user("zhangsan"))
    b.create("mk", "lead", company="Overseas", phone="13900000002", needs=["english"], owner=None)
    assert owners(b, "lead", ["Overseas"], "company") == ["chenwu"]
    found = why(b, "lead", b.id("lead", company="Overseas"))["steps"][-1]
    assert {c["name"]: c["load"] for c in found["candidates"] if "english" in c["skills"]} == {"张三": 2, "陈五": 0}
    b.create("mk", "lead", company="Two tongues", phone="13900000003", needs=["english", "japanese"], owner=None)
    assert b.read("mk", "lead", b.id("lead", company="Two tongues"))["pool"] == "leads_open"


@pytest.mark.mission("LD-04")
def test_twelve_proposals_are_accepted_but_one_changed_and_one_rejected(b: World) -> None:
    ids = [
        b.create(None, "lead", company=f"大单{n:02}", phone="13900000004", expected_amount=600_000, owner=None)
        for n in range(12)
    ]
    with b.as_("vp", write=True) as session:
        outcome = assign_records(session, assignment_named(session, "key_leads"), ids)
    assert outcome.states == {"proposed": 12}
    assert owners(b, "lead", [f"大单{n:02}" for n in range(12)], "company") == [None] * 12
    with b.as_("gm") as session:
        waiting = proposals.waiting(session)
    assert len(waiting) == 12
    with b.as_("zhangsan") as session:
        assert proposals.waiting(session) == []
    with b.as_("zhangsan", write=True) as session, pytest.raises(Forbidden):
        proposals.accept(session, waiting[0].id)
    with b.as_("gm", write=True) as session:
        proposals.accept(session, waiting[0].id, b.user("wang"))
        proposals.reject(session, waiting[1].id)
        done = proposals.accept_all(session, [p.id for p in waiting[2:]])
    assert all(isinstance(found, int) for found in done.values())
    now = dict(zip(ids, owners(b, "lead", [f"大单{n:02}" for n in range(12)], "company")))
    assert now[waiting[0].record] == "wang"
    assert now[waiting[1].record] is None
    assert all(now[p.record] is not None for p in waiting[2:])
    assert "改派给王经理" in why(b, "lead", waiting[0].record)["summary"]
    assert "被拒绝" in why(b, "lead", waiting[1].record)["summary"]
    with b.as_("gm", write=True) as session, pytest.raises(Conflict):
        proposals.accept(session, waiting[0].id)


@pytest.mark.mission("LD-04")
def test_a_proposal_nobody_decides_is_accepted_after_24_working_hours(b: World) -> None:
    lead = b.create(None, "lead", company="大单", phone="13900000004", expected_amount=600_000, owner=None)
    with b.as_("vp", write=True) as session:
        assign_records(session, assignment_named(session, "key_leads"), [lead])
    b.clock.advance(days=2, hours=8)  # Wednesday evening: 8 + 8 + 7 working hours are over
    with b.site.session(write=True) as session:
        assert proposals.overdue(session, {}) == {"accepted": 0, "rejected": 0}
    b.clock.advance(hours=17)
    with b.site.session(write=True) as session:
        assert proposals.overdue(session, {}) == {"accepted": 1, "rejected": 0}
    assert b.read("vp", "lead", lead)["owner"] is not None


@pytest.mark.mission("LD-05")
def test_who_gets_a_lead_is_told(b: World) -> None:
    region, industry = b.id("region", code="south"), b.id("industry", code="F52")
    b.create("mk", "lead", company="南方线索", phone="13900000005", region=region, industry=industry, owner=None)
    [login] = owners(b, "lead", ["南方线索"], "company")
    assert login in ("chenwu", "huangba")
    with b.as_(login) as session:
        table = session.table("notification")
        wanted = sa.select(table.c.subject, table.c.entity, table.c.record)
        [found] = session.connection.execute(wanted.where(table.c.recipient == session.user.id)).all()
    assert found == ("线索“南方线索”分配给您", "lead", b.id("lead", company="南方线索"))


def test_sixteen_who_create_at_once_keep_the_turns_exact(b: World) -> None:
    region, industry = b.id("region", code="east"), b.id("industry", code="C34")

    def create(number: int) -> Any:
        for n in range(5):
            values = {"company": f"并发{number}-{n}", "phone": "13900000006", "region": region, "industry": industry}
            while not written(values):
                pass

    def written(values: dict[str, Any]) -> bool:
        """False where SQLite's one writer was at work for long: then one comes again."""
        try:
            with b.as_("mk", write=True) as session:
                records.create(session, "lead", {**values, "owner": None})
        except Busy:
            return False
        return True

    results = together([lambda n=n: create(n) for n in range(16)])
    assert [r for r in results if r is not None] == []
    with b.site.session() as session:
        turn, log = session.table("assignment_turn"), session.table("assignment_decision")
        turns = session.connection.scalars(sa.select(turn.c.turns).where(turn.c.rule == "east_industry")).all()
        people = session.connection.scalars(sa.select(log.c.person).order_by(log.c.id)).all()
    assert sorted(turns) == [40, 40]
    assert all(first != second for first, second in pairwise(people))


def candidates(b: World, lead: int) -> set[str]:
    """The logins of those a key lead was proposed to or might have been."""
    with b.as_("vp", write=True) as session:
        assign_records(session, assignment_named(session, "key_leads"), [lead])
    step = why(b, "lead", lead)["steps"][-1]
    with b.site.session() as session:
        person = session.table("user")
        known = dict(session.connection.execute(sa.select(person.c.id, person.c.login)).all())
    return {known[c["id"]] for c in step["candidates"]}


def test_work_goes_to_those_who_were_given_the_role_unless_it_is_said(b: World) -> None:
    """Managers have the rights of representatives, and the general manager has those of all: no lead is theirs."""
    reps = {"zhangsan", "lisi", "zhaoliu", "sunqi", "chenwu", "huangba"}
    first, second = (b.create(None, "lead", company=n, phone="13900000004", expected_amount=600_000) for n in "甲乙")
    assert candidates(b, first) == reps
    from_all = "extend: {assignment: key_leads}\nrules:\n  - {name: weighted, pick: {from: {role: sales_rep, included: true}, by: round_robin}}\n"
    direct = "extend: {pool: leads_open}\nmembers: {role: sales_rep, included: false}\nmanagers: [{role: sales_manager, included: false}]\n"
    with b.as_("vp") as session:
        assert "leads_open" in memberships(session)[1]
    publish(b.site, with_site_files(current_layers(b.site), {"all.yaml": from_all, "direct.yaml": direct}), "who")
    assert candidates(b, second) == reps | {"wang", "liujing", "vp", "gm"}
    belonging = {}
    for login in ("zhangsan", "wang", "vp"):
        with b.as_(login) as session:
            belonging[login] = tuple("leads_open" in names for names in memberships(session))
    assert belonging == {"zhangsan": (True, False), "wang": (True, True), "vp": (False, False)}


def test_a_proposal_nobody_can_confirm_is_told_to_the_administrators(b: World) -> None:
    text = "extend: {assignment: key_leads}\nconfirm: {by: {field: customer.owner}}\n"
    publish(b.site, with_site_files(current_layers(b.site), {"confirm.yaml": text}), "confirm")
    lead = b.create(None, "lead", company="没人确认", phone="13900000004", expected_amount=600_000)
    with b.as_("vp", write=True) as session:
        assign_records(session, assignment_named(session, "key_leads"), [lead])
    told = b.list(None, "notification", f"recipient.login == 'admin' and record == {lead}", of="subject")
    assert len(told) == 1
    assert "没人确认" in told[0]
    assert b.api("admin", "POST", f"/lead/{lead}/actions/accept_assignment", json={}).status_code == 200
    assert b.read("vp", "lead", lead)["owner"] is not None
