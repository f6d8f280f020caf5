"""Measures taken apart: the bare aggregates that SQL computes per group, and what is made of them afterwards.

`amount / deals` is computed from the sums of a group, and of all groups above it in the same way, so totals need no
query of their own. An average becomes a sum and a count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from metadata.model import Measure
from rules.evaluate import Environment, Values, evaluate
from rules.expression import Expression
from rules.numbers import fit
from rules.tree import Aggregate, Arithmetic, IsNothing, Logic, Node
from rules.tree import Measure as Earlier
from rules.typing import BOOLEAN, INTEGER, Type


@dataclass(frozen=True, slots=True)
class Finish:
    """How a measure comes from the leaves: directly (`leaf`), or by an expression over leaves and earlier measures."""

    name: str
    type: Type
    leaf: int | None
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class Taken:
    leaves: tuple[Aggregate, ...]
    measures: tuple[Finish, ...]


def take_apart(measures: Sequence[Measure]) -> Taken:
    """The leaves of all measures, each once, and how each measure is finished."""
    leaves: list[Aggregate] = []
    finished = [_finish(measure, leaves) for measure in measures]
    return Taken(tuple(leaves), tuple(finished))


def _finish(measure: Measure, leaves: list[Aggregate]) -> Finish:
    tree = measure.expression.tree
    if _is_leaf(tree) and tree.function != "avg":  # type: ignore[attr-defined]
        return Finish(measure.name, tree.type, _place(tree, leaves), None)  # type: ignore[arg-type]
    changed = _replaced(tree, leaves)
    return Finish(measure.name, tree.type, None, Expression(text=measure.expression.text, tree=changed, type=tree.type))


def _is_leaf(node: Node) -> bool:
    return isinstance(node, Aggregate) and node.collection is None


def _replaced(node: Node, leaves: list[Aggregate]) -> Node:
    if isinstance(node, Aggregate) and node.collection is None:
        return _average(node, leaves) if node.function == "avg" else _named(node, leaves)
    changes: dict[str, Any] = {}
    for member in fields(node):
        value = getattr(node, member.name)
        if isinstance(value, Node):
            changes[member.name] = _replaced(value, leaves)
        elif isinstance(value, tuple) and any(isinstance(v, Node) for v in value):
            changes[member.name] = tuple(_replaced(v, leaves) if isinstance(v, Node) else v for v in value)
    return replace(node, **changes) if changes else node


def _average(node: Aggregate, leaves: list[Aggregate]) -> Node:
    assert node.value is not None  # the checker saw to it
    there = IsNothing(operand=node.value, negated=True, type=BOOLEAN)
    where: Node = there if node.where is None else Logic(operator="and", operands=(node.where, there), type=BOOLEAN)
    total = replace(node, function="sum", type=replace(node.value.type, digits=38))
    count = Aggregate(function="count", collection=None, where=where, type=INTEGER)
    return Arithmetic(operator="/", left=_named(total, leaves), right=_named(count, leaves), type=node.type)


def _named(node: Aggregate, leaves: list[Aggregate]) -> Earlier:
    return Earlier(name=f"leaf {_place(node, leaves)}", type=node.type)


def _place(node: Aggregate, leaves: list[Aggregate]) -> int:
    bare = _without_places(node)
    for number, known in enumerate(leaves):
        if _without_places(known) == bare:
            return number
    leaves.append(node)
    return len(leaves) - 1


def _without_places(node: Node) -> Node:
    changes: dict[str, Any] = {"start": 0, "end": 0}
    for member in fields(node):
        value = getattr(node, member.name)
        if isinstance(value, Node):
            changes[member.name] = _without_places(value)
        elif isinstance(value, tuple) and any(isinstance(v, Node) for v in value):
            changes[member.name] = tuple(_without_places(v) if isinstance(v, Node) else v for v in value)
    return replace(node, **changes)


class _Leaves(Values):
    """Leaves and earlier measures by name, as an expression reads them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def members(self, name: str) -> Sequence[Values]:
        return ()


def finish(taken: Taken, figures: Sequence[Any], environment: Environment) -> dict[str, Any]:
    """The measures of one group from its leaves."""
    known: dict[str, Any] = {f"leaf {n}": value for n, value in enumerate(figures)}
    result: dict[str, Any] = {}
    for measure in taken.measures:
        if measure.expression is None:
            value = figures[measure.leaf or 0]
            if isinstance(value, Decimal) and measure.type.numeric:
                value = fit(value, measure.type)
        else:
            value = evaluate(measure.expression, _Leaves(known), environment)
        known[measure.name] = result[measure.name] = value
    return result


def _sum(x: Any, y: Any) -> Any:
    return x + y


_COMBINE: Mapping[str, Callable[[Any, Any], Any]] = {
    "count": _sum,
    "sum": _sum,
    "min": min,
    "max": max,
    "any": lambda x, y: x or y,
    "all": lambda x, y: x and y,
}


def combine(leaves: Sequence[Aggregate], groups: Sequence[Sequence[Any]]) -> list[Any]:
    """The leaves of several groups taken together; of none, what an empty group gives."""
    result: list[Any] = []
    for n, leaf in enumerate(leaves):
        values = [group[n] for group in groups if group[n] is not None]
        together = _COMBINE[leaf.function]
        total: Any = values[0] if values else _of_nothing(leaf)
        for value in values[1:]:
            total = together(total, value)
        result.append(total)
    return result


def _of_nothing(leaf: Aggregate) -> Any:
    if leaf.function == "count":
        return 0
    if leaf.function == "sum":
        return 0 if leaf.type.kind == "integer" else Decimal(0)
    return {"any": False, "all": True}.get(leaf.function)
