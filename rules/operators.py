"""Which types fit together: comparison, arithmetic, branches of a conditional, assignment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date as _date

from rules.numbers import (
    bounded,
    common_type,
    modulo_type,
    product_type,
    quotient_type,
    sum_type,
    whole_digits,
)
from rules.tree import Call, Conditional, Constant, Node
from rules.typing import INTEGER, TEXT, Type

ORDERED = frozenset({"integer", "decimal", "money", "percent", "text", "date", "datetime", "time", "duration"})
COMPARABLE = ORDERED | {"boolean", "select", "record"}
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch(Exception):  # noqa: N818 - a finding, turned into a problem by the checker
    """Why types do not fit. `code` is a problem code; the place is the caller's affair."""

    code: str
    hint: str | None = None
    params: dict[str, str] = field(default_factory=dict)


def type_name(type_: Type) -> str:
    """The type for a message: `select customer_kind`, `record region`, `integer`."""
    detail = type_.entity or type_.options
    return f"{type_.kind} {detail}" if detail else type_.kind


def mismatch(code: str, left: Type, right: Type, hint: str | None = None) -> Mismatch:
    return Mismatch(code=code, hint=hint, params={"left": type_name(left), "right": type_name(right)})


def check_equality(left: Node, right: Node) -> None:
    """Raises where `left == right` makes no sense."""
    a, b = left.type, right.type
    if a.numeric and b.numeric:
        check_currency(a, b)
        return
    kinds = {a.kind, b.kind}
    if kinds <= {"text", "select"}:
        if a.kind == b.kind == "select" and a.options != b.options:
            raise mismatch("other_options", a, b)
        return
    if kinds == {"date", "datetime"}:
        raise mismatch("date_and_datetime", a, b, "date(…)")
    if kinds in ({"date", "text"}, {"datetime", "text"}):
        raise mismatch("types_differ", a, b, _date_hint(left) or _date_hint(right))
    if kinds == {"record", "integer"}:
        raise mismatch("types_differ", a, b, ".id")
    if a.kind != b.kind or a.kind not in COMPARABLE:
        raise mismatch("types_differ" if a.kind != b.kind else "not_comparable", a, b, _collection_hint(a))
    if a.kind == "record" and (a.entity != b.entity or a.entity is None):
        raise mismatch("other_entity", a, b)


def check_order(left: Node, right: Node) -> None:
    """Raises where `left < right` makes no sense."""
    for side, other in ((left.type, right.type), (right.type, left.type)):
        if side.kind == "select":
            raise mismatch("select_has_no_order", side, other, ".order")
    check_equality(left, right)
    if left.type.kind not in ORDERED:
        raise mismatch("no_order", left.type, right.type)


def check_currency(left: Type, right: Type) -> None:
    """Raises where money in different currencies meets. Money and plain numbers meet in base currency."""
    if left.kind == right.kind == "money" and left.currency != right.currency:
        raise mismatch("currencies_differ", left, right, "convert(…, 'CNY')")


def arithmetic_type(operator: str, left: Type, right: Type) -> Type:
    """The type of a numeric operation. Raises where it makes no sense."""
    if not (left.numeric and right.numeric):
        raise mismatch("no_arithmetic", left, right, _arithmetic_hint(operator, left, right))
    if operator != "*":
        check_currency(left, right)
    elif left.kind == right.kind == "money":
        raise mismatch("money_times_money", left, right)
    if operator in ("+", "-"):
        return sum_type(left, right)
    if operator == "*":
        return product_type(left, right)
    if operator == "/":
        return quotient_type(left, right)
    if operator == "//":
        return bounded(INTEGER, whole_digits(left) + right.scale)
    return modulo_type(left, right)


def _arithmetic_hint(operator: str, left: Type, right: Type) -> str | None:
    kinds = {left.kind, right.kind}
    if operator == "+" and "text" in kinds and kinds & {"integer", "decimal", "money", "percent", "date"}:
        return "text(…)"
    if "date" in kinds and "integer" in kinds:
        return "days(…)"
    if kinds == {"datetime"} and operator == "-":
        return "days_between(…, …)"
    if "datetime" in kinds and "months" in kinds:
        return "date(…) + months(…)"
    if kinds == {"date", "datetime"}:
        return "date(…)"
    return None


def unite(types: Sequence[Type]) -> Type:
    """The type of a value that may be any of these. Raises where there is none."""
    known = [t for t in types if t.kind != "nothing"]
    if not known:
        return Type(kind="nothing")
    if all(t.numeric for t in known):
        for other in known[1:]:
            check_currency(known[0], other)
        return common_type(known)
    first = known[0]
    if all(t.kind in ("text", "select") for t in known):
        return first if all(t == first for t in known) else TEXT
    for other in known[1:]:
        if other.kind != first.kind or (other.entity, other.options) != (first.entity, first.options):
            raise mismatch("branches_differ", first, other)
    return first


def check_assignable(node: Node, expected: Type) -> None:
    """Raises where a value of the node cannot be had for `expected`."""
    given = node.type
    fits = (
        given.kind in ("nothing", expected.kind)
        or (given.numeric and expected.numeric)
        or (expected.kind == "text" and given.kind == "select")
        or (expected.kind == "select" and given.kind == "text")
    )
    if given.kind == "duration" and expected.kind == "integer":
        fits = True
    if given.kind == expected.kind == "record":
        fits = given.entity == expected.entity or expected.entity is None
    if given.kind == expected.kind == "select":
        fits = given.options == expected.options
    if not fits:
        raise mismatch("wrong_result", given, expected)


def results(node: Node) -> list[Node]:
    """The nodes whose values may be the node's value, seen through conditionals and coalesce."""
    if isinstance(node, Conditional):
        return results(node.then) + results(node.otherwise)
    if isinstance(node, Call) and node.function == "coalesce":
        return [r for a in node.arguments for r in results(a)]
    return [node]


def retyped(node: Node, type_: Type) -> Node:
    return replace(node, type=type_)


def _date_hint(node: Node) -> str | None:
    found = _ISO_DATE.match(node.value) if isinstance(node, Constant) and isinstance(node.value, str) else None
    if not found:
        return None
    try:
        day = _date(*map(int, found.groups()))
    except ValueError:
        return None
    return f"date({day.year}, {day.month}, {day.day})"


def _collection_hint(type_: Type) -> str | None:
    return ".count()" if type_.kind == "collection" else None
