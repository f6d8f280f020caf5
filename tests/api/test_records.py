"""The table of calls, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api


def problem(response: Any) -> tuple[int, str]:
    assert response.mimetype == "application/problem+json"
    body = response.json
    assert set(body) >= {"type", "title", "status", "detail", "problems"}
    assert body["status"] == response.status_code
    return response.status_code, body["type"].rsplit(":", 1)[1]


def test_create_answers_the_record_its_place_and_its_version(api: Api) -> None:
    response = api.call(
        "boss", "POST", "/account", {"name": "星海", "revenue": "1234.5", "employees": 7, "share": 12.5}
    )
    record = response.json
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/account/{record['id']}"
    assert response.headers["ETag"] == '"1"'
    assert record["revenue"] == {"amount": "1234.50", "currency": "CNY"}
    assert record["share"] == "12.5000"
    assert record["owner"] == {"id": str(api.ids["boss"]), "title": "Boss"}
    assert record["code"].startswith("A2")
    assert record["version"] == 1
    assert "token" not in record


@pytest.mark.parametrize("given", ["12.34", 12.34, {"amount": "12.34"}, {"amount": 12.34, "currency": "CNY"}])
def test_money_is_read_in_every_form(api: Api, given: Any) -> None:
    record = api.call("boss", "POST", "/account", {"name": "m", "revenue": given}).json
    assert record["revenue"] == {"amount": "12.34", "currency": "CNY"}


def test_money_of_a_record_in_its_own_currency(api: Api) -> None:
    number = api.create("boss", "foreign", name="x", currency="USD", amount="10")
    assert api.call("boss", "GET", f"/foreign/{number}").json["amount"] == {"amount": "10.00", "currency": "USD"}
    listed = api.call("boss", "GET", "/foreign?select=amount").json["records"]
    assert listed[-1]["amount"] == {"amount": "10.00", "currency": "USD"}


def test_times_carry_their_offset(api: Api) -> None:
    number = api.create("boss", "account", name="t", met_at="2026-03-01T09:00:00Z", born="2026-03-01", opens="09:30")
    record = api.call("boss", "GET", f"/account/{number}").json
    assert record["met_at"] == "2026-03-01T17:00:00+08:00"
    assert (record["born"], record["opens"]) == ("2026-03-01", "09:30:00")


def test_lines_are_created_changed_and_removed_with_their_parent(api: Api) -> None:
    account = api.create("boss", "account", name="with deals")
    lines = [{"item": "a", "quantity": 2, "price": 10}, {"item": "b", "price": "5"}]
    deal = api.call("boss", "POST", "/deal", {"name": "d", "account": account, "lines": lines}).json
    assert [line["item"] for line in deal["lines"]] == ["a", "b"]
    assert deal["total"] == {"amount": "25.00", "currency": "CNY"}
    kept = [{"id": deal["lines"][1]["id"], "price": 7}, {"item": "c"}]
    after = api.call("boss", "PATCH", f"/deal/{deal['id']}", {"lines": kept}).json
    assert [(line["item"], line["price"]["amount"]) for line in after["lines"]] == [("b", "7.00"), ("c", "0.00")]
    same = api.call("boss", "PATCH", f"/deal/{deal['id']}", {"name": "d2"}).json
    assert [line["item"] for line in same["lines"]] == ["b", "c"]


def test_list_pages_by_cursor_without_gaps(api: Api) -> None:
    for n in range(7):
        api.create("alice", "account", name=f"page {n % 3}", employees=n)
    seen: list[str] = []
    cursor = ""
    while True:
        address = (
            f"/account?sort=-name,employees&limit=2&select=employees&count=exact&where=starts_with(name,'page'){cursor}"
        )
        page = api.call("alice", "GET", address).json
        assert page["count"] == 7
        seen += [r["id"] for r in page["records"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 7
    values = api.call(
        "alice", "GET", "/account?select=name,employees&sort=-name,employees&where=starts_with(name,'page')"
    ).json
    assert [r["employees"] for r in values["records"]] == [2, 5, 1, 4, 0, 3, 6]


def test_select_follows_links(api: Api) -> None:
    api.create("boss", "deal", name="linked", account=api.create("boss", "account", name="target"))
    row = api.call("boss", "GET", "/deal?where=name == 'linked'&select=account,account.name,account.owner.name").json[
        "records"
    ][0]
    assert row["account"]["title"] == row["account.name"] == "target"
    assert row["account.owner.name"] == "Boss"


def test_search_by_words(api: Api) -> None:
    number = api.create("alice", "account", name="上海星辰贸易")
    assert [r["id"] for r in api.call("alice", "GET", "/account?q=星辰").json["records"]] == [number]
    assert api.call("bob", "GET", "/account?q=星辰").json["records"] == []


def test_patch_changes_what_is_given_and_guards_the_version(api: Api) -> None:
    number = api.create("boss", "account", name="v1", employees=3)
    first = api.call("boss", "PATCH", f"/account/{number}", {"name": "v2"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["ETag"], first.json["employees"]) == (200, '"2"', 3)
    stale = api.call("boss", "PATCH", f"/account/{number}", {"name": "v3"}, headers={"If-Match": '"1"'})
    assert problem(stale) == (412, "stale")
    assert (stale.json["current_version"], stale.json["differing"]) == (2, {"name": "v2"})
    assert api.call("boss", "PATCH", f"/account/{number}", {"name": "v4"}).status_code == 200
    assert problem(api.call("boss", "PATCH", f"/account/{number}", {}, headers={"If-Match": "x"}))[0] == 400


def test_delete_recycles_and_the_action_restores(api: Api) -> None:
    number = api.create("boss", "account", name="gone")
    assert api.call("boss", "DELETE", f"/account/{number}", headers={"If-Match": '"9"'}).status_code == 412
    assert api.call("boss", "DELETE", f"/account/{number}").status_code == 204
    assert problem(api.call("boss", "GET", f"/account/{number}")) == (404, "not_found")
    listed = {a["name"]: a["open"] for a in api.call("boss", "GET", f"/account/{number}/actions").json["actions"]}
    assert listed == {"delete": False, "restore": True, "purge": False}
    assert api.call("boss", "POST", f"/account/{number}/actions/restore").status_code == 200
    assert api.call("boss", "POST", f"/account/{number}/actions/restore").status_code == 409
    assert api.call("boss", "GET", f"/account/{number}").json["name"] == "gone"
    assert problem(api.call("boss", "POST", f"/account/{number}/actions/fly"))[0] == 404


def test_history_and_the_record_as_it_was(api: Api) -> None:
    number = api.create("boss", "account", name="before")
    with api.site.session() as session:
        moment = session.now.isoformat()
    api.site.clock.advance(minutes=5)  # type: ignore[attr-defined]
    api.call("boss", "PATCH", f"/account/{number}", {"name": "after"})
    events = api.call("boss", "GET", f"/account/{number}/history").json["history"]
    assert [e["operation"] for e in events] == ["update", "create"]
    assert events[0]["changes"]["name"] == {"from": "before", "to": "after"}
    assert (events[0]["channel"], events[0]["by"]["id"]) == ("api", str(api.ids["boss"]))
    assert api.call("boss", "GET", f"/account/{number}", query_string={"at": moment}).json["name"] == "before"
    assert problem(api.call("boss", "GET", f"/account/{number}?at=soon"))[0] == 400


def test_explain_says_why(api: Api) -> None:
    account = api.create("boss", "account", name="why", revenue=5)
    formula = api.call("boss", "GET", f"/account/{account}/explain/profit").json
    assert (formula["kind"], formula["formula"]) == ("formula", "revenue - cost")
    assert [s["text"] for s in formula["steps"]] == ["revenue", "cost", "revenue - cost"]
    access = api.call("boss", "GET", f"/account/{account}/explain/access").json
    assert next(o for o in access["operations"] if o["operation"] == "edit")["allowed"]
    own = api.create("alice", "account", name="mine")
    scopes = api.call("alice", "GET", f"/account/{own}/explain/access").json["operations"][0]["roles"][0]["scopes"]
    assert scopes == [{"scope": "own", "holds": True}, {"scope": "shared", "holds": False}]


def test_views_of_a_list(api: Api) -> None:
    api.create("boss", "account", name="w1", stage="won")
    page = api.call("boss", "GET", "/lists/account/won").json
    assert {r["stage"] for r in page["records"]} == {"won"}
    assert set(page["records"][0]) == {"id", "name", "stage", "owner"}
    assert problem(api.call("boss", "GET", "/lists/account/lost"))[0] == 404


def test_me(api: Api) -> None:
    body = api.call("alice", "GET", "/me").json
    assert (body["id"], body["login"], body["roles"], body["admin"]) == (str(api.ids["alice"]), "alice", ["rep"], False)
    assert "foreign" not in body["entities"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/account?where=name ==", None, 400),
        ("GET", "/account?where=nothing == 1", None, 400),
        ("GET", "/account?limit=0", None, 400),
        ("GET", "/account?limit=1000000000", None, 400),
        ("GET", "/account?limit=1&limit=2", None, 400),
        ("GET", "/account?fields=name", None, 400),
        ("GET", "/account?cursor=zzz", None, 400),
        ("GET", "/account?count=all", None, 400),
        ("GET", "/nothing", None, 404),
        ("GET", "/account/0", None, 404),
        ("GET", "/account/999999", None, 404),
        ("GET", "/account/1e3", None, 404),
        ("GET", "/account/99999999999999999999", None, 404),
        ("GET", "/a/b/c/d/e", None, 404),
        ("PUT", "/account", {}, 405),
        ("POST", "/account/1", {}, 405),
        ("POST", "/account", [], 400),
        ("POST", "/account", {"name": None}, 422),
        ("POST", "/account", {"name": "x", "nothing": 1}, 422),
        ("POST", "/account", {"name": "x", "stage": "nope"}, 422),
        ("POST", "/account", {"name": "x", "employees": -1}, 422),
        ("POST", "/account", {"name": "x", "code": "mine"}, 422),
        ("POST", "/account", {"name": "x", "parent": "999999"}, 422),
        ("POST", "/account", {"name": "x", "revenue": -5}, 422),
        ("PATCH", "/account/999999", {}, 404),
        ("DELETE", "/account/999999", None, 404),
    ],
)
def test_statuses(api: Api, method: str, path: str, body: Any, status: int) -> None:
    before = api.content()
    response = api.call("boss", method, path, body)
    assert problem(response)[0] == status, response.json
    assert api.content() == before  # N03: whatever is refused leaves nothing behind


def test_problems_name_their_field_in_the_language_asked_for(api: Api) -> None:
    english = api.call("boss", "POST", "/account", {"employees": "many"}).json
    assert {p["field"] for p in english["problems"]} == {"name", "employees"}
    chinese = api.call("boss", "POST", "/account", {"employees": 1}, headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json
    assert chinese["problems"] == [{"field": "name", "code": "required", "message": "请填写。"}]


def test_bodies_of_another_type_or_size(api: Api) -> None:
    form = api.call("boss", "POST", "/account", data="name=x", content_type="application/x-www-form-urlencoded")
    assert problem(form)[0] == 415
    assert problem(api.call("boss", "POST", "/account", data=b"{", content_type="application/json"))[0] == 400
    large = b'{"name": "' + b"x" * 20_000_001 + b'"}'
    assert problem(api.call("boss", "POST", "/account", data=large, content_type="application/json"))[0] == 413


def test_tokens(api: Api) -> None:
    assert problem(api.call(None, "GET", "/account")) == (401, "not_signed_in")
    for bad in ("Bearer nonsense", "Bearer", "Basic YTpi", "Bearer " + "x" * 5000, api.tokens["boss"]):
        response = api.call(None, "GET", "/account", headers={"Authorization": bad})
        assert problem(response)[0] == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_not_modified(api: Api) -> None:
    number = api.create("boss", "account", name="same")
    tag = api.call("boss", "GET", f"/account/{number}").headers["ETag"]
    assert api.call("boss", "GET", f"/account/{number}", headers={"If-None-Match": tag}).status_code == 304


def test_a_record_given_away_answers_with_its_id_alone(api: Api) -> None:
    number = api.create("alice", "account", name="mine still")
    shared = api.call("alice", "PATCH", f"/account/{number}", {"owner": str(api.ids["bob"])})
    assert shared.status_code in (403, 422)  # giving away takes the right to assign, which a rep has not
