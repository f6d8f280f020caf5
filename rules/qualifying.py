"""Qualification: whether answers to criteria make a record qualified, and who may pass it in spite of them.

Values in, verdict and why out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Method = Literal["all", "points"]
Result = Literal["passed", "failed", "waived", "open"]
Word = Literal["passed", "failed", "special"]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A criterion. `must`: without it nothing passes, whatever the points."""

    name: str
    must: bool = True
    points: Decimal = ZERO
    waivable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    name: str
    result: Result
    points: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`unmet` are the musts that stand in the way, `missing` the points short of the pass mark."""

    word: Word
    score: Decimal
    lines: tuple[Line, ...]
    unmet: tuple[str, ...] = ()
    missing: Decimal = ZERO


def judge(
    criteria: Sequence[Asked],
    answers: Mapping[str, bool | None],
    *,
    method: Method,
    pass_mark: Decimal = ZERO,
    waived: Collection[str] = (),
) -> Verdict:
    """The verdict on answers (None: not known). What is waived counts as met, with its points.

    With method "all" every criterion is a must; "points" needs the musts and the pass mark. A pass that needs a
    waiver is special; waivers that were not needed change nothing.
    """
    plain = _count(criteria, answers, method, pass_mark, frozenset())
    if plain.word == "passed" or not waived:
        return plain
    allowed = frozenset(c.name for c in criteria if c.waivable and c.name in waived and answers.get(c.name) is not True)
    return _count(criteria, answers, method, pass_mark, allowed)


def _count(
    criteria: Sequence[Asked],
    answers: Mapping[str, bool | None],
    method: Method,
    pass_mark: Decimal,
    waived: frozenset[str],
) -> Verdict:
    lines = tuple(_line(c, answers.get(c.name), waived) for c in criteria)
    score = sum((line.points for line in lines), ZERO)
    met = {line.name for line in lines if line.result in ("passed", "waived")}
    unmet = tuple(c.name for c in criteria if (c.must or method == "all") and c.name not in met)
    missing = max(pass_mark - score, ZERO) if method == "points" else ZERO
    passes = not unmet and not missing
    word: Word = ("special" if waived else "passed") if passes else "failed"
    return Verdict(word=word, score=score, lines=lines, unmet=unmet, missing=missing)


def _line(criterion: Asked, answer: bool | None, waived: frozenset[str]) -> Line:
    result: Result = "open" if answer is None else "passed" if answer else "failed"
    if criterion.name in waived:
        result = "waived"
    return Line(name=criterion.name, result=result, points=criterion.points if result in ("passed", "waived") else ZERO)


# --- special handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Somebody may waive `items` (None: whatever the rule lets be waived), at most `limit` times a month."""

    id: int
    items: frozenset[str] | None = None
    limit: int | None = None
    used: int = 0  # this month
    until: date | None = None


Refusal = Literal["none", "over", "used_up", "items"]


def usable(
    grants: Sequence[Grant], today: date, waived: Collection[str] = (), waivable: Collection[str] = ()
) -> Grant | Refusal:
    """The first grant that covers what is to be waived; else what comes nearest to a reason."""
    if not grants:
        return "none"
    valid = [g for g in grants if g.until is None or g.until >= today]
    if not valid:
        return "over"
    left = [g for g in valid if g.limit is None or g.used < g.limit]
    if not left:
        return "used_up"
    for grant in left:
        may = frozenset(waivable) if grant.items is None else grant.items & frozenset(waivable)
        if frozenset(waived) <= may and may:
            return grant
    return "items"
