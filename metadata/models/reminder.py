"""What people are reminded of: which records, since when, whom, and how it climbs where nobody heeds it."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.models.effects import Effect
from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Further people: `after` the first notice, or `at` so long after the anchor."""

    to: tuple[Who, ...]
    after: Duration | None = None
    at: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountByPerson:
    """Records counted for each person at the path `by`; `of` are those counted, also with none at all.

    `when` reads `params.count` and `params.median` (of all persons).
    """

    by: tuple[str, ...]
    of: tuple[Who, ...]
    when: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """`since` is the anchor: an expression, or the moment the tracked field `entered` took its present value.

    `after` is how long after the anchor; `after_by` where it differs by the choice of the select `by`. Without an
    anchor a record is due as soon as it matches. `repeat` reminds again while it does.
    """

    name: str
    entity: str
    label: Text
    help: Text | None = None
    where: tuple[Expression, ...]
    stop: Expression | None = None
    since: Expression | None = None
    entered: str | None = None
    after: Duration | None = None
    after_by: tuple[tuple[str, Duration], ...] = ()
    by: str | None = None
    every: str
    to: tuple[Who, ...] = ()
    subject: Text | None = None
    repeat: Duration | None = None
    escalate: tuple[Escalation, ...] = ()
    count: CountByPerson | None = None
    then: tuple[Effect, ...] = ()
    mail: bool = True
    enabled: bool = True
    origin: Origin

    @property
    def anchored(self) -> bool:
        return self.since is not None or self.entered is not None
