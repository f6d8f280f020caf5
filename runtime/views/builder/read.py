"""An expression as a tree. What has no form in clicks stays as it is written: nothing is lost on the way."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from runtime.query.select import parse_where
from runtime.views.binder import Binder
from runtime.views.builder.fields import place_of
from runtime.views.builder.operators import matched
from runtime.views.builder.tree import COMPARED, MEASURES, OF_A_FIELD, Collection, Condition, Group, Node, Written


def tree_of(binder: Binder, entity: str, text: str) -> Group:
    """The tree of a condition a person wrote. Raises `BadQuery` with the place where it is none."""
    text = text.strip()
    if not text:
        return Group()
    parse_where(binder.session, entity, text)
    source = ast.parse(text, mode="eval").body
    found = _Reader(binder, text).node(entity, source)
    return found if isinstance(found, Group) else Group(items=(found,))


class _Reader:
    def __init__(self, binder: Binder, text: str) -> None:
        self.binder = binder
        self.text = text

    def node(self, entity: str, source: ast.expr) -> Node:
        leaf = self._condition(entity, source)
        if leaf is not None:
            return leaf
        if isinstance(source, ast.BoolOp):
            mode = "all" if isinstance(source.op, ast.And) else "any"
            return Group(mode=mode, items=tuple(self.node(entity, value) for value in source.values))  # type: ignore[arg-type]
        if isinstance(source, ast.UnaryOp) and isinstance(source.op, ast.Not):
            return self._negated(entity, source)
        return self._collection(entity, source) or Written(text=self._spelled(source))

    def _negated(self, entity: str, source: ast.UnaryOp) -> Node:
        inner = self.node(entity, source.operand)
        if isinstance(inner, Collection) and inner.measure == "any":
            return Collection(path=inner.path, measure="none", inner=inner.inner)
        if isinstance(inner, Group) and inner.mode in ("all", "any"):
            return Group(mode="not_all" if inner.mode == "all" else "none", items=inner.items)
        if isinstance(inner, Written):
            return Written(text=self._spelled(source))
        return Group(mode="none", items=(inner,))

    def _condition(self, entity: str, source: ast.expr) -> Condition | None:
        """A field, an operator and values, where the whole says just that."""
        text = self._spelled(source)
        for path in _paths(source):
            place = place_of(self.binder, entity, path)
            if place is None or place.members is not None:
                continue
            found = matched(place.kind, path, text)
            if found is not None:
                return Condition(path=path, operator=found[0], values=found[1])
        return None

    def _collection(self, entity: str, source: ast.expr) -> Collection | None:
        call, operator, values = source, "", ()  # type: ast.expr, str, tuple[str, ...]
        if isinstance(source, ast.Compare) and len(source.ops) == 1:
            call = source.left
            compared = matched("integer", "0", self._spelled(ast.Compare(_ZERO, source.ops, source.comparators)))
            if compared is None:
                return None
            operator, values = compared
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)) or call.keywords:
            return None
        path, measure = ast.unparse(call.func.value), call.func.attr
        place = place_of(self.binder, entity, path)
        if place is None or place.members is None or measure not in MEASURES or (measure in COMPARED) != bool(operator):
            return None
        return self._measured(place.members, path, measure, list(call.args), operator, values)

    def _measured(
        self, members: str, path: str, measure: str, arguments: list[ast.expr], operator: str, values: tuple[str, ...]
    ) -> Collection | None:
        of = ""
        if measure in OF_A_FIELD:
            of = ast.unparse(arguments.pop(0)) if arguments else ""
        if len(arguments) > 1 or (measure in OF_A_FIELD and place_of(self.binder, members, of) is None):
            return None
        inner = self.node(members, arguments[0]) if arguments else Group()
        group = inner if isinstance(inner, Group) else Group(items=(inner,))
        return Collection(path=path, measure=measure, of=of, operator=operator or "ge", values=values, inner=group)

    def _spelled(self, source: ast.expr) -> str:
        """As `ast.unparse` has it, but with the numbers as they were written: no digit is lost to a float."""
        return ast.unparse(_Numbers(self.text).visit(source))


_ZERO = ast.Name(id="0", ctx=ast.Load())


class _Numbers(ast.NodeTransformer):
    def __init__(self, text: str) -> None:
        self.text = text

    def visit(self, node: ast.AST) -> ast.AST:
        """A copy of the node, numbers replaced by what stands in the text."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            spelled = ast.get_source_segment(self.text, node) or repr(node.value)
            return ast.Name(id=spelled.replace("_", ""), ctx=ast.Load())
        copied = type(node)(**{name: self._copied(getattr(node, name, None)) for name in node._fields})
        return ast.copy_location(copied, node) if hasattr(node, "lineno") else copied

    def _copied(self, value: object) -> object:
        if isinstance(value, list):
            return [self._copied(v) for v in value]
        return self.visit(value) if isinstance(value, ast.AST) else value


def _paths(source: ast.expr) -> Iterator[str]:
    """The dotted paths in an expression, each with its beginnings: the shortest first."""
    for node in ast.walk(source):
        names: list[str] = []
        here: ast.AST = node
        while isinstance(here, ast.Attribute):
            names.append(here.attr)
            here = here.value
        if not isinstance(here, ast.Name) or here.id in ("user", "params", "old"):
            continue
        whole = [here.id, *reversed(names)]
        whole = whole[next((i for i, n in enumerate(whole) if n != "this"), 0) :]
        yield from (".".join(whole[:count]) for count in range(1, len(whole) + 1))
