"""Why a record has its number: what each part of it stands for, read back from the number itself.

Nothing is kept when a number is given, and the fields it was made of may have changed since: the number is split by
its pattern, first with what the fields hold now. The counter's own value is never told, as it counts records that the
person may not see; what a hidden field gave is not named either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Entity, Numbering
from rules.digits import check_digit, fits
from runtime.decisions.people import names
from runtime.explain import WORDS, explainer, guarded
from runtime.messages import say
from runtime.numbering import field_text, parts_of, path_of
from runtime.records.values import Loader, Stored
from runtime.schema.internal import counter
from runtime.schema.internal_ledgers import number_grant
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST_SKIPPED = 10  # sequences named that were passed over just before
_TOKEN = re.compile("yyyy|yy|MM|dd|.")
_ANY = None  # in place of a field's value: whatever it was


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the pattern and what of the number stands for it; `now` is what the field would give today."""

    kind: str
    given: str
    text: str
    now: str = ""
    hidden: bool = False


@explainer("numbering")
def why_numbered(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """The parts of a record's number in their order, and the sequences passed over just before it.

    A hidden number is as no numbering at all; a masked one is said to be masked.
    """
    described, language = session.app.entities[entity], session.language
    numbering = visible_numbering(session, described)
    if numbering is None:
        return _said(say("number.why.none", language))
    name = numbering.field or ""
    whole = Loader(session).record(entity, record_id)
    assert whole is not None, entity  # it was read just now
    if name in Access(session).masks.hidden_in(entity, whole.row):
        return _said(WORDS["masked"]["zh" if language == "zh" else "en"])
    number = whole.row.get(name)
    if not number:
        return _said(say("number.why.empty", language))
    own = guarded(session, entity, record_id)
    hidden = {path for path in _paths(numbering) if _is_hidden(session, whole, own, path)}
    pieces = split(numbering, whole, str(number), hidden)
    shown = _pattern(numbering, hidden)
    called = numbering.name if numbering.name != entity else described.label.of(language)
    params = {"number": str(number), "pattern": shown, "name": called}
    if pieces is None:
        return _said(say("number.why.other", language, **params)) | {"pattern": shown}
    found = _said(say("number.why.summary", language, **params))
    return found | {"pattern": shown, "steps": list(_steps(session, described, numbering, record_id, pieces))}


def visible_numbering(session: Session, entity: Entity) -> Numbering | None:
    """How records of the entity are numbered, where the person may see the number."""
    number = entity.number
    if number is None or not number.field or number.field not in entity.fields:
        return None
    return number if Access(session).visible(entity.name, number.field) else None


def _said(summary: str) -> dict[str, Any]:
    return {"decision": "numbering", "summary": summary, "steps": []}


# --- the parts -----------------------------------------------------------------------------------------------------


def split(numbering: Numbering, record: Stored, number: str, hidden: set[str]) -> list[Piece] | None:
    """The number by the parts of its pattern; None where it does not follow it, or could be read in two ways."""
    parts = parts_of(numbering.pattern)
    now = [field_text(given, record) if kind == "field" else "" for kind, given in parts]
    fields = [index for index, (kind, _) in enumerate(parts) if kind == "field"]
    for changed in ([], *([index] for index in fields), fields):  # what the number was made of may have changed
        texts: list[str | None] = [_ANY if index in changed else text for index, text in enumerate(now)]
        lazy, greedy = (_match(numbering, parts, texts, number, mark) for mark in ("?", ""))
        if lazy is not None and lazy == greedy:
            return [
                Piece(kind, given, text, now[index], kind == "field" and path_of(given) in hidden)
                for index, ((kind, given), text) in enumerate(zip(parts, lazy))
            ]
    return None


def _match(
    numbering: Numbering, parts: Sequence[tuple[str, str]], texts: Sequence[str | None], number: str, mark: str
) -> tuple[str, ...] | None:
    """What each part matches; with the mark `?` a field of unknown text takes as little as it can, else as much."""
    known = _ANY not in texts

    def pattern(kind: str, given: str, text: str | None) -> str:
        if kind == "text":
            return re.escape(given)
        if kind == "date":
            return "".join(rf"\d{{{len(t)}}}" if t.isalpha() else re.escape(t) for t in _TOKEN.findall(given))
        if kind == "seq":  # it outgrows its width only where nothing else is in doubt
            return rf"\d{{{given}}}" + (rf"|[1-9]\d{{{given},}}" if known else "")
        if kind == "check":
            return rf"\d{{{len(check_digit(numbering.check or '', '0'))}}}"
        return f".*{mark}" if text is None else re.escape(text)

    wanted = "".join(f"({pattern(kind, given, text)})" for (kind, given), text in zip(parts, texts))
    found = re.fullmatch(wanted, number, re.ASCII)
    return None if found is None else found.groups()


def _paths(numbering: Numbering) -> set[str]:
    return {path_of(given) for kind, given in parts_of(numbering.pattern) if kind == "field"}


def _is_hidden(session: Session, whole: Stored, own: Stored, path: str) -> bool:
    """Whether a field of the path, or a record on the way, is not for the person."""
    access, entity = Access(session), whole.plan.name
    for step in path.split("."):
        if not access.visible(entity, step):
            return True
        entity = session.app.entities[entity].fields[step].to or entity
    return field_text(path, whole) != field_text(path, own)


def _pattern(numbering: Numbering, hidden: set[str]) -> str:
    """The pattern with `{…}` in place of what a hidden field gave."""
    written = {"seq": "{{seq:{}}}", "text": "{}"}
    return "".join(
        "{…}" if kind == "field" and path_of(given) in hidden else written.get(kind, "{{{}}}").format(given)
        for kind, given in parts_of(numbering.pattern)
    )


# --- what is said of them ------------------------------------------------------------------------------------------


def _steps(
    session: Session, entity: Entity, numbering: Numbering, record_id: int, pieces: Sequence[Piece]
) -> Iterator[dict[str, Any]]:
    language = session.language
    for piece in pieces:
        if piece.kind == "text":
            yield _step(say("number.why.text", language), piece.text)
        elif piece.kind == "date":
            yield _step(say("number.why.date", language), piece.text, say("number.why.day", language, form=piece.given))
        elif piece.kind == "field":
            yield _of_field(session, entity, piece)
        elif piece.kind == "seq":
            yield _step(
                say("number.why.seq", language), piece.text, _of_sequence(session, numbering, record_id, pieces)
            )
            yield from _skipped(session, numbering, piece.text)
        else:
            yield _of_check(session, numbering, pieces)


def _step(label: str, result: str, why: str = "") -> dict[str, Any]:
    return {"label": label, "result": result, "why": why}


def _of_field(session: Session, entity: Entity, piece: Piece) -> dict[str, Any]:
    if piece.hidden:
        return _step(say("number.why.hidden", session.language), "—")
    changed = piece.now != piece.text
    why = say("number.why.changed" if changed else "number.why.field", session.language, now=piece.now or "—")
    return _step(_label(session, entity, path_of(piece.given)), piece.text or "—", why)


def _label(session: Session, entity: Entity, path: str) -> str:
    labels = []
    for step in path.split("."):
        field = entity.fields[step]
        labels.append(field.label.of(session.language))
        entity = session.app.entities[field.to] if field.to else entity
    return " / ".join(labels)


def _of_sequence(session: Session, numbering: Numbering, record_id: int, pieces: Sequence[Piece]) -> str:
    """Where the sequence comes from, and how far it counts."""
    language = session.language
    digits = next(p.text for p in pieces if p.kind == "seq")
    prefix = "".join("{}" if p.kind == "seq" else p.text for p in pieces if p.kind != "check")
    said = [_origin(session, numbering, record_id, prefix, digits)]
    periods = "".join(p.given for p in pieces if p.kind == "date")
    unit = "day_each" if "dd" in periods else "month" if "MM" in periods else "year" if "yy" in periods else ""
    every = [say(f"number.why.{unit}", language)] if unit else []
    if any(p.kind == "field" for p in pieces):
        every.append(say("number.why.fields", language))
    if every:
        each = say("number.why.and", language).join(every)
        said.append(say("number.why.anew", language, start=numbering.start, each=each))
    else:
        said.append(say("number.why.once", language, start=numbering.start))
    return say("number.why.stop", language).join(said)


def _origin(session: Session, numbering: Numbering, record_id: int, prefix: str, digits: str) -> str:
    language = session.language
    same = (number_grant.c.name == numbering.name, number_grant.c.prefix == prefix, number_grant.c.digits == digits)
    found = session.connection.execute(sa.select(number_grant).where(*same)).mappings().first()
    if found is not None and found["record_id"] == record_id:
        by = names(session, [i for i in (found["granted_by"],) if i is not None]).get(found["granted_by"], "Octavo")
        day = found["granted_at"].astimezone(session.zone).date().isoformat()
        return say("number.why.granted", language, by=by, day=day)
    counted = (counter.c.name == numbering.name, counter.c.prefix == prefix)
    last = session.connection.scalar(sa.select(counter.c.value).where(*counted)) or 0
    avoided = fits((*numbering.skip, *numbering.reserved), digits)
    from_counter = not avoided and numbering.start <= int(digits) <= last
    return say("number.why.counted" if from_counter else "number.why.typed", language)


def _skipped(session: Session, numbering: Numbering, digits: str) -> Iterator[dict[str, Any]]:
    """The sequences just before that the counter passes over, the nearest first; none before a granted one."""
    if fits((*numbering.skip, *numbering.reserved), digits):
        return
    here = int(digits)
    for before in range(here - 1, max(numbering.start - 1, here - 1 - MOST_SKIPPED), -1):
        text = str(before).zfill(len(digits))
        skip = next((p for p in numbering.skip if fits((p,), text)), None)
        reserved = next((p for p in numbering.reserved if fits((p,), text)), None)
        if skip is None and reserved is None:
            return
        word = "number.why.skipped" if skip is not None else "number.why.reserved"
        yield _step(
            say("number.why.before", session.language), text, say(word, session.language, rule=skip or reserved)
        )


def _of_check(session: Session, numbering: Numbering, pieces: Sequence[Piece]) -> dict[str, Any]:
    language, algorithm = session.language, numbering.check or ""
    given = next(p.text for p in pieces if p.kind == "check")
    known = "".join(p.text for p in pieces if p.kind != "check")
    right = check_digit(algorithm, known)
    why = say("number.why.check_of", language, known=known, how=say(f"number.check.{algorithm}", language))
    if right != given:
        why = say("number.why.check_wrong", language, right=right, why=why)
    return _step(say("number.why.check", language), given, why)
