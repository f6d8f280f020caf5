"""Files that were put with a record, each version when it came."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from runtime.files.attachments import FILE, LINKED
from runtime.files.kept import told
from runtime.messages import say
from runtime.views.timeline.entries import Entry
from runtime.views.timeline.legs import Leg, Scope

FILES = "files"


def legs(scope: Scope) -> list[Leg]:
    if not scope.entity.files:
        return []
    table = scope.binder.session.table(FILE)
    here = (table.c.parent_entity == scope.entity.name, table.c.parent_record == scope.record)
    return [
        Leg(
            word=FILES,
            label=say("timeline.files", scope.binder.language),
            id=table.c.id,
            at=table.c.created_at,
            person=table.c.created_by,
            source=table,
            wheres=(*here, table.c.parent_field.is_(None), table.c.state == LINKED, table.c.deleted_at.is_(None)),
            tell=_tell,
        )
    ]


def _tell(scope: Scope, ids: Sequence[int]) -> dict[int, Entry]:
    table = scope.binder.session.table(FILE)
    rows = scope.binder.session.connection.execute(sa.select(table).where(table.c.id.in_(list(ids)))).mappings()
    found = {}
    for row in rows:
        file = told(row)
        word = "timeline.file_added" if file.number == 1 else "timeline.file_version"
        found[file.id] = Entry(
            word=FILES,
            leg=FILES,
            id=file.id,
            at=file.at,
            person=file.person,
            said=say(word, scope.binder.language, number=file.number),
            icon="paperclip",
            files=[file],
        )
    return found
