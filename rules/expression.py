"""An expression, parsed once: its text, typed tree, type and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rules.errors import ExpressionError, ExpressionProblem
from rules.tree import Node
from rules.typing import Schema, Type

if TYPE_CHECKING:
    from rules.registry import FunctionRegistry

Mode = Literal["plain", "measures"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """Immutable and picklable; compared by identity.

    `reads` holds every (entity, field) read, over all hops and collections; `collections` those of them that are
    collections. `prepared` keeps what the executions derive from the tree; it is not pickled.
    """

    text: str
    tree: Node
    type: Type
    entity: str | None = None
    reads: frozenset[tuple[str, str]] = frozenset()
    collections: frozenset[tuple[str, str]] = frozenset()
    parameters: frozenset[str] = frozenset()
    uses_time: bool = False
    uses_user: bool = False
    uses_old: bool = False
    reads_live: bool = False
    prepared: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def live(self) -> bool:
        return self.uses_time or self.uses_user or self.reads_live

    def __reduce__(self) -> tuple[Any, ...]:
        names = [n for n in self.__slots__ if n != "prepared"]
        return _restore, ({name: getattr(self, name) for name in names},)


def _restore(values: dict[str, Any]) -> Expression:
    return Expression(**values)


def check(
    text: str,
    *,
    schema: Schema,
    entity: str | None,
    expected: Type | None = None,
    parameters: Mapping[str, Type] | None = None,
    allow_old: bool = False,
    functions: FunctionRegistry | None = None,
    mode: Mode = "plain",
    measures: Mapping[str, Type] | None = None,
    visible: Callable[[str, str], bool] | None = None,
    outer: str | None = None,
) -> tuple[Expression | None, list[ExpressionProblem]]:
    """The expression, or None where it has errors, with all errors and warnings found.

    `expected` is the type the place needs; `visible(entity, field)` hides fields: an invisible one is an unknown name.
    In mode "measures" aggregates stand free and bare names are `measures`. `outer` is the entity of the record that
    asks (the one a link's `where` belongs to), written `this`.
    """
    from rules.checker import check_text  # the checker builds Expression: a late import cuts the cycle

    return check_text(
        text,
        schema=schema,
        entity=entity,
        expected=expected,
        parameters=parameters or {},
        allow_old=allow_old,
        functions=functions,
        mode=mode,
        measures=measures or {},
        visible=visible,
        outer=outer,
    )


def parse(
    text: str,
    *,
    schema: Schema,
    entity: str | None,
    expected: Type | None = None,
    parameters: Mapping[str, Type] | None = None,
    allow_old: bool = False,
    functions: FunctionRegistry | None = None,
    mode: Mode = "plain",
    measures: Mapping[str, Type] | None = None,
    visible: Callable[[str, str], bool] | None = None,
    outer: str | None = None,
) -> Expression:
    """Like `check`; raises ExpressionError where there are errors."""
    expression, problems = check(
        text,
        schema=schema,
        entity=entity,
        expected=expected,
        parameters=parameters,
        allow_old=allow_old,
        functions=functions,
        mode=mode,
        measures=measures,
        visible=visible,
        outer=outer,
    )
    if expression is None:
        raise ExpressionError([p for p in problems if p.severity == "error"])
    return expression
