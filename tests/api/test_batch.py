from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api


def names(api: Api, ids: list[str]) -> list[str]:
    return [api.call("boss", "GET", f"/account/{i}").json["name"] for i in ids]


def test_create_all_or_nothing(api: Api) -> None:
    done = api.call("boss", "POST", "/account/batch", {"create": [{"name": "b1"}, {"name": "b2"}]})
    assert [r["status"] for r in done.json["results"]] == [201, 201]
    assert names(api, [r["id"] for r in done.json["results"]]) == ["b1", "b2"]
    before = api.content()
    refused = api.call("boss", "POST", "/account/batch", {"create": [{"name": "b3"}, {"nme": "b4"}]})
    assert refused.status_code == 422
    assert {p["field"] for p in refused.json["problems"]} == {"rows.1.nme", "rows.1.name"}
    assert api.content() == before


def test_create_row_by_row(api: Api) -> None:
    rows = [{"name": "r1"}, {"name": None}, 7, {"name": "r2"}]
    results = api.call("boss", "POST", "/account/batch", {"create": rows, "atomic": False}).json["results"]
    assert [r["status"] for r in results] == [201, 422, 422, 201]
    assert results[1]["problems"][0]["field"] == "name"
    assert names(api, [results[0]["id"], results[3]["id"]]) == ["r1", "r2"]


def test_update_and_delete(api: Api) -> None:
    ids = [api.create("boss", "account", name=n) for n in ("u1", "u2", "u3")]
    changes = [{"id": ids[0], "name": "U1", "version": 1}, {"id": ids[1], "name": "U2", "version": 7}]
    results = api.call("boss", "POST", "/account/batch", {"update": changes, "atomic": False}).json["results"]
    assert [r["status"] for r in results] == [200, 412]
    assert names(api, ids) == ["U1", "u2", "u3"]
    gone = api.call(
        "boss", "POST", "/account/batch", {"delete": [ids[0], {"id": ids[1], "version": 1}, "999999"], "atomic": False}
    )
    assert [r["status"] for r in gone.json["results"]] == [204, 204, 404]
    whole = api.call("boss", "POST", "/account/batch", {"delete": [ids[2], "999999"]})
    assert whole.status_code == 404
    assert names(api, [ids[2]]) == ["u3"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"create": {}},
        {"create": [], "delete": []},
        {"create": [], "atomic": "yes"},
        {"create": [], "more": 1},
        {"upsert": []},
        [],
    ],
)
def test_shape(api: Api, body: Any) -> None:
    assert api.call("boss", "POST", "/account/batch", body).status_code == 400


def test_most_rows(api: Api) -> None:
    assert api.call("boss", "POST", "/account/batch", {"delete": ["1"] * 10_001}).status_code == 400


@pytest.mark.attack("N01", "N05", "N27")
def test_the_rights_are_those_of_single_calls(api: Api) -> None:
    number = api.create("alice", "account", name="alice's")
    before = api.content()
    for body in ({"update": [{"id": number, "name": "stolen"}]}, {"delete": [number]}):
        assert api.call("bob", "POST", "/account/batch", body).status_code == 404
    assert api.call("nobody", "POST", "/account/batch", {"create": [{"name": "x"}]}).status_code == 404
    assert api.content() == before
