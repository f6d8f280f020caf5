"""Random applications that change from version to version, with a model of the data they must keep."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from metadata.packages import Layer, load_texts
from runtime.clock import FakeClock
from runtime.schema.tables import Tables, column_name, is_joined

TYPES = ("text", "integer", "decimal", "boolean", "date", "multi_select", "select", "link", "long_text")
RETYPES = {"text": ("integer", "long_text"), "integer": ("text", "decimal"), "decimal": ("integer",), "date": ("text",)}
CHOICES = ("red", "green", "blue")


@dataclass
class Member:
    """A field by identity. `earlier` are the values under types it had before."""

    id: int
    name: str
    type: str
    to: int | None = None
    on_delete: str = "clear"
    unique: bool = False
    required: bool = False
    index: bool = False
    published: str = ""  # the name it had in the version before
    values: dict[int, Any] = field(default_factory=dict)
    earlier: dict[str, dict[int, Any]] = field(default_factory=dict)


@dataclass
class Thing:
    """An entity by identity. `lines` owns records of another thing."""

    id: int
    name: str
    fields: dict[int, Member] = field(default_factory=dict)
    published: str = ""  # the name it had in the version before
    parent: int | None = None
    records: set[int] = field(default_factory=set)
    parents: dict[int, int] = field(default_factory=dict)
    retired_fields: list[Member] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """What is declared now has been published."""
        self.published = self.name
        for member in self.fields.values():
            if member.published and member.published != member.name:
                self.given_up.append(member.published)
            member.published = member.name


class World:
    """A site layer and what its database should hold."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.things: dict[int, Thing] = {}
        self.retired: list[Thing] = []
        self._ids = 0
        self._names = 0
        for _ in range(2):
            self.add_thing()
        self.add_thing(parent=next(iter(self.things)))

    # --- identities

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def next_name(self, stem: str) -> str:
        self._names += 1
        return f"{stem}{self._names}"

    # --- changes: each a small thing an admin does

    def change(self) -> None:
        moves = (self.add_field, self.add_field, self.remove_field, self.rename_field, self.rename_field, self.retype)
        more = (
            self.rename_thing,
            self.add_thing,
            self.remove_thing,
            self.bring_back,
            self.toggle,
            self.toggle,
            self.reuse,
        )
        for _ in range(self.random.randint(1, 3)):
            self.random.choice(moves + more)()

    def add_thing(self, parent: int | None = None) -> None:
        if len(self.things) > 4:
            return
        thing = Thing(id=self.next_id(), name=self.next_name("thing_"), parent=parent)
        self.things[thing.id] = thing
        for _ in range(3):
            self.add_field(thing)

    def _thing(self) -> Thing:
        return self.random.choice(list(self.things.values()))

    def _member(self, thing: Thing) -> Member | None:
        return self.random.choice(list(thing.fields.values())) if thing.fields else None

    def add_field(self, thing: Thing | None = None) -> None:
        thing = thing or self._thing()
        kind = self.random.choice(TYPES)
        to = self._thing().id if kind == "link" else None
        delete = self.random.choice(("clear", "cascade", "refuse"))
        member = Member(id=self.next_id(), name=self.next_name("f"), type=kind, to=to, on_delete=delete)
        thing.fields[member.id] = member

    def remove_field(self) -> None:
        thing = self._thing()
        member = self._member(thing)
        if member is not None and len(thing.fields) > 1:
            thing.retired_fields.append(thing.fields.pop(member.id))

    def rename_field(self) -> None:
        member = self._member(self._thing())
        if member is not None:
            member.name = self.next_name("f")

    def reuse(self) -> None:
        """A new field takes a name that another gave up in an earlier version."""
        thing = self._thing()
        if thing.given_up:
            name = thing.given_up.pop()
            self.add_field(thing)
            list(thing.fields.values())[-1].name = name

    def retype(self) -> None:
        member = self._member(self._thing())
        if member is None or member.type not in RETYPES or member.unique:
            return
        new = self.random.choice(RETYPES[member.type])
        if {new, member.type} == {"text", "long_text"}:
            member.type = new
            return
        before = dict(member.values)
        archived = member.earlier.pop(storage(new), None)
        values = {r: convert(v, member.type, new) for r, v in before.items()}
        if archived is not None:
            values = {}
            for record in before.keys() | archived.keys():
                kept = archived.get(record)
                same = convert(kept, new, member.type) == before.get(record)
                values[record] = kept if same else convert(before.get(record), member.type, new)
        member.earlier[storage(member.type)] = before
        member.values = {r: v for r, v in values.items() if v is not None}
        member.type = new

    def rename_thing(self) -> None:
        thing = self._thing()
        thing.name = self.next_name("thing_")

    def remove_thing(self) -> None:
        thing = self._thing()
        linked = any(m.to == thing.id for t in self.things.values() for m in t.fields.values())
        owned = any(t.parent == thing.id for t in self.things.values())
        if len(self.things) > 2 and not linked and not owned and thing.parent is None:
            self.retired.append(self.things.pop(thing.id))

    def bring_back(self) -> None:
        """A retired entity or field is declared again under its name."""
        thing = self._thing()
        if self.retired and self.random.random() < 0.5:
            back = self.retired.pop()
            if all(m.to is None or m.to in self.things for m in back.fields.values()):
                self.things[back.id] = back
        elif thing.retired_fields:
            member = thing.retired_fields.pop()
            if member.to is None or member.to in self.things:
                thing.fields[member.id] = member

    def toggle(self) -> None:
        member = self._member(self._thing())
        if member is None or member.type in ("multi_select", "long_text"):
            return
        what = self.random.choice(("required", "index", "on_delete", "unique"))
        if what == "on_delete":
            member.on_delete = self.random.choice(("clear", "cascade", "refuse"))
        elif what != "unique" or len(set(member.values.values())) == len(member.values):
            setattr(member, what, not getattr(member, what))

    # --- documents

    def layer(self) -> Layer:
        return load_texts({f"{t.name}.yaml": json.dumps(self.document(t)) for t in self.things.values()}, "site")

    def document(self, thing: Thing) -> dict[str, Any]:
        fields: dict[str, Any] = {m.name: self._declaration(m) for m in thing.fields.values()}
        if thing.parent in self.things:
            fields["owner_of_line"] = {"type": "link", "to": self.things[thing.parent].name}
        for child in self.things.values():
            if child.parent == thing.id:
                fields[f"lines_{child.id}"] = {"type": "lines", "entity": child.name, "by": "owner_of_line"}
        declared: dict[str, Any] = {"entity": thing.name, "fields": fields}
        return declared | earlier_name(thing)

    def _declaration(self, member: Member) -> dict[str, Any]:
        found: dict[str, Any] = {"type": member.type}
        if member.type in ("select", "multi_select"):
            found["options"] = list(CHOICES)
        if member.type == "decimal":
            found["scale"] = 2
        if member.to is not None:
            found |= {"to": self.things[member.to].name, "on_delete": member.on_delete}
        for name in ("unique", "required", "index"):
            if getattr(member, name):
                found[name] = True
        return found | earlier_name(member)

    # --- data

    def fill(self, connection: sa.Connection, tables: Tables, clock: FakeClock) -> None:
        """A few new records in every entity, and some values changed."""
        for thing in self.things.values():
            table = tables.table(thing.name)
            for _ in range(2):
                row = self._stamp(clock)
                if thing.parent in self.things:
                    above = sorted(self.things[thing.parent].records)
                    if not above:
                        continue
                    row["owner_of_line"] = self.random.choice(above)
                record = connection.scalar(sa.insert(table).values(row).returning(table.c.id))
                assert record is not None
                thing.records.add(record)
                if "owner_of_line" in row:
                    thing.parents[record] = row["owner_of_line"]
            for record in sorted(thing.records)[-3:]:
                self._values(connection, tables, thing, record)

    def _stamp(self, clock: FakeClock) -> dict[str, Any]:
        now = clock.now()
        return {"created_at": now, "created_on": now.date(), "updated_at": now, "version": 1}

    def _values(self, connection: sa.Connection, tables: Tables, thing: Thing, record: int) -> None:
        entity = tables.app.entities[thing.name]
        for member in thing.fields.values():
            value = self._value(member, record)
            if value is None:
                continue
            if member.unique and value in member.values.values():
                continue
            member.values[record] = value
            declared = entity.fields[member.name]
            if is_joined(declared):
                join = tables.join_table(thing.name, member.name)
                connection.execute(sa.delete(join).where(join.c.record_id == record))
                connection.execute(sa.insert(join), [{"record_id": record, "value": v} for v in value])
            else:
                table = tables.table(thing.name)
                change = sa.update(table).where(table.c.id == record)
                connection.execute(change.values({column_name(declared): value}))

    def _value(self, member: Member, record: int) -> Any:
        number = self.random.randint(1, 10**6) * 100 + record % 100
        match member.type:
            case "text" | "long_text":
                return str(number) if self.random.random() < 0.6 else f"客户 {number}"
            case "integer":
                return number
            case "decimal":
                return Decimal(number) + (Decimal("0.25") if self.random.random() < 0.3 else 0)
            case "boolean":
                return self.random.random() < 0.5 if not member.unique else None
            case "date":
                from datetime import date, timedelta

                return date(2020, 1, 1) + timedelta(days=number % 3000)
            case "select":
                return self.random.choice(CHOICES) if not member.unique else None
            case "multi_select":
                return tuple(sorted(self.random.sample(CHOICES, 2)))
        targets = sorted(self.things[member.to].records) if member.to in self.things else []
        return self.random.choice(targets) if targets else None

    def differences(self, connection: sa.Connection, tables: Tables) -> list[str]:
        """Where the database does not hold what it should."""
        found: list[str] = []
        for thing in self.things.values():
            table = tables.table(thing.name)
            ids = set(connection.scalars(sa.select(table.c.id)))
            if ids != thing.records:
                found.append(f"{thing.name}: records {ids ^ thing.records}")
            if thing.parent in self.things:
                parents = dict(connection.execute(sa.select(table.c.id, table.c.owner_of_line)).all())
                if parents != thing.parents:
                    found.append(f"{thing.name}: lines {parents} instead of {thing.parents}")
            for member in thing.fields.values():
                have = self._stored(connection, tables, thing, member)
                if have != member.values:
                    found.append(f"{thing.name}.{member.name} ({member.type}): {have} instead of {member.values}")
        return found

    def _stored(self, connection: sa.Connection, tables: Tables, thing: Thing, member: Member) -> dict[int, Any]:
        if member.type == "multi_select":
            join = tables.join_table(thing.name, member.name)
            values: dict[int, Any] = {}
            for record, value in connection.execute(sa.select(join).order_by(join.c.value)):
                values[record] = (*values.get(record, ()), value)
            return values
        column = tables.column(thing.name, member.name)
        rows = connection.execute(sa.select(tables.table(thing.name).c.id, column).where(column.is_not(None)))
        return dict(rows.all())


def earlier_name(item: Thing | Member) -> dict[str, Any]:
    return {"was": [item.published]} if item.published and item.published != item.name else {}


def storage(kind: str) -> str:
    return "text" if kind == "long_text" else kind


def convert(value: Any, old: str, new: str) -> Any:
    """What a value becomes under another type; None where it cannot."""
    if value is None or storage(old) == storage(new):
        return value
    if old == "integer":
        return str(value) if new in ("text", "long_text") else Decimal(value)
    if old == "decimal":
        return int(value) if value == int(value) else None
    if old == "date":
        return value.isoformat()
    if new == "integer":
        return int(value) if value.isdigit() else None
    return None
