"""A cell of a list edited in place: saved, refused, in conflict, locked."""

from __future__ import annotations

import re

from flask import Flask

from runtime import records
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from tests.web.test_bulk import some_ids


def version(html: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', html)
    assert found
    return found.group(1)


def test_a_cell_is_edited_and_the_row_comes_back(site: Site, admin: Browser) -> None:
    number = some_ids(site, 1)[0]
    admin.get(f"/e/{ENTITY}")
    address = f"/e/{ENTITY}/{number}/cell/short_name?cols=name,short_name"
    asked = admin.get(address).text
    assert 'name="short_name"' in asked
    answer = admin.post(address, {"short_name": "在行内", "version": version(asked)}, fragment=True)
    assert answer.status_code == 200
    assert answer.text.startswith(f'<tr data-href="/e/{ENTITY}/{number}"')
    assert "在行内" in answer.text
    with site.session() as session:
        assert records.read(session, ENTITY, number, ["short_name"]).values["short_name"] == "在行内"


def test_what_is_refused_stays_in_its_cell(site: Site, admin: Browser) -> None:
    number = some_ids(site, 1)[0]
    admin.get(f"/e/{ENTITY}")
    address = f"/e/{ENTITY}/{number}/cell/name"
    answer = admin.post(address, {"name": "", "version": version(admin.get(address).text)}, fragment=True)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "closest td")
    assert "field-problem" in answer.text
    wrong = admin.post(f"/e/{ENTITY}/{number}/cell/kind", {"kind": "<script>"}, fragment=True)
    assert wrong.status_code == 422
    assert "<script>" not in wrong.text


def test_a_value_on_the_page_of_a_record_is_answered_alone_and_the_page_told(site: Site, admin: Browser) -> None:
    number = some_ids(site, 1)[0]
    admin.get(f"/e/{ENTITY}")
    address = f"/e/{ENTITY}/{number}/cell/short_name?at=record"
    asked = admin.get(address).text
    assert 'hx-target="closest dd"' in asked
    answer = admin.post(address, {"short_name": "<在页内>", "version": version(asked)}, fragment=True)
    assert (answer.status_code, answer.text) == (200, "&lt;在页内&gt;")
    assert "record-changed" in answer.headers["HX-Trigger"]
    stale = admin.post(address, {"short_name": "mine", "version": version(asked)}, fragment=True)
    assert (stale.status_code, stale.headers["HX-Retarget"]) == (412, "closest dd")
    assert "&lt;在页内&gt;" in stale.text
    emptied = admin.post(address, {"short_name": "", "version": version(stale.text)}, fragment=True)
    assert "—" in emptied.text
    assert 'data-fact="short_name"' in admin.get(f"/e/{ENTITY}/{number}").text
    assert admin.get(f"/e/{ENTITY}/{number}/cell/opp_open?at=record").status_code == 403


def test_a_conflict_shows_what_is_stored_now(site: Site, admin: Browser) -> None:
    number = some_ids(site, 1)[0]
    admin.get(f"/e/{ENTITY}")
    address = f"/e/{ENTITY}/{number}/cell/short_name"
    old = version(admin.get(address).text)
    with site.session(write=True) as session:
        records.update(session, ENTITY, number, {"short_name": "theirs"})
    answer = admin.post(address, {"short_name": "mine", "version": old}, fragment=True)
    assert answer.status_code == 412
    assert "theirs" in answer.text
    assert 'value="mine"' in answer.text
    again = admin.post(address, {"short_name": "mine", "version": version(answer.text)}, fragment=True)
    assert again.status_code == 200


def test_only_what_may_be_edited_is_offered(site: Site, admin: Browser, app: Flask, seller_login: str) -> None:
    number = some_ids(site, 1)[0]
    admin.get(f"/e/{ENTITY}")
    assert admin.get(f"/e/{ENTITY}/{number}/cell/open_amount").status_code == 403
    assert admin.get(f"/e/{ENTITY}/{number}/cell/created_at").status_code == 403
    assert admin.get(f"/e/{ENTITY}/{number}/cell/nothing").status_code == 404
    html = admin.get(f"/e/{ENTITY}?cols=name,open_amount,owner.name").text
    assert re.findall(r'<th data-column="([^"]+)" data-editable', html) == ["name"]
    other = Browser(app.test_client())
    other.sign_in(seller_login)
    hidden = other.get(f"/e/{ENTITY}/999999/cell/name")
    assert hidden.status_code == 404


def test_the_side_panel_shows_the_record(site: Site, admin: Browser) -> None:
    number = some_ids(site, 1)[0]
    html = admin.get(f"/e/{ENTITY}/{number}", headers={"HX-Request": "true", "HX-Target": "aside#peek"}).text
    assert "data-peek-close" in html
    assert "<html" not in html
