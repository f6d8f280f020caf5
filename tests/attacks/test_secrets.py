"""Secrets: sealed where they lie, named by nothing, in no answer, log, audit, export or backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime import records
from runtime.backup import sqlite_path
from runtime.clock import FakeClock
from runtime.errors import Forbidden, Refused
from runtime.publishing import publish
from runtime.security.secrets import PREFIX, reveal, seal, seal_all, value_of
from runtime.security.sessions import COOKIE
from runtime.settings import Settings
from runtime.site import Site
from tests.attacks.conftest import Arena
from tests.records.world import open_site

SECRET = "canary-secret-51b2"


def stored(site: Site, number: int) -> Any:
    with site.session() as session:
        return session.connection.exec_driver_sql(f"SELECT token FROM account WHERE id = {number}").scalar()


@pytest.mark.attack("N24", "N20")
def test_a_secret_is_sealed_where_it_lies(arena: Arena) -> None:
    number = arena.create("boss", name="keeper", token=SECRET)
    first = stored(arena.site, number)
    assert first.startswith(PREFIX)
    assert SECRET not in first
    assert reveal(arena.site, first) == SECRET
    with arena.site.session(arena.ids["boss"], write=True) as session:
        saved = records.update(session, "account", number, {"token": SECRET})  # the same again is no change
    assert (stored(arena.site, number), saved.version) == (first, 1)
    with arena.site.session(arena.ids["boss"], write=True) as session:
        records.update(session, "account", number, {"token": "another one"})
    assert reveal(arena.site, stored(arena.site, number)) == "another one"
    with arena.site.session(write=True) as session:
        records.update(session, "account", number, {"name": "renamed"})
        rows = records.create_many(session, "account", [{"name": f"k{i}", "token": SECRET} for i in range(3)])
    texts = {stored(arena.site, row.id) for row in rows}  # type: ignore[union-attr]
    assert len(texts) == 3  # equal secrets do not look equal
    with arena.site.session(write=True) as session:
        records.update(session, "account", number, {"token": None})
    assert stored(arena.site, number) is None
    if arena.site.dialect == "sqlite":
        assert SECRET.encode() not in sqlite_path(arena.site.settings).read_bytes()


@pytest.mark.attack("N24")
def test_only_the_operator_s_code_with_the_site_s_key_reads_it(arena: Arena, tmp_path: Path) -> None:
    number = arena.create("boss", name="key holder", token=SECRET)
    with arena.site.session() as session:
        assert value_of(session, "account", number, "token") == SECRET
    with arena.site.session(arena.ids["boss"]) as session, pytest.raises(Forbidden):
        value_of(session, "account", number, "token")
    other = Site(
        Settings(
            folder=tmp_path,
            secret_key="another key of thirty-two letters",
            database_url=f"sqlite:///{tmp_path / 'p.db'}",
        ),
        FakeClock(),
    )
    with pytest.raises(Forbidden):
        reveal(other, stored(arena.site, number))
    assert seal(arena.site, stored(arena.site, number)) == stored(arena.site, number)
    forged = PREFIX + "gAAAAABforged"  # what looks sealed and is not is sealed like any other text
    assert reveal(arena.site, seal(arena.site, forged)) == forged
    other.close()


@pytest.mark.attack("N20", "N24", "N25", "N03")
def test_a_secret_is_in_no_answer(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    number = arena.create("boss", name="silent", token=SECRET, note="to be found")
    with arena.site.session(arena.ids["boss"], write=True) as session:
        records.update(session, "account", number, {"token": SECRET + "2"})
    boss = arena.person("boss")
    sealed = stored(arena.site, number)
    seen = [boss.page("GET", a).text for a in (
        f"/e/account/{number}", f"/e/account/{number}/edit", f"/e/account/{number}/copy", f"/e/account/{number}/history",
        "/e/account", "/e/account/export?as=csv", "/e/audit", "/search?q=canary", "/profile")]  # fmt: skip
    seen += [boss.api("GET", p).text for p in (
        f"/account/{number}", "/account?limit=1000", f"/account/{number}/history", f"/account/{number}?at=2030-01-01",
        f"/account/{number}/explain/name", "/audit", "/openapi.json", "/me")]  # fmt: skip
    with arena.site.session() as session:
        seen.append(str(session.connection.execute(sa.select(session.table("audit"))).all()))
    for text in [*seen, caplog.text]:
        assert SECRET not in text
        assert sealed[:30] not in text
    for query in ("where=token == 'x'", "where=token is not None", "sort=token", "select=token", "where=len(token) > 1",
                  "where=parent.token is None", "where=children.any(token == 'x')"):  # fmt: skip
        arena.refused(lambda q=query: boss.api("GET", f"/account?{q}"), 400)
    with arena.site.session(arena.ids["boss"], write=True) as session, pytest.raises(Refused):
        records.update(session, "account", number, {"token": "••••••"})


@pytest.mark.attack("N20", "N48", "N40")
@pytest.mark.parametrize(
    "use",
    [
        'x: {type: text, formula: "token"}', "x: {type: boolean, formula: \"token == 'a'\"}", 'x: {type: integer, formula: "len(token)"}',
        "x: {type: text, visible_when: \"token == 'z'\"}", 'x: {type: text, default: "=token"}', "y: {type: secret, unique: true}",
        "x: {type: link, to: a}\n  z: {type: lookup, of: x.token}",
        "x: text\nsearch: [token]", "x: text\ntitle: token", "x: text\nunique: [[name, token]]",
        "x: text\nnumber: {pattern: 'A{seq:4}', field: token}",
        "x: text\nchecks:\n  - {name: p, must: \"token != 'a'\", message: {zh: a, en: b}}",
        'x: text\n---\nreport: r\nfrom: a\ngroup: [token]\nmeasures: {n: "count()"}',
        "x: text\n---\nreport: r\nfrom: a\nwhere: \"token == 'a'\"\nmeasures: {n: \"count()\"}",
        "x: text\n---\nreport: r\nfrom: a\ncolumns: [token]", "x: text\n---\nlist: a\ncolumns: [token]",
        "x: text\n---\nlist: a\ncolumns: [name]\nviews: [{name: v, label: V, where: \"token == 'a'\"}]",
        "x: text\n---\nlist: a\ncolumns: [name]\nsort: [token]", "x: text\n---\nlist: a\ncolumns: [name]\nfilters: [token]",
        "x: text\n---\nrole: r\ngrants: {a: {read: \"=token == 'a'\"}}", "x: text\n---\nsegment: s\nentity: a\nwhere: \"token == 'a'\"",
    ],
)  # fmt: skip
def test_metadata_cannot_name_a_secret(use: str) -> None:
    text = f"entity: a\nfields:\n  name: text\n  token: secret\n  {use}\n"
    found = publish.check([platform(), load_texts({"site.yaml": text}, "site")])
    assert "field.secret" in {p.code for p in found.errors}, [p.code for p in found.errors]
    assert all(p.place is not None and p.place.line for p in found.errors)


@pytest.mark.attack("N24")
def test_what_became_a_secret_is_sealed_in_the_night(tmp_path: Path) -> None:
    text = "entity: box\ntitle: name\nfields:\n  name: text\n  code: {type: text}\n"
    site = open_site(f"sqlite:///{tmp_path / 'o.db'}", tmp_path, text)
    with site.session(write=True) as session:
        number = records.create(session, "box", {"name": "n", "code": SECRET}).id
    layers = [platform(), load_texts({"site.yaml": text.replace("type: text}", "type: secret}")}, "site")]
    publish.publish(site, layers, "2", accept=True)
    with site.session(write=True) as session:
        seal_all(session)
    with site.session() as session:
        assert value_of(session, "box", number, "code") == SECRET
        values = session.connection.execute(sa.select(session.table("box"))).mappings().one()
    assert SECRET not in json.dumps(dict(values), default=str)
    site.close()


@pytest.mark.attack("N24", "N33")
def test_the_database_holds_no_password_token_or_session_as_it_is(arena: Arena) -> None:
    tokens = [person.token for person in arena.people.values()]
    cookies = [c.value for p in arena.people.values() if (c := p.client.get_cookie(COOKIE))]
    assert len(cookies) == len(tokens)
    with arena.site.session() as session:
        names = sa.inspect(session.connection).get_table_names()
        rows = [session.connection.exec_driver_sql(f'SELECT * FROM "{name}"').all() for name in names]
    whole = "\n".join(str(row) for table in rows for row in table)
    for text in [*tokens, *cookies, "right horse battery"]:
        assert text not in whole
    assert whole.count("$argon2id$") >= len(arena.people)
