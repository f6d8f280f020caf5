"""Roles: what people may do with which records and fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metadata.frozen import FrozenMap
from metadata.texts import Origin, Text
from rules.expression import Expression

NamedScope = Literal["own", "team", "unit", "subordinates", "shared", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A union of named scopes and expressions over the entity."""

    named: frozenset[str] = frozenset()
    expressions: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a role may do with one entity (or, as `*`, with each entity it does not name)."""

    entity: str
    operations: FrozenMap[Scope]  # operation -> scope; absent = not allowed
    hide: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    show: frozenset[str] = frozenset()  # sensitive fields this role sees
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    name: str
    label: Text
    grants: FrozenMap[Grant]
    admin: bool = False  # may administer the site: users, metadata, jobs
    includes: tuple[str, ...] = ()
    origin: Origin
