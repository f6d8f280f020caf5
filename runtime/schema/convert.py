"""Values of one field type turned into another's: through the text a person would type, row by row in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from metadata.fields.base import Coercion, Rejection, field_type
from metadata.model import Application, Field
from runtime.schema.steps import Cost, Step, connection_of, light
from runtime.schema.tables import is_joined, value_type
from runtime.schema.types import Key, Text

if TYPE_CHECKING:
    from alembic.operations import Operations  # only a publish needs Alembic: 8 MB

BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where values of a field are: a column of a table, or (column "") a join table."""

    table: str
    column: str
    field: Field = field(compare=False)

    def read(self, connection: sa.Connection) -> Iterator[tuple[int, Any]]:
        """(record id, Python value) of every record with a value; members of a join table as a tuple."""
        if self.column:
            table = sa.table(self.table, sa.column("id", Key()), sa.column(self.column, value_type(self.field)))
            column = table.c[self.column]
            query = sa.select(table.c.id, column).where(column.is_not(None)).order_by(table.c.id)
            yield from ((row[0], row[1]) for row in _all(connection, query))
            return
        table = self._join()
        query = sa.select(table.c.record_id, table.c.value).order_by(table.c.record_id, table.c.value)
        yield from _grouped(_all(connection, query))

    def write(self, connection: sa.Connection, rows: Iterable[tuple[int, Any]]) -> None:
        """Sets the values of these records."""
        batch = [(record, value) for record, value in rows if value is not None]
        if not batch:
            return
        if not self.column:
            members = [{"record_id": record, "value": v} for record, value in batch for v in dict.fromkeys(value)]
            table = self._join()
            connection.execute(sa.delete(table).where(table.c.record_id.in_([record for record, _ in batch])))
            if members:
                connection.execute(sa.insert(table), members)
            return
        table = sa.table(self.table, sa.column("id", Key()), sa.column(self.column, value_type(self.field)))
        change = (
            sa.update(table).where(table.c.id == sa.bindparam("record_")).values({self.column: sa.bindparam("new_")})
        )
        connection.execute(change, [{"record_": record, "new_": value} for record, value in batch])

    def _join(self) -> sa.TableClause:
        kind: sa.types.TypeEngine[Any] = Key() if self.field.storage == "links" else Text()
        return sa.table(self.table, sa.column("record_id", Key()), sa.column("value", kind))


def _all(connection: sa.Connection, query: sa.Select) -> Iterator[Any]:
    """Rows in pages of memory, the result read to its end before others write."""
    yield from connection.execute(query).all()


def _grouped(rows: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    current: int | None = None
    values: list[Any] = []
    for record, value in rows:
        if record != current and current is not None:
            yield current, tuple(values)
            values = []
        current = record
        values.append(value)
    if current is not None:
        yield current, tuple(values)


def batches(rows: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


class Conversion:
    """Values of `old` as values of `new`: None where they cannot be. Remembers what it has converted."""

    def __init__(self, old: Field, new: Field, context: Coercion) -> None:
        self.old, self.new, self.context = old, new, context
        self._known: dict[Any, Any] = {}

    def __call__(self, value: Any) -> Any:
        try:
            known = self._known.get(value, self)
        except TypeError:  # a list or a map of JSON
            return self._convert(value)
        if known is self:
            known = self._convert(value)
            if len(self._known) < 100_000:
                self._known[value] = known
        return known

    def _convert(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            return field_type(self.new.type).coerce(self._text(value), self.new, self.context)
        except (Rejection, KeyError, ValueError, NotImplementedError):
            return None

    def _text(self, value: Any) -> Any:
        kind = field_type(self.old.type)
        if isinstance(value, tuple):
            return "; ".join(str(v) for v in value)
        if self.old.storage == "link":
            return kind.to_text(value, self.old, self.context)
        if self.old.storage == "json":
            return value
        return kind.to_input(value, self.old, self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """How a site writes dates and amounts."""

    language: str = "zh"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    currency: str = "CNY"


DEFAULT_CUSTOM = Custom()


def conversion_context(
    connection: sa.Connection,
    app: Application,
    places: Mapping[str, tuple[str, str]],
    custom: Custom = DEFAULT_CUSTOM,
) -> Coercion:
    """What conversions may know. `places` maps an entity to its present table and title column."""

    def resolve(entity: str, text: str) -> list[int]:
        table, title = places.get(entity, ("", ""))
        if not title:
            return []
        found = sa.table(table, sa.column("id"), sa.column(title), sa.column("deleted_at"))
        where = (sa.cast(found.c[title], sa.Text) == text) & found.c.deleted_at.is_(None)
        return list(connection.scalars(sa.select(found.c.id).where(where).limit(2)))

    def title(entity: str, record: int) -> str:
        table, column = places.get(entity, ("", ""))
        if not column:
            return ""
        found = light(table, "id", column)
        return str(connection.scalar(sa.select(found.c[column]).where(found.c.id == record)) or "")

    def choices(options: str) -> Mapping[str, str]:
        if options not in app.options:
            return {}
        known = app.options[options].choices
        labels = {text: c.name for c in known for text in c.label.values.values()}
        return labels | {earlier: c.name for c in known for earlier in c.was} | {c.name: c.name for c in known}

    now = datetime.now(UTC)
    return Coercion(
        language=custom.language,
        zone=custom.zone,
        currency=custom.currency,
        today=now.astimezone(custom.zone).date(),
        now=now,
        channel="import",
        resolve=resolve,
        choices=choices,
        title=title,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert(Step):
    """Fills the values of a field's new type from those of its old one, which stay archived."""

    source: Place
    target: Place
    context: Callable[[sa.Connection], Coercion] = field(compare=False)
    cost: ClassVar[Cost] = "rewrite"

    def describe(self) -> str:
        return f"Convert {self.table}.{self.target.field.name}: {self.source.field.type} → {self.target.field.type}"

    def run(self, op: Operations) -> None:
        connection = connection_of(op)
        convert = Conversion(self.source.field, self.target.field, self.context(connection))
        for batch in batches(self.source.read(connection)):
            self.target.write(connection, [(record, convert(value)) for record, value in batch])


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert(Step):
    """Brings archived values of an earlier type back; only what was changed since is converted to the earlier type."""

    archive: Place
    since: Place
    context: Callable[[sa.Connection], Coercion] = field(compare=False)
    cost: ClassVar[Cost] = "rewrite"

    def describe(self) -> str:
        return f"Revert {self.table}.{self.archive.field.name}: {self.since.field.type} → {self.archive.field.type}"

    def run(self, op: Operations) -> None:
        connection = connection_of(op)
        context = self.context(connection)
        forward = Conversion(self.archive.field, self.since.field, context)
        back = Conversion(self.since.field, self.archive.field, context)
        archived = dict(self.archive.read(connection))
        present = dict(self.since.read(connection))
        changed = {record: back(value) for record, value in present.items() if forward(archived.get(record)) != value}
        for batch in batches(changed.items()):
            self.archive.write(connection, batch)
        emptied = [r for r, value in archived.items() if r not in present and forward(value) is not None]
        for records in batches(emptied):
            self._empty(connection, records)

    def _empty(self, connection: sa.Connection, records: list[int]) -> None:
        place = self.archive
        if not place.column:
            table = light(place.table, "record_id")
            connection.execute(sa.delete(table).where(table.c.record_id.in_(records)))
            return
        table = light(place.table, "id", place.column)
        connection.execute(sa.update(table).where(table.c.id.in_(records)).values({place.column: None}))


def place_of(field_: Field, table: str, column: str) -> Place:
    return Place(table=table, column="" if is_joined(field_) else column, field=field_)
