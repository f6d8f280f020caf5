"""Texts of an import that stand for nothing: which, how often, and what they could stand for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from metadata.model import Entity
from runtime.exchange import state
from runtime.exchange.mapping import field_at
from runtime.exchange.source import text_of
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CODES = {"value.unknown_choice": "choice", "value.unknown_choice_hint": "choice", "value.unknown_record": "record"}
MOST_ROWS, MOST_TEXTS = 20_000, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A text in the cells of `field` that is no choice, or no record of the linked entity; of lines as `lines.field`.

    `can_create`: a record may be made of the text alone.
    """

    field: str
    text: str
    kind: Literal["choice", "record"]
    count: int
    can_create: bool = False


def unknown_values(session: Session, import_id: int) -> list[Unknown]:
    """The unknown texts of an import's refused rows, the most frequent first; links named by a key are left out."""
    row, settings, _ = state.load(session, import_id)
    entity = session.app.entities.get(row["target"])
    if entity is None:
        return []
    places = {path: index for index, path in enumerate(settings["paths"]) if path}
    counted: Counter[tuple[str, str, str]] = Counter()
    for (_, cells), problems in islice(state.all_refused(session, import_id), MOST_ROWS):
        for problem in problems:
            kind, name = CODES.get(problem["code"]), problem["field"]
            field = field_at(session.app, entity, name or "")
            if kind is None or field is None or name not in places or field.storage not in ("text", "link"):
                continue
            text = text_of(cells[places[name]]) if places[name] < len(cells) else ""
            if text:
                counted[name, text, kind] += 1
    return [
        Unknown(
            field=name,
            text=text,
            kind="choice" if kind == "choice" else "record",
            count=count,
            can_create=kind == "record" and _creatable(session, name, entity),
        )
        for (name, text, kind), count in counted.most_common(MOST_TEXTS)
    ]


def _creatable(session: Session, path: str, holder: Entity) -> bool:
    """Whether a record of the linked entity may be created of its title alone, by this person."""
    link = field_at(session.app, holder, path)
    entity = session.app.entities.get((link.to if link is not None else None) or "")
    if entity is None or entity.platform or not Access(session).can(entity.name, "create"):
        return False
    needed = [f for f in entity.own_fields if f.required and f.default is None and f.writable and not f.retired]
    title = entity.fields[entity.title]
    return title.storage == "text" and title.writable and all(f.name == entity.title for f in needed)
