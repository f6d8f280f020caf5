"""Numbers of members and movements of stock, on either database: ME-03, ME-04, ST-03."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime import actions, records
from runtime.errors import Busy, Conflict, Refused
from runtime.ledgers import checking
from runtime.schema.internal import counter
from tests.acceptance.both import fixture_f_on, together
from tests.acceptance.conftest import World
from tests.scale import ROUNDS, WRITERS


@pytest.fixture
def w(database: str, tmp_path: Path) -> Iterator[World]:
    with fixture_f_on(database, tmp_path / "site") as world:
        world.create(None, "member_plan", code="ZX", name="尊享")
        world.create(None, "store", code="21", name="南京路店")
        yield world


def people(w: World, count: int) -> list[int]:
    rows = [{"name": f"顾客{n}", "kind": "person"} for n in range(count)]
    with w.as_(None, write=True) as session:
        return [saved.id for saved in records.create_many(session, "customer", rows)]  # type: ignore[union-attr]


def enrol(w: World, person: int, **known: int) -> str | None:
    known = known or {"plan": w.id("member_plan", code="ZX"), "store": w.id("store", code="21")}
    values = {"customer": person, **known}
    while True:
        try:
            with w.as_(None, write=True) as session:
                return records.create(session, "member", values).number
        except Busy:
            continue


def count_from(w: World, value: int) -> None:
    """As if `value` numbers had been given."""
    with w.as_(None, write=True) as session:
        given = {"name": "member", "prefix": "ZX021{}-", "value": value}
        session.connection.execute(sa.insert(counter).values(**given))


@pytest.mark.mission("ME-03")
def test_numbers_have_a_check_digit_and_skip_fours(w: World) -> None:
    count_from(w, 122)
    first, second = people(w, 2)
    assert enrol(w, first) == "ZX021000123-7"
    assert (enrol(w, second) or "").startswith("ZX021000125-")


@pytest.mark.attack("N105")
@pytest.mark.mission("ME-03")
def test_sixteen_who_enrol_at_once_give_no_number_twice(w: World) -> None:
    """400 enrolments (the row asks for a hundred), or FUZZ times as many."""
    everybody = people(w, WRITERS * ROUNDS)
    known = {"plan": w.id("member_plan", code="ZX"), "store": w.id("store", code="21")}
    parts = [everybody[start::WRITERS] for start in range(WRITERS)]
    results = together([lambda part=part: [enrol(w, person, **known) for person in part] for part in parts])  # type: ignore[misc]
    numbers = [number for part in results for number in part]  # type: ignore[attr-defined]
    assert len(set(numbers)) == len(everybody)
    assert all(number is not None and "4" not in number[5:11] for number in numbers)


@pytest.mark.mission("ME-04")
def test_reserved_numbers_are_skipped_and_granted_once(w: World) -> None:
    count_from(w, 887)
    first, second = people(w, 2)
    assert (enrol(w, first) or "")[5:11] == "000889"
    enrol(w, second)
    vip, other = w.id("member", customer=first), w.id("member", customer=second)
    with w.as_("cs", write=True) as session, pytest.raises(Conflict):
        actions.run(session, "member", vip, "grant_number", {"sequence": "000888"})
    with w.as_("admin", write=True) as session:
        made = actions.run(session, "member", vip, "grant_number", {"sequence": "000888"})
    assert made.data["number"].startswith("ZX021000888-")
    assert w.read("admin", "member", vip)["number"] == made.data["number"]
    with w.site.session(w.user("admin"), write=True) as writing, pytest.raises(Conflict):
        actions.run(writing, "member", other, "grant_number", {"sequence": "000888"})
    with w.site.session(w.user("admin"), write=True) as writing, pytest.raises(Refused):
        actions.run(writing, "member", other, "grant_number", {"sequence": "000777"})


@pytest.mark.mission("ST-03")
def test_stock_is_moved_by_entries_that_nobody_changes(w: World) -> None:
    jacket = w.id("product", name="工装夹克")
    place = w.create(None, "warehouse", code="MAIN", name="主仓")
    entry = {"product": jacket, "warehouse": place}
    w.create("pm", "stock_move", **entry, quantity=10, source="CG-1")
    out = w.create("pm", "stock_move", **entry, quantity=-4, kind="issue", source="FH-1")
    assert w.read("pm", "product", jacket)["on_hand"] == Decimal("6.000")
    path = f"/stock_move/{out}"
    assert w.api("pm", "PATCH", path, json={"quantity": -3}).status_code == 403
    assert w.api("pm", "DELETE", path).status_code == 403
    assert w.api("pm", "PATCH", "/stock_balance/1", json={"quantity": 99}).status_code in (403, 404)
    assert w.api("pm", "POST", "/stock_move", json={**entry, "quantity": "-7", "kind": "issue"}).status_code == 422
    assert w.api("pm", "POST", f"{path}/actions/reverse", json={}).status_code == 200
    assert w.read("pm", "product", jacket)["on_hand"] == Decimal("10.000")
    with w.as_(None) as session:
        assert checking.verify(session) == []
