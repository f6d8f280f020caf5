"""Numbers of records: `KH{yyyy}{seq:5}`, counted per distinct text around the sequence.

The counter's row is raised in the transaction that uses the number: no two records ever share one, a refused record
leaves no gap, and what was given is never given again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from metadata.model import Numbering
from rules.digits import check_digit, fits
from rules.evaluate import Values
from runtime import database
from runtime.errors import Conflict
from runtime.schema.internal import counter

if TYPE_CHECKING:
    from runtime.site import Session

_WIDE = re.compile(r"(.+):([1-9][0-9]?)")
_PART = re.compile(r"\{([^{}]*)\}")
_DATE = re.compile(r"(?:yyyy|yy|MM|dd|[-/.])+")
_SEQUENCE = re.compile(r"seq(?::(\d{1,2}))?")
_MARK = "\x00"
_CHECK = "\x01"
_LONGEST_GAP = 1_000_000  # sequences that may be skipped in a row


@lru_cache(maxsize=512)
def parts_of(pattern: str) -> tuple[tuple[str, str], ...]:
    """The pattern as (kind, text): text, date, field (a dotted path, maybe `:width`), seq (its width), check."""
    parts: list[tuple[str, str]] = []
    place = 0
    for found in _PART.finditer(pattern):
        if found.start() > place:
            parts.append(("text", pattern[place : found.start()]))
        inside = found.group(1)
        sequence = _SEQUENCE.fullmatch(inside)
        if sequence:
            parts.append(("seq", sequence.group(1) or "1"))
        elif inside == "check":
            parts.append(("check", inside))
        else:
            parts.append(("date" if _DATE.fullmatch(inside) else "field", inside))
        place = found.end()
    if place < len(pattern):
        parts.append(("text", pattern[place:]))
    return tuple(parts)


def numbers(session: Session, numbering: Numbering, records: Sequence[Values]) -> list[str]:
    """The next number for each of `records`, in order; one statement per distinct prefix."""
    templates = [_template(numbering.pattern, record, session.today) for record in records]
    counts: dict[str, int] = {}
    for prefix, _width in templates:
        counts[prefix] = counts.get(prefix, 0) + 1
    widths = dict(templates)
    taken = {
        prefix: iter(_take(session, numbering, prefix, widths[prefix], count))
        for prefix, count in sorted(counts.items())
    }
    return [written(numbering, prefix, str(next(taken[prefix])).zfill(width)) for prefix, width in templates]


def template(session: Session, numbering: Numbering, record: Values) -> tuple[str, int]:
    """The record's number with a mark in place of its sequence, and the width of the sequence."""
    return _template(numbering.pattern, record, session.today)


def written(numbering: Numbering, prefix: str, digits: str) -> str:
    """A template with its sequence and, where there is one, its check digit."""
    if numbering.check is None:
        return prefix.replace(_MARK, digits)
    known = prefix.replace(_MARK, digits).replace(_CHECK, "")
    return prefix.replace(_MARK, digits).replace(_CHECK, check_digit(numbering.check, known))


def counted(prefix: str) -> str:
    """The name under which the sequences of a template are counted."""
    return prefix.replace(_MARK, "{}").replace(_CHECK, "")


def _take(session: Session, numbering: Numbering, prefix: str, width: int, count: int) -> list[int]:
    """The next `count` sequences that may be given; the counter's row is ours from the first raise on."""
    last = _raise(session, numbering, prefix, count)
    avoided = (*numbering.skip, *numbering.reserved)
    if not avoided:
        return list(range(last - count + 1, last + 1))
    found: list[int] = []
    here = last - count
    while len(found) < count:
        here += 1
        if not fits(avoided, str(here).zfill(width)):
            found.append(here)
        elif here - last > _LONGEST_GAP:
            raise Conflict("numbers_exhausted")
    if here > last:
        _raise(session, numbering, prefix, here - last)
    return found


def _template(pattern: str, record: Values, today: date) -> tuple[str, int]:
    """The number with a mark in place of its sequence, and the sequence's width."""
    width = 1
    text = ""
    for kind, value in parts_of(pattern):
        if kind == "text":
            text += value
        elif kind == "date":
            text += _date(value, today)
        elif kind == "seq":
            text += _MARK
            width = int(value)
        elif kind == "check":
            text += _CHECK
        else:
            text += field_text(value, record)
    return (text if _MARK in text else text + _MARK), width


def _date(tokens: str, today: date) -> str:
    year = f"{today.year:04d}"
    text = tokens.replace("yyyy", year).replace("yy", year[2:])
    return text.replace("MM", f"{today.month:02d}").replace("dd", f"{today.day:02d}")


def path_of(given: str) -> str:
    """The dotted path of a field's part, without its width."""
    wide = _WIDE.fullmatch(given)
    return wide[1] if wide else given


def field_text(path: str, record: Values) -> str:
    """What a field's part (a dotted path, maybe `:width`) gives for a record; "" for nothing."""
    wide = _WIDE.fullmatch(path)
    value: object = record
    for step in path_of(path).split("."):
        value = value.get(step) if hasattr(value, "get") else None
    text = "" if value is None or hasattr(value, "get") else str(value).replace(_MARK, "").replace(_CHECK, "")
    return text.zfill(int(wide[2])) if wide else text


def _raise(session: Session, numbering: Numbering, prefix: str, count: int) -> int:
    """Raises the counter by `count` and answers its new value. Locks the counter's row until the end."""
    insert = database.insert_or(session.site.dialect)
    first = insert(counter).values(name=numbering.name, prefix=counted(prefix), value=numbering.start - 1 + count)
    upsert = first.on_conflict_do_update(
        index_elements=[counter.c.name, counter.c.prefix], set_={"value": counter.c.value + count}
    )
    return int(session.connection.execute(upsert.returning(counter.c.value)).scalar_one())
