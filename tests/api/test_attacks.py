"""The catalogue of attacks, against the API."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Api

CANARY = "99199"


def refused(api: Api, user: str | None, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """A call that is answered with 4xx and leaves no trace."""
    before = api.content()
    response = api.call(user, method, path, body, **more)
    assert 400 <= response.status_code < 500, (path, response.status_code, response.data[:300])
    assert api.content() == before
    return response


@pytest.mark.attack("N01", "N05", "N14")
def test_what_one_may_not_see_is_not_there(api: Api) -> None:
    hers = api.create("alice", "account", name="canary of alice")
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        one = refused(api, "bob", method, f"/account/{hers}", body)
        missing = refused(api, "bob", method, "/account/999999", body)
        assert (one.status_code, one.data) == (missing.status_code, missing.data)
        assert one.status_code == 404
    for path in ("history", "actions", "explain/access", "explain/name"):
        assert refused(api, "bob", "GET", f"/account/{hers}/{path}").status_code == 404
    for action in ("delete", "restore", "purge"):
        assert refused(api, "bob", "POST", f"/account/{hers}/actions/{action}").status_code == 404
    assert refused(api, "bob", "GET", f"/account/{hers}?at=2030-01-01").status_code == 404
    assert b"canary" not in api.call("bob", "GET", "/account?limit=1000").data


@pytest.mark.attack("N14")
def test_refusals_take_as_long_as_absences(api: Api) -> None:
    hers = api.create("alice", "account", name="timed")

    paths = (f"/account/{hers}", "/account/999999")
    times: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(61):
        for path in paths:  # in turns: what else the machine does meets both alike
            began = time.perf_counter()
            api.call("bob", "GET", path)
            times[path].append(time.perf_counter() - began)
    there, missing = (sorted(times[path])[30] for path in paths)
    assert 0.5 < there / missing < 2.0


@pytest.mark.attack("N02", "N20")
def test_passwords_and_tokens_have_no_name(api: Api) -> None:
    for name in ("password", "password_hash", "hash", "token_hash"):
        refused(api, "alice", "PATCH", f"/user/{api.ids['admin']}", {name: "x"})
        for query in (f"where={name} == 'x'", f"sort={name}", f"select={name}"):
            assert refused(api, "admin", "GET", f"/user?{query}").status_code == 400
    for query in ("where=token is not None", "sort=token", "select=token", "where=parent.token == 'x'"):
        assert refused(api, "boss", "GET", f"/account?{query}").status_code == 400
    for entity in ("octavo_token", "octavo_session", "octavo_password", "sqlite_master", "pg_catalog"):
        assert refused(api, "admin", "GET", f"/{entity}").status_code == 404


@pytest.mark.attack("N18", "N19")
def test_a_hidden_field_is_an_unknown_name_everywhere(api: Api) -> None:
    api.create("boss", "account", name="costly", cost=CANARY, owner=str(api.ids["alice"]))
    for query in (
        "where=cost > 1",
        "where=cost is not None",
        "where=parent.cost > 1",
        "where=children.any(cost > 1)",
        "where=children.sum(cost) > 1",
        "sort=cost",
        "sort=-parent.cost",
        "select=cost",
        "select=parent.cost",
        "where=profit > 1",
        "sort=profit",
    ):
        hidden = refused(api, "alice", "GET", f"/account?{query}")
        unknown = refused(api, "alice", "GET", f"/account?{query.replace('cost', 'kost').replace('profit', 'prafit')}")
        assert hidden.status_code == unknown.status_code == 400
        assert hidden.json["type"] == unknown.json["type"]
    assert refused(api, "alice", "GET", "/deal?where=account.cost > 1").status_code == 400
    for path in ("/account?limit=1000", f"/account?q={CANARY}", "/openapi.json", "/reports/by_stage"):
        response = api.call("alice", "GET", path)
        assert response.status_code == 200
        assert CANARY.encode() not in response.data, path


@pytest.mark.attack("N18", "N25")
def test_reports_show_no_hidden_field(api: Api) -> None:
    assert refused(api, "alice", "GET", "/reports/hidden_group").status_code == 403
    assert refused(api, "alice", "GET", "/reports/hidden_where").status_code == 403
    columns = [c["name"] for c in api.call("alice", "GET", "/reports/by_stage").json["columns"]]
    assert columns == ["stage", "born", "accounts", "staff", "mean", "each"]
    assert [c["name"] for c in api.call("alice", "GET", "/reports/big_ones").json["columns"]] == [
        "name",
        "employees",
        "owner",
    ]
    assert refused(api, "nobody", "GET", "/reports/by_stage").status_code == 404


@pytest.mark.attack("N23")
def test_the_description_is_for_whom_it_is_for(api: Api) -> None:
    assert refused(api, None, "GET", "/openapi.json").status_code == 401
    document = api.call("alice", "GET", "/openapi.json").json
    text = json.dumps(document)
    assert "/foreign" not in document["paths"]
    assert "cost" not in document["components"]["schemas"]["account"]["properties"]
    assert "cost" in api.call("boss", "GET", "/openapi.json").json["components"]["schemas"]["account"]["properties"]
    assert "octavo_" not in text


@pytest.mark.attack("N25", "N94")
@pytest.mark.parametrize(
    "path",
    [
        "/account?where=name == '\\'",
        "/account?where=" + quote("name == '" + "x" * 5000 + "'"),
        "/account?where=" + quote("name == '\x00'"),
        "/account?where=" + "(" * 200 + "1" + ")" * 200,
        "/account?where=" + "not " * 300 + "active",
        "/account?where=" + quote(" or ".join(["employees == 1"] * 400)),
        "/account?where=__import__('os')",
        "/account?where=name.__class__",
        "/account?where=[x for x in name]",
        "/account?where=lambda: 1",
        "/account?where=name; drop table account",
        "/account?where=name == 'a' -- comment",
        "/account?where=exists(select 1)",
        "/account?sort=id;--",
        "/account?sort=name desc,1",
        "/account?sort=(select 1)",
        "/account?sort=lower(name)",
        "/account?select=count(*)",
        "/account?select=name,(select 1)",
        "/account?select=*",
        "/account?having=1",
        "/account?group=name",
        "/account?cursor=" + "A" * 3000,
        "/account?cursor=WyJpIiwxXQ",
        "/account/1 or 1=1",
        "/account/1'",
        "/account/-1",
        "/account/%00",
        "/lists/account/won' or 1=1",
        "/reports/by_stage?period=1) or (1=1",
        "/reports/by_stage?period=9999-99-99..",
        "/reports/by_stage?who=1 or 1=1",
        "/reports/by_stage?nothing=1",
        "/reports/%2e%2e",
    ],
)
def test_nothing_of_the_inside_shows(api: Api, path: str) -> None:
    response = refused(api, "boss", "GET", path)
    text = response.get_data(as_text=True).lower()
    for word in ("traceback", "sqlalchemy", "select ", "psycopg", "sqlite", "syntax error at", 'file "'):
        assert word in path or word not in text


@pytest.mark.attack("N94", "N98", "N38")
@pytest.mark.parametrize(
    "body",
    [
        {"name": "nul \x00"},
        {"name": "x" * 10_000},
        {"name": {"a": 1}},
        {"name": ["a"]},
        {"name": True},
        {"name": "x", "employees": 10**40},
        {"name": "x", "employees": 1.5},
        {"name": "x", "revenue": "1e30"},
        {"name": "x", "revenue": {"amount": 1, "currency": "USD"}},
        {"name": "x", "revenue": {"amount": {"amount": 1}}},
        {"name": "x", "born": "2026-02-30"},
        {"name": "x", "born": 20260101},
        {"name": "x", "met_at": "not a time"},
        {"name": "x", "opens": "25:00"},
        {"name": "x", "active": "maybe"},
        {"name": "x", "groups": "nope"},
        {"name": "x", "groups": ["nope"]},
        {"name": "x", "friends": ["1 or 1=1"]},
        {"name": "x", "parent": {"id": {"id": 1}}},
        {"name": "x", "site": "javascript:alert(1)"},
        {"name": "x", "email": "a@b@c"},
        {f"f{n}": n for n in range(10_000)},
        {"": 1, "name": "x"},
        {"__class__": "x", "name": "x"},
    ],
)
def test_bad_values_are_refused_alike_on_create_and_change(api: Api, body: dict[str, Any]) -> None:
    created = refused(api, "boss", "POST", "/account", body)
    assert created.status_code == 422
    number = api.create("boss", "account", name="target")
    changed = refused(api, "boss", "PATCH", f"/account/{number}", body)
    rows = refused(api, "boss", "POST", "/account/batch", {"update": [{"id": number, **body}]})
    assert changed.status_code == rows.status_code == 422
    fields = {p["field"] for p in changed.json["problems"]}
    assert {p["field"].removeprefix("rows.0").removeprefix(".") or None for p in rows.json["problems"]} == fields


@pytest.mark.attack("N94")
def test_raw_bodies_that_cannot_be_stored(api: Api) -> None:
    for raw, status in (
        (b'{"name": "\\ud800"}', 422),
        (b'{"\\ud800": 1, "name": "x"}', 422),
        (b'{"name": 1e999}', 400),
    ):
        response = refused(api, "boss", "POST", "/account", data=raw, content_type="application/json")
        assert response.status_code == status
    digits = b'{"name": "x", "employees": ' + b"9" * 5000 + b"}"
    assert refused(api, "boss", "POST", "/account", data=digits, content_type="application/json").status_code == 422


@pytest.mark.attack("N26")
@pytest.mark.parametrize(
    "name", ["id", "code", "created_by", "created_at", "updated_at", "version", "deleted_at", "deal_count"]
)
def test_fields_of_the_platform_cannot_be_given(api: Api, name: str) -> None:
    number = api.create("boss", "account", name="fixed")
    refused(api, "boss", "PATCH", f"/account/{number}", {name: 77})
    refused(api, "boss", "POST", "/account", {"name": "n", name: 77})


@pytest.mark.attack("N26", "N02")
def test_nobody_raises_his_own_rights(api: Api) -> None:
    for body in ({"roles": [{"role": "manager"}]}, {"is_admin": True}, {"status": "active"}, {"unit": None}):
        response = refused(api, "alice", "PATCH", f"/user/{api.ids['alice']}", body)
        assert response.status_code in (403, 404, 422)
    assert refused(api, "alice", "POST", "/user", {"login": "eve", "name": "Eve"}).status_code in (403, 404)
    assert refused(
        api, "alice", "POST", "/user_role", {"holder": str(api.ids["alice"]), "role": "manager"}
    ).status_code in (403, 404, 422)


@pytest.mark.attack("N34", "N35")
def test_changing_by_get_or_by_header_is_not_possible(api: Api) -> None:
    number = api.create("boss", "account", name="stays")
    before = api.content()
    for method in ("GET", "HEAD"):
        for path in (f"/account/{number}/actions/delete", "/account/batch", "/metadata/publish", "/metadata/rollback"):
            assert api.call("boss", method, path).status_code in (404, 405), path
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert api.call("boss", "GET", f"/account/{number}", headers={header: "DELETE"}).status_code == 200
    assert api.call("boss", "GET", f"/account/{number}?_method=DELETE").status_code == 400
    assert api.content() == before


@pytest.mark.attack("N34")
@pytest.mark.parametrize(
    "path",
    [
        "/metadata",
        "//metadata",
        "/./metadata",
        "/account/../metadata",
        "/%6detadata",
        "/metadata;a",
        "/metadata?x=/healthz",
        "/metadata/",
    ],
)
def test_spelling_an_address_otherwise_opens_nothing(api: Api, path: str) -> None:
    response = api.call("alice", "GET", path, headers={"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"})
    assert response.status_code in (308, 400, 403, 404)
    assert b"entity" not in response.data or response.status_code == 308


@pytest.mark.attack("N38")
@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "*", "a OR b", "NEAR(a b)", "x" * 3000, "-- ;", "(", "\t"])
def test_search_takes_every_text_literally(api: Api, text: str) -> None:
    api.create("alice", "account", name="plain")
    response = api.call("alice", "GET", "/account", query_string={"q": text})
    assert response.status_code == 200
    assert not response.json["records"] or not text.strip("%_\\'\"*-;( \t")


@pytest.mark.attack("N98")
def test_requests_that_would_cost_too_much_end_soon(api: Api) -> None:
    bodies = [b"[" * 200_000, b'{"a":' * 100_000, b'{"name": "' + b"\\u0041" * 200_000 + b'"}']
    for body in bodies:
        began = time.perf_counter()
        response = api.call("boss", "POST", "/account", data=body, content_type="application/json")
        assert response.status_code in (400, 422)
        assert time.perf_counter() - began < 1.0
    many = "&".join(f"p{n}={n}" for n in range(2000))
    assert api.call("boss", "GET", f"/account?{many}").status_code == 400
    assert api.call("boss", "GET", "/account?select=" + ",".join(f"f{n}" for n in range(400))).status_code == 400


@pytest.mark.attack("N35", "T19")
def test_a_cookie_alone_changes_nothing(api: Api) -> None:
    from runtime.security import sessions

    with api.site.session(write=True) as session:
        sessions.set_password(session, api.ids["boss"], "a long password")
    token = sessions.sign_in(api.site, "boss", "a long password", "127.0.0.1")
    client = api.app.test_client()
    client.set_cookie(sessions.COOKIE, token, domain="localhost")
    assert client.get("/api/v1/me").status_code == 200
    assert client.get("/api/v1/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401
    before = api.content()
    assert client.post("/api/v1/account", json={"name": "forged"}).status_code == 401
    assert client.delete("/api/v1/account/1").status_code == 401
    assert api.content() == before
    sessions.sign_out(api.site, token)
    assert client.get("/api/v1/me").status_code == 401
