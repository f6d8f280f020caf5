"""What new or changed reminders and workflows would do with the data there are, counted before they are published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.effects import Effect
from metadata.texts import Origin
from rules.expression import Expression
from runtime.decisions.reminders import forecast
from runtime.decisions.workflow_history import would_have
from runtime.errors import Answer

if TYPE_CHECKING:
    from runtime.site import Published, Session, Site

HISTORY = timedelta(days=30)
_OPEN = ("waiting", "paused", "parked")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleImpact:
    code: str
    name: str
    entity: str = ""
    count: int = 0
    params: dict[str, str] = field(default_factory=dict)


def rule_findings(connection: sa.Connection, site: Site, old: Published, new: Application) -> Iterator[RuleImpact]:
    """One for each reminder and workflow that is new or says something else than before."""
    session = site.system_session(connection)
    for word, count in (("reminder", _reminder), ("workflow", _workflow)):
        for name, rule in sorted(new.of(word).items()):
            before = old.app.of(word).get(name)
            if not rule.enabled or (before is not None and told(before) == told(rule)):
                continue
            if rule.entity is not None and not is_published(old.app, rule):
                yield RuleImpact(code=f"impact.{word}_unknown", name=name, entity=rule.entity)
                continue
            found = _counted(session, count, rule)
            if found is not None:
                yield found
    yield from _running(session, old.app, new)


def _counted(session: Session, count: Any, rule: Any) -> RuleImpact | None:
    """Counted within a savepoint, of which nothing is kept."""
    with session.connection.begin_nested() as attempt:
        try:
            found: RuleImpact | None = count(session, rule)
        except (KeyError, Answer):
            found = RuleImpact(code=f"impact.{_word(rule)}_unknown", name=rule.name, entity=rule.entity or "")
        attempt.rollback()
    return found


def _word(rule: Any) -> str:
    return type(rule).__name__.lower()


def _reminder(session: Session, rule: Any) -> RuleImpact:
    found = forecast(session, rule)
    params = {"people": "–" if found.people is None else str(found.people)}
    params["lines"] = "–" if found.lines is None else str(found.lines)
    return RuleImpact(code="impact.reminder", name=rule.name, entity=rule.entity, count=found.records, params=params)


def _workflow(session: Session, rule: Any) -> RuleImpact | None:
    if rule.entity is None:
        return None
    found = would_have(session, rule, session.now - HISTORY)
    fired = {"fired": str(found.fired)}
    return RuleImpact(code="impact.workflow", name=rule.name, entity=rule.entity, count=found.records, params=fired)


def _running(session: Session, old: Application, new: Application) -> Iterator[RuleImpact]:
    """Runs that have not ended, of workflows that change or go."""
    table = session.table("workflow_run")
    wanted = sa.select(table.c.workflow, sa.func.count()).where(table.c.state.in_(_OPEN)).group_by(table.c.workflow)
    for name, count in session.connection.execute(wanted):
        before, after = old.of("workflow").get(name), new.of("workflow").get(name)
        if before is not None and (after is None or told(before) != told(after)):
            yield RuleImpact(code="impact.workflow_running", name=name, entity=before.entity or "", count=int(count))


def is_published(app: Application, rule: Any) -> bool:
    """Whether everything its conditions read is there already."""
    if rule.entity not in app.entities:
        return False
    return all(e in app.entities and f in app.entities[e].fields for x in _expressions(rule) for e, f in x.reads)


def _expressions(value: Any) -> Iterator[Expression]:
    """The conditions of a rule; those of its effects concern nobody before they run."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _expressions(part)
    elif is_dataclass(value) and not isinstance(value, Effect | Origin | type):
        for member in fields(value):
            yield from _expressions(getattr(value, member.name))


def told(value: Any) -> Any:
    """A rule as plain data, expressions by their text, without where it stands: equal ones say the same."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Origin):
        return None
    if isinstance(value, tuple):
        return tuple(told(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, tuple(told(getattr(value, member.name)) for member in fields(value))
    return value
