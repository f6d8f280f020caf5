"""Every field type meets what does not belong in it, by every way in: refused by name, in two languages, no trace left."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from markupsafe import escape
from werkzeug.test import TestResponse

from runtime import records
from runtime.site import Site
from tests.channels.walk import body
from tests.channels.world import content, enter
from tests.databases import database_of
from tests.records.world import add_user, open_site
from web.app import create_app

APPLICATION = """
entity: item
title: name
owner: owner
fields:
  name: {type: text, required: true, max: 20}
  note: {type: long_text, max: 50}
  mark: {type: text, unique: true}
  stage: {type: select, options: stage}
  groups: {type: multi_select, options: stage}
  parent: {type: link, to: item, on_delete: clear}
  friends: {type: links, to: item}
  keeper: user
  owner: {type: user, default: "=user"}
  count: {type: integer, min: 0, max: 100}
  size: {type: decimal, scale: 2, digits: 8}
  share: {type: percent, min: 0, max: 100}
  cost: {type: money, min: 0}
  active: boolean
  born: date
  met: datetime
  opens: time
  mail: email
  tel: phone
  site: url
  stars: rating
  extra: json
  key: {type: secret, max: 30}
  coin: currency
  letter: file
  picture: image
  fixed: {type: text, readonly: true}
  locked: text
  covert: text
  double: {type: integer, formula: "count * 2"}
  above: {type: lookup, of: parent.name}
  below: {type: related, entity: item, by: parent}
  rows: {type: lines, entity: item_row}
---
entity: item_row
title: label
fields:
  item: {type: link, to: item, required: true, on_delete: cascade}
  label: {type: text, required: true, max: 10}
  quantity: {type: integer, max: 9}
  sum: {type: integer, formula: "quantity * 2"}
---
options: stage
choices: {new: {zh: 新, en: New}, won: {zh: 赢, en: Won}}
---
role: rep
grants:
  item: {read: own, create: all, edit: own, delete: own, import: all, hide: [covert], read_only: [locked]}
"""
UNSEEN = "<unseen>"  # stands for the id of a record that its reader may not see
BIG = "9" * 40
# What no channel takes: as JSON has it, and as a form or a cell has it.
VALUES: dict[str, tuple[list[Any], list[str]]] = {
    "name": ([True, ["a"], {"a": 1}, "x" * 21, None, "  ", "a\x00b"], ["", "x" * 21]),
    "note": ([["a"], 1.5e300, "x" * 51], ["x" * 51]),
    "mark": ([["a"], "taken"], ["taken"]),
    "stage": (["gone", 7, True, ["new"], {"a": 1}], ["gone"]),
    "groups": ([["gone"], {"a": 1}, [["new"]], 5], ["gone"]),
    "parent": ([UNSEEN, "999999", -1, 0, 1.5, True, "1 OR 1=1", 10**20, [1]], [UNSEEN, "999999", "nobody"]),
    "friends": ([[UNSEEN], ["999999"], {"a": 1}, [-1], "x"], [UNSEEN, "999999"]),
    "keeper": (["999999", -3, True, {"id": {}}], ["999999"]),
    "count": (["1.5", "a", 2**53, 101, -1, True, 10**400, "NaN"], ["many", "1.5", "101", "-1", BIG]),
    "size": (["x", "NaN", BIG, True, [1], 10**7], ["x", "NaN", BIG]),
    "share": (["x", 101, -1, "1e40", True], ["x", "101"]),
    "cost": (["abc", -1, "NaN", BIG, [1], True, {"amount": 1, "currency": "XXL"}], ["abc", "-1", BIG]),
    "active": (["maybe", 2, [], {}], []),
    "born": (["2026-02-30", "soonish", 5, True, "9999999-01-01"], ["2026-02-30", "soonish"]),
    "met": (["2026-13-01T00:00", "x", True, []], ["2026-13-01T00:00", "x"]),
    "opens": (["25:00", "x", True], ["25:00"]),
    "mail": (["nobody", "a@b@c", 5], ["nobody"]),
    "tel": (["not a phone", [1]], ["not a phone"]),
    "site": (["javascript:alert(1)", "http://", 5], ["javascript:alert(1)"]),
    "stars": ([6, 0, "x", 1.5, True], ["6", "x"]),
    "extra": ([], ["{"]),
    "key": ([5, ["x"], "x" * 31], ["x" * 31]),
    "coin": (["XXXX", 5, "12"], ["XXXX"]),
    "letter": (["999999", "x", -1, True], []),
    "picture": (["999999", {"a": 1}], []),
    "fixed": (["x"], []),
    "locked": (["x"], []),
    "covert": (["x"], []),
    "double": ([7], []),
    "above": (["x"], []),
    "below": ([[]], []),
    "id": ([7], []),
    "created_by": (["999999"], []),
    "version": ([9], []),
    "deleted_at": (["2026-01-01T00:00:00Z"], []),
    "nothing": (["x"], []),
    "rows": (["x", 5, {"label": "a"}, ["x"]], []),
}
LINES: dict[str, list[dict[str, Any]]] = {
    "rows.0.label": [{"label": "x" * 11}, {"quantity": 1}, {"label": ["a"]}],
    "rows.0.quantity": [{"label": "a", "quantity": 10}, {"label": "a", "quantity": "many"}],
    "rows.0.sum": [{"label": "a", "sum": 1}],
    "rows.0.nothing": [{"label": "a", "nothing": 1}],
    "rows.0.id": [{"id": "999999", "label": "a"}],
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
INSIDE = re.compile(r"traceback|sqlalchemy|sqlite|exception|error:|\{[a-z_]+\}", re.IGNORECASE)


class Ways:
    """A site with somebody who may write, and every way in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.app = create_app(site, testing=True)
        self.alice, bob = add_user(site, "alice", "rep"), add_user(site, "bob", "rep")
        with site.session(write=True) as session:
            self.unseen = records.create(session, "item", {"name": "secret of bob", "owner": bob}).id
        self.browser, self.token = enter(site, self.app, self.alice)
        with site.session(self.alice, write=True) as session:
            records.create(session, "item", {"name": "another", "mark": "taken"})
            self.mine = records.create(session, "item", {"name": "mine", "note": "kept", "count": 5}).id

    def api(self, method: str, address: str, value: Any, language: str = "en", **headers: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": language, **headers}
        data = json.dumps(value)
        address = f"/api/v1{address}"
        return self.app.test_client().open(
            address, method=method, data=data, content_type="application/json", headers=headers
        )

    def form(self, address: str, data: dict[str, Any], language: str = "en") -> TestResponse:
        self.browser.client.set_cookie("octavo-language", language, domain="localhost")
        return self.browser.post(address, data, fragment=language == "zh")

    def fill(self, value: Any) -> Any:
        """The value with the real id of the unseen record."""
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return str(self.unseen) if value == UNSEEN else value


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ways(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    folder = tmp_path_factory.mktemp("bad")
    with database_of(request.param, folder) as url:
        site = open_site(url, folder, APPLICATION)
        yield Ways(site)
        site.close()


def told(answer: TestResponse) -> dict[str, str]:
    """Field -> message of a problem document."""
    assert answer.status_code == 422, (answer.status_code, answer.text[:300])
    return {p["field"]: p["message"] for p in body(answer)["problems"]}


def speaks(message: str, language: str) -> None:
    """A sentence in that language that tells nothing of the inside."""
    assert message
    assert bool(CHINESE.search(message)) == (language == "zh"), (language, message)
    assert not INSIDE.search(message), message


@pytest.mark.attack("N03", "N20", "N26", "N27", "N38", "N94", "N102")
@pytest.mark.parametrize("field", [f for f in VALUES if VALUES[f][0]])
def test_the_api_refuses_it_by_name(ways: Ways, field: str) -> None:
    before = content(ways.site)
    for value in map(ways.fill, VALUES[field][0]):
        good = {} if field == "name" else {"name": "x"}
        created = ways.api("POST", "/item", {**good, field: value})
        said = told(created)
        assert set(said) == {field}, (value, said)
        speaks(said[field], "en")
        again = told(ways.api("PATCH", f"/item/{ways.mine}", {field: value}, "zh"))
        assert set(again) == {field}, (value, again)
        speaks(again[field], "zh")
        rows = told(ways.api("POST", "/item/batch", {"create": [{"name": "fine"}, {**good, field: value}]}))
        assert set(rows) == {f"rows.1.{field}"}, (value, rows)
        if field not in ("id", "version"):  # in a batch these say which record is meant
            change = {"update": [{"id": str(ways.mine), field: value}], "atomic": False}
            result = body(ways.api("POST", "/item/batch", change))["results"][0]
            assert (result["status"], {p["field"] for p in result["problems"]}) == (422, {field}), (value, result)
    assert content(ways.site) == before


@pytest.mark.attack("N27", "N102")
@pytest.mark.parametrize("path", sorted(LINES))
def test_lines_are_refused_at_their_place(ways: Ways, path: str) -> None:
    before = content(ways.site)
    for line in LINES[path]:
        for answer in (
            ways.api("POST", "/item", {"name": "x", "rows": [line]}),
            ways.api("PATCH", f"/item/{ways.mine}", {"rows": [line]}, "zh"),
        ):
            assert set(told(answer)) == {path}, line
    assert content(ways.site) == before


@pytest.mark.attack("N03", "N27", "N94", "N102")
@pytest.mark.parametrize("field", [f for f in VALUES if VALUES[f][1]])
def test_a_form_comes_back_with_what_was_typed(ways: Ways, field: str) -> None:
    before = content(ways.site)
    for text in map(ways.fill, VALUES[field][1]):
        for address, language in (("/e/item/new", "en"), (f"/e/item/{ways.mine}/edit", "zh")):
            answer = ways.form(address, {"name": "typed", "note": "<typed> too", field: text}, language)
            assert answer.status_code == 422, (address, text, answer.status_code)
            html = answer.text
            assert "typed" in html
            if field != "note":
                assert "&lt;typed&gt; too" in html
            assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', html) or f'href="#f-{field}"' in html
            if field != "key":  # a secret is typed anew
                assert str(escape(text)) in html, text
            summary = re.findall(rf'href="#f-{field}"[^>]*>[^<]*</a>(.*?)</li>', html)
            assert summary
            assert "secret of bob" not in html
            for sentence in summary:
                assert bool(CHINESE.search(sentence)) == (language == "zh"), sentence
    assert content(ways.site) == before


@pytest.mark.attack("N28")
def test_inputs_that_a_form_does_not_have_are_not_listened_to(ways: Ways) -> None:
    given = dict.fromkeys(("fixed", "locked", "covert", "double", "above", "id", "created_by", "nothing"), "7777")
    answer = ways.form("/e/item/new", {"name": "inputs", **given})
    assert answer.status_code == 303
    with ways.site.session() as session:
        made = records.read(session, "item", int(answer.headers["Location"].rsplit("/", 1)[1])).values
    assert [made[n] for n in ("fixed", "locked", "covert", "double", "above")] == [None] * 5
    assert made["created_by"] == ways.alice


def begin_import(ways: Ways, rows: list[dict[str, str]]) -> TestResponse:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    data: dict[str, Any] = {"file": (io.BytesIO(sheet.getvalue().encode()), "rows.csv"), "entity": "item"}
    data["mapping"] = json.dumps({name: name for name in rows[0]})
    headers = {"Authorization": f"Bearer {ways.token}"}
    return ways.app.test_client().post("/api/v1/imports", data=data, headers=headers)


def run_import(ways: Ways, rows: list[dict[str, str]], language: str = "en") -> tuple[dict[str, Any], list[list[str]]]:
    """The status of an import of these rows, and the rows of its file of rejects."""
    headers = {"Authorization": f"Bearer {ways.token}", "Accept-Language": language}
    client = ways.app.test_client()
    begun = begin_import(ways, rows)
    assert begun.status_code == 201, begun.text
    done = client.post(f"/api/v1/imports/{body(begun)['id']}/run", headers=headers)
    assert done.status_code == 200, done.text
    rejects: list[list[str]] = []
    if body(done)["rejects"]:
        text = client.get(body(done)["rejects"], headers=headers).data.decode("utf-8-sig")
        rejects = list(csv.reader(io.StringIO(text)))
    return body(done), rejects


def names(ways: Ways) -> list[str]:
    with ways.site.session() as session:
        table = session.table("item")
        return list(session.connection.scalars(sa.select(table.c.name).order_by(table.c.id)))


@pytest.mark.attack("N97", "N102")
@pytest.mark.parametrize("field", [f for f in VALUES if VALUES[f][1]])
def test_an_import_leaves_out_the_bad_row_alone(ways: Ways, field: str) -> None:
    had = names(ways)
    texts = [ways.fill(text) for text in VALUES[field][1]]
    bad = [{"name": f"bad {n}", "stars": "1", field: text} for n, text in enumerate(texts)]
    for language in ("en", "zh"):
        good = [{"stars": "", field: "", "name": f"{language} {n}"} for n in range(2)]  # the same file runs but once
        status, rejects = run_import(ways, [good[0], *bad, good[1]], language)
        assert (status["created"], status["rejected"]) == (2, len(bad)), (status, rejects)
        for reject in rejects[1:]:
            reason = " ".join(reject)
            assert not INSIDE.search(reason), reason
            assert "secret of bob" not in reason
            assert bool(CHINESE.search(reason)) == (language == "zh"), reason
    assert names(ways) == [*had, "en 0", "en 1", "zh 0", "zh 1"]


@pytest.mark.attack("N97")
@pytest.mark.parametrize(
    "field", ["fixed", "locked", "covert", "double", "created_by", "created_at", "version", "nothing"]
)
def test_an_import_takes_no_column_that_may_not_be_written(ways: Ways, field: str) -> None:
    """Refused as a whole, or row by row with the reason; never taken."""
    before = names(ways)
    rows = [{"name": "sneaky", field: "7777"}]
    if begin_import(ways, rows).status_code == 201:
        status, rejects = run_import(ways, rows)
        assert (status["created"], status["rejected"]) == (0, 1), (status, rejects)
    else:
        assert begin_import(ways, rows).status_code in (400, 422)
    assert names(ways) == before


@pytest.mark.attack("N01", "N97")
def test_an_import_does_not_reach_unseen_records(ways: Ways) -> None:
    """Matching by a unique field neither changes the record of somebody else nor tells its values."""
    with ways.site.session(write=True) as session:
        records.update(session, "item", ways.unseen, {"mark": "of bob"})
    status, rejects = run_import(ways, [{"name": "taken over", "mark": "of bob"}, {"name": "fine", "mark": ""}])
    assert (status["created"], status["rejected"]) == (1, 1)
    assert "secret" not in str(rejects)
    with ways.site.session() as session:
        assert records.read(session, "item", ways.unseen).values["name"] == "secret of bob"


@pytest.mark.promise("P18")
def test_a_stale_version_is_refused_everywhere(ways: Ways) -> None:
    for n in range(2):
        assert ways.api("PATCH", f"/item/{ways.mine}", {"note": f"newer {n}"}).status_code == 200
    before = content(ways.site)
    for language in ("en", "zh"):
        header = {"If-Match": '"1"'}
        for method in ("PATCH", "DELETE"):
            answer = ways.api(method, f"/item/{ways.mine}", {"note": "older"}, language, **header)
            assert answer.status_code == 412
            speaks(body(answer)["detail"], language)
            assert body(answer)["current_version"] > 1
        rows = {"update": [{"id": str(ways.mine), "version": 1, "note": "older"}]}
        assert ways.api("POST", "/item/batch", rows, language).status_code == 412
        result = body(ways.api("POST", "/item/batch", rows | {"atomic": False}, language))["results"][0]
        assert result["status"] == 412
        speaks(result["detail"], language)
        typed = {"name": "mine", "note": "older <b>", "version": "1"}
        answer = ways.form(f"/e/item/{ways.mine}/edit", typed, language)
        assert answer.status_code == 412
        assert "older &lt;b&gt;" in answer.text
        assert "newer 1" in answer.text
    assert content(ways.site) == before


@pytest.mark.attack("N94")
@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"x"', b"null", b'{"name": NaN}', b'{"name": "a", "name": "b"}', b"\xff"]
)
def test_what_is_no_record_at_all_is_refused(ways: Ways, raw: bytes) -> None:
    before = content(ways.site)
    for method, address in (("POST", "/item"), ("PATCH", f"/item/{ways.mine}"), ("POST", "/item/batch")):
        for language in ("zh", "en"):
            headers = {"Authorization": f"Bearer {ways.token}", "Accept-Language": language}
            answer = ways.app.test_client().open(
                f"/api/v1{address}", method=method, data=raw, content_type="application/json", headers=headers
            )
            assert answer.status_code == 400, (raw, method, address, answer.status_code)
            speaks(body(answer)["detail"], language)
    assert content(ways.site) == before
