"""Files of records: uploaded (staged), taken by the record saved with them, read with that record's rights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import sqlalchemy as sa

from metadata.model import Field
from runtime.errors import NotFound, RecordProblem, Refused, WrongMedia
from runtime.files.names import safe_name
from runtime.files.sniff import INLINE, media_type
from runtime.files.storage import DEFAULT_MOST, Content, Storage
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session, Site

FILE = "file"
STAGED, LINKED = "staged", "linked"
KEEP_STAGED = timedelta(hours=1)
CHUNK = 500  # values in one IN list


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file to send: `inline` says whether a browser may show it in a page; all else is a download."""

    id: int
    name: str
    media: str
    size: int
    digest: str
    stream: BinaryIO

    @property
    def inline(self) -> bool:
        return self.media in INLINE


def storage_of(site: Site) -> Storage:
    """The site's storage, made once."""
    key = "files.storage"
    found = site.cache.get(key)
    if found is None:
        found = site.cache[key] = Storage(site.settings.storage)
    assert isinstance(found, Storage)
    return found


def upload(session: Session, stream: BinaryIO, name: str, *, field: Field | None = None) -> int:
    """Keeps an upload as staged, readable by its uploader alone, until a record is saved with it. Its id.

    Raises `TooBig`, `WrongMedia`, `Refused` (empty) and `DiskFull`. `field` gives the limits of the field it is for.
    """
    shown = safe_name(name)
    limits = field.settings if field is not None else {}
    content = storage_of(session.site).put(stream, most=int(limits.get("max_size", DEFAULT_MOST)))
    media = _checked(content, shown, field)
    return store_row(session, content, shown, media)


def _checked(content: Content, name: str, field: Field | None) -> str:
    if content.size == 0:
        raise Refused(problems=[RecordProblem(code="file.empty", params={"name": name})])
    media = media_type(name, content.head)
    accept: Sequence[str] = () if field is None else field.settings.get("accept", ())
    if field is not None and field.type == "image":
        accept = tuple(sorted(INLINE))
    if accept and not any(media == a or (a.endswith("/*") and media.startswith(a[:-1])) for a in accept):
        raise WrongMedia("file.not_accepted", accept=", ".join(accept), name=name, media=media)
    return media


def store_row(session: Session, content: Content, name: str, media: str) -> int:
    """The staged record of a content that is in the storage."""
    table = session.table(FILE)
    row: dict[str, Any] = {
        "name": name,
        "digest": content.digest,
        "size": content.size,
        "media": media,
        "state": STAGED,
        "created_at": session.now,
        "created_on": session.today,
        "updated_at": session.now,
        "created_by": session.user.id,
        "updated_by": session.user.id,
        "version": 1,
    }
    result = session.connection.execute(sa.insert(table).values(row).returning(table.c.id))
    return int(result.scalar_one())


class Use(NamedTuple):
    """A file in a field of a record; no record yet where it is being created."""

    entity: str
    record_id: int | None
    field: str
    file_id: int


def usable(session: Session, uses: Sequence[Use]) -> list[bool]:
    """For each use, whether the file may be taken: it is staged by this person, or has its place there already."""
    table = session.table(FILE)
    ids = sorted({use.file_id for use in uses})
    rows: dict[int, Any] = {}
    for start in range(0, len(ids), CHUNK):
        wanted = sa.select(table).where(table.c.id.in_(ids[start : start + CHUNK]), table.c.deleted_at.is_(None))
        rows.update((row["id"], row) for row in session.connection.execute(wanted).mappings())
    seen: set[int] = set()
    fine: list[bool] = []
    for use in uses:
        row = rows.get(use.file_id)
        fine.append(row is not None and use.file_id not in seen and _fits(session, row, use))
        seen.add(use.file_id)
    return fine


def _fits(session: Session, row: Any, use: Use) -> bool:
    if row["state"] == LINKED:
        return bool((row["parent_entity"], row["parent_record"], row["parent_field"]) == use[:3])
    return bool(row["created_by"] == session.user.id)


def link_files(session: Session, uses: Iterable[Use]) -> list[RecordProblem]:
    """Gives files to the records saved with them, in the same transaction.

    A file can be taken by its uploader while it is staged, and stays with the record that took it; any other use is
    answered by a problem that says no more than that there is no such file.
    """
    return [problem for use in uses if (problem := _link(session, use))]


def _link(session: Session, use: Use) -> RecordProblem | None:
    table = session.table(FILE)
    owner = table.c.created_by.is_(None) if session.user.id is None else table.c.created_by == session.user.id
    place = {"parent_entity": use.entity, "parent_record": use.record_id, "parent_field": use.field}
    staged = sa.and_(table.c.state == STAGED, owner)
    here = sa.and_(table.c.state == LINKED, *(table.c[name] == value for name, value in place.items()))
    taken = session.connection.execute(
        sa.update(table)
        .where(table.c.id == use.file_id, table.c.deleted_at.is_(None), sa.or_(staged, here))
        .values(state=LINKED, **place)
    )
    return None if taken.rowcount else RecordProblem(code="file.not_yours", field=use.field)


def open_file(session: Session, file_id: int) -> OpenFile:
    """A file for reading. Raises `NotFound` where there is none, or its record or field may not be read."""
    table = session.table(FILE)
    row = session.connection.execute(
        sa.select(table).where(table.c.id == file_id, table.c.deleted_at.is_(None))
    ).mappings().first()  # fmt: skip
    if row is None or not _readable(session, row):
        raise NotFound()
    stream = storage_of(session.site).open(row["digest"])
    media = row["media"] or "application/octet-stream"
    return OpenFile(id=file_id, name=row["name"], media=media, size=row["size"], digest=row["digest"], stream=stream)


def _readable(session: Session, row: Any) -> bool:
    from runtime.records import read  # late: the record layer itself links files

    if session.user.superuser:
        return True
    if row["state"] != LINKED:
        return row["created_by"] is not None and row["created_by"] == session.user.id
    entity, field = row["parent_entity"], row["parent_field"]
    if entity not in session.app.entities:
        return False
    if field is not None and not Access(session).visible(entity, field):  # none: a file of the record itself
        return False
    try:
        read(session, entity, row["parent_record"], fields=["id"])
    except NotFound:
        return False
    return True


def sweep(site: Site, *, older_than: timedelta = KEEP_STAGED) -> int:
    """Removes uploads that no record took in time, and contents no file refers to. The number of contents removed."""
    with site.session(write=True) as session:
        table = session.table(FILE)
        session.connection.execute(
            sa.delete(table).where(table.c.state == STAGED, table.c.created_at < session.now - older_than)
        )
    storage = storage_of(site)
    with site.session() as session:
        table = session.table(FILE)
        known = set(session.connection.scalars(sa.select(table.c.digest)))
    removed = 0
    for digest in list(storage.older_than(older_than.total_seconds())):
        if digest not in known:
            storage.remove(digest)
            removed += 1
    return removed
