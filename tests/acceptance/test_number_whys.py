"""Why a record has its number, told by API, command and page: its parts, what was passed over, the check digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions, explain
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from runtime.schema.internal import counter
from runtime.security.sessions import set_password
from runtime.settings import new_secret, write_settings
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from tests.web.conftest import PASSWORD, Browser
from web.app import create_app
from web.cli import run as octavo


@pytest.fixture
def w(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        world.create(None, "member_plan", code="ZX", name="尊享")
        world.create(None, "store", code="21", name="南京路店")
        yield world


def enrol(w: World, passed: int, **values: Any) -> int:
    """A member enrolled when the counter has come to `passed`."""
    with w.as_(None, write=True) as session:
        session.connection.execute(sa.delete(counter).where(counter.c.name == "member"))
        given = {"name": "member", "prefix": "ZX021{}-", "value": passed}
        session.connection.execute(sa.insert(counter).values(**given))
    person = w.create(None, "customer", name=f"顾客{passed}", kind="person")
    known = {"plan": w.id("member_plan", code="ZX"), "store": w.id("store", code="21")}
    return w.create(None, "member", customer=person, **known, **values)


def told(w: World, entity: str, record: int, login: str | None = "admin") -> dict[str, Any]:
    with w.as_(login) as session:
        return explain.why(session, entity, record, "numbering")


def said(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["label"], step["result"]) for step in found["steps"]]


@pytest.mark.mission("ME-03", "ME-04")
def test_each_part_of_a_number_is_told(w: World) -> None:
    member = enrol(w, 123)
    found = told(w, "member", member)
    assert "ZX021000125-" in found["summary"]
    assert "{plan.code}{store.code:3}{seq:6}-{check}" in found["summary"]
    assert said(found)[:4] == [
        ("会员计划 / 编码", "ZX"), ("入会门店 / 编码", "021"), ("流水号", "000125"), ("跳过", "000124")
    ]  # fmt: skip
    assert found["steps"][2]["why"] == "由计数器依次给出，给出的号不再给出；编号中字段的每组值从 1 重新计数"
    assert "*4*" in found["steps"][3]["why"]
    check = found["steps"][-1]
    assert check["label"] == "校验位"
    assert check["why"].startswith("由 ZX021000125- 算出：从左起各数字依次乘 7、3、1")
    vip = enrol(w, 887)
    assert ("跳过", "000888") in said(told(w, "member", vip))
    with w.as_("admin", write=True) as session:
        actions.run(session, "member", vip, "grant_number", {"sequence": "000888"})
    sequence = next(s for s in told(w, "member", vip)["steps"] if s["label"] == "流水号")
    assert sequence["result"] == "000888"
    with w.as_("admin") as session:
        assert session.user.name in sequence["why"]
        assert session.today.isoformat() in sequence["why"]


@pytest.mark.mission("ME-03")
def test_what_was_not_given_by_the_rule_and_what_changed_since_is_said(w: World) -> None:
    typed = enrol(w, 5, number="M-1")
    assert told(w, "member", typed)["steps"] == []
    assert "M-1" in told(w, "member", typed)["summary"]
    wrong = enrol(w, 6, number="ZX021000003-1")
    assert "应为" in told(w, "member", wrong)["steps"][-1]["why"]
    ahead = enrol(w, 7, number="ZX021000900-1")
    assert next(s for s in told(w, "member", ahead)["steps"] if s["label"] == "流水号")["why"].startswith("不是计数器")
    member = enrol(w, 9)
    w.update(None, "member_plan", w.id("member_plan", code="ZX"), code="ZY")
    first = told(w, "member", member)["steps"][0]
    assert (first["result"], "ZY" in first["why"]) == ("ZX", True)


ROLES = """
role: member_desk
label: {zh: 会员台, en: Desk}
grants: {member: {read: all}, member_plan: {read: all, hide: [code]}, customer: {read: all}}
---
role: member_blind
label: {zh: 不见号, en: Blind}
grants: {member: {read: all, hide: [number]}}
"""


def person(w: World, login: str, role: str) -> None:
    w.create(None, "user", login=login, name=login, status="active", roles=[{"role": role}])
    w.site.forget_people()


@pytest.mark.mission("ME-03")
def test_what_is_hidden_is_neither_named_nor_shown(w: World) -> None:
    member = enrol(w, 0)
    publish(w.site, with_site_files(current_layers(w.site), {"rules/desks.yaml": ROLES}), "desks")
    person(w, "desk", "member_desk")
    person(w, "blind", "member_blind")
    found = told(w, "member", member, "desk")
    assert said(found)[:3] == [("您无权查看的字段", "—"), ("您无权查看的字段", "—"), ("流水号", "000001")]
    assert "plan" not in json.dumps(found)  # neither the hidden field nor the store that cannot be read
    assert "store" not in json.dumps(found)
    blind = told(w, "member", member, "blind")
    assert blind["steps"] == []
    assert "ZX" not in json.dumps(blind)
    assert w.api("blind", "GET", f"/member/{member}/explain/number").status_code == 404


@pytest.mark.mission("ME-03")
def test_the_field_is_explained_alike_by_api_command_and_page(
    w: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(replace(w.site.settings, secret_key=new_secret()))
    member = enrol(w, 123)
    by_api = w.api("admin", "GET", f"/member/{member}/explain/number", headers={"Accept-Language": "zh-CN"}).json
    assert by_api["numbering"] == told(w, "member", member)
    assert by_api["numbering"]["steps"]
    monkeypatch.setenv("OCTAVO_SITE", str(w.site.folder))
    monkeypatch.setenv("OCTAVO_LANG", "zh")
    asked = ["explain", "formula", "member", str(member), "number", "--user", "admin"]
    capsys.readouterr()
    assert octavo(["--json", *asked]) == 0
    assert json.loads(capsys.readouterr().out) == by_api
    assert octavo(asked) == 0
    printed = capsys.readouterr().out
    with w.site.session(write=True) as session:
        set_password(session, w.user("admin"), PASSWORD)
    browser = Browser(create_app(w.site, testing=True).test_client())
    assert browser.sign_in("admin").status_code == 303
    header = {"Accept-Language": "zh-CN"}
    shown = browser.get(f"/e/member/{member}/why/number", headers=header).text
    for step in by_api["numbering"]["steps"]:
        assert all(step[key] in printed and step[key] in shown for key in ("label", "result", "why"))
    assert "由编号规则给出" in browser.get(f"/e/member/{member}/why", headers=header).text
