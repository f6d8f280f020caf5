"""Names in an expression: fields, links and what they lead to, `this`, `user`, `old`, `params`, earlier measures."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from rules.operators import type_name
from rules.tree import Field, Measure, Node, Old, Parameter, Property, Row, User
from rules.typing import INTEGER, Type, record

if TYPE_CHECKING:
    from rules.checker import Checker

RESERVED = ("user", "this", "old", "params")


def name(checker: Checker, source: ast.Name) -> Node:
    start, end = checker.span(source)
    word = source.id
    if word == "user":
        return User(type=record("user"), start=start, end=end)
    if word == "this":
        return _this(checker, source, 1 if len(checker.rows) > 1 else 0)
    if word == "old":
        _need_old(checker, source)
        return Old(type=record(checker.rows[-1]), start=start, end=end)
    if word == "params":
        checker.fail(source, "params_alone", "params.…")
    if checker.measures is not None:
        return _measure(checker, source)
    if not checker.rows:
        _unknown(checker, source, word, [])
    row = Row(level=0, type=record(checker.rows[0]), start=start, end=start)
    return field(checker, source, row, word)


def attribute(checker: Checker, source: ast.Attribute) -> Node:
    word = source.attr
    if word.startswith("_"):
        checker.fail(source, "private_name", found=word)
    if isinstance(source.value, ast.Name) and source.value.id == "params":
        return _parameter(checker, source)
    base = checker.visit(source.value)
    if isinstance(base, Row) and word == "this":
        return _this(checker, source, base.level + 1)
    if base.type.kind == "select":
        return _property(checker, source, base)
    if base.type.kind == "collection":
        checker.fail(source, "collection_needs_function", ".count()", found=word, collection=_path(base))
    if base.type.kind != "record" or base.type.entity is None:
        checker.fail(source, "no_fields", found=word, type=type_name(base.type))
    return field(checker, source, base, word)


def field(checker: Checker, source: ast.expr, base: Node, word: str) -> Node:
    """Field `word` of the record `base`; an unknown or invisible one fails."""
    entity = base.type.entity or ""
    info = checker.schema.field_info(entity, word)
    if info is None or (checker.visible is not None and not checker.visible(entity, word)):
        known = [n for n in checker.schema.field_names(entity) if checker.visible is None or checker.visible(entity, n)]
        _unknown(checker, source, word, known, entity=entity)
    start, end = checker.span(source)
    return Field(
        base=base,
        entity=entity,
        name=word,
        type=_in_currency(checker, info.type, entity, base),
        start=start,
        end=end,
    )


def _in_currency(checker: Checker, type_: Type, entity: str, base: Node) -> Type:
    if type_.kind != "money" or checker.schema.currency_field(entity) is None:
        return type_
    return replace(type_, currency=f"of {_path(base)}")


def _path(node: Node) -> str:
    """A record's path from the records at hand, for telling one from another."""
    match node:
        case Field():
            return f"{_path(node.base)}.{node.name}"
        case Row():
            return "this" * min(node.level, 1) + ".this" * max(node.level - 1, 0)
        case User():
            return "user"
        case Old():
            return "old"
    return f"{type(node).__name__.lower()} at {node.start}"


def _this(checker: Checker, source: ast.expr, level: int) -> Node:
    if level >= len(checker.rows):
        checker.fail(source, "no_this")
    start, end = checker.span(source)
    return Row(level=level, type=record(checker.rows[level]), start=start, end=end)


def _need_old(checker: Checker, source: ast.expr) -> None:
    if not checker.allow_old or not checker.rows:
        checker.fail(source, "no_old")


def _measure(checker: Checker, source: ast.Name) -> Node:
    measures = checker.measures or {}
    start, end = checker.span(source)
    if source.id not in measures:
        fields = list(checker.schema.field_names(checker.entity)) if checker.entity else []
        if source.id in fields:
            checker.fail(source, "field_outside_aggregate", f"sum({source.id})", found=source.id)
        _unknown(checker, source, source.id, list(measures))
    return Measure(name=source.id, type=measures[source.id], start=start, end=end)


def _parameter(checker: Checker, source: ast.Attribute) -> Node:
    start, end = checker.span(source)
    if source.attr not in checker.parameters:
        hint = checker.suggest(source.attr, list(checker.parameters))
        checker.fail(source, "unknown_parameter", hint, found=source.attr)
    return Parameter(name=source.attr, type=checker.parameters[source.attr], start=start, end=end)


def _property(checker: Checker, source: ast.Attribute, base: Node) -> Node:
    options = base.type.options or ""
    properties = dict(checker.schema.choice_properties(options))
    properties.setdefault("order", INTEGER)
    if source.attr not in properties:
        hint = checker.suggest(source.attr, list(properties))
        checker.fail(source, "unknown_property", hint, found=source.attr, options=options)
    values = tuple((c, checker.schema.choice_value(options, c, source.attr)) for c in checker.schema.choices(options))
    start, end = checker.span(source)
    return Property(operand=base, name=source.attr, values=values, type=properties[source.attr], start=start, end=end)


def _unknown(checker: Checker, source: ast.expr, word: str, known: list[str], entity: str = "") -> NoReturn:
    hint = checker.suggest(word, [*known, *RESERVED])
    if hint is None and isinstance(source, ast.Name) and checker.functions.overloads(word):
        hint = f"{word}(…)"
    checker.fail(source, "unknown_name", hint, found=word, entity=entity)
