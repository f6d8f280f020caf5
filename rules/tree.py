"""The typed tree of an expression: what the checker makes of the source, and what both executions run.

Nodes are immutable, picklable and know their static type and their place in the text. A node of a record type stands
for the record itself: in Python its values, in SQL its id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

from rules.typing import Type

ArithmeticOperator = Literal["+", "-", "*", "/", "//", "%"]
ComparisonOperator = Literal["==", "!=", "<", "<=", ">", ">="]
AggregateFunction = Literal["count", "sum", "min", "max", "avg", "any", "all", "first", "last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`start` and `end` are character offsets into the text."""

    type: Type
    start: int = 0
    end: int = 0

    def children(self) -> Iterator[Node]:
        """The nodes directly below, in the order of the text."""
        kind: Any = type(self)
        for name in _parts(kind):
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (v for v in value if isinstance(v, Node))

    def walk(self) -> Iterator[Node]:
        """This node and all below."""
        yield self
        for child in self.children():
            yield from child.walk()


@cache
def _parts(cls: Any) -> tuple[str, ...]:
    """The attributes of a kind of node that may hold nodes."""
    return tuple(member.name for member in fields(cls) if member.name not in ("type", "start", "end"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    """A literal: None, bool, int, Decimal, str, or (in a list) nothing else."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Node):
    """A record at hand: level 0 is the innermost (bare names), 1 is `this` inside a collection, 2 is `this.this`."""

    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Node):
    """The person at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old(Node):
    """The record before the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Node):
    """Field `name` of the record `base`, which is of `entity`."""

    base: Node
    entity: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Node):
    """An earlier measure of the same report."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Property(Node):
    """A property of the chosen choice; `values` maps the choice to the property's value."""

    operand: Node
    name: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative(Node):
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """Numbers only; exact, at the scale of the node's type."""

    operator: ArithmeticOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    operator: ComparisonOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Node):
    """A written list of values: the right side of `in`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Node):
    """`item in container`: a list, a multi_select, a collection of records, or a range of dates."""

    item: Node
    container: Node
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNothing(Node):
    operand: Node
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    operator: Literal["and", "or"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A registered function; `overload` counts the signatures registered under the name."""

    function: str
    overload: int
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Node):
    """Whether a field of the record differs from before the change."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Node):
    """A record's money in the base currency, at the rate frozen in that record (`record`)."""

    operand: Node
    record: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Node):
    """Over the members of `collection` (None: over the group of a report). Inside, `Row` 0 is a member."""

    function: AggregateFunction
    collection: Node | None
    value: Node | None = None
    where: Node | None = None
    by: Node | None = None


def summands(node: Node) -> list[tuple[int, Node]]:
    """The terms of a chain of + and -, with their signs: one operation, whose result alone must be within bounds."""
    if isinstance(node, Arithmetic) and node.operator in ("+", "-"):
        return [*summands(node.left), (1 if node.operator == "+" else -1, node.right)]
    return [(1, node)]


def joined(node: Node) -> list[Node]:
    """The texts of a chain of +."""
    if isinstance(node, Call) and node.function == "concat":
        return [*joined(node.arguments[0]), *node.arguments[1:]]
    return [node]


def branches(node: Node) -> list[Node]:
    """test, then, test, then, … otherwise of a chain of `a if b else c if d else e`."""
    if isinstance(node, Conditional):
        return [node.test, node.then, *branches(node.otherwise)]
    return [node]


def weight(node: Node) -> int:
    """How deep the node nests, as SQL has it: chains count once, what becomes a subquery more."""
    match node:
        case Arithmetic() if node.operator in ("+", "-"):
            parts, own = [n for _, n in summands(node)], 4
        case Call() if node.function == "concat":
            parts, own = joined(node), 4
        case Conditional():
            parts, own = branches(node), 8
        case Aggregate():
            parts, own = list(node.children()), 12
        case Field() if not isinstance(node.base, Row):
            parts, own = [node.base], 9
        case Constant() | Row() | Field() | Parameter() | User() | Old() | Items():
            parts, own = list(node.children()), 1
        case _:
            parts, own = list(node.children()), 5
    return own + max((weight(p) for p in parts), default=0)
