"""Running an expression on one record in Python.

The typed tree is lowered once to a small syntax tree of calls, conditionals and names that this module made itself,
and simpleeval runs that: what the author wrote never reaches the interpreter. Names are read when they are needed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from simpleeval import SimpleEval

from rules.calendar import Calendar
from rules.expression import Expression
from rules.lowering import Frame, Program, lower
from rules.numbers import fit
from rules.registry import FunctionRegistry
from rules.registry import functions as registered
from rules.trace import Step, Trace
from rules.typing import Type
from rules.working import OFFICE_HOURS, Span


class Values(Protocol):
    """A record during evaluation. Values are Python values by storage kind; `id` is always readable.

    A link or user answers the linked record's Values or None; a select its choice's name; a multi_select a tuple of
    names. For money in a currency of the record's own, `<field>__base` is the amount in base currency and
    `exchange_rate__` the record's frozen rate.
    """

    def get(self, name: str) -> Any: ...

    def members(self, name: str) -> Sequence[Values]:
        """The living records of a `lines`, `related` or `links` field."""


def _no_units(_code: str) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What an evaluation knows besides the record. `now` is aware; `units` are the person's unit and all below it.

    `rates(from, to, day)` answers how much of `to` one unit of `from` is worth, or None; `below(code)` the ids of the
    unit with that code and of all below it.
    """

    now: datetime
    zone: ZoneInfo
    user: Values | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    old: Values | None = None
    changed: frozenset[str] = frozenset()
    language: str = "zh"
    holidays: Calendar | None = None
    hours: Sequence[Span] = OFFICE_HOURS  # of a working day
    rates: Callable[[str, str, date], Decimal | None] | None = None
    currency: str = "CNY"
    roles: frozenset[str] = frozenset()
    units: frozenset[int] = frozenset()
    below: Callable[[str], frozenset[int]] = _no_units
    functions: FunctionRegistry | None = None

    @cached_property
    def today(self) -> date:
        """The business date."""
        return self.now.astimezone(self.zone).date()

    def rate(self, currency: str) -> Decimal | None:
        """Today's rate from the base currency."""
        if currency == self.currency:
            return Decimal(1)
        return self.rates(self.currency, currency, self.today) if self.rates else None


class _Interpreter(SimpleEval):
    """simpleeval reduced to the nodes that lowering makes: no attributes, no subscripts, no operators on values."""

    def __init__(self, program: Program, frame: Frame) -> None:
        self.functions = program.functions
        self.operators = _NO_OPERATORS
        self.readers = program.readers
        self.frame = frame
        self.nodes = {
            ast.Name: self._read,
            ast.Constant: self._eval_constant,
            ast.Call: self._eval_call,
            ast.BoolOp: self._eval_boolop,
            ast.IfExp: self._eval_ifexp,
            ast.UnaryOp: self._not,
        }

    def _read(self, node: ast.Name) -> Any:
        return self.readers[node.id](self.frame)

    def _not(self, node: ast.UnaryOp) -> bool:
        return not self._eval(node.operand)


_NO_OPERATORS: dict[Any, Any] = {}


def run(program: Program, frame: Frame) -> Any:
    """The value of a lowered program for the records of a frame."""
    return _Interpreter(program, frame)._eval(program.code)


def evaluate(
    expression: Expression,
    values: Values | None,
    environment: Environment,
    *,
    trace: Trace | None = None,
    outer: Values | None = None,
) -> Any:
    """The expression's value for a record (None: for no record). Total; only reading `values` may raise.

    A record comes back as its id, a number as int or Decimal by the expression's type. With `trace`, every part that
    was looked at is noted. `outer` is the record that asks, `this` in a link's `where`.
    """
    registry = environment.functions or registered()
    program = _program(expression, registry, traced=trace is not None)
    rows = (values, outer)
    frame = Frame(rows=rows, environment=environment, run=run, notes=_notes(expression, trace))
    return finish(run(program, frame), expression.type)


def holds(expression: Expression, values: Values | None, environment: Environment) -> bool:
    """Whether a condition is met; nothing counts as false."""
    return evaluate(expression, values, environment) is True


def finish(value: Any, type_: Type) -> Any:
    """A value as its static type says: a decimal is a Decimal even where the branch taken held an integer."""
    if value is not None and type_.numeric:
        return fit(value, type_)
    return value


def _program(expression: Expression, registry: FunctionRegistry, *, traced: bool) -> Program:
    key = f"python{'-traced' if traced else ''}-{id(registry)}"
    found: Program | None = expression.prepared.get(key)
    if found is None:
        found = expression.prepared[key] = lower(expression.tree, registry, traced=traced)
    return found


def _notes(expression: Expression, trace: Trace | None) -> Callable[[int, int, int, Any], None] | None:
    if trace is None:
        return None

    def note(start: int, end: int, depth: int, value: Any) -> None:
        trace.add(Step(text=expression.text[start:end], start=start, end=end, depth=depth, value=value))

    return note
