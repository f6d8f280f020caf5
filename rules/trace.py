"""Why an expression came out as it did: every part with its value, as data for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of the text and its value; parts that were never looked at (`and` stopped earlier) have no step."""

    text: str
    start: int
    end: int
    value: Any
    depth: int = 0


@dataclass(slots=True)
class Trace:
    """Collects steps while `evaluate` runs: operands before the operation they belong to."""

    steps: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> None:
        self.steps.append(step)

    def as_data(self) -> list[dict[str, Any]]:
        """The steps as JSON values: numbers and dates as text."""
        return [
            {"text": s.text, "start": s.start, "end": s.end, "depth": s.depth, "value": _plain(s.value)}
            for s in self.steps
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
