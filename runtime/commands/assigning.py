"""Assignments and pools by hand: running one over what nobody has, replaying one before it is published, returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from metadata.compiler import compile_application
from metadata.model import Application
from metadata.models.assignment import Assignment
from metadata.packages import Layer
from runtime.decisions.assigning import assign_records
from runtime.decisions.replay import BATCH, Replay, replay, unassigned
from runtime.decisions.returns import coming, run_returns
from runtime.errors import BadQuery, NotFound
from runtime.query.select import parse_where
from runtime.site import Site


def run_assignment(site: Site, name: str, where: str | None = None, *, dry_run: bool = False) -> dict[str, int]:
    """Runs the rules over every record nobody has, batch by batch; how many by state.

    A batch is one transaction: a run that is cut short is simply started again. `dry_run` counts only the records.
    Raises `NotFound`, `BadQuery`.
    """
    counts: dict[str, int] = {}
    after = 0
    while True:
        with site.session(write=not dry_run, channel="command") as session:
            assignment: Assignment | None = session.app.of("assignment").get(name)
            if assignment is None:
                raise NotFound()
            narrowed = parse_where(session, assignment.entity, where) if where else None
            ids = unassigned(session, assignment, narrowed, after=after)
            if dry_run:
                counts["records"] = counts.get("records", 0) + len(ids)
            elif ids:
                for state, count in assign_records(session, assignment, ids).states.items():
                    counts[state] = counts.get(state, 0) + count
        if len(ids) < BATCH:
            return counts
        after = ids[-1]


def replay_assignment(
    site: Site, name: str, period: str, layers: Sequence[Layer] | None = None, language: str | None = None
) -> Replay:
    """Replays the assignment as it is in `layers` (None: as published) over the records of a period.

    `period`: `last_month`, `30d`, or `2026-02-01..2026-02-28`. Raises `BadQuery`, `NotFound`.
    """
    with site.session(language=language) as session:
        since, until = period_of(period, session.today, site.zone)
        app: Application = session.app if layers is None else drafted(layers)
        assignment: Assignment | None = app.of("assignment").get(name)
        if assignment is None or assignment.entity not in session.app.entities:
            raise NotFound()
        return replay(session, replace(assignment, confirm=None), since, until)


def drafted(layers: Sequence[Layer]) -> Application:
    """The application as the documents in the folder say. Raises `BadQuery` for documents with errors."""
    compiled = compile_application(layers)
    if compiled.application is None or compiled.errors:
        raise BadQuery("replay.errors", count=len(compiled.errors))
    return compiled.application


def period_of(text: str, today: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last. Raises `BadQuery`."""
    first, last = _days(text.strip(), today)
    if first > last:
        raise BadQuery("replay.period", given=text[:60])
    return _start(first, zone), _start(last + timedelta(days=1), zone)


def _days(text: str, today: date) -> tuple[date, date]:
    if text == "last_month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if text.endswith("d") and text[:-1].isdigit() and int(text[:-1]) <= 3660:
        return today - timedelta(days=int(text[:-1])), today
    begin, _, end = text.partition("..")
    try:
        return date.fromisoformat(begin), date.fromisoformat(end)
    except ValueError:
        raise BadQuery("replay.period", given=text[:60]) from None


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def replay_data(found: Replay) -> dict[str, Any]:
    """A replay as JSON."""
    return {
        "records": found.total,
        "concerned": found.concerned,
        "rules": found.rules,
        "now": found.now,
        "then": found.then,
        "changed": found.changed,
        "differences": [
            {"id": d.record, "title": d.title, "rule": d.rule, "before": d.before, "after": d.after}
            for d in found.differences
        ],
    }


def run_pool(site: Site, name: str, *, dry_run: bool = False) -> dict[str, int]:
    """Warnings, returns and moves of a pool now; `dry_run` only counts. Raises `NotFound`."""
    with site.session() as session:
        pool = session.app.of("pool").get(name)
        if pool is None:
            raise NotFound()
        if dry_run:
            found = {c.record: c for rule in pool.returns for c in coming(session, pool, rule)}
            due = sum(c.now for c in found.values())
            return {"returned": due, "warned": sum(c.announced and not c.now for c in found.values())}
    return run_returns(site, name)
