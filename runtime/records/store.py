"""Drafts to rows: the statements that insert and update records, their lines and their joined values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Stale
from runtime.query.pinyin import sort_key
from runtime.records.bulk import insert_of
from runtime.records.plan import EntityPlan
from runtime.records.values import CHUNK, Draft
from runtime.schema.tables import RATE_COLUMN, column_name

if TYPE_CHECKING:
    from runtime.site import Session


def insert(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """New rows for drafts of one entity; each draft then has its id."""
    if not drafts:
        return
    _allocate(session, plan, drafts)
    layout = _layout(session, plan)
    insert_of(session, plan.table, layout.names).run(
        session.connection, [_new_row(session, plan, layout, draft) for draft in drafts]
    )
    _insert_joined(session, plan, drafts)


def _allocate(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Ids before the rows, so that lines, joins and audit need no answer from the database."""
    count = len(drafts)
    if session.site.dialect == "sqlite":  # the writer holds the lock, AUTOINCREMENT's own counter is followed
        row = session.connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (plan.table.name,)
        ).first()
        first = (int(row[0]) if row else 0) + 1
        ids: Iterable[int] = range(first, first + count)
    else:
        table = plan.table.name.replace('"', '""')
        ids = session.connection.scalars(
            sa.text("SELECT nextval(pg_get_serial_sequence(:t, 'id')) FROM generate_series(1, :n)"),
            {"t": f'"{table}"', "n": count},
        )
    for draft, record_id in zip(drafts, ids):
        draft.new_id = record_id


class _Layout:
    """Where the values of a new row go: per column of the table its place, and what the fields put there."""

    def __init__(self, plan: EntityPlan) -> None:
        self.names: tuple[str, ...] = tuple(plan.table.c.keys())
        place = {name: i for i, name in enumerate(self.names)}
        own = [f for f in plan.columns if not f.system]
        self.plain = [(f.name, place[column_name(f)]) for f in own if f.storage != "any_link"]
        self.base = [place[f"{column_name(f)}__base"] for f in plan.money]
        self.base_names = [f"{column_name(f)}__base" for f in plan.money]
        sorted_by = [f for f in own if f.sort_key and f.storage == "text"]
        self.sorts = [(f.name, place[f"{column_name(f)}__sort"]) for f in sorted_by]
        self.any_links = [(f.name, place[column_name(f)], place[f"{column_name(f)}__entity"]) for f in plan.any_links]
        self.back = place[column_name(plan.fields[plan.back])] if plan.back else None
        self.position = place.get("position")
        self.rate = place.get(RATE_COLUMN)
        self.system = [place[n] for n in _STAMPS]


_STAMPS = ("id", "created_at", "created_on", "created_by", "updated_at", "updated_by", "version")


def _layout(session: Session, plan: EntityPlan) -> _Layout:
    memo = session.tables.memo
    key = ("layout", plan.name)
    if key not in memo:
        memo[key] = _Layout(plan)
    found: _Layout = memo[key]
    return found


def _new_row(session: Session, plan: EntityPlan, layout: _Layout, draft: Draft) -> list[Any]:
    row: list[Any] = [None] * len(layout.names)
    values = draft.values
    for name, place in layout.plain:
        row[place] = values.get(name)
    for name, place in zip(layout.base_names, layout.base):
        row[place] = values.get(name)
    for name, place in layout.sorts:
        row[place] = sort_key(values.get(name))
    for name, place, entity in layout.any_links:
        if values.get(name) is not None:
            row[entity], row[place] = values[name]
    user = session.user.id
    stamps = (draft.new_id, session.now, session.today, user, session.now, user, 1)
    for place, value in zip(layout.system, stamps):
        row[place] = value
    if draft.parent is not None and plan.back and layout.back is not None:
        row[layout.back] = values[plan.back] = draft.parent.record_id
    if layout.position is not None:
        row[layout.position] = draft.position
    if layout.rate is not None:
        row[layout.rate] = values.get(RATE_COLUMN)
    return row


def _put(row: dict[str, Any], plan: EntityPlan, draft: Draft, name: str) -> None:
    """A field's value in its column, and in the columns beside it."""
    field = plan.fields[name]
    column = column_name(field)
    value = draft.values.get(name)
    if field.storage == "any_link":
        row[f"{column}__entity"], row[column] = value if value is not None else (None, None)
        return
    row[column] = value
    if field.type == "money":
        row[f"{column}__base"] = draft.values.get(f"{column}__base")
    elif field.sort_key and field.storage == "text":
        row[f"{column}__sort"] = sort_key(value)


def update(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Changed rows, each guarded by the version it was read at. Raises `Stale` where somebody was faster."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for draft in drafts:
        row = _changed_row(session, plan, draft)
        by_columns.setdefault(tuple(sorted(row)), []).append(row)
    for columns, rows in by_columns.items():
        statement = _update_statement(session, plan, columns)
        done = session.connection.execute(statement, rows if len(rows) > 1 else rows[0]).rowcount
        if done not in (len(rows), -1):
            raise _stale(session, plan, rows)
    _replace_joined(session, plan, drafts)


def _changed_row(session: Session, plan: EntityPlan, draft: Draft) -> dict[str, Any]:
    assert draft.before is not None
    row: dict[str, Any] = {}
    for field in plan.columns:
        if not field.system and draft.values.get(field.name) != draft.before.get(field.name):
            _put(row, plan, draft, field.name)
    for field in plan.money:
        base = f"{column_name(field)}__base"
        if draft.values.get(base) != draft.before.get(base):
            row[base] = draft.values.get(base)
    if plan.rated and draft.values.get(RATE_COLUMN) != draft.before.get(RATE_COLUMN):
        row[RATE_COLUMN] = draft.values.get(RATE_COLUMN)
    if "position" in draft.changed:
        row["position"] = draft.position
    version = draft.before["version"]
    row.update(updated_at=session.now, updated_by=session.user.id, version=version + 1)
    return {f"v_{name}": value for name, value in row.items()} | {"b_id": draft.record_id, "b_version": version}


def _update_statement(session: Session, plan: EntityPlan, names: tuple[str, ...]) -> sa.Update:
    memo = session.tables.memo
    key = ("update", plan.name, names)
    if key not in memo:
        columns = {n[2:]: sa.bindparam(n, type_=plan.table.c[n[2:]].type) for n in names if n.startswith("v_")}
        same = (plan.table.c.id == sa.bindparam("b_id"), plan.table.c.version == sa.bindparam("b_version"))
        memo[key] = sa.update(plan.table).where(*same).values(columns)
    return memo[key]


def _stale(session: Session, plan: EntityPlan, rows: list[dict[str, Any]]) -> Stale:
    """The answer for the first record whose version is not the one it was read at and raised to."""
    ids = [row["b_id"] for row in rows]
    wanted = sa.select(plan.table.c.id, plan.table.c.version).where(plan.table.c.id.in_(ids))
    versions = {row.id: row.version for row in session.connection.execute(wanted)}
    lost = next((r for r in rows if versions.get(r["b_id"]) != r["b_version"] + 1), rows[0])
    return Stale(current_version=int(versions.get(lost["b_id"]) or 0))


def _insert_joined(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    for field in plan.joined:
        rows = [
            {"record_id": draft.record_id, "value": value}
            for draft in drafts
            for value in dict.fromkeys(draft.values.get(field.name) or ())
        ]
        if rows:
            session.connection.execute(sa.insert(session.tables.join_table(plan.name, field.name)), rows)


def _replace_joined(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    for field in plan.joined:
        table = session.tables.join_table(plan.name, field.name)
        for draft in drafts:
            if field.name not in draft.changed:
                continue
            before, after = set(draft.joins.get(field.name, ())), set(draft.values.get(field.name) or ())
            gone = sorted(before - after)
            if gone:
                same = (table.c.record_id == draft.record_id, table.c.value.in_(gone))
                session.connection.execute(sa.delete(table).where(*same))
            rows = [{"record_id": draft.record_id, "value": v} for v in draft.values[field.name] if v not in before]
            if rows:
                session.connection.execute(sa.insert(table), rows)


def raise_versions(session: Session, plan: EntityPlan, ids: Iterable[int]) -> None:
    """A change of lines is a change of their record."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        statement = sa.update(plan.table).where(plan.table.c.id.in_(ordered[start : start + CHUNK]))
        raised = statement.values(version=plan.table.c.version + 1, updated_at=session.now, updated_by=session.user.id)
        session.connection.execute(raised)
