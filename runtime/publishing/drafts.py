"""Drafts: documents of the site layer as they are being written, before they are published together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.packages import Layer
from metadata.source import Document, load_text
from runtime import database
from runtime.errors import RecordProblem, Refused
from runtime.publishing.layers import SITE, files_of, with_site_files
from runtime.schema.internal_drafts import draft

if TYPE_CHECKING:
    from runtime.site import Session

FOLDERS = {
    "entities": ("entity", "options"),
    "rules": ("role", "numbering", "score", "assignment", "approval", "workflow", "pricing", "reminder", "conversion"),
}
_SPLIT = "\n---\n"


@dataclass(frozen=True, slots=True)
class Draft:
    kind: str
    name: str
    text: str


def save(session: Session, kind: str, name: str, text: str) -> None:
    """Keeps the draft of one document. `Refused` where the text does not hold just that document."""
    found, problems = load_text(text, f"{kind}/{name}.yaml", SITE)
    first = problems[0] if problems else None
    if first is not None:
        place = f"{first.place.line}:{first.place.column}"
        raise Refused(problems=[RecordProblem(code="draft.syntax", field="text", params={"place": place})])
    if len(found) != 1 or found[0].kind != kind or found[0].name != name:
        problem = RecordProblem(code="draft.other_document", field="text", params={"kind": kind, "name": name})
        raise Refused(problems=[problem])
    insert = database.insert_or(session.site.dialect)
    values = {"text": text, "changed_at": session.now, "changed_by": session.user.id}
    statement = insert(draft).values(kind=kind, name=name, **values)
    session.connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=values))


def discard(session: Session, drafts: Iterable[Draft] | None = None) -> None:
    """Forgets these drafts as they are, or all; one that was written again meanwhile stays."""
    if drafts is None:
        session.connection.execute(draft.delete())
        return
    for d in drafts:
        same = (draft.c.kind == d.kind) & (draft.c.name == d.name) & (draft.c.text == d.text)
        session.connection.execute(draft.delete().where(same))


def drafts(session: Session) -> list[Draft]:
    rows = session.connection.execute(sa.select(draft.c.kind, draft.c.name, draft.c.text).order_by(*draft.primary_key))
    return [Draft(*row) for row in rows]


def with_drafts(layers: Sequence[Layer], found: Iterable[Draft]) -> list[Layer]:
    """The layers with the drafts in the place of the site layer's documents of the same kind and name."""
    site = next((layer for layer in layers if layer.name == SITE), Layer(name=SITE))
    files = dict(files_of(site))
    for d in found:
        file = _file_of(files, d)
        files[file] = _replaced(files.get(file), d)
    return with_site_files(layers, {name: files[name] for name in files})


def documents(layers: Sequence[Layer]) -> list[Mapping[str, Any]]:
    """What is declared: kind, name, layer and file of every document, lowest layer first."""
    return [
        {"kind": d.kind, "name": d.name, "extend": d.extend, "layer": layer.name, "file": d.file}
        for layer in layers
        for d in layer.documents
    ]


def sources(layers: Sequence[Layer], kind: str, name: str) -> list[dict[str, Any]]:
    """The documents that make up one thing, lowest layer first, each with its own text."""
    return [
        {"layer": layer.name, "file": d.file, "extend": d.extend, "text": _own_text(d)}
        for layer in layers
        for d in layer.documents
        if d.kind == kind and d.name == name
    ]


def _own_text(document: Document) -> str:
    for part in _parts(document.text):
        if _is(part, document.kind, document.name):
            return part
    return document.text


def _file_of(files: Mapping[str, str], wanted: Draft) -> str:
    for file, text in files.items():
        if any(_is(part, wanted.kind, wanted.name) for part in _parts(text)):
            return file
    folder = next((f for f, kinds in FOLDERS.items() if wanted.kind in kinds), "layouts")
    return f"{folder}/{wanted.kind}_{wanted.name}.yaml"


def _replaced(text: str | None, wanted: Draft) -> str:
    if text is None:
        return wanted.text
    parts = _parts(text)
    fitting = [_is(part, wanted.kind, wanted.name) for part in parts]
    if not any(fitting):
        return _SPLIT.join([*(p.strip("\n") for p in parts), wanted.text])
    return _SPLIT.join(wanted.text.strip("\n") if fits else p.strip("\n") for p, fits in zip(parts, fitting)) + "\n"


def _parts(text: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---":
            parts.append([])
        else:
            parts[-1].append(line)
    return [joined for part in parts if (joined := "".join(part)).strip()]


def _is(text: str, kind: str, name: str) -> bool:
    found, _ = load_text(text, "part", SITE)
    return any(d.kind == kind and d.name == name for d in found)
