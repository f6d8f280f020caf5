"""Why a record is as it is: its history, and explanations of its fields and of access to it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from runtime import explain, records
from runtime.security import audit
from web.api import context
from web.api.records import answer


def record_history(entity: str, identity: str) -> Response:
    given = context.parameters("limit")
    limit = context.whole(given, "limit", 100, 1, 1000)
    with context.reading() as session:
        context.entity_of(session, entity)
        entries = records.history(session, entity, context.record_id(identity))
        return answer({"history": [_entry(e, session.zone) for e in list(entries)[:limit]]})


def _entry(entry: Any, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "version": entry.version,
        "operation": entry.operation,
        "at": entry.at.astimezone(zone),
        "by": None if entry.user_id is None else {"id": str(entry.user_id), "title": entry.user_name},
        "channel": entry.channel,
        "cause": entry.cause,
        "changes": _changes(entry.changes),
        "lines": audit.plain(entry.lines),
    }


def _changes(changes: Any) -> dict[str, Any]:
    return {name: {"from": audit.plain(before), "to": audit.plain(after)} for name, (before, after) in changes.items()}


def explain_record(entity: str, identity: str, what: str) -> Response:
    """`what` is `access`, a kind of rule that decides, or the name of a field."""
    context.parameters()
    with context.reading() as session:
        context.entity_of(session, entity)
        return answer(explain.why(session, entity, context.record_id(identity), what))
