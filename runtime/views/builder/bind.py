"""A tree with all that a page needs to show it: what each step can be, which operators fit, what is chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.query.titles import titles_of
from runtime.views.binder import Binder
from runtime.views.builder.fields import Place, Step, place_of, steps_of
from runtime.views.builder.operators import COMPARISONS, Operator, operator_of, operators_of
from runtime.views.builder.tree import MODES, OF_A_FIELD, Collection, Condition, Group, Mode, Node, Written


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCondition:
    """`place` is None while nothing is chosen. `titles` are those of the records among the values."""

    id: str
    path: str
    steps: tuple[Step, ...]
    place: Place | None
    operators: tuple[Operator, ...] = ()
    operator: Operator | None = None
    values: tuple[str, ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    word: str = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCollection:
    id: str
    path: str
    steps: tuple[Step, ...]
    place: Place
    measure: str
    of: str
    numbers: tuple[tuple[str, str], ...]
    operators: tuple[Operator, ...]
    operator: str
    values: tuple[str, ...]
    inner: BoundGroup
    word: str = "collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundWritten:
    id: str
    text: str
    word: str = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundGroup:
    id: str
    mode: Mode
    items: tuple[BoundNode, ...]
    word: str = "group"


BoundNode = BoundCondition | BoundCollection | BoundWritten | BoundGroup


def bind_tree(binder: Binder, entity: str, tree: Group) -> BoundGroup:
    """The tree for this person; every node is named by its place, the root is `0`."""
    return _group(binder, entity, tree, "0")


def fitted(binder: Binder, entity: str, node: Node) -> Node:
    """The node with what its field can be asked: a collection where the path ends at one, an operator that fits."""
    if isinstance(node, Group):
        mode = node.mode if node.mode in MODES else "all"
        return Group(mode=mode, items=tuple(fitted(binder, entity, item) for item in node.items))
    if isinstance(node, Written):
        return node
    place = place_of(binder, entity, node.path)
    if place is not None and place.members is not None:
        made = node if isinstance(node, Collection) else Collection(path=node.path)
        inner = fitted(binder, place.members, made.inner)
        return replace(made, inner=inner if isinstance(inner, Group) else Group())
    if isinstance(node, Collection):
        node = Condition(path=node.path)
    if place is None:
        return Condition(path=node.path)
    operator = operator_of(place.kind, node.operator) or operators_of(place.kind)[0]
    return replace(node, operator=operator.name)


def _group(binder: Binder, entity: str, group: Group, name: str, *, inside: bool = False) -> BoundGroup:
    items = tuple(_node(binder, entity, item, f"{name}.{number}", inside) for number, item in enumerate(group.items))
    return BoundGroup(id=name, mode=group.mode, items=items)


def _node(binder: Binder, entity: str, node: Node, name: str, inside: bool) -> BoundNode:
    if isinstance(node, Group):
        return _group(binder, entity, node, name, inside=inside)
    if isinstance(node, Written):
        return BoundWritten(id=name, text=node.text)
    place = place_of(binder, entity, node.path)
    if isinstance(node, Collection) and place is not None and place.members is not None:
        return _collection(binder, entity, node, place, name)
    return _condition(binder, entity, node, place, name, inside)


def _condition(
    binder: Binder, entity: str, node: Condition | Collection, place: Place | None, name: str, inside: bool
) -> BoundCondition:
    steps = steps_of(binder, entity, node.path if place else "")
    if place is None:
        return BoundCondition(id=name, path="", steps=steps, place=None)
    operator = operator_of(place.kind, node.operator) or operators_of(place.kind)[0]
    return BoundCondition(
        id=name,
        path=node.path,
        steps=steps,
        place=place,
        operators=operators_of(place.kind, inside=inside),
        operator=operator,
        values=node.values,
        units=_units(binder) if operator.takes == "unit" else (),
        titles=_titles(binder, place, node.values) if operator.takes == "records" else (),
    )


def _collection(binder: Binder, entity: str, node: Collection, place: Place, name: str) -> BoundCollection:
    members = place.members or ""
    numbers = steps_of(binder, members, "", numbers=True)[0].fields if node.measure in OF_A_FIELD else ()
    return BoundCollection(
        id=name,
        path=node.path,
        steps=steps_of(binder, entity, node.path),
        place=place,
        measure=node.measure,
        of=node.of,
        numbers=numbers,
        operators=COMPARISONS,
        operator=node.operator,
        values=node.values,
        inner=_group(binder, members, node.inner, f"{name}.0", inside=True),
    )


def _titles(binder: Binder, place: Place, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    ids = [int(v) for v in values if v.isascii() and v.isdigit() and len(v) < 16]
    found = titles_of(binder.session, place.target or "", ids) if ids else {}
    return tuple((str(i), found.get(i, f"#{i}")) for i in ids)


def _units(binder: Binder) -> tuple[tuple[str, str], ...]:
    """Codes and names of the units that have a code."""
    from runtime.query.select import Query, run  # late: only where a unit is to be chosen

    if not (binder.visible("unit", "code") and binder.can("unit", "read")):
        return ()
    rows = run(binder.session, Query(entity="unit", select=("code", "name"), limit=500)).rows
    return tuple((str(r.values["code"]), str(r.values["name"])) for r in rows if r.values["code"])
