"""Files kept with a record itself, beside its fields: each with its versions, read with the record's own rights.

Every version is a file of its own. `first` of a version is the id of the file it began with; the newest of them is what
the record shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.actions import lock
from runtime.errors import Forbidden, NotFound, RecordProblem, Refused
from runtime.files.attachments import CHUNK, FILE, LINKED, STAGED
from runtime.files.sniff import INLINE
from runtime.records import rulebook
from runtime.records.plan import plan_of
from runtime.security import audit
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST_AT_ONCE = 20
ADDED, REMOVED = "file:add", "file:remove"


@dataclass(slots=True, kw_only=True)
class Kept:
    """The newest version of a file; `earlier` are those before it, the newest first. `size` in bytes."""

    id: int
    first: int
    number: int
    name: str
    media: str
    size: int
    at: datetime
    person: int | None
    earlier: list[Kept] = field(default_factory=list)

    @property
    def picture(self) -> bool:
        """Whether a page may show it as it is."""
        return self.media in INLINE


def kept(session: Session, entity: str, ids: Sequence[int]) -> dict[int, list[Kept]]:
    """The files of records this person may read, in the order they came, one statement for `CHUNK` records.

    The caller has read the records for the person of the session.
    """
    found: dict[int, list[Kept]] = {}
    table = session.table(FILE)
    for start in range(0, len(ids), CHUNK):
        place = _of(table, entity, list(ids)[start : start + CHUNK])
        rows = session.connection.execute(sa.select(table).where(*place).order_by(table.c.id)).mappings()
        for row in rows:
            one = told(row)
            files = found.setdefault(row["parent_record"], [])
            known = next((f for f in files if f.first == one.first), None)
            if known is None:
                files.append(one)
            else:
                one.earlier = [known, *known.earlier]
                known.earlier = []
                files[files.index(known)] = one
    return found


def _of(table: sa.Table, entity: str, ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.parent_record.in_(list(ids)),
        table.c.parent_entity == entity,
        table.c.parent_field.is_(None),
        table.c.state == LINKED,
        table.c.deleted_at.is_(None),
    )


def told(row: Any) -> Kept:
    return Kept(
        id=row["id"],
        first=row["first"] or row["id"],
        number=row["number"] or 1,
        name=row["name"],
        media=row["media"] or "",
        size=row["size"] or 0,
        at=row["created_at"],
        person=row["created_by"],
    )


def keep(session: Session, entity: str, record_id: int, uploads: Sequence[int], *, of: int | None = None) -> list[int]:
    """Gives uploads of this person to a record they may edit; the ids of the files.

    `of` is the file (any version) that the one upload is a new version of. Raises `NotFound`, `Forbidden`, `Conflict`
    where a rule keeps the files as they are, and `Refused` for an upload that is not theirs.
    """
    _may_now(session, entity, record_id)
    return _take(session, entity, record_id, uploads, of)


def keep_with_new(session: Session, entity: str, record_id: int, uploads: Sequence[int]) -> list[int]:
    """As `keep`, with a record this person has just made in the same transaction."""
    if not session.app.entities[entity].files:
        raise NotFound()
    return _take(session, entity, record_id, uploads, None)


def _take(session: Session, entity: str, record_id: int, uploads: Sequence[int], of: int | None) -> list[int]:
    lock(session, entity, record_id)
    first, number = None, 1
    if of is not None:
        first, number = _series(session, entity, record_id, of)
    table = session.table(FILE)
    said: dict[str, Any] = {}
    for upload in list(dict.fromkeys(uploads))[:MOST_AT_ONCE]:
        change = {"state": LINKED, "parent_entity": entity, "parent_record": record_id, "parent_field": None}
        own = (table.c.id == upload, table.c.state == STAGED, table.c.created_by == session.user.id)
        taken = sa.update(table).where(*own, table.c.deleted_at.is_(None))
        taken = taken.values(**change, first=first or upload, number=number).returning(table.c.name)
        name = session.connection.scalar(taken)
        if name is None:
            raise Refused(problems=[RecordProblem(code="file.not_yours")])
        said[f"file:{upload}"] = [None, name]
    audit.write(session, [audit.Entry(entity, record_id, ADDED, said)])
    return [int(key.removeprefix("file:")) for key in said]


def remove(session: Session, entity: str, record_id: int, file_id: int) -> str:
    """Takes a file with all its versions off the record, its name; raises as `keep`."""
    _may_now(session, entity, record_id)
    first, _ = _series(session, entity, record_id, file_id)
    table = session.table(FILE)
    gone = sa.update(table).where(*_of(table, entity, [record_id]), table.c.first == first)
    change = {"deleted_at": session.now, "deleted_by": session.user.id, "updated_at": session.now}
    names = session.connection.scalars(gone.values(**change).returning(table.c.name)).all()
    audit.write(session, [audit.Entry(entity, record_id, REMOVED, {f"file:{first}": [names[-1], None]})])
    return str(names[-1])


def _series(session: Session, entity: str, record_id: int, file_id: int) -> tuple[int, int]:
    """The first version of a file of the record, and the number the next one has."""
    table = session.table(FILE)
    first = session.connection.scalar(
        sa.select(table.c.first).where(*_of(table, entity, [record_id]), table.c.id == file_id)
    )
    if first is None:
        raise NotFound()
    newest = sa.select(sa.func.max(table.c.number)).where(*_of(table, entity, [record_id]), table.c.first == first)
    return int(first), int(session.connection.scalar(newest) or 0) + 1


def _may_now(session: Session, entity: str, record_id: int) -> None:
    """Also by the rules of the record, which stands still meanwhile."""
    _may(session, entity, record_id)
    lock(session, entity, record_id)
    rulebook.attaching(session, plan_of(session, entity), [record_id])


def _may(session: Session, entity: str, record_id: int) -> None:
    """Whether the person may change the record, and its entity keeps files."""
    described = session.app.entities.get(entity)
    access = Access(session)
    if described is None or not described.files or not access.can(entity, "read"):
        raise NotFound()
    table = plan_of(session, entity).table
    for operation, answer in (("read", NotFound), ("edit", Forbidden)):
        wanted = sa.select(table.c.id).where(table.c.id == record_id, table.c.deleted_at.is_(None))
        rows = access.predicate(entity, operation, table)
        if session.connection.execute(wanted if rows is None else wanted.where(rows)).first() is None:
            raise answer()
