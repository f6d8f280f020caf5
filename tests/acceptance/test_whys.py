"""The explain promise: page, API and command line give the same answer for every kind of rule, and for access."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runtime import actions
from runtime.clock import SystemClock
from runtime.decisions import pooling
from runtime.explain import explainers
from runtime.jobs.queue import enqueue
from runtime.jobs.worker import Worker
from runtime.security.sessions import set_password
from runtime.settings import new_secret, write_settings
from tests.acceptance.both import fixture_f_on
from tests.acceptance.conftest import World
from tests.databases import postgres_answers
from tests.web.conftest import PASSWORD, Browser
from web.app import create_app
from web.cli import run as octavo

# what is explained -> whose record it is, the entity, and a word that has to be in the answer
PLACES = {
    "reminder": ("zhangsan", "customer", "张三"), "pool": ("zhangsan", "customer", "暂无预算"),
    "assignment": ("zhangsan", "customer", ""), "score": ("zhangsan", "customer", ""),
    "qualification": ("zhangsan", "customer", "未破产"), "workflow": ("zhangsan", "opportunity", "商机赢单"),
    "conversion": ("zhangsan", "opportunity", ""), "approval": ("zhangsan", "quote", "总监"),
    "pricing": ("zhangsan", "quote", "120"), "versions": ("zhangsan", "quote", ""),
    "ledger": ("pm", "stock_move", "10"), "numbering": ("pm", "stock_move", "KC{yyMM}-{seq:5}"), "access": ("zhangsan", "customer", "sales_rep"),
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, dict[str, int]]]:
    """A world in which a rule of every kind has decided something, and the record of each entity."""
    folder = tmp_path_factory.mktemp("whys") / "site"
    if request.param == "postgresql" and not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with fixture_f_on(request.param, folder) as f:
        write_settings(replace(f.site.settings, secret_key=new_secret()))
        p1, jacket = f.k("P1"), f.id("product", name="工装夹克")
        with f.site.session(write=True) as session:
            enqueue(session, "remind", {"names": ["prospect_unqualified"]})
        Worker(f.site).run_all()
        with f.as_("zhangsan", write=True) as session:
            actions.run(session, "customer", p1, "qualify", dict.fromkeys(("need", "budget", "decider"), "passed"))
        with f.as_("zhangsan", write=True) as session:
            pooling.give_back(session, "customer", p1, session.app.of("pool")["customers_east"], "暂无预算")
        f.clock.advance(days=8)
        with f.as_("zhangsan", write=True) as session:
            pooling.claim(session, "customer", p1)
        deal = f.create("zhangsan", "opportunity", name="单", customer=f.k("K1"), manual_amount=1)
        f.update("zhangsan", "opportunity", deal, stage="won")
        Worker(f.site).run_all()
        with f.as_("zhangsan", write=True) as session:
            actions.run(session, "opportunity", deal, "convert_opportunity_to_order", {})
        lines = [{"product": f.id("product", name="软件许可 A"), "quantity": 10, "discount": 25}]
        quote = f.create("zhangsan", "quote", customer=f.k("K1"), lines=lines)
        with f.as_("zhangsan", write=True) as session:
            actions.run(session, "quote", quote, "submit", {})
        place = f.create(None, "warehouse", code="MAIN", name="主仓")
        move = f.create("pm", "stock_move", product=jacket, warehouse=place, quantity=10, source="CG-1")
        for login in ("zhangsan", "pm"):
            with f.site.session(write=True) as session:
                set_password(session, f.user(login), PASSWORD)
        yield f, {"customer": p1, "opportunity": deal, "quote": quote, "stock_move": move}


@pytest.fixture(scope="module")
def browsers(told: tuple[World, dict[str, int]]) -> dict[str, Browser]:
    app = create_app(told[0].site, testing=True)
    return {login: Browser(app.test_client()) for login in ("zhangsan", "pm")}


def test_every_kind_that_explains_itself_is_asked() -> None:
    assert set(PLACES) == {*explainers(), "access"}


def shown(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("what", list(PLACES))
def test_page_api_and_command_give_the_same_answer(
    told: tuple[World, dict[str, int]],
    browsers: dict[str, Browser],
    what: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    f, places = told
    login, entity, word = PLACES[what]
    record = places[entity]
    answer = f.api(login, "GET", f"/{entity}/{record}/explain/{what}", headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 200, answer.json
    said: dict[str, Any] = answer.json
    assert said.get("summary") or said.get("steps") or said.get("operations")
    assert word in json.dumps(said, ensure_ascii=False)

    monkeypatch.setenv("OCTAVO_SITE", str(f.site.folder))
    monkeypatch.setenv("OCTAVO_LANG", "zh")
    monkeypatch.setattr(SystemClock, "now", lambda _: f.clock.now())
    capsys.readouterr()
    assert octavo(["--json", "explain", what, entity, str(record), "--user", login]) == 0
    by_command = json.loads(capsys.readouterr().out)
    assert by_command == said

    browser = browsers[login]
    if not browser.token:
        assert browser.sign_in(login).status_code == 303
    page = browser.get(f"/e/{entity}/{record}/decisions?of={what}", headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 200
    text = shown(page.text)
    for sentence in sentences(said):
        assert " ".join(sentence.split()) in text, (what, sentence)
    # who may not see the record is told nothing, in each of the three
    stranger = "chenwu"
    assert f.api(stranger, "GET", f"/{entity}/{record}/explain/{what}").status_code == 404
    assert octavo(["--json", "explain", what, entity, str(record), "--user", stranger]) == 1
    assert capsys.readouterr().out == ""


def sentences(said: dict[str, Any]) -> list[str]:
    """What a person has to read of an answer."""
    found = [said["summary"]] if said.get("summary") else []
    for step in said.get("steps") or ():
        found += [str(step[key]) for key in ("label", "why") if step.get(key)]
    for one in said.get("operations") or ():
        found += [f"{role['role']} {scope['scope']}" for role in one["roles"] for scope in role["scopes"]]
    return found


def test_what_is_no_kind_and_what_is_hidden_is_not_found(
    told: tuple[World, dict[str, int]], browsers: dict[str, Browser]
) -> None:
    f, places = told
    browser = browsers["zhangsan"]
    if not browser.token:
        assert browser.sign_in("zhangsan").status_code == 303
    assert browser.get(f"/e/quote/{places['quote']}/decisions").status_code == 200
    assert browser.get(f"/e/quote/{places['quote']}/decisions?of=nothing").status_code == 404
    assert browser.get(f"/e/quote/{places['quote']}/decisions?of=reminder").status_code == 404
    assert browser.get(f"/e/customer/{f.k('S7')}/decisions").status_code == 404
