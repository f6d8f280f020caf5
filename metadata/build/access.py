"""Roles as part of the model."""

from __future__ import annotations

from typing import Any

from metadata.build.common import label, origin
from metadata.drafts import Thing, World
from metadata.frozen import FrozenMap
from metadata.kinds.role import OPERATIONS, SCOPES
from metadata.model import Grant, Role, Scope


def build_role(thing: Thing, world: World) -> Role:
    data = thing.data
    known = {t.name for t in world.of_kind("role")}
    grants = {
        entity: _grant(entity, given, thing, world)
        for entity, given in (data.get("grants") or {}).items()
        if entity == "*" or entity in world.entities
    }
    return Role(
        name=thing.name,
        label=label(thing, data.get("label"), thing.name, world),
        grants=FrozenMap(grants),
        admin=data.get("admin") is True,
        includes=tuple(n for n in data.get("includes") or () if n in known),
        origin=origin(thing),
    )


def _grant(entity: str, given: dict[str, Any], thing: Thing, world: World) -> Grant:
    operations: dict[str, Scope] = {}
    for operation in OPERATIONS:
        found = _scope(entity, operation, given, thing)
        if found is not None:
            operations[operation] = found
    draft = world.entities.get(entity)
    fields = {k: frozenset(n for n in given.get(k) or () if draft and n in draft.fields) for k in _FIELD_RULES}
    return Grant(entity=entity, operations=FrozenMap(operations), origin=origin(thing, ("grants", entity)), **fields)


_FIELD_RULES = ("hide", "read_only", "show")


def _scope(entity: str, operation: str, given: dict[str, Any], thing: Thing) -> Scope | None:
    """The union of what `all:` and the operation itself say; None where neither grants anything."""
    named: set[str] = set()
    expressions: list[Any] = []
    for key in ("all", operation):
        for scope in given.get(key) or ():
            expression = thing.expression(("grants", entity, key, scope))
            if scope in SCOPES:
                named.add(scope)
            elif expression is not None:
                expressions.append(expression)
    if operation in given and not given[operation]:
        return None  # `false` takes one operation out of `all`
    return Scope(named=frozenset(named), expressions=tuple(expressions)) if named or expressions else None
