"""Rule functions: their typed signatures, Python bodies, SQL twins and help."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal

from rules.typing import (
    BOOLEAN,
    DATE,
    DATETIME,
    INTEGER,
    MONEY,
    NUMERIC,
    TEXT,
    Type,
)

Layer = Literal["core", "package", "site"]
_LAYERS: tuple[Layer, ...] = ("core", "package", "site")
Body = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What an argument may be. `constant`: a literal is due; `optional`: may be left out; `repeat`: once or more."""

    kinds: frozenset[str]
    constant: bool = False
    optional: bool = False
    repeat: bool = False
    among: tuple[str, ...] = ()  # a constant text: one of these
    entity: str | None = None  # a record: of this entity

    def optionally(self) -> Argument:
        return Argument(kinds=self.kinds, constant=self.constant, optional=True, among=self.among, entity=self.entity)


def kinds(*names: str, **rest: Any) -> Argument:
    return Argument(kinds=frozenset(names), **rest)


# The words rule functions are declared with. `Date` takes a date or a datetime, of which it gets the business date.
Number = Argument(kinds=NUMERIC)
Integer = kinds("integer")
Text = kinds("text", "select")
Date = kinds("date", "datetime")
Datetime = kinds("datetime")
Boolean = kinds("boolean")
Money = kinds("money")
Anything = Argument(kinds=frozenset())
Numbers = Argument(kinds=NUMERIC, repeat=True)

_RETURNS: Mapping[int, Type] = {
    id(Integer): INTEGER,
    id(Text): TEXT,
    id(Date): DATE,
    id(Datetime): DATETIME,
    id(Boolean): BOOLEAN,
    id(Money): MONEY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One signature of a rule function.

    `body` gets Python values and is total: it answers None where there is no answer; ArithmeticError and ValueError
    count as None. Where `nothing` is "spread", it is not called with None at all. With `environment` it gets the
    Environment first. `sql(q, *arguments)` answers the SQL twin; None means that sets are evaluated in Python.
    """

    name: str
    arguments: tuple[Argument, ...]
    returns: Type | Callable[[Sequence[Any]], Type]
    body: Body
    sql: Callable[..., Any] | None = None
    help: Mapping[str, str] = field(default_factory=dict)
    nothing: Literal["spread", "given"] = "spread"
    environment: bool = False
    uses: frozenset[str] = frozenset()  # of "time", "user"
    layer: Layer = "core"

    @property
    def least(self) -> int:
        return sum(1 for a in self.arguments if not a.optional)

    @property
    def most(self) -> int | None:
        """None: any number."""
        return None if any(a.repeat for a in self.arguments) else len(self.arguments)

    def argument(self, position: int) -> Argument:
        return self.arguments[min(position, len(self.arguments) - 1)]


class FunctionRegistry:
    """Functions by name, each with its overloads. A site's function covers a package's, a package's a core one."""

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self._layers: dict[Layer, dict[str, list[Function]]] = {layer: {} for layer in _LAYERS}
        for function in functions:
            self.add(function)

    def add(self, function: Function) -> None:
        self._layers[function.layer].setdefault(function.name, []).append(function)

    def overloads(self, name: str) -> tuple[Function, ...]:
        """The signatures registered under a name; empty where there is none."""
        for layer in reversed(_LAYERS):
            found = self._layers[layer].get(name)
            if found:
                return tuple(found)
        return ()

    def get(self, name: str, overload: int) -> Function:
        return self.overloads(name)[overload]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for layer in self._layers.values() for name in layer}))

    def __iter__(self) -> Iterator[Function]:
        for name in self.names():
            yield from self.overloads(name)


_REGISTRY = FunctionRegistry()
_log = logging.getLogger("octavo.rules")


def functions() -> FunctionRegistry:
    """All functions registered by import, the core ones first."""
    import rules.functions  # noqa: F401 - registers the core on first use; it imports this module

    return _REGISTRY


def rule_function(
    name: str,
    *,
    args: Sequence[Argument] = (),
    returns: Argument | Type | Callable[[Sequence[Any]], Type],
    sql: Callable[..., Any] | None = None,
    help: Mapping[str, str] | None = None,
    nothing: Literal["spread", "given"] = "spread",
    environment: bool = False,
    uses: Iterable[str] = (),
    layer: Layer = "package",
    registry: FunctionRegistry | None = None,
) -> Callable[[Body], Body]:
    """Registers the decorated Python body as a rule function; several of one name are overloads, tried in order.

    `returns` is a type, one of the argument words, or a function of the argument nodes (each has `.type`).
    """
    result = _RETURNS.get(id(returns), returns) if isinstance(returns, Argument) else returns
    if isinstance(result, Argument):
        raise TypeError(f"rule function {name}: say which type it returns")

    def register(body: Body) -> Body:
        (registry or _REGISTRY).add(
            Function(
                name=name,
                arguments=tuple(args),
                returns=result,
                body=body if layer == "core" else _total(name, body),
                sql=sql,
                help=dict(help or {}),
                nothing=nothing,
                environment=environment,
                uses=frozenset(uses),
                layer=layer,
            )
        )
        return body

    return register


def _total(name: str, body: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a code package that raises gives nothing, as all of the language does: no record is held up."""

    @wraps(body)
    def call(*arguments: Any) -> Any:
        try:
            return body(*arguments)
        except Exception:
            _log.exception("rule function %s raised; its value is nothing", name)
            return None

    return call


__all__ = [
    "Anything",
    "Argument",
    "Boolean",
    "Date",
    "Datetime",
    "Function",
    "FunctionRegistry",
    "Integer",
    "Money",
    "Number",
    "Numbers",
    "Text",
    "functions",
    "kinds",
    "rule_function",
]
