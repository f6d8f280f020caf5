"""Exports: what a list shows, streamed page by page through the same query, so that access and hidden fields hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.fields import FieldType, field_type
from metadata.fields.base import Coercion
from metadata.fields.members import joined
from metadata.model import Application, Entity, Field, Sort
from rules.expression import Expression
from runtime.errors import BadQuery, Forbidden, NotFound
from runtime.exchange.writers import Sheet, write_csv, writer_of
from runtime.query.select import Query, Row, run
from runtime.records.input import coercion
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

PAGE = 1000
LEFT_OUT = frozenset({"children", "json"})


class _Column:
    """A column of an export: a path from the entity, the field at its end, and how that field fills a cell."""

    def __init__(self, app: Application, entity: Entity, path: str) -> None:
        self.path = path
        self.fields = _along(app, entity, path)
        self.field = self.fields[-1]
        self.kind: FieldType = field_type(shown_type(app, entity, self.fields))

    def label(self, language: str) -> str:
        return ".".join(f.label.of(language) for f in self.fields)

    def filler(self, context: Coercion) -> Callable[[Any, Row], Any] | None:
        """What makes a cell of a value that is there; None where the value is the cell."""
        kind, field, path = self.kind, self.field, self.path
        if field.storage in ("link", "any_link"):
            return lambda value, row: _linked(row.titles.get(path), value)
        if field.storage == "links":
            return lambda value, row: joined([(str(t), f"#{i}") for t, i in zip(row.titles[path], value) if t])
        if type(kind).to_cell is FieldType.to_cell:
            return None
        if kind.storage == "boolean" or field.options:  # few distinct values: each is said once
            said: dict[Any, Any] = {}

            def remembered(value: Any, _row: Row) -> Any:
                if value not in said:
                    said[value] = kind.to_cell(value, field, context)
                return said[value]

            return remembered
        return lambda value, _row: kind.to_cell(value, field, context)

    def json(self, row: Row, context: Coercion) -> Any:
        return self.kind.to_json(row.values.get(self.path), self.field, context)


def _linked(title: Any, value: Any) -> str:
    """The title; of a record whose title is not for this person, what tells it apart from others."""
    return f"#{value}" if title is None else str(title)


def _along(app: Application, entity: Entity, path: str) -> tuple[Field, ...]:
    """The fields of a path. Raises `BadQuery` where a step is missing."""
    found: list[Field] = []
    here: Entity | None = entity
    for name in path.split("."):
        field = here.fields.get(name) if here else None
        if field is None or field.retired:
            raise BadQuery("bad_query", detail=path)
        found.append(field)
        here = app.entities.get(field.to or "")
    return tuple(found)


def shown_type(app: Application, entity: Entity, fields: Sequence[Field]) -> str:
    """The type whose presentation fits: a lookup shows as the field at the end of its own path."""
    field = fields[-1]
    if field.type != "lookup":
        return field.type
    start = entity if len(fields) == 1 else app.entities[fields[-2].to or ""]
    target = _along(app, start, ".".join(field.of))
    return shown_type(app, start, target) if target[-1].type == "lookup" else target[-1].type


def default_columns(session: Session, entity: Entity) -> tuple[str, ...]:
    """Every field a person may see, in declared order; lines and other collections are left out."""
    access = Access(session)
    return tuple(
        f.name
        for f in entity.own_fields
        if not f.retired
        and f.storage not in LEFT_OUT
        and f.type not in ("related", "secret")
        and access.visible(entity.name, f.name)
    )


def export(
    session: Session,
    entity: str,
    path: Path,
    kind: str,
    *,
    columns: Sequence[str] | None = None,
    where: Sequence[Expression] = (),
    sort: Sequence[Sort] = (),
    q: str | None = None,
    bom: bool = True,
) -> int:
    """Writes the records one may export to `path` as csv, xlsx or json; how many.

    Raises `NotFound`, `Forbidden`, `BadQuery` for an unknown or hidden column, `Refused` for an unknown format.
    """
    writer = partial(write_csv, bom=bom) if kind == "csv" else writer_of(kind)
    described = session.app.entities.get(entity)
    access = Access(session)
    if described is None or described.retired or not access.can(entity, "read"):
        raise NotFound()
    if not access.can(entity, "export"):
        raise Forbidden()
    session.take_time()
    paths = tuple(dict.fromkeys(columns or default_columns(session, described)))
    chosen = [_Column(session.app, described, p) for p in paths]
    query = Query(
        entity=entity,
        select=_selected(session, described, paths, kind),
        where=tuple(where),
        sort=tuple(sort),
        limit=PAGE,
        q=q,
        operation="export",
    )
    counted = _Counter(_records(session, query))
    writer(_sheet(session, described, chosen, counted, as_json=kind == "json"), path)
    return counted.count


def _selected(session: Session, entity: Entity, paths: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """The paths to read; JSON says amounts with their currency."""
    code = entity.currency
    wanted = kind == "json" and code is not None and Access(session).visible(entity.name, code)
    return (*paths, code) if wanted and code and code not in paths else paths


class _Counter:
    def __init__(self, rows: Iterator[Row]) -> None:
        self.rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            self.count += 1
            yield row


def _sheet(session: Session, entity: Entity, chosen: list[_Column], rows: _Counter, *, as_json: bool) -> Sheet:
    context = coercion(session)
    if as_json:
        values = ([str(row.id), *(c.json(row, _in_currency(context, entity, row)) for c in chosen)] for row in rows)
        return Sheet(name=entity.name, columns=("id", *(c.path for c in chosen)), rows=values)
    return Sheet(
        name=entity.plural.of(session.language) or entity.name,
        columns=tuple(c.label(session.language) for c in chosen),
        rows=_cells(chosen, rows, context),
        exact=True,
        dates=frozenset(i for i, c in enumerate(chosen) if c.kind.storage == "date"),
        moments=frozenset(i for i, c in enumerate(chosen) if c.kind.storage == "datetime"),
    )


def _in_currency(context: Coercion, entity: Entity, row: Row) -> Coercion:
    """Amounts are said in the record's own currency where it has one."""
    code = row.values.get(entity.currency) if entity.currency else None
    return context if code in (None, context.currency) else replace(context, currency=str(code))


def _cells(chosen: Sequence[_Column], rows: Iterable[Row], context: Coercion) -> Iterator[list[Any]]:
    """The cells of each row; only what differs from its value is touched."""
    paths = [column.path for column in chosen]
    fillers = [(i, fill) for i, column in enumerate(chosen) if (fill := column.filler(context)) is not None]
    for row in rows:
        values = row.values
        cells = [values[path] for path in paths]
        for index, fill in fillers:
            value = cells[index]
            if value is not None:
                cells[index] = fill(value, row)
        yield cells


def _records(session: Session, query: Query) -> Iterator[Row]:
    """The rows of all pages."""
    while True:
        page = run(session, query)
        yield from page.rows
        if page.next is None:
            return
        query = replace(query, cursor=page.next)
