"""Rows CU-26: a claim that a manager agrees to. One winner, counted once, ended by time, explained, seen on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions, explain, records
from runtime.decisions import claim_desk, pooling
from runtime.decisions.claims import deciders
from runtime.decisions.returns import move_on
from runtime.errors import Answer, Conflict, Forbidden
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from runtime.records.values import Loader
from runtime.views.binder import Binder
from runtime.views.pools import bind_pool
from tests.acceptance.both import fixture_f_on, together
from tests.acceptance.conftest import World
from tests.acceptance.test_pools import EAST, claim, log, pooled, refused
from tests.scale import WRITERS
from tests.web.conftest import Browser
from web.app import create_app


@pytest.fixture
def b(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def key_customer(b: World, name: str = "重点客户甲") -> int:
    """Claims on key customers wait for a manager of the pool, one working day of 24 hours long."""
    return pooled(b, name, type="key")


def answer(b: World, login: str, record: int, agree: bool, note: str | None = None) -> None:
    with b.as_(login, write=True) as session:
        claim_desk.answer(session, "customer", record, agree, note)


def late(b: World) -> None:
    with b.site.session(write=True) as session:
        claim_desk.overdue(session, {})


def why(b: World, record: int, login: str = "wang") -> dict[str, Any]:
    with b.as_(login) as session:
        return explain.decision(session, "pool", "customer", record)


def left(b: World, login: str) -> int | None:
    with b.as_(login) as session:
        return pooling.allowance(session, session.app.of("pool")[EAST]).left


def page(b: World, login: str, record: int) -> Any:
    """The row of a record on the page of the pool."""
    with b.as_(login) as session:
        bound = bind_pool(Binder(session), session.app.of("pool")[EAST])
    return next(row for row in bound.rows if row.row.id == record)


@pytest.mark.mission("CU-26")
def test_a_claim_waits_for_a_manager_and_is_explained(b: World) -> None:
    record, plain = key_customer(b), pooled(b, "普通客户")
    assert (page(b, "zhangsan", record).asks, page(b, "zhangsan", plain).asks) == (True, False)
    with b.as_("zhangsan") as session:
        offer = actions.find(session, "customer", record, "claim")[0]
    assert offer.label == "申请领取 (3/3)"
    told = b.api("zhangsan", "POST", f"/customer/{record}/actions/claim", json={}).json
    assert told["message"] == "您已申请领取，等待周总、郑总监、王经理确认（2026-03-19 10:00 前）。"
    assert b.read("vp", "customer", record)["owner"] is None
    assert b.read("zhangsan", "customer", record)["phone"] is None  # masked until it is theirs
    assert why(b, record)["summary"] == "张三申请领取，等待周总、郑总监、王经理确认（2026-03-19 10:00 前）"
    seen = page(b, "lisi", record).asked
    assert (seen.sentence, seen.own, seen.answers) == (why(b, record)["summary"], False, False)
    assert page(b, "zhangsan", record).asked.own
    assert page(b, "wang", record).asked.answers
    with b.as_("wang") as session:
        (one,) = claim_desk.waiting(session)
    assert (one.title, one.name, one.record) == ("重点客户甲", "张三", record)
    assert "张三申请从公海-华东领取“重点客户甲”，等您确认" in b.list(None, "notification", of="subject")
    with pytest.raises(Forbidden):
        answer(b, "lisi", record, True)
    with pytest.raises(Forbidden):
        answer(b, "zhangsan", record, True)
    answer(b, "wang", record, True, "已沟通")
    assert b.read("zhangsan", "customer", record)["owner"] == b.user("zhangsan")
    assert log(b, record)[-1] == (None, EAST, "zhangsan", None, "claimed")
    moved = why(b, record)["steps"][0]
    assert (moved["why"], moved["by"]) == ("王经理同意领取：已沟通", "王经理")
    assert b.read("vp", "customer", record)["protected_until"] is not None
    assert "王经理同意您领取“重点客户甲”" in b.list(None, "notification", of="subject")
    with pytest.raises(Conflict) as too_late:
        answer(b, "vp", record, False)
    assert too_late.value.code == "pool.answered"


@pytest.mark.mission("CU-26")
def test_of_many_who_ask_at_once_one_waits_and_of_two_answers_one_counts(b: World) -> None:
    record = key_customer(b)
    people = ["zhangsan", "lisi", "zhaoliu", "sunqi"]
    results = together([lambda login=login: refused(b, login, record) for login in people * (WRITERS // 4)])
    assert sorted(set(map(str, results))) == sorted({"", "pool.asked", "pool.waiting"} & set(map(str, results)))
    assert list(map(str, results)).count("") == 1

    def answering(login: str, agree: bool) -> str:
        try:
            answer(b, login, record, agree)
        except Answer as found:
            return found.code
        return ""

    both = together([lambda: answering("wang", True), lambda: answering("vp", False)])
    assert sorted(map(str, both)) == ["", "pool.answered"]
    agreed = both[0] == ""
    assert (b.read("vp", "customer", record)["owner"] is not None) == agreed
    assert len(log(b, record)) == (2 if agreed else 1)


@pytest.mark.mission("CU-26")
def test_what_waits_counts_against_the_limits_once(b: World) -> None:
    first, second, third, fourth = (key_customer(b, f"重点{n}") for n in "甲乙丙丁")
    claim(b, "zhangsan", first)
    claim(b, "zhangsan", second)
    assert left(b, "zhangsan") == 1
    answer(b, "wang", first, True)
    assert left(b, "zhangsan") == 1  # counted when it was asked for
    answer(b, "wang", second, False, "已有计划")
    assert left(b, "zhangsan") == 2  # what was turned down was never had
    claim(b, "zhangsan", third)
    with b.as_("zhangsan", write=True) as session:
        claim_desk.withdraw(session, "customer", third)
    assert left(b, "zhangsan") == 1  # what one took back oneself stays counted, as after giving it back
    claim(b, "zhangsan", fourth)
    assert refused(b, "zhangsan", third) == "pool.daily"
    b.clock.advance(days=1)
    assert left(b, "zhangsan") == 3
    answer(b, "wang", fourth, True)
    assert left(b, "zhangsan") == 3  # agreed to today, asked for yesterday
    with b.site.session(write=True) as session:
        rows = [{"name": f"持有{n}", "type": "key", "owner": b.user("lisi")} for n in range(9)]
        records.create_many(session, "customer", rows)
    claim(b, "lisi", second)  # the tenth, waiting
    assert refused(b, "lisi", third) == "pool.holding"


@pytest.mark.mission("CU-26")
def test_nobody_answers_in_time_and_it_ends_as_declared(b: World) -> None:
    record = key_customer(b)
    claim(b, "zhangsan", record)
    b.clock.advance(days=2, hours=23)
    late(b)
    assert why(b, record)["claims"][0]["state"] == "waiting"
    b.clock.advance(hours=2)
    late(b)
    (over,) = why(b, record)["claims"]
    assert (over["state"], over["sentence"]) == ("rejected", "张三申请领取，Octavo未同意")
    assert refused(b, "lisi", record) == ""


def test_who_may_agree_takes_it_at_once_and_others_ways_let_a_claim_lapse(b: World) -> None:
    mine, given, gone = (key_customer(b, f"重点{n}") for n in "子丑寅")
    with b.as_("wang", write=True) as session:
        assert pooling.claim(session, "customer", mine).waiting is False
    assert b.read("vp", "customer", mine)["owner"] == b.user("wang")
    claim(b, "zhangsan", given)
    with b.as_("wang", write=True) as session:
        pooling.assign_from(session, session.app.of("pool")[EAST], [given], b.user("lisi"))
    assert why(b, given)["claims"][0]["sentence"] == "张三的领取申请已失效：记录已去别处"
    with pytest.raises(Conflict):
        answer(b, "wang", given, True)
    claim(b, "zhangsan", gone)
    with b.as_("admin", write=True) as session:
        records.delete(session, "customer", gone)
    with pytest.raises(Conflict):
        answer(b, "wang", gone, True)
    assert left(b, "zhangsan") == 3


def test_a_site_lets_the_manager_of_who_asks_agree(b: World) -> None:
    """`user` in `by` is the person who claims; what waits is not moved on; late ones may be agreed to."""
    text = (
        "extend: {pool: leads_open}\nclaim: {approval: {by: [{expression: user.manager}], within: 24h, then: accept}}\n"
    )
    publish(b.site, with_site_files(current_layers(b.site), {"lead_claims.yaml": text}), "claims")
    lead = b.create(None, "lead", company="要问经理", phone="13900000009", pool="leads_open", owner=None)
    with b.as_("zhangsan", write=True) as session:
        assert pooling.claim(session, "lead", lead).waiting
        pool = session.app.of("pool")["leads_open"]
        people = deciders(session, pool, Loader(session).record("lead", lead), b.user("zhangsan"))
    assert people == [b.user("wang")]
    b.clock.advance(days=31)
    with b.site.session(write=True) as session:
        pool = session.app.of("pool")["leads_open"]
        assert move_on(session, pool, pool.moves[0]) == 0
    late(b)
    assert b.read("vp", "lead", lead)["owner"] == b.user("zhangsan")
    with b.as_("vp") as session:
        steps = explain.decision(session, "pool", "lead", lead)["steps"]
    assert steps[0]["why"] == "超时自动同意领取"


def test_who_is_asked_but_sees_nothing_of_the_pool_answers_everywhere(b: World) -> None:
    """陈五 is no member of the eastern pool and sees none of its records; only what is asked of him is open to him."""
    text = "extend: {pool: customers_east}\nclaim: {approval: {by: [{user: chenwu}]}}\n"
    publish(b.site, with_site_files(current_layers(b.site), {"claims.yaml": text}), "claims")
    first, second, third, quiet = (key_customer(b, f"重点{n}") for n in "甲乙丙丁")
    for record in (first, second, third):
        claim(b, "zhangsan", record)

    def address(record: int, act: str = "") -> str:
        return f"/customer/{record}/actions{act}"

    assert b.api("chenwu", "GET", f"/customer/{first}").status_code == 404
    assert b.api("chenwu", "GET", address(quiet)).status_code == 404
    assert b.api("chenwu", "POST", address(quiet, "/agree_claim"), json={}).status_code == 404
    offered = b.api("chenwu", "GET", address(first)).json["actions"]
    assert [o["name"] for o in offered] == ["agree_claim", "refuse_claim"]
    for act in ("delete", "claim", "assign", "return"):
        assert b.api("chenwu", "POST", address(first, f"/{act}"), json={}).status_code in (403, 404, 409), act
    assert b.api("lisi", "POST", address(first, "/agree_claim"), json={}).status_code == 404
    done = b.api("chenwu", "POST", address(first, "/agree_claim"), json={"note": "可以"})
    assert (done.status_code, done.json["message"]) == (200, "已同意领取。")
    assert b.read("vp", "customer", first)["owner"] == b.user("zhangsan")
    assert why(b, first)["steps"][0]["why"] == "陈五同意领取：可以"
    assert b.api("chenwu", "POST", address(first, "/agree_claim"), json={}).status_code == 404

    browser = Browser(create_app(b.site, testing=True).test_client())
    assert browser.sign_in("chenwu", "octavo-demo").status_code == 303
    inbox = browser.get("/inbox").get_data(as_text=True)
    assert [name for name in ("重点甲", "重点乙", "重点丙") if name in inbox] == ["重点乙", "重点丙"]
    assert f"/e/customer/{second}" not in inbox  # no link to what is not found
    with b.site.session() as session:
        table = session.table("notification")
        notice = session.connection.scalar(
            sa.select(table.c.id).where(table.c.record == second, table.c.recipient == b.user("chenwu"))
        )
    opened = browser.post(f"/notifications/{notice}/open", {})
    assert opened.headers["Location"] == "/pools"
    assert "重点乙" in browser.get("/pools").get_data(as_text=True)
    assert browser.get(f"/e/customer/{second}/actions/agree_claim").headers["Location"] == "/pools"
    browser.post(f"/pools/{EAST}/answer/{second}", {"act": "refuse", "note": "不急", "back": "/inbox"})
    assert [c["state"] for c in why(b, second)["claims"]] == ["rejected"]
    browser.post(f"/e/customer/{third}/actions/agree_claim", {"note": ""})
    assert b.read("vp", "customer", third)["owner"] == b.user("zhangsan")


def test_where_nobody_is_found_to_agree_the_administrators_are_asked(b: World) -> None:
    """The general manager has no manager: the claim does not wait for nobody."""
    text = "extend: {pool: leads_open}\nclaim: {approval: {by: [{expression: user.manager}]}}\n"
    publish(b.site, with_site_files(current_layers(b.site), {"claims.yaml": text}), "claims")
    lead = b.create(None, "lead", company="没有上级", phone="13900000009", pool="leads_open", owner=None)
    with b.as_("gm", write=True) as session:
        assert pooling.claim(session, "lead", lead).waiting
    with b.as_("admin") as session:
        assert [one.title for one in claim_desk.waiting(session)] == ["没有上级"]
    assert "周总申请从公共线索池领取“没有上级”，等您确认" in b.list(
        None, "notification", "recipient.login == 'admin'", of="subject"
    )
    with b.as_("vp") as session:
        assert claim_desk.waiting(session) == []
        assert "Octavo" not in explain.decision(session, "pool", "lead", lead)["summary"]
    done = b.api("admin", "POST", f"/lead/{lead}/actions/agree_claim", json={})
    assert done.status_code == 200, done.json
    assert b.read("vp", "lead", lead)["owner"] == b.user("gm")
