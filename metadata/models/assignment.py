"""assignment: ordered rules that say who gets a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from metadata.frozen import FrozenMap
from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One of `people` by the strategy `by`.

    `load`, `weight` and `best` are figures of a person; `where` is a condition on a person; in `best` and `where`
    `this` is the record. `skills` is a path from a person, `needs` one from the record. `most`: people with this load
    take no more.
    """

    people: tuple[Who, ...]
    by: str
    load: Expression | None = None
    weight: Expression | None = None
    best: Expression | None = None
    where: Expression | None = None
    skills: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    most: int | None = None
    options: FrozenMap[Any] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRule:
    """Either `pick`s a person or puts the record into `pool`. Without `when` it is for every record that gets there."""

    name: str
    label: Text
    when: Expression | None = None
    pick: Pick | None = None
    pool: str | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A proposal waits for one of `by`; after `within` it is accepted or rejected by itself (`then`)."""

    by: tuple[Who, ...]
    within: Duration | None = None
    then: str = "accept"
    pool: str | None = None  # where rejected records go


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`to` is the user field that is set, `at` a moment set with it. `on` are the triggers: create, import, web."""

    name: str
    entity: str
    label: Text
    to: str
    at: str | None = None
    on: tuple[str, ...] = ()
    when: Expression | None = None
    rules: tuple[AssignmentRule, ...]
    confirm: Confirm | None = None
    notify: bool = True
    origin: Origin
