"""Creating, changing, conflicting, deleting and restoring through the forms."""

from __future__ import annotations

import re

import pytest

from runtime.records import create, read, update
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser, content_hash

LINED = "opportunity"


def test_a_record_is_created_and_led_to(site: Site, admin: Browser) -> None:
    admin.get(f"/e/{ENTITY}/new")
    answer = admin.post(f"/e/{ENTITY}/new", {"name": "表单客户 & <b>", "phone": " 139 1234 5678 "}, fragment=True)
    assert answer.status_code == 200
    where = answer.headers["HX-Redirect"]
    assert re.fullmatch(rf"/e/{ENTITY}/\d+", where)
    with site.session() as session:
        stored = read(session, ENTITY, int(where.rsplit("/", 1)[1]), ["name", "phone", "kind"])
    assert stored.values["name"] == "表单客户 & <b>"
    assert stored.values["phone"] == "13912345678"
    assert stored.values["kind"] == "company"
    page = admin.get(where).text
    assert "表单客户 &amp; &lt;b&gt;" in page
    assert "139 1234 5678" in page


def test_without_scripts_a_form_works_as_well(admin: Browser) -> None:
    answer = admin.post(f"/e/{ENTITY}/new", {"name": "无脚本客户", "then": ""})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/e/{ENTITY}/")


@pytest.mark.parametrize("fragment", [True, False])
def test_a_refused_form_comes_back_with_everything_typed(site: Site, admin: Browser, fragment: bool) -> None:
    before = content_hash(site)
    data = {
        "name": "",
        "short_name": "简<称>",
        "email": "no mail",
        "annual_revenue": "12x",
        "roles": ["customer", "supplier"],
    }
    answer = admin.post(f"/e/{ENTITY}/new", data, fragment=fragment)
    assert answer.status_code == 422
    assert ("<html" in answer.text) is not fragment
    html = answer.text
    assert 'value="简&lt;称&gt;"' in html
    assert 'value="no mail"' in html
    assert 'value="12x"' in html
    assert len(re.findall(r'name="roles" value="(?:customer|supplier)" checked', html)) == 2
    for name in ("name", "email", "annual_revenue"):
        assert re.search(rf'id="f-{name}"[^>]*aria-invalid="true"', html), name
        assert f'href="#f-{name}"' in html
    assert content_hash(site) == before


def test_lines_are_added_changed_and_removed(site: Site, admin: Browser) -> None:
    made = {
        "name": "带明细的商机",
        "customer": "1",
        "lines.__rows": "1",
        "lines.0.text": "甲",
        "lines.0.quantity": "2",
        "lines.0.price": "100",
        "lines.1.text": "乙",
        "lines.1.quantity": "1",
        "lines.1.price": "50.5",
    }
    answer = admin.post(f"/e/{LINED}/new", made, fragment=True)
    assert answer.status_code == 200, re.findall(r"field-problem[^>]*>([^<]*)", answer.text)
    number = int(answer.headers["HX-Redirect"].rsplit("/", 1)[1])
    with site.session() as session:
        stored = read(session, LINED, number)
    first, second = stored.values["lines"]
    assert (first.values["quantity"], second.values["price"]) == (2, pytest.approx(50.5, abs=0))
    changed = {
        "name": "带明细的商机",
        "customer": "1",
        "version": str(stored.version),
        "lines.__rows": "1",
        "lines.7.id": str(second.id),
        "lines.7.text": "乙",
        "lines.7.quantity": "3",
        "lines.7.price": "50.5",
    }
    assert admin.post(f"/e/{LINED}/{number}/edit", changed, fragment=True).status_code == 200
    with site.session() as session:
        lines = read(session, LINED, number).values["lines"]
    assert [(line.id, line.values["quantity"]) for line in lines] == [(second.id, 3)]


def test_a_problem_in_a_line_is_shown_in_its_cell(admin: Browser) -> None:
    data = {"name": "x", "customer": "1", "lines.__rows": "1", "lines.0.text": "甲", "lines.0.quantity": "many"}
    data |= {"lines.0.product": "2", "owner": ""}
    answer = admin.post(f"/e/{LINED}/new", data, fragment=True)
    assert answer.status_code == 422
    product = re.search(r'id="f-lines-0-product"[^>]*value="([^"]*)"', answer.text)
    assert product is not None
    assert product.group(1) != ""
    assert 'href="#f-lines-0-quantity"' in answer.text
    assert re.search(r'id="f-lines-0-quantity"[^>]*aria-invalid="true"', answer.text)
    assert 'value="many"' in answer.text


@pytest.mark.promise("P18")
def test_two_people_editing_is_told_with_what_differs(site: Site, admin: Browser) -> None:
    with site.session(write=True) as session:
        number = create(session, ENTITY, {"name": "冲突客户", "short_name": "原"}).id
    page = admin.get(f"/e/{ENTITY}/{number}/edit").text
    version = re.search(r'name="version" value="(\d+)"', page).group(1)  # type: ignore[union-attr]
    with site.session(write=True) as session:
        update(session, ENTITY, number, {"short_name": "别人的"})
    data = {"name": "冲突客户", "short_name": "我的", "version": version}
    answer = admin.post(f"/e/{ENTITY}/{number}/edit", data, fragment=True)
    assert answer.status_code == 412
    table = re.search(r'class="alert alert-warning conflict".*?</table>', answer.text, re.S).group(0)  # type: ignore[union-attr]
    assert "别人的" in table
    assert "我的" in table
    assert 'value="我的"' in answer.text
    again = {**data, "version": re.search(r'name="version" value="(\d+)"', answer.text).group(1)}  # type: ignore[union-attr]
    assert admin.post(f"/e/{ENTITY}/{number}/edit", again, fragment=True).status_code == 200
    with site.session() as session:
        assert read(session, ENTITY, number, ["short_name"]).values["short_name"] == "我的"


def test_deleting_offers_to_undo_and_the_bin_restores(site: Site, admin: Browser) -> None:
    with site.session(write=True) as session:
        number = create(session, ENTITY, {"name": "要删除的客户"}).id
    admin.get(f"/e/{ENTITY}/{number}")
    assert admin.post(f"/e/{ENTITY}/{number}/delete").status_code == 303
    undo = f"/e/{ENTITY}/restore?id={number}"
    assert f'data-undo="{undo}"' in admin.get(f"/e/{ENTITY}").text
    assert admin.get(f"/e/{ENTITY}/{number}").status_code == 404
    assert "要删除的客户" in admin.get(f"/recycle-bin?entity={ENTITY}").text
    assert admin.post(undo, fragment=True).status_code == 200
    assert admin.get(f"/e/{ENTITY}/{number}").status_code == 200


def test_many_rows_are_deleted_at_once(site: Site, admin: Browser) -> None:
    with site.session(write=True) as session:
        ids = [create(session, ENTITY, {"name": f"批量{i}"}).id for i in range(3)]
    admin.get(f"/e/{ENTITY}")
    assert admin.post(f"/e/{ENTITY}/delete", {"id": [str(i) for i in ids]}).status_code == 303
    assert [admin.get(f"/e/{ENTITY}/{i}").status_code for i in ids] == [404, 404, 404]


def test_rules_answer_while_one_types(admin: Browser) -> None:
    person = admin.post(f"/e/{ENTITY}/evaluate", {"name": "张", "kind": "person"}, fragment=True).get_json()["fields"]
    company = admin.post(f"/e/{ENTITY}/evaluate", {"name": "张", "kind": "company"}, fragment=True).get_json()["fields"]
    assert person["gender"]["visible"]
    assert not person["uscc"]["visible"]
    assert company["uscc"]["visible"]
    blacklisted = {"name": "张", "status": "blacklisted"}
    answer = admin.post(f"/e/{ENTITY}/evaluate", blacklisted, fragment=True).get_json()["fields"]
    assert answer["status_reason"]["required"]


def test_only_fields_of_the_form_are_taken(site: Site, admin: Browser) -> None:
    data = {"name": "越权字段", "code": "HACK", "created_by": "99", "id": "5", "opp_count": "7", "nonsense": "1"}
    answer = admin.post(f"/e/{ENTITY}/new", data, fragment=True)
    number = int(answer.headers["HX-Redirect"].rsplit("/", 1)[1])
    with site.session() as session:
        values = read(session, ENTITY, number, ["code", "opp_count", "created_by"]).values
    assert values["code"] != "HACK"
    assert values["opp_count"] == 0
    assert values["created_by"] != 99


@pytest.mark.attack("N94")
@pytest.mark.parametrize("text", ["a\x00b", "9" * 5_000, "\ud800"])
def test_strange_texts_are_refused_with_a_sentence(admin: Browser, text: str) -> None:
    data = {"name": text.encode("utf-8", "surrogatepass"), "employees": text.encode("utf-8", "surrogatepass")}
    answer = admin.post(f"/e/{ENTITY}/new", data, fragment=True)
    assert answer.status_code in (400, 422)
    assert "Traceback" not in answer.text


def test_the_path_moves_a_record(site: Site, admin: Browser) -> None:
    with site.session(write=True) as session:
        saved = create(session, ENTITY, {"name": "阶段客户"})
    admin.get(f"/e/{ENTITY}/{saved.id}")
    answer = admin.post(f"/e/{ENTITY}/{saved.id}/stage", {"to": "qualified", "version": str(saved.version)})
    assert answer.status_code in (303, 422)
    with site.session() as session:
        stage = read(session, ENTITY, saved.id, ["stage"]).values["stage"]
    assert stage == ("qualified" if answer.status_code == 303 else "potential")


def test_a_new_line_takes_the_price_of_its_product(site: Site, admin: Browser) -> None:
    with site.session() as session:
        product = session.table("product")
        row = session.connection.execute(product.select().where(product.c.list_price.is_not(None)).limit(1)).first()
        assert row is not None
    data = {
        "name": "x",
        "customer": "1",
        "lines.__rows": "1",
        "lines.4.product": str(row.id),
        "lines.4.quantity": "2",
        "lines.4.price": "",
    }
    fields = admin.post(f"/e/{LINED}/evaluate", data, fragment=True).get_json()["fields"]
    assert float(fields["lines.4.price"]["input"]) == float(row.list_price)
    assert "html" in fields["lines.4.amount"]
