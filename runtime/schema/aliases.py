"""Tables read under another name, with the columns that are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import sqlalchemy as sa


def alias_of(table: sa.FromClause, name: str | None = None) -> sa.FromClause:
    """The table once more; its columns are made when they are asked for.

    `Table.alias()` makes all of them at the first: 0.4 ms and 100 KiB for a table of sixty, of which a statement names
    two. Kept statements of all kinds would hold ten times the columns of all tables.
    """
    if not isinstance(table, sa.Table):
        return table.alias(name)
    found = sa.table(table.name).alias(name)
    found.c = cast("Any", _Columns(found, table))  # type: ignore[misc]  # memoized by SQLAlchemy in just this place
    return found


class _Columns:
    """What `FromClause.c` is asked for: by name, all of them, whether there is one."""

    __slots__ = ("_alias", "_made", "_table")

    def __init__(self, alias: sa.FromClause, table: sa.Table) -> None:
        self._alias, self._table = alias, table
        self._made: dict[str, sa.ColumnClause[Any]] = {}

    def __getitem__(self, name: str) -> sa.ColumnClause[Any]:
        """KeyError where the table has no such column."""
        found = self._made.get(name)
        if found is None:
            found = sa.column(name, self._table.c[name].type)
            found.table = self._alias
            self._made[name] = found
        return found

    def __getattr__(self, name: str) -> sa.ColumnClause[Any]:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> list[str]:
        return list(self._table.c.keys())

    def __contains__(self, name: str) -> bool:
        return name in self._table.c

    def __iter__(self) -> Iterator[sa.ColumnClause[Any]]:
        return (self[name] for name in self._table.c.keys())  # noqa: SIM118  # it iterates over columns

    def __len__(self) -> int:
        return len(self._table.c)
