"""What happens by itself: when, under which condition, and the steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

from metadata.frozen import FrozenMap
from metadata.models.effects import Effect
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression

RECORD_EVENTS = frozenset({"create", "update", "delete", "restore", "move"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """`event` is create, update, delete, restore, move, date, cron or hook; the rest belongs to one of them.

    update: `fields` (empty: any). move: `field` with `into` and `out_of` (empty: any). date: `path` to a date or a
    moment, `offset` after it (`before`: before it), at `at` on the day where it is a date. cron: the expression.
    hook: how a caller proves itself: `signature`, `token`, or `open`.
    """

    event: str
    fields: tuple[str, ...] = ()
    field: str | None = None
    into: tuple[str, ...] = ()
    out_of: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    offset: Duration | None = None
    before: bool = False
    at: time = time(9)
    cron: str | None = None
    hook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """`now`: its steps give fields of the record values in the write itself; else they run in a job after it.

    `takes` names what a hook is given (name → field type); steps read it as `params.name`.
    """

    name: str
    entity: str | None
    label: Text
    help: Text | None = None
    triggers: tuple[Trigger, ...]
    when: Expression | None = None
    steps: tuple[Effect, ...]
    now: bool = False
    enabled: bool = True
    takes: FrozenMap[str] = field(default_factory=FrozenMap)
    origin: Origin
