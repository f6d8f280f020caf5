"""A ledger: an entity of signed entries that are never changed, with a balance per key."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as default_of
from decimal import Decimal
from typing import Any

from metadata.frozen import FrozenMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """Entries above zero are lots. `left` holds what is left of one, `expires` the last day it may be used on.

    `expired` are the values of the entries that take away what is left of expired lots.
    """

    left: str
    expires: str | None = None
    expired: FrozenMap[Any] = default_of(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """`field` links an entry to the one it takes back; `values` are what such an entry says besides."""

    field: str
    values: FrozenMap[Any] = default_of(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """`of` are the fields that make the key, `balance` the signed field that is summed up per key.

    `into` is the entity of the balances: one record per key, with the same fields. No balance falls below
    `never_below` (None: no bound). No two living entries share all of `once`.
    """

    of: tuple[str, ...]
    balance: str
    into: str
    never_below: Decimal | None = None
    once: tuple[str, ...] = ()
    lots: Lots | None = None
    reversal: Reversal | None = None
