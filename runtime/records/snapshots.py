"""What a record says, as plain data: taken when it is submitted or comes into force, compared line by line later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from metadata.model import Field
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import Draft, Stored
from runtime.schema.tables import is_column, is_joined
from runtime.security.audit import plain
from runtime.site import Session

Snapshot = dict[str, Any]


def take(record: Any) -> Snapshot:
    """All that people write in a record (a draft, or as stored) and its lines, with what is computed; no secrets."""
    return {**_values(record), **{f.name: _lines(record, f) for f in record.plan.lines}}


def _values(record: Draft | Stored) -> Snapshot:
    found: Snapshot = {}
    for field in record.plan.fields.values():
        if not _kept(record.plan, field):
            continue
        value = record.many(field) if is_joined(field) else record.raw(field.name)
        if value is not None and value != ():
            found[field.name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    """Numbers without the zeros of their scale: what is equal looks equal, however it was written."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return plain(value)


def _kept(plan: EntityPlan, field: Field) -> bool:
    stored = is_column(field) or is_joined(field)
    return stored and not field.system and field.type != "secret" and field.name != plan.back


def _lines(record: Draft | Stored, field: Field) -> list[Snapshot]:
    return [{"id": _id(line), **take(line)} for line in record.members(field.name)]


def _id(line: Any) -> int | None:
    found: int | None = line.record_id
    return found


def difference(before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str] | None = None) -> Snapshot:
    """{field: [before, after]}; per lines field what was added, changed and removed, as the audit keeps it."""
    found: Snapshot = {}
    for name in names if names is not None else dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if _is_lines(old) or _is_lines(new):
            change = _lines_difference(old or [], new or [])
            if change:
                found[name] = change
        elif old != new:
            found[name] = [old, new]
    return found


def _is_lines(value: Any) -> bool:
    """Rows as `_lines` makes them; a list of maps in a json field is one value."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping) and "id" in value[0]


def _lines_difference(before: list[Snapshot], after: list[Snapshot]) -> Snapshot:
    known = {line["id"]: line for line in before if line.get("id") is not None}
    found: Snapshot = {}
    added, changed = [], []
    kept: set[Any] = set()
    for line in after:
        old = known.get(line.get("id"))
        if old is None:
            added.append({"id": line.get("id"), **_all(line, new=True)})
            continue
        kept.add(line["id"])
        change = difference(_bare(old), _bare(line))
        if change:
            changed.append({"id": line["id"], **change})
    removed = [{"id": line["id"], **_all(line, new=False)} for i, line in known.items() if i not in kept]
    for word, rows in (("added", added), ("changed", changed), ("removed", removed)):
        if rows:
            found[word] = rows
    return found


def _bare(line: Snapshot) -> Snapshot:
    return {name: value for name, value in line.items() if name != "id"}


def _all(line: Snapshot, *, new: bool) -> Snapshot:
    bare = {n: v for n, v in _bare(line).items() if not _is_lines(v)}
    return {name: [None, value] if new else [value, None] for name, value in bare.items()}


def as_input(session: Session, entity: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot as values to write: what is computed or kept by the platform is left out, lines keep their ids."""
    plan = plan_of(session, entity)
    found: dict[str, Any] = {}
    for name, field in plan.fields.items():
        if field.storage == "children" and field.computed == "no":
            found[name] = [
                {**({"id": line["id"]} if line.get("id") else {}), **as_input(session, field.entity or "", line)}
                for line in snapshot.get(name) or ()
            ]
        elif field.writable and field.stored and name != plan.back and field.type != "secret":
            found[name] = snapshot.get(name)
    return found
