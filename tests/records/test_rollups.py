"""Random histories of edits against totals computed by hand, and writers at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from runtime import records
from runtime.errors import Answer, Busy, Conflict, NotFound, Refused, Stale
from runtime.records.rollups import formulas, recompute
from runtime.site import Site


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stored_formulas_equal_a_recomputation_after_random_edits(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    accounts: list[int] = []
    deals: list[int] = []
    with site.session(write=True) as session:
        accounts += [records.create(session, "account", {"name": f"a{i}"}).id for i in range(4)]
    for _ in range(40):
        with site.session(write=True) as session:
            try:
                _edit(session, chance, accounts, deals)
            except (Refused, Conflict, NotFound):
                continue
    _agree(site)


def _edit(session: Any, chance: random.Random, accounts: list[int], deals: list[int]) -> None:
    def lines() -> list[dict[str, Any]]:
        return [
            {"item": "x", "price": chance.randint(0, 900), "quantity": chance.choice(["1", "2.5"])}
            for _ in range(chance.randint(0, 3))
        ]

    deal = chance.choice(deals) if deals else 0
    account = chance.choice([*accounts, None])
    match chance.randint(0, 7):
        case 0 | 1:
            made = {"name": f"d{len(deals)}", "account": account, "lines": lines(), "discount": chance.randint(0, 50)}
            deals.append(records.create(session, "deal", made).id)
        case 2:
            records.update(session, "deal", deal, {"account": account, "closed": chance.random() < 0.5})
        case 3:
            records.update(session, "deal", deal, {"lines": lines(), "discount": chance.randint(0, 90)})
        case 4:
            records.delete(session, "deal", deal)
        case 5:
            records.restore(session, "deal", deal)
        case 6:
            records.update_many(
                session,
                "deal",
                [(i, {"account": chance.choice(accounts), "discount": 5}, None) for i in deals[:3]],
                atomic=False,
            )
        case 7:
            line = records.read(session, "deal", deal).values["lines"]
            if line:
                records.delete(session, "deal_line", line[0].id)
            records.update(session, "account", chance.choice(accounts), {"name": f"n{chance.random()}"})


def _agree(site: Site) -> None:
    """Recomputing everything from the database changes nothing."""
    with site.session(write=True) as session:
        for formula in formulas(session):
            table = session.table(formula.entity)
            ids = list(session.connection.scalars(table.select().with_only_columns(table.c.id)))
            living = table.select().with_only_columns(table.c.id).where(table.c.deleted_at.is_(None))
            alive = set(session.connection.scalars(living))
            drift = recompute(session, formula.entity, formula.field, ids) & alive
            assert not drift, (formula.entity, formula.field.name, drift)


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs the jobs at the same time; what each answered, or the answer it was refused with."""
    results: list[Any] = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def work(place: int, job: Callable[[], Any]) -> None:
        gate.wait()
        for _ in range(20):
            try:
                results[place] = job()
                return
            except Busy:
                continue
            except Answer as answer:
                results[place] = answer
                return

    threads = [threading.Thread(target=work, args=(i, job)) for i, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.attack("N105")
def test_sixteen_writers_get_sixteen_numbers_without_a_gap(site: Site) -> None:
    def create() -> str | None:
        with site.session(write=True) as session:
            return records.create(session, "account", {"name": "n"}).number

    numbers = together(*[create] * 16)
    assert sorted(numbers) == [f"A2026-{i:04d}" for i in range(1, 17)]


@pytest.mark.attack("N104", "N29")
def test_one_of_many_takes_a_unique_value(site: Site) -> None:
    def create() -> int:
        with site.session(write=True) as session:
            return records.create(session, "account", {"name": "n", "tax_no": "T"}).id

    results = together(*[create] * 8)
    assert sum(isinstance(r, int) for r in results) == 1
    refused = [r for r in results if not isinstance(r, int)]
    assert all(isinstance(r, Refused) and r.problems[0].field == "tax_no" for r in refused)


@pytest.mark.promise("P18")
def test_one_of_many_editors_of_a_version_wins(site: Site) -> None:
    with site.session(write=True) as session:
        record = records.create(session, "account", {"name": "n"}).id

    def edit(name: str) -> Callable[[], int]:
        def job() -> int:
            with site.session(write=True) as session:
                return records.update(session, "account", record, {"name": name}, version=1).version

        return job

    results = together(*[edit(f"n{i}") for i in range(8)])
    assert results.count(2) == 1
    assert all(r == 2 or isinstance(r, Stale) for r in results)


def test_totals_hold_under_concurrent_writers(site: Site) -> None:
    with site.session(write=True) as session:
        account = records.create(session, "account", {"name": "n"}).id

    def add() -> int:
        with site.session(write=True) as session:
            lines = [{"item": "x", "price": 10}]
            return records.create(session, "deal", {"name": "d", "account": account, "lines": lines}).id

    made = together(*[add] * 12)
    assert all(isinstance(m, int) for m in made), made
    with site.session() as session:
        found = records.read(session, "account", account).values
    assert (found["deal_count"], found["open_sum"], found["deal_max"]) == (12, Decimal(120), Decimal(10))
