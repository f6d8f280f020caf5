"""Records with their related records in one sheet: customers with contacts, told truly, idempotent, taken back whole."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime.commands.data import run_import as run_command
from runtime.exchange import Request, Status, import_file, preview, undo_import
from runtime.exchange import imports as imports_module
from runtime.exchange.mapping import BadMapping
from runtime.exchange.state import all_refused, status
from runtime.exchange.undo import forget
from runtime.exchange.unknown import unknown_values
from runtime.publishing.publish import publish
from runtime.records import update
from runtime.schema.internal_exchange import import_member
from runtime.security.tokens import create_token
from runtime.site import Site
from tests.exchange.conftest import APPLICATION
from web.app import create_app

PEOPLE = """
---
entity: contact
label: {zh: 联系人, en: Contact}
plural: {zh: 联系人, en: Contacts}
title: name
owner: owner
fields:
  name:   {type: text, required: true, max: 30, label: {zh: 姓名, en: Name}}
  firm:   {type: link, to: firm, required: true, on_delete: cascade, label: {zh: 企业, en: Firm}}
  boss:   {type: link, to: contact, on_delete: clear, label: {zh: 上级, en: Boss}}
  mobile: {type: phone, label: {zh: 手机, en: Mobile}}
  role:   {type: select, options: firm_tag, label: {zh: 角色, en: Role}}
  wage:   {type: money, sensitive: true, label: {zh: 工资, en: Wage}}
  owner:  {type: user, default: "=firm.owner", label: {zh: 负责人, en: Owner}}
  calls:  {type: related, entity: call, by: contact, label: {zh: 沟通, en: Calls}}
checks:
  - {name: same_firm, must: "boss is None or boss.firm == firm", fields: [boss], message: {zh: 上级须属同一企业, en: Another firm}}
---
entity: call
label: {zh: 沟通, en: Call}
plural: {zh: 沟通, en: Calls}
title: subject
fields:
  subject: {type: text, required: true, label: {zh: 主题, en: Subject}}
  at:      {type: datetime, label: {zh: 时间, en: At}}
  firm:    {type: link, to: firm, label: {zh: 企业, en: Firm}}
  contact: {type: link, to: contact, label: {zh: 联系人, en: Contact}}
activity: {at: at, text: subject}
"""
RELATED = """
  contacts: {type: related, entity: contact, by: firm, label: {zh: 客户联系人, en: People}}
  calls: {type: related, entity: call, by: firm, label: {zh: 沟通记录, en: Calls}}
  people: {type: integer, formula: "contacts.count()", label: {zh: 人数, en: Heads}}
checks:
  - {name: staffed"""
GRANTS = """  contact: {read: own, create: own, edit: own, import: own, delete: own}
  call: {read: all, create: all, edit: all, delete: all}
  user: {read: all}
---
role: reader"""
SHEET = """企业名称,电话,联系人.姓名,联系人/手机,联系人角色
甲公司,010-62345678,张三,13800138001,重点
,,李四,13800138002,
乙公司,,王五,,
丙公司,,,,
"""
NEW = {"created": 3, "updated": 0, "same": 0, "skipped": 0}


@pytest.fixture
def crm(site: Site) -> Site:
    return publish_people(site)


@pytest.fixture
def light(lite: Site) -> Site:
    return publish_people(lite)


def publish_people(site: Site) -> Site:
    text = APPLICATION.replace("\nchecks:\n  - {name: staffed", RELATED, 1)
    text = text.replace("  user: {read: all}\n---\nrole: reader", GRANTS, 1)
    text = text.replace(
        "firm: {read: own, create: own, edit: own, ", "firm: {read: own, create: own, edit: own, delete: own, "
    )
    publish(site, [platform(), load_texts({"entities/firm.yaml": text + PEOPLE}, "site")])
    return site


def sheet(folder: Path, text: str, name: str = "firms.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def people(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """`{firm: [(name, mobile, role, boss)]}` of what is there, oldest first."""
    with site.session() as session:
        firm, contact = session.table("firm"), session.table("contact")
        boss = contact.alias()
        living = sa.select(firm.c.name).where(firm.c.deleted_at.is_(None)).order_by(firm.c.id)
        found: dict[str, list[Any]] = {name: [] for name in session.connection.scalars(living)}
        rows = (
            sa.select(firm.c.name, contact.c.name, contact.c.mobile, contact.c.role, boss.c.name)
            .select_from(contact.join(firm, contact.c.firm == firm.c.id).outerjoin(boss, contact.c.boss == boss.c.id))
            .where(contact.c.deleted_at.is_(None))
            .order_by(contact.c.id)
        )
        for name, *row in session.connection.execute(rows):
            found[name].append(tuple(row))
    return found


def figures(found: Status) -> tuple[int, int, int, int]:
    return (found.created, found.updated, found.same, found.rejected)


def refusals(site: Site, import_id: int) -> dict[int, list[tuple[str | None, str]]]:
    with site.session() as session:
        return {row[0]: [(p["column"], p["code"]) for p in told] for row, told in all_refused(session, import_id)}


def both(site: Site, path: Path, user: int | None = 1, **asked: Any) -> Status:
    """The trial, then the run; they must say the same."""
    before = people(site)
    tried = import_file(site, "firm", path, user_id=user, request=Request(dry_run=True, **asked))
    assert people(site) == before
    done = import_file(site, "firm", path, user_id=user, request=Request(**asked))
    assert (figures(tried), tried.skipped, tried.related) == (figures(done), done.skipped, done.related)
    assert refusals(site, tried.id) == refusals(site, done.id)
    assert done.done == done.total
    return done


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("contacts.name", "contacts.name"),
        ("contact.name", "contacts.name"),
        ("联系人.姓名", "contacts.name"),
        ("客户联系人/手机", "contacts.mobile"),
        ("联系人姓名", "contacts.name"),
        ("Contact name", "contacts.name"),
        ("People/Boss", "contacts.boss"),
        ("联系人.负责人.login", "contacts.owner.login"),
        ("contacts.firm", None),  # the link back is the row itself
        ("联系人.沟通.主题", None),  # two steps down
        ("客户联系人", None),  # a list is no cell
        ("联系人.工资", None),  # hidden from this person
        ("沟通.主题", None),  # may be read, not imported
    ],
)
def test_columns_of_related_records_are_understood(light: Site, tmp_path: Path, header: str, path: str | None) -> None:
    file = sheet(tmp_path, f"企业名称,{header}\n甲,x\n")
    with light.session(1) as session:
        assert preview(session, "firm", file, file.name).columns[1].path == path


def test_what_a_person_may_not_import_cannot_be_asked_for(light: Site, tmp_path: Path) -> None:
    file = sheet(tmp_path, "企业名称,谁\n甲,x\n")
    with light.session(1) as session:
        for path in ("contacts.wage", "contacts.firm", "calls.subject", "contacts.calls.subject"):
            with pytest.raises(BadMapping):
                preview(session, "firm", file, file.name, Request(mapping={"谁": path}))
        for match in ("contacts.wage", "contacts.mobile", "calls.at"):
            with pytest.raises(BadMapping):
                preview(session, "firm", file, file.name, Request(mapping={"谁": "contacts.name"}, match=(match,)))


def test_records_land_with_their_related_ones(crm: Site, tmp_path: Path) -> None:
    done = both(crm, sheet(tmp_path, SHEET))
    assert (figures(done), done.related) == ((3, 0, 0, 0), {"contacts": NEW})
    assert people(crm) == {
        "甲公司": [("张三", "13800138001", "key", None), ("李四", "13800138002", None, None)],
        "乙公司": [("王五", None, None, None)],
        "丙公司": [],
    }
    with crm.session() as session:
        contact = session.table("contact")
        assert set(session.connection.scalars(sa.select(contact.c.owner))) == {1}  # a default that asks the firm


def test_the_same_file_changes_nothing_and_a_changed_one_only_what_differs(crm: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path, SHEET)
    first = both(crm, path)
    before = people(crm)
    assert import_file(crm, "firm", path, user_id=1).id == first.id  # the very same import
    assert people(crm) == before
    same = both(crm, path, match=("name",))
    assert (figures(same), same.related) == ((0, 0, 3, 0), {"contacts": {**NEW, "created": 0, "same": 3}})
    assert people(crm) == before
    changed = "企业名称,联系人/姓名,联系人/手机\n甲公司,李四,13900139002\n甲公司,赵六,\n丁公司,钱七,\n"
    done = both(crm, sheet(tmp_path, changed, "b.csv"), match=("name",))
    assert (figures(done), done.related) == (
        (1, 0, 1, 0),
        {"contacts": {"created": 2, "updated": 1, "same": 0, "skipped": 0}},
    )
    found = people(crm)
    assert [row[:2] for row in found["甲公司"]] == [("张三", "13800138001"), ("李四", "13900139002"), ("赵六", None)]
    assert [row[0] for row in found["丁公司"]] == ["钱七"]
    undone = undo_import(crm, done.id, user_id=1)
    assert (undone.removed, undone.restored, undone.kept, dict(undone.related)) == (3, 1, (), {})
    assert people(crm) == before


def test_a_key_of_their_own_finds_them_within_their_record(crm: Site, tmp_path: Path) -> None:
    both(crm, sheet(tmp_path, SHEET))
    renamed = "企业名称,联系人/姓名,联系人/手机\n甲公司,张三丰,13800138001\n乙公司,张三,13800138001\n"
    done = both(crm, sheet(tmp_path, renamed, "b.csv"), match=("name", "contacts.mobile"))
    assert done.related == {"contacts": {"created": 1, "updated": 1, "same": 0, "skipped": 0}}
    assert [row[0] for row in people(crm)["甲公司"]] == ["张三丰", "李四"]
    assert [row[0] for row in people(crm)["乙公司"]] == ["王五", "张三"]
    wrong = "企业名称,联系人/姓名,联系人/手机\n甲公司,一,13800138009\n,二,13800138009\n乙公司,三,\n"
    refused = both(crm, sheet(tmp_path, wrong, "c.csv"), match=("name", "contacts.mobile"))
    assert refusals(crm, refused.id) == {
        2: [(None, "import.held_back")],
        3: [("联系人/手机", "import.key_twice")],
        4: [("联系人/手机", "import.empty_key")],
    }


def test_modes_count_for_each_record(crm: Site, tmp_path: Path) -> None:
    both(crm, sheet(tmp_path, SHEET))
    more = "企业名称,联系人/姓名,联系人/手机\n甲公司,张三,13700137000\n甲公司,孙八,\n戊公司,周九,\n"
    path = sheet(tmp_path, more, "b.csv")
    only = both(crm, path, match=("name",), mode="update")
    assert (figures(only), only.skipped) == ((0, 0, 1, 0), 1)
    assert only.related == {"contacts": {"created": 0, "updated": 1, "same": 0, "skipped": 2}}
    added = both(crm, path, match=("name",), mode="add")
    assert (added.created, added.skipped) == (1, 1)
    assert added.related == {"contacts": {"created": 2, "updated": 0, "same": 0, "skipped": 1}}
    assert people(crm)["甲公司"][0][:2] == ("张三", "13700137000")


def test_a_bad_related_record_keeps_its_family_out_and_nobody_else(crm: Site, tmp_path: Path) -> None:
    text = (
        "企业名称,电话,联系人/姓名,联系人/手机,联系人/角色\n"
        "甲公司,,张三,13800138001,\n,,李四,123,\n"  # row 3: no phone number
        "乙公司,,王五,,没有\n"  # row 4: no such choice
        "丙公司,,,13800138003,\n"  # row 5: nobody called anything
        "丁公司,坏,钱七,12,\n"  # row 6: wrong in the record and below
        "戊公司,,周九,,重点\n"
    )
    done = both(crm, sheet(tmp_path, text))
    assert (figures(done), done.related) == ((1, 0, 0, 5), {"contacts": {**NEW, "created": 1}})
    assert refusals(crm, done.id) == {
        2: [(None, "import.held_back")],
        3: [("联系人/手机", "value.not_a_phone")],
        4: [("联系人/角色", "value.unknown_choice")],
        5: [("联系人/姓名", "required")],
        6: [("电话", "value.not_a_phone"), ("联系人/手机", "value.not_a_phone")],
    }
    assert people(crm) == {"戊公司": [("周九", None, "key", None)]}
    with crm.session(1) as session:
        assert [(u.field, u.text) for u in unknown_values(session, done.id)] == [("contacts.role", "没有")]


def test_what_was_refused_lands_with_its_family_once_it_may(crm: Site, tmp_path: Path) -> None:
    text = "企业名称,地区,联系人/姓名,联系人/负责人.login\n甲公司,,张三,dora\n,,李四,\n乙公司,,王五,\n"
    path = sheet(tmp_path, text)
    first = import_file(crm, "firm", path)
    assert (figures(first), first.related) == ((1, 0, 0, 2), {"contacts": {**NEW, "created": 1}})
    with crm.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        person = {"login": "dora", "name": "董", "status": "active"}
        session.connection.execute(sa.insert(session.table("user")).values(**person, **stamp))
    again = import_file(crm, "firm", path)
    assert (again.id, figures(again), again.related) == (first.id, (2, 0, 0, 0), {"contacts": NEW})
    assert [row[0] for row in people(crm)["甲公司"]] == ["张三", "李四"]


def test_they_may_name_each_other_further_up(crm: Site, tmp_path: Path) -> None:
    text = (
        "企业名称,联系人/姓名,联系人/上级\n"
        "甲公司,王总,\n,张三,王总\n,李四,张三\n"
        "乙公司,王总,\n,赵六,王总\n"  # the one of the same firm is meant
    )
    done = both(crm, sheet(tmp_path, text))
    assert (figures(done), people(crm)) == (
        (2, 0, 0, 0),
        {
            "甲公司": [("王总", None, None, None), ("张三", None, None, "王总"), ("李四", None, None, "张三")],
            "乙公司": [("王总", None, None, None), ("赵六", None, None, "王总")],
        },
    )
    again = both(crm, sheet(tmp_path, text + "\n", "b.csv"), match=("name",))
    assert again.related == {"contacts": {**NEW, "created": 0, "same": 5}}


def test_several_lists_in_one_sheet(crm: Site, tmp_path: Path) -> None:
    """As the system, which may import all: calls name contacts of the same rows; a repeated contact is one."""
    text = (
        "企业名称,联系人/姓名,沟通/主题,沟通/时间,沟通/联系人\n"
        "甲公司,张三,初次拜访,2026-03-02 10:00,张三\n"
        "甲公司,张三,初次拜访,2026-03-09 10:00,张三\n"
        "甲公司,李四,报价,2026-03-10 10:00,李四\n"
    )
    path = sheet(tmp_path, text)
    done = both(crm, path, user=None)
    assert done.related == {"contacts": {**NEW, "created": 2}, "calls": {**NEW, "created": 3}}
    same = both(crm, path, user=None, match=("name",))
    assert same.related == {
        "contacts": {**NEW, "created": 0, "same": 2},
        "calls": {**NEW, "created": 0, "same": 3},
    }
    undone = undo_import(crm, done.id)
    assert (undone.removed, undone.kept, people(crm)) == (6, (), {})
    with crm.session() as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(import_member)) == 0


def test_what_somebody_changed_since_stays_with_its_record(crm: Site, tmp_path: Path) -> None:
    done = both(crm, sheet(tmp_path, SHEET))
    with crm.session(1, write=True) as session:
        contact, firm = session.table("contact"), session.table("firm")
        changed = session.connection.scalar(sa.select(contact.c.id).where(contact.c.name == "李四"))
        owner = session.connection.scalar(sa.select(firm.c.id).where(firm.c.name == "甲公司"))
        update(session, "contact", changed or 0, {"mobile": "13800138999"})
    undone = undo_import(crm, done.id, user_id=1)
    assert (undone.removed, undone.kept, dict(undone.related)) == (4, (owner,), {"contact": (changed,)})
    assert {name: [row[0] for row in rows] for name, rows in people(crm).items()} == {"甲公司": ["李四"]}


def test_a_family_is_never_cut_and_a_stopped_import_goes_on(
    crm: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_module, "BATCH", 2)
    rows = "".join(f"企业{n},,\n" + "".join(f",人{n}-{m},\n" for m in range(n)) for n in range(5))
    bad = "坏企业,好人,\n,坏人,12\n"
    path = sheet(tmp_path, "企业名称,联系人/姓名,联系人/手机\n" + rows + bad)
    stops = iter([False, False, True])
    stopped = import_file(crm, "firm", path, user_id=1, stop=lambda: next(stops, False))
    assert (stopped.state, 0 < stopped.created < 5) == ("waiting", True)
    done = import_file(crm, "firm", path, user_id=1)
    assert (figures(done), done.done, done.related) == ((5, 0, 0, 2), 17, {"contacts": {**NEW, "created": 10}})
    assert {name: len(rows) for name, rows in people(crm).items()} == {f"企业{n}": n for n in range(5)}


def test_one_that_the_database_turns_away_is_saved_record_by_record(
    crm: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole batch fails together; singly only the family that fails stays out, and nothing of it is there."""
    monkeypatch.setattr(imports_module, "ROUNDS", 0)
    text = "企业名称,联系人/姓名,联系人/手机\n甲公司,张三,12\n乙公司,王五,13800138001\n,赵六,\n"
    done = both(crm, sheet(tmp_path, text))
    assert (figures(done), done.related) == ((1, 0, 0, 1), {"contacts": {**NEW, "created": 2}})
    assert list(people(crm)) == ["乙公司"]


def test_related_records_of_somebody_else_are_neither_seen_nor_changed(crm: Site, tmp_path: Path) -> None:
    both(crm, sheet(tmp_path, SHEET))
    before = people(crm)
    path = sheet(tmp_path, "企业名称,联系人/姓名,联系人/手机\n甲公司,张三,13700137000\n", "b.csv")
    done = import_file(crm, "firm", path, user_id=2, request=Request(match=("name",), mode="update"))
    assert (done.updated, done.skipped, done.related) == (0, 1, {"contacts": {**NEW, "created": 0, "skipped": 1}})
    assert people(crm) == before


def test_what_undoing_would_need_is_forgotten_after_a_day(light: Site, tmp_path: Path) -> None:
    done = import_file(light, "firm", sheet(tmp_path, SHEET), user_id=1)
    light.clock.advance(days=2)  # type: ignore[attr-defined]
    forget(light)
    with light.session(1) as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(import_member)) == 0
        assert status(session, done.id).related == {"contacts": NEW}


def test_by_api_and_command(light: Site, tmp_path: Path) -> None:
    with light.session(write=True) as session:
        token = create_token(session, 1, "t")
    client, headers = create_app(light, testing=True).test_client(), {"Authorization": f"Bearer {token}"}
    form = {"file": (io.BytesIO(SHEET.encode()), "firms.csv"), "entity": "firm", "match": "name,contacts.mobile"}
    refused = client.post("/api/v1/imports", data=form, headers=headers).json
    number = refused["id"]
    ran = client.post(f"/api/v1/imports/{number}/run", headers=headers).json
    assert (ran["created"], ran["rejected"], ran["related"]) == (2, 1, {"contacts": {**NEW, "created": 2}})
    assert list(people(light)) == ["甲公司", "丙公司"]  # nobody could find the contact without a number again
    done = run_command(light, "firm", sheet(tmp_path, SHEET), match="name, contacts.name", login="alice")
    assert (done.created, done.same, done.related) == (1, 2, {"contacts": {**NEW, "created": 1, "same": 2}})
