"""Strategies that pick one of several people, and the figures of pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import assigning
from rules.assigning import Bench, Candidate, Need, pick_strategy, strategies
from rules.calendar import Calendar
from rules.durations import Duration
from rules.pooling import Standing, days_left, due_at, is_due, obstacle, warned_at
from rules.working import WorkingTime

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKING = WorkingTime(Calendar(), SHANGHAI)


def people(count: int, **more: Any) -> list[Candidate]:
    return [Candidate(id=n, order=n, **more) for n in range(1, count + 1)]


@given(st.integers(1, 20), st.integers(0, 200))
def test_turns_never_differ_by_more_than_one(count: int, records: int) -> None:
    bench = Bench(by="round_robin", candidates=people(count))
    got = Counter(found.id for _ in range(records) if (found := bench.pick(Need())) is not None)
    assert sum(got.values()) == records
    assert max(got.values(), default=0) - min((got[n] for n in range(1, count + 1)), default=0) <= 1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(0, 100))
def test_the_least_loaded_gets_the_next(loads: list[int], records: int) -> None:
    candidates = [Candidate(id=n, load=Decimal(load)) for n, load in enumerate(loads)]
    bench = Bench(by="least_loaded", candidates=candidates)
    for _ in range(records):
        least = min(c.load for c in candidates)
        found = bench.pick(Need())
        assert found is not None
        assert found.load == least + 1


def test_turns_follow_the_weights() -> None:
    candidates = [
        Candidate(id=1, weight=Decimal(3)),
        Candidate(id=2, weight=Decimal(1)),
        Candidate(id=3, weight=Decimal(0)),
    ]
    bench = Bench(by="weight", candidates=candidates)
    got = [found.id for _ in range(8) if (found := bench.pick(Need())) is not None]
    assert Counter(got) == {1: 6, 2: 2}


def test_a_skill_needed_is_a_skill_had() -> None:
    both = frozenset({"english", "japanese"})
    candidates = [Candidate(id=1, skills=frozenset({"english"})), Candidate(id=2, skills=both, load=Decimal(9))]
    bench = Bench(by="skill", candidates=candidates)
    first, second = bench.pick(Need(skills=frozenset({"english"}))), bench.pick(Need(skills=both))
    assert (first and first.id, second and second.id) == (1, 2)
    assert bench.pick(Need(skills=frozenset({"french"}))) is None


def test_the_greatest_figure_wins_and_nothing_never_does() -> None:
    candidates = [Candidate(id=1, best=None), Candidate(id=2, best=Decimal(5)), Candidate(id=3, best=Decimal(7))]
    found = Bench(by="expression", candidates=candidates).pick(Need())
    assert found is not None
    assert found.id == 3


def test_a_ceiling_ends_what_one_gets() -> None:
    bench = Bench(by="round_robin", candidates=people(2), most=2)
    assert [bench.pick(Need()) is not None for _ in range(5)] == [True, True, True, True, False]


def test_a_strategy_of_a_package_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigning, "_STRATEGIES", dict(strategies()))

    @pick_strategy("last_name")
    def last_name(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
        return max(candidates, key=lambda c: c.name)

    bench = Bench(by="last_name", candidates=[Candidate(id=1, name="a"), Candidate(id=2, name="b")])
    found = bench.pick(Need())
    assert found is not None
    assert found.id == 2
    with pytest.raises(ValueError, match="registered twice"):
        pick_strategy("last_name")(assigning.weight)


@pytest.mark.parametrize(
    ("since", "after", "due"),
    [
        (date(2026, 3, 1), Duration(15, "d"), date(2026, 3, 16)),
        (date(2026, 3, 1), Duration(2, "w"), date(2026, 3, 15)),
        (date(2026, 3, 13), Duration(1, "wd"), date(2026, 3, 16)),
        (datetime(2026, 3, 16, 2, tzinfo=UTC), Duration(24, "h"), datetime(2026, 3, 17, 2, tzinfo=UTC)),
        (datetime(2026, 3, 16, 2, tzinfo=UTC), Duration(48, "wh"), datetime(2026, 3, 24, 2, tzinfo=UTC)),
        (None, Duration(1, "d"), None),
    ],
)
def test_when_a_record_comes_back(since: Any, after: Duration, due: Any) -> None:
    assert due_at(since, after, WORKING) == due


def test_the_warning_comes_three_days_before() -> None:
    assert warned_at(date(2026, 3, 16), Duration(3, "d"), WORKING) == date(2026, 3, 13)
    assert days_left(date(2026, 3, 16), date(2026, 3, 13), SHANGHAI) == 3
    assert not is_due(date(2026, 3, 16), datetime(2026, 3, 15, 15, 59, tzinfo=UTC), SHANGHAI)
    assert is_due(date(2026, 3, 16), datetime(2026, 3, 15, 16, tzinfo=UTC), SHANGHAI)


def test_what_hinders_a_claim_is_told_in_order() -> None:
    now = datetime(2026, 3, 16, 2, tzinfo=UTC)

    def word(standing: Standing, ends: datetime | None = None) -> str | None:
        found = obstacle(standing, daily=3, ceilings=(50,), cooldown_ends=ends, now=now)
        return found.word if found else None

    assert word(Standing(member=False, held=(0,))) == "outsider"
    assert word(Standing(member=True, held=(0,)), now + timedelta(seconds=1)) == "cooldown"
    assert word(Standing(member=True, held=(0,)), now) is None
    assert word(Standing(member=True, claimed_today=3, held=(0,))) == "daily"
    assert word(Standing(member=True, claimed_today=2, held=(50,))) == "holding"
    assert word(Standing(member=True, claimed_today=2, held=(49,))) is None
