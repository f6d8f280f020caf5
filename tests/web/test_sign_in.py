"""Signing in and out, sessions, guesses, and where one is led afterwards."""

from __future__ import annotations

import re

import pytest

from runtime.security.sessions import COOKIE, set_password
from runtime.site import Site
from tests.web.conftest import ENTITY, PASSWORD, Browser, content_hash


def test_without_signing_in_every_page_leads_to_the_sign_in_page(anonymous: Browser) -> None:
    answer = anonymous.get(f"/e/{ENTITY}?view=mine")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/sign-in?next=%2Fe%2F{ENTITY}%3Fview%3Dmine"
    assert anonymous.client.get("/", headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.attack("T19", "N88")
def test_a_signed_out_cookie_is_worth_nothing(anonymous: Browser) -> None:
    anonymous.sign_in("admin")
    cookie = anonymous.client.get_cookie(COOKIE)
    assert cookie is not None
    assert anonymous.get("/").status_code == 200
    assert anonymous.post("/sign-out").status_code == 303
    anonymous.client.set_cookie(COOKIE, cookie.value)
    assert anonymous.get("/").status_code == 303


@pytest.mark.attack("N88")
def test_the_session_is_new_at_every_sign_in(anonymous: Browser) -> None:
    anonymous.client.set_cookie(COOKIE, "chosen-by-somebody-else")
    anonymous.sign_in("admin")
    cookie = anonymous.client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.value != "chosen-by-somebody-else"


@pytest.mark.attack("N88")
def test_a_new_password_ends_other_sessions(app, site: Site, anonymous: Browser, seller_login: str) -> None:  # type: ignore[no-untyped-def]
    other = Browser(app.test_client())
    assert anonymous.sign_in(seller_login).status_code == 303
    assert other.sign_in(seller_login).status_code == 303
    data = {"now": PASSWORD, "new": "another-password", "again": "another-password"}
    assert anonymous.post("/profile/password", data).status_code == 303
    assert anonymous.get("/").status_code == 200
    assert other.get("/").status_code == 303
    with site.session(write=True) as session:
        person = session.table("user")
        found = session.connection.execute(person.select().where(person.c.login == seller_login)).first()
        assert found is not None
        set_password(session, found.id, PASSWORD)


@pytest.mark.attack("N91")
def test_a_wrong_login_and_a_wrong_password_look_alike(anonymous: Browser) -> None:
    anonymous.get("/sign-in")
    texts = []
    for login in ("admin", "nobody-of-this-name"):
        answer = anonymous.post("/sign-in", {"login": login, "password": "wrong"})
        assert answer.status_code == 401
        texts.append(re.sub(r'value="[^"]*"|content="[^"]*"', "", answer.text))
    assert texts[0] == texts[1]


@pytest.mark.attack("N90")
def test_guessing_is_slowed_down(anonymous: Browser) -> None:
    anonymous.get("/sign-in")
    data = {"login": "guessed", "password": "wrong"}
    answers = [
        anonymous.post("/sign-in", data, environ_base={"REMOTE_ADDR": "10.9.8.7"}).status_code for _ in range(12)
    ]
    assert answers[-1] == 429


@pytest.mark.attack("N79")
@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.test",
        "/\\evil.test",
        "https:evil.test",
        "https://evil.test",
        "/\t/evil.test",
        "/%0d%0aX: y\r\nX: y",
        "\\\\evil",
        "",
    ],
)
def test_signing_in_leads_only_to_this_site(anonymous: Browser, wanted: str) -> None:
    anonymous.get("/sign-in")
    answer = anonymous.post("/sign-in", {"login": "admin", "password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/"


def test_signing_in_leads_back_to_where_one_was(anonymous: Browser) -> None:
    anonymous.get("/sign-in")
    answer = anonymous.post("/sign-in", {"login": "admin", "password": PASSWORD, "next": f"/e/{ENTITY}?page=2"})
    assert answer.headers["Location"] == f"/e/{ENTITY}?page=2"


# --- forged requests ------------------------------------------------------------------------------------------------

MUTATING = [
    f"/e/{ENTITY}/new",
    f"/e/{ENTITY}/1/edit",
    f"/e/{ENTITY}/1/delete",
    f"/e/{ENTITY}/1/stage",
    f"/e/{ENTITY}/delete",
    f"/e/{ENTITY}/restore?id=1",
    f"/e/{ENTITY}/import",
    f"/e/{ENTITY}/1/evaluate",
    "/preferences",
    "/profile/password",
    "/profile/sessions",
    "/profile/tokens",
    "/profile/tokens/1/end",
    "/sign-out",
    "/sign-in",
]


@pytest.mark.attack("N87")
@pytest.mark.parametrize("address", MUTATING)
def test_a_request_without_our_token_is_refused(site: Site, admin: Browser, app, address: str) -> None:  # type: ignore[no-untyped-def]
    before = content_hash(site)
    stranger = Browser(app.test_client())
    stranger.get("/sign-in")
    client = admin.client
    assert client.post(address, data={"id": "1"}).status_code == 400
    assert client.post(address, data={"id": "1"}, headers={"X-CSRFToken": stranger.token}).status_code == 400
    assert client.post(address, data="id=1", content_type="text/plain").status_code == 400
    forged = {"X-CSRFToken": admin.token, "Sec-Fetch-Site": "cross-site"}
    assert client.post(address, data={"id": "1"}, headers=forged).status_code == 403
    assert content_hash(site) == before


@pytest.mark.attack("N35")
@pytest.mark.parametrize("address", [a for a in MUTATING if not a.endswith(("/new", "/edit", "/import", "/sign-in"))])
def test_nothing_changes_by_reading(site: Site, admin: Browser, address: str) -> None:
    before = content_hash(site)
    for method in ("GET", "HEAD"):
        answer = admin.client.open(address, method=method, headers={"X-HTTP-Method-Override": "POST"})
        assert answer.status_code in (404, 405)
    assert content_hash(site) == before
