"""Golden path G6 in the browser: imported, assigned, idle, warned, back in the pool, claimed by one of two, given away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.bootstrap import init_site
from runtime.clock import FakeClock
from runtime.decisions.returns import run_returns
from runtime.exchange.imports import Request, import_file
from runtime.seed import load_data
from runtime.site import Site
from tests.browser.conftest import DESKTOP, PHONE, serving, sync_api
from web.app import create_app

pytestmark = pytest.mark.browser
expect = sync_api.expect
PEOPLE = Path(__file__).parents[2] / "data" / "demo" / "10_people.yaml"
T0 = datetime(2026, 3, 16, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
NAME = "黄金路径机械有限公司"


class Stage:
    """A site on a clock of its own, served on a free port."""

    def __init__(self, site: Site, clock: FakeClock, address: str) -> None:
        self.site, self.clock, self.address = site, clock, address

    def user(self, login: str) -> int:
        with self.site.session() as session:
            person = session.table("user")
            found: int = session.connection.scalars(sa.select(person.c.id).where(person.c.login == login)).one()
            return found

    def log(self) -> list[str]:
        with self.site.session() as session:
            table = session.table("ownership_log")
            return list(session.connection.scalars(sa.select(table.c.reason).order_by(table.c.id)))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    clock = FakeClock(T0)
    site = init_site(tmp_path / "site", admin_password="octavo-demo", clock=clock).site
    with site.session(write=True) as session:
        load_data(session, PEOPLE)
    with serving(create_app(site, testing=True)) as address:
        yield Stage(site, clock, address)
    site.close()


def sign_in(
    browser: sync_api.Browser, stage: Stage, login: str, viewport: dict[str, int] = DESKTOP, language: str = "zh"
) -> sync_api.Page:
    page = browser.new_context(viewport=viewport, has_touch=viewport is PHONE).new_page()
    page.context.add_cookies([{"name": "octavo-language", "value": language, "url": stage.address}])
    page.goto(f"{stage.address}/sign-in")
    page.fill("#login", login)
    page.fill("#password", "octavo-demo")
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{stage.address}/")
    return page


@pytest.mark.mission("CU-25")
@pytest.mark.mission("CU-26")
def test_golden_path_6(stage: Stage, chromium: sync_api.Browser, tmp_path: Path) -> None:
    file = tmp_path / "prospects.csv"
    file.write_text(f"客户名称,区域,行业,来源,总机\n{NAME},华东,C34,展会,0512-66778899", encoding="utf-8")
    mapping = {"客户名称": "name", "区域": "region", "行业": "industry.code", "来源": "source", "总机": "phone"}
    status = import_file(
        stage.site, "customer", file, user_id=stage.user("mk"), name=file.name, request=Request(mapping=mapping)
    )
    assert status.created == 1  # CU-23
    owner = sign_in(chromium, stage, "zhangsan")  # CU-24: the first of E1 in turn
    expect(owner.locator(".home-assigned")).to_contain_text(NAME)
    stage.clock.advance(days=12)
    assert run_returns(stage.site)["warned"] == 1
    owner = sign_in(chromium, stage, "zhangsan")  # twelve days later the session is over
    owner.goto(f"{stage.address}/pools")
    expect(owner.locator(".pool-coming")).to_contain_text("3 天后回收")
    stage.clock.advance(days=3)
    assert run_returns(stage.site)["returned"] == 1  # CU-25
    first, second = sign_in(chromium, stage, "lisi"), sign_in(chromium, stage, "zhaoliu", PHONE)
    for page in (first, second):
        page.goto(f"{stage.address}/pools/customers_east")
        row = page.locator(".pool-table tbody tr", has_text=NAME)
        expect(row).to_contain_text("张三")
        expect(row).to_contain_text("15 天未跟进")
        expect(row.locator(".masked")).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("66778899")
    assert second.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    first.click("[data-claim]")
    second.click("[data-claim]")
    expect(first.locator("#toasts")).to_contain_text("已领取")
    expect(second.locator("#toasts")).to_contain_text("已经被别人领走了")
    manager = sign_in(chromium, stage, "wang", language="en")
    with stage.site.session() as session:
        table = session.table("customer")
        record, holder = session.connection.execute(
            sa.select(table.c.id, table.c.owner).where(table.c.name == NAME)
        ).one()
    assert holder == stage.user("lisi")
    first.goto(f"{stage.address}/e/customer/{record}")
    expect(first.locator("#panel-ownership")).to_contain_text("领取")
    first.goto(f"{stage.address}/e/customer/{record}/actions/return")
    first.fill("[name=reason]", "客户暂无预算")
    first.click("[data-save]")
    expect(first.locator("#toasts")).to_contain_text("已退回公海-华东")
    assert stage.log() == ["assigned", "recycled", "claimed", "returned"]  # four lines, one winner
    first.goto(f"{stage.address}/pools/customers_east")
    first.click("[data-claim]")
    expect(first.locator("#toasts")).to_contain_text("原负责人")  # CU-26: the cool-down of seven days
    manager.goto(f"{stage.address}/pools/customers_east")
    manager.check(".pool-table input[name=id]")
    manager.fill("#pool-person", "孙七")
    manager.click(".lookup-list [role=option]")
    manager.click("#pool-bulk button.btn")
    expect(manager.locator("#toasts")).to_contain_text("孙七")
    assert stage.log()[4:] == ["assigned"]


@pytest.mark.mission("CU-26")
def test_a_claim_that_a_manager_agrees_to(stage: Stage, chromium: sync_api.Browser) -> None:
    """Asked for on the phone, seen as waiting by all, agreed to by the manager in dark mode."""
    with stage.site.session(write=True) as session:
        table = session.table("region")
        east = session.connection.scalar(sa.select(table.c.id).where(table.c.code == "east"))
        values = {"name": NAME, "type": "key", "region": east, "pool": "customers_east", "phone": "0512-66778899"}
        record = records.create(session, "customer", values).id
    rep, other = sign_in(chromium, stage, "zhangsan", PHONE), sign_in(chromium, stage, "lisi")
    rep.goto(f"{stage.address}/pools/customers_east")
    expect(rep.locator("[data-claim]")).to_contain_text("申请领取")
    rep.click("[data-claim]")
    expect(rep.locator("#toasts")).to_contain_text("您已申请领取，等待")
    assert rep.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    other.goto(f"{stage.address}/pools/customers_east")
    expect(other.locator(".pool-asks")).to_contain_text("张三申请领取，等待")
    expect(other.locator("[data-claim]")).to_have_count(0)
    manager = sign_in(chromium, stage, "wang", language="en")
    manager.emulate_media(color_scheme="dark")
    manager.goto(f"{stage.address}/pools/customers_east")
    waiting = manager.locator(".pool-asked")
    expect(waiting).to_contain_text(NAME)
    waiting.locator("input[name=note]").fill("已沟通")
    waiting.locator("button[value=agree]").click()
    expect(manager.locator("#toasts")).to_contain_text("gone to who asked")
    rep.goto(f"{stage.address}/e/customer/{record}")
    expect(rep.locator("#panel-ownership")).to_contain_text("王经理同意领取：已沟通")
    rep.goto(f"{stage.address}/notifications")
    expect(rep.locator("main")).to_contain_text(f"王经理同意您领取“{NAME}”")


@pytest.mark.mission("LD-05")
def test_who_gets_a_lead_sees_it_on_the_bell_without_a_reload_and_on_the_overview(
    stage: Stage, chromium: sync_api.Browser
) -> None:
    rep = sign_in(chromium, stage, "lisi")
    rep.clock.install()
    rep.goto(f"{stage.address}/")
    expect(rep.locator(".home-assigned")).to_have_count(0)
    expect(rep.locator(".bell-count")).to_have_count(0)
    with stage.site.session(stage.user("mk"), write=True, channel="form") as session:
        table = session.table("user")
        session.connection.execute(sa.update(table).where(table.c.login == "zhangsan").values(status="on_leave"))
        values = {"company": "新线索机械", "phone": "13900000001", "owner": None}
        for name, code in (("region", "east"), ("industry", "C34")):
            found = session.table(name)
            values[name] = session.connection.scalar(sa.select(found.c.id).where(found.c.code == code))
        records.create(session, "lead", values)
    rep.clock.fast_forward(21_000)
    expect(rep.locator(".bell-count")).to_have_text("1")
    rep.reload()
    expect(rep.locator(".home-assigned")).to_contain_text("新线索机械")
