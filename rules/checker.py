"""From the text of an expression to its typed tree, with every mistake found on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal, NoReturn

from rules import calls, names
from rules.errors import ExpressionProblem
from rules.expression import Expression, Mode
from rules.operators import (
    Mismatch,
    arithmetic_type,
    check_assignable,
    check_equality,
    check_order,
    results,
    type_name,
    unite,
)
from rules.registry import FunctionRegistry
from rules.registry import functions as registered
from rules.scan import Offsets, scan, syntax
from rules.tree import (
    Arithmetic,
    Base,
    Call,
    Changed,
    Compare,
    Conditional,
    Constant,
    Field,
    IsNothing,
    Items,
    Logic,
    Negative,
    Node,
    Not,
    Old,
    Parameter,
    User,
    weight,
)
from rules.typing import BOOLEAN, NOTHING, TEXT, Schema, Type, decimal

_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISON: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


MAX_WEIGHT = 90  # what the parser of SQLite and the recursion of Python can surely take


class Stop(Exception):  # noqa: N818 - control flow inside the checker
    """A problem was recorded; there is no node."""


def check_text(
    text: str,
    *,
    schema: Schema,
    entity: str | None,
    expected: Type | None,
    parameters: Mapping[str, Type],
    allow_old: bool,
    functions: FunctionRegistry | None,
    mode: Mode,
    measures: Mapping[str, Type],
    visible: Callable[[str, str], bool] | None,
    outer: str | None = None,
) -> tuple[Expression | None, list[ExpressionProblem]]:
    """See `rules.expression.check`."""
    problems = scan(text)
    if problems:
        return None, problems
    source, problems = syntax(text)
    if source is None:
        return None, problems
    checker = Checker(
        text=text,
        schema=schema,
        entity=entity,
        parameters=parameters,
        allow_old=allow_old,
        functions=functions or registered(),
        measures=measures if mode == "measures" else None,
        visible=visible,
        outer=outer,
    )
    try:
        tree = checker.visit(source)
        if weight(tree) > MAX_WEIGHT:
            checker.fail(source, "too_complex")
        if expected is not None:
            checker.expect(tree, expected)
    except Stop:
        return None, checker.problems
    if any(p.severity == "error" for p in checker.problems):
        return None, checker.problems
    return _expression(checker, tree), checker.problems


def _expression(checker: Checker, tree: Node) -> Expression:
    nodes = list(tree.walk())
    fields = [n for n in nodes if isinstance(n, Field)]
    uses = {use for n in nodes if isinstance(n, Call) for use in checker.functions.get(n.function, n.overload).uses}
    changed = {(checker.entity or "", n.name) for n in nodes if isinstance(n, Changed)}
    live = False
    for node in fields:
        info = checker.schema.field_info(node.entity, node.name)
        live = live or (info is not None and info.live)
    return Expression(
        text=checker.text,
        tree=tree,
        type=tree.type,
        entity=checker.entity,
        reads=frozenset((n.entity, n.name) for n in fields) | changed,
        collections=frozenset((n.entity, n.name) for n in fields if n.type.kind == "collection"),
        parameters=frozenset(n.name for n in nodes if isinstance(n, Parameter)),
        uses_time="time" in uses,
        uses_user="user" in uses or any(isinstance(n, User) for n in nodes),
        uses_old=any(isinstance(n, (Old, Changed)) for n in nodes),
        reads_live=live,
    )


class Checker:
    """The state of checking one text. `rows` are the entities of the records at hand, the innermost first."""

    def __init__(
        self,
        *,
        text: str,
        schema: Schema,
        entity: str | None,
        parameters: Mapping[str, Type],
        allow_old: bool,
        functions: FunctionRegistry,
        measures: Mapping[str, Type] | None,
        visible: Callable[[str, str], bool] | None,
        outer: str | None = None,
    ) -> None:
        self.text = text
        self.schema = schema
        self.entity = entity
        self.parameters = parameters
        self.allow_old = allow_old
        self.functions = functions
        self.measures = measures  # None: not in a report's measures, or inside one of its aggregates
        self.visible = visible
        self.rows: list[str] = [name for name in (entity, outer) if name]
        self.problems: list[ExpressionProblem] = []
        self._offsets = Offsets(text)

    # what the parts of the checker share

    def span(self, source: ast.expr | ast.keyword) -> tuple[int, int]:
        return self._offsets.span(source)

    def fail(self, source: ast.expr | ast.keyword, code: str, hint: str | None = None, **params: str) -> NoReturn:
        start, end = self.span(source)
        self.problems.append(ExpressionProblem(code=code, start=start, end=end, params=params, hint=hint))
        raise Stop

    def warn(self, source: ast.expr, code: str, hint: str | None = None, **params: str) -> None:
        start, end = self.span(source)
        self.problems.append(
            ExpressionProblem(code=code, start=start, end=end, params=params, hint=hint, severity="warning")
        )

    def misfit(self, source: ast.expr, found: Mismatch) -> NoReturn:
        self.fail(source, found.code, found.hint, **found.params)

    def suggest(self, word: str, known: Sequence[str]) -> str | None:
        close = get_close_matches(word, known, n=1, cutoff=0.6)
        return close[0] if close else None

    def visit(self, source: ast.expr) -> Node:
        method = getattr(self, f"_{type(source).__name__}", None)
        if method is None:
            self.fail(source, "not_allowed", found=_spelled(source))
        node: Node = method(source)
        return node

    def many(self, sources: Sequence[ast.expr]) -> list[Node]:
        """The nodes of all; stops only after every one was looked at, so that all mistakes are reported."""
        nodes: list[Node] = []
        for source in sources:
            try:
                nodes.append(self.visit(source))
            except Stop:
                continue
        if len(nodes) < len(sources):
            raise Stop
        return nodes

    def boolean(self, source: ast.expr, node: Node) -> Node:
        if node.type.kind not in ("boolean", "nothing"):
            hint = "is not None" if node.type.kind != "collection" else ".any()"
            self.fail(source, "not_a_condition", hint, found=type_name(node.type))
        return node

    def booleans(self, sources: Sequence[ast.expr]) -> list[Node]:
        nodes = self.many(sources)
        return [self.boolean(source, node) for source, node in zip(sources, nodes)]

    def expect(self, tree: Node, expected: Type) -> None:
        whole = ast.Constant(value=None, lineno=1, col_offset=1, end_lineno=1, end_col_offset=len(self.text) + 1)
        whole.end_col_offset = 1 + len(self.text.encode("utf-8"))
        try:
            check_assignable(tree, expected)
        except Mismatch as found:
            self.misfit(whole, found)
        if expected.kind == "select" and expected.options:
            for leaf in results(tree):
                self.check_choice(whole, leaf, expected)

    def check_choice(self, source: ast.expr, node: Node, choice: Type) -> None:
        """Fails where a constant text is no choice of the option set."""
        if not isinstance(node, Constant) or not isinstance(node.value, str) or not choice.options:
            return
        known = self.schema.choices(choice.options)
        if node.value not in known and not self.schema.open_options(choice.options):
            self.fail(
                source,
                "unknown_choice",
                self.suggest(node.value, known),
                found=node.value,
                options=choice.options,
                known=", ".join(known),
            )

    # literals

    def _Constant(self, source: ast.Constant) -> Node:  # noqa: N802 - named after the syntax node
        start, end = self.span(source)
        value = source.value
        if value is None:
            return Constant(value=None, type=NOTHING, start=start, end=end)
        if isinstance(value, bool):
            return Constant(value=value, type=BOOLEAN, start=start, end=end)
        if isinstance(value, int):
            return Constant(value=value, type=number_type(value), start=start, end=end)
        if isinstance(value, float):  # its digits come from the text: no float is ever used
            exact = Decimal(self.text[start:end].replace("_", ""))
            return Constant(value=exact, type=number_type(exact), start=start, end=end)
        if isinstance(value, str):
            return Constant(value=value, type=TEXT, start=start, end=end)
        self.fail(source, "not_allowed", found=self.text[start:end])

    def _Name(self, source: ast.Name) -> Node:  # noqa: N802
        return names.name(self, source)

    def _Attribute(self, source: ast.Attribute) -> Node:  # noqa: N802
        return names.attribute(self, source)

    def _Call(self, source: ast.Call) -> Node:  # noqa: N802
        return calls.call(self, source)

    # logic

    def _BoolOp(self, source: ast.BoolOp) -> Node:  # noqa: N802
        operands = self.booleans(source.values)
        start, end = self.span(source)
        operator: Literal["and", "or"] = "and" if isinstance(source.op, ast.And) else "or"
        return Logic(operator=operator, operands=tuple(operands), type=BOOLEAN, start=start, end=end)

    def _IfExp(self, source: ast.IfExp) -> Node:  # noqa: N802
        test, then, otherwise = self.many([source.test, source.body, source.orelse])
        self.boolean(source.test, test)
        start, end = self.span(source)
        try:
            made = unite([then.type, otherwise.type])
        except Mismatch as found:
            self.misfit(source, found)
        return Conditional(test=test, then=then, otherwise=otherwise, type=made, start=start, end=end)

    def _UnaryOp(self, source: ast.UnaryOp) -> Node:  # noqa: N802
        operand = self.visit(source.operand)
        start, end = self.span(source)
        if isinstance(source.op, ast.Not):
            return Not(operand=self.boolean(source.operand, operand), type=BOOLEAN, start=start, end=end)
        if not operand.type.numeric:
            self.fail(source, "no_arithmetic_one", found=type_name(operand.type))
        if isinstance(source.op, ast.UAdd):
            return operand
        if isinstance(operand, Constant):
            return Constant(value=-operand.value, type=operand.type, start=start, end=end)
        return Negative(operand=operand, type=operand.type, start=start, end=end)

    # arithmetic

    def _BinOp(self, source: ast.BinOp) -> Node:  # noqa: N802
        operator = _ARITHMETIC.get(type(source.op))
        if operator is None:
            self.fail(source, "not_allowed", found=_spelled(source))
        left, right = self.many([source.left, source.right])
        special = calls.date_or_text(self, source, operator, left, right)
        if special is not None:
            return special
        for side, node in ((source.left, left), (source.right, right)):
            if node.type.kind == "nothing":
                self.fail(side, "nothing_in_arithmetic")
        try:
            made = arithmetic_type(operator, left.type, right.type)
        except Mismatch as found:
            self.misfit(source, found)
        start, end = self.span(source)
        return Arithmetic(operator=operator, left=left, right=right, type=made, start=start, end=end)  # type: ignore[arg-type]

    # comparison

    def _Compare(self, source: ast.Compare) -> Node:  # noqa: N802
        sources = [source.left, *source.comparators]
        made: list[Node | None] = []
        for place, part in enumerate(sources):
            after_in = place > 0 and isinstance(source.ops[place - 1], (ast.In, ast.NotIn))
            try:
                made.append(self._items(part) if after_in and isinstance(part, ast.Tuple) else self.visit(part))
            except Stop:
                made.append(None)
        nodes = [n for n in made if n is not None]
        if len(nodes) < len(sources):
            raise Stop
        pairs = [
            self._pair(source, operator, sources[i : i + 2], nodes[i], nodes[i + 1])
            for i, operator in enumerate(source.ops)
        ]
        if len(pairs) == 1:
            return pairs[0]
        start, end = self.span(source)
        return Logic(operator="and", operands=tuple(pairs), type=BOOLEAN, start=start, end=end)

    def _items(self, source: ast.Tuple) -> Node:
        start, end = self.span(source)
        if not source.elts:
            self.fail(source, "empty_list")
        return Items(items=tuple(self.many(source.elts)), type=Type(kind="list"), start=start, end=end)

    def _Tuple(self, source: ast.Tuple) -> Node:  # noqa: N802
        self.fail(source, "list_without_in")

    def _pair(
        self, whole: ast.Compare, operator: ast.cmpop, sources: Sequence[ast.expr], left: Node, right: Node
    ) -> Node:
        if isinstance(operator, (ast.Is, ast.IsNot)):
            return self._is(whole, operator, left, right)
        if isinstance(operator, (ast.In, ast.NotIn)):
            return calls.membership(self, sources, left, right, negated=isinstance(operator, ast.NotIn))
        spelled = _COMPARISON[type(operator)]
        if "nothing" in (left.type.kind, right.type.kind):
            hint = {"==": "is None", "!=": "is not None"}.get(spelled)
            self.fail(whole, "compared_with_nothing", hint, operator=spelled)
        try:
            (check_equality if spelled in ("==", "!=") else check_order)(left, right)
        except Mismatch as found:
            self.misfit(whole, found)
        self.check_constants(sources, left, right)
        left, right = self.in_base(left, right)
        start, end = left.start, right.end
        return Compare(operator=spelled, left=left, right=right, type=BOOLEAN, start=start, end=end)  # type: ignore[arg-type]

    def check_constants(self, sources: Sequence[ast.expr], left: Node, right: Node) -> None:
        """What a written value compared with a field says about its author: unknown choices, 0.2 for 20 %."""
        for source, constant, other in ((sources[0], left, right), (sources[-1], right, left)):
            if not isinstance(constant, Constant):
                continue
            if other.type.kind == "select":
                self.check_choice(source, constant, other.type)
            if other.type.kind == "percent" and isinstance(constant.value, Decimal) and 0 < constant.value < 1:
                self.warn(source, "percent_below_one", f"{(constant.value * 100).normalize():f}")
            if constant.value == "" and other.type.kind == "text":
                self.warn(source, "empty_text", "is None")

    def in_base(self, left: Node, right: Node) -> tuple[Node, Node]:
        """Money compared with a plain number counts in base currency."""
        if left.type.kind == "money" and right.type.numeric and right.type.kind != "money":
            return self.base(left), right
        if right.type.kind == "money" and left.type.numeric and left.type.kind != "money":
            return left, self.base(right)
        return left, right

    def base(self, node: Node) -> Node:
        """The node's money in base currency; itself where it is in it, or in a fixed one."""
        currency = node.type.currency
        if node.type.kind != "money" or currency is None or currency.isupper():
            return node
        record = next(f.base for f in node.walk() if isinstance(f, Field) and f.type.currency == currency)
        return Base(
            operand=node,
            record=record,
            type=replace(node.type, currency=None, scale=4, digits=28),
            start=node.start,
            end=node.end,
        )

    def _is(self, source: ast.Compare, operator: ast.cmpop, left: Node, right: Node) -> Node:
        if not (isinstance(right, Constant) and right.value is None):
            self.fail(source, "is_only_none", "==" if isinstance(operator, ast.Is) else "!=")
        if left.type.kind == "collection":
            self.fail(source, "collection_as_value", ".count() == 0", found=type_name(left.type))
        start, end = self.span(source)
        negated = isinstance(operator, ast.IsNot)
        return IsNothing(operand=left, negated=negated, type=BOOLEAN, start=start, end=end)


def number_type(value: int | Decimal) -> Type:
    """The exact type of a written number."""
    if isinstance(value, int):
        return Type(kind="integer", digits=max(1, len(str(abs(value)))))
    exponent = value.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    return decimal(scale, max(1, len(str(int(abs(value))))) + scale)


def _spelled(source: ast.expr) -> str:
    """The refused construct by its common name."""
    name = type(source).__name__
    return {
        "BinOp": type(getattr(source, "op", source)).__name__,
        "ListComp": "[… for …]",
        "GeneratorExp": "(… for …)",
        "Lambda": "lambda",
        "JoinedStr": "f'…'",
        "NamedExpr": ":=",
        "Starred": "*…",
        "Subscript": "[…]",
    }.get(name, name)
