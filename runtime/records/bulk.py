"""INSERT of many rows without the toolkit's work per row: compiled once, values converted by the columns' own types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from runtime.site import Session

_PART = 1000  # rows handed to the driver at a time


class Insert:
    """An INSERT of whole rows into `table`; `names` are the columns given, in the order values come."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect, names: Iterable[str]) -> None:
        self.names = tuple(names)
        statement = sa.insert(table).inline().values({n: sa.bindparam(n) for n in self.names})
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self._positional = bool(compiled.positional)
        order = tuple(compiled.positiontup or ()) if self._positional else self.names
        self._places = tuple(self.names.index(n) for n in order)
        converters = [table.c[n].type.dialect_impl(dialect).bind_processor(dialect) for n in order]
        self._converters: tuple[tuple[int, Callable[[Any], Any]], ...] = tuple(
            (place, convert) for place, convert in enumerate(converters) if convert is not None
        )
        self._identity = self._places == tuple(range(len(order)))
        self._order = order

    def run(self, connection: sa.Connection, rows: list[list[Any]]) -> None:
        """Writes rows of values in the order of `names`; the lists are converted in place."""
        for start in range(0, len(rows), _PART):
            part = [self._row(row) for row in rows[start : start + _PART]]
            connection.exec_driver_sql(self.text, part if len(part) > 1 else part[0])

    def _row(self, row: list[Any]) -> Any:
        values = row if self._identity else [row[place] for place in self._places]
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        return tuple(values) if self._positional else dict(zip(self._order, values))


def insert_of(session: Session, table: sa.Table, names: Iterable[str]) -> Insert:
    """The prepared INSERT; made once per published version."""
    memo = session.tables.memo
    key = ("bulk insert", table.name, names if isinstance(names, tuple) else tuple(names))
    if key not in memo:
        memo[key] = Insert(table, session.connection.dialect, key[2])
    return memo[key]
