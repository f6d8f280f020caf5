"""Runs of workflows and of rules by the clock, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Forbidden
from runtime.messages import say
from runtime.query.titles import titles_of

if TYPE_CHECKING:
    from runtime.site import Session

PAGE = 50
STATES = ("parked", "stopped", "paused", "waiting", "done", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: int
    workflow: str
    label: str
    event: str
    entity: str | None
    record: int | None
    title: str
    state: str
    step: str | None
    error: str | None
    at: datetime
    resume_at: datetime | None
    steps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """`counts` by state; `rules` the latest runs by the clock."""

    runs: tuple[Run, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] = ()
    more: bool = False


def runs(session: Session, *, state: str | None = None, workflow: str | None = None, page: int = 1) -> Runs:
    """Raises `Forbidden` for those who are no administrators."""
    if not session.user.admin:
        raise Forbidden()
    table = session.table("workflow_run")
    wanted = sa.select(table).where(table.c.deleted_at.is_(None))
    if state in STATES:
        wanted = wanted.where(table.c.state == state)
    if workflow:
        wanted = wanted.where(table.c.workflow == workflow)
    wanted = wanted.order_by(table.c.id.desc()).limit(PAGE + 1).offset((page - 1) * PAGE)
    rows = session.connection.execute(wanted).mappings().all()
    shown = rows[:PAGE]
    steps = _steps(session, [row["id"] for row in shown])
    titles = _titles(session, shown)
    found = tuple(_run(session, dict(row), titles, tuple(steps.get(row["id"], ()))) for row in shown)
    counted = sa.select(table.c.state, sa.func.count()).where(table.c.deleted_at.is_(None)).group_by(table.c.state)
    counts = {str(name): int(n) for name, n in session.connection.execute(counted)}
    return Runs(runs=found, counts=counts, rules=_rules(session), more=len(rows) > PAGE)


def _run(session: Session, row: Mapping[str, Any], titles: Mapping[Any, str], steps: tuple[Any, ...]) -> Run:
    workflow = session.app.of("workflow").get(row["workflow"])
    return Run(
        id=row["id"],
        workflow=row["workflow"],
        label=workflow.label.of(session.language) if workflow else row["workflow"],
        event=row["event"] or "",
        entity=row["entity"],
        record=row["record"],
        title=titles.get((row["entity"], row["record"]), f"#{row['record']}" if row["record"] else ""),
        state=row["state"],
        step=row["step"],
        error=row["error"],
        at=row["created_at"],
        resume_at=row["resume_at"],
        steps=steps,
    )


def _titles(session: Session, rows: Any) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row["entity"] in session.app.entities and row["record"]:
            wanted.setdefault(row["entity"], set()).add(row["record"])
    return {(e, i): t for e, ids in wanted.items() for i, t in titles_of(session, e, sorted(ids)).items()}


def _steps(session: Session, ids: list[int]) -> dict[int, list[Mapping[str, Any]]]:
    table = session.table("workflow_step")
    found: dict[int, list[Mapping[str, Any]]] = {}
    if ids:
        wanted = sa.select(table).where(table.c.run.in_(ids)).order_by(table.c.id)
        for row in session.connection.execute(wanted).mappings():
            said = {
                "state_label": say(f"run.step.{row['state']}", session.language),
                "effect_label": say(f"run.effect.{row['effect']}", session.language) if row["effect"] else "",
            }
            found.setdefault(row["run"], []).append({**row, **said})
    return found


def _rules(session: Session) -> tuple[Mapping[str, Any], ...]:
    table = session.table("rule_run")
    rows = session.connection.execute(sa.select(table).order_by(table.c.id.desc()).limit(30)).mappings()
    found = []
    for row in rows:
        rule = session.app.of(row["word"]).get(row["name"])
        found.append({**row, "label": rule.label.of(session.language) if rule else row["name"]})
    return tuple(found)
