"""Sample data from the page: one click loads them, another removes what nobody changed or needs; nobody in them signs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime import records, samples
from runtime.bootstrap import data_folders, init_site
from runtime.clock import FakeClock
from runtime.jobs.worker import Worker
from runtime.schema.internal import password as password_table
from runtime.security.sessions import set_password
from runtime.settings import Settings, new_secret, write_settings
from runtime.site import Site
from tests.databases import WHOLE, database_of
from tests.web.conftest import PASSWORD, Browser
from web.app import create_app
from web.cli import run

PEOPLE = """
records: unit
match: code
rows: [{code: SU, name: 示例部门, kind: company}]
---
records: user
match: login
rows:
  - {login: sample_one, name: 样一, unit: {code: SU}, password: octavo-demo, roles: [{role: sales_rep}]}
  - {login: sample_two, name: 样二, unit: {code: SU}, password: octavo-demo, roles: [{role: sales_rep}]}
"""
WORK = """
records: customer
rows:
  - {kind: company, name: 样品甲机械有限公司, phone: "021-60000001", owner: {login: sample_one}}
  - {kind: company, name: 样品乙贸易有限公司, phone: "021-60000002", owner: {login: sample_two}}
---
records: contact
rows:
  - {name: 甲联系人, customer: {name: 样品甲机械有限公司}, mobile: "13900000001", owner: {login: sample_one}}
  - {name: 乙联系人, customer: {name: 样品乙贸易有限公司}, mobile: "13900000002", owner: {login: sample_two}}
"""
LOADED = {"contact": 2, "customer": 2, "unit": 1, "user": 2}


def write_sample(folder: Path) -> Path:
    """A data folder with a few sample records."""
    (folder / "demo").mkdir(parents=True)
    (folder / "demo" / "10_people.yaml").write_text(PEOPLE, "utf-8")
    (folder / "demo" / "20_work.yaml").write_text(WORK, "utf-8")
    return folder


@pytest.fixture
def real(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site without data whose packages bring a few sample records."""
    data = write_sample(tmp_path / "data")
    monkeypatch.setattr("runtime.bootstrap.data_folders", lambda *_: [("sample", data)])
    folder = tmp_path / "s"
    folder.mkdir()
    with database_of(database, tmp_path) as url:
        settings = Settings(folder=folder, database_url=url, secret_key=new_secret())
        with init_site(folder, settings=settings, seed=False, admin_password=PASSWORD).site as made:
            yield made


def signed_in(site: Site, login: str = "admin") -> Browser:
    browser = Browser(create_app(site, testing=True).test_client())
    assert browser.sign_in(login).status_code == 303
    browser.post("/preferences", {"language": "zh", "next": "/"})
    return browser


def counted(site: Site) -> dict[str, int]:
    with site.session() as session:
        return samples.counts(session)


def number_of(site: Site, entity: str, **wanted: object) -> int:
    with site.session() as session:
        table = session.table(entity)
        same = [table.c[name] == value for name, value in wanted.items()]
        found = session.connection.scalar(sa.select(table.c.id).where(*same, table.c.deleted_at.is_(None)))
        return int(found or 0)


def living(site: Site) -> set[str]:
    with site.session() as session:
        found = set()
        for name in ("customer", "contact"):
            table = session.table(name)
            found |= set(session.connection.scalars(sa.select(table.c.name).where(table.c.deleted_at.is_(None))))
        return found


@pytest.mark.experience(32)
def test_one_click_loads_once_and_another_removes_all(real: Site) -> None:
    browser = signed_in(real)
    assert 'action="/samples/load"' in browser.get("/e/customer").text
    assert 'action="/samples/load"' in browser.get("/").text
    assert 'action="/samples/load"' not in browser.get("/e/customer?q=nobody").text
    assert browser.post("/samples/load").headers["Location"] == "/samples"
    browser.post("/samples/load")
    assert "正在加载" in browser.get("/samples").text
    Worker(real).run_all()
    browser.post("/samples/load")
    Worker(real).run_all()
    assert counted(real) == LOADED
    assert living(real) == {"样品甲机械有限公司", "样品乙贸易有限公司", "甲联系人", "乙联系人"}
    assert "示例数据已加载" in browser.get("/notifications").text
    assert 'href="/samples"' in browser.get("/").text
    assert 'action="/samples/load"' not in browser.get("/e/campaign").text
    assert 'action="/samples/remove"' in browser.get("/samples").text
    assert browser.post("/samples/remove").status_code == 303
    browser.post("/samples/remove")
    Worker(real).run_all()
    with real.session() as session:
        now = samples.status(session)
    assert (now.state, now.removed, now.kept) == ("removed", 7, ())
    assert living(real) == set()
    assert counted(real) == {}
    assert 'id="home-samples"' in browser.get("/").text  # empty again: offered again
    browser.post("/samples/load")
    Worker(real).run_all()
    assert counted(real) == LOADED


@pytest.mark.experience(32)
def test_what_people_changed_or_use_is_kept_with_what_it_needs(real: Site) -> None:
    browser = signed_in(real)
    browser.post("/samples/load")
    Worker(real).run_all()
    first = number_of(real, "customer", name="样品甲机械有限公司")
    admin = number_of(real, "user", login="admin")
    with real.session(admin, write=True) as session:
        own = records.create(session, "contact", {"name": "我的联系人", "customer": first, "mobile": "13911112222"}).id
        changed = number_of(real, "contact", name="乙联系人")
        records.update(session, "contact", changed, {"name": "乙改名"})
    browser.post("/samples/remove")
    Worker(real).run_all()
    assert living(real) == {"样品甲机械有限公司", "样品乙贸易有限公司", "我的联系人", "乙改名"}
    with real.session() as session:
        now = samples.status(session)
    why = {(entity, record): reason for entity, record, reason, _text in now.kept}
    assert why[("customer", first)] == "used"
    assert why[("contact", changed)] == "changed"
    assert why[("customer", number_of(real, "customer", name="样品乙贸易有限公司"))] == "needed"
    assert {reason for (entity, _), reason in why.items() if entity == "user"} <= {"needed", "used"}
    assert (now.removed, now.kept_count) == (1, 6)
    page = browser.get("/samples").text
    assert "已被用户修改" in page
    assert "我的联系人" in page
    assert "被保留的“" in page
    assert "1 条示例记录已移入回收站，6 条保留" in page
    with real.session(admin, write=True) as session:  # what held it is gone: it can be removed now
        records.delete(session, "contact", own)
    browser.post("/samples/remove")
    Worker(real).run_all()
    assert living(real) == {"样品乙贸易有限公司", "乙改名"}


@pytest.mark.experience(32)
def test_nobody_of_the_sample_can_sign_in(real: Site) -> None:
    browser = signed_in(real)
    browser.post("/samples/load")
    Worker(real).run_all()
    person = number_of(real, "user", login="sample_one")
    with real.session(write=True) as session:
        table = password_table
        assert session.connection.scalar(sa.select(table.c.hash).where(table.c.user_id == person)) is None
    stranger = Browser(create_app(real, testing=True).test_client())
    assert stranger.sign_in("sample_one", "octavo-demo").status_code != 303
    with real.session(write=True) as session:  # somebody gave the person a password, and works in that name
        set_password(session, person, PASSWORD)
    worker = signed_in(real, "sample_one")
    with real.session(person, write=True) as session:
        records.create(session, "customer", {"kind": "company", "name": "自己的客户有限公司", "phone": "021-61111111"})
    browser.post("/samples/remove")
    Worker(real).run_all()
    assert "自己的客户有限公司" in living(real)
    assert worker.get("/e/customer").status_code == 303
    assert stranger.sign_in("sample_one").status_code != 303


@pytest.mark.experience(32)
def test_only_administrators_load_and_remove(real: Site) -> None:
    admin = number_of(real, "user", login="admin")
    with real.session(admin, write=True) as session:
        given = {"login": "rep", "name": "代表", "roles": [{"role": "sales_rep"}]}
        set_password(session, records.create(session, "user", given).id, PASSWORD)
    browser = signed_in(real, "rep")
    assert "/samples" not in browser.get("/e/customer").text
    assert "/samples" not in browser.get("/").text
    assert browser.get("/samples").status_code == 403
    assert browser.post("/samples/load").status_code == 403
    assert browser.post("/samples/remove").status_code == 403
    Worker(real).run_all()
    assert living(real) == set()
    boss = signed_in(real)
    boss.token = "forged"
    assert boss.post("/samples/load").status_code == 400
    boss.get("/")
    assert boss.post("/samples/remove").status_code == 409  # there are none


def test_what_cannot_be_loaded_says_so_and_is_taken_up_again(real: Site, tmp_path: Path) -> None:
    bad = tmp_path / "data" / "demo" / "30_bad.yaml"
    bad.write_text("records: customer\nrows: [{name: 坏, owner: {login: nobody_there}}]\n", "utf-8")
    browser = signed_in(real)
    browser.post("/samples/load")
    Worker(real).run_all()
    page = browser.get("/samples").text
    assert "30_bad.yaml" in page
    assert 'action="/samples/load"' in page
    bad.unlink()
    browser.post("/samples/load")
    Worker(real).run_all()
    assert counted(real) == LOADED


def test_the_command_loads_and_removes(real: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_LANG", "en")
    monkeypatch.setenv("OCTAVO_SITE", str(real.folder))
    monkeypatch.delenv("OCTAVO_DATABASE_URL", raising=False)
    write_settings(real.settings)
    assert run(["sample", "remove"]) == 1
    assert run(["sample", "load"]) == 0
    assert counted(real) == LOADED
    assert run(["sample", "load"]) == 1
    assert counted(real) == LOADED
    assert run(["sample", "remove"]) == 0
    assert living(real) == set()


@pytest.mark.skipif(not WHOLE, reason="two minutes: with OCTAVO_WHOLE=1")
def test_the_sample_of_the_stock_application_goes_without_a_rest(tmp_path: Path) -> None:
    with init_site(tmp_path / "s", clock=FakeClock("2026-03-16T02:00:00+00:00")).site as site:
        assert data_folders(site.settings)
        with site.session(number_of(site, "user", login="admin"), write=True) as session:
            assert samples.start_loading(session)
        Worker(site).run_all()
        assert sum(counted(site).values()) > 1000
        with site.session(number_of(site, "user", login="admin"), write=True) as session:
            samples.start_removing(session)
        Worker(site).run_all()
        with site.session() as session:
            now = samples.status(session)
        assert (now.state, now.kept) == ("removed", ())
        assert counted(site) == {}
