"""Duplicates: which records of an entity are likely the same, what happens then, and what may be told."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.texts import Origin, Text
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A field and the way its values are compared. `part`: from how many characters a piece finds it while typing."""

    name: str
    field: str
    by: str
    part: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Keys that must all be equal, by name, and what happens then: warn or refuse."""

    keys: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """A field that is told of a record the person may not see; `masked`: its first letter alone."""

    field: str
    masked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Records that are compared: of which entity, by which of its fields, and which of them count."""

    entity: str
    keys: tuple[Key, ...]
    where: Expression | None = None
    reveal: tuple[Reveal, ...] = ()

    def fields_of(self, match: Match) -> tuple[Key, ...] | None:
        """The keys of a match in its order; None where this entity lacks one."""
        known = {key.name: key for key in self.keys}
        return tuple(known[name] for name in match.keys) if all(name in known for name in match.keys) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """`own` are records of the entity itself, `others` those of entities it is compared with.

    A record is compared while `when` holds of it. `matches` are what is enough, each by itself; points are worked out
    into them. `imports` is what an import does with a row that would only be warned of: refuse or warn.
    """

    name: str
    entity: str
    label: Text
    own: Among
    others: tuple[Among, ...]
    matches: tuple[Match, ...]
    when: Expression | None = None
    imports: str = "refuse"
    message: Text | None = None
    origin: Origin

    @property
    def among(self) -> tuple[Among, ...]:
        return (self.own, *self.others)
