"""What the tables of an application should look like, in the words in which the database is described.

Working it out makes SQLAlchemy's tables of all entities, a fifth of a publish. What an entity came to is kept by the
process under all that decides it, so that the next publish makes tables only of entities that store something else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from metadata.model import Application, Entity, Field
from runtime.schema.inspect import Table, wanted_table
from runtime.schema.internal import INTERNAL
from runtime.schema.tables import Tables

_MOST = 1_000  # entities remembered; a kilobyte or two each
# What a field says to people and to rules; all else may decide what it stores.
_SAID = {
    "label", "help", "placeholder", "required", "default", "formula", "visible_when", "required_when", "readonly_when",
    "max", "min", "where", "settings", "origin", "value_type", "audit", "tracked", "copy", "sensitive", "readonly",
}  # fmt: skip
_STORED = attrgetter(*(f.name for f in fields(Field) if f.name not in _SAID))
_known: OrderedDict[tuple[Any, ...], tuple[Table, ...]] = OrderedDict()


class Goals:
    """The wanted tables, those of the program first; and their definitions, for whoever makes them."""

    def __init__(self, tables: Tables, dialect: sa.Dialect) -> None:
        self._tables = tables
        self.tables: dict[str, Table] = {t.name: wanted_table(t, dialect) for t in INTERNAL.tables.values()}
        for entity in tables.app.entities.values():
            if not entity.retired:
                self.tables.update((table.name, table) for table in self._of(entity, dialect))

    def _of(self, entity: Entity, dialect: sa.Dialect) -> tuple[Table, ...]:
        key = (dialect.name, *_decides(entity, self._tables.app))
        found = _known.get(key)
        if found is None:
            made = self._tables.complete(entity.name)
            found = _known[key] = tuple(wanted_table(table, dialect) for table in made)
            if len(_known) > _MOST:
                _known.popitem(last=False)
        else:
            _known.move_to_end(key)
        return found

    def definition(self, name: str) -> sa.Table:
        """The table to make, in one MetaData with the tables that its links point to."""
        entity = self._tables.entity_of(name)
        if entity is None:
            return INTERNAL.tables[name]
        app = self._tables.app
        for field in app.entities[entity].fields.values():
            if field.to and field.to in app.entities and not app.entities[field.to].retired:
                self._tables.table(field.to)
        return next(table for table in self._tables.complete(entity) if table.name == name)


def _decides(entity: Entity, app: Application) -> Iterator[Any]:
    """All that decides the tables of an entity: equal means equal tables."""
    yield from (entity.table, entity.parent, entity.currency is None, entity.unique, entity.indexes)
    for field in entity.fields.values():
        target = app.entities.get(field.to) if field.to else None
        yield _STORED(field)
        yield field.value_type.scale
        yield (target.table, target.retired) if target is not None else None
