"""Markup in records, labels, addresses and files stays text, on every page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from runtime import records
from tests.attacks.conftest import Arena, Person, build

POLYGLOT = (
    "'\"><svg/onload=alert(1)><img src=x onerror=alert(2)></textarea></title><script>alert(3)</script>{{7*7}}${7*7}"
)
LABEL = "<img src=x onerror=alert(4)>"


class Foreign(HTMLParser):
    """Collects what a page of ours never has: handlers, scripts of its own, pictures and frames from typed text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("iframe", "object", "embed", "base") or (tag == "script" and "src" not in given):
            self.found.append(tag)
        if tag == "img" and given.get("src") == "x":
            self.found.append("img")
        self.found += [name for name in given if name.startswith("on") or name == "srcdoc"]
        self.found += [
            v
            for k, v in attrs
            if k in ("href", "src", "action", "hx-get") and (v or "").strip().lower().startswith("javascript:")
        ]


def foreign(text: str) -> list[str]:
    parser = Foreign()
    parser.feed(text)
    return parser.found + (["49"] if re.search(r">[^<]*\b49\b[^<]*\$", text) else [])


@pytest.fixture(scope="module")
def poisoned(arena: Arena) -> int:
    with arena.site.session(write=True) as session:
        owner = records.create(session, "user", {"login": "markup", "name": POLYGLOT[:90]}).id
        parent = records.create(session, "account", {"name": POLYGLOT[:100], "owner": owner}).id
        values = {"name": POLYGLOT[:99], "note": POLYGLOT, "parent": parent, "owner": owner, "stage": "lost", "reason": POLYGLOT,
                  "tax_no": POLYGLOT, "extra": {"k": POLYGLOT}, "friends": [parent]}  # fmt: skip
        number = records.create(session, "account", values).id
        records.update(session, "account", number, {"note": POLYGLOT + "!"})
        deal = {"name": POLYGLOT, "account": number, "lines": [{"item": POLYGLOT, "price": 1}]}
        records.create(session, "deal", deal)
    return number


@pytest.mark.attack("N56", "N53", "N55", "N63")
@pytest.mark.parametrize(
    "address",
    ["/", "/e/account", "/e/account?q=svg", "/e/account?where=name == 'x'", "/e/account/{n}", "/e/account/{n}/edit", "/e/account/{n}/copy",
     "/e/account/{n}/history", "/e/account/{n}/related/deals", "/e/account/{n}/related/children", "/e/deal", "/e/deal/1", "/e/deal/1/edit",
     "/search?q=svg", "/find/account?q=svg", "/find/user?q=svg", "/e/account/lookup/parent?q=svg", "/e/user", "/reports/by_stage",
     "/recycle-bin", "/e/account/totals", "/e/audit", "/e/account/new?name={x}", "/e/account?{x}={x}"],
)  # fmt: skip
def test_what_people_type_is_text_everywhere(arena: Arena, poisoned: int, address: str) -> None:
    from urllib.parse import quote

    boss = arena.person("boss")
    for fragment in (False, True):
        answer = boss.page("GET", address.format(n=poisoned, x=quote(POLYGLOT)), fragment=fragment)
        assert answer.status_code < 500
        assert foreign(answer.text) == [], address


@pytest.mark.attack("N64", "N94")
@pytest.mark.parametrize("address", ["/{x}", "/e/{x}", "/e/account/{x}", "/e/account/lookup/{x}", "/reports/{x}", "/files/{x}", "/sign-in?next={x}",
                                     "/e/account?view={x}", "/e/account?sort={x}", "/e/account?where={x}", "/e/account?cursor={x}", "/e/account?page={x}",
                                     "/search?q={x}", "/reports/by_stage?period={x}", "/api/v1/{x}", "/api/v1/account?where={x}", "/static/vendor/{x}"])  # fmt: skip
def test_nothing_of_an_address_comes_back_as_markup(arena: Arena, address: str) -> None:
    from urllib.parse import quote

    for who in ("boss", None):
        person = arena.person(who)
        for method in ("GET", "POST"):
            headers = {"Referer": "http://localhost/" + quote(POLYGLOT), "User-Agent": POLYGLOT}
            answer = person.page(method, address.format(x=quote(POLYGLOT, safe="")), headers=headers)
            assert answer.status_code < 500, address
            assert (
                answer.mimetype in ("application/json", "application/problem+json", "text/plain")
                or foreign(answer.text) == []
            )


@pytest.mark.attack("N62", "N61", "N53")
def test_a_file_to_import_is_shown_as_text(arena: Arena) -> None:
    boss = arena.person("boss")
    boss.page("GET", "/e/account/import")
    cell = "'><x onmouseover=alert(1)>"
    table = f"name,note {cell}\nplain {cell},{cell}\n".encode()
    sent = {"file": (io.BytesIO(table), "'><img src=x onerror=alert(1)>.csv")}
    answer = boss.page("POST", "/e/account/import", sent, content_type="multipart/form-data")
    assert answer.status_code in (200, 303), answer.text[:300]
    target = answer.headers.get("Location") or answer.headers["HX-Redirect"]
    assert foreign(boss.page("GET", target).text) == []


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Arena, Person]]:
    """A site whose metadata are markup wherever they are text."""
    import tests.attacks.conftest as kit

    text = kit.WORLD
    quoted = f"{{zh: '{LABEL}', en: '{LABEL}'}}"
    text = text.replace("  name: {type: text, required: true, max: 100, sort_key: true}", f"  name: {{type: text, required: true, max: 100, sort_key: true, label: {quoted}, help: {quoted}, placeholder: {quoted}}}")  # fmt: skip
    text = text.replace("{zh: 新建, en: New}", quoted).replace(
        "entity: account\n", f"entity: account\nlabel: {quoted}\nplural: {quoted}\n", 1
    )
    text = text.replace("message: {zh: 不能为负, en: Not negative}", f"message: {quoted}")
    more = kit.MORE.replace("report: by_stage\n", f"report: by_stage\nlabel: {quoted}\n")
    whole = kit.WORLD, kit.MORE
    kit.WORLD, kit.MORE = text, more
    try:
        made = build(tmp_path_factory.mktemp("labels"))
    finally:
        kit.WORLD, kit.MORE = whole
    yield made, made.person("boss")
    made.site.close()


@pytest.mark.attack("N57", "N56")
def test_labels_of_metadata_are_text(labelled: tuple[Arena, Person]) -> None:
    arena, boss = labelled
    number = arena.create("boss", name="plain")
    seen: list[Any] = [boss.page("GET", a) for a in (
        "/", "/e/account", f"/e/account/{number}", f"/e/account/{number}/edit", "/e/account/new", f"/e/account/{number}/history", "/e/account/import",
        "/search?q=plain", "/reports/by_stage", "/recycle-bin", "/e/account?stage=new", "/profile")]  # fmt: skip
    seen.append(boss.page("POST", "/e/account/new", {"name": "", "revenue": "-1"}, fragment=True))
    seen.append(boss.page("POST", "/e/account/new", {"name": "x", "revenue": "-1"}))
    for answer in seen:
        assert answer.status_code < 500
        assert foreign(answer.text) == []
    assert "&lt;img src=x" in seen[1].text
    export = boss.page("GET", "/e/account/export?as=csv")
    assert "\n" not in export.headers["Content-Disposition"]
    assert export.status_code == 200
