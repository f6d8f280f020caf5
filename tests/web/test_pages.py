"""Every kind of page answers in both languages, for an administrator and for a seller."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.security.access import Access
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser

KINDS = [
    "/",
    f"/e/{ENTITY}",
    f"/e/{ENTITY}?view=mine",
    f"/e/{ENTITY}?page=2&sort=-name",
    f"/e/{ENTITY}?q=ljzz",
    f"/e/{ENTITY}?f.kind=company&f.owner=me&f.annual_revenue.from=1000",
    f"/e/{ENTITY}?where=annual_revenue+%3E+1000",
    f"/e/{ENTITY}/totals",
    f"/e/{ENTITY}/1",
    f"/e/{ENTITY}/1/edit",
    f"/e/{ENTITY}/1/copy",
    f"/e/{ENTITY}/new",
    f"/e/{ENTITY}/1/history",
    f"/e/{ENTITY}/1/related/contacts",
    f"/e/{ENTITY}/lookup/owner?q=z",
    "/find/user",
    "/search?q=%E9%9B%B6%E4%BB%B6",
    "/recycle-bin",
    "/profile",
]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("address", KINDS)
def test_page_answers(site: Site, app: Flask, admin: Browser, address: str, language: str) -> None:
    admin.post("/preferences", {"language": language})
    site.forget_people()
    answer = admin.get(address)
    assert answer.status_code == 200
    if "<html" in answer.text:
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        chinese = re.search(r'class="side-link[^>]*><svg.*?<span>(.*?)</span>', answer.text, re.S)
        assert chinese is not None
        assert chinese.group(1) == {"zh": "首页", "en": "Home"}[language]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_entity_and_report_of_the_menu_opens(site: Site, admin: Browser, language: str) -> None:
    admin.post("/preferences", {"language": language})
    site.forget_people()
    addresses = set(re.findall(r'class="side-link[^"]*"[^>]*href="(/[er][^"]*)"', admin.get("/").text))
    assert len(addresses) > 20
    failed = {address: admin.get(address.replace("&amp;", "&")).status_code for address in sorted(addresses)}
    assert {a: s for a, s in failed.items() if s != 200} == {}


def test_every_entity_has_a_form(site: Site, admin: Browser) -> None:
    app = site.application()
    with site.session(1) as session:
        written = {n for n in app.entities if Access(session).can(n, "create")}  # not the balances of ledgers
    names = [e.name for e in app.entities.values() if e.parent is None and not e.platform and e.name in written]
    assert {n: admin.get(f"/e/{n}/new").status_code for n in names} == dict.fromkeys(names, 200)


def test_a_seller_sees_less(anonymous: Browser, admin: Browser, seller_login: str) -> None:
    assert anonymous.sign_in(seller_login).status_code == 303
    assert anonymous.get("/").status_code == 200
    mine = anonymous.get(f"/e/{ENTITY}")
    assert mine.status_code == 200
    assert "income_band" not in anonymous.get(f"/e/{ENTITY}/new").text
    assert "income_band" in admin.get(f"/e/{ENTITY}/new").text


def test_what_is_not_there_and_what_one_may_not_see_look_alike(anonymous: Browser, seller_login: str) -> None:
    anonymous.sign_in(seller_login)
    texts = []
    for address in ("/e/nothing", "/e/audit", f"/e/{ENTITY}/999999"):
        answer = anonymous.get(address)
        assert answer.status_code == 404
        texts.append(re.search(r"<p[^>]*data-error>(.*?)</p>", answer.text).group(1))  # type: ignore[union-attr]
    assert len(set(texts)) == 1


@pytest.mark.attack("N64", "N94")
@pytest.mark.parametrize(
    "query", ["where=%3Cimg+src%3Dx%3E", "where=%27%22%3E%3Csvg+onload%3Dx%3E", "sort=%3Cb%3E", "view=%22%3E%3Cb%3E", "page=-1",
              "page=" + "9" * 40, "q=%00", "f.kind=%3Cb%3E", "where=" + "(" * 400, "f.owner=" + "9" * 30, "q=%ED%A0%80"]
)  # fmt: skip
def test_no_parameter_breaks_or_enters_the_page(admin: Browser, query: str) -> None:
    answer = admin.get(f"/e/{ENTITY}?{query}")
    assert answer.status_code in (200, 400)
    assert not re.search(r"<img src=x|<svg onload|<b>", answer.text)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_expression_that_is_wrong_is_told_at_its_field(site: Site, admin: Browser, language: str) -> None:
    admin.post("/preferences", {"language": language})
    site.forget_people()
    answer = admin.get(f"/e/{ENTITY}?where=annual_revenu+%3E+1")
    assert answer.status_code == 200
    assert "annual_revenue" in re.search(r'id="where-problem"[^>]*>(.*?)</div>', answer.text).group(1)  # type: ignore[union-attr]
    assert "annual_revenu &gt; 1" in answer.text


def test_an_error_shows_its_number_and_nothing_else(
    app: Flask, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret detail of the inside")

    monkeypatch.setattr("web.pages.lists.run", fail)
    answer = admin.get(f"/e/{ENTITY}")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_an_export_holds_what_the_list_shows(admin: Browser) -> None:
    answer = admin.client.get(f"/e/{ENTITY}/export?as=csv&q=ljzz")
    assert answer.status_code == 200
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert "零件制造有限公司" in answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_an_entity_that_no_menu_names_stands_in_a_group_of_its_own() -> None:
    from metadata.compiler import compile_application
    from metadata.packages import load_texts, platform, stock
    from runtime.views.menus import _declared_leaves, _unplaced

    layer = load_texts({"a.yaml": "entity: sample\nfields:\n  name: text\n"}, "site")
    app = compile_application([platform(), stock(), layer]).application
    assert app is not None

    class Everyone:
        language = "en"

        def __init__(self) -> None:
            self.app = app

        def can(self, _entity: str, _operation: str) -> bool:
            return True

    (group,) = _unplaced(Everyone(), app.menus[0])  # type: ignore[arg-type]
    assert (group.label, [item.entity for item in group.items]) == ("More", ["sample"])
    assert "sample" not in {leaf.entity for leaf in _declared_leaves(app.menus[0].items)}


def test_the_demonstration_leaves_something_to_do(site: Site) -> None:
    """The manager has cases to decide, and nobody begins at the capacity of a pool."""
    with site.session() as session:
        task, person = session.table("approval_task"), session.table("user")
        open_ones = sa.select(person.c.login).join(task, task.c.person == person.c.id).where(task.c.state == "open")
        asked = Counter(session.connection.scalars(open_ones))
        owned = session.table(ENTITY)
        held = sa.select(owned.c.owner, sa.func.count()).where(owned.c.status == "normal", owned.c.owner.is_not(None))
        most = max(count for _, count in session.connection.execute(held.group_by(owned.c.owner)))
    assert asked["wang"] >= 2
    assert asked["vp"] >= 1
    assert most < 50
