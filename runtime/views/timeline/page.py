"""One page of the timeline: the newest of all legs in one statement, then what each has to tell of its own.

The number of statements depends on what the entity declares, never on how much happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from runtime.decisions.people import names
from runtime.digits import number_in
from runtime.errors import BadQuery
from runtime.views.timeline import activities, decisions, files, trail
from runtime.views.timeline.entries import Entry
from runtime.views.timeline.legs import Asked, Leg, Scope

PAGE = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`next` leads to what happened before; None at the beginning of time."""

    entries: list[Entry]
    next: str | None


def legs_of(scope: Scope, asked: Asked) -> list[Leg]:
    """Everything the timeline of this record is made of, in an order that stays."""
    found = [
        *activities.legs(scope),
        *trail.legs(scope, asked),
        *decisions.legs(scope),
        *files.legs(scope),
    ]
    return found


def words(scope: Scope) -> list[tuple[str, str]]:
    """(word, label) of what can be asked for alone."""
    found = []
    for leg in legs_of(scope, Asked()):
        found.append((leg.word, leg.label))
        found += [(f"{leg.word}.{name}", f"{leg.label} · {label}") for name, label in leg.kinds]
    return found


def page(scope: Scope, asked: Asked, after: str | None = None, limit: int = PAGE) -> Page:
    """The newest entries, or those that come `after` a cursor. Raises `BadQuery` for a cursor that is none."""
    legs = legs_of(scope, asked)
    wanted = [n for n, leg in enumerate(legs) if asked.wants(leg.word)]
    if not wanted:
        return Page(entries=[], next=None)
    start = None if after is None else _decoded(after)
    selects = [sa.select(_rows(legs[n], n, asked, start, limit + 1).subquery()) for n in wanted]
    whole = sa.union_all(*selects).subquery()
    order = (whole.c.at.desc(), whole.c.leg.asc(), whole.c.id.desc())
    rows = scope.binder.session.connection.execute(sa.select(whole).order_by(*order).limit(limit + 1)).all()
    entries = _told(scope, legs, [(row.leg, row.id) for row in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(entries=entries, next=None if last is None else _encoded(last.at, last.leg, last.id))


def _rows(leg: Leg, number: int, asked: Asked, start: tuple[datetime, int, int] | None, most: int) -> sa.Select[Any]:
    wheres = list(leg.wheres)
    kinds = asked.kinds(leg.word)
    if kinds:
        wheres.append(leg.kind.in_(kinds) if leg.kind is not None else sa.false())
    if asked.person is not None:
        wheres.append(leg.person == asked.person)
    if asked.since is not None:
        wheres.append(leg.at >= asked.since)
    if asked.until is not None:
        wheres.append(leg.at < asked.until)
    if start is not None:
        at, at_leg, at_id = start
        earlier = leg.at < at
        if number == at_leg:
            wheres.append(sa.or_(earlier, sa.and_(leg.at == at, leg.id < at_id)))
        else:
            wheres.append(leg.at <= at if number > at_leg else earlier)
    columns: tuple[Any, ...] = (sa.literal(number, sa.Integer).label("leg"), leg.id.label("id"), leg.at.label("at"))
    chosen = sa.select(*columns).select_from(leg.source).where(*wheres)
    return chosen.order_by(leg.at.desc(), leg.id.desc()).limit(most)


def _told(scope: Scope, legs: list[Leg], keys: list[tuple[int, int]]) -> list[Entry]:
    """The entries in the order of their keys; one that has nothing for this reader is left out."""
    told: dict[tuple[int, int], Entry] = {}
    for number in sorted({n for n, _ in keys}):
        ids = [i for n, i in keys if n == number]
        told.update(((number, i), entry) for i, entry in legs[number].tell(scope, ids).items())
    entries = [told[key] for key in keys if key in told]
    called = names(scope.binder.session, [e.person for e in entries if e.person is not None])
    for entry in entries:
        entry.by = called.get(entry.person or 0, "Octavo")
    return entries


def _encoded(at: datetime, leg: int, record: int) -> str:
    return f"{(at - _EPOCH) // _MILLISECOND}-{leg}-{record}"


def _decoded(text: str) -> tuple[datetime, int, int]:
    parts = [number_in(part) for part in text.split("-")]
    if len(parts) != 3 or parts[0] is None or parts[1] is None or parts[2] is None or parts[0] >= 10**15:
        raise BadQuery("bad_cursor")
    try:
        return _EPOCH + parts[0] * _MILLISECOND, parts[1], parts[2]
    except OverflowError:
        raise BadQuery("bad_cursor") from None
