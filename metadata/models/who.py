"""People, as a rule names them."""

from __future__ import annotations

from dataclasses import dataclass

from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Exactly one way of naming people is set.

    `field`, `manager_of` and `unit_head` are paths from the record to a user (the last one also to a unit). `level`
    counts managers upwards: 1 the direct one. `role`, `team`, `unit` and `user` name data by stable codes.
    `included`: also those who hold the role only because another of theirs includes it.
    """

    role: str | None = None
    included: bool = True
    team: str | None = None
    unit: str | None = None
    user: str | None = None
    field: tuple[str, ...] = ()
    manager_of: tuple[str, ...] = ()
    unit_head: tuple[str, ...] = ()
    level: int = 1
    expression: Expression | None = None
