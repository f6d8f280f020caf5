"""From a figure to its records: the expression, in the user's own language, that selects what was counted."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Group, Report
from rules.expression import check
from runtime.reports.periods import end_of

if TYPE_CHECKING:
    from runtime.site import Session


def plain_where(app: Application, report: Report, parameters: Mapping[str, Any]) -> str | None:
    """The report's condition with its parameters written out; conditions of parameters not given fall away.

    None where that cannot be said in an expression; "" where there is no condition.
    """
    if report.where is None:
        return ""
    try:
        tree = ast.parse(report.where.text.strip(), mode="eval").body
        conjuncts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
        kept = [c for c in conjuncts if _parameters(c) <= set(parameters)]
        records = frozenset(p.name for p in report.parameters if p.type.kind == "record")
        write_out = _WriteOut(parameters, records, lambda text: _is_moment(app, report.entity, text))
        written = [write_out.visit(c) for c in kept]
    except (SyntaxError, ValueError, RecursionError):
        return None
    return " and ".join(_bracketed(ast.unparse(c)) for c in written)


def drill_of(session: Session, report: Report, where: str | None, groups: Sequence[tuple[Group, Any]]) -> str | None:
    """The expression for the records of one group; None where there is none."""
    if where is None:
        return None
    parts = [where] if where else []
    try:
        parts += [_of_group(session, report.entity, group, value) for group, value in groups]
    except ValueError:
        return None
    return " and ".join(parts)


def _of_group(session: Session, entity: str, group: Group, value: Any) -> str:
    path = ".".join(group.path)
    if value is None:
        return f"{path} is None"
    here = session.app.entities[entity]
    for name in group.path[:-1]:
        here = session.app.entities[here.fields[name].value_type.entity or ""]
    kind = here.fields[group.path[-1]].value_type.kind
    if group.bucket is not None:
        day = f"date({path})" if kind == "datetime" else path
        return f"{day} >= {literal(value)} and {day} <= {literal(end_of(value, group.bucket))}"
    if kind == "record":
        return f"{path}.id == {value}"
    if kind == "boolean":
        return path if value else f"not {path}"
    return f"{path} == {literal(value)}"


def literal(value: Any) -> str:
    """A value as the expression language writes it. ValueError for what it cannot write."""
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(value)
    return f"date({value.year}, {value.month}, {value.day})"


def _is_moment(app: Application, entity: str, text: str) -> bool:
    found, _ = check(text, schema=app, entity=entity)
    return found is not None and found.type.kind == "datetime"


def _parameters(tree: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(tree) if _is_parameter(n)}  # type: ignore[attr-defined]


def _is_parameter(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "params"


class _WriteOut(ast.NodeTransformer):
    """Puts values in the place of `params.name`; `x in params.period` becomes two comparisons."""

    def __init__(
        self, parameters: Mapping[str, Any], records: frozenset[str], is_moment: Callable[[str], bool]
    ) -> None:
        self.parameters = parameters
        self.records = records
        self.is_moment = is_moment

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        last = node.comparators[-1]
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn) and _is_parameter(last):
            value = self.parameters[last.attr]  # type: ignore[attr-defined]
            if isinstance(value, tuple):
                return self._within(node.left, value, isinstance(node.ops[0], ast.NotIn))
        if any(_is_parameter(o) and o.attr in self.records for o in (node.left, last)):  # type: ignore[attr-defined]
            node.left, node.comparators = self._id_of(node.left), [self._id_of(o) for o in node.comparators]
            return node
        return self.generic_visit(node)

    def _id_of(self, operand: ast.expr) -> ast.expr:
        """A record is compared with a written id by its own."""
        written: ast.expr = self.visit(operand)
        return written if _is_parameter(operand) else ast.Attribute(value=written, attr="id", ctx=ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if not _is_parameter(node):
            return self.generic_visit(node)
        return ast.parse(literal(self.parameters[node.attr]), mode="eval").body

    def _within(self, item: ast.expr, period: tuple[date | None, date | None], negated: bool) -> ast.AST:
        text = ast.unparse(self.visit(item))
        if self.is_moment(text):  # a moment lies in a range of days by its business date
            text = f"date({text})"
        start, end = period
        parts = [f"{text} is not None"] if start is None and end is None else []
        parts += [f"{text} >= {literal(start)}"] if start is not None else []
        parts += [f"{text} <= {literal(end)}"] if end is not None else []
        inside = " and ".join(parts)
        return ast.parse(f"{text} is not None and not ({inside})" if negated else inside, mode="eval").body


def _bracketed(text: str) -> str:
    return f"({text})" if " or " in text or " if " in text else text
