"""Loads records from files: the seed data of an application and of packages, and the demonstration data.

A file holds documents `records: ENTITY` with `rows:`. A link is written as a mapping that finds its target
(`owner: {login: zhangsan}`, `contact: {name: 赵, customer: {name: …}}`), a date may be relative (`today-14`,
`today+3 10:00`), lines are lists of mappings. `match: FIELD` leaves a row alone whose value is there already, so a
folder can be loaded again. Besides fields a row may say `created_at`, and a user `password`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from metadata.model import Entity, Field
from metadata.source import Document, load_text
from runtime.records import create_many
from runtime.schema.internal import password as password_table
from runtime.schema.tables import column_name
from runtime.security.passwords import hash_password
from runtime.site import Session, Site

RELATIVE = re.compile(r"today(?:([+-]\d{1,5}))?(?: (\d{2}):(\d{2}))?")
SYSTEM_KEYS = ("created_at", "password")
MISSING = object()


class DataProblem(Exception):
    """A data file cannot be loaded; the message says where and why, in one sentence."""


@dataclass(slots=True)
class Loader:
    """One transaction's loading. `indexes` find records by the values that files name them with."""

    session: Session
    indexes: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], int]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    def load(self, document: Document) -> int:
        """Creates the rows of a document, those that others refer to first; answers how many."""
        entity = self.session.app.entities.get(document.name)
        if entity is None:
            raise DataProblem(f"{document.file}: there is no entity “{document.name}”.")
        waiting = [dict(row) for row in document.data.get("rows") or ()]
        match, made = document.data.get("match"), 0
        while waiting:
            ready, later = self._ready(entity, waiting, match)
            if len(later) == len(waiting):
                raise DataProblem(f"{document.file}: nothing is there that {self._unfound(entity, later[0])} names.")
            self._create(entity, ready, document)
            made, waiting = made + len(ready), later
        return made

    def _ready(
        self, entity: Entity, rows: list[dict[str, Any]], match: str | None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows whose references are all there, resolved; and the others as they are. What matches is dropped."""
        ready, later = [], []
        for row in rows:
            resolved = self.resolve(entity, row)
            if resolved is MISSING:
                later.append(row)
            elif match is None or self.find(entity.name, {match: row[match]}) is None:
                ready.append(resolved)
        return ready, later

    def _create(self, entity: Entity, rows: list[dict[str, Any]], document: Document) -> None:
        extra = [{key: row.pop(key) for key in SYSTEM_KEYS if key in row} for row in rows]
        saved = create_many(self.session, entity.name, rows)
        if not rows:
            return
        for row, answer in zip(rows, saved):
            if isinstance(answer, Exception):
                raise DataProblem(f"{document.file}: {row} was refused: {answer}.") from answer
        for name in [key for key in self.indexes if key[0] == entity.name]:
            del self.indexes[name]
        ids = [answer.id for answer in saved if not isinstance(answer, Exception)]
        self._date_back(entity, [(id_, more["created_at"]) for id_, more in zip(ids, extra) if "created_at" in more])
        self._set_passwords([(id_, more["password"]) for id_, more in zip(ids, extra) if "password" in more])

    def _date_back(self, entity: Entity, moments: list[tuple[int, datetime]]) -> None:
        """The demonstration has a past: its records were not all made today."""
        if not moments:
            return
        table, zone = self.session.table(entity.name), self.session.zone
        change = sa.update(table).where(table.c.id == sa.bindparam("record"))
        change = change.values(
            created_at=sa.bindparam("moment"), updated_at=sa.bindparam("moment"), created_on=sa.bindparam("day")
        )
        rows = [{"record": id_, "moment": at, "day": at.astimezone(zone).date()} for id_, at in moments]
        self.session.connection.execute(change, rows)

    def _set_passwords(self, given: list[tuple[int, str]]) -> None:
        for user_id, word in given:
            if word not in self.hashes:  # the people of the demonstration share one; hashing is slow on purpose
                self.hashes[word] = hash_password(word)
            row = {"user_id": user_id, "hash": self.hashes[word], "changed_at": self.session.now, "must_change": False}
            self.session.connection.execute(sa.insert(password_table), row)

    # --- values ----------------------------------------------------------------------------------------------------

    def resolve(self, entity: Entity, row: Mapping[str, Any]) -> Any:
        """The row with ids for references and real dates; MISSING where a target is not there yet."""
        values: dict[str, Any] = {}
        for name, raw in row.items():
            value = self._moment(raw) if name == "created_at" else self._value(entity.fields.get(name), raw)
            if value is MISSING:
                return MISSING
            values[name] = value
        return values

    def _value(self, member: Field | None, raw: Any) -> Any:
        if member is None:
            return raw  # an unknown field is refused by the record layer, with its name
        if member.storage in ("link", "links") and raw is not None:
            return self._linked(member, raw)
        if member.storage == "children" and isinstance(raw, list):
            child = self.session.app.entities[member.entity or ""]
            rows = [self.resolve(child, item) for item in raw]
            return MISSING if MISSING in rows else rows
        if member.storage in ("date", "datetime") and isinstance(raw, str):
            found = self._moment(raw)
            return found.date() if member.storage == "date" and isinstance(found, datetime) else found
        return raw

    def _linked(self, member: Field, raw: Any) -> Any:
        many = isinstance(raw, list)
        found = [
            self.find(member.to or "", item) if isinstance(item, Mapping) else item for item in (raw if many else [raw])
        ]
        if None in found:
            return MISSING
        return found if many else found[0]

    def _moment(self, raw: Any) -> Any:
        """`today-14` is a date, `today-14 15:30` a datetime of the business zone; anything else stays as it is."""
        parts = RELATIVE.fullmatch(raw) if isinstance(raw, str) else None
        if parts is None:
            return raw
        day: date = self.session.today + timedelta(days=int(parts[1] or 0))
        clock = time(int(parts[2]), int(parts[3])) if parts[2] else time()
        return datetime.combine(day, clock, self.session.zone)

    # --- references ------------------------------------------------------------------------------------------------

    def find(self, target: str, named: Mapping[str, Any]) -> int | None:
        """The living record of `target` whose fields have these values; of several the oldest. None: not there."""
        entity = self.session.app.entities[target]
        values = self.resolve(entity, named)
        if values is MISSING:
            return None
        names = tuple(sorted(values))
        return self._index(entity, names).get(tuple(values[name] for name in names))

    def _index(self, entity: Entity, names: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
        key = (entity.name, names)
        if key not in self.indexes:
            table = self.session.table(entity.name)
            columns = [table.c[column_name(entity.fields[name])] for name in names]
            living = sa.select(table.c.id, *columns).where(table.c.deleted_at.is_(None)).order_by(table.c.id.desc())
            self.indexes[key] = {tuple(row[1:]): row[0] for row in self.session.connection.execute(living)}
        return self.indexes[key]

    def _unfound(self, entity: Entity, row: Mapping[str, Any]) -> str:
        """The reference of a row that could not be followed, for the message."""
        for name, raw in row.items():
            if self._value(entity.fields.get(name), raw) is MISSING:
                return f"{entity.name}.{name} ({raw})"
        return entity.name


def load_data(site: Site, folder: Path) -> dict[str, int]:
    """Loads every file of a folder in the order of names; one transaction. Answers how many records per entity."""
    made: dict[str, int] = {}
    with site.session(write=True, channel="import") as session:
        loader = Loader(session)
        for document in _documents(folder):
            made[document.name] = made.get(document.name, 0) + loader.load(document)
    return made


def _documents(folder: Path) -> Iterator[Document]:
    for file in sorted(folder.glob("*.yaml")):
        documents, problems = load_text(file.read_bytes(), file.name)
        if problems:
            raise DataProblem(f"{file.name}:{problems[0].place.line}: {problems[0].code}.")
        yield from documents


def load_demo(site: Site, folder: Path) -> dict[str, int]:
    """The demonstration data of an application whose `data` folder this is, or that is the folder itself."""
    inner = folder / "demo"
    return load_data(site, inner if inner.is_dir() else folder)


def load_seed(site: Site, folder: Path) -> dict[str, int]:
    """The records that every site starts with: `seed` in an application's `data` folder."""
    inner = folder / "seed"
    return load_data(site, inner) if inner.is_dir() else {}
