"""The timeline of a customer: all communications, what each role sees of them, and the next step."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from runtime import actions
from runtime.activities.log import log
from runtime.activities.mention import tell_new
from runtime.records import read, update
from runtime.views.binder import Binder
from runtime.views.headers import next_fields, next_of
from runtime.views.timeline import Asked, Entry, page, scope_of
from tests.acceptance.conftest import World


def timeline(f: World, login: str, entity: str, record: int, *words: str) -> list[Entry]:
    with f.as_(login) as session:
        scope = scope_of(Binder(session), entity, record, frozenset())
        return page(scope, Asked(words=frozenset(words))).entries


@pytest.mark.mission("CU-17")
def test_all_communications_of_a_customer_stand_in_one_timeline(f: World) -> None:
    k1 = f.k("K1")
    deal = f.create("zhangsan", "opportunity", name="产线改造", customer=k1)
    for number, kind in enumerate(("phone", "visit", "email", "wechat")):
        at = f.clock.now() - timedelta(days=number)
        f.create("zhangsan", "communication", subject=kind, kind=kind, customer=k1, at=at)
    f.create(
        "zhangsan",
        "communication",
        subject="谈价格",
        kind="phone",
        opportunity=deal,
        at=f.clock.now() - timedelta(days=9),
    )
    told = timeline(f, "zhangsan", "customer", k1, "communications")
    assert [e.title for e in told] == ["phone", "visit", "email", "wechat", "谈价格"]
    assert [(a.entity, a.title) for a in told[-1].about] == [("opportunity", "产线改造")]
    only = timeline(f, "zhangsan", "customer", k1, "communications.phone")
    assert [e.title for e in only] == ["phone", "谈价格"]
    assert [e.title for e in timeline(f, "zhangsan", "opportunity", deal, "communications")] == ["谈价格"]


def test_what_a_role_may_not_read_is_blank_in_the_timeline(f: World) -> None:
    k1 = f.k("K1")
    f.create("zhangsan", "communication", subject="机密沟通", content="底价 80 万", customer=k1)
    seen = [e for e in timeline(f, "zhangsan", "customer", k1) if e.title == "机密沟通"]
    assert seen[0].text == "底价 80 万"
    service = timeline(f, "cs", "customer", k1, "communications")
    assert "机密沟通" in [e.title for e in service]
    assert all("底价" not in e.text for e in service)


def test_the_header_tells_four_states_and_idle_days(f: World) -> None:
    k1 = f.k("K1")
    day = timedelta(days=1)
    states = []
    for due in (None, 3 * day, timedelta(hours=2), -day):
        if due is not None:
            f.create("zhangsan", "task", subject="跟进", customer=k1, due_at=f.clock.now() + due)
        with f.as_("zhangsan") as session:
            binder = Binder(session)
            values = read(session, "customer", k1, next_fields(binder, "customer")).values
            coming = next_of(binder, "customer", values)
        assert coming is not None
        assert coming.signal is not None
        states.append(coming.signal.name)
        assert coming.plan == "task"
    assert states == ["none", "planned", "today", "overdue"]


def test_completing_a_task_asks_for_the_next_step_in_every_channel(f: World) -> None:
    k1 = f.k("K1")
    task = f.create("zhangsan", "task", subject="打电话", customer=k1, due_at=f.clock.now())
    with f.as_("zhangsan", write=True) as session:
        offer = next(o for o in actions.offers(session, "task", task) if o.name == "complete")
        assert [ask.name for ask in offer.asks] == ["next", "next_at"]
        actions.run(session, "task", task, "complete", {"next": "发报价", "next_at": "2026-03-20T09:00:00+08:00"})
    assert f.read("zhangsan", "task", task)["status"] == "done"
    with f.as_("zhangsan") as session:
        values = read(session, "customer", k1, ["next_action_at"]).values
    assert values["next_action_at"].isoformat() == "2026-03-20T01:00:00+00:00"


def test_a_line_of_the_quick_log_is_a_communication_of_the_record(f: World) -> None:
    k1 = f.k("K1")
    contact = f.create("zhangsan", "contact", name="周", customer=k1)
    with f.as_("zhangsan", write=True) as session:
        made = log(session, "contact", contact, text="约好周五", kind="wechat").id
    values = f.read("zhangsan", "communication", made)
    assert (values["customer"], values["contact"], values["kind"]) == (k1, contact, "wechat")
    assert f.read("zhangsan", "customer", k1)["last_contact_at"] == f.clock.now()


def test_people_named_in_the_text_of_an_activity_are_told_once(f: World) -> None:
    k1 = f.k("K1")

    def told(login: str) -> int:
        with f.site.session() as session:
            table = session.table("notification")
            mine = sa.select(sa.func.count()).where(table.c.recipient == f.user(login), table.c.word == "mention")
            return int(session.connection.scalar(mine) or 0)

    def write(text: str, before: str, *people: str) -> tuple[str, ...]:
        with f.as_("zhangsan", write=True) as session:
            update(session, "communication", talk, {"content": text})
            return tell_new(session, "communication", talk, [f.user(p) for p in people], before)

    talk = f.create("zhangsan", "communication", subject="走访", customer=k1)
    assert write("请 @王经理 跟进，@陈五 也看看", "", "wang") == ("陈五",)  # of another region: does not see K1
    assert (told("wang"), told("chenwu")) == (1, 0)
    assert write("请 @王经理 跟进，@郑总监 知悉", "请 @王经理 跟进，@陈五 也看看") == ()
    assert (told("wang"), told("vp")) == (1, 1)
    f.update(None, "user", f.user("zhaoliu"), name="郑总监")  # now the name is no longer one person's alone
    assert write("再请 @郑总监", "") == ()
    assert told("zhaoliu") == 0
    assert write("再请 @郑总监 看", "", "vp") == ()
    assert told("zhaoliu") == 0
    assert write("没有提到任何人 a@wang.example", "", "wang") == ()
    assert told("wang") == 1
