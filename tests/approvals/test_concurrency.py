"""Sixteen who decide at once: exactly one effect, on both databases; four hundred attempts (OCTAVO_FUZZ=5: two thousand)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from runtime.errors import Answer, Busy
from tests.approvals.world import World
from tests.scale import ROUNDS, WRITERS


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Runs all in threads behind one gate; an answer of the program is a result, anything else fails the test."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(index: int) -> None:
        gate.wait()
        for _ in range(50):
            try:
                results[index] = works[index]()
                return
            except Busy:
                continue
            except Answer as answer:
                results[index] = answer.code
                return

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.attack("N104")
def test_approved_by_sixteen_clicks_once(world: World) -> None:
    for number in range(ROUNDS):
        bill = world.create("ann", name=f"B{number}", amount=500)
        case = world.submit("ann", bill)
        results = at_once([lambda bill=bill: world.act("mia", "approve", bill)] * WRITERS)  # type: ignore[misc]
        wins = [r for r in results if not isinstance(r, str)]
        assert len(wins) == 1, results
        assert world.case(case).state == "approved"
    decided = [e for e in world.rows("approval_entry") if e["action"] in ("approved_by", "approved")]
    assert len(decided) == 2 * ROUNDS
    told = [subject for subject in world.told("ann") if subject.startswith("已通过")]
    assert len(told) == ROUNDS
    with world.site.session() as session:
        audit = session.table("audit")
        writes = session.connection.execute(audit.select().where(audit.c.cause == "approval:bill")).all()
    assert len(writes) == 2 * ROUNDS  # in approval, approved: once each


@pytest.mark.attack("N104")
def test_submitted_by_sixteen_clicks_once(world: World) -> None:
    for number in range(5):
        bill = world.create("ann", name=f"B{number}", amount=500)
        results = at_once([lambda bill=bill: world.submit("ann", bill)] * WRITERS)  # type: ignore[misc]
        assert len([r for r in results if isinstance(r, int)]) == 1, results
    assert len(world.rows("approval_case")) == 5


@pytest.mark.attack("N104")
def test_approved_and_rejected_at_once_ends_one_way(world: World) -> None:
    for number in range(5):
        bill = world.create("ann", name=f"B{number}", amount=500)
        case = world.submit("ann", bill)
        acts: list[Callable[[], object]] = []
        for n in range(WRITERS):
            name = ("approve", "reject", "return", "delegate")[n % 4]
            given = {"comment": "x", **({"person": world.people["vp"]} if name == "delegate" else {})}
            acts.append(lambda name=name, bill=bill, given=given: world.act("mia", name, bill, **given))  # type: ignore[misc]
        results = at_once(acts)
        assert len([r for r in results if not isinstance(r, str)]) == 1, results
        assert len([t for t in world.case(case).tasks if t.person == world.people["mia"]]) == 1
