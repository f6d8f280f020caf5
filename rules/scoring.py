"""Scores: which totals are possible, what a total comes to, and which grade it is. Values in, decision and why out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from rules.numbers import round_to

MOST_TOTALS = 20_000  # possible totals looked at one by one; beyond, only the bounds count
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What a part may give: `values` where they can be counted, else bounds (None: unbounded)."""

    values: frozenset[Decimal] | None = None
    low: Decimal | None = None
    high: Decimal | None = None

    @classmethod
    def of(cls, values: Iterable[Decimal]) -> Range:
        found = frozenset(values)
        return cls(values=found, low=min(found), high=max(found))

    def faded(self) -> Range:
        """Of points that fade away: anything between them and 0."""
        low = None if self.low is None else min(self.low, ZERO)
        return Range(low=low, high=None if self.high is None else max(self.high, ZERO))

    def times(self, factor: Decimal) -> Range:
        if self.values is not None:
            return Range.of(v * factor for v in self.values)
        low, high = (None if b is None else b * factor for b in (self.low, self.high))
        return Range(low=low, high=high) if factor >= 0 else Range(low=high, high=low)

    def capped(self, cap: Decimal) -> Range:
        if self.values is not None:
            return Range.of(min(v, cap) for v in self.values)
        return Range(
            low=None if self.low is None else min(self.low, cap), high=cap if self.high is None else min(self.high, cap)
        )


def possible(parts: Sequence[Range]) -> Range:
    """What the parts may come to together."""
    totals: frozenset[Decimal] | None = frozenset({ZERO})
    low: Decimal | None = ZERO
    high: Decimal | None = ZERO
    for part in parts:
        low = None if low is None or part.low is None else low + part.low
        high = None if high is None or part.high is None else high + part.high
        if totals is not None and part.values is not None and len(totals) * len(part.values) <= MOST_TOTALS:
            totals = frozenset(t + v for t in totals for v in part.values)
        else:
            totals = None
    return Range(values=totals, low=low, high=high)


def settled(total: Decimal | None, low: Decimal, high: Decimal, scale: int) -> Decimal | None:
    """The score of a total: within the range, rounded half-up."""
    return None if total is None else round_to(min(max(total, low), high), scale)


def grade_of(score: Decimal | None, grades: Mapping[str, Decimal]) -> str | None:
    """The grade with the highest threshold that the score reaches; None below all."""
    if score is None:
        return None
    reached = [(least, name) for name, least in grades.items() if score >= least]
    return max(reached)[1] if reached else None


def unreachable(grades: Mapping[str, Decimal], parts: Range, low: Decimal, high: Decimal, scale: int) -> list[str]:
    """The grades no record can ever have: every possible score lies above or below them."""
    if parts.values is not None:
        scores = {settled(v, low, high, scale) for v in parts.values}
        met = {grade_of(s, grades) for s in scores}
        return [name for name in grades if name not in met]
    least = low if parts.low is None else min(max(parts.low, low), high)
    most = high if parts.high is None else min(max(parts.high, low), high)
    found: list[str] = []
    for name, start in grades.items():
        above = [other for other in grades.values() if other > start]
        end = min(above) if above else None
        if start > most or (end is not None and end <= least):
            found.append(name)
    return found


def overlapping(bands: Sequence[tuple[Decimal | None, Decimal | None]]) -> tuple[int, int] | None:
    """The first two of several ranges [from, to) that share a value, by position; None where none do."""
    order = sorted(range(len(bands)), key=lambda i: (bands[i][0] is not None, bands[i][0] or ZERO))
    for first, second in pairwise(order):
        end, start = bands[first][1], bands[second][0]
        if end is None or start is None or start < end:
            return first, second
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one part gave a record; `most` is the most it can give, where that is known."""

    name: str
    points: Decimal
    most: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score with its parts. `score` is None where the rule does not apply to the record."""

    score: Decimal | None
    grade: str | None
    total: Decimal
    parts: tuple[Given, ...]
    limited: bool  # the range cut the total


def decide(
    given: Sequence[Given],
    *,
    applies: bool,
    low: Decimal,
    high: Decimal,
    scale: int,
    grades: Mapping[str, Decimal],
) -> Scored:
    """The score of what the parts gave."""
    total = sum((g.points for g in given), ZERO)
    score = settled(total, low, high, scale) if applies else None
    return Scored(
        score=score,
        grade=grade_of(score, grades),
        total=total,
        parts=tuple(given),
        limited=applies and not low <= total <= high,
    )
