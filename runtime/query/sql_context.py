"""What expressions compile against, and which of their parts need no row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from rules.evaluate import Environment, Values, run
from rules.lowering import Frame, lower
from rules.registry import FunctionRegistry
from rules.registry import functions as registered
from rules.tree import Aggregate, Call, Measure, Node, Parameter, Row
from runtime.query.dialects import Dialect, Element
from runtime.schema.tables import Tables

Guard = Callable[[str, sa.FromClause], "Element | None"]
Mask = Callable[[str, str, sa.FromClause, "Element"], "Element"]


class NoSqlTwin(Exception):  # noqa: N818 - an answer to the caller, who evaluates in Python instead
    """The expression calls a function that has no SQL twin, or reads what no column holds."""


@dataclass(slots=True)
class Moments:
    """What a statement that is kept takes from the moment of each run: by bind, how to work its value out.

    `baked` says that a moment was written into the statement elsewhere: then it can be run once only.
    """

    binds: dict[str, Callable[[Environment], Any]] = field(default_factory=dict)
    baked: bool = False

    def bind(self, node: Node, context: SqlContext, depth: int, q: Dialect) -> Element:
        """A point in time reckoned from now, as a bind that is worked out anew for every run."""
        lowered, rows = lower(node, context.functions), (None,) * depth

        def work(environment: Environment) -> Any:
            moment = run(lowered, Frame(rows=rows, environment=environment, run=run))
            return None if moment is None else q.moment(moment.astimezone(UTC))

        name = f"moment_{len(self.binds)}"
        self.binds[name] = work
        return sa.bindparam(name, work(context.environment), q.moment_type)

    def at(self, environment: Environment) -> dict[str, Any]:
        """The values of the binds for one run."""
        return {name: work(environment) for name, work in self.binds.items()}


@dataclass(slots=True)
class Given:
    """What a statement that is kept takes from the parameters of each run: by name, what makes the bind's value.

    `baked` says that a parameter was written into the statement otherwise: then it can be run once only.
    """

    binds: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    baked: bool = False

    def bind(self, node: Parameter, value: Any, q: Dialect) -> Element | None:
        """The parameter as a bind of each run; None for what is no bind, such as a truth value."""

        def bound(given: Any) -> Any:
            found = q.literal(given, node.type).element
            return found if isinstance(found, sa.BindParameter) else None

        first = bound(value)
        if first is None:
            return None
        self.binds[node.name] = lambda given: bound(given).value
        return sa.bindparam(f"given_{node.name}", first.value, first.type)

    def at(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the binds for one run."""
        return {f"given_{name}": make(values[name]) for name, make in self.binds.items()}


@dataclass(frozen=True, kw_only=True)
class SqlContext:
    """What expressions compile against.

    `guard(entity, alias)` is the row access that subqueries and link hops of an expression written by a user carry;
    None for expressions written in metadata, which see all rows. `mask(entity, field, alias, element)` is what such an
    expression reads of a field. `measures` gives the SQL of earlier measures.
    `outer` is the record that asks, `this` in a link's `where`; its values are bound. With `moments`, points in time
    reckoned from now are binds of each run instead of values, with `given` so are parameters.
    """

    tables: Tables
    environment: Environment
    guard: Guard | None = None
    mask: Mask | None = None
    user_id: int | None = None
    measures: dict[str, Element] = field(default_factory=dict)
    outer: Values | None = None
    moments: Moments | None = None
    given: Given | None = None

    @property
    def app(self) -> Application:
        return self.tables.app

    @property
    def dialect(self) -> str:
        return self.tables.dialect

    @property
    def functions(self) -> FunctionRegistry:
        return self.environment.functions or registered()


def reads_now(node: Node) -> bool:
    """Whether `now()` is called in it."""
    return any(isinstance(n, Call) and n.function == "now" for n in node.walk())


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
