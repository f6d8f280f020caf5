"""The history of a record, and the record as it was at a moment, from its audit; hidden fields stay hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from runtime.errors import NotFound
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reading import Record
from runtime.schema.tables import is_joined
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change. `changes`: field → (before, after); `lines`: lines field → {added, changed, removed: rows}.

    `version` is the record's version after it, where it has one.
    """

    at: datetime
    operation: str
    user_id: int | None
    user_name: str | None
    channel: str
    request_id: str | None
    cause: str | None = None
    version: int | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def by(self) -> str | None:
        return self.user_name


def history(session: Session, entity: str, record_id: int) -> list[Event]:
    """The changes of a record, the newest first. Raises `NotFound` for one that is not for this user to see."""
    access = Access(session)
    _visible(session, access, entity, record_id)
    plan = plan_of(session, entity)
    entries = _entries(session, entity, record_id)
    masked = masked_of(session, access, entity, record_id)
    version = 0
    events: list[Event] = []
    for row, name in entries:
        version += 1 if row["action"] in ("create", "update") else 0
        changes, lines = _told(session, access, plan, row["changes"] or {}, masked)
        events.append(
            Event(
                at=row["at"],
                operation=row["action"],
                user_id=row["person"],
                user_name=name,
                channel=row["channel"] or "",
                request_id=row["request"],
                cause=row["cause"],
                version=version,
                changes=changes,
                lines=lines,
            )
        )
    return list(reversed(events))


def changes_told(
    session: Session, access: Access, entity: str, changes: Mapping[str, Any], masked: frozenset[str]
) -> dict[str, tuple[Any, Any]]:
    """The changes of one audit row as this reader may know them: field → (before, after)."""
    return _told(session, access, plan_of(session, entity), changes, masked)[0]


def masked_of(session: Session, access: Access, entity: str, record_id: int) -> frozenset[str]:
    """What a pool masks of the record as it lies now: its past is masked with it."""
    if not access.masks.of(entity):
        return frozenset()
    plan = plan_of(session, entity)
    found = session.connection.execute(plan.select_rows.where(plan.table.c.id == record_id)).first()
    return frozenset() if found is None else access.masks.hidden_in(entity, plan.row(found))


def _visible(session: Session, access: Access, entity: str, record_id: int) -> None:
    """Also a recycled record has a history, for who may read it."""
    if entity not in session.app.entities or not access.can(entity, "read"):
        raise NotFound()
    table = plan_of(session, entity).table
    rows = access.predicate(entity, "read", table)
    wanted = sa.select(table.c.id).where(table.c.id == record_id)
    if session.connection.execute(wanted if rows is None else wanted.where(rows)).first() is None:
        raise NotFound()


def _entries(session: Session, entity: str, record_id: int) -> list[tuple[Any, str | None]]:
    audit, person = session.table("audit"), session.table("user")
    columns = [audit.c[name] for name in ("at", "action", "person", "channel", "request", "cause", "changes")]
    statement = (
        sa.select(*columns, person.c.name)
        .outerjoin(person, person.c.id == audit.c.person)
        .where(audit.c.entity == entity, audit.c.record == record_id, audit.c.deleted_at.is_(None))
        .order_by(audit.c.id)
    )
    names = [c.name for c in columns]
    return [(dict(zip(names, row)), row[-1]) for row in session.connection.execute(statement)]


def _told(
    session: Session,
    access: Access,
    plan: EntityPlan,
    changes: Mapping[str, Any],
    masked: frozenset[str] = frozenset(),
) -> tuple[dict[str, tuple[Any, Any]], dict[str, dict[str, Any]]]:
    hidden = access.hidden(plan.name) | masked
    told: dict[str, tuple[Any, Any]] = {}
    lines: dict[str, dict[str, Any]] = {}
    for name, change in changes.items():
        member = plan.fields.get(name)
        if member is None or name in hidden:
            continue
        if member.storage == "children":
            lines[name] = _told_lines(session, access, member, change)
        elif isinstance(change, list) and len(change) == 2:
            told[name] = (value_of(member, change[0]), value_of(member, change[1]))
    return told, lines


def _told_lines(session: Session, access: Access, member: Field, change: Any) -> dict[str, Any]:
    line = plan_of(session, member.entity or "")
    found: dict[str, Any] = {}
    for word, rows in change.items():
        found[word] = []
        for row in rows:
            fields, _ = _told(session, access, line, {k: v for k, v in row.items() if k != "id"})
            found[word].append({"id": row.get("id"), **fields})
    return found


def value_of(member: Field, raw: Any) -> Any:
    """A value as the audit keeps it, as the Python value it was; as it stands where the type has changed since."""
    if raw is None:
        return None
    try:
        match member.storage:
            case "decimal":
                return Decimal(raw)
            case "date":
                return date.fromisoformat(raw)
            case "datetime":
                return datetime.fromisoformat(raw)
            case "time":
                return time.fromisoformat(raw)
            case "choices" | "links" | "any_link":
                return tuple(raw)
    except (ValueError, TypeError, ArithmeticError):
        return raw
    return raw


def read_at(session: Session, entity: str, record_id: int, at: datetime) -> Record:
    """The record as it was at a moment: today's stored values with every later change undone.

    Computed fields are left out: they were never audited. Raises `NotFound` also for a moment before its creation.
    """
    access = Access(session)
    _visible(session, access, entity, record_id)
    plan = plan_of(session, entity)
    entries = [row for row, _ in _entries(session, entity, record_id)]
    if not any(row["action"] == "create" and row["at"] <= at for row in entries):
        raise NotFound()
    masked = masked_of(session, access, entity, record_id)
    values = {n: v for n, v in _present(session, access, plan, record_id).items() if n not in masked}
    version = 0
    for row in reversed(entries):
        if row["at"] <= at:
            version += 1 if row["action"] in ("create", "update") else 0
            continue
        changes, lines = _told(session, access, plan, row["changes"] or {}, masked)
        for name, (before, _after) in changes.items():
            if name in values:  # pairs of records have a past of their own
                values[name] = before
        for name, change in lines.items():
            values[name] = _undone(values.get(name, {}), change)
    lines_of = {f.name for f in plan.lines}
    return Record(record_id, version, {n: _as_lines(v) if n in lines_of else v for n, v in values.items()})


def _present(session: Session, access: Access, plan: EntityPlan, record_id: int) -> dict[str, Any]:
    """The audited values as they are now; lines as {id: values}."""
    from runtime.records.values import Loader

    loader = Loader(session)
    stored = loader.record(plan.name, record_id)
    assert stored is not None  # it was visible a statement ago
    hidden = access.hidden(plan.name)
    values = {
        f.name: loader.joined(plan, f, record_id) if is_joined(f) else stored.raw(f.name)
        for f in (*plan.columns, *plan.joined)
        if _kept(f, hidden)
    }
    for member in plan.lines:
        if member.name in hidden:
            continue
        line = plan_of(session, member.entity or "")
        unseen = access.hidden(line.name)
        values[member.name] = {
            s.row["id"]: {f.name: s.raw(f.name) for f in line.columns if _kept(f, unseen)}
            for s in loader.members(plan, member, record_id)
        }
    return values


def _kept(member: Field, hidden: frozenset[str]) -> bool:
    return not member.system and member.computed == "no" and member.name not in hidden and member.type != "secret"


def _undone(lines: dict[int, dict[str, Any]], change: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    found = {i: dict(values) for i, values in lines.items()}
    for row in change.get("added", ()):
        found.pop(row["id"], None)
    for row in change.get("changed", ()):
        before = {name: pair[0] for name, pair in row.items() if name != "id"}
        found.setdefault(row["id"], {}).update(before)
    for row in change.get("removed", ()):
        found[row["id"]] = {name: pair[0] for name, pair in row.items() if name != "id"}
    return found


def _as_lines(lines: dict[int, dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(Record(i, 0, values) for i, values in sorted(lines.items()))
