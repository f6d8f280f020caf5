"""What the timeline is made of: legs, each a statement of (id, at) that this reader's rights are already part of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metadata.model import Entity, Field
from runtime.messages import say
from runtime.records.plan import plan_of
from runtime.schema.tables import column_name
from runtime.views.binder import Binder
from runtime.views.timeline.entries import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the timeline is wanted: words of legs (none: all), one person's doing, a span of time (until: exclusive).

    A word with a dot asks for one kind of an activity: `communications.visit`.

    `own` leaves out what happened to other records.
    """

    words: frozenset[str] = frozenset()
    person: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    own: bool = False

    def wants(self, word: str) -> bool:
        return not self.words or any(asked.partition(".")[0] == word for asked in self.words)

    def kinds(self, word: str) -> list[str]:
        """The kinds of a leg that are wanted; none: all of them."""
        if word in self.words:
            return []
        return sorted(asked.partition(".")[2] for asked in self.words if asked.startswith(f"{word}."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Related records within the reader's reach: `ids` selects them."""

    name: str
    label: str
    entity: Entity
    back: Field
    ids: sa.Select[Any]


@dataclass(slots=True, kw_only=True)
class Scope:
    """The record the timeline is of, for one reader who may see it."""

    binder: Binder
    entity: Entity
    record: int
    masked: frozenset[str]
    parts: tuple[Part, ...] = ()
    cache: dict[Any, Any] = field(default_factory=dict)

    def hidden(self, entity: str) -> frozenset[str]:
        return self.binder.access.hidden(entity)


Tell = Callable[[Scope, Sequence[int]], dict[int, Entry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`word` is its name in filters. `tell` makes entries of ids; what this reader may not know is left out there."""

    word: str
    label: str
    id: sa.ColumnElement[int]
    at: sa.ColumnElement[datetime]
    person: sa.ColumnElement[Any]
    kind: sa.ColumnElement[Any] | None = None
    kinds: tuple[tuple[str, str], ...] = ()  # (name, label)
    source: sa.FromClause
    wheres: tuple[sa.ColumnElement[bool], ...]
    tell: Tell


def of_log(scope: Scope, word: str, log: sa.FromClause, at: str, person: str, tell: Tell, *wheres: Any) -> Leg:
    """The rows of a log for which `wheres` hold; `at` and `person` are its columns, `timeline.<word>` its label."""
    return Leg(
        word=word,
        label=say(f"timeline.{word}", scope.binder.language),
        id=log.c.id,
        at=log.c[at],
        person=log.c[person],
        source=log,
        wheres=wheres,
        tell=tell,
    )


def scope_of(binder: Binder, entity: str, record: int, masked: frozenset[str]) -> Scope:
    """The caller has read the record for this person; `masked` are the fields its pool masks."""
    described = binder.app.entities[entity]
    made = Scope(binder=binder, entity=described, record=record, masked=masked)
    made.parts = tuple(p for p in (_part(made, part.field) for part in described.timeline) if p is not None)
    return made


def _part(scope: Scope, name: str) -> Part | None:
    """None where the reader may see neither the list nor the link that makes it."""
    binder = scope.binder
    bound = binder.field(scope.entity.name, name)
    target = bound.field.entity if bound is not None else None
    if bound is None or target is None or name in scope.masked or not binder.can(target, "read"):
        return None
    back = binder.app.entities[target].fields.get(bound.field.by or "")
    if back is None or back.retired or not binder.visible(target, back.name):
        return None
    table = plan_of(binder.session, target).table
    wheres = [table.c[column_name(back)] == scope.record, table.c.deleted_at.is_(None)]
    rows = binder.access.predicate(target, "read", table)
    ids = sa.select(table.c.id).where(*wheres, *([] if rows is None else [rows]))
    return Part(name=name, label=bound.label, entity=binder.app.entities[target], back=back, ids=ids)
