"""Typed trees made of typed trees: what rules that are no written expression compile to (the parts of a score).

Only types are worked out here, as the checker does; that the pieces make sense was checked where they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from rules.checker import MAX_WEIGHT, number_type
from rules.expression import Expression
from rules.numbers import common_type, product_type, quotient_type, sum_type
from rules.registry import FunctionRegistry
from rules.tree import Arithmetic, Base, Call, Compare, ComparisonOperator, Conditional, Constant, Field, Node, weight
from rules.typing import BOOLEAN, NOTHING, TEXT, Type, decimal


def written(value: int | Decimal) -> Constant:
    """A number as if it stood in the text."""
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    value = int(value) if whole else value
    return Constant(value=value, type=number_type(value))


def word(value: str) -> Constant:
    return Constant(value=value, type=TEXT)


def plain_number(node: Node) -> Node:
    """A number without a currency: money counts by its amount in base currency."""
    if node.type.kind == "integer":
        return node
    type_ = node.type
    if type_.kind == "money" and type_.currency is not None and not type_.currency.isupper():
        record = next(f.base for f in node.walk() if isinstance(f, Field) and f.type.currency == type_.currency)
        type_ = replace(type_, currency=None, scale=4, digits=28)
        node = Base(operand=node, record=record, type=type_)
    return replace(node, type=decimal(type_.scale, type_.digits))


def at_least(left: Node, right: Node) -> Node:
    return _compared(">=", left, right)


def below(left: Node, right: Node) -> Node:
    return _compared("<", left, right)


def same(left: Node, right: Node) -> Node:
    return _compared("==", left, right)


def _compared(operator: ComparisonOperator, left: Node, right: Node) -> Node:
    return Compare(operator=operator, left=left, right=right, type=BOOLEAN)


def either(test: Node, then: Node, otherwise: Node) -> Node:
    """`then if test else otherwise`; numbers, or nothing on the other side."""
    known = [n.type for n in (then, otherwise) if n.type.kind != "nothing"]
    return Conditional(test=test, then=then, otherwise=otherwise, type=common_type(known))


def nothing() -> Node:
    return Constant(value=None, type=NOTHING)


def or_zero(node: Node) -> Node:
    """The number, 0 for nothing."""
    type_ = common_type([node.type, number_type(0)])
    return Call(function="coalesce", overload=0, arguments=(node, written(0)), type=type_)


def least(*nodes: Node) -> Node:
    return Call(function="min", overload=0, arguments=nodes, type=common_type([n.type for n in nodes]))


def greatest(*nodes: Node) -> Node:
    return Call(function="max", overload=0, arguments=nodes, type=common_type([n.type for n in nodes]))


def times(left: Node, right: Node) -> Node:
    return Arithmetic(operator="*", left=left, right=right, type=product_type(left.type, right.type))


def over(left: Node, right: Node) -> Node:
    return Arithmetic(operator="/", left=left, right=right, type=quotient_type(left.type, right.type))


def minus(left: Node, right: Node) -> Node:
    return Arithmetic(operator="-", left=left, right=right, type=sum_type(left.type, right.type))


def added(nodes: Sequence[Node]) -> Node:
    """The sum, 0 of none."""
    if not nodes:
        return written(0)
    made = nodes[0]
    for node in nodes[1:]:
        made = Arithmetic(operator="+", left=made, right=node, type=sum_type(made.type, node.type))
    return made


def age_in_days(since: Node, functions: FunctionRegistry) -> Node:
    """`days_between(since, today())`; of a datetime its business date."""
    if since.type.kind == "datetime":
        since = _called("date", [since], functions)
    return _called("days_between", [since, _called("today", [], functions)], functions)


def _called(name: str, arguments: Sequence[Node], functions: FunctionRegistry) -> Node:
    """A call of a core function whose signature fits the arguments."""
    for overload, function in enumerate(functions.overloads(name)):
        fits = len(arguments) == len(function.arguments)
        if fits and all(a.type.kind in function.argument(i).kinds for i, a in enumerate(arguments)):
            made = function.returns if isinstance(function.returns, Type) else function.returns(arguments)
            return Call(function=name, overload=overload, arguments=tuple(arguments), type=made)
    raise LookupError(name)


def too_heavy(node: Node) -> bool:
    """Whether databases may refuse so deep an expression."""
    return weight(node) > MAX_WEIGHT


def expression(tree: Node, text: str, parts: Iterable[Expression], *, entity: str, uses_time: bool) -> Expression:
    """The composed expression: it reads what its parts read."""
    known = list(parts)
    return Expression(
        text=text,
        tree=tree,
        type=tree.type,
        entity=entity,
        reads=frozenset().union(*(p.reads for p in known)),
        collections=frozenset().union(*(p.collections for p in known)),
        uses_time=uses_time or any(p.uses_time for p in known),
        uses_user=any(p.uses_user for p in known),
        reads_live=any(p.reads_live for p in known),
    )
