"""Pricing: where the price of a line comes from, and what is kept of the decision."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.texts import Origin, Text
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Records of `entity` that are prices or promotions.

    `match` pairs a field of them with an expression over the line: a record counts where the two are equal (or where
    the line's value lies below, in a hierarchy), and for all lines where the field is empty. The first pair is the key
    they are looked up by. The other fields: quantity from which one counts, days, method, priority, stacking, currency.
    """

    entity: str
    match: tuple[tuple[str, Expression], ...]
    value: Expression
    method: str
    where: Expression | None = None
    quantity: str | None = None
    first: str | None = None
    last: str | None = None
    priority: str | None = None
    stack: str | None = None
    currency: str | None = None
    choose: str = "specific"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be ordered: `field` is where a wrong quantity is shown."""

    field: str
    least: Expression | None = None
    most: Expression | None = None
    multiple: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """`price`, `list`, `why`, `below`, `kept` are the fields of the line that get what was decided.

    `quantity` is in base units. A line whose `kept` is true keeps the price a person gave. `floor` is the lowest price;
    `net` what is compared with it (the price where None); below it the line is marked, and `refuse` refuses it.
    `reads` are the (entity, field) pairs a change of which decides anew, `marks` those that only bear on the floor.
    """

    name: str
    entity: str
    label: Text
    when: Expression | None
    list: Expression
    cost: Expression | None
    quantity: Expression | None
    date: Expression | None
    currency: Expression | None
    prices: Source | None
    promotions: Source | None
    floor: Expression | None
    net: Expression | None
    refuse: bool
    limits: Limits | None
    price: str
    list_field: str | None
    why: str | None
    below: str | None
    kept: str | None
    reads: frozenset[tuple[str, str]]
    marks: frozenset[tuple[str, str]]
    origin: Origin
