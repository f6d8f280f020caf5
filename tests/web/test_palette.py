"""The command palette: places, new records, actions of the record at hand, preferences, records; with the rights of who asks."""

from __future__ import annotations

import re

from flask import Flask

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser


def found(browser: Browser, q: str, at: str = "/") -> list[tuple[str, str]]:
    html = browser.get("/palette", query_string={"q": q, "at": at}).text
    return re.findall(r'class="palette-item" role="option" href="([^"]+)".*?<span>(.*?)</span>', html)


def test_places_are_found_by_name_pinyin_and_english(admin: Browser) -> None:
    assert f"/e/{ENTITY}" in dict(found(admin, "customer"))
    admin.get("/")
    admin.post("/preferences", {"language": "zh", "next": "/"})
    try:
        assert f"/e/{ENTITY}" in dict(found(admin, "客户"))
        assert f"/e/{ENTITY}" in dict(found(admin, "kh"))
        assert f"/e/{ENTITY}/new" in dict(found(admin, "新建 kh"))
    finally:
        admin.post("/preferences", {"language": "en", "next": "/"})


def test_records_are_found(admin: Browser) -> None:
    assert any(address.startswith(f"/e/{ENTITY}/") for address, _ in found(admin, "零件"))


def test_the_record_at_hand_offers_its_actions(admin: Browser) -> None:
    here = dict(found(admin, "", f"/e/{ENTITY}/1?tab=x"))
    assert f"/e/{ENTITY}/1/edit" in here
    assert f"/e/{ENTITY}/1/edit" not in dict(found(admin, "", f"/e/{ENTITY}"))
    for strange in ("/e/nothing/1", f"/e/{ENTITY}/999999", "javascript:alert(1)", "/e/../1", "x" * 5000):
        assert admin.get("/palette", query_string={"at": strange}).status_code == 200


def test_preferences_are_one_key_away(admin: Browser) -> None:
    html = admin.get("/palette?q=dark").text
    assert 'action="/preferences"' in html
    assert 'value="dark"' in html


def test_nobody_is_offered_what_they_may_not_do(app: Flask, site: Site, seller_login: str) -> None:
    rep = Browser(app.test_client())
    assert rep.sign_in(seller_login).status_code == 303
    with site.session() as session:
        row = session.connection.execute(
            session.table("user").select().where(session.table("user").c.login == seller_login)
        ).first()
    assert row is not None
    with site.session(row.id) as session:
        from runtime.security.access import Access

        closed = [n for n, e in session.app.entities.items() if not Access(session).can(n, "create") and not e.platform]
    offered = {address for address, _ in found(rep, "new")}
    assert not offered & {f"/e/{name}/new" for name in closed}


def test_what_is_typed_is_text(admin: Browser) -> None:
    html = admin.get("/palette", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in html
