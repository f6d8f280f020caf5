"""The registry: every entity and field ever declared, with its identity and where its data are.

A rename keeps the identity; a retired element keeps its place; `archived` rows hold the values a field had before its
type changed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from runtime.schema.internal import element as element_table

LIVING, RETIRED, ARCHIVED = "living", "retired", "archived"


@dataclass(slots=True, kw_only=True)
class Element:
    """`column_name` is "" for an entity and for a field in a join table, whose own name is then `table_name`."""

    id: int
    kind: str
    entity: str
    field: str
    type: str = ""
    storage: str = ""
    signature: str = ""
    table_name: str = ""
    column_name: str = ""
    state: str = LIVING
    since: int = 0

    @property
    def joined(self) -> bool:
        return self.kind == "field" and bool(self.table_name) and not self.column_name


class Registry:
    """The registry in memory; `save` writes what has changed since `load`."""

    def __init__(self, elements: list[Element]) -> None:
        self.elements = elements
        self._before = {e.id: _row(e) for e in elements}
        self._of_entity: dict[str, list[Element]] | None = None  # the fields by entity, worked out when asked for
        self._next = max((e.id for e in elements), default=0) + 1

    @classmethod
    def load(cls, connection: sa.Connection) -> Registry:
        rows = connection.execute(sa.select(element_table).order_by(element_table.c.id)).mappings()
        return cls([Element(**row) for row in rows])

    def save(self, connection: sa.Connection) -> None:
        """Writes the differences. A statement each for removed, new and changed rows."""
        new = [_row(e) for e in self.elements if e.id not in self._before]
        changed = [_row(e) for e in self.elements if e.id in self._before and _row(e) != self._before[e.id]]
        gone = self._before.keys() - {e.id for e in self.elements}
        if gone:
            connection.execute(sa.delete(element_table).where(element_table.c.id.in_(sorted(gone))))
        if new:
            connection.execute(sa.insert(element_table), new)
        if changed:
            names = [column.name for column in element_table.c if column.name != "id"]
            update = sa.update(element_table).where(element_table.c.id == sa.bindparam("id_"))
            rows = [{"id_": row["id"], **{f"new_{name}": row[name] for name in names}} for row in changed]
            connection.execute(update.values({name: sa.bindparam(f"new_{name}") for name in names}), rows)

    def add(self, element: Element) -> Element:
        element.id = self._next
        self._next += 1
        self.elements.append(element)
        if self._of_entity is not None and element.kind == "field":
            self._of_entity.setdefault(element.entity, []).append(element)
        return element

    def remove(self, element: Element) -> None:
        self.elements.remove(element)
        self._of_entity = None

    def entity(self, name: str) -> Element | None:
        """The entity of this name, living or retired."""
        found = [e for e in self.elements if e.kind == "entity" and e.entity == name and e.state != ARCHIVED]
        return max(found, key=lambda e: e.state == LIVING, default=None)

    def field(self, entity: str, name: str) -> Element | None:
        """The field of this name, living or retired."""
        found = [e for e in self.fields(entity) if e.field == name and e.state != ARCHIVED]
        return max(found, key=lambda e: e.state == LIVING, default=None)

    def fields(self, entity: str) -> list[Element]:
        if self._of_entity is None:
            self._of_entity = {}
            for element in self.elements:
                if element.kind == "field":
                    self._of_entity.setdefault(element.entity, []).append(element)
        return self._of_entity.get(entity, [])

    def renamed(self) -> None:
        """Elements have another entity than before."""
        self._of_entity = None

    def archives(self, entity: str, field: str) -> list[Element]:
        """Earlier values of a field, the latest first."""
        found = [e for e in self.fields(entity) if e.field == field and e.state == ARCHIVED]
        return sorted(found, key=lambda e: -e.id)

    def at_table(self, table: str) -> list[Element]:
        return [e for e in self.elements if e.table_name == table]

    def at_column(self, table: str, column: str) -> Element | None:
        return next((e for e in self.at_table(table) if e.column_name == column), None)


_NAMES = tuple(field.name for field in fields(Element))


def _row(element: Element) -> dict[str, Any]:
    return {name: getattr(element, name) for name in _NAMES}
