"""The plan: from the database as it is to the tables of an application, as typed steps.

Elements are matched by identity (name, or `was:`), their data moved with them; what is in the way or no longer
declared is moved aside and kept. The steps are found on a picture of the database that each step changes in turn, so
that later steps see what earlier ones have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from metadata.fields.base import Coercion
from metadata.model import Application, Entity, Field
from runtime.schema import (  # noqa: F401 - their tables too
    internal_drafts,
    internal_duplicates,
    internal_exchange,
    internal_files,
    internal_ledgers,
    internal_mass,
    internal_records,
    internal_samples,
)
from runtime.schema.convert import DEFAULT_CUSTOM, Convert, Custom, Revert, conversion_context, place_of
from runtime.schema.goals import Goals
from runtime.schema.identity import Identities, Renamed
from runtime.schema.inspect import ForeignKey, Index, Table, inspect_database
from runtime.schema.names import index_name, physical
from runtime.schema.registry import ARCHIVED, LIVING, RETIRED, Element, Registry
from runtime.schema.steps import (
    AddColumn,
    AddForeignKey,
    ClearDangling,
    CreateIndex,
    CreateTable,
    DropForeignKey,
    DropIndex,
    RebuildTable,
    RenameChoices,
    RenameColumn,
    RenameTable,
    Step,
)
from runtime.schema.tables import Tables, column_name, is_column, is_joined

COMPANIONS = ("", "__base", "__sort", "__entity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A field whose values change their type. `reverted`: archived values of that type come back."""

    entity: str
    old: Field
    new: Field
    reverted: bool


@dataclass(slots=True, kw_only=True)
class Plan:
    """The steps in order, and what they mean for elements of the application.

    `present` are the tables that are there, `fresh` stored fields (entity, field) with a column that existing records
    have no value in yet.
    """

    steps: list[Step] = field(default_factory=list)
    present: frozenset[str] = frozenset()
    registry: Registry
    renamed: list[Renamed] = field(default_factory=list)
    retyped: list[Retyped] = field(default_factory=list)
    retired: list[tuple[str, str]] = field(default_factory=list)
    fresh: list[tuple[str, str]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.steps


def plan(
    connection: sa.Connection,
    wanted: Tables,
    old: Application | None,
    new: Application,
    *,
    version: int = 0,
    custom: Custom = DEFAULT_CUSTOM,
) -> Plan:
    """What must be done to the database so that it fits `new`. Reads the database, changes nothing.

    `custom` is how the site writes dates and amounts, for values that change their type.
    """
    return _Planner(connection, wanted, old, new, version, custom).run()


class _Planner:
    def __init__(
        self,
        connection: sa.Connection,
        wanted: Tables,
        old: Application | None,
        new: Application,
        version: int,
        custom: Custom,
    ) -> None:
        self.custom = custom
        self.connection, self.old, self.new, self.version = connection, old, new, version
        self.dialect = connection.dialect
        self.sqlite = connection.dialect.name == "sqlite"
        self.state = inspect_database(connection)
        has_registry = "octavo_element" in self.state
        self.registry = Registry.load(connection) if has_registry else Registry([])
        self.identities = Identities(self.registry, old, new, version)
        self.entities, self.fields = self.identities.entities, self.identities.fields
        self.plan = Plan(
            present=frozenset(self.state),
            registry=self.registry,
            renamed=self.identities.renamed,
            retired=self.identities.retired,
        )
        self.conversions: list[Callable[[], Step]] = []
        self.goals = Goals(wanted, self.dialect)
        self.goal = self.goals.tables

    def run(self) -> Plan:
        self._rename_tables()
        self._rename_columns()
        self._create_tables()
        self._drop_indexes()
        self._add_columns()
        for conversion in self.conversions:
            self._step(conversion())
        self._rename_choices()
        self._foreign_keys()
        self._create_indexes()
        return self.plan

    def _step(self, step: Step) -> None:
        self.plan.steps.append(step)

    # --- moving things to their places -----------------------------------------------------------------------------

    def _rename_tables(self) -> None:
        moves: dict[str, str] = {}
        for name, element in self.entities.items():
            if element.table_name in self.state and element.table_name != self.new.entities[name].table:
                moves[element.table_name] = self.new.entities[name].table
        for (entity, name), element in self.fields.items():
            member = self.new.entities[entity].fields[name]
            if element.joined and element.table_name in self.state:
                target = self._join_name(entity, member)
                if not is_joined(member) or element.signature != self._signature(member):
                    self._archive_join(entity, member, element, moves)
                elif element.table_name != target:
                    moves[element.table_name] = target
        self._adopt_joins(moves)
        self._move_aside(moves, set(self.goal))
        self._move_all(moves, lambda name: name in self.state, self._rename_table)

    def _archive_join(self, entity: str, member: Field, element: Element, moves: dict[str, str]) -> None:
        aside = self._free(element.table_name, lambda name: name in self.state or name in moves.values())
        moves[element.table_name] = aside
        self._retype(entity, member, element, aside, "")

    def _adopt_joins(self, moves: dict[str, str]) -> None:
        """Archived join tables whose type is wanted again go back to their name."""
        for (entity, name), element in self.fields.items():
            member = self.new.entities[entity].fields[name]
            if is_joined(member) and element.signature != self._signature(member):
                archive = self._archive_of(entity, member)
                if archive is not None and archive.table_name in self.state:
                    moves[archive.table_name] = self._join_name(entity, member)

    def _move_aside(self, moves: dict[str, str], goal: set[str]) -> None:
        """What lies where something else belongs gets another name and stays known by its element."""
        for target in [t for t in moves.values() if t in self.state and t not in moves]:
            moves[target] = self._free(target, lambda name: name in self.state or name in goal)
        for name, element in self.entities.items():  # a table of a retired entity under the name of a new one
            table = self.new.entities[name].table
            if not element.table_name and table in self.state and table not in moves and self.registry.at_table(table):
                moves[table] = self._free(table, lambda n: n in self.state or n in goal)

    def _rename_table(self, old: str, new: str) -> None:
        self._step(RenameTable(table=old, to=new))
        self.state[new] = self.state.pop(old).renamed(new)
        for name, table in list(self.state.items()):
            if any(key.target == old for key in table.foreign_keys):
                keys = frozenset(replace(k, target=new) if k.target == old else k for k in table.foreign_keys)
                self.state[name] = replace(table, foreign_keys=keys)
        for element in self.registry.at_table(old):
            element.table_name = new

    @staticmethod
    def _free(name: str, taken: Callable[[str], object]) -> str:
        """`name__r1`, `name__r2`, …: the first that is free."""
        number = 1
        while taken(physical(name, f"r{number}")):
            number += 1
        return physical(name, f"r{number}")

    @staticmethod
    def _move_all(moves: dict[str, str], there: Callable[[str], bool], rename: Callable[[str, str], None]) -> None:
        """All renames, in an order that never meets a name still taken; a ring is opened with a passing name."""
        pending = {old: new for old, new in moves.items() if old != new}
        while pending:
            ready = next((old for old, new in pending.items() if not there(new)), None)
            if ready is None:
                old, new = next(iter(pending.items()))
                rename(old, f"octavo_moving_{len(pending)}")
                del pending[old]
                pending[f"octavo_moving_{len(pending) + 1}"] = new
                continue
            rename(ready, pending.pop(ready))

    def _rename_columns(self) -> None:
        for entity in self.new.entities.values():
            table = self.state.get(entity.table)
            if not entity.retired and table is not None:
                self._rename_columns_of(entity)

    def _rename_columns_of(self, entity: Entity) -> None:
        moves: dict[str, str] = {}
        columns = self.state[entity.table].columns
        wanted = {column_name(f): f for f in entity.fields.values() if is_column(f)}
        taken = {*columns, *wanted}
        for member in entity.fields.values():
            element = self.fields.get((entity.name, member.name))
            if element is None or not element.column_name or element.column_name not in columns:
                continue
            if not is_column(member) or element.signature != self._signature(member):
                aside = self._free(element.column_name, lambda name: name in taken or name in moves.values())
                moves[element.column_name] = aside
                self._retype(entity.name, member, element, entity.table, aside)
            else:
                moves[element.column_name] = column_name(member)
        for name, member in wanted.items():
            archive = self._archive_of(entity.name, member)
            if archive is not None and archive.column_name in columns and self._is_new(entity.name, member):
                moves[archive.column_name] = name
        for target in [t for t in moves.values() if t in columns and t not in moves]:
            moves[target] = self._free(target, lambda name: name in taken or name in moves.values())
        for name in wanted:  # a retired column under the name of a new field
            owner = self.registry.at_column(entity.table, name) if name in columns and name not in moves else None
            if owner is not None and owner is not self.fields.get((entity.name, wanted[name].name)):
                moves[name] = self._free(name, lambda n: n in taken or n in moves.values())
        self._move_all(moves, lambda n: n in self.state[entity.table].columns, self._column_mover(entity.table))

    def _column_mover(self, table: str) -> Callable[[str, str], None]:
        def move(old: str, new: str) -> None:
            for companion in COMPANIONS:
                if old + companion in self.state[table].columns:
                    self._step(RenameColumn(table=table, column=old + companion, to=new + companion))
                    self.state[table] = self.state[table].with_column(old + companion, new + companion)
            element = self.registry.at_column(table, old)
            if element is not None:
                element.column_name = new

        return move

    # --- types that change -----------------------------------------------------------------------------------------

    def _signature(self, member: Field) -> str:
        """Two fields with the same signature can hold each other's stored values."""
        if is_joined(member):
            return f"{member.storage}:{self.entities[member.to].id if member.to in self.entities else ''}"
        if not is_column(member):
            return "none"
        if member.storage == "link":
            return f"link:{self.entities[member.to].id if member.to in self.entities else ''}"
        if member.storage == "decimal":
            return f"decimal:{member.value_type.scale or member.scale}"
        return member.storage

    def _is_new(self, entity: str, member: Field) -> bool:
        """The field has no values of this type in its place yet."""
        return self.fields[entity, member.name].signature != self._signature(member)

    def _archive_of(self, entity: str, member: Field) -> Element | None:
        wanted = self._signature(member)
        return next((a for a in self.registry.archives(entity, member.name) if a.signature == wanted), None)

    def _retype(self, entity: str, member: Field, element: Element, table: str, column: str) -> None:
        """Keeps the present values in the archive and notes how the new ones come about."""
        adopted = self._archive_of(entity, member)
        kept = self.registry.add(replace_element(element, state=ARCHIVED, since=self.version))
        element.table_name = element.column_name = element.signature = ""
        old = self.identities.published_field(entity, member)
        if old is None or not (is_column(member) or is_joined(member)):
            return
        self.plan.retyped.append(Retyped(entity=entity, old=old, new=member, reverted=adopted is not None))
        self.conversions.append(lambda: self._conversion(entity, old, member, kept, adopted))

    def _conversion(self, entity: str, old: Field, member: Field, kept: Element, adopted: Element | None) -> Step:
        home = self.new.entities[entity].table
        target = place_of(member, self._join_name(entity, member) if is_joined(member) else home, column_name(member))
        source = place_of(old, kept.table_name, kept.column_name)
        if adopted is not None:
            self.registry.remove(adopted)
            adopted.state = RETIRED
            return Revert(table=home, archive=target, since=source, context=self._context)
        return Convert(table=home, source=source, target=target, context=self._context)

    def _context(self, connection: sa.Connection) -> Coercion:
        titles = {
            e.name: (e.table, column_name(e.fields[e.title]))
            for e in self.new.entities.values()
            if not e.retired and e.title in e.fields and is_column(e.fields[e.title])
        }
        return conversion_context(connection, self.new, titles, self.custom)

    # --- tables, columns, keys, indexes ----------------------------------------------------------------------------

    def _join_name(self, entity: str, member: Field) -> str:
        return physical(self.new.entities[entity].table, column_name(member))

    def _create_tables(self) -> None:
        for name in self.goal:
            if name not in self.state:
                self._step(CreateTable(table=name, definition=self.goals.definition(name)))
                made = self.goal[name]
                keys = made.foreign_keys if self.sqlite else frozenset()
                self.state[name] = replace(made, indexes=frozenset(), foreign_keys=keys)
        for name, element in self.entities.items():
            element.table_name = self.new.entities[name].table
        for (entity, name), element in self.fields.items():
            self._settle(entity, self.new.entities[entity].fields[name], element)

    def _settle(self, entity: str, member: Field, element: Element) -> None:
        """The element as it will be once the plan has run."""
        table = self.new.entities[entity].table
        fresh = not element.table_name and is_column(member) and not member.system
        if is_joined(member):
            element.table_name, element.column_name = self._join_name(entity, member), ""
        elif is_column(member):
            element.table_name, element.column_name = table, column_name(member)
        else:
            element.table_name = element.column_name = ""
        element.type, element.storage = member.type, member.storage
        element.signature, element.state = self._signature(member), LIVING
        if fresh and member.computed == "stored":
            self.plan.fresh.append((entity, member.name))

    def _ours(self) -> Iterable[Table]:
        """Our tables: those wanted, and those of retired elements."""
        known = {*self.goal, *(e.table_name for e in self.registry.elements)}
        return [table for name, table in self.state.items() if name in known]

    def _wanted_of(self, table: Table) -> Table:
        return self.goal.get(table.name) or replace(table, foreign_keys=self._kept_keys(table), indexes=frozenset())

    def _kept_keys(self, table: Table) -> frozenset[ForeignKey]:
        """Keys of a retired table: those of a join table stay (they cascade), others would refuse a purge unseen."""
        joined = "record_id" in table.primary_key
        return table.foreign_keys if joined else frozenset()

    def _drop_indexes(self) -> None:
        for table in self._ours():
            wanted = self._wanted_of(table).indexes
            for index in sorted(table.indexes - wanted, key=lambda i: i.name):
                self._step(DropIndex(table=table.name, index=index))
            self.state[table.name] = replace(table, indexes=table.indexes & wanted)

    def _add_columns(self) -> None:
        for name, goal in self.goal.items():
            for column in goal.columns:
                if column not in self.state[name].columns:
                    self._add_column(name, column)

    def _add_column(self, name: str, column: str) -> None:
        key = next((k for k in self.goal[name].foreign_keys if k.column == column), None)
        self._step(AddColumn(table=name, definition=self.goals.definition(name).c[column], key=key))
        table = self.state[name]
        keys = table.foreign_keys | ({key} if key and self.sqlite else set())
        columns = {**table.columns, column: self.goal[name].columns[column]}
        self.state[name] = replace(table, columns=columns, foreign_keys=keys)

    def _foreign_keys(self) -> None:
        for table in self._ours():
            wanted = self._wanted_of(table).foreign_keys
            missing, surplus = wanted - table.foreign_keys, table.foreign_keys - wanted
            if not missing and not surplus:
                continue
            before = {(k.column, k.target) for k in table.foreign_keys}
            for key in sorted(missing, key=lambda k: k.column):
                if (key.column, key.target) not in before:
                    self._step(ClearDangling(table=table.name, key=key))
            if self.sqlite:
                rebuilt = replace(table, foreign_keys=wanted, indexes=frozenset())
                self._step(RebuildTable(table=table.name, wanted=rebuilt))
                self.state[table.name] = rebuilt
                continue
            for key in sorted(surplus, key=lambda k: k.column):
                self._step(DropForeignKey(table=table.name, key=key))
            for key in sorted(missing, key=lambda k: k.column):
                self._step(AddForeignKey(table=table.name, key=key))
            self.state[table.name] = replace(table, foreign_keys=wanted)

    def _create_indexes(self) -> None:
        taken = {index.name for table in self.state.values() for index in table.indexes}
        for table in self._ours():
            for index in sorted(self._wanted_of(table).indexes - table.indexes, key=lambda i: i.name):
                named = replace(index, name=_free_name(table.name, index, taken))
                taken.add(named.name)
                self._step(CreateIndex(table=table.name, index=named))
            self.state[table.name] = replace(table, indexes=table.indexes | self._wanted_of(table).indexes)

    # --- choices ---------------------------------------------------------------------------------------------------

    def _rename_choices(self) -> None:
        for options in self.new.options.values():
            before = self.old.options.get(options.name) if self.old else None
            if before is None:
                continue
            held = {choice.name: choice for choice in before.choices}
            names = tuple(
                (old, choice.name)
                for choice in options.choices
                for old in choice.was
                if old in held and (choice.name not in held or old not in held[choice.name].was)
            )
            if names:
                self._rename_choices_of(options.name, names)

    def _rename_choices_of(self, options: str, names: tuple[tuple[str, str], ...]) -> None:
        for entity in self.new.entities.values():
            for member in entity.fields.values():
                if entity.retired or member.options != options:
                    continue
                if is_joined(member):
                    self._step(RenameChoices(table=self._join_name(entity.name, member), column="value", names=names))
                elif is_column(member):
                    self._step(RenameChoices(table=entity.table, column=column_name(member), names=names))


def replace_element(element: Element, **changes: object) -> Element:
    return replace(element, id=0, **changes)  # type: ignore[arg-type]


def _free_name(table: str, index: Index, taken: set[str]) -> str:
    """The index's own name, or the next free one: an index keeps its name when its table is renamed."""
    if index.name not in taken:
        return index.name
    number = 2
    while True:
        where = f"{index.living}{number}"
        name = index_name(table, index.columns, unique=index.unique, where=where)
        if name not in taken:
            return name
        number += 1
