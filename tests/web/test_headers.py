"""Headers, cookies, hosts and limits of every answer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from web.app import create_app

PAGES = ["/", f"/e/{ENTITY}", f"/e/{ENTITY}/1", f"/e/{ENTITY}/1/edit", f"/e/{ENTITY}/1/history", "/profile", "/nothing"]


@pytest.mark.attack("T22", "N92")
@pytest.mark.parametrize("address", PAGES)
def test_every_answer_carries_the_headers(admin: Browser, address: str) -> None:
    headers = admin.get(address).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert len(headers["X-Request-Id"]) == 16
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("address", PAGES)
def test_no_page_needs_anything_inline_or_foreign(admin: Browser, address: str) -> None:
    html = admin.get(address).text
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)", html) == []
    foreign = re.findall(r'(?:src|href|action|hx-get|hx-post)="((?:https?:)?//[^"]+)"', html)
    assert [a for a in foreign if not a.startswith("http://www.w3.org")] == []


def test_built_files_are_kept_for_ever_and_come_compressed(anonymous: Browser) -> None:
    name = re.search(r'href="(/static/vendor/app\.[0-9a-f]+\.css)"', anonymous.get("/sign-in").text)
    assert name is not None
    answer = anonymous.client.get(name.group(1), headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.mimetype == "text/css"
    answer.close()


@pytest.mark.attack("N89")
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(anonymous: Browser) -> None:
    answer = anonymous.sign_in("admin")
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) >= 1
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


@pytest.mark.attack("N89")
def test_with_https_cookies_are_bound_to_the_host(site: Site) -> None:
    plain = site.settings
    site.settings = replace(plain, base_url="https://crm.example.com")
    try:
        app = create_app(site, testing=True)
        client = app.test_client()
        answer = client.get("/sign-in", base_url="https://crm.example.com")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-octavo")
        assert "Secure" in cookie
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    finally:
        site.settings = plain


@pytest.mark.attack("T20", "N80")
@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "crm:80@evil.test"])
def test_a_foreign_host_is_refused(anonymous: Browser, host: str) -> None:
    answer = anonymous.client.get("/sign-in", headers={"Host": host})
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.attack("N80")
@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_forwarding_headers_of_strangers_change_nothing(anonymous: Browser, name: str) -> None:
    answer = anonymous.client.get("/sign-in", headers={name: "host=evil.test" if name == "Forwarded" else "evil.test"})
    assert answer.status_code == 200
    assert "evil.test" not in answer.text


@pytest.mark.attack("T21", "N98")
def test_bodies_are_limited_in_size_and_fields(admin: Browser) -> None:
    assert admin.post(f"/e/{ENTITY}/new", {"name": "x" * 3_000_000}).status_code == 413
    many = "&".join(f"f{i}=1" for i in range(6_000))
    answer = admin.post(f"/e/{ENTITY}/new", many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert admin.get(f"/e/{ENTITY}?q=" + "x" * 9_000).status_code == 414


@pytest.mark.attack("N34")
@pytest.mark.parametrize(
    "address",
    [
        f"/e/{ENTITY}?x=/static/vendor/",
        f"//e/{ENTITY}",
        f"/./e/{ENTITY}",
        f"/%2e/e/{ENTITY}",
        f"/e/{ENTITY};a=/sign-in",
    ],
)
def test_spellings_of_an_address_do_not_open_it(anonymous: Browser, address: str) -> None:
    answer = anonymous.client.get(address, headers={"X-Original-URL": "/sign-in", "X-HTTP-Method-Override": "GET"})
    assert answer.status_code in (303, 308, 400, 404)
    assert "<table" not in answer.text


@pytest.mark.attack("N60")
def test_static_files_do_not_leave_their_folder(anonymous: Browser, app: Flask) -> None:
    for name in ("../state.py", "..%2fstate.py", ".git", "manifest.json/../../../app.py", "%00"):
        assert anonymous.client.get(f"/static/vendor/{name}").status_code in (404, 308)
    assert Path(app.root_path).exists()
