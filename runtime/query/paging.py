"""A prepared SELECT and the statements of its pages: built once, the numbers bound at each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.query import cursor
from runtime.query.sql_context import Given, Moments
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.query.select import ColumnInfo

CAP = 1000  # a capped count stops here
DEEP = 5_000  # rows passed over before only their ids are read


@dataclass(slots=True)
class Binds:
    """Values of a statement: the query's `own`, and those of the person, which few statements ask for."""

    person: Callable[[], Mapping[str, Any]]
    own: dict[str, Any]

    def all(self) -> dict[str, Any]:
        return {**self.person(), **self.own}


@dataclass(slots=True)
class Prepared:
    statement: sa.Select[Any]
    counted: sa.Select[Any]
    keys: list[tuple[sa.ColumnElement[Any], bool, bool]]
    identity: sa.ColumnElement[int]
    order: list[sa.ColumnElement[Any]]
    columns: tuple[ColumnInfo, ...]
    plain: list[str]  # keys of the selected values, in order
    titled: list[str]
    joined: list[ColumnInfo]
    any_links: list[str]
    fixed: bool  # nothing in it depends on the person, or on more of the moment than its date and `moments`
    moments: Moments
    given: Given
    kept: dict[str, Kept] = field(default_factory=dict)

    def rows(
        self, connection: sa.Connection, binds: Binds, limit: int, page: int | None, after: str | None
    ) -> Sequence[Sequence[Any]]:
        """The rows of one page and one beyond it. Raises `BadQuery` for a cursor that is none."""
        if after is not None and page is None:
            values, record_id = cursor.decode(after, len(self.keys))
            down = self.keys[-1][1] if self.keys else False
            follows = cursor.after(self.keys, values, self.identity, record_id, down)
            further = self.statement.order_by(*self.order).where(follows).limit(limit + 1)
            return connection.execute(further, binds.all()).all()
        skipped = ((page or 1) - 1) * limit
        kind = "first" if not skipped else "deep" if skipped >= DEEP and self._own_order() else "later"
        binds.own |= {"query_limit": limit + 1, "query_offset": skipped}
        return self._run(connection, kind, binds)

    def count(self, connection: sa.Connection, binds: Binds, kind: str) -> int:
        """How many rows there are ("exact"), or no further than just beyond `CAP` ("capped")."""
        return int(self._run(connection, kind, binds)[0][0])

    def _run(self, connection: sa.Connection, kind: str, binds: Binds) -> Sequence[Sequence[Any]]:
        if not self.fixed:  # asked once: compiling it for later would be for nothing
            return connection.execute(self._build(kind), binds.all()).all()
        kept = self.kept.get(kind)
        if kept is None:
            kept = self.kept[kind] = Kept(self._build(kind), connection.dialect, binds.all())
        return kept.rows(connection, binds.own if kept.names <= binds.own.keys() else binds.all())

    def _build(self, kind: str) -> sa.Select[Any]:
        if kind == "exact":
            return self.counted.with_only_columns(sa.func.count())
        if kind == "capped":
            return sa.select(sa.func.count()).select_from(self.counted.limit(CAP + 1).subquery())
        limit = sa.bindparam("query_limit", type_=sa.BigInteger)
        offset = sa.bindparam("query_offset", type_=sa.BigInteger)
        ordered = self.statement.order_by(*self.order)
        if kind == "first":
            return ordered.limit(limit)
        if kind == "later":
            return ordered.limit(limit).offset(offset)
        # What is passed over is read from the index alone; the rows of the page are looked up at the end.
        ids = self.counted.with_only_columns(self.identity).order_by(*self.order).limit(limit).offset(offset)
        return ordered.where(self.identity.in_(ids.correlate(None)))

    def _own_order(self) -> bool:
        """Whether the rows are ordered by columns of their own table."""
        return all(isinstance(key, sa.Column) and key.table is self.identity.table for key, _, _ in self.keys)
