"""A prepared SELECT and the statements of its pages: built once, the numbers bound at each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.query import cursor

if TYPE_CHECKING:
    from runtime.query.select import ColumnInfo

CAP = 1000  # a capped count stops here
DEEP = 5_000  # rows passed over before only their ids are read


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
    fixed: bool  # nothing in it depends on the person, or on more of the moment than its date
    kept: dict[str, sa.Select[Any]] = field(default_factory=dict)

    def page(self, limit: int, page: int | None, after: str | None) -> tuple[sa.Select[Any], Mapping[str, int]]:
        """The statement of one page and its binds. Raises `BadQuery` for a cursor that is none."""
        if after is not None and page is None:
            values, record_id = cursor.decode(after, len(self.keys))
            down = self.keys[-1][1] if self.keys else False
            follows = cursor.after(self.keys, values, self.identity, record_id, down)
            return self.statement.order_by(*self.order).where(follows).limit(limit), {}
        skipped = ((page or 1) - 1) * (limit - 1)
        kind = "first" if not skipped else "deep" if skipped >= DEEP and self._own_order() else "later"
        if kind not in self.kept:
            self.kept[kind] = self._build(kind)
        return self.kept[kind], {"query_limit": limit} | ({"query_offset": skipped} if skipped else {})

    def _build(self, kind: str) -> sa.Select[Any]:
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

    def counting(self, kind: str) -> sa.Select[Any]:
        """The statement that counts all ("exact"), or no further than just beyond `CAP`."""
        if kind not in self.kept:
            if kind == "exact":
                self.kept[kind] = self.counted.with_only_columns(sa.func.count())
            else:
                self.kept[kind] = sa.select(sa.func.count()).select_from(self.counted.limit(CAP + 1).subquery())
        return self.kept[kind]
