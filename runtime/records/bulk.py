"""INSERT of many rows without the toolkit's work per row: compiled once, values converted column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from runtime.database import insert_or
from runtime.schema.types import ScaledDecimal, scaled_many
from runtime.statements import fetch, send, send_many

if TYPE_CHECKING:
    from runtime.site import Session

_COLUMN = 20  # values of which a column is converted as a whole
_PART = 1000  # rows handed to the driver at a time


class Insert:
    """An INSERT into `table` of the columns `names`; values of `ready` ones come as the driver takes them.

    `amend` may add to the statement what becomes of rows that are there already (`on_conflict_do_update`).
    """

    def __init__(
        self,
        table: sa.Table,
        dialect: sa.Dialect,
        names: Iterable[str],
        ready: frozenset[str] = frozenset(),
        amend: Callable[[Any], Any] | None = None,
    ) -> None:
        names = tuple(names)
        first = sa.insert(table) if amend is None else amend(insert_or(dialect.name)(table))
        statement = first.inline().values({n: sa.bindparam(n) for n in names})
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self.positional = bool(compiled.positional)
        self.order = tuple(compiled.positiontup or ()) if self.positional else names
        self._converters = tuple((n, None if n in ready else converter(table.c[n].type, dialect)) for n in self.order)
        self._scales = {
            n: s for n in self.order if n not in ready and (s := _scale(table.c[n].type, dialect)) is not None
        }

    def run_one(self, connection: sa.Connection, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> int:
        """Writes one row and answers the id the database gave it."""
        (row,) = self._rows(1, columns, same)
        if connection.dialect.name == "sqlite":
            return cast(int, send(connection, self.text, row))
        return cast(int, fetch(connection, f"{self.text} RETURNING id", row)[0][0])

    def run(
        self, connection: sa.Connection, count: int, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]
    ) -> None:
        """Writes `count` rows: a column's values in their order, or the one value all rows have; else nothing."""
        rows = self._rows(count, columns, same)
        if count == 1:
            send(connection, self.text, rows[0])
            return
        for start in range(0, count, _PART):
            send_many(connection, self.text, rows[start : start + _PART])

    def _rows(self, count: int, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> list[Any]:
        parts: list[Iterable[Any]] = []
        for name, convert in self._converters:
            values = columns.get(name)
            if values is None:
                value = same.get(name)
                parts.append(repeat(value if convert is None or value is None else convert(value), count))
            elif convert is None:
                parts.append(values)
            elif count >= _COLUMN and name in self._scales:
                parts.append(scaled_many(values, self._scales[name]))
            else:
                parts.append([None if v is None else convert(v) for v in values])
        rows: list[Any] = list(zip(*parts))
        return rows if self.positional else [dict(zip(self.order, row)) for row in rows]


def _scale(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> int | None:
    """The decimals of exact numbers that are stored as integers."""
    return type_.scale if dialect.name == "sqlite" and isinstance(type_, ScaledDecimal) else None


def converter(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """What makes the driver's value of a Python value; None where it takes it as it is."""
    convert: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    if dialect.name == "sqlite" and isinstance(type_, sa.Date) and convert is not None:
        return lambda value: value.isoformat() if type(value) is date else convert(value)
    return convert


def insert_of(session: Session, table: sa.Table, names: tuple[str, ...], ready: frozenset[str] = frozenset()) -> Insert:
    """The prepared INSERT; made once per published version."""
    memo = session.tables.memo
    key = ("bulk insert", table.name, names)
    if key not in memo:
        memo[key] = Insert(table, session.connection.dialect, names, ready)
    found: Insert = memo[key]
    return found
