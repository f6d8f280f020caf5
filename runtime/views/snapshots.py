"""Snapshots and their differences for people: labels and texts, without what this person may not see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metadata.fields import field_type
from metadata.model import Field
from runtime.query.titles import titles_of
from runtime.records.past import value_of
from runtime.views.binder import Binder

LONGEST = 400
MOST_COLUMNS = 8


@dataclass(slots=True, kw_only=True)
class Fact:
    """A field with its value as text."""

    name: str
    label: str
    text: str


@dataclass(slots=True, kw_only=True)
class Table:
    """Lines as texts, a column per head."""

    label: str
    heads: list[str]
    rows: list[list[str]]


@dataclass(slots=True, kw_only=True)
class LineChange:
    """What became of one line: added, changed or removed."""

    word: str
    title: str
    changes: list[Change]


@dataclass(slots=True, kw_only=True)
class Change:
    """A field that differs, or the lines in which a collection does."""

    name: str
    label: str
    old: str = ""
    new: str = ""
    lines: list[LineChange] = field(default_factory=list)


def facts(binder: Binder, entity: str, snapshot: Mapping[str, Any], names: Iterable[str]) -> list[Fact]:
    """The named fields of a snapshot that have a value."""
    found: list[Fact] = []
    for name in names:
        member = binder.app.entities[entity].fields.get(name)
        if member is None or not binder.visible(entity, name) or member.storage == "children":
            continue
        text = text_of(binder, member, snapshot.get(name))
        if text:
            found.append(Fact(name=name, label=member.label.of(binder.language), text=text))
    return found


def tables(binder: Binder, entity: str, snapshot: Mapping[str, Any]) -> list[Table]:
    """The lines of a snapshot, with the columns in which any line has a value."""
    found: list[Table] = []
    for name, member in binder.app.entities[entity].fields.items():
        lines = snapshot.get(name)
        target = binder.app.entities.get(member.entity or "")
        if member.storage != "children" or not lines or target is None or not binder.visible(entity, name):
            continue
        used = {key for line in lines for key, value in line.items() if value not in (None, [])}
        columns = [f for f in target.fields.values() if f.name in used and binder.visible(target.name, f.name)]
        columns = [f for f in columns if f.storage != "children"][:MOST_COLUMNS]
        rows = [[text_of(binder, column, line.get(column.name)) for column in columns] for line in lines]
        heads = [column.label.of(binder.language) for column in columns]
        found.append(Table(label=member.label.of(binder.language), heads=heads, rows=rows))
    return found


def changes(binder: Binder, entity: str, difference: Mapping[str, Any]) -> list[Change]:
    """A difference as `records.snapshots` finds it, in the order of the fields."""
    found: list[Change] = []
    for name, member in binder.app.entities[entity].fields.items():
        if name not in difference or not binder.visible(entity, name):
            continue
        label = member.label.of(binder.language)
        if member.storage == "children":
            lines = _lines(binder, member.entity or "", difference[name])
            if lines:
                found.append(Change(name=name, label=label, lines=lines))
        elif not isinstance(difference[name], Mapping):  # else: a json value that looks like lines
            old, new = difference[name]
            texts = text_of(binder, member, old), text_of(binder, member, new)
            found.append(Change(name=name, label=label, old=texts[0], new=texts[1]))
    return found


def _lines(binder: Binder, entity: str, given: Mapping[str, Any]) -> list[LineChange]:
    found: list[LineChange] = []
    if not binder.can(entity, "read"):
        return found
    title = binder.app.entities[entity].title
    for word in ("added", "changed", "removed"):
        for row in given.get(word, ()):
            shown = changes(binder, entity, {n: v for n, v in row.items() if n not in ("id", title)})
            name = _line_title(binder, entity, row.get(title)) if title in row else f"#{row.get('id')}"
            found.append(LineChange(word=word, title=name, changes=shown))
    return found


def _line_title(binder: Binder, entity: str, pair: Any) -> str:
    member = binder.app.entities[entity].fields[binder.app.entities[entity].title]
    if not binder.visible(entity, member.name):
        return "…"
    return text_of(binder, member, pair[1] if pair[1] is not None else pair[0])


def text_of(binder: Binder, member: Field, raw: Any) -> str:
    """One value as text; a link by the title of what it leads to, where that is for this person to see."""
    value = value_of(member, raw)
    if value in (None, ()):
        return ""
    if member.storage in ("link", "links"):
        ids = [value] if isinstance(value, int) else [i for i in value if isinstance(i, int)]
        known = titles_of(binder.session, member.to or "user", ids)
        return "、".join(str(known.get(i) or "…") for i in ids)
    try:
        return str(field_type(member.type).to_text(value, member, binder.coercion()))[:LONGEST]
    except (TypeError, ValueError, ArithmeticError, AttributeError):  # a value from before the field had this type
        return str(value)[:LONGEST]
