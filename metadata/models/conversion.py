"""A conversion: what a record becomes, with its lines, once or in parts."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.models.effects import Effect, Value
from metadata.texts import Origin, Text
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMap:
    """Lines of the target (`field`, records of `entity`) from a collection of the source (`source`).

    `quantity` is the field of the target's line that gets what is picked; `left` says how much of a source line there
    still is (of the source's line); `back` is the link of the target's line to it.
    """

    field: str
    entity: str
    source: str
    source_entity: str
    values: tuple[Value, ...]
    where: Expression | None = None
    quantity: str | None = None
    left: Expression | None = None
    back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A record that is made. `made` gives links to targets made before; `back` links to the source.

    `existing` are ways to find a record that is taken instead: all values of one way are equal.
    """

    name: str
    entity: str
    label: Text
    values: tuple[Value, ...]
    when: Expression | None = None
    made: tuple[tuple[str, str], ...] = ()
    back: str | None = None
    existing: tuple[tuple[Value, ...], ...] = ()
    lines: tuple[LineMap, ...] = ()

    @property
    def adopts(self) -> bool:
        return bool(self.existing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The result may be undone while `when` holds of it: it gets `values`, the source `source`.

    A result that has all of `values` does not count any more.
    """

    when: Expression | None
    values: tuple[Value, ...]
    source: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """`entity` is what is converted, `result` the target that people go on with; `keep` are links of the source."""

    name: str
    entity: str
    label: Text
    icon: str | None = None
    when: Expression | None = None
    why: Text | None = None
    once: bool = False
    targets: tuple[Target, ...]
    result: str
    keep: tuple[tuple[str, str], ...] = ()
    source: tuple[Value, ...] = ()  # what the source says afterwards
    undo: Undo | None = None
    then: tuple[Effect, ...] = ()
    origin: Origin

    @property
    def main(self) -> Target:
        """The target that people go on with."""
        return next(target for target in self.targets if target.name == self.result)
