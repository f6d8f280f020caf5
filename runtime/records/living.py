"""Living records by their ids on SQLite: the SELECT is text made once, its values converted column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.statements import fetch

if TYPE_CHECKING:
    from runtime.records.plan import EntityPlan
    from runtime.site import Session


class Living:
    """The `names` columns of the living records of a table, by id."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect, names: Sequence[str]) -> None:
        columns = [table.c[name] for name in names]
        self._text = str(sa.select(*columns).where(table.c.deleted_at.is_(None)).compile(dialect=dialect))
        self._id = dialect.identifier_preparer.format_column(table.c.id, use_table=True)
        found = [c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns]
        self._converters: tuple[tuple[int, Callable[[Any], Any]], ...] = tuple(
            (place, convert) for place, convert in enumerate(found) if convert is not None
        )

    def rows(self, connection: sa.Connection, ids: Sequence[int]) -> list[Sequence[Any]]:
        """A row for each id that is there, in the order of the ids; `ids` are few enough for one list."""
        if not ids:
            return []
        size = 1 << (len(ids) - 1).bit_length()  # few different texts: the driver keeps them prepared
        given = (*ids, *[ids[-1]] * (size - len(ids)))
        text = f"{self._text} AND {self._id} IN (?{', ?' * (size - 1)}) ORDER BY {self._id}"
        rows: list[Any] = fetch(connection, text, given)
        if not rows or not self._converters:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows))
        for place, convert in self._converters:
            columns[place] = [convert(value) for value in columns[place]]
        return list(zip(*columns))


def living_of(session: Session, plan: EntityPlan, *names: str) -> Living:
    """The columns `names` of an entity's living records, all where none is named; made once per version."""
    memo = session.tables.memo
    key = ("living", plan.name, names)
    if key not in memo:
        memo[key] = Living(plan.table, session.connection.dialect, names or tuple(plan.table.c.keys()))
    found: Living = memo[key]
    return found
