"""Nothing a person typed becomes markup or code, on any page."""

from __future__ import annotations

import io
import re

import pytest

from runtime.records import create
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from web.widgets.rich_text import sanitised

POLYGLOT = "'\"><svg onload=alert(1)><img src=x onerror=alert(2)>{{7*7}} ${7*7} #{7*7} <%=7*7%>javascript:alert(3)"
SEEN = re.compile(r"<svg onload|<img src=x|onerror=alert\(2\)>(?!\S*&)")


@pytest.fixture(scope="module")
def poisoned(site: Site) -> int:
    with site.session(write=True) as session:
        texts = dict.fromkeys(
            ("short_name", "status_reason", "legal_rep", "tax_title", "bank", "description"), POLYGLOT[:60]
        )
        values = {**texts, "name": POLYGLOT, "description": POLYGLOT, "status": "abandoned", "tax_title": POLYGLOT}
        return create(session, ENTITY, values).id


@pytest.mark.attack("N53", "N56")
@pytest.mark.parametrize(
    "address",
    ["/e/{e}?sort=-id", "/e/{e}/{n}", "/e/{e}/{n}/edit", "/e/{e}/{n}/copy", "/e/{e}/{n}/history", "/search?q=svg", "/e/{e}/lookup/parent?q=svg", "/"],
)  # fmt: skip
def test_typed_markup_stays_text(admin: Browser, poisoned: int, address: str) -> None:
    html = admin.get(address.format(e=ENTITY, n=poisoned)).text
    assert not SEEN.search(html)
    assert " 49 " not in html


@pytest.mark.attack("N53", "N56")
def test_a_refused_form_does_not_let_markup_in(admin: Browser) -> None:
    answer = admin.post(f"/e/{ENTITY}/new", {"name": "", "short_name": POLYGLOT, "email": POLYGLOT}, fragment=True)
    assert answer.status_code == 422
    assert not SEEN.search(answer.text)


@pytest.mark.attack("N55")
def test_an_address_that_is_a_script_is_no_link(site: Site, admin: Browser) -> None:
    answer = admin.post(f"/e/{ENTITY}/new", {"name": "链接", "website": "javascript:alert(1)"}, fragment=True)
    if answer.status_code == 200:
        assert 'href="javascript:' not in admin.get(answer.headers["HX-Redirect"]).text
    else:
        assert answer.status_code == 422
        assert 'href="javascript:' not in answer.text


@pytest.mark.attack("N58")
@pytest.mark.parametrize(
    "html",
    [
        "<form action=//evil><input name=p></form>",
        '<p style="position:fixed">x</p>',
        "<svg onload=alert(1)></svg>",
        "<iframe src=//evil></iframe>",
        '<a href="javascript:alert(1)">x</a>',
        '<p hx-get="/e/customer" hx-trigger="load">x</p>',
        '<p data-hx-post="/sign-out">x</p>',
        "<img src=x onerror=alert(1)>",
        "<div onclick=alert(1)>x</div>",
    ],
)
def test_rich_text_is_cleaned(html: str) -> None:
    clean = sanitised(html)
    assert not re.search(r"<form|<input|style=|<svg|<iframe|javascript:|hx-|\son\w+=|<img", clean)


@pytest.mark.attack("N61", "N62")
def test_the_import_shows_a_file_as_text(admin: Browser) -> None:
    table = f"名称,{POLYGLOT[:40]}\n{POLYGLOT},x\n".replace("'\"", "")
    data = {"file": (io.BytesIO(table.encode()), "'\"><img src=x onerror=alert(1)>.csv")}
    answer = admin.post(f"/e/{ENTITY}/import", data, content_type="multipart/form-data")
    html = admin.get(answer.headers["Location"]).text if answer.status_code == 303 else answer.text
    assert not SEEN.search(html)


@pytest.mark.attack("N63")
def test_a_failed_sign_in_shows_its_name_as_text(anonymous: Browser) -> None:
    anonymous.get("/sign-in")
    answer = anonymous.post(
        "/sign-in", {"login": POLYGLOT, "password": "x", "next": POLYGLOT}, headers={"User-Agent": POLYGLOT}
    )
    assert not SEEN.search(answer.text)


@pytest.mark.attack("N60", "N61")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("a.html", b"<script>alert(1)</script>"),
        ("a.png", b"<script>alert(1)</script>"),
        ('"><img src=x>\r\nX: y.pdf', b"%PDF-1.4 <script>"),
    ],
)
def test_an_upload_is_given_out_as_a_download(site: Site, admin: Browser, name: str, content: bytes) -> None:
    from runtime.errors import Answer
    from runtime.files.attachments import upload

    try:
        with site.session(1, write=True) as session:
            number = upload(session, io.BytesIO(content), name)
    except Answer:
        return
    answer = admin.client.get(f"/files/{number}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.mimetype == "application/octet-stream"
    assert "X: y" not in str(answer.headers).splitlines()
