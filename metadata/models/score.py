"""A score: what gives points, within which range, and the grades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from metadata.texts import Origin, Text
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What gives points. `given` is what it comes to for a record: weight, fading and cap included, 0 for nothing.

    `said` is the rule as written, for people; `most` the most it can give, None where nobody knows beforehand.
    """

    name: str
    label: Text
    given: Expression
    said: str
    help: Text | None = None
    most: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """From `least` on, up to the next higher one."""

    name: str
    label: Text
    least: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`field` and `grade_field` are the entity's fields that hold it; `when` None: every record has the score."""

    name: str
    entity: str
    label: Text
    parts: tuple[Part, ...]
    low: Decimal
    high: Decimal
    grades: tuple[Grade, ...] = ()
    when: Expression | None = None
    history: bool = False
    field: str | None = None
    grade_field: str | None = None
    help: Text | None = None
    origin: Origin

    @property
    def thresholds(self) -> dict[str, Decimal]:
        return {g.name: g.least for g in self.grades}
