"""What the database looks like, and what it should look like, in the same words, so that the two can be compared.

A few catalogue queries for the whole database, whatever the number of tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from runtime.schema.types import type_words

_WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key of one column to the id of `target`. `on_delete` None is the database's refusal."""

    column: str
    target: str
    on_delete: str | None
    name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index; `living` = of the records not deleted alone. The name does not decide: renames leave it behind."""

    columns: tuple[str, ...]
    unique: bool
    living: bool
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`columns` maps a name to the type in the words of the database."""

    name: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    foreign_keys: frozenset[ForeignKey] = frozenset()
    indexes: frozenset[Index] = frozenset()

    def renamed(self, name: str) -> Table:
        return replace(self, name=name)

    def with_column(self, old: str, new: str) -> Table:
        """The same table after a column was renamed."""

        def names(items: Iterable[str]) -> tuple[str, ...]:
            return tuple(new if item == old else item for item in items)

        return replace(
            self,
            columns={new if name == old else name: words for name, words in self.columns.items()},
            primary_key=names(self.primary_key),
            required=frozenset(names(self.required)),
            foreign_keys=frozenset(replace(k, column=new) if k.column == old else k for k in self.foreign_keys),
            indexes=frozenset(replace(i, columns=names(i.columns)) for i in self.indexes),
        )


def inspect_database(connection: sa.Connection) -> dict[str, Table]:
    """Every table of the database (PostgreSQL: of the current schema), by name."""
    return _sqlite(connection) if connection.dialect.name == "sqlite" else _postgresql(connection)


def wanted_table(table: sa.Table, dialect: sa.Dialect) -> Table:
    """A table of the wanted schema in the same words."""
    return Table(
        name=table.name,
        columns={column.name: type_words(column.type, dialect) for column in table.columns},
        primary_key=tuple(column.name for column in table.primary_key.columns),
        required=frozenset(c.name for c in table.columns if not c.nullable and not c.primary_key),
        foreign_keys=frozenset(
            ForeignKey(
                column=key.parent.name,
                target=key.target_fullname.rsplit(".", 1)[0],
                on_delete=key.ondelete,
                name=str(key.name) if key.name else None,
            )
            for key in table.foreign_keys
        ),
        indexes=frozenset(
            Index(
                columns=index_columns(index),
                unique=bool(index.unique),
                living=index.dialect_options[dialect.name]["where"] is not None,
                name=str(index.name),
            )
            for index in table.indexes
        ),
    )


def index_columns(index: sa.Index) -> tuple[str, ...]:
    """The names of the columns, without how they are ordered."""
    return tuple(getattr(part, "element", part).name for part in index.expressions)  # type: ignore[union-attr]


# --- SQLite ----------------------------------------------------------------------------------------------------------

_SQLITE_COLUMNS = """SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_info(m.name) c
 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.sql NOT LIKE 'CREATE VIRTUAL%'"""
_SQLITE_KEYS = """SELECT m.name, k."from", k."table", k.on_delete
 FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'"""
_SQLITE_INDEXES = """SELECT m.tbl_name, m.name, l."unique", m.sql, i.name FROM sqlite_master m
 JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name JOIN pragma_index_info(m.name) i
 WHERE m.type = 'index' AND l.origin = 'c' ORDER BY m.name, i.seqno"""


def _sqlite(connection: sa.Connection) -> dict[str, Table]:
    parts = _Parts()
    for table, column, words, required, position in connection.exec_driver_sql(_SQLITE_COLUMNS):
        parts.column(table, column, words, bool(required), position)
    for table, column, target, on_delete in connection.exec_driver_sql(_SQLITE_KEYS):
        parts.key(table, column, target, None if on_delete in ("NO ACTION", "RESTRICT") else on_delete, None)
    for table, name, unique, text, column in connection.exec_driver_sql(_SQLITE_INDEXES):
        parts.index(table, name, bool(unique), bool(_WHERE.search(text or "")), column)
    return parts.tables()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------

_PG_COLUMNS = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
 coalesce(array_position(i.indkey::int2[], a.attnum), -1) FROM pg_class c
 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, a.attnum"""
_PG_KEYS = """SELECT c.relname, a.attname, t.relname, k.confdeltype, k.conname FROM pg_constraint k
 JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace"""
_PG_INDEXES = """SELECT c.relname, x.relname, i.indisunique, i.indpred IS NOT NULL, a.attname FROM pg_index i
 JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
 CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
 WHERE NOT i.indisprimary AND c.relnamespace = current_schema()::regnamespace ORDER BY x.relname, k.position"""
_PG_ON_DELETE = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _postgresql(connection: sa.Connection) -> dict[str, Table]:
    parts = _Parts()
    for table, column, words, required, position in connection.exec_driver_sql(_PG_COLUMNS):
        parts.column(table, column, words, required, position + 1)
    for table, column, target, on_delete, name in connection.exec_driver_sql(_PG_KEYS):
        kind = on_delete.decode() if isinstance(on_delete, bytes) else on_delete
        parts.key(table, column, target, _PG_ON_DELETE.get(kind), name)
    for table, name, unique, partial, column in connection.exec_driver_sql(_PG_INDEXES):
        parts.index(table, name, unique, partial, column)
    return parts.tables()


class _Parts:
    """Collects rows of the catalogue into tables."""

    def __init__(self) -> None:
        self._columns: dict[str, dict[str, str]] = {}
        self._required: dict[str, set[str]] = {}
        self._primary: dict[str, dict[int, str]] = {}
        self._keys: dict[str, set[ForeignKey]] = {}
        self._indexes: dict[str, dict[str, Index]] = {}

    def column(self, table: str, name: str, words: str, required: bool, position: int) -> None:
        self._columns.setdefault(table, {})[name] = words
        if position > 0:
            self._primary.setdefault(table, {})[position] = name
        elif required:
            self._required.setdefault(table, set()).add(name)

    def key(self, table: str, column: str, target: str, on_delete: str | None, name: str | None) -> None:
        key = ForeignKey(column=column, target=target, on_delete=on_delete, name=name)
        self._keys.setdefault(table, set()).add(key)

    def index(self, table: str, name: str, unique: bool, living: bool, column: str) -> None:
        known = self._indexes.setdefault(table, {})
        before = known[name].columns if name in known else ()
        known[name] = Index(columns=(*before, column), unique=unique, living=living, name=name)

    def tables(self) -> dict[str, Table]:
        return {
            name: Table(
                name=name,
                columns=columns,
                primary_key=tuple(column for _, column in sorted(self._primary.get(name, {}).items())),
                required=frozenset(self._required.get(name, ())),
                foreign_keys=frozenset(self._keys.get(name, ())),
                indexes=frozenset(self._indexes.get(name, {}).values()),
            )
            for name, columns in self._columns.items()
        }
