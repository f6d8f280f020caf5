"""What expressions compile against, and which of their parts need no row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from metadata.model import Application
from rules.evaluate import Environment, Values
from rules.registry import FunctionRegistry
from rules.registry import functions as registered
from rules.tree import Aggregate, Measure, Node, Row
from runtime.query.dialects import Element
from runtime.schema.tables import Tables

Guard = Callable[[str, sa.FromClause], "Element | None"]


class NoSqlTwin(Exception):  # noqa: N818 - an answer to the caller, who evaluates in Python instead
    """The expression calls a function that has no SQL twin, or reads what no column holds."""


@dataclass(frozen=True, kw_only=True)
class SqlContext:
    """What expressions compile against.

    `guard(entity, alias)` is the row access that subqueries and link hops of an expression written by a user carry;
    None for expressions written in metadata, which see all rows. `measures` gives the SQL of earlier measures.
    `outer` is the record that asks, `this` in a link's `where`; its values are bound.
    """

    tables: Tables
    environment: Environment
    guard: Guard | None = None
    user_id: int | None = None
    measures: dict[str, Element] = field(default_factory=dict)
    outer: Values | None = None

    @property
    def app(self) -> Application:
        return self.tables.app

    @property
    def dialect(self) -> str:
        return self.tables.dialect

    @property
    def functions(self) -> FunctionRegistry:
        return self.environment.functions or registered()


def is_known(node: Node) -> bool:
    """Whether the node needs no row: its value is the same for every record of the set."""
    if isinstance(node, (Row, Measure)) or (isinstance(node, Aggregate) and node.collection is None):
        return False
    if isinstance(node, Aggregate):
        return _known_aggregate(node)
    return all(is_known(child) for child in node.children())


def _known_aggregate(node: Aggregate) -> bool:
    """A collection of the person's or of the record before the change, with nothing of the row inside."""
    if node.collection is None or not is_known(node.collection):
        return False
    inside = [n for part in (node.value, node.where, node.by) if part is not None for n in part.walk()]
    return not any(isinstance(n, Row) and n.level > 0 for n in inside)
