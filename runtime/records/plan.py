"""What writing and reading an entity needs to know, prepared once per published version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.fields import field_type
from metadata.fields.base import FieldType
from metadata.model import Application, Entity, Field
from rules.expression import Expression
from runtime.records.rulebook import RecordRule, record_rules
from runtime.schema.tables import Tables, column_name, has_rate, is_column, is_joined

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True)
class Unique:
    """A set of fields whose values together occur once among the living."""

    fields: tuple[str, ...]


class EntityPlan:
    """One entity as the record layer sees it."""

    def __init__(self, app: Application, tables: Tables, entity: Entity) -> None:
        self.app = app
        self.tables = tables
        self.entity = entity
        self.name = entity.name
        living = [f for f in entity.fields.values() if not f.retired]
        self.fields: dict[str, Field] = {f.name: f for f in living}
        self.types: dict[str, FieldType] = {f.name: field_type(f.type) for f in living}
        self.columns: tuple[Field, ...] = tuple(f for f in living if is_column(f))
        self.joined: tuple[Field, ...] = tuple(f for f in living if is_joined(f))
        self.paired: tuple[Field, ...] = tuple(f for f in living if f.through)
        self.lines: tuple[Field, ...] = tuple(f for f in living if f.storage == "children" and f.computed == "no")
        self.formulas: tuple[Field, ...] = tuple(f for f in living if f.formula is not None and f.computed == "stored")
        self.money: tuple[Field, ...] = tuple(f for f in self.columns if f.type == "money")
        self.tracked: tuple[Field, ...] = tuple(f for f in living if f.tracked)
        self.rated = has_rate(entity)
        self.back = entity.parent[1] if entity.parent else None
        # What is computed is written by the system; `default` and `required` do not concern it.
        self.plain = tuple(f for f in living if not f.system and f.computed == "no" and f.storage != "none")
        self.required = tuple(f for f in self.plain if f.required or f.required_when is not None)
        self.conditional = tuple(f for f in self.plain if f.visible_when is not None or f.readonly_when is not None)
        self.numbered = entity.number.field if entity.number and entity.number.field in self.fields else None

    @cached_property
    def table(self) -> sa.Table:
        return self.tables.table(self.name)

    @cached_property
    def rules(self) -> tuple[RecordRule, ...]:
        """What takes part in writing this entity."""
        return tuple(rule for rule in record_rules() if rule.applies(self.app, self.entity))

    @cached_property
    def links(self) -> tuple[Field, ...]:
        """Fields whose values are ids of records one entity holds."""
        return tuple(f for f in self.plain if f.storage in ("link", "links") and f.to)

    @cached_property
    def uniques(self) -> tuple[Unique, ...]:
        single = [Unique((f.name,)) for f in self.columns if f.unique]
        groups = [Unique(g) for g in self.entity.unique if all(name in self.fields for name in g)]
        return (*single, *groups)

    @cached_property
    def defaults(self) -> tuple[Field, ...]:
        """Fields with a default, each after those its default reads."""
        fields = [f for f in self.plain if f.default is not None]
        return tuple(_in_order(fields, self.name))

    @cached_property
    def audited(self) -> tuple[tuple[str, str], ...]:
        """(name, type) of the fields whose changes are told: all that people write, but the lines."""
        return tuple((f.name, f.type) for f in self.plain if f.audit and f.storage != "children")

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Fields whose values are sealed before they are written."""
        return tuple(f.name for f in self.columns if f.type == "secret")

    @cached_property
    def scope_fields(self) -> frozenset[str]:
        """Changing one of these hands the record to somebody else: it takes `assign`."""
        return frozenset(name for name in (self.entity.owner, self.entity.unit) if name)

    @cached_property
    def select_rows(self) -> sa.Select[Any]:
        """All columns of the table, in the order `row_names` names them."""
        return sa.select(*self.table.c)

    @cached_property
    def row_names(self) -> tuple[str, ...]:
        """Per column of the table the key of the value in a row: field names, else the column's own name."""
        names = {column_name(f): f.name for f in self.columns}
        return tuple(names.get(c.name, c.name) for c in self.table.c)

    @cached_property
    def search_fields(self) -> tuple[Field, ...]:
        return tuple(self.fields[name] for name in self.entity.search if name in self.fields)

    def row(self, values: Any) -> dict[str, Any]:
        """The record of a database row: values by field name; an any_link as (entity, id)."""
        found = dict(zip(self.row_names, values))
        for field in self.any_links:
            target = found.pop(f"{column_name(field)}__entity", None)
            if found.get(field.name) is not None:
                found[field.name] = (target, found[field.name])
        return found

    @cached_property
    def any_links(self) -> tuple[Field, ...]:
        return tuple(f for f in self.columns if f.storage == "any_link")

    @cached_property
    def referring(self) -> tuple[tuple[Entity, Field], ...]:
        """The fields of all entities that may point to a record of this one, lines' way back excepted."""
        found = []
        for other in self.app.entities.values():
            if other.retired:
                continue
            for field in other.fields.values():
                points_here = field.to == self.name and field.storage in ("link", "links") and not field.system
                if points_here and not field.retired and not self.owns(other, field):
                    found.append((other, field))
        return tuple(found)

    def owns(self, other: Entity, field: Field) -> bool:
        return other.parent is not None and other.parent == (self.name, field.name)

    @cached_property
    def children(self) -> tuple[tuple[Entity, str], ...]:
        """Line entities of this one, with the field that points back."""
        found = (e for e in self.app.entities.values() if not e.retired and e.parent and e.parent[0] == self.name)
        return tuple((e, e.parent[1]) for e in found if e.parent)


def plan_of(session: Session, entity: str) -> EntityPlan:
    """The plan of `entity` in the session's version. KeyError for an unknown entity: names come from metadata."""
    return plan_in(session.tables, entity)


def plan_in(tables: Tables, entity: str) -> EntityPlan:
    memo = tables.memo
    found = memo.get(("plan", entity))
    if found is None:
        found = memo["plan", entity] = EntityPlan(tables.app, tables, tables.app.entities[entity])
    return found


def _in_order(fields: list[Field], entity: str) -> list[Field]:
    """Topologically by what the defaults read of the same record; a cycle keeps the declared order."""
    names = {f.name for f in fields}
    waiting = {
        f.name: {n for e, n in f.default.reads if e == entity and n in names and n != f.name}
        if isinstance(f.default, Expression)
        else set()
        for f in fields
    }
    ordered: list[Field] = []
    done: set[str] = set()
    rest = list(fields)
    while rest:
        ready = [f for f in rest if waiting[f.name] <= done] or rest[:1]
        ordered.extend(ready)
        done.update(f.name for f in ready)
        rest = [f for f in rest if f.name not in done]
    return ordered
