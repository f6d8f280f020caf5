"""What a condition consists of, for people: groups, conditions on fields, conditions on collections, free text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["all", "any", "none", "not_all"]
MODES: tuple[Mode, ...] = ("all", "any", "none", "not_all")
MEASURES = ("any", "none", "all", "count", "sum", "avg", "min", "max")
OF_A_FIELD = frozenset({"sum", "avg", "min", "max"})  # measures of a field of the members
COMPARED = frozenset({"count"}) | OF_A_FIELD  # measures that give a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A field at the end of a dotted path, an operator of `operators.py`, and what is asked of it, as typed."""

    path: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`all` and, `any` or, `none` not any, `not_all` not all of the items."""

    mode: Mode = "all"
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The members of a collection for which `inner` holds: whether there are some, or a number compared with another.

    `of` is the field of the members that is summed up.
    """

    path: str
    measure: str = "any"
    of: str = ""
    operator: str = "ge"
    values: tuple[str, ...] = ()
    inner: Group = Group()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What has no form in clicks: an expression as text."""

    text: str = ""


Node = Condition | Group | Collection | Written
