"""Computed fields: which are live and which stored, which are sensitive by inheritance, and in what order they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from metadata.drafts import FieldDraft, World
from metadata.model import Dependency
from rules.expression import Expression

Node = tuple[str, str]


def classify(world: World) -> None:
    """Fills `live`, `sensitive` and `lost` of the fields, `reads_live` of expressions, and `world.dependencies`."""
    reads = {node: frozenset(_reads(node, world)) for node in _computed(world)}
    _refuse_user(reads, world)
    order = _in_order(reads, world)
    for node in order:
        member = _member(node, world)
        expression = formula_of(node, world)
        of_time = expression is not None and (expression.uses_time or expression.uses_user)
        live = of_time or any(_is_live(r, world) for r in reads[node])
        if live and member.type is not None and member.type.kept:
            member.spec["keep"] = "daily"
        member.live = live and member.spec.get("keep") is None
        if member.spec.get("sensitive") is None:
            member.sensitive = any(_is_sensitive(r, world) for r in reads[node])
    _mark_live_expressions(world)
    stored = [n for n in order if formula_of(n, world) is not None and not _member(n, world).live]
    for node in stored:
        needed = sorted(_expanded(reads[node], reads, world))
        world.dependencies.append(Dependency(entity=node[0], field=node[1], reads=tuple(needed)))


def formula_of(node: Node, world: World) -> Expression | None:
    draft = world.entities[node[0]]
    return draft.thing.expressions.get((*draft.fields[node[1]].path, "formula"))


def _member(node: Node, world: World) -> FieldDraft:
    return world.entities[node[0]].fields[node[1]]


def _computed(world: World) -> Iterator[Node]:
    for draft in world.entities.values():
        for member in draft.fields.values():
            if member.name in draft.lost or member.system:
                continue
            if member.type_name == "lookup" or formula_of((draft.name, member.name), world) is not None:
                yield (draft.name, member.name)


def _reads(node: Node, world: World) -> Iterator[Node]:
    member = _member(node, world)
    expression = formula_of(node, world)
    if expression is not None:
        yield from expression.reads
        return
    here: str | None = node[0]
    for part in str(member.spec["of"]).split("."):
        if here is None or here not in world.entities:
            return
        yield (here, part)
        found = world.entities[here].fields.get(part)
        here = found.value_type.entity if found else None


def _refuse_user(reads: dict[Node, frozenset[Node]], world: World) -> None:
    for node in list(reads):
        expression = formula_of(node, world)
        if expression is not None and expression.uses_user:
            draft = world.entities[node[0]]
            path = (*draft.fields[node[1]].path, "formula")
            world.report("formula.user", draft.thing, path, field=node[1])
            _lose(node, reads, world)


def _lose(node: Node, reads: dict[Node, frozenset[Node]], world: World) -> None:
    draft = world.entities[node[0]]
    draft.thing.expressions.pop((*draft.fields[node[1]].path, "formula"), None)
    draft.lost.add(node[1])
    reads.pop(node, None)


def _in_order(reads: dict[Node, frozenset[Node]], world: World) -> list[Node]:
    """The computed fields, each after those it reads. A cycle is reported once and its fields are lost."""
    order: list[Node] = []
    done: set[Node] = set()
    for start in list(reads):
        cycle = _visit(start, reads, order, done)
        if cycle:
            _report_cycle(cycle, world)
            for node in cycle:
                _lose(node, reads, world)
    return [n for n in order if n in reads]


def _visit(start: Node, reads: dict[Node, frozenset[Node]], order: list[Node], done: set[Node]) -> list[Node]:
    """Depth first without recursion; answers the cycle it meets, if any."""
    if start in done or start not in reads:
        return []
    trail: list[tuple[Node, Iterator[Node]]] = [(start, iter(sorted(reads[start])))]
    on_trail = {start}
    while trail:
        node, further = trail[-1]
        below = next((n for n in further if n in reads and n not in done), None)
        if below is None:
            trail.pop()
            on_trail.discard(node)
            done.add(node)
            order.append(node)
        elif below in on_trail:
            names = [n for n, _ in trail]
            return names[names.index(below) :]
        else:
            trail.append((below, iter(sorted(reads[below]))))
            on_trail.add(below)
    return []


def _report_cycle(cycle: list[Node], world: World) -> None:
    first = world.entities[cycle[0][0]]
    names = " → ".join(f"{entity}.{field}" for entity, field in [*cycle, cycle[0]])
    related = [world.entities[e].thing.place(world.entities[e].fields[f].path, key=True) for e, f in cycle[1:]]
    member = first.fields[cycle[0][1]]
    key = {"lookup": "of", "score": "score", "grade": "score"}.get(member.type_name, "formula")
    world.report("formula.cycle", first.thing, (*member.path, key), related=related, fields=names)


def _is_live(node: Node, world: World) -> bool:
    draft = world.entities.get(node[0])
    found = draft.fields.get(node[1]) if draft else None
    return found is not None and found.live


def _is_sensitive(node: Node, world: World) -> bool:
    draft = world.entities.get(node[0])
    found = draft.fields.get(node[1]) if draft else None
    return found is not None and found.sensitive


def _mark_live_expressions(world: World) -> None:
    """Expressions were read before it was known which fields are live."""
    live = {(d.name, f.name) for d in world.entities.values() for f in d.fields.values() if f.live}
    for thing in world.things.values():
        for path, found in thing.expressions.items():
            if not found.reads_live and not live.isdisjoint(found.reads):
                thing.expressions[path] = replace(found, reads_live=True)


def _expanded(nodes: Iterable[Node], reads: dict[Node, frozenset[Node]], world: World) -> set[Node]:
    """What is read, with lookups and live formulas replaced by what they read in turn."""
    found: set[Node] = set()
    waiting = list(nodes)
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        through = node in reads and (formula_of(node, world) is None or _member(node, world).live)
        if through:
            waiting.extend(reads[node])
        else:
            found.add(node)
            found |= _back_link(node, world)
    return found


def _back_link(node: Node, world: World) -> set[Node]:
    """A collection changes when a member moves to another record: the member's link is read too."""
    draft = world.entities.get(node[0])
    member = draft.fields.get(node[1]) if draft else None
    if member is None or member.type_name not in ("lines", "related") or "by" not in member.spec:
        return set()
    return {(member.spec["entity"], member.spec["by"])}
