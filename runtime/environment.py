"""What expressions know besides the record: the moment, the person, the working calendar, the exchange rates."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rules.calendar import Calendar
from rules.evaluate import Environment, Values
from rules.working import WorkingTime, parse_spans
from runtime.people import tree_below
from runtime.schema.tables import Tables

if TYPE_CHECKING:
    from runtime.site import Session, Site

KEPT_SECONDS = 10.0  # how old calendar and rates may be; writing them in this process makes them new at once
FACTS = frozenset({"calendar_day", "rate", "currency"})
Rates = Callable[[str, str, date], Decimal | None]


def environment_of(session: Session, user: Values | None = None, **more: Any) -> Environment:
    """The environment of a session; `user` are the person's Values, `more` overrides (old, changed, parameters)."""
    facts = facts_of(session.site, session.connection, session.tables)
    known: dict[str, Any] = {
        "now": session.now,
        "zone": session.zone,
        "user": user,
        "language": session.language,
        "holidays": facts[0],
        "hours": parse_spans(session.site.settings.working_hours),
        "rates": facts[1],
        "currency": session.site.settings.currency,
        "roles": session.user.roles,
        "units": session.user.unit_ids,
        "below": lambda code: units_below(session, code),
    }
    return Environment(**{**known, **more})


def units_below(session: Session, code: str) -> frozenset[int]:
    """Ids of the unit with that code and of all below it; read once a session."""
    known = session.cache.setdefault("units below", {})
    if code not in known:
        unit = session.table("unit")
        start = session.connection.scalar(sa.select(unit.c.id).where(unit.c.code == code, unit.c.deleted_at.is_(None)))
        known[code] = frozenset() if start is None else tree_below(session.connection, unit, "parent", start)
    found: frozenset[int] = known[code]
    return found


def facts_of(site: Site, connection: sa.Connection, tables: Tables) -> tuple[Calendar, Rates]:
    """The working calendar and the rates, read at most every ten seconds."""
    known = site.facts
    if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
        facts = (read_calendar(connection, tables), read_rates(connection, tables, site.settings.currency))
        site.facts = known = (time.monotonic(), facts)
    return known[1]


def working_time(session: Session) -> WorkingTime:
    """The working calendar with the site's hours of a day, in the business zone."""
    calendar, _ = facts_of(session.site, session.connection, session.tables)
    return WorkingTime(calendar, session.zone, parse_spans(session.site.settings.working_hours))


def read_calendar(connection: sa.Connection, tables: Tables) -> Calendar:
    if "calendar_day" not in tables.app.entities:
        return Calendar()
    day = tables.table("calendar_day")
    rows = connection.execute(sa.select(day.c.day, day.c.working).where(day.c.deleted_at.is_(None))).all()
    return Calendar.of(
        holidays=[d for d, working in rows if d and not working], workdays=[d for d, working in rows if d and working]
    )


def read_rates(connection: sa.Connection, tables: Tables, base: str) -> Rates:
    """A function (from, to, day) → how much of `to` one unit of `from` is worth, by the rates valid that day."""
    series: dict[str, list[tuple[date, Decimal]]] = {}
    for currency, day, value in _rate_rows(connection, tables):
        series.setdefault(currency, []).append((day, value))

    def in_base(currency: str, day: date) -> Decimal | None:
        if currency == base:
            return Decimal(1)
        known = series.get(currency, [])
        position = bisect_right(known, day, key=lambda item: item[0])
        return known[position - 1][1] if position else None

    def rates(source: str, target: str, day: date) -> Decimal | None:
        if source == target:
            return Decimal(1)
        worth, unit = in_base(source, day), in_base(target, day)
        return worth / unit if worth and unit else None

    return rates


def _rate_rows(connection: sa.Connection, tables: Tables) -> list[tuple[str, date, Decimal]]:
    if "rate" not in tables.app.entities:
        return []
    rate = tables.table("rate")
    query = sa.select(rate.c.currency, rate.c.day, rate.c.rate).where(rate.c.deleted_at.is_(None))
    rows = connection.execute(query.order_by(rate.c.currency, rate.c.day))
    return [(currency, day, value) for currency, day, value in rows if currency and day and value]
