"""Files that no record holds any more: kept as long as the recycle bin keeps records, then removed for ever.

A file leaves its field when another takes its place, and comes back when that change is taken back; a file of a record
that was purged has nothing to come back to. Contents that no file refers to any more are swept from the storage later.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.model import Field
from runtime.files.attachments import FILE, LINKED
from runtime.schema.internal_files import file_left
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session, Site

BATCH = 500


def purge_left(site: Site) -> int:
    """Notes which files have left their records, and removes those that left longer ago than the recycle bin keeps.

    The number of files removed; none of fields while the bin keeps records for ever (`bin_keep_days` is 0).
    """
    with site.session(write=True) as session:
        places = _places(session)
    removed = 0
    for entity, name in places:
        with site.session(write=True) as session:
            described = session.app.entities.get(entity)
            if described is None or described.retired:
                continue
            removed += _without_record(session, entity)
            field = described.fields.get(name or "")
            versions = described.revisions is not None  # which are read for ever, files and all
            if field is not None and not field.retired and field.storage == "link" and not versions:
                _note(session, entity, field)
    days = site.settings.bin_keep_days
    while days > 0:
        with site.session(write=True) as session:
            old = sa.select(file_left.c.file_id).where(file_left.c.left_at < session.now - timedelta(days=days))
            ids = list(session.connection.scalars(old.limit(BATCH)))
            _remove(session, ids)
        if not ids:
            break
        removed += len(ids)
    return removed


def _places(session: Session) -> list[tuple[str, str | None]]:
    """The fields, and records (None), that files belong to."""
    table = session.table(FILE)
    wanted = sa.select(table.c.parent_entity, table.c.parent_field).where(table.c.state == LINKED).distinct()
    found = session.connection.execute(wanted.where(table.c.parent_entity.is_not(None)))
    return [(entity, name) for entity, name in found]


def _note(session: Session, entity: str, field: Field) -> None:
    """Files of the field that no record of the entity, living or recycled, has for its value."""
    file, holder = session.table(FILE), session.table(entity)
    of_field = sa.and_(file.c.parent_entity == entity, file.c.parent_field == field.name, file.c.state == LINKED)
    held = sa.exists().where(holder.c[column_name(field)] == file.c.id)
    noted = sa.exists().where(file_left.c.file_id == file.c.id)
    back = sa.select(file.c.id).where(of_field, held)
    session.connection.execute(sa.delete(file_left).where(file_left.c.file_id.in_(back)))
    gone = session.connection.scalars(sa.select(file.c.id).where(of_field, ~held, ~noted)).all()
    rows = [{"file_id": i, "left_at": session.now} for i in gone]
    if rows:
        session.connection.execute(sa.insert(file_left), rows)


def _without_record(session: Session, entity: str) -> int:
    """Removes the files of records that are gone for ever."""
    file, holder = session.table(FILE), session.table(entity)
    there = sa.exists().where(holder.c.id == file.c.parent_record)
    wanted = sa.select(file.c.id).where(file.c.parent_entity == entity, file.c.state == LINKED, ~there)
    ids = list(session.connection.scalars(wanted))
    for start in range(0, len(ids), BATCH):
        _remove(session, ids[start : start + BATCH])
    return len(ids)


def _remove(session: Session, ids: list[int]) -> None:
    table = session.table(FILE)
    session.connection.execute(sa.delete(file_left).where(file_left.c.file_id.in_(ids)))
    session.connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
