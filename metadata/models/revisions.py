"""How a record in force is changed."""

from __future__ import annotations

from dataclasses import dataclass

from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """`when`: the record is in force; `approval`: what a change to it takes, None where it counts at once.

    `number`: the field that holds the version in force; `free`: fields that stay open.
    """

    when: Expression
    approval: str | None = None
    number: str | None = None
    free: frozenset[str] = frozenset()
