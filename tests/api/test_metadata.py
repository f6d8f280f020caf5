from __future__ import annotations

import io

import pytest

from tests.api.conftest import Api

VISIT = "entity: visit\nlabel: Visit\ntitle: name\nfields:\n  name: {type: text, required: true}\n"


def test_draft_check_plan_publish_and_back(api: Api) -> None:
    assert api.call("admin", "PUT", "/metadata/entity/visit", {"text": VISIT}).status_code == 200
    assert api.call("admin", "GET", "/metadata/entity/visit").json["draft"] == VISIT
    assert api.call("admin", "POST", "/metadata/check").json["errors"] == 0
    plan = api.call("admin", "POST", "/metadata/plan").json
    assert any(step["kind"] == "CreateTable" for step in plan["steps"])
    published = api.call("admin", "POST", "/metadata/publish", {"note": "visits"})
    assert (published.status_code, published.json) == (201, {"version": 2})
    assert api.call("boss", "POST", "/visit", {"name": "first"}).status_code == 201
    read = api.call("admin", "GET", "/metadata/entity/visit").json
    assert (read["draft"], read["sources"][0]["layer"]) == (None, "site")
    assert [v["number"] for v in api.call("admin", "GET", "/metadata/versions").json["versions"]] == [2, 1]
    back = api.call("admin", "POST", "/metadata/rollback", {"version": 1, "accept": True})
    assert back.json == {"version": 3}
    assert api.call("boss", "GET", "/visit").status_code == 404


def test_a_broken_draft_is_not_published(api: Api) -> None:
    assert api.call("admin", "PUT", "/metadata/entity/visit", {"text": "entity: [visit"}).status_code == 422
    assert api.call("admin", "PUT", "/metadata/entity/visit", {"text": "entity: other\n"}).status_code == 422
    wrong = VISIT + "  area: {type: nothing}\n"
    assert api.call("admin", "PUT", "/metadata/entity/visit", {"text": wrong}).status_code == 200
    checked = api.call("admin", "POST", "/metadata/check").json
    assert checked["errors"] == 1
    assert api.call("admin", "POST", "/metadata/publish").status_code == 422
    assert api.call("admin", "PUT", "/metadata/entity/visit", {"text": VISIT}).status_code == 200
    assert api.call("admin", "POST", "/metadata/publish", {"base": 1}).status_code == 409


@pytest.mark.attack("N23", "N34")
def test_only_administrators(api: Api) -> None:
    for method, path in (
        ("GET", "/metadata"),
        ("GET", "/metadata/versions"),
        ("GET", "/metadata/entity/account"),
        ("PUT", "/metadata/entity/account"),
        ("POST", "/metadata/check"),
        ("POST", "/metadata/plan"),
        ("POST", "/metadata/publish"),
        ("POST", "/metadata/rollback"),
    ):
        body = {"version": 1} if path.endswith("rollback") else {"text": VISIT} if method == "PUT" else None
        assert api.call("boss", method, path, body).status_code == 403, path


def test_import_by_upload(api: Api) -> None:
    def form(text: str, **more: str) -> dict[str, object]:
        return {"file": (io.BytesIO(text.encode()), "accounts.csv"), "entity": "account", **more}

    text = "name,employees\nImported one,3\nImported two,minus\n"
    preview = api.call("alice", "POST", "/imports", data=form(text, preview="true"), content_type="multipart/form-data")
    assert [c["field"] for c in preview.json["columns"]] == ["name", "employees"]
    begun = api.call("alice", "POST", "/imports", data=form(text), content_type="multipart/form-data")
    assert begun.status_code == 201, begun.json
    address = begun.headers["Location"]
    ran = api.call("alice", "POST", f"{address}/run")
    assert ran.status_code == 200, ran.json
    done = ran.json
    assert (done["state"], done["created"], done["rejected"]) == ("done", 1, 1)
    assert b"Imported two" in api.call("alice", "GET", f"{address}/rejects").data
    assert api.call("alice", "GET", "/account?where=name == 'Imported one'").json["records"][0]["employees"] == 3
    assert api.call("bob", "GET", address).status_code == 404
    assert (
        api.call("nobody", "POST", "/imports", data=form(text), content_type="multipart/form-data").status_code == 404
    )
    assert api.call("alice", "POST", "/imports", {"entity": "account"}).status_code == 415
