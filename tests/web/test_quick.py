"""Quick create and look-ups: few fields, what was typed comes back, choices that follow other fields, no way round."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from runtime.duplicates import oracle
from runtime.site import Site
from tests.web.conftest import Browser


def _id(site: Site, entity: str, **values: str) -> int:
    with site.session() as session:
        table = session.table(entity)
        found = session.connection.scalar(sa.select(table.c.id).where(*(table.c[k] == v for k, v in values.items())))
    assert found is not None
    return int(found)


def test_the_dialog_asks_at_most_three_things_that_are_needed(admin: Browser) -> None:
    for entity in ("customer", "contact", "lead", "opportunity", "task", "quote"):
        page = admin.get(f"/e/{entity}/quick", headers={"HX-Request": "true"})
        assert page.status_code == 200
        assert len(re.findall(r'class="field [^"]*is-required', page.text)) <= 3, entity
    assert 'value="Harbour"' in admin.get("/e/customer/quick?title=Harbour&nosuch=1").text


def test_a_record_is_made_and_told_to_the_look_up(admin: Browser, site: Site) -> None:
    made = admin.post("/e/customer/quick", {"name": "Quick And Few Ltd", "select": "1"}, fragment=True)
    assert made.status_code == 200
    told = made.get_json()
    assert told["title"] == "Quick And Few Ltd"
    assert told["address"] == f"/e/customer/{told['id']}"
    assert _id(site, "customer", name="Quick And Few Ltd") == int(told["id"])


def test_what_is_wrong_comes_back_in_its_place(admin: Browser) -> None:
    again = admin.post("/e/customer/quick", {"name": "", "phone": "12"}, fragment=True)
    assert again.status_code == 422
    assert again.text.count("field-problem") == 2
    assert 'value="12"' in again.text


def test_a_likely_twin_is_shown_before_it_is_saved(admin: Browser, site: Site) -> None:
    oracle.forget_all()
    first = admin.post("/e/customer/quick", {"name": "双子星机械（上海）有限公司"}, fragment=True)
    assert first.status_code == 200
    for address in ("/e/customer/quick", "/e/customer/new"):
        again = admin.post(address, {"name": "双子星机械上海", "kind": "company"}, fragment=True)
        assert again.status_code == 422
        assert "双子星机械（上海）有限公司" in again.text
    seen = re.search(r'name="duplicates_seen" value="(\w+)"', again.text)
    assert seen is not None
    saved = admin.post("/e/customer/quick", {"name": "双子星机械上海", "duplicates_seen": seen[1]}, fragment=True)
    assert saved.status_code == 200
    live = admin.post("/e/customer/duplicates", {"name": "双子星机械"}, fragment=True)
    assert live.text.count("likely-name") == 2
    told = admin.post("/e/customer/duplicates", {"name": "谁也不叫这个名字"}, fragment=True)
    assert told.text.strip() == ""


def test_choices_follow_the_fields_they_depend_on(admin: Browser, site: Site) -> None:
    province = _id(site, "division", code="320000")
    city = _id(site, "division", code="320100")
    page = admin.get("/e/customer/new").text
    assert 'data-depends="province"' in page
    offered = admin.get(f"/e/address/lookup/city?this.province={province}").text
    assert "南京市" in offered
    assert "杭州市" not in offered
    assert "南京市" in admin.get(f"/e/address/lookup/city?this.province={province}&q=nj").text
    assert "data-id" not in admin.get("/e/address/lookup/city?this.province=").text
    assert "data-id" not in admin.get(f"/e/address/lookup/city?this.province={city}").text
    for wrong in ("x", "-1", "99999999999999999999", "1' or 1=1"):
        assert "data-id" not in admin.get("/e/address/lookup/city", query_string={"this.province": wrong}).text
    assert "杭州市" in admin.get("/e/address/lookup/city?q=hz").text  # in a filter nothing is chosen before


def test_search_tells_twins_apart(admin: Browser) -> None:
    found = admin.get("/search?q=双子星机械", headers={"HX-Request": "true", "HX-Target": "div#search-results"}).text
    assert found.count("search-hit") >= 2
    assert re.search(r"<small>KH\d+", found)


@pytest.mark.parametrize("entity", ["nosuch", "address", "quote_line"])
def test_what_cannot_be_made_is_not_offered(admin: Browser, entity: str) -> None:
    assert admin.get(f"/e/{entity}/quick").status_code in (403, 404)
    assert admin.post(f"/e/{entity}/quick", {"name": "x"}).status_code in (403, 404)


def test_cells_of_a_spreadsheet_are_found_by_number_or_title(admin: Browser, site: Site) -> None:
    with site.session() as session:
        table = session.table("product")
        name, code = session.connection.execute(sa.select(table.c.name, table.c.code).limit(1)).one()
    texts = [name, code, "no such thing", ""]
    found = admin.post("/e/quote_line/resolve/product", {"text": texts}, fragment=True).get_json()
    assert found[name] == found[code] == {"id": found[name]["id"], "title": name}
    assert "no such thing" in found["no such thing"]["problem"]
    assert set(found) == {name, code, "no such thing"}
    assert admin.post("/e/quote_line/resolve/quantity", {"text": "1"}, fragment=True).status_code == 404
    picked = admin.get("/e/quote_line/pick/product").text
    assert picked.count("pick-item") > 3
    assert "pick-form" not in admin.get("/e/quote_line/pick/product?list=1&q=zz").text
    assert 'data-pick="/e/quote_line/pick/product"' in admin.get("/e/quote/new").text
