"""What is called: functions, aggregates of collections, `changed`; and operators that stand for functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rules.names import field
from rules.numbers import average_type, total_type
from rules.operators import Mismatch, check_equality, mismatch, type_name, unite
from rules.registry import Argument, Date, Function
from rules.tree import (
    Aggregate,
    Call,
    Changed,
    Constant,
    Field,
    Items,
    Membership,
    Negative,
    Node,
    Row,
)
from rules.typing import BOOLEAN, INTEGER, Type, record

if TYPE_CHECKING:
    from rules.checker import Checker

AGGREGATES = ("count", "sum", "min", "max", "avg", "any", "all", "first", "last")
_FREE = ("count", "sum", "min", "max", "avg", "any", "all")
_COUNTING = ("count", "any", "all")
_ORDERED = frozenset({"integer", "decimal", "money", "percent", "text", "date", "datetime", "time", "duration"})
MAX_COLLECTION_DEPTH = 2


def call(checker: Checker, source: ast.Call) -> Node:
    function = source.func
    if isinstance(function, ast.Attribute):
        return _method(checker, source, function)
    if not isinstance(function, ast.Name):
        checker.fail(source, "not_allowed", found="(…)(…)")
    if function.id == "changed":
        return _changed(checker, source)
    if checker.measures is not None and function.id in _FREE and _is_free(function.id, source):
        return _aggregate(checker, source, function.id, None)
    return _function(checker, source, function)


def _is_free(name: str, source: ast.Call) -> bool:
    """In measures `min(a)` aggregates, `min(a, b)` compares."""
    return name not in ("min", "max") or len(source.args) == 1


def _changed(checker: Checker, source: ast.Call) -> Node:
    if not checker.allow_old or not checker.rows:
        checker.fail(source, "no_old")
    given = source.args[0].value if len(source.args) == 1 and isinstance(source.args[0], ast.Constant) else None
    if not isinstance(given, str) or source.keywords:
        checker.fail(source, "changed_needs_name", "changed('…')")
    row = Row(level=len(checker.rows) - 1, type=record(checker.rows[-1]))
    field(checker, source.args[0], row, given)
    start, end = checker.span(source)
    return Changed(name=given, type=BOOLEAN, start=start, end=end)


# functions


def _function(checker: Checker, source: ast.Call, function: ast.Name) -> Node:
    overloads = checker.functions.overloads(function.id)
    if not overloads:
        known = [*checker.functions.names(), "changed"]
        hint = checker.suggest(function.id, known)
        if function.id in AGGREGATES:
            hint = f"….{function.id}(…)"
        checker.fail(function, "unknown_function", hint, found=function.id)
    if source.keywords:
        checker.fail(source.keywords[0], "no_named_arguments", found=source.keywords[0].arg or "**")
    arguments = checker.many(source.args)
    fitting = [f for f in overloads if f.least <= len(arguments) and (f.most is None or len(arguments) <= f.most)]
    if not fitting:
        checker.fail(source, "argument_count", found=str(len(arguments)), name=function.id, wanted=_wanted(overloads))
    refusals: list[tuple[ast.expr, str, str | None, dict[str, str]]] = []
    for candidate in fitting:
        refusal = _refusal(checker, candidate, source.args, arguments)
        if refusal is None:
            return make_call(checker, source, candidate, overloads.index(candidate), arguments)
        refusals.append(refusal)
    place, code, hint, params = refusals[0]
    if len(refusals) > 1:
        code, params = "argument_type", params | {"wanted": _accepted(fitting, source.args.index(place))}
    checker.fail(place, code, hint, **(params | {"name": function.id}))


def _wanted(overloads: Sequence[Function]) -> str:
    counts = sorted({str(f.least) if f.most == f.least else f"{f.least}–{f.most or '…'}" for f in overloads})
    return " / ".join(counts)


def _accepted(candidates: Sequence[Function], position: int) -> str:
    return ", ".join(sorted({kind for f in candidates for kind in f.argument(position).kinds}))


def _refusal(
    checker: Checker, function: Function, sources: Sequence[ast.expr], arguments: Sequence[Node]
) -> tuple[ast.expr, str, str | None, dict[str, str]] | None:
    """Why the signature does not take the arguments: place, code, hint, parameters. None where it does."""
    for place, (source, node) in enumerate(zip(sources, arguments)):
        wanted = function.argument(place)
        if wanted.constant and not isinstance(node, Constant):
            return source, "argument_constant", None, {}
        if wanted.kinds and "*same*" not in wanted.kinds and node.type.kind not in wanted.kinds:
            params = {"found": type_name(node.type), "wanted": ", ".join(sorted(wanted.kinds))}
            return source, "argument_type", _argument_hint(wanted, node), params
        if wanted.entity and node.type.entity != wanted.entity:
            return source, "argument_type", None, {"found": type_name(node.type), "wanted": f"record {wanted.entity}"}
        if wanted.among and isinstance(node, Constant) and node.value not in wanted.among:
            hint = checker.suggest(str(node.value), wanted.among)
            return source, "argument_value", hint, {"found": str(node.value), "wanted": ", ".join(wanted.among)}
        if function.name == "round" and place == 1 and isinstance(node, Constant) and not 0 <= node.value <= 10:
            return source, "argument_value", None, {"found": str(node.value), "wanted": "0–10"}
    return None


def _argument_hint(wanted: Argument, node: Node) -> str | None:
    if "text" in wanted.kinds and (node.type.numeric or node.type.kind in ("date", "datetime")):
        return "text(…)"
    if node.type.kind == "text" and "integer" in wanted.kinds:
        return "number(…)"
    return ".id" if node.type.kind == "record" else None


def make_call(checker: Checker, source: ast.expr, function: Function, overload: int, arguments: Sequence[Node]) -> Node:
    """The call, its arguments brought to what the signature takes."""
    start, end = checker.span(source)
    ready = [_ready(checker, function.argument(i), node) for i, node in enumerate(arguments)]
    if function.name == "convert":
        ready[0] = checker.base(ready[0])
    try:
        if len(ready) > 1 and function.argument(0).repeat:
            made = unite([a.type for a in ready])
        else:
            made = function.returns if isinstance(function.returns, Type) else function.returns(ready)
    except Mismatch as found:
        checker.misfit(source, found)
    if function.name == "concat":
        made = function.returns if isinstance(function.returns, Type) else made
    return Call(function=function.name, overload=overload, arguments=tuple(ready), type=made, start=start, end=end)


def _ready(checker: Checker, wanted: Argument, node: Node) -> Node:
    """A datetime given where a date is due becomes its business date."""
    if wanted.kinds == Date.kinds and node.type.kind == "datetime":
        return named_call(checker, "date", [node])
    return node


def named_call(checker: Checker, name: str, arguments: Sequence[Node]) -> Node:
    """A call of a core function whose signature surely fits one of its overloads."""
    for overload, function in enumerate(checker.functions.overloads(name)):
        if len(arguments) == len(function.arguments) and all(
            node.type.kind in function.argument(i).kinds for i, node in enumerate(arguments)
        ):
            made = function.returns if isinstance(function.returns, Type) else function.returns(arguments)
            return Call(
                function=name,
                overload=overload,
                arguments=tuple(arguments),
                type=made,
                start=arguments[0].start,
                end=arguments[-1].end,
            )
    raise LookupError(name)


def date_or_text(checker: Checker, source: ast.BinOp, operator: str, left: Node, right: Node) -> Node | None:
    """`+` and `-` of texts, dates and spans; None where the operation is one of numbers (or of nothing known)."""
    kinds = (left.type.kind, right.type.kind)
    if operator == "+" and set(kinds) <= {"text", "select"}:
        return _at(checker, source, Call(function="concat", overload=0, arguments=(left, right), type=_TEXT))
    if operator == "+" and kinds[0] in ("days", "months"):
        left, right, kinds = right, left, (kinds[1], kinds[0])
    if operator in ("+", "-") and kinds in _SPANS:
        span = right if operator == "+" else Negative(operand=right, type=right.type)
        return _at(checker, source, named_call(checker, _SPANS[kinds], [left, span]))
    if operator == "-" and kinds == ("date", "date"):
        return _at(checker, source, named_call(checker, "days_between", [right, left]))
    return None


_TEXT = Type(kind="text")
_SPANS = {("date", "days"): "add_days", ("datetime", "days"): "add_days", ("date", "months"): "add_months"}


def _at(checker: Checker, source: ast.expr, node: Node) -> Node:
    start, end = checker.span(source)
    return replace(node, start=start, end=end)


# membership


def membership(checker: Checker, sources: Sequence[ast.expr], item: Node, container: Node, *, negated: bool) -> Node:
    """`item in container`."""
    whole = sources[0]
    kind = container.type.kind
    try:
        if isinstance(container, Items):
            for part, element in zip(getattr(sources[1], "elts", []), container.items):
                _element(checker, part, item, element, sources[0])
        elif kind == "multi_select":
            check_equality(item, _stand_in(Type(kind="select", options=container.type.options)))
            if item.type.kind == "text":
                checker.check_choice(whole, item, container.type)
        elif kind == "collection":
            check_equality(item, _stand_in(record(container.type.entity or "")))
        elif kind == "list" and container.type.item is not None:
            check_equality(item, _stand_in(container.type.item))
        elif kind == "date_range":
            item = _day(checker, whole, item)
        elif kind == "text":
            checker.fail(sources[1], "text_in_text", "contains(…, …)")
        else:
            checker.fail(sources[1], "not_a_container", found=type_name(container.type))
    except Mismatch as found:
        checker.misfit(whole, found)
    return Membership(
        item=item, container=container, negated=negated, type=BOOLEAN, start=item.start, end=container.end
    )


def _element(checker: Checker, source: ast.expr, item: Node, element: Node, whole: ast.expr) -> None:
    if element.type.kind == "nothing":
        checker.fail(source, "nothing_in_list", "is None")
    if item.type.kind == "nothing":
        checker.fail(whole, "compared_with_nothing", "is None", operator="in")
    check_equality(item, element)
    checker.check_constants([source, source], item, element)


def _stand_in(type_: Type) -> Node:
    return Row(type=type_)


def _day(checker: Checker, source: ast.expr, item: Node) -> Node:
    if item.type.kind == "datetime":
        return named_call(checker, "date", [item])
    if item.type.kind != "date":
        raise mismatch("types_differ", item.type, Type(kind="date"))
    return item


# aggregates


def _method(checker: Checker, source: ast.Call, function: ast.Attribute) -> Node:
    if function.attr.startswith("_"):
        checker.fail(function, "private_name", found=function.attr)
    if checker.measures is not None:
        checker.fail(function, "field_outside_aggregate", found=ast.unparse(function.value)[:40])
    base = checker.visit(function.value)
    if base.type.kind != "collection":
        hint = f"{function.attr}(…)" if checker.functions.overloads(function.attr) else None
        checker.fail(function, "no_methods", hint, found=function.attr, type=type_name(base.type))
    if function.attr not in AGGREGATES:
        checker.fail(function, "unknown_aggregate", checker.suggest(function.attr, AGGREGATES), found=function.attr)
    if not isinstance(base, Field):
        checker.fail(function.value, "no_methods", found=function.attr, type=type_name(base.type))
    return _aggregate(checker, source, function.attr, base)


def _aggregate(checker: Checker, source: ast.Call, name: str, collection: Field | None) -> Node:
    value_source, where_source, by_source = _aggregate_arguments(checker, source, name)
    measures, rows = checker.measures, checker.rows
    if collection is not None:
        if len(rows) > MAX_COLLECTION_DEPTH:
            checker.fail(source, "collections_too_deep", limit=str(MAX_COLLECTION_DEPTH))
        checker.rows = [collection.type.entity or "", *rows]
    checker.measures = None
    try:
        wanted = [s for s in (value_source, where_source, by_source) if s is not None]
        made = dict(zip(map(id, wanted), checker.many(wanted)))
        value = made.get(id(value_source)) if value_source is not None else None
        where = made.get(id(where_source)) if where_source is not None else None
        by = made.get(id(by_source)) if by_source is not None else None
        if where is not None and where_source is not None:
            checker.boolean(where_source, where)
        if by is not None and by_source is not None and by.type.kind not in _ORDERED:
            checker.fail(by_source, "no_order", left=type_name(by.type), right=type_name(by.type))
        if value is None and name in ("first", "last"):
            value = Row(level=0, type=record(checker.rows[0]))
        if by is None and name in ("first", "last") and checker.schema.field_info(checker.rows[0], "position"):
            by = field(checker, source, Row(level=0, type=record(checker.rows[0])), "position")
        if value is not None:
            value = checker.base(value)
        type_ = _aggregate_type(checker, source, name, value)
    finally:
        checker.measures, checker.rows = measures, rows
    start, end = checker.span(source)
    return Aggregate(
        function=name,  # type: ignore[arg-type]
        collection=collection,
        value=value,
        where=where,
        by=by,
        type=type_,
        start=start,
        end=end,
    )


def _aggregate_arguments(
    checker: Checker, source: ast.Call, name: str
) -> tuple[ast.expr | None, ast.expr | None, ast.expr | None]:
    """The sources of value, where and by."""
    named: dict[str, ast.expr] = {}
    for keyword in source.keywords:
        allowed = ("where", "by") if name in ("first", "last") else ("where",)
        if keyword.arg is None or keyword.arg not in allowed or keyword.arg in named:
            checker.fail(keyword, "no_named_arguments", found=keyword.arg or "**")
        named[keyword.arg] = keyword.value
    starred = next((a for a in source.args if isinstance(a, ast.Starred)), None)
    if starred is not None:
        checker.fail(starred, "not_allowed", found="*…")
    places = ["where"] if name in _COUNTING else ["value", "where"]
    least = 0 if name in ("count", "any", "first", "last") else 1
    if len(source.args) > len(places) or len(source.args) + ("where" in named and name == "all") < least:
        wanted = str(least) if least == len(places) else f"{least}–{len(places)}"
        checker.fail(source, "argument_count", found=str(len(source.args)), name=name, wanted=wanted)
    for place, argument in zip(places, source.args):
        if place in named:
            checker.fail(argument, "no_named_arguments", found=place)
        named[place] = argument
    return named.get("value"), named.get("where"), named.get("by")


def _aggregate_type(checker: Checker, source: ast.Call, name: str, value: Node | None) -> Type:
    if name == "count":
        return INTEGER
    if name in ("any", "all"):
        return BOOLEAN
    assert value is not None  # _aggregate_arguments saw to it
    type_ = value.type
    if name in ("sum", "avg"):
        if not type_.numeric and type_.kind != "duration":
            checker.fail(source.args[0], "not_a_number", found=type_name(type_), name=name)
        if type_.kind == "duration":
            return type_
        return total_type(type_) if name == "sum" else average_type(type_)
    if name in ("min", "max") and type_.kind not in _ORDERED:
        checker.fail(source.args[0], "no_order", left=type_name(type_), right=type_name(type_))
    if type_.kind in ("collection", "multi_select", "list", "nothing", "json", "days", "months", "date_range"):
        checker.fail(source, "not_a_value", found=type_name(type_))
    return type_
