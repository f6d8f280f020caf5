"""Application → SQLAlchemy tables: the wanted schema, and the tables that queries are built on.

One table per entity; a column per stored field; `multi_select`, `tags` and `links` are join tables of
(`record_id`, `value`). Beside its own column a money field has `<column>__base` (the amount in the site's currency), a
text with a sort key `<column>__sort`, an any_link `<column>__entity`. User columns are nullable: what is required is
said by the record layer, so that a field can become required while old records lack it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from threading import RLock
from typing import Any

import sqlalchemy as sa

from metadata.model import Application, Entity, Field
from runtime.schema.names import foreign_key_name, index_name, physical
from runtime.schema.types import Json, Key, ScaledDecimal, Text, UtcDateTime

JOINED = ("choices", "links")
LIVING = "deleted_at IS NULL"
RATE_COLUMN = "exchange_rate__"
RATE_SCALE = 10
ON_DELETE = {"refuse": None, "clear": "SET NULL", "cascade": "CASCADE"}
NOT_NULL = frozenset({"id", "created_at", "created_on", "updated_at", "version"})
_MOST_ASKED = 2000


class Tables:
    """The tables of one published application on one kind of database (`sqlite` or `postgresql`).

    Each is made when it is first asked for: most processes meet a few of them, and start the sooner. All are in
    `metadata`.
    """

    def __init__(self, app: Application, dialect: str) -> None:
        self.app = app
        self.dialect = dialect
        self.memo: dict[Any, Any] = {}  # what is prepared once per published version: plans, rights, statements
        self._metadata = sa.MetaData()
        self._tables: dict[str, sa.Table] = {}
        self._joins: dict[tuple[str, str], sa.Table] = {}
        self._completed: set[str] = set()
        self._lock = RLock()
        self._entities: dict[str, str] = {}  # physical table -> entity
        for entity in self._living():
            self._entities[entity.table] = entity.name
            joined = (field for field in entity.fields.values() if is_joined(field))
            self._entities |= {physical(entity.table, column_name(field)): entity.name for field in joined}

    def _living(self) -> Iterator[Entity]:
        return (entity for entity in self.app.entities.values() if not entity.retired)

    @property
    def metadata(self) -> sa.MetaData:
        """All tables."""
        with self._lock:
            for entity in self._living():
                self.table(entity.name)
                self._complete(entity)
        return self._metadata

    def complete(self, entity: str) -> list[sa.Table]:
        """The tables of an entity with their indexes: its own, then its joins. KeyError where there is none."""
        with self._lock:
            table, model = self.table(entity), self.app.entities[entity]
            self._complete(model)
            return [table, *(self._joins[entity, f.name] for f in model.fields.values() if is_joined(f))]

    def area(self, name: str) -> dict[Any, Any]:
        """The part of the memo for what callers may ask for in any number of ways: emptied when it has grown large."""
        found: dict[Any, Any] = self.memo.setdefault(("area", name), {})
        if len(found) > _MOST_ASKED:
            found.clear()
        return found

    def table(self, entity: str) -> sa.Table:
        """The table of an entity. KeyError where there is none."""
        found = self._tables.get(entity)
        return self._made(entity) if found is None else found

    def _made(self, name: str) -> sa.Table:
        with self._lock:
            if name not in self._tables:
                entity = self.app.entities[name]
                if entity.retired:
                    raise KeyError(name)
                self._tables[name] = self._add(entity)
            return self._tables[name]

    def join_table(self, entity: str, field: str) -> sa.Table:
        """The join table of a field of storage `choices` or `links`: columns `record_id` and `value`."""
        self.table(entity)
        return self._joins[entity, field]

    def pairs(self, entity: str, field: str) -> sa.FromClause:
        """What a field of storage `choices` or `links` holds, to read: columns `record_id` and `value`.

        With `through:` these are the living records of the pair's entity, each two records once.
        """
        model = self.app.entities[entity].fields[field]
        if model.through is None:
            return self.join_table(entity, field)
        pair = self.table(model.through)
        near, far = pair_links(self.app, entity, model)
        owner, value = pair.c[column_name(near)], pair.c[column_name(far)]
        living = [owner.is_not(None), value.is_not(None), pair.c.deleted_at.is_(None)]
        found = sa.select(owner.label("record_id"), value.label("value")).where(*living)
        return found.distinct().subquery()

    def column(self, entity: str, field: str) -> sa.Column:
        """The column of a stored field."""
        return self.table(entity).c[column_name(self.app.entities[entity].fields[field])]

    def entity_of(self, table: str) -> str | None:
        """The entity a physical table (also a join table) belongs to."""
        return self._entities.get(table)

    @property
    def joins(self) -> Mapping[tuple[str, str], sa.Table]:
        """All join tables, by entity and field."""
        for entity in self._living():
            self.table(entity.name)
        return self._joins

    def _add(self, entity: Entity) -> sa.Table:
        columns = [column for field in entity.fields.values() for column in columns_of(entity, field, self.app)]
        if has_rate(entity):
            columns.append(sa.Column(RATE_COLUMN, ScaledDecimal(RATE_SCALE)))
        table = sa.Table(entity.table, self._metadata, *columns, sqlite_autoincrement=True)
        for field in entity.fields.values():
            if is_joined(field):
                self._join(entity, field)
        return table

    def _complete(self, entity: Entity) -> None:
        """Adds the indexes, which only whoever makes or compares tables asks for."""
        if entity.name in self._completed:
            return
        self._completed.add(entity.name)
        table = self._tables[entity.name]
        for index in indexes_of(entity, table, self.dialect):
            table.append_constraint(index) if isinstance(index, sa.Constraint) else index._set_parent(table)
        for field in entity.fields.values():
            if is_joined(field):
                _index(self._joins[entity.name, field.name], ("value", "record_id"), self.dialect)

    def _join(self, entity: Entity, field: Field) -> None:
        name = physical(entity.table, column_name(field))
        value: sa.Column = sa.Column("value", Text(), nullable=False)
        if field.storage == "links" and field.to:
            target = self.app.entities[field.to]
            value = sa.Column("value", Key(), _foreign_key(name, "value", target.table, "CASCADE"), nullable=False)
        record: sa.Column = sa.Column(
            "record_id", Key(), _foreign_key(name, "record_id", entity.table, "CASCADE"), nullable=False
        )
        table = sa.Table(name, self._metadata, record, value, sa.PrimaryKeyConstraint("record_id", "value"))
        self._joins[entity.name, field.name] = table


def column_name(field: Field) -> str:
    return field.column or field.name


def is_joined(field: Field) -> bool:
    """A field whose values are rows of a join table. With `through:` the pair's own entity holds them."""
    return field.storage in JOINED and not field.retired and not field.through and field.computed != "live"


def is_many(field: Field) -> bool:
    """A field whose values `Tables.pairs` has: those of a join table, or of records of a pair."""
    return is_joined(field) or (field.through is not None and not field.retired)


def pair_links(app: Application, entity: str, field: Field) -> tuple[Field, Field]:
    """The links of the pair's entity to this side and to the other."""
    links = [f for f in app.entities[field.through or ""].own_fields if f.storage == "link"]
    near = next(f for f in links if (f.name == field.by if field.by else f.to == entity))
    return near, next(f for f in links if f.to == field.to and f.name != near.name)


def is_column(field: Field) -> bool:
    """A field with a column in its entity's table."""
    if field.retired or field.storage in ("none", "children", *JOINED):
        return False
    return field.computed != "live" or field.keep is not None


def has_rate(entity: Entity) -> bool:
    """Records with a currency of their own keep the rate to the site's currency."""
    return entity.currency is not None and any(f.type == "money" and is_column(f) for f in entity.fields.values())


def sort_column(entity: Entity, field: Field) -> str:
    """The column that sorts the field: the pinyin key of a text, the base amount of money, else its own.

    Where no record has a currency of its own amounts are base amounts, and one index serves list, range and total.
    """
    if field.storage == "text" and field.sort_key:
        return f"{column_name(field)}__sort"
    if field.type == "money" and (entity.currency is not None or entity.parent is not None):
        return f"{column_name(field)}__base"
    return column_name(field)


def columns_of(entity: Entity, field: Field, app: Application) -> Iterator[sa.Column]:
    """The columns of one field, its own first."""
    if not is_column(field):
        return
    name = column_name(field)
    if field.name == "id":
        yield sa.Column(name, _shared(Key), sa.Identity(), primary_key=True, autoincrement=True)
        return
    if field.storage == "link":
        yield sa.Column(name, _shared(Key), *_link_key(entity, field, app))
        return
    yield sa.Column(name, value_type(field), nullable=not (field.system and field.name in NOT_NULL))
    if field.type == "money":
        yield sa.Column(f"{name}__base", value_type(field))
    if field.storage == "text" and field.sort_key:
        yield sa.Column(f"{name}__sort", _shared(Text))
    if field.storage == "any_link":
        yield sa.Column(f"{name}__entity", _shared(Text))


@cache
def _shared(kind: Callable[..., sa.types.TypeEngine], *arguments: int) -> sa.types.TypeEngine:
    """One type for all columns that have it: a column's own takes a kilobyte, with what SQLAlchemy notes at each."""
    return kind(*arguments)


def value_type(field: Field) -> sa.types.TypeEngine:
    """The column type of a field's own column."""
    match field.storage:
        case "integer":
            return _shared(sa.BigInteger)
        case "decimal":  # all 18 digits: `max` is the record layer's
            return _shared(ScaledDecimal, field.value_type.scale or field.scale)
        case "boolean":
            return sa.Boolean()  # it knows its column
        case "date":
            return _shared(sa.Date)
        case "datetime":
            return _shared(UtcDateTime)
        case "time":
            return _shared(sa.Time)
        case "json":
            return _shared(Json)
        case "link" | "any_link":
            return _shared(Key)
    return _shared(Text)


def _link_key(entity: Entity, field: Field, app: Application) -> Iterator[sa.ForeignKey]:
    """The foreign key of a link. System links to users have none: they would lock the user's row at every write."""
    if field.system or not field.to or field.to not in app.entities or app.entities[field.to].retired:
        return
    owned = entity.parent is not None and entity.parent[1] == field.name
    on_delete = "CASCADE" if owned else ON_DELETE[field.on_delete]
    yield _foreign_key(entity.table, column_name(field), app.entities[field.to].table, on_delete)


def _foreign_key(table: str, column: str, target: str, on_delete: str | None) -> sa.ForeignKey:
    return sa.ForeignKey(f"{target}.id", ondelete=on_delete, name=foreign_key_name(table, column))


def indexes_of(entity: Entity, table: sa.Table, dialect: str) -> Iterator[sa.Index]:
    """Every index of an entity's table, each named; no two on the same columns and condition."""
    seen: set[tuple[tuple[str, ...], bool, bool]] = set()
    for columns, unique, living in _wanted_indexes(entity):
        key = (columns, unique, living)
        if key not in seen and all(name in table.c for name in columns):
            seen.add(key)
            yield _index(table, columns, dialect, unique=unique, living=living)


def _wanted_indexes(entity: Entity) -> Iterator[tuple[tuple[str, ...], bool, bool]]:
    fields = entity.fields
    for field in fields.values():
        if not is_column(field) or field.name == "id":
            continue
        if field.unique:
            yield (column_name(field),), True, True
        if field.storage == "link" and not field.system:  # whole, not of the living only: deleting a target looks here
            yield (column_name(field),), False, False
        if field.storage == "any_link":
            yield (f"{column_name(field)}__entity", column_name(field)), False, False
    for group in entity.unique:
        if all(name in fields and is_column(fields[name]) for name in group):
            yield tuple(column_name(fields[name]) for name in group), True, True
    for names in (*entity.indexes, *((f.name,) for f in fields.values() if f.index)):
        yield from _list_indexes(entity, names)


def _list_indexes(entity: Entity, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool, bool]]:
    """A declared index: fields that filter by equality, the last one filters or sorts; ties are broken by id."""
    if not all(name in entity.fields and is_column(entity.fields[name]) for name in names):
        return
    *filters, last = [entity.fields[name] for name in names]
    head = tuple(column_name(field) for field in filters)
    yield (*head, sort_column(entity, last)), False, True
    if not filters and sort_column(entity, last) != column_name(last):
        yield (column_name(last),), False, True


def _index(
    table: sa.Table, columns: tuple[str, ...], dialect: str, *, unique: bool = False, living: bool = False
) -> sa.Index:
    """An index of `table`. On PostgreSQL a list index sorts nothing first and ends with the id, as SQLite's do."""
    where = sa.text(LIVING) if living else None
    parts: list[sa.ColumnElement] = [table.c[name] for name in columns]
    if dialect == "postgresql" and living and not unique:
        parts = [part.nulls_first() for part in parts] + [table.c.id]
    name = index_name(table.name, columns, unique=unique, where=LIVING if living else None)
    condition: Any = {f"{dialect}_where": where}  # its own dialect alone is loaded for it
    return sa.Index(name, *parts, unique=unique, **condition)
