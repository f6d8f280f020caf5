"""An administrator looks through somebody else's eyes, and cannot touch anything meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser


@pytest.fixture
def boss(app: Flask) -> Iterator[Browser]:
    browser = Browser(app.test_client())
    assert browser.sign_in("admin").status_code == 303
    yield browser
    browser.post("/view-as", {})


def person(site: Site, login: str) -> int:
    with site.session() as session:
        table = session.table("user")
        return int(session.connection.scalar(sa.select(table.c.id).where(table.c.login == login)) or 0)


def test_the_pages_are_those_of_the_other(site: Site, boss: Browser, app: Flask, seller_login: str) -> None:
    other = Browser(app.test_client())
    assert other.sign_in(seller_login).status_code == 303
    theirs = other.get(f"/e/{ENTITY}").text
    number = person(site, seller_login)
    assert boss.post("/view-as", {"person": str(number), "next": f"/e/{ENTITY}"}).status_code == 303
    seen = boss.get(f"/e/{ENTITY}").text
    assert 'class="view-as"' in seen

    def count(html: str) -> str:
        return html.split('id="count">')[1].split("<")[0]

    assert count(seen) == count(theirs)
    with site.session() as session:
        audit = session.table("audit")
        noted = session.connection.scalar(
            sa.select(sa.func.count()).where(audit.c.action == "view_as", audit.c.record == number)
        )
    assert noted


def test_nothing_can_be_changed_meanwhile(site: Site, boss: Browser, seller_login: str) -> None:
    boss.post("/view-as", {"person": str(person(site, seller_login))})
    for address in (
        f"/e/{ENTITY}/new",
        f"/e/{ENTITY}/1/edit",
        f"/e/{ENTITY}/delete",
        f"/e/{ENTITY}/1/stage",
        "/profile/password",
    ):
        assert boss.post(address, {"name": "x", "id": "1"}).status_code == 403, address
    assert boss.get("/profile").status_code == 403
    assert boss.post("/view-as", {}).status_code == 303
    assert 'class="view-as"' not in boss.get(f"/e/{ENTITY}").text


def test_only_administrators_may_look(site: Site, app: Flask, seller_login: str, boss: Browser) -> None:
    other = Browser(app.test_client())
    other.sign_in(seller_login)
    assert other.get("/view-as").status_code == 404
    assert other.post("/view-as", {"person": "1"}).status_code == 404
    # a cookie made for somebody else, or made up, is nothing
    boss.post("/view-as", {"person": str(person(site, seller_login))})
    stolen = boss.client.get_cookie("octavo-view-as")
    assert stolen is not None
    other.client.set_cookie("octavo-view-as", stolen.value)
    assert 'class="view-as"' not in other.get("/").text
    other.client.set_cookie("octavo-view-as", "WzEsMV0.made.up")
    assert 'class="view-as"' not in other.get("/").text
