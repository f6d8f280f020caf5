"""Drafts to rows: the statements that insert and update records, their lines and their joined values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Stale
from runtime.query.pinyin import sort_key
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
    rows = [_new_row(session, plan, draft) for draft in drafts]
    memo = session.tables.memo
    statement = memo.get(("insert", plan.name))
    if statement is None:
        statement = memo["insert", plan.name] = sa.insert(plan.table).inline()
    session.connection.execute(statement, rows)
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


def _new_row(session: Session, plan: EntityPlan, draft: Draft) -> dict[str, Any]:
    row = dict.fromkeys(plan.table.c.keys())
    for field in plan.columns:
        _put(row, plan, draft, field.name)
    user = session.user.id
    row.update(id=draft.new_id, created_at=session.now, created_on=session.today, created_by=user)
    row.update(updated_at=session.now, updated_by=user, version=1)
    if draft.parent is not None and plan.back:
        row[column_name(plan.fields[plan.back])] = draft.parent.record_id
        draft.values[plan.back] = draft.parent.record_id
    if "position" in row and draft.position is not None:
        row["position"] = draft.position
    if plan.rated:
        row[RATE_COLUMN] = draft.values.get(RATE_COLUMN)
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
        for row in rows:
            if session.connection.execute(statement, row).rowcount != 1:
                raise _stale(session, plan, row["b_id"])
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


def _stale(session: Session, plan: EntityPlan, record_id: int) -> Stale:
    current = session.connection.scalar(sa.select(plan.table.c.version).where(plan.table.c.id == record_id))
    return Stale(current_version=int(current or 0))


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
