"""The typed tree as a program for the interpreter: calls of known functions, conditionals, names read on demand."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rules.members import aggregate
from rules.numbers import fit
from rules.operations import ARITHMETIC, COMPARISON, OPERATIONS, SCALED, total
from rules.registry import FunctionRegistry
from rules.tree import (
    Aggregate,
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
    Measure,
    Membership,
    Negative,
    Node,
    Not,
    Old,
    Parameter,
    Property,
    Row,
    User,
    summands,
)
from rules.typing import Type

if TYPE_CHECKING:
    from rules.evaluate import Environment, Values

Reader = Callable[["Frame"], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The records at hand, the innermost first, and the environment, while a program runs."""

    rows: tuple[Values | None, ...]
    environment: Environment
    run: Callable[[Program, Frame], Any]
    notes: Callable[[int, int, int, Any], None] | None = None

    def inside(self, member: Values) -> Frame:
        return Frame(rows=(member, *self.rows), environment=self.environment, run=self.run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`code` holds names of `readers` and calls of `functions`, nothing else that could do anything."""

    code: ast.expr
    readers: Mapping[str, Reader]
    functions: Mapping[str, Callable[..., Any]]


def lower(tree: Node, registry: FunctionRegistry, *, traced: bool = False) -> Program:
    lowering = _Lowering(registry, traced)
    code = lowering.node(tree)
    return Program(code=code, readers=lowering.readers, functions=lowering.functions)


_STRICT = (Compare, Membership, IsNothing, Logic, Not, Changed)  # never nothing


class _Lowering:
    def __init__(self, registry: FunctionRegistry, traced: bool) -> None:
        self.registry = registry
        self.traced = traced
        self.depth = 0
        self.readers: dict[str, Reader] = {}
        self.functions: dict[str, Callable[..., Any]] = {}

    def node(self, node: Node) -> ast.expr:
        self.depth += 1
        code: ast.expr = getattr(self, f"_{type(node).__name__}")(node)
        self.depth -= 1
        if self.traced and not isinstance(node, (Constant, Items)):
            return self._noted(node, code)
        return code

    def _noted(self, node: Node, code: ast.expr) -> ast.expr:
        place, depth = (node.start, node.end), self.depth

        def note(frame_note: Callable[..., None], value: Any) -> Any:
            frame_note(*place, depth, value)
            return value

        name = f"note_{len(self.functions)}"
        self.functions[name] = note
        return _call(name, self._reader(lambda frame: frame.notes or _ignore), code)

    def _reader(self, reader: Reader) -> ast.expr:
        name = f"v{len(self.readers)}"
        self.readers[name] = reader
        return ast.Name(id=name, ctx=ast.Load())

    def _operation(self, name: str, *arguments: ast.expr) -> ast.expr:
        self.functions[name] = OPERATIONS[name]
        return _call(name, *arguments)

    def _branch(self, node: Node, type_: Type) -> ast.expr:
        """One of several values that make a value of `type_`: a whole number among decimals is a decimal."""
        code = self.node(node)
        if type_.numeric and type_.kind != "integer" and node.type.kind == "integer":
            return self._operation("exact", code)
        return code

    def _truth(self, node: Node) -> ast.expr:
        code = self.node(node)
        return code if isinstance(node, _STRICT) else self._operation("truth", code)

    # one method for each kind of node

    def _Constant(self, node: Constant) -> ast.expr:  # noqa: N802 - named after the node
        return ast.Constant(value=node.value)

    def _Row(self, node: Row) -> ast.expr:  # noqa: N802
        return self._identity(node)

    _User = _Old = _Row

    def _identity(self, node: Node) -> ast.expr:
        record = self.record(node)
        return self._reader(lambda frame: identity(record(frame)))

    def _Field(self, node: Field) -> ast.expr:  # noqa: N802
        if node.type.kind == "record":
            return self._identity(node)
        record, name, type_ = self.record(node.base), node.name, node.type
        if type_.kind == "collection":
            return self._reader(lambda frame: tuple(identity(m) for m in members(record(frame), name)))

        def read(frame: Frame) -> Any:
            found = record(frame)
            value = None if found is None else found.get(name)
            if isinstance(value, (Decimal, int)) and type_.numeric:
                return fit(value, type_)
            return value

        return self._reader(read)

    def _Parameter(self, node: Parameter) -> ast.expr:  # noqa: N802
        name, type_ = node.name, node.type

        def read(frame: Frame) -> Any:
            value = frame.environment.parameters.get(name)
            if type_.kind == "record":
                return identity(value)
            return fit(value, type_) if value is not None and type_.numeric else value

        return self._reader(read)

    def _Measure(self, node: Measure) -> ast.expr:  # noqa: N802
        name = node.name
        return self._reader(lambda frame: _get(frame.rows[0], name) if frame.rows else None)

    def _Changed(self, node: Changed) -> ast.expr:  # noqa: N802
        name = node.name
        return self._reader(lambda frame: name in frame.environment.changed)

    def _Property(self, node: Property) -> ast.expr:  # noqa: N802
        values = {c: fit(v, node.type) if node.type.numeric else v for c, v in node.values}
        name = f"property_{len(self.functions)}"
        self.functions[name] = values.get
        return _call(name, self.node(node.operand))

    def _Negative(self, node: Negative) -> ast.expr:  # noqa: N802
        return self._operation("negative", self.node(node.operand))

    def _Arithmetic(self, node: Arithmetic) -> ast.expr:  # noqa: N802
        if node.operator in ("+", "-"):
            terms = summands(node)
            signs = "".join("+" if sign > 0 else "-" for sign, _ in terms)
            return self._operation("total_of", ast.Constant(value=signs), *(self.node(n) for _, n in terms))
        arguments = [self.node(node.left), self.node(node.right)]
        if node.operator in SCALED:
            arguments.append(ast.Constant(value=node.type.scale))
        return self._operation(ARITHMETIC[node.operator], *arguments)

    def _Compare(self, node: Compare) -> ast.expr:  # noqa: N802
        return self._operation(COMPARISON[node.operator], self.node(node.left), self.node(node.right))

    def _Membership(self, node: Membership) -> ast.expr:  # noqa: N802
        item = self.node(node.item)
        if isinstance(node.container, Items):
            parts = [self.node(i) for i in node.container.items]
            return self._operation("not_among" if node.negated else "among", item, *parts)
        container = self.node(node.container)
        if node.container.type.kind == "date_range":
            return self._operation("outside" if node.negated else "within", item, container)
        return self._operation("not_held" if node.negated else "held", item, container)

    def _IsNothing(self, node: IsNothing) -> ast.expr:  # noqa: N802
        return self._operation("is_something" if node.negated else "is_nothing", self.node(node.operand))

    def _Logic(self, node: Logic) -> ast.expr:  # noqa: N802
        operator: ast.boolop = ast.And() if node.operator == "and" else ast.Or()
        return ast.BoolOp(op=operator, values=[self._truth(o) for o in node.operands])

    def _Not(self, node: Not) -> ast.expr:  # noqa: N802
        return ast.UnaryOp(op=ast.Not(), operand=self._truth(node.operand))

    def _Conditional(self, node: Conditional) -> ast.expr:  # noqa: N802
        return ast.IfExp(
            test=self._truth(node.test),
            body=self._branch(node.then, node.type),
            orelse=self._branch(node.otherwise, node.type),
        )

    def _Call(self, node: Call) -> ast.expr:  # noqa: N802
        function = self.registry.get(node.function, node.overload)
        name = f"{node.function}_{node.overload}"
        self.functions[name] = total(function)
        mixed = function.arguments and function.arguments[0].repeat
        arguments = [self._branch(a, node.type) if mixed else self.node(a) for a in node.arguments]
        if function.environment:
            arguments.insert(0, self._reader(lambda frame: frame.environment))
        return _call(name, *arguments)

    def _Base(self, node: Base) -> ast.expr:  # noqa: N802
        record, operand = self.record(node.record), node.operand
        if isinstance(operand, Field) and operand.base == node.record:
            name = f"{operand.name}__base"
            return self._reader(lambda frame: _get(record(frame), name))
        rate = self._reader(lambda frame: _get(record(frame), "exchange_rate__"))
        return self._operation("base_amount", self.node(operand), rate)

    def _Aggregate(self, node: Aggregate) -> ast.expr:  # noqa: N802
        if node.type.kind == "record":
            return self._identity(node)
        return self._reader(aggregate(node, self._collection(node), self._sub))

    # records

    def _sub(self, node: Node | None) -> Program | None:
        return None if node is None else lower(node, self.registry)

    def _collection(self, node: Aggregate) -> Reader:
        if not isinstance(node.collection, Field):
            return lambda _frame: ()  # over a group of a report: that is SQL's affair
        record, name = self.record(node.collection.base), node.collection.name
        return lambda frame: members(record(frame), name)

    def record(self, node: Node) -> Reader:
        """What reads the record (Values or None) that a node of a record type stands for."""
        match node:
            case Row():
                level = node.level
                return lambda frame: frame.rows[level] if level < len(frame.rows) else None
            case User():
                return lambda frame: frame.environment.user
            case Old():
                return lambda frame: frame.environment.old
            case Field():
                base, name = self.record(node.base), node.name
                return lambda frame: _get(base(frame), name)
            case Parameter():
                name = node.name
                return lambda frame: frame.environment.parameters.get(name)
            case Conditional():
                return self._either(node)
            case Call():
                choices = [self.record(a) for a in node.arguments]
                return lambda frame: next((r for c in choices if (r := c(frame)) is not None), None)
            case Aggregate():
                value = self.record(node.value) if node.value is not None else None
                return aggregate(node, self._collection(node), self._sub, record=value)
        return lambda _frame: None

    def _either(self, node: Conditional) -> Reader:
        test = lower(Not(operand=node.test, type=node.test.type), self.registry)
        then, otherwise = self.record(node.then), self.record(node.otherwise)
        return lambda frame: otherwise(frame) if frame.run(test, frame) else then(frame)


def identity(record: Any) -> Any:
    """The id of a record; an id given as such stays."""
    return record if record is None or isinstance(record, int) else record.get("id")


def members(record: Any, name: str) -> Any:
    return () if record is None or isinstance(record, int) else record.members(name)


def _get(record: Any, name: str) -> Any:
    return None if record is None or isinstance(record, int) else record.get(name)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(arguments), keywords=[])


def _ignore(*_: Any) -> None:
    """Where notes are taken for nobody."""
