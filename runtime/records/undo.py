"""Taking back one change of one field: an ordinary update with the value from before, if nothing came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Conflict, NotFound
from runtime.records.past import changes_told, masked_of
from runtime.records.plan import plan_of
from runtime.records.reading import read
from runtime.records.save import Saved, update
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CAUSE = "undo"


def undo_change(session: Session, entity: str, record_id: int, audit_id: int, name: str) -> Saved:
    """Gives the field the value it had before the change that row `audit_id` of the audit tells of.

    All that holds for a change holds for this one: rights, rules, checks, locks. Raises `NotFound` for what is not for
    this person to see, `Conflict` where the field has moved on or is not written by people, and what `update` answers.
    """
    plan, access = plan_of(session, entity), Access(session)
    field = plan.fields.get(name)
    if field is None or not access.visible(entity, name):
        raise NotFound()
    record = read(session, entity, record_id, [name])
    audit = session.table("audit")
    wanted = sa.select(audit.c.changes).where(
        audit.c.id == audit_id, audit.c.entity == entity, audit.c.record == record_id, audit.c.action == "update"
    )
    row = session.connection.execute(wanted.where(audit.c.deleted_at.is_(None))).first()
    masked = masked_of(session, access, entity, record_id)
    told = changes_told(session, access, entity, row.changes or {}, masked) if row is not None else {}
    if name not in told:
        raise NotFound()
    before, after = told[name]
    label = field.label.of(session.language)
    if not field.writable or field.retired:
        raise Conflict("undo.not_this", label=label)
    if not _same(record.values.get(name), after):
        raise Conflict("undo.moved_on", label=label)
    session.cause = CAUSE
    return update(session, entity, record_id, {name: before}, version=record.version)


def _same(now: Any, then: Any) -> bool:
    """Of several choices or links the order says nothing; nothing and an empty list are the same."""
    if isinstance(now, tuple | list) or isinstance(then, tuple | list):
        return sorted(map(str, now or ())) == sorted(map(str, then or ()))
    return bool(now == then)
