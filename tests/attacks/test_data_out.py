"""What leaves: exports, answers with errors, logs, descriptions."""

from __future__ import annotations

import csv
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from runtime import records
from runtime.site import Site
from tests.attacks.conftest import CANARY, PASSWORD, Arena, Person
from web.logging import configure_logging

FORMULAS = [
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    '=HYPERLINK("http://evil","x")',
]


@pytest.mark.attack("T24", "N95")
def test_no_cell_of_an_export_of_a_page_is_a_formula(arena: Arena) -> None:
    for text in FORMULAS:
        with arena.site.session(write=True) as session:
            records.create(
                session, "account", {"name": f"{text.strip()} {CANARY}", "note": text, "owner": arena.ids["alice"]}
            )
    alice = arena.person("alice")
    data = alice.page("GET", "/e/account/export?as=csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data)))
    cells = [cell for row in rows for cell in row if CANARY in cell]
    assert len(cells) >= len(FORMULAS)
    for cell in cells:
        assert cell[0] not in "=+-@\t\r＝", cell


@pytest.mark.attack("N25", "N94", "N14")
@pytest.mark.parametrize("who", ["boss", "alice", None])
def test_no_error_shows_the_inside(arena: Arena, who: str | None) -> None:
    person = arena.person(who)
    addresses = ["/e/nothing", "/e/account/999999", "/reports/nothing", "/files/999999", "/e/account?where=name ==", "/e/account?sort=;drop table",
                 "/api/v1/nothing", "/api/v1/account?where=1/0 == 1", "/api/v1/account/x", "/api/v1/account?cursor=AAAA", "/api/v1/reports/x",
                 "/e/octavo_password", "/e/sqlite_master", "/api/v1/octavo_session", "/api/v1/account?select=password"]  # fmt: skip
    for address in addresses:
        answer = person.page(
            "GET", address, headers={"Authorization": f"Bearer {person.token}"} if person.token else {}
        )
        assert answer.status_code < 500, (address, answer.status_code)
        text = answer.text.lower()
        for word in (
            "traceback",
            "sqlalchemy",
            "psycopg",
            "sqlite3",
            "operationalerror",
            'file "',
            "select *",
            "werkzeug",
            "octavo.db",
        ):
            assert word not in text, (address, word)


@pytest.mark.attack("N99", "N24")
def test_logs_hold_no_secret_and_are_one_object_a_line(arena: Arena, tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure_logging(tmp_path, console=False, level=logging.DEBUG)
        person = Person(arena.app.test_client(), arena.people["alice"].token)
        person.page("GET", "/sign-in")
        person.page("POST", "/sign-in", {"login": 'alice\r\n{"forged": 1}', "password": "secret-of-the-log"})
        person.sign_in("alice")
        person.api("GET", "/account?where=name == 'x\r\n{}'")
        log = logging.getLogger("octavo.web")
        log.warning("bad header Authorization: Bearer %s", person.token)
        log.warning("two\nlines", extra={"password": PASSWORD, "token": person.token})
        text = (tmp_path / "log" / "octavo.log").read_text(encoding="utf-8")
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
        for handler in before:
            if handler not in root.handlers:
                root.addHandler(handler)
        root.setLevel(level)
    for secret in (PASSWORD, "secret-of-the-log", person.token, arena.site.settings.secret_key):
        assert secret not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines
    assert all(isinstance(line, dict) and "forged" not in line for line in lines)


@pytest.mark.attack("N23", "N25")
def test_the_description_is_that_of_its_reader(arena: Arena) -> None:
    def described(who: str) -> dict[str, Any]:
        found = arena.person(who).api("GET", "/openapi.json")
        assert found.status_code == 200
        return found.json  # type: ignore[no-any-return]

    assert arena.person(None).api("GET", "/openapi.json").status_code == 401
    assert not [p for p in described("nobody")["paths"] if p.startswith(("/account", "/deal"))]
    properties = described("alice")["components"]["schemas"]["account"]["properties"]
    assert not {"cost", "profit", "password", "token_hash"} & properties.keys()
    assert "octavo_" not in json.dumps(described("boss"))


@pytest.mark.attack("N97", "N26", "N03")
def test_an_import_over_the_api_writes_no_more_than_its_person_may(arena: Arena) -> None:
    alice = arena.person("alice")
    hers = arena.create("bob", name="of bob, not to be imported over")
    table = f"id,name,cost,created_by,version,code\n{hers},taken,5,{arena.ids['bob']},9,A-1\n".encode()
    sent = {"file": (io.BytesIO(table), "a.csv"), "entity": "account"}
    answer = alice.api("POST", "/imports", data=sent, content_type="multipart/form-data")
    assert answer.status_code in (200, 201, 400, 422), answer.text
    if answer.status_code in (200, 201):
        assert not [
            name for name in ("id", "cost", "created_by", "version") if answer.json.get("mapping", {}).get(name)
        ]
        alice.api("POST", f"/imports/{answer.json['id']}/run", {})
    with arena.site.session() as session:
        found = records.read(session, "account", hers, ["name", "cost", "version"]).values
    assert (found["name"], found["cost"], found["version"]) == ("of bob, not to be imported over", None, 1)


@pytest.mark.attack("N83", "N17")
def test_an_api_token_ends_with_its_person(arena: Arena) -> None:
    from runtime.security.tokens import create_token, resolve_token
    from tests.records.world import add_user

    site: Site = arena.site
    number = add_user(site, "token_holder", "rep")
    with site.session(write=True) as session:
        text = create_token(session, number, "t")
    assert resolve_token(site, text) == number
    with site.session(write=True) as session:
        records.update(session, "user", number, {"status": "left"})
    assert resolve_token(site, text) is None
