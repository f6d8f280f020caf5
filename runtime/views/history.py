"""The history of a record for people: who, when, and each field's old and new value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from runtime.query.titles import titles_of
from runtime.records import history
from runtime.views.binder import Binder


@dataclass(slots=True, kw_only=True)
class Change:
    name: str
    label: str
    old: Any
    new: Any
    old_title: Any = None
    new_title: Any = None


@dataclass(slots=True, kw_only=True)
class Entry:
    operation: str
    by: str
    at: datetime
    at_text: str
    changes: list[Change]


def changes_of(binder: Binder, entity: str, record_id: int, most: int = 200) -> list[Entry]:
    """The newest first, at most `most`; the runtime leaves out what this user may not see."""
    at_field = binder.app.entities[entity].fields["created_at"]
    moment = binder.field(entity, "created_at")
    coercion = binder.coercion()
    entries = []
    for told in history(binder.session, entity, record_id)[:most]:
        changes = []
        for name, (old, new) in told.changes.items():
            field = binder.app.entities[entity].field(name)
            if field is None or not binder.visible(entity, name) or field.type in ("lines", "secret"):
                continue
            label = field.label.of(binder.language)
            changes.append(Change(name=name, label=label, old=old, new=new))
        text = moment.type.to_text(told.at, at_field, coercion) if moment is not None else told.at.isoformat()
        entries.append(
            Entry(operation=told.operation, by=told.by or "Octavo", at=told.at, at_text=text, changes=changes)
        )
    name_links(binder, entity, entries)
    return entries


class _Told(Protocol):
    changes: list[Change]


def name_links(binder: Binder, entity: str, entries: Sequence[_Told]) -> None:
    """Puts the titles of linked records into the changes, as far as this reader may see them."""
    fields = binder.app.entities[entity].fields
    linked = [(fields[c.name].to or "", c) for e in entries for c in e.changes if fields[c.name].storage == "link"]
    wanted: dict[str, set[int]] = {}
    for target, change in linked:
        wanted.setdefault(target, set()).update(v for v in (change.old, change.new) if isinstance(v, int))
    known = {target: titles_of(binder.session, target, sorted(ids)) for target, ids in wanted.items()}
    for target, change in linked:
        change.old_title = known[target].get(change.old)
        change.new_title = known[target].get(change.new)
