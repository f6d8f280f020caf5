"""Golden path G8: service and a representative of another region look for K1's confidential values in every channel."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from runtime.activities.log import log
from runtime.jobs import Worker
from tests.acceptance.conftest import World
from tests.web.conftest import Browser
from web.app import create_app

CONTENT, DEAL = "绝密底价八十万", "机密整厂改造"
COST, REVENUE = 813_579, 98_765_432
SECRETS = (CONTENT, DEAL, "813579", "813,579", "98765432", "98,765,432")
OUTSIDERS = ("cs", "chenwu")  # service; a representative of the south
HIDDEN = {  # for both of them: entity, field, a condition that would tell
    "cs": [
        ("customer", "annual_revenue", f"annual_revenue > {REVENUE - 1}"),
        ("customer", "open_amount", "open_amount > 0"),
        ("communication", "content", f"contains(content, '{CONTENT[:4]}')"),
        ("communication", "opportunity.est_cost", f"opportunity.est_cost == {COST}"),
        ("customer", "opportunities", f"opportunities.any(est_cost == {COST})"),
    ],
    "chenwu": [
        ("customer", "annual_revenue", f"annual_revenue > {REVENUE - 1}"),
    ],
}


class Scene:
    """K1 with what is confidential about it, and a signed-in browser for each outsider."""

    def __init__(self, f: World) -> None:
        self.f = f
        self.k1 = f.k("K1")
        f.update(None, "customer", self.k1, annual_revenue=REVENUE)
        self.deal = f.create("zhangsan", "opportunity", name=DEAL, customer=self.k1, manual_amount=1_235_000)
        f.update(None, "opportunity", self.deal, est_cost=COST)
        with f.as_("zhangsan", write=True) as session:
            log(
                session,
                "customer",
                self.k1,
                text=f"电话沟通\n{CONTENT}",
                kind=None,
                mentions=[f.user(p) for p in OUTSIDERS],
            )
        table = "communication"
        self.talk = max(r for (r,) in self._rows(table))
        f.update("zhangsan", table, self.talk, opportunity=self.deal)
        Worker(f.site).run_all()
        app = create_app(f.site, testing=True)
        self.browsers = {login: Browser(app.test_client()) for login in OUTSIDERS}
        for login, browser in self.browsers.items():
            assert browser.sign_in(login, "octavo-demo").status_code == 303

    def _rows(self, entity: str) -> list[tuple[int]]:
        with self.f.site.session() as session:
            return [(i,) for i in session.connection.scalars(sa.select(session.table(entity).c.id))]


@pytest.fixture
def scene(f: World) -> Scene:
    return Scene(f)


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def said(browser: Browser, address: str) -> str:
    """What a page answers, unescaped as far as the secrets go; never an error of the program."""
    answer = browser.get(address)
    assert answer.status_code < 500, address
    return answer.text


def test_whoever_may_sees_all_of_it(scene: Scene) -> None:
    """The secrets are there to be found: else this path would pass on an empty site."""
    browser = Browser(create_app(scene.f.site, testing=True).test_client())
    assert browser.sign_in("vp", "octavo-demo").status_code == 303
    text = said(browser, f"/e/customer/{scene.k1}") + said(browser, f"/e/customer/{scene.k1}/timeline")
    text += said(browser, f"/e/opportunity/{scene.deal}")
    assert {CONTENT, DEAL, "813,579", "98,765,432"} <= set(leaks(text))
    assert f"/e/opportunity/{scene.deal}" in said(browser, f"/search?q={quote(DEAL)}")
    assert str(scene.k1) in {
        r["id"] for r in scene.f.api("vp", "GET", f"/customer?where=annual_revenue=={REVENUE}").json["records"]
    }


@pytest.mark.mission("CU-83")
@pytest.mark.mission("CU-84")
@pytest.mark.parametrize("login", OUTSIDERS)
def test_golden_path_8_pages(scene: Scene, login: str) -> None:
    """Page, side panel, form, timeline, history, why, list, filter, sort, search, palette, look-up, notifications."""
    k1, deal, talk, browser = scene.k1, scene.deal, scene.talk, scene.browsers[login]
    records = [("customer", k1), ("opportunity", deal), ("communication", talk)]
    addresses = [f"/e/{e}/{i}{tail}" for e, i in records for tail in ("", "/edit", "/timeline", "/why", "/history")]
    addresses += [f"/e/customer/{k1}/related/{name}" for name in ("opportunities", "communications", "contacts")]
    addresses += [f"/e/{e}?cols=name,subject,annual_revenue,content,est_cost,opportunity.est_cost" for e, _ in records]
    addresses += [f"/e/communication/{talk}/cell/content", f"/e/customer/{k1}/cell/annual_revenue"]
    addresses += [f"/e/{e}?sort={s}" for e in ("customer", "opportunity") for s in ("-annual_revenue", "-est_cost")]
    addresses += [f"{at}?q={quote(word)}" for at in ("/search", "/palette") for word in (CONTENT, DEAL, str(COST))]
    addresses += [
        f"/e/{e}/lookup/{p}?q={quote(DEAL)}" for e, p in (("quote", "opportunity"), ("communication", "opportunity"))
    ]
    addresses += [f"/find/opportunity?q={quote(DEAL)}", "/notifications", "/", "/runs", "/recycle-bin"]
    found = {at: told for at in addresses if (told := _beyond(at, leaks(said(browser, at))))}
    assert found == {}


def _beyond(address: str, found: list[str]) -> list[str]:
    """A page says the words of its own address again; that tells nothing."""
    return [secret for secret in found if quote(secret) not in address and secret not in address]


@pytest.mark.parametrize("login", OUTSIDERS)
def test_golden_path_8_conditions_do_not_tell_either(scene: Scene, login: str, tmp_path: Path) -> None:
    """A filter, sort, grouping or total by a hidden field is refused like one of a field that is not there."""
    browser = scene.browsers[login]
    for entity, field, condition in HIDDEN[login]:
        answer = scene.f.api(login, "GET", f"/{entity}?where={quote(condition)}")
        nothing = scene.f.api(login, "GET", f"/{entity}?where={quote('no_such_field == 1')}")
        assert (answer.status_code, nothing.status_code) == (400, 400), condition
        assert answer.json["type"] == nothing.json["type"], condition
        page = said(browser, f"/e/{entity}?where={quote(condition)}")
        assert f'href="/e/customer/{scene.k1}"' not in page.split('id="list"')[1], condition
        for part in (f"sort=-{field}", f"select={field}"):
            assert scene.f.api(login, "GET", f"/{entity}?{part}").status_code == 400, part
    assert scene.f.search(login, CONTENT) == scene.f.search(login, DEAL) == []


@pytest.mark.parametrize("login", OUTSIDERS)
def test_golden_path_8_exports_reports_api_and_mail(scene: Scene, login: str, tmp_path: Path) -> None:
    f, browser = scene.f, scene.browsers[login]
    told: dict[str, list[str]] = {}
    for entity, record in (("customer", scene.k1), ("opportunity", scene.deal), ("communication", scene.talk)):
        for tail in ("", "/history", "/actions", "?at=2026-03-16T12:00:00%2B08:00"):
            answer = f.api(login, "GET", f"/{entity}/{record}{tail}")
            assert answer.status_code < 500
            told[f"api {entity}{tail}"] = leaks(json.dumps(answer.json, ensure_ascii=False))
        told[f"api list {entity}"] = leaks(f.api(login, "GET", f"/{entity}?limit=500").get_data(as_text=True))
        for kind in ("csv", "xlsx"):
            answer = browser.get(f"/e/{entity}/export?as={kind}")
            assert answer.status_code < 500
            if answer.status_code == 200 and kind == "csv":
                text = answer.get_data().decode("utf-8-sig")
                told[f"export {entity}"] = leaks(text)
                assert not {"年营业额", "预计成本"} & set(next(csv.reader(io.StringIO(text)), ()))
    with f.site.session() as session:
        reports = list(session.app.reports)
    for name in reports:
        told[f"report {name}"] = leaks(said(browser, f"/reports/{name}"))
        told[f"report api {name}"] = leaks(f.api(login, "GET", f"/reports/{name}").get_data(as_text=True))
    with f.site.session() as session:
        for table in ("notification", "message"):
            if table not in session.app.entities:
                continue
            rows = session.connection.execute(sa.select(session.table(table))).mappings()
            mine = [dict(row) for row in rows if f.user(login) in row.values()]
            told[f"mail {table}"] = leaks(json.dumps(mine, ensure_ascii=False, default=str))
    assert {where: what for where, what in told.items() if what} == {}
