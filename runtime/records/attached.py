"""Files of records: a file field takes an upload of the person who saves, and keeps it for its record alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from metadata.model import Field
from runtime.errors import Refused
from runtime.files.attachments import FILE, Use, link_files, usable
from runtime.records.compute import tree_of
from runtime.records.values import Draft

if TYPE_CHECKING:
    from runtime.site import Session


def check_files(session: Session, asked: Sequence[tuple[Draft, Field, int]]) -> None:
    """Refuses what is not this person's own upload, or already belongs to another record or field."""
    uses = [Use(draft.plan.name, draft.record_id, field.name, target) for draft, field, target in asked]
    fine = usable(session, uses)
    for (draft, field, _), free in zip(asked, fine):
        if not free:
            draft.refuse("file.not_yours", field.name)


def take_files(session: Session, drafts: Sequence[Draft]) -> None:
    """Gives the files newly set to their records. Raises `Refused` where somebody was faster."""
    for plan, members in tree_of(list(drafts)):
        names = [f.name for f in plan.links if f.to == FILE and f.storage == "link"]
        if not names:
            continue
        uses = [
            Use(plan.name, draft.record_id, name, draft.values[name])
            for draft in members
            for name in names
            if draft.values.get(name) is not None and (draft.creating or name in draft.changed)
        ]
        if problems := link_files(session, uses):
            raise Refused(problems=problems)
