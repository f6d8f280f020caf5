"""Seed and demonstration records from YAML: `records: entity`, `match: field`, `rows:`.

A row that `match` finds already is left alone; with `fill: true` it is given what it has nothing in yet, such as the
head of a unit whose people come after the units. `{code: E1}` as a value of a link is the record whose fields have
these values. `today-45 10:00` is a moment relative to the day of loading. `created_at` and, for a user, `password` are
set directly: no channel could set them.

`actions: entity` does what people do with records: `record:` says which, `by:` the login of the person, `do:` the
action, `with:` what it asks. Where it is not open (any more), nothing happens: loading twice does it once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from metadata.model import Entity, Field
from runtime import errors, records
from runtime.schema.internal import password as password_table
from runtime.schema.tables import column_name
from runtime.site import Session

_RELATIVE = re.compile(r"today([+-]\d+)?(?: (\d{2}):(\d{2}))?")
BATCH = 500


class SeedError(Exception):
    """A row of a data file cannot be loaded; the text names file, row and reason."""


def load_data(session: Session, file: Path, *, removable: bool = False) -> int:
    """Loads one file through the record layer; how many records were created.

    `removable`: nothing that could not be taken back, and nobody who could sign in. Entries of ledgers, which are only
    ever added, what people do (approvals that began hold their records) and passwords stay out.
    """
    loader = _Loader(session, file.name, removable)
    created = 0
    for document in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        if document and document.get("actions") in session.app.entities and not removable:
            loader.act(document["actions"], document.get("rows") or [])
        if document and document.get("records") in session.app.entities:
            if removable and session.app.entities[document["records"]].ledger is not None:
                continue
            load = loader.fill if document.get("fill") is True else loader.load
            created += load(document["records"], document.get("match"), document.get("rows") or [])
    return created


class _Waiting(Exception):  # noqa: N818
    """A row refers to a row of the same file that is not created yet."""


class _Loader:
    def __init__(self, session: Session, file: str, removable: bool = False) -> None:
        self.session = session
        self.signs_in = not removable
        self.file = file
        self._found: dict[tuple[str, str], int] = {}
        self._hashes: dict[str, str] = {}

    def load(self, name: str, match: str | list[str] | None, rows: Sequence[Mapping[str, Any]]) -> int:
        """In passes: rows whose references all exist are created together, the rest wait for them."""
        entity = self.session.app.entities[name]
        keys = [match] if isinstance(match, str) else list(match or [])
        waiting = self._missing(entity, keys, rows)
        created = 0
        while waiting:
            ready, later = self._sort(entity, waiting)
            if not ready:
                raise SeedError(f"{self.file}: {name}: nothing is found for {json.dumps(later[0], ensure_ascii=False)}")
            for start in range(0, len(ready), BATCH):
                self._create(entity, ready[start : start + BATCH])
            created += len(ready)
            waiting = later
        return created

    def _missing(
        self, entity: Entity, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """The rows that are not there yet: by one statement where one text tells, else by one a row."""
        if len(keys) == 1 and all(isinstance(row.get(keys[0]), str) for row in rows):
            table, column = self.session.table(entity.name), column_name(entity.fields[keys[0]])
            if entity.fields[keys[0]].storage == "text":
                wanted = sa.select(table.c[column]).where(table.c.deleted_at.is_(None))
                known = set(self.session.connection.scalars(wanted))
                return [row for row in rows if row[keys[0]] not in known]
        return [row for row in rows if not keys or self._find(entity.name, {k: row.get(k) for k in keys}) is None]

    def fill(self, name: str, match: str | list[str] | None, rows: Sequence[Mapping[str, Any]]) -> int:
        """Gives records that are there the values they lack; nothing is created and nothing overwritten."""
        keys = [match] if isinstance(match, str) else list(match or [])
        table = self.session.table(name)
        for row in rows:
            found = self._find(name, {k: row.get(k) for k in keys})
            if found is None:
                continue
            present = self.session.connection.execute(sa.select(table).where(table.c.id == found)).mappings().one()
            given = self._row(self.session.app.entities[name], {k: v for k, v in row.items() if k not in keys})
            lacking = {k: v for k, v in given.items() if present.get(k) is None}
            if lacking:
                records.update(self.session, name, found, lacking)
        return 0

    def act(self, name: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Does actions on behalf of people; how many were open."""
        from runtime import actions  # late: only loading data needs them

        done = 0
        for row in rows:
            record, person = self._find(name, row["record"]), self._find("user", {"login": row["by"]})
            if record is None or person is None:
                raise SeedError(f"{self.file}: {name}: nothing is found for {json.dumps(row, ensure_ascii=False)}")
            session = self.session.sub(person)
            if any(offer.name == row["do"] and offer.open for offer in actions.offers(session, name, record)):
                actions.run(
                    session, name, record, row["do"], self._row(self.session.app.entities[name], row.get("with") or {})
                )
                done += 1
        return done

    def _sort(self, entity: Entity, rows: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Any]]:
        ready: list[dict[str, Any]] = []
        later: list[Any] = []
        for row in rows:
            try:
                ready.append(self._row(entity, row))
            except _Waiting:
                later.append(row)
        return ready, later

    def _row(self, entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(entity.fields.get(name), value) for name, value in row.items()}

    def _value(self, field: Field | None, value: Any) -> Any:
        if isinstance(value, str):
            return self._relative(value)
        if field is None:
            return value
        if isinstance(value, Mapping) and field.to:
            return self._reference(field.to, value)
        if isinstance(value, list) and field.storage == "children" and field.entity:
            child = self.session.app.entities[field.entity]
            return [self._row(child, line) for line in value]
        if isinstance(value, list) and field.to:
            return [self._reference(field.to, v) if isinstance(v, Mapping) else v for v in value]
        return value

    def _relative(self, text: str) -> Any:
        found = _RELATIVE.fullmatch(text)
        if found is None:
            return text
        day = self.session.today + timedelta(days=int(found[1] or 0))
        if found[2] is None:
            return day.isoformat()
        return datetime.combine(day, time(int(found[2]), int(found[3])), self.session.zone).astimezone(UTC).isoformat()

    def _reference(self, entity: str, wanted: Mapping[str, Any]) -> int:
        found = self._find(entity, wanted)
        if found is None:
            raise _Waiting
        return found

    def _find(self, name: str, wanted: Mapping[str, Any]) -> int | None:
        key = (name, json.dumps(wanted, sort_keys=True, ensure_ascii=False, default=str))
        if key not in self._found:
            entity, table = self.session.app.entities[name], self.session.table(name)
            where = [table.c.deleted_at.is_(None)]
            for field_name, value in wanted.items():
                field = entity.fields[field_name]
                if isinstance(value, Mapping):
                    value = self._reference(field.to or "", value)
                elif field.storage == "date" and isinstance(value, str):
                    value = date.fromisoformat(value)
                where.append(table.c[column_name(field)] == value)
            found = self.session.connection.scalar(sa.select(table.c.id).where(*where).order_by(table.c.id).limit(1))
            if found is None:
                return None
            self._found[key] = found
        return self._found[key]

    def _create(self, entity: Entity, rows: list[dict[str, Any]]) -> None:
        from runtime.records import create_many  # late: only loading data needs the record layer

        direct = [{key: row.pop(key) for key in ("created_at", "password") if key in row} for row in rows]
        saved = create_many(self.session, entity.name, rows, atomic=True)
        for position, (extra, result) in enumerate(zip(direct, saved, strict=True)):
            if isinstance(result, errors.Answer):
                raise SeedError(f"{self.file}: {entity.name} row {position + 1}: {result}")
            self._directly(entity, result.id, extra)

    def _directly(self, entity: Entity, record: int, extra: Mapping[Any, Any]) -> None:
        if "created_at" in extra:
            moment = datetime.fromisoformat(str(extra["created_at"]))
            day = moment.astimezone(self.session.zone).date()
            table = self.session.table(entity.name)
            change = sa.update(table).where(table.c.id == record)
            self.session.connection.execute(change.values(created_at=moment, created_on=day, updated_at=moment))
        if "password" in extra and entity.name == "user" and self.signs_in:
            self._set_password(record, str(extra["password"]))

    def _set_password(self, user_id: int, password: str) -> None:
        from runtime.security.passwords import hash_password  # late: argon2 is loaded where a password is set

        if password not in self._hashes:  # the people of a demonstration share one; hashing is slow on purpose
            self._hashes[password] = hash_password(password)
        row = {"user_id": user_id, "hash": self._hashes[password], "changed_at": self.session.now, "must_change": False}
        self.session.connection.execute(sa.insert(password_table).values(row))
