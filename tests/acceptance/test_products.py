"""PR: products and what belongs to them."""

from __future__ import annotations

import pytest

from runtime import records
from runtime.errors import Refused
from tests.acceptance.conftest import World


def product(f: World, login: str = "pm", **more: object) -> int:
    values = {"name": "新品", "type": f.id("product_type", code="RJ"), "series": f.id("product_series", code="XA")}
    return f.create(login, "product", **(values | {"list_price": 100} | more))


@pytest.mark.mission("PR-01")
def test_fields_of_a_product_follow_its_type(f: World) -> None:
    kinds = {code: f.id("product_type", code=code) for code in ("RJ", "FZ")}
    f.create("pm", "product_type", name="云软件", code="YRJ", parent=kinds["RJ"])
    assert f.list("pm", "product_type", f"parent.id == {kinds['RJ']}") == ["云软件"]
    with f.as_("pm") as session:
        shown = {
            code: records.evaluate_form(session, "product", None, {"type": kind}).visible
            for code, kind in kinds.items()
        }
    assert (shown["FZ"]["size"], shown["RJ"]["size"]) == (True, False)
    assert (shown["FZ"]["licence"], shown["RJ"]["licence"]) == (False, True)


@pytest.mark.mission("PR-02")
def test_a_series_belongs_to_a_type_and_its_new_name_shows_everywhere(f: World) -> None:
    series = f.id("product_series", code="XA")
    f.update("pm", "product_series", series, name="系列甲")
    with f.as_("pm") as session:
        seen = records.read(session, "product", f.id("product", name="软件许可 A"))
    assert seen.titles["series"] == "系列甲"
    with pytest.raises(Refused) as refused:
        product(f, type=f.id("product_type", code="FZ"))
    assert [p.field for p in refused.value.problems] == ["series"]


@pytest.mark.mission("PR-05")
def test_numbers_of_products_are_made_of_type_and_series(f: World) -> None:
    # fixture F holds RJ-XA-0001 already; whoever creates, the counter goes on
    first, second = product(f, "pm", model="M1"), product(f, "admin", model="M2")
    codes = [f.read("pm", "product", p)["code"] for p in (f.id("product", name="软件许可 A"), first, second)]
    assert codes == ["RJ-XA-0001", "RJ-XA-0002", "RJ-XA-0003"]


def test_a_unit_sees_the_products_enabled_for_it(f: World) -> None:
    only_south = [{"unit": f.id("unit", code="S"), "enabled": True}]
    product(f, status="on_sale", offers=only_south, name="华南专供", model="M3")
    assert "华南专供" in f.list("chenwu", "product")
    assert "华南专供" not in f.list("zhangsan", "product")
    assert "软件许可 A" in f.list("zhangsan", "product")


def test_products_have_all_their_basic_data(f: World) -> None:
    entity = f.site.application().entities["product"]
    wanted = {"name", "code", "type", "series", "brand", "model", "spec", "measure", "list_price", "cost", "suppliers"}
    assert wanted | {"picture", "pictures", "status"} <= set(entity.fields)


def test_a_pack_holds_units(f: World) -> None:
    jacket = f.id("product", name="工装夹克")
    pack = f.id("product_pack", product=jacket)
    # twelve to a box; the jacket's multiple of five is lifted here, it is another row's affair
    f.update("pm", "product", jacket, quantity_multiple=None)
    line = {"product": jacket, "pack": pack, "quantity": 2}
    deal = f.create("zhangsan", "opportunity", name="工装", customer=f.k("K1"), lines=[line])
    seen = f.read("zhangsan", "opportunity", deal)["lines"][0].values
    assert (seen["units"], seen["price"], seen["amount"]) == (24, 168, 24 * 168)


@pytest.mark.mission("PR-12")
def test_quantities_keep_to_minimum_and_multiple(f: World) -> None:
    jacket = f.id("product", name="工装夹克")

    def sell(quantity: int) -> int:
        lines = [{"product": jacket, "quantity": quantity}]
        return f.create("zhangsan", "opportunity", name=f"工装{quantity}", customer=f.k("K1"), lines=lines)

    for wrong in (12, 5):
        with pytest.raises(Refused) as refused:
            sell(wrong)
        assert {p.field for p in refused.value.problems} == {"lines.0.quantity"}
    assert sell(15)


def test_a_draft_cannot_be_sold(f: World) -> None:
    draft = product(f, name="草稿", model="M9")
    lines = [{"product": draft, "quantity": 1}]
    with pytest.raises(Refused):
        f.create("wang", "opportunity", name="草稿", customer=f.k("K7"), owner=f.user("wang"), lines=lines)
