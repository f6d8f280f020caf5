"""A qualification: criteria, how they are counted, and what the outcome changes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from metadata.models.effects import Effect
from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression
from rules.qualifying import Asked, Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """Automatic where `holds` is given, else somebody answers it."""

    name: str
    label: Text
    asked: Asked
    holds: Expression | None = None
    evidence: bool = False
    help: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The select field that checks alone set, and its choices; `expired` None: an old result stays."""

    field: str
    passed: str
    failed: str
    special: str
    expired: str | None = None

    def choice(self, word: str) -> str:
        return {"passed": self.passed, "failed": self.failed, "special": self.special}[word]


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """`by` empty: whoever may edit the record; `order`: the first rule that applies counts."""

    name: str
    entity: str
    label: Text
    criteria: tuple[Criterion, ...]
    outcome: Outcome
    method: Method = "all"
    pass_mark: Decimal = Decimal(0)
    when: Expression | None = None
    order: int = 100
    valid: Duration | None = None
    by: tuple[Who, ...] = ()
    special_evidence: bool = False
    on_passed: tuple[Effect, ...] = ()
    on_failed: tuple[Effect, ...] = ()
    on_special: tuple[Effect, ...] = ()
    help: Text | None = None
    origin: Origin

    @property
    def asked(self) -> tuple[Asked, ...]:
        return tuple(c.asked for c in self.criteria)

    def effects(self, word: str) -> tuple[Effect, ...]:
        return {"passed": self.on_passed, "failed": self.on_failed, "special": self.on_special}[word]

    def criterion(self, name: str) -> Criterion | None:
        return next((c for c in self.criteria if c.name == name), None)
