"""SQL written from a template: one step of SQLAlchemy's recursion instead of four functions inside each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal


class Written(sa.ColumnElement[Any]):
    """`template` with `{0}`, `{1}` … for the operands. Templates are constants of this package."""

    inherit_cache = True
    _traverse_internals = [
        ("template", InternalTraversal.dp_string),
        ("operands", InternalTraversal.dp_clauseelement_tuple),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(
        self, template: str, operands: tuple[sa.ColumnElement[Any], ...], type_: sa.types.TypeEngine[Any]
    ) -> None:
        self.template = template
        self.operands = operands
        self.type = type_

    @property
    def _from_objects(self) -> list[sa.FromClause]:
        return list(chain.from_iterable(self._froms()))

    def _froms(self) -> Iterator[list[sa.FromClause]]:
        for operand in self.operands:
            yield operand._from_objects

    def self_group(self, against: Any = None) -> Written:
        return self


@compiles(Written)
def _write(element: Written, compiler: Any, **rest: Any) -> str:
    rest.pop("within_columns_clause", None)
    parts = []
    for operand in element.operands:
        parts.append(compiler.process(operand, **rest))
    return element.template.format(*parts)
