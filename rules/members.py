"""Aggregates over the members of a collection, in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rules.numbers import CONTEXT, divide, guard
from rules.tree import Aggregate, Node
from rules.typing import Type

if TYPE_CHECKING:
    from rules.lowering import Frame, Program

    Reader = Callable[[Frame], Any]


def aggregate(
    node: Aggregate,
    collection: Callable[[Frame], Any],
    lower: Callable[[Node | None], Program | None],
    record: Callable[[Frame], Any] | None = None,
) -> Callable[[Frame], Any]:
    """What computes the aggregate. `record` reads the value where it is a record (first and last)."""
    value = lower(node.value) if record is None else None
    where, by = lower(node.where), lower(node.by)

    def frames(frame: Frame) -> Iterator[Frame]:
        for member in collection(frame):
            inner = frame.inside(member)
            if where is None or frame.run(where, inner) is True:
                yield inner

    def values(frame: Frame) -> Iterator[tuple[Frame, Any]]:
        for inner in frames(frame):
            found = record(inner) if record is not None else frame.run(value, inner) if value is not None else None
            if found is not None:
                yield inner, found

    match node.function:
        case "count":
            return lambda frame: sum(1 for _ in frames(frame))
        case "any":
            return lambda frame: any(True for _ in frames(frame))
        case "all":
            return lambda frame: all(
                where is not None and frame.run(where, frame.inside(m)) is True for m in collection(frame)
            )
        case "first" | "last":
            pick = min if node.function == "first" else max

            def chosen(frame: Frame) -> Any:
                keyed = [(_key(frame, inner, by), found) for inner, found in values(frame)]
                return pick(keyed, key=lambda pair: pair[0])[1] if keyed else None

            return chosen
    reduce = _REDUCTIONS[node.function]
    return lambda frame: reduce([found for _, found in values(frame)], node.type)


def _key(frame: Frame, inner: Frame, by: Program | None) -> tuple[Any, ...]:
    """Nothing sorts lowest, ties are broken by id; a record not yet saved comes after the saved ones."""
    value = frame.run(by, inner) if by is not None else None
    member = inner.rows[0]
    identity = None if member is None else member.get("id")
    return (value is not None, _Lowest() if value is None else value, identity is None, identity or 0)


class _Lowest:
    """Equal to itself: two records with nothing to sort by are told apart by id."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Lowest)

    __hash__ = None  # type: ignore[assignment]


def _sum(values: list[Any], type_: Type) -> Any:
    if type_.kind in ("integer", "duration"):
        return guard(sum(values))
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, value)
    return guard(total)


def _average(values: list[Any], type_: Type) -> Any:
    if not values:
        return None
    if type_.kind == "duration":
        return sum(values) // len(values)
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, value)
    return guard(divide(total, len(values), type_.scale))


_REDUCTIONS: dict[str, Callable[[list[Any], Type], Any]] = {
    "sum": _sum,
    "avg": _average,
    "min": lambda values, _type: min(values, default=None),
    "max": lambda values, _type: max(values, default=None),
}
