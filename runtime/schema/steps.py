"""The typed steps of a plan. Each knows what it does, what it costs and what it endangers, and runs through Alembic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import sqlalchemy as sa

from runtime.schema.inspect import ForeignKey, Index, Table
from runtime.schema.names import foreign_key_name
from runtime.schema.tables import LIVING
from runtime.schema.types import RawType, Text

if TYPE_CHECKING:
    from alembic.operations import Operations  # only a publish needs Alembic: 8 MB

Cost = Literal["instant", "scan", "rewrite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change. `cost`: instant, a scan of the table, or a rewrite of every row."""

    table: str
    cost: ClassVar[Cost] = "instant"

    @property
    def kind(self) -> str:
        return type(self).__name__

    def describe(self) -> str:
        """The change in words of the database, for `octavo plan`."""
        return f"{self.kind} {self.table}"

    def run(self, op: Operations) -> None:
        raise NotImplementedError(self.kind)


def connection_of(op: Operations) -> sa.Connection:
    return op.get_bind()


def light(table: str, *columns: str) -> sa.TableClause:
    """The table for plain statements, without types."""
    return sa.table(table, *(sa.column(name) for name in columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Step):
    definition: sa.Table = field(compare=False)

    def run(self, op: Operations) -> None:
        """Indexes and, on PostgreSQL, foreign keys are steps of their own: tables may point at each other."""
        inline = connection_of(op).dialect.name == "sqlite"
        create = sa.schema.CreateTable(self.definition, include_foreign_key_constraints=None if inline else [])
        op.execute(create)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTable(Step):
    to: str

    def describe(self) -> str:
        return f"RenameTable {self.table} → {self.to}"

    def run(self, op: Operations) -> None:
        op.rename_table(self.table, self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameColumn(Step):
    column: str
    to: str

    def describe(self) -> str:
        return f"RenameColumn {self.table}.{self.column} → {self.to}"

    def run(self, op: Operations) -> None:
        op.alter_column(self.table, self.column, new_column_name=self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn(Step):
    definition: sa.Column = field(compare=False)
    key: ForeignKey | None = None

    def describe(self) -> str:
        return f"AddColumn {self.table}.{self.definition.name}"

    def run(self, op: Operations) -> None:
        """Always nullable, so that no row is touched. On SQLite the foreign key can only be given here."""
        connection = connection_of(op)
        ddl = sa.schema.CreateColumn(self._bare()).compile(dialect=connection.dialect)
        quote = connection.dialect.identifier_preparer.quote
        text = f"ALTER TABLE {quote(self.table)} ADD COLUMN {ddl}"
        if self.key is not None and connection.dialect.name == "sqlite":
            text += f" REFERENCES {quote(self.key.target)} (id)"
            text += f" ON DELETE {self.key.on_delete}" if self.key.on_delete else ""
        op.execute(sa.text(text))

    def _bare(self) -> sa.Column:
        return sa.Column(self.definition.name, self.definition.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumns(Step):
    """Of what is purged; publishing never drops."""

    columns: tuple[str, ...]
    cost: ClassVar[Cost] = "rewrite"

    def describe(self) -> str:
        return f"DropColumns {self.table} ({', '.join(self.columns)})"

    def run(self, op: Operations) -> None:
        for column in self.columns:
            op.drop_column(self.table, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Step):
    """Of what is purged; publishing never drops."""

    def run(self, op: Operations) -> None:
        op.drop_table(self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIndex(Step):
    index: Index

    def describe(self) -> str:
        return f"DropIndex {self.index.name} ({', '.join(self.index.columns)})"

    def run(self, op: Operations) -> None:
        op.drop_index(self.index.name, table_name=self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndex(Step):
    index: Index
    cost: ClassVar[Cost] = "scan"

    def describe(self) -> str:
        unique = "unique " if self.index.unique else ""
        return f"CreateIndex {unique}{self.table} ({', '.join(self.index.columns)})"

    def run(self, op: Operations) -> None:
        dialect = connection_of(op).dialect
        quote = dialect.identifier_preparer.quote
        parts = [quote(name) for name in self.index.columns]
        if dialect.name == "postgresql" and self.index.living and not self.index.unique:
            parts = [f"{part} NULLS FIRST" for part in parts[:-1]] + parts[-1:]
        unique = "UNIQUE " if self.index.unique else ""
        where = f" WHERE {LIVING}" if self.index.living else ""
        text = f"CREATE {unique}INDEX {quote(self.index.name)} ON {quote(self.table)} ({', '.join(parts)}){where}"
        op.execute(sa.text(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class DropForeignKey(Step):
    """PostgreSQL only: SQLite rebuilds the table."""

    key: ForeignKey

    def describe(self) -> str:
        return f"DropForeignKey {self.table}.{self.key.column}"

    def run(self, op: Operations) -> None:
        op.drop_constraint(self.key.name or "", self.table, type_="foreignkey")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddForeignKey(Step):
    """PostgreSQL only: SQLite gives it with the column or rebuilds the table."""

    key: ForeignKey
    cost: ClassVar[Cost] = "scan"

    def describe(self) -> str:
        return f"AddForeignKey {self.table}.{self.key.column} → {self.key.target}"

    def run(self, op: Operations) -> None:
        name = self.key.name or foreign_key_name(self.table, self.key.column)
        op.create_foreign_key(name, self.table, self.key.target, [self.key.column], ["id"], ondelete=self.key.on_delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearDangling(Step):
    """Empties links to what was purged while nothing guarded them."""

    key: ForeignKey
    cost: ClassVar[Cost] = "scan"

    def describe(self) -> str:
        return f"ClearDangling {self.table}.{self.key.column}"

    def run(self, op: Operations) -> None:
        table, target = light(self.table, self.key.column), light(self.key.target, "id")
        column = table.c[self.key.column]
        gone = ~sa.exists(sa.select(sa.literal(1)).select_from(target).where(target.c.id == column))
        connection_of(op).execute(sa.update(table).where(column.is_not(None), gone).values({self.key.column: None}))


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildTable(Step):
    """SQLite only: the table again with other foreign keys; every row is copied. Its indexes are made anew after."""

    wanted: Table
    cost: ClassVar[Cost] = "rewrite"

    def run(self, op: Operations) -> None:
        connection = connection_of(op)
        last = self._sequence(connection)
        with op.batch_alter_table(self.table, copy_from=self._definition(), recreate="always"):
            pass
        if last is not None:  # ids never return, not even those of purged records
            sequence = light("sqlite_sequence", "name", "seq")
            connection.execute(sa.delete(sequence).where(sequence.c.name == self.table))
            connection.execute(sa.insert(sequence).values(name=self.table, seq=last))

    def _sequence(self, connection: sa.Connection) -> int | None:
        if self.wanted.primary_key != ("id",):
            return None
        sequence = light("sqlite_sequence", "name", "seq")
        return connection.scalar(sa.select(sequence.c.seq).where(sequence.c.name == self.table))

    def _definition(self) -> sa.Table:
        metadata = sa.MetaData()
        keys = {key.column: key for key in self.wanted.foreign_keys}
        for target in {key.target for key in self.wanted.foreign_keys} - {self.table}:
            sa.Table(target, metadata, sa.Column("id", sa.Integer, primary_key=True))
        return sa.Table(
            self.table,
            metadata,
            *(self._column(name, words, keys.get(name)) for name, words in self.wanted.columns.items()),
            sa.PrimaryKeyConstraint(*self.wanted.primary_key),
            sqlite_autoincrement=self.wanted.primary_key == ("id",),
        )

    def _column(self, name: str, words: str, key: ForeignKey | None) -> sa.Column:
        integer = name in self.wanted.primary_key and words == "INTEGER"
        type_: sa.types.TypeEngine = sa.Integer() if integer else RawType(words)
        references = []
        if key is not None:
            label = key.name or foreign_key_name(self.table, name)
            references = [sa.ForeignKey(f"{key.target}.id", ondelete=key.on_delete, name=label)]
        required = name in self.wanted.required or name in self.wanted.primary_key
        return sa.Column(name, type_, *references, nullable=not required)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameChoices(Step):
    """Choices of a select renamed in the data, all at once, so that two may swap their names."""

    column: str
    names: tuple[tuple[str, str], ...]
    cost: ClassVar[Cost] = "scan"

    def describe(self) -> str:
        return f"RenameChoices {self.table}.{self.column} " + ", ".join(f"{old} → {new}" for old, new in self.names)

    def run(self, op: Operations) -> None:
        table = sa.table(self.table, sa.column(self.column, Text()))
        column, connection = table.c[self.column], connection_of(op)
        for names in (
            {old: f"{old}~" for old, _ in self.names},  # no choice has a tilde: nothing collides on the way
            {f"{old}~": new for old, new in self.names},
        ):
            change = sa.update(table).where(column.in_(list(names)))
            connection.execute(change.values({self.column: sa.case(names, value=column)}))
