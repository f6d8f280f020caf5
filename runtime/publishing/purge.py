"""Letting go for ever of what was retired: columns, join tables and tables that no published document names any more.

Nothing of this happens by itself. Publishing moves what is retired aside and keeps it, so that a roll back finds it;
only here does it end. The audit keeps what it has recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from runtime import database
from runtime.errors import NotFound
from runtime.people import SYSTEM
from runtime.publishing.publish import publishing
from runtime.schema.apply import apply
from runtime.schema.inspect import Table, inspect_database
from runtime.schema.plan import COMPANIONS, Plan
from runtime.schema.registry import ARCHIVED, RETIRED, Element, Registry
from runtime.schema.steps import CreateIndex, DropColumns, DropForeignKey, DropIndex, DropTable, RebuildTable, Step
from runtime.security import audit
from runtime.site import Session, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What lies aside. `field` is "" for a whole entity, `values` how many rows hold something.

    `earlier`: values of a field that lives, from before its type changed. `since`: the version that put them aside, or
    for what was retired the one that first had it.
    """

    entity: str
    field: str
    earlier: bool
    since: int
    table: str
    values: int

    @property
    def name(self) -> str:
        return f"{self.entity}.{self.field}" if self.field else self.entity


def remains(site: Site) -> list[Remains]:
    """Everything that lies aside, in the order of its name. Changes nothing."""
    with database.answering(), site.engine.connect() as connection:
        state, registry = inspect_database(connection), Registry.load(connection)
        return _told(connection, state, _aside(registry))


def purge(site: Site, names: Collection[str] = (), user_id: int | None = None) -> list[Remains]:
    """Drops what lies aside, or what of it is called so (`entity` or `entity.field`), in one transaction; what it was.

    Raises `NotFound` for a name of which nothing lies aside; then nothing is dropped.
    """
    with database.answering(), publishing(site) as connection:
        state, registry = inspect_database(connection), Registry.load(connection)
        chosen = [e for e in _aside(registry) if not names or _name(e) in names or e.entity in names]
        for name in names:
            if not any(name in (_name(e), e.entity) for e in chosen):
                raise NotFound("purge.nothing", name=name)
        told = _told(connection, state, chosen)
        plan = Plan(steps=_steps(connection, state, chosen), registry=registry)
        for element in chosen:
            registry.remove(element)
        apply(connection, plan)
        session = Session(
            site=site,
            published=site._pin(connection),
            connection=connection,
            user=SYSTEM if user_id is None else site._user(connection, site._pin(connection), user_id),
            write=True,
        )
        audit.write(session, (audit.Entry(r.entity, 0, "purge", {r.field or "*": [r.values, None]}) for r in told))
    return told


def _name(element: Element) -> str:
    return f"{element.entity}.{element.field}" if element.field else element.entity


def _aside(registry: Registry) -> list[Element]:
    """Retired and archived elements that have a place in the database; fields of a retired entity go with it."""
    gone = {e.entity for e in registry.elements if e.kind == "entity" and e.state == RETIRED}
    aside = [e for e in registry.elements if e.state in (RETIRED, ARCHIVED) or (e.kind == "field" and e.entity in gone)]
    ids = {e.id for e in aside}
    serving = {(e.table_name, e.column_name) for e in registry.elements if e.id not in ids}
    return [e for e in aside if e.table_name and (e.table_name, e.column_name) not in serving]


def _told(connection: sa.Connection, state: dict[str, Table], elements: Sequence[Element]) -> list[Remains]:
    """An entity that goes stands for the fields in its table."""
    whole = {e.table_name for e in elements if e.kind == "entity"}
    apart = [e for e in elements if e.kind == "entity" or not e.column_name or e.table_name not in whole]
    found = [_remains(connection, state, e) for e in apart if e.table_name in state]
    return sorted(found, key=lambda r: (r.entity, r.field, r.earlier, r.since))


def _remains(connection: sa.Connection, state: dict[str, Table], element: Element) -> Remains:
    table = sa.table(element.table_name, *(sa.column(name) for name in state[element.table_name].columns))
    count = sa.select(sa.func.count()).select_from(table)
    if element.column_name in state[element.table_name].columns:
        count = count.where(table.c[element.column_name].is_not(None))
    return Remains(
        entity=element.entity,
        field=element.field,
        earlier=element.state == ARCHIVED,
        since=element.since,
        table=element.table_name,
        values=connection.scalar(count) or 0,
    )


def _steps(connection: sa.Connection, state: dict[str, Table], chosen: Sequence[Element]) -> list[Step]:
    """First what points at tables that go, then columns, then the tables."""
    tables = {e.table_name for e in chosen if not e.column_name and e.table_name in state}
    columns: dict[str, set[str]] = {}
    for element in chosen:
        if element.column_name and element.table_name in state and element.table_name not in tables:
            there = state[element.table_name].columns
            wanted = {element.column_name + more for more in COMPANIONS}
            columns.setdefault(element.table_name, set()).update(wanted & set(there))
    steps: list[Step] = []
    sqlite = connection.dialect.name == "sqlite"
    for name, table in sorted(state.items()):
        if name in tables:
            continue
        going = columns.get(name, set())
        keys = {k for k in table.foreign_keys if k.target in tables or k.column in going}
        if sqlite:
            steps += _on_sqlite(table, going, {k.column for k in keys})
            continue
        steps += [DropForeignKey(table=name, key=key) for key in sorted(keys, key=lambda k: k.column)]
        if going:
            steps.append(DropColumns(table=name, columns=tuple(sorted(going))))
    if not sqlite:  # tables that go may point at each other
        for name in sorted(tables):
            steps += [DropForeignKey(table=name, key=key) for key in state[name].foreign_keys]
    return steps + [DropTable(table=name) for name in sorted(tables)]


def _on_sqlite(table: Table, going: set[str], pointing: set[str]) -> list[Step]:
    """SQLite drops no column that an index or a foreign key names: the first is dropped, the second needs a rebuild."""
    lost = [index for index in table.indexes if going & set(index.columns)]
    if not pointing:
        drops: list[Step] = [DropIndex(table=table.name, index=index) for index in sorted(lost, key=lambda i: i.name)]
        return [*drops, DropColumns(table=table.name, columns=tuple(sorted(going)))] if going else []
    kept = frozenset(index for index in table.indexes if index not in lost)
    wanted = replace(
        table,
        columns={name: words for name, words in table.columns.items() if name not in going},
        required=table.required - going,
        foreign_keys=frozenset(k for k in table.foreign_keys if k.column not in pointing),
        indexes=frozenset(),
    )
    again = [CreateIndex(table=table.name, index=index) for index in sorted(kept, key=lambda i: i.name)]
    return [RebuildTable(table=table.name, wanted=wanted), *again]
