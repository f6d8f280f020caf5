"""A tree as an expression; what is not complete yet is left out."""

from __future__ import annotations

from runtime.views.binder import Binder
from runtime.views.builder.fields import place_of
from runtime.views.builder.operators import operator_of, written
from runtime.views.builder.tree import COMPARED, OF_A_FIELD, Collection, Condition, Group, Node, Written


def expression_of(binder: Binder, entity: str, node: Node) -> str | None:
    """The expression for records of `entity`, None where the tree says nothing (yet)."""
    return _written(binder, entity, node, alone=True)


def _written(binder: Binder, entity: str, node: Node, *, alone: bool) -> str | None:
    """The expression; unless it stands alone, in parentheses where `and`, `or`, `not` beside it would tear it apart."""
    if isinstance(node, Written):
        text = " ".join(node.text.split())
        return (text if alone else f"({text})") if text else None
    if isinstance(node, Group):
        return _group(binder, entity, node, alone=alone)
    if isinstance(node, Collection):
        return _collection(binder, entity, node)
    return _condition(binder, entity, node)


def _condition(binder: Binder, entity: str, node: Condition) -> str | None:
    place = place_of(binder, entity, node.path)
    operator = operator_of(place.kind, node.operator) if place else None
    if place is None or operator is None:
        return None
    return written(operator, node.path, place.kind, node.values)


def _group(binder: Binder, entity: str, group: Group, *, alone: bool) -> str | None:
    negated = group.mode in ("none", "not_all")
    single = len(group.items) == 1
    given = (_written(binder, entity, item, alone=single and not negated and alone) for item in group.items)
    parts = [part for part in given if part is not None]
    if not parts:
        return None
    joined = (" and " if group.mode in ("all", "not_all") else " or ").join(parts)
    if negated:
        return f"not ({joined})"
    return joined if alone or len(parts) == 1 else f"({joined})"


def _collection(binder: Binder, entity: str, node: Collection) -> str | None:
    place = place_of(binder, entity, node.path)
    if place is None or place.members is None:
        return None
    where = expression_of(binder, place.members, node.inner)
    if node.measure in OF_A_FIELD:
        of = place_of(binder, place.members, node.of)
        if of is None or not of.numeric:
            return None
        made = f"{node.path}.{node.measure}({node.of}{', ' + where if where else ''})"
    else:
        function = "any" if node.measure == "none" else node.measure
        if function == "all" and where is None:
            return None
        made = f"{node.path}.{function}({where or ''})"
    if node.measure not in COMPARED:
        return f"not {made}" if node.measure == "none" else made
    operator = operator_of("integer", node.operator)
    return written(operator, made, "integer", node.values) if operator else None
