"""Drafts to rows: the statements that insert and update records, their lines and their joined values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Stale
from runtime.query.pinyin import sort_key, sort_keys
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
    given = len(drafts) == 1  # the INSERT itself gives the id
    if not given:
        _allocate(session, plan, drafts)
    layout = _layout(session, plan)
    columns = layout.columns_of(plan, drafts)
    same: dict[str, Any] = {"version": 1, "created_on": session.today}
    same |= dict.fromkeys(_MOMENTS, session.now) | dict.fromkeys(_PEOPLE, session.user.id)
    if given:
        drafts[0].new_id = insert_of(session, plan.table, layout.unnamed).run_one(session.connection, columns, same)
    else:
        insert_of(session, plan.table, layout.names).run(session.connection, len(drafts), columns, same)
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
            _NEXT,
            {"t": f'"{table}"', "n": count},
        )
    for draft, record_id in zip(drafts, ids):
        draft.new_id = record_id


_NEXT = sa.text("SELECT nextval(pg_get_serial_sequence(:t, 'id')) FROM generate_series(1, :n)")
_MOMENTS = ("created_at", "updated_at")
_PEOPLE = ("created_by", "updated_by")
_LATER = frozenset({"deleted_at", "deleted_by"})  # nothing in a new row


class _Layout:
    """Which columns a new row has, and which field's value each of them takes."""

    def __init__(self, plan: EntityPlan) -> None:
        self.names: tuple[str, ...] = tuple(c.name for c in plan.table.c if c.name not in _LATER)
        self.unnamed = tuple(name for name in self.names if name != "id")
        own = [f for f in plan.columns if not f.system]
        self.plain = [(column_name(f), f.name) for f in own if f.storage != "any_link"]
        self.bases = [(f"{column_name(f)}__base", column_name(f)) for f in plan.money]
        if plan.rated:
            self.plain.append((RATE_COLUMN, RATE_COLUMN))
        self.sorts = [(f"{column_name(f)}__sort", column_name(f)) for f in own if f.sort_key and f.storage == "text"]
        self.any_links = [(column_name(f), f.name) for f in plan.any_links]
        self.positioned = "position" in self.names

    def columns_of(self, plan: EntityPlan, drafts: Sequence[Draft]) -> dict[str, list[Any]]:
        """The values of the drafts, column by column."""
        if plan.back:
            for draft in drafts:
                if draft.parent is not None:
                    draft.values[plan.back] = draft.parent.record_id
        rows = [draft.values for draft in drafts]
        columns: dict[str, list[Any]] = {column: [row.get(name) for row in rows] for column, name in self.plain}
        for column, source in self.bases:
            bases = [row.get(column) for row in rows]
            columns[column] = columns[source] if bases == columns[source] else bases
        for column, source in self.sorts:
            columns[column] = sort_keys(columns[source])
        for column, name in self.any_links:
            pairs = [row.get(name) or (None, None) for row in rows]
            columns[f"{column}__entity"], columns[column] = ([pair[i] for pair in pairs] for i in (0, 1))
        if self.positioned:
            columns["position"] = [draft.position for draft in drafts]
        columns["id"] = [draft.new_id for draft in drafts]
        return columns


def _layout(session: Session, plan: EntityPlan) -> _Layout:
    memo = session.tables.memo
    key = ("layout", plan.name)
    if key not in memo:
        memo[key] = _Layout(plan)
    found: _Layout = memo[key]
    return found


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
