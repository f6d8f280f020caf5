"""CU-47…57, LD-20, LD-21, AD-12: reminders with the figures of the mission, on the frozen clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from runtime.decisions.reminders import forecast
from runtime.jobs.queue import enqueue
from runtime.jobs.scheduler import Scheduler
from runtime.jobs.worker import Worker
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import T0, World

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def f(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        yield world


def at(f: World, moment: str) -> None:
    f.clock.set(datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI))


def remind(f: World, *names: str) -> None:
    """Runs reminders as their job does, and everything that follows."""
    with f.site.session(write=True) as session:
        enqueue(session, "remind", {"names": list(names)})
    Worker(f.site).run_all()
    assert rows(f, "job", "error", state="parked") == []


def rows(f: World, entity: str, *columns: str, **same: Any) -> list[tuple[Any, ...]]:
    with f.site.session() as session:
        table = session.table(entity)
        wanted = sa.select(*(table.c[c] for c in columns)).where(*(table.c[k] == v for k, v in same.items()))
        return [tuple(row) for row in session.connection.execute(wanted.order_by(table.c.id))]


def told(f: World, login: str) -> list[str]:
    """Subjects of what a person was told, in order."""
    return [subject for (subject,) in rows(f, "notification", "subject", recipient=f.user(login))]


def lines(f: World, login: str, reminder: str) -> list[int]:
    """Records a person was reminded of by a rule, in order of telling."""
    found = rows(f, "reminder_notice", "record", recipient=f.user(login), reminder=reminder)
    return [record for (record,) in found]


def told_of(f: World, login: str, reminder: str, record: int) -> int:
    """How often a person was reminded of one record by a rule."""
    return lines(f, login, reminder).count(record)


def care_tasks(f: World, customer: int) -> list[tuple[Any, ...]]:
    return [row for row in rows(f, "task", "subject", "assignee", customer=customer) if row[0].startswith("关怀")]


def created(f: World, record: int, moment: str, entity: str = "customer", **more: str) -> None:
    """Puts a record's creation, and moments that only the platform writes, into the past."""
    values = {"created_at": moment, **more}
    with f.site.session(write=True) as session:
        table = session.table(entity)
        moments = {k: datetime.fromisoformat(v).replace(tzinfo=SHANGHAI) for k, v in values.items()}
        session.connection.execute(sa.update(table).where(table.c.id == record).values(moments))


@pytest.mark.mission("CU-47")
def test_an_unqualified_prospect_is_reminded_of_once_a_period_until_it_is_qualified(f: World) -> None:
    p1, rule = f.k("P1"), "prospect_unqualified"
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [p1]
    assert told(f, "zhangsan") == ["潜在客户一号有限公司 还没有确定资格"]
    assert rows(f, "message", "recipient", "state") == [("zhangsan@example.com", "waiting")]
    remind(f, rule)
    f.clock.advance(days=2)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [p1]  # once per period
    f.clock.advance(days=5)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [p1, p1]
    f.update(None, "customer", p1, qualification="qualified")
    f.clock.advance(days=8)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [p1, p1]


@pytest.mark.mission("CU-48")
def test_a_prospect_nobody_owns_for_two_days_is_the_managers_business(f: World) -> None:
    p1, rule = f.k("P1"), "prospect_unowned"
    f.update(None, "customer", p1, owner=None, home_unit=f.id("unit", code="E"), pool=None)
    created(f, p1, "2026-03-14 09:00")
    remind(f, rule)
    assert lines(f, "wang", rule) == [p1]
    f.clock.advance(days=3)
    remind(f, rule)
    assert lines(f, "vp", rule) == [p1]
    f.update(None, "customer", p1, owner=f.user("lisi"))
    f.clock.advance(days=4)
    remind(f, rule)
    assert lines(f, "wang", rule) == [p1, p1]  # at first, and again with the notice to the director


@pytest.mark.mission("CU-49")
def test_fourteen_days_without_communication_and_three_more_go_to_the_superior(f: World) -> None:
    p1, rule = f.k("P1"), "prospect_no_communication"
    created(f, p1, "2026-03-03 09:00")
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == []  # 13 days
    f.clock.advance(days=1)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [p1]
    assert lines(f, "wang", rule) == []
    f.clock.advance(days=3)
    remind(f, rule)
    assert lines(f, "wang", rule) == [p1]
    f.create("zhangsan", "communication", subject="回访", customer=p1)
    f.clock.advance(days=7)
    remind(f, rule)
    assert (lines(f, "zhangsan", rule), lines(f, "vp", rule)) == ([p1], [])


@pytest.mark.mission("CU-50")
def test_a_prospect_without_an_open_task_is_told_to_its_owner(f: World) -> None:
    p1, rule = f.k("P1"), "prospect_no_action"
    task = f.create("zhangsan", "task", subject="拜访", customer=p1, due_at="2026-03-20T10:00:00+08:00")
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == []
    f.update("zhangsan", "task", task, status="done")
    f.clock.advance(days=3)
    remind(f, rule)
    assert p1 in lines(f, "zhangsan", rule)


@pytest.mark.mission("CU-51")
@pytest.mark.mission("AD-12")
def test_the_first_contact_is_due_in_24_working_hours_and_holidays_do_not_count(f: World) -> None:
    p1, rule = f.k("P1"), "first_contact"
    # Assigned on Thursday 30 April at 17:00: 1 to 5 May are holidays, 9 May is a Saturday that is worked
    created(f, p1, "2026-04-01 09:00", assigned_at="2026-04-30 17:00")
    at(f, "2026-05-06 18:00")  # 1 h on Thursday, 8 h on Wednesday
    remind(f, rule)
    assert told_of(f, "zhangsan", rule, p1) == 0
    at(f, "2026-05-08 12:30")  # 1 + 8 + 8 + 3 = 20 working hours
    remind(f, rule)
    assert (told_of(f, "zhangsan", rule, p1), told_of(f, "wang", rule, p1)) == (1, 0)
    at(f, "2026-05-08 16:30")  # 23½
    remind(f, rule)
    assert told_of(f, "wang", rule, p1) == 0
    at(f, "2026-05-08 17:01")  # 24
    remind(f, rule)
    assert (told_of(f, "zhangsan", rule, p1), told_of(f, "wang", rule, p1)) == (1, 1)


@pytest.mark.mission("CU-51")
def test_the_working_hours_to_the_first_contact_are_a_figure(f: World) -> None:
    """The same hours that the reminder counts: what is later than 24 is found, and holidays are no hours."""
    late, soon = f.k("P1"), f.k("E2C")
    for record in (late, soon):
        created(f, record, "2026-04-01 09:00", assigned_at="2026-04-30 17:00")
    assert f.read("vp", "customer", late)["first_contact_hours"] is None
    at(f, "2026-05-11 09:00")
    talk = {"subject": "首次沟通", "kind": "call"}
    f.create("zhangsan", "communication", customer=late, at="2026-05-08T17:31:00+08:00", **talk)
    first = f.create("zhaoliu", "communication", customer=soon, at="2026-05-06T10:15:00+08:00", **talk)
    assert f.read("vp", "customer", late)["first_contact_hours"] == Decimal("24.52")  # 1 + 8 + 8 + 7.52
    assert f.read("vp", "customer", soon)["first_contact_hours"] == Decimal("2.25")
    where = "short_name in ('P1', 'E2C') and first_contact_hours > 24"
    assert f.list("vp", "customer", where, of="short_name") == ["P1"]
    f.update("zhaoliu", "communication", first, at="2026-05-09T09:30:00+08:00")  # a Saturday that is worked
    assert f.read("vp", "customer", soon)["first_contact_hours"] == Decimal("25.50")
    assert f.list("vp", "customer", where, of="short_name", sort="-first_contact_hours") == ["E2C", "P1"]
    f.create("zhaoliu", "communication", customer=soon, at="2026-04-28T09:30:00+08:00", **talk)
    assert f.read("vp", "customer", soon)["first_contact_hours"] is None  # before it was assigned


@pytest.mark.mission("AD-12")
def test_a_make_up_saturday_is_a_working_day(f: World) -> None:
    p1, rule = f.k("P1"), "first_contact"
    created(f, p1, "2026-04-01 09:00", assigned_at="2026-05-08 09:00")  # Friday; Saturday 9 May is worked
    at(f, "2026-05-11 10:00")  # 8 + 8 + 1 working hours
    remind(f, rule)
    assert told_of(f, "zhangsan", rule, p1) == 0
    at(f, "2026-05-11 14:01")  # Monday: 8 + 8 + 4 = 20
    remind(f, rule)
    assert told_of(f, "zhangsan", rule, p1) == 1


@pytest.mark.mission("CU-52")
def test_each_stage_has_its_own_number_of_days(f: World) -> None:
    rule = "opportunity_stage_unchanged"
    values = {"customer": f.k("K1"), "manual_amount": 1000}
    first = f.create("zhangsan", "opportunity", name="初步", **values)
    later = f.create("zhangsan", "opportunity", name="方案", **values)
    f.update("zhangsan", "opportunity", later, stage="proposal")
    f.clock.advance(days=10)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [first]
    f.clock.advance(days=9)
    f.update("zhangsan", "opportunity", first, stage="need")
    f.clock.advance(days=1)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [first, later]  # the first one began anew in its new stage


@pytest.mark.mission("CU-53")
def test_ten_days_qualified_and_no_opportunity(f: World) -> None:
    p1, rule = f.k("P1"), "qualified_without_opportunity"
    f.update(None, "customer", p1, qualification="qualified")
    f.clock.advance(days=9)
    remind(f, rule)
    assert p1 not in lines(f, "zhangsan", rule)
    f.clock.advance(days=1)
    remind(f, rule)
    assert p1 in lines(f, "zhangsan", rule)
    other = f.k("K5")
    f.create("lisi", "opportunity", name="机会", customer=other, manual_amount=1)
    f.clock.advance(days=10)
    remind(f, rule)
    remind(f, rule)
    found = rows(f, "reminder_match", "record", reminder=rule, ended_at=None)
    assert (other,) not in found
    assert (p1,) in found


@pytest.mark.mission("CU-54")
def test_too_many_opportunities_without_an_account_manager_and_none_at_all(f: World) -> None:
    k1, rule, none = f.k("K1"), "many_opportunities", "good_customer_without_opportunity"
    remind(f, none)
    assert lines(f, "zhangsan", none) == [k1]  # grade A or B, and no opportunity at all
    for number in range(3):
        f.create("zhangsan", "opportunity", name=f"机会 {number}", customer=k1, manual_amount=1)
    with f.site.session(write=True) as session:
        assert forecast(session, session.app.of("reminder")[rule]).records == 1
    remind(f, rule)
    assert (lines(f, "zhangsan", rule), lines(f, "wang", rule)) == ([k1], [])  # E1 has no head
    f.update(None, "customer", k1, members=[{"person": f.user("lisi"), "role": "account"}])
    f.clock.advance(days=15)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [k1]
    with f.site.session(write=True) as session:
        expected = forecast(session, session.app.of("reminder")[none])
    assert expected.records == 0  # K1, the only one of grade A or B, has three


@pytest.mark.mission("CU-55")
def test_a_customer_since_yesterday_without_an_account_manager(f: World) -> None:
    k7, rule = f.k("K7"), "customer_without_account_manager"
    f.update(None, "customer", k7, stage="qualified")
    f.create("wang", "sales_order", customer=k7, lines=[{"text": "实施", "price": 1000}])
    f.update(None, "customer", k7, stage="new")  # its first order
    remind(f, rule)
    assert k7 not in lines(f, "wang", rule)
    f.clock.advance(days=1)
    remind(f, rule)
    assert k7 in lines(f, "wang", rule)
    before = len(lines(f, "wang", rule))
    f.update(None, "customer", k7, members=[{"person": f.user("lisi"), "role": "account"}])
    f.clock.advance(days=4)
    remind(f, rule)
    assert k7 not in lines(f, "wang", rule)[before:]


@pytest.mark.mission("CU-56")
def test_too_few_prospects_a_week_are_told_on_monday_to_the_person_and_the_manager(f: World) -> None:
    rule = "prospects_created"
    at(f, "2026-03-17 11:00")
    for number in range(2):
        f.create("lisi", "customer", name=f"新潜客 {number}")
    for number in range(5):
        f.create("zhaoliu", "customer", name=f"赵六潜客 {number}")
    at(f, "2026-03-23 09:00")  # Monday
    remind(f, rule)
    lisi = f.user("lisi")
    assert told(f, "lisi") == ["李四 上周新增潜客 2 个，目标 5 个（中位数 0）"]
    assert lisi in lines(f, "wang", rule)
    assert f.user("zhaoliu") in lines(f, "wang", rule)  # five, but more than three times the median
    assert len(told(f, "wang")) == 1  # one digest
    remind(f, rule)
    assert len(told(f, "lisi")) == 1


@pytest.mark.mission("CU-56")
def test_the_week_is_looked_at_on_monday_at_nine(f: World) -> None:
    rule, lisi = "prospects_created", f.user("lisi")
    for moment, expected in (("2026-03-23 08:59", 0), ("2026-03-23 09:00", 1), ("2026-03-24 09:00", 1)):
        at(f, moment)
        Scheduler(f.site).tick()
        Worker(f.site).run_all()
        assert told_of(f, "lisi", rule, lisi) == told_of(f, "wang", rule, lisi) == expected, moment


@pytest.mark.mission("CU-57")
def test_a_customer_of_grade_a_without_contact_gets_a_task_of_care(f: World) -> None:
    k1, rule = f.k("K1"), "customer_care"
    f.create("zhangsan", "opportunity", name="旧单", customer=k1, manual_amount=1, stage="won", closed_on="2026-03-01")
    with f.site.session() as session:
        assert session.connection.scalar(
            sa.select(session.table("customer").c.value_grade).where(session.table("customer").c.id == k1)
        ) in ("a", "b")
    f.create("zhangsan", "communication", subject="电话", customer=k1)
    f.clock.advance(days=29)
    remind(f, rule)
    assert care_tasks(f, k1) == []
    f.clock.advance(days=31)
    remind(f, rule)
    assert lines(f, "zhangsan", rule) == [k1]
    assert care_tasks(f, k1) == [("关怀：零件制造有限公司", f.user("zhangsan"))]
    remind(f, rule)
    assert len(care_tasks(f, k1)) == 1


@pytest.mark.mission("CU-57")
def test_the_account_manager_cares_for_a_customer_of_grade_a_after_thirty_days(f: World) -> None:
    k1, rule = f.k("K1"), "customer_care"
    f.create("zhangsan", "opportunity", name="新单", customer=k1, manual_amount=1, stage="won", closed_on="2026-03-16")
    f.update(None, "customer", k1, members=[{"person": f.user("lisi"), "role": "account"}])
    f.create("zhangsan", "communication", subject="电话", customer=k1)
    assert f.read("vp", "customer", k1)["value_grade"] == "a"
    f.clock.advance(days=29)
    remind(f, rule)
    assert care_tasks(f, k1) == []
    f.clock.advance(days=1)
    remind(f, rule)
    assert care_tasks(f, k1) == [("关怀：零件制造有限公司", f.user("lisi"))]
    assert (lines(f, "lisi", rule), lines(f, "zhangsan", rule)) == ([k1], [])


@pytest.mark.mission("LD-20")
def test_an_idle_prospect_and_an_overdue_task_are_one_notice(f: World) -> None:
    p1 = f.k("P1")
    f.create("zhangsan", "task", subject="回电", customer=f.k("K1"), due_at="2026-03-15T09:00:00+08:00")
    remind(f, "prospect_no_action", "task_overdue")
    assert len(told(f, "zhangsan")) == 1
    assert told(f, "zhangsan")[0].startswith("2 条提醒")
    assert lines(f, "zhangsan", "prospect_no_action") == [p1]
    assert len(lines(f, "zhangsan", "task_overdue")) == 1


@pytest.mark.mission("LD-21")
def test_two_working_days_later_the_manager_and_four_the_director(f: World) -> None:
    p1, rule = f.k("P1"), "prospect_no_action"
    at(f, "2026-03-19 09:00")  # Thursday
    remind(f, rule)
    assert told_of(f, "zhangsan", rule, p1) == 1
    at(f, "2026-03-22 09:00")  # Sunday: one working day
    remind(f, rule)
    assert told_of(f, "wang", rule, p1) == 0
    at(f, "2026-03-23 09:00")  # Monday: two
    remind(f, rule)
    assert (told_of(f, "wang", rule, p1), told_of(f, "vp", rule, p1)) == (1, 0)
    at(f, "2026-03-25 09:00")  # Wednesday: four
    remind(f, rule)
    assert (told_of(f, "wang", rule, p1), told_of(f, "vp", rule, p1)) == (1, 1)


def test_quiet_hours_put_a_notice_off_and_preferences_are_kept(f: World) -> None:
    f.create(None, "notice_preference", person=f.user("zhangsan"), mail=False, quiet_from="09:00", quiet_until="11:00")
    remind(f, "prospect_unqualified")
    assert told(f, "zhangsan") == []
    f.clock.advance(hours=1, minutes=1)
    Worker(f.site).run_all()
    assert len(told(f, "zhangsan")) == 1
    assert rows(f, "message", "id") == []


def test_a_dry_run_tells_nobody(f: World) -> None:
    with f.site.session(write=True) as session:
        found = forecast(session, session.app.of("reminder")["prospects_created"])
    # nobody has created one: the six representatives (not those above them, who have the rights too) and two managers
    assert (found.records, found.people, found.lines) == (6, 8, 12)
    assert rows(f, "reminder_match", "id") == rows(f, "reminder_notice", "id") == []


def test_reminders_of_a_time_of_day_come_together(f: World) -> None:
    f.clock.set(T0 + timedelta(days=1))
    with f.site.session(write=True) as session:
        enqueue(session, "remind", {"every": "0 9 * * *"})
    Worker(f.site).run_all()
    assert len(told(f, "zhangsan")) == 1
