"""Who gets a record: strategies that pick one of several people. Pure: figures in, a person out.

A code package registers a strategy of its own:

    @pick_strategy("nearest")
    def nearest(candidates, record, options): ...

It gets the candidates that are present and below their ceiling, never an empty sequence, and answers one of them, or
None where none fits: then the next rule has its turn. `record` reads the record by `get(name)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A person with the figures strategies look at; `load`, `turns` and `last` move on with each pick.

    `turns` counts what this rule gave the person, `last` is the number of the latest turn; 0 where there was none.
    `skills` the person has; `weight`, `best`: nothing where not declared, or nothing was found.
    """

    id: int
    name: str = ""
    load: Decimal = Decimal(0)
    weight: Decimal | None = None
    best: Decimal | None = None
    skills: frozenset[Any] = frozenset()
    turns: int = 0
    last: int = 0
    order: int = 0  # the place among the people of the rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a strategy may know of the record. `skills` it needs; `values` reads its fields."""

    skills: frozenset[Any] = frozenset()
    values: Any = None

    def get(self, name: str) -> Any:
        return None if self.values is None else self.values.get(name)


Strategy = Callable[[Sequence[Candidate], Need, Mapping[str, Any]], Candidate | None]
_STRATEGIES: dict[str, Strategy] = {}


def pick_strategy(name: str) -> Callable[[Strategy], Strategy]:
    """Registers a strategy under the name that `by:` takes. A name taken by another function is an error."""

    def register(strategy: Strategy) -> Strategy:
        known = _STRATEGIES.get(name)
        if known is not None and known.__qualname__ != strategy.__qualname__:
            raise ValueError(f"pick strategy {name!r} is registered twice")
        _STRATEGIES[name] = strategy
        return strategy

    return register


def strategies() -> Mapping[str, Strategy]:
    """Every registered strategy by name."""
    return dict(_STRATEGIES)


@pick_strategy("round_robin")
def round_robin(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """Whose turn is longest ago; those who never had one first, in the order of the people."""
    return min(candidates, key=lambda c: (c.last, c.order, c.id))


@pick_strategy("least_loaded")
def least_loaded(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """The smallest load; among equals whose turn is longest ago."""
    return min(candidates, key=lambda c: (c.load, c.last, c.order, c.id))


@pick_strategy("skill")
def skill(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """Of those who have every skill needed the least loaded; nobody where nobody has."""
    able = [c for c in candidates if need.skills <= c.skills]
    return least_loaded(able, need, options) if able else None


@pick_strategy("weight")
def weight(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """Turns in proportion to the weights, spread evenly; a weight of nothing or zero gets none."""
    able = [c for c in candidates if c.weight is not None and c.weight > 0]
    if not able:
        return None
    return min(able, key=lambda c: (Decimal(c.turns + 1) / (c.weight or 1), c.last, c.order, c.id))


@pick_strategy("expression")
def expression(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """The greatest figure; among equals the least loaded."""
    able = [c for c in candidates if c.best is not None]
    return min(able, key=lambda c: (-(c.best or 0), c.load, c.last, c.order, c.id)) if able else None


@dataclass(slots=True)
class Bench:
    """The people of one rule while records are handed out: who is there, whose turn it is, how much each has."""

    by: str
    candidates: list[Candidate]
    absent: tuple[Candidate, ...] = ()
    most: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 0

    def __post_init__(self) -> None:
        self.turn = max([self.turn, *(c.last for c in self.candidates)])

    def pick(self, need: Need, fitting: Iterable[Candidate] | None = None) -> Candidate | None:
        """The next person for a record, and their turn is noted. `fitting`: only these come into question."""
        able = self.candidates if fitting is None else list(fitting)
        if self.most is not None:
            able = [c for c in able if c.load < self.most]
        found = _STRATEGIES[self.by](able, need, self.options) if able else None
        if found is not None and not any(found is c for c in able):
            raise ValueError(f"the strategy {self.by} answered somebody it was not offered")
        if found is not None:
            self.turn += 1
            found.last = self.turn
            found.turns += 1
            found.load += 1
        return found
