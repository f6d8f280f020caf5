"""Filling `{paths}` into texts for a reader: in their language, and only with what they may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metadata.model import Text
from metadata.placeholders import filled
from runtime.records.input import coercion
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.records.values import Stored
    from runtime.site import Session

UNSEEN = "…"  # what a reader may not know


def reader_of(session: Session, person: int | None = None, language: str | None = None) -> Session:
    """The session a text is filled in for: a person's, or the system's in a language."""
    found = session.sub(person, cause=session.cause)
    if language is not None:
        found.language = language
    return found


def fill(text: Text | str | None, record: Stored | None, reader: Session) -> str:
    """The text for the reader with its places filled; "" for none."""
    if text is None:
        return ""
    template = text if isinstance(text, str) else text.of(reader.language)
    return filled(template, lambda path: text_at(record, path.split("."), reader))


def text_at(record: Stored | None, path: Sequence[str], reader: Session) -> str:
    """The value at a path as people read it; "" for nothing, `UNSEEN` where the reader may not know it."""
    access = Access(reader)
    here: Any = record
    for name in path[:-1]:
        here = _seen(here, name, access)
        if here is None or here is UNSEEN:
            return here or ""
    value = _seen(here, path[-1], access)
    return value if value is UNSEEN else _said(here, path[-1], value, reader)


def _seen(record: Any, name: str, access: Access) -> Any:
    if record is None:
        return None
    return record.get(name) if access.visible(record.plan.name, name) else UNSEEN


def _said(record: Any, name: str, value: Any, reader: Session) -> str:
    field = record.plan.fields.get(name) if record is not None else None
    if value is None or field is None:
        return ""
    if hasattr(value, "plan"):
        return title_of(value, reader)
    if field.storage in ("links", "children") or field.type == "related":
        return "、".join(title_of(member, reader) for member in record.members(name))
    shown = field
    if field.type == "lookup":  # a value of another record: said as that field says it
        owner = record
        for step in field.of[:-1]:
            owner = owner.get(step)
        if owner is None:
            return ""
        return _said(owner, field.of[-1], value, reader)
    currency = record.raw(record.plan.entity.currency) if record.plan.entity.currency else None
    context = replace(coercion(reader, currency if isinstance(currency, str) else None), language=reader.language)
    return str(record.plan.types[shown.name].to_text(value, shown, context))


def title_of(record: Any, reader: Session) -> str:
    """What a record is called."""
    name = record.plan.entity.title
    if name == "id" or name not in record.plan.fields:
        return f"#{record.record_id}"
    return text_at(record, (name,), reader) or f"#{record.record_id}"
