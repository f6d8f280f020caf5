"""Forms that anybody may send: what they must not be talked into."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from runtime.schema.internal_records import login_attempt
from tests.attacks.conftest import Arena, build
from tests.attacks.test_xss import POLYGLOT
from tests.databases import database_of
from web.app import create_app

FORM = "/f/ask"
FILLED = {"name": "Somebody", "phone": "13912340001", "__agreed": "true"}
_addresses = count(1)


class Visitor:
    """Somebody outside with an address of their own on the net."""

    def __init__(self, arena: Arena, address: str | None = None) -> None:
        self.arena, self.client = arena, arena.app.test_client()
        number = next(_addresses)
        self.address = address or f"203.0.113.{number}"

    def get(self, path: str = FORM, **more: Any) -> Any:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self.address}, **more)

    def send(self, data: Any, **more: Any) -> Any:
        return self.client.post(FORM, data=data, environ_base={"REMOTE_ADDR": self.address}, **more)

    def token(self, wait: float = 10) -> str:
        found = re.search(r'name="__token" value="([^"]+)"', self.get().text)
        assert found is not None
        self.arena.site.clock.advance(seconds=wait)  # type: ignore[attr-defined]
        return found.group(1)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An arena of this module's own: its clock goes on by hours."""
    folder = tmp_path_factory.mktemp("web_forms")
    with database_of("sqlite", folder) as url:
        made = build(folder, url)
        yield made
        made.site.close()


@pytest.fixture
def visitor(arena: Arena) -> Visitor:
    with arena.site.session(write=True) as session:
        session.connection.execute(sa.delete(login_attempt))
    return Visitor(arena)


def made(arena: Arena) -> int:
    with arena.site.session() as session:
        table = session.table("account")
        return int(session.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def refused(arena: Arena, send: Any, *allowed: int) -> Any:
    """As `Arena.refused`; only the count of posts is written."""
    before = made(arena)
    answer = send()
    assert answer.status_code in allowed, (answer.status_code, answer.text[:300])
    assert made(arena) == before
    return answer


@pytest.mark.attack("N26", "N28", "N03")
@pytest.mark.parametrize(
    "more",
    [{"owner": "1"}, {"stage": "won"}, {"employees": "9"}, {"revenue": "1"}, {"code": "A1"}, {"id": "1"}, {"ref": "x"},
     {"created_by": "1"}, {"version": "9"}, {"token": "x"}, {"deals": "1"}, {"_method": "DELETE"}, {"is_admin": "true"}],
)  # fmt: skip
def test_only_what_the_form_declares_is_written_whatever_its_role_may(visitor: Visitor, more: dict[str, str]) -> None:
    data = {"__token": visitor.token(), **FILLED, **more}
    answer = refused(visitor.arena, lambda: visitor.send(data), 422)
    assert next(iter(more)) in answer.text


@pytest.mark.attack("N28")
def test_who_fills_in_what_people_do_not_see_writes_nothing_and_is_not_told(visitor: Visitor) -> None:
    data = {"__token": visitor.token(), **FILLED, "website_url": "https://spam.test"}
    answer = refused(visitor.arena, lambda: visitor.send(data), 303)
    taken = visitor.send({"__token": visitor.token(), **FILLED})
    assert (answer.status_code, answer.headers["Location"]) == (taken.status_code, taken.headers["Location"])


@pytest.mark.attack("N81", "N85")
def test_a_token_is_signed_ages_and_serves_once(visitor: Visitor) -> None:
    early = visitor.token(wait=0)
    refused(visitor.arena, lambda: visitor.send({"__token": early, **FILLED}), 422)
    good = visitor.token()
    stamp, once, seal = good.split(".")
    forged = ["", "x", "..", f"{stamp}.{once}.{seal[:-1]}0", f"1.{once}.{seal}", f"{stamp}.x.{seal}", "９.x." + seal]
    for token in forged:
        if token != good:
            refused(visitor.arena, lambda t=token: visitor.send({"__token": t, **FILLED}), 422, 429)
    other = Visitor(visitor.arena)
    before = made(visitor.arena)
    for _ in range(3):
        assert other.send({"__token": good, **FILLED}).status_code == 303
    assert made(visitor.arena) == before + 1
    tokens = {re.search(r'name="__token" value="([^"]+)"', other.get().text)[1] for _ in range(50)}  # type: ignore[index]
    assert len({t.split(".")[1] for t in tokens}) == 50
    assert all(len(t.split(".")[1]) >= 22 for t in tokens)  # 128 bits


@pytest.mark.attack("N84", "N98")
def test_posts_are_counted_by_address_and_in_all_and_what_was_typed_stays(visitor: Visitor) -> None:
    statuses = [visitor.send({**FILLED, "note": "kept words"}).status_code for _ in range(12)]
    assert set(statuses) == {422}
    answer = refused(visitor.arena, lambda: visitor.send({**FILLED, "note": "kept words"}), 429)
    assert "kept words" in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    for _ in range(5):
        visitor.send(FILLED)  # what is refused by address uses nothing up of what there is for all
    assert Visitor(visitor.arena).send({"__token": Visitor(visitor.arena).token(), **FILLED}).status_code == 303
    seven = [Visitor(visitor.arena, f"2001:db8:1:2::{n:x}").send(FILLED).status_code for n in range(1, 14)]
    assert seven == [422] * 12 + [429]  # one connection is given 2^64 addresses
    others = [Visitor(visitor.arena).send(FILLED).status_code for _ in range(40)]
    assert 429 in others
    visitor.arena.site.clock.advance(hours=1, seconds=1)  # type: ignore[attr-defined]
    assert visitor.send({"__token": visitor.token(), **FILLED}).status_code == 303


@pytest.mark.attack("N87")
@pytest.mark.parametrize(
    "origin", ["https://evil.test", "https://www.example.com.evil.test", "null", "http://www.example.com"]
)
def test_pages_of_other_sites_than_those_named_send_nothing(visitor: Visitor, origin: str) -> None:
    data = {"__token": visitor.token(), **FILLED}
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    refused(visitor.arena, lambda: visitor.send(data, headers=headers), 403)
    refused(visitor.arena, lambda: visitor.send(data, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert visitor.send(data, headers={"Origin": "https://www.example.com"}).status_code == 303


@pytest.mark.attack("N87", "N88")
def test_the_rights_of_somebody_who_is_signed_in_are_not_borrowed(arena: Arena, visitor: Visitor) -> None:
    boss = arena.person("boss").client
    data = {"__token": visitor.token(), **FILLED, "name": "From the web"}
    taken = boss.post(FORM, data=data, environ_base={"REMOTE_ADDR": visitor.address})
    assert taken.status_code == 303
    with arena.site.session() as session:
        table = session.table("account")
        wanted = sa.select(table.c.created_by, table.c.owner).where(table.c.name == "From the web")
        assert [tuple(row) for row in session.connection.execute(wanted)] == [(None, None)]
    own = re.sub(r"(__token|lang)[^>]*>", "", boss.get(FORM).text)  # the page is the same for everybody
    assert own == re.sub(r"(__token|lang)[^>]*>", "", visitor.get().text)
    page: FlaskClient = arena.app.test_client()
    assert "Set-Cookie" not in page.get(FORM).headers
    assert "csrf" not in page.get(FORM).text


@pytest.mark.attack("N79")
def test_the_form_leads_to_the_one_address_it_declares(visitor: Visitor) -> None:
    evil = "https://evil.test/"
    query = f"?next={evil}&redirect={evil}&lang={evil}&theme={evil}&embed={evil}&ref={evil}"
    page = visitor.get(FORM + query)
    assert re.findall(r'(?:action|src)="([a-z]+:|//)', page.text) == []
    data = {"__token": visitor.token(), **FILLED, "__lang": evil, "__theme": evil, "__embed": evil}
    assert visitor.send(data).headers["Location"] == "https://www.example.com/thanks"
    refused(visitor.arena, lambda: visitor.send({**data, "next": evil, "redirect": evil}), 422)
    inside = visitor.send({"__token": visitor.token(), **FILLED, "__embed": "1", "__theme": evil})
    assert inside.headers["Location"].startswith("/f/ask/thanks?")
    assert "evil" not in inside.headers["Location"]


@pytest.mark.attack("N98", "N66")
def test_what_is_too_large_or_no_plain_form_is_not_read(visitor: Visitor) -> None:
    token = visitor.token()
    refused(visitor.arena, lambda: visitor.send({"__token": token, **FILLED, "note": "x" * 70_000}), 413)
    refused(
        visitor.arena, lambda: visitor.send("a=1&" * 10_000, content_type="application/x-www-form-urlencoded"), 413, 422
    )
    refused(visitor.arena, lambda: visitor.send("[" * 50_000, content_type="application/json"), 415)
    refused(visitor.arena, lambda: visitor.send("name=x&__agreed=true", content_type="text/plain"), 415)
    multipart = {**FILLED, "__token": token, "note": "x"}
    refused(visitor.arena, lambda: visitor.send(multipart, content_type="multipart/form-data"), 415)
    odd = {"__token": token, **FILLED, "name": "a\x00b\ud800"}
    answer = visitor.client.post(FORM, data={k: v.encode("utf-8", "surrogatepass") for k, v in odd.items()})
    assert answer.status_code < 500


@pytest.mark.attack("N56", "N64")
def test_nothing_that_was_typed_or_asked_for_becomes_markup(visitor: Visitor) -> None:
    page = visitor.get("/f/ask", query_string={"ref": POLYGLOT, "lang": POLYGLOT, "theme": POLYGLOT, "x": POLYGLOT})
    typed = {
        "name": POLYGLOT,
        "note": POLYGLOT,
        "site": POLYGLOT,
        POLYGLOT: "1",
        "__token": POLYGLOT,
        "__lang": POLYGLOT,
    }
    for text in (page.text, visitor.send(typed).text):
        assert "<img" not in text
        assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
        assert re.findall(r"<svg(?! class=\"icon)", text) == []


@pytest.mark.attack("N35", "N30", "N32")
def test_a_form_that_is_not_declared_or_closed_is_not_there(visitor: Visitor) -> None:
    for path in ("/f/nothing", "/f/nothing/thanks", "/f/nothing/embed.js", "/f/ASK", "/f/ask%2f", "/f/../f/nothing"):
        assert visitor.get(path).status_code == 404, path
    before = made(visitor.arena)
    assert visitor.client.post("/f/nothing", data=FILLED).status_code == 404
    assert visitor.client.put(FORM, data=FILLED).status_code == 405
    assert made(visitor.arena) == before


@pytest.mark.attack("N84", "N90")
def test_where_a_post_comes_from_is_not_taken_from_its_own_word(visitor: Visitor) -> None:
    claims = [{"X-Forwarded-For": f"198.51.100.{n}", "X-Real-Ip": f"198.51.100.{n}"} for n in range(13)]
    assert [visitor.send(FILLED, headers=claim).status_code for claim in claims] == [422] * 12 + [429]


@pytest.mark.attack("N84")
def test_behind_a_proxy_the_word_of_the_proxy_counts_alone(visitor: Visitor) -> None:
    site = visitor.arena.site
    before, site.settings = site.settings, replace(site.settings, proxies=1)
    try:
        behind = create_app(site, testing=True).test_client()
    finally:
        site.settings = before

    def send(claimed: str, seen: str) -> int:
        headers = {"X-Forwarded-For": f"{claimed}, {seen}"}
        return behind.post(FORM, data=FILLED, headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code

    assert [send(f"198.51.100.{n}", "203.0.113.250") for n in range(13)] == [422] * 12 + [429]
    assert send("203.0.113.250", "203.0.113.251") == 422
