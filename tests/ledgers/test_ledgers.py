"""Ledgers: nothing is changed, nothing is oversold or booked twice, and entries always add up to balances."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions, records
from runtime.clock import FakeClock
from runtime.errors import Answer, Busy, Conflict, Forbidden, Refused
from runtime.explain import decision
from runtime.ledgers import checking, posting
from runtime.site import Site
from tests.acceptance.both import together
from tests.records.world import add_user
from tests.scale import FUZZ, ROUNDS, WRITERS


def book(site: Site, entity: str, **values: Any) -> int:
    """Books an entry, as often as the database says that it is busy."""
    while True:
        try:
            with site.session(write=True) as session:
                return records.create(session, entity, values).id
        except Busy:
            continue


def item(site: Site) -> int:
    return book(site, "item", name="mug")


def balance(site: Site, entity: str, amount: str) -> list[Any]:
    with site.session() as session:
        table = session.table(entity)
        return list(session.connection.scalars(sa.select(table.c[amount]).order_by(table.c.id)))


def right(site: Site) -> bool:
    with site.session() as session:
        return checking.verify(session) == []


def test_entries_make_balances_and_formulas_read_them(site: Site) -> None:
    mug = item(site)
    for quantity, place in (("10", "a"), ("5.5", "b"), ("-3", "a")):
        book(site, "move", item=mug, place=place, quantity=quantity)
    assert balance(site, "stock", "quantity") == [Decimal("7.00"), Decimal("5.50")]
    with site.session() as session:
        found = records.read(session, "item", mug).values
    assert (found["on_hand"], found["short"]) == (Decimal("12.50"), False)
    assert right(site)


def test_nothing_falls_below_its_bound(site: Site) -> None:
    mug = item(site)
    book(site, "move", item=mug, place="a", quantity=2)
    with pytest.raises(Refused) as refusal:
        book(site, "move", item=mug, place="a", quantity="-2.01")
    assert [(p.code, p.field, p.params["available"]) for p in refusal.value.problems] == [
        ("ledger_below", "quantity", "2")
    ]
    with pytest.raises(Refused):
        book(site, "move", item=mug, place="elsewhere", quantity=-1)
    assert balance(site, "stock", "quantity") == [Decimal("2.00")]


def test_of_many_in_one_write_those_that_fit_go_in(site: Site) -> None:
    mug = item(site)
    rows = [{"item": mug, "place": "a", "quantity": q} for q in (5, -4, -2, -1)]
    with site.session(write=True) as session:
        answers = records.create_many(session, "move", rows, atomic=False)
    assert [isinstance(a, Answer) for a in answers] == [False, False, True, False]
    assert balance(site, "stock", "quantity") == [Decimal("0.00")]
    assert right(site)
    with site.session(write=True) as session, pytest.raises(Refused):
        records.create_many(session, "move", rows)
    assert balance(site, "stock", "quantity") == [Decimal("0.00")]


def test_an_entry_is_never_changed_or_removed_by_anybody(site: Site) -> None:
    mug = item(site)
    entry = book(site, "move", item=mug, place="a", quantity=1)
    with site.session(write=True) as session, pytest.raises(Conflict, match="ledger_closed"):
        records.update(session, "move", entry, {"quantity": 5})
    with site.session(write=True) as session, pytest.raises(Conflict, match="ledger_closed"):
        records.delete(session, "move", entry)
    with site.session(write=True) as session, pytest.raises(Conflict, match="in_use"):
        records.delete(session, "item", mug)
    clerk = add_user(site, "clerk", "clerk")
    for work in (
        lambda s: records.update(s, "move", entry, {"quantity": 5}),
        lambda s: records.delete(s, "move", entry),
        lambda s: records.create(s, "stock", {"item": mug, "place": "x", "quantity": 9}),
        lambda s: records.update(s, "stock", 1, {"quantity": 9}),
        lambda s: records.delete(s, "stock", 1),
    ):
        with site.session(clerk, write=True) as session, pytest.raises(Forbidden):
            work(session)
    with site.session(write=True) as session, pytest.raises(Forbidden):
        records.update(session, "stock", 1, {"quantity": 9})
    assert balance(site, "stock", "quantity") == [Decimal("1.00")]


def test_a_source_is_booked_once(site: Site) -> None:
    mug = item(site)
    entry = {"item": mug, "place": "a", "quantity": 3, "source": "D1", "kind": "move"}
    with site.session(write=True) as session:
        first = posting.post(session, "move", [entry])
    with site.session(write=True) as session:
        assert posting.post(session, "move", [entry, {**entry, "source": "D2"}])[0] == first[0]
    with pytest.raises(Refused) as refusal:
        book(site, "move", **entry)
    assert refusal.value.problems[0].code == "unique_together"
    assert balance(site, "stock", "quantity") == [Decimal("6.00")]


def test_a_reversal_takes_an_entry_back_once(site: Site) -> None:
    mug = item(site)
    entry = book(site, "move", item=mug, place="a", quantity=3, source="D1")
    with site.session(write=True) as session:
        made = actions.run(session, "move", entry, "reverse", {}).data["id"]
    assert balance(site, "stock", "quantity") == [Decimal("0.00")]
    with site.session(write=True) as session, pytest.raises(Conflict) as closed:
        actions.run(session, "move", entry, "reverse", {})
    assert closed.value.code == "action.closed"
    with site.session(write=True) as session, pytest.raises(Conflict):
        actions.run(session, "move", made, "reverse", {})
    for wrong in ({"quantity": -2}, {"place": "b"}):
        other = book(site, "move", item=mug, place="a", quantity=1)
        with pytest.raises(Refused) as refusal:
            book(site, "move", **{"item": mug, "place": "a", "quantity": -1, "reverses": other, **wrong})
        assert refusal.value.problems[0].code == "ledger_no_reversal"
    assert right(site)


def test_a_ledger_without_bound_may_owe(site: Site) -> None:
    book(site, "free", holder="x", amount="-12.34")
    assert balance(site, "free_balance", "amount") == [Decimal("-12.3400")]
    assert right(site)


# --- lots


def lots(site: Site) -> list[tuple[int, int]]:
    with site.session() as session:
        table = session.table("points")
        rows = session.connection.execute(sa.select(table.c.points, table.c.left).order_by(table.c.id))
        return [(points, left) for points, left in rows if points > 0]


def test_lots_that_expire_first_are_used_first(site: Site, clock: FakeClock) -> None:
    book(site, "points", holder="m", points=100)
    book(site, "points", holder="m", points=50, until="2026-12-31")
    book(site, "points", holder="m", points=30, until="2026-06-30")
    used = book(site, "points", holder="m", points=-60, kind="redeemed")
    assert lots(site) == [(100, 100), (50, 20), (30, 0)]
    with site.session() as session:
        assert [s["result"] for s in decision(session, "ledger", "points", used)["steps"]] == ["-30", "-30"]
    clock.set(clock.now() + timedelta(days=300))  # January: what is left of the dated lots is lost
    with pytest.raises(Refused) as refusal:
        book(site, "points", holder="m", points=-101, kind="redeemed")
    assert refusal.value.problems[0].params["available"] == "100"
    with site.session(write=True) as session:
        assert posting.expire(session, "points") == 1
    with site.session(write=True) as session:
        assert posting.expire(session, "points") == 0
    assert balance(site, "points_balance", "points") == [100]
    assert lots(site) == [(100, 100), (50, 0), (30, 0)]
    assert right(site)


def test_taking_back_a_use_fills_the_lots_again(site: Site) -> None:
    book(site, "points", holder="m", points=10, until="2026-12-31")
    book(site, "points", holder="m", points=10)
    used = book(site, "points", holder="m", points=-15, kind="redeemed", source="R1")
    with site.session(write=True) as session:
        posting.reverse(session, "points", used)
    assert lots(site)[:2] == [(10, 10), (10, 10)]
    assert balance(site, "points_balance", "points") == [20]
    assert right(site)


def test_taking_back_what_was_earned_needs_it_to_be_there(site: Site) -> None:
    earned = book(site, "points", holder="m", points=10, source="S1")
    book(site, "points", holder="m", points=-6, kind="redeemed")
    with site.session(write=True) as session, pytest.raises(Refused):
        posting.reverse(session, "points", earned)
    book(site, "points", holder="m", points=6)
    with site.session(write=True) as session:
        posting.reverse(session, "points", earned)
    assert balance(site, "points_balance", "points") == [0]
    assert right(site)


# --- many at once


@pytest.mark.attack("N104")
def test_sixteen_writers_lose_nothing_and_oversell_nothing(site: Site) -> None:
    """400 attempts to take one of 150 that are there, from two places at once: 150 win and 250 are told; or FUZZ times."""
    mug = item(site)
    book(site, "move", item=mug, place="a", quantity=100 * FUZZ)
    book(site, "move", item=mug, place="b", quantity=50 * FUZZ)

    def writer(number: int) -> int:
        won = 0
        for turn in range(ROUNDS):
            try:
                book(site, "move", item=mug, place="ab"[turn % 2], quantity=-1, source=f"{number}-{turn}")
                won += 1
            except Refused:
                pass
        return won

    results = together([lambda n=n: writer(n) for n in range(WRITERS)])  # type: ignore[misc]
    assert all(isinstance(r, int) for r in results), results
    assert sum(results) == 150 * FUZZ  # type: ignore[arg-type]
    assert balance(site, "stock", "quantity") == [Decimal("0.00"), Decimal("0.00")]
    assert right(site)


@pytest.mark.attack("N104")
def test_a_double_redeem_happens_once(site: Site) -> None:
    """25 redemptions (or FUZZ times), each sent by 16 at once: each is booked once, and the lots say so."""
    for part in range(5):
        book(site, "points", holder="m", points=100 * FUZZ, until=date(2026, 12, part + 1))

    def redeem(number: int) -> int:
        while True:
            try:
                with site.session(write=True) as session:
                    entry = {"holder": "m", "points": -20, "kind": "redeemed", "source": f"R{number}"}
                    return posting.post(session, "points", [entry])[0]
            except (Busy, Refused) as answer:
                if isinstance(answer, Refused) and answer.problems[0].code != "unique_together":
                    raise

    for number in range(ROUNDS):
        results = together([lambda n=number: redeem(n)] * WRITERS)
        assert len(set(results)) == 1, results
    assert balance(site, "points_balance", "points") == [0]
    assert {left for _, left in lots(site)} == {0}
    with pytest.raises(Refused):
        redeem(ROUNDS)
    assert right(site)


def test_the_verifier_finds_what_was_changed_behind_its_back(site: Site) -> None:
    book(site, "points", holder="m", points=10)
    with site.session(write=True) as session:
        session.connection.execute(sa.update(session.table("points_balance")).values(points=11))
        found = checking.verify(session)
    assert [(f["entity"], f["kind"]) for f in found] == [("points", "balance"), ("points", "lots")]
    assert found[0]["sample"] == [{"key": ["m"], "stored": "11", "summed": "10"}]
