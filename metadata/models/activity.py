"""What happens around a record, as compiled: activities, the timeline they stand in, and the next action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from metadata.frozen import FrozenMap
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Records of the entity are things that happen: calls, visits, tasks. All names are its own fields.

    `at` says when, `kind` of what kind, `text` what was said, `person` who; the timeline tells the fields of `show`,
    too. While `open` holds it is still to be done, and `done` is what doing it sets: field → value.
    """

    at: str
    kind: str | None = None
    text: str | None = None
    person: str | None = None
    show: tuple[str, ...] = ()
    open: Expression | None = None
    done: FrozenMap[Any] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePart:
    """A related field whose records stand in the timeline; with `log` the quick log writes there."""

    field: str
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """`at` is when the next step is due, `signal` the select that says how urgent it is.

    `idle` holds the days without contact, which stand out from `idle_after` days on; `plan` is the related field that a
    next step is planned in.
    """

    at: str
    signal: str
    idle: str | None = None
    idle_after: int = 30
    plan: str | None = None
