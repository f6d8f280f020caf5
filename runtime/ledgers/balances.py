"""The balances of a ledger: read and held before entries are judged, raised in the transaction that writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.ledger import Ledger
from runtime import database
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reach import Change
from runtime.records.rollups import is_read, spread
from runtime.records.values import CHUNK
from runtime.schema.tables import column_name
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.site import Session

Key = tuple[Any, ...]
ZERO = Decimal(0)


def key_of(ledger: Ledger, values: Mapping[str, Any]) -> Key:
    """The key of an entry or balance, by its values."""
    return tuple(values.get(name) for name in ledger.of)


def ordered(keys: Iterable[Key]) -> list[Key]:
    """Always the same order, so that two postings wait for each other instead of locking each other out."""
    return sorted(set(keys), key=lambda key: tuple((str(type(part)), str(part).zfill(20)) for part in key))


def held(session: Session, ledger: Ledger, keys: Iterable[Key]) -> dict[Key, Decimal]:
    """The balances of the keys; their rows are ours until the end of the transaction. A key without a row has none."""
    plan = plan_of(session, ledger.into)
    wanted = ordered(keys)
    if len(wanted) == 1 and None not in wanted[0]:
        one = _held_one(session, plan, ledger)
        binds = {f"part{n}": part for n, part in enumerate(wanted[0])}
        row = one.first(session.connection, binds)
        return {} if row is None else {wanted[0]: Decimal(row[0] or 0)}
    columns = _key_columns(plan, ledger)
    found: dict[Key, Decimal] = {}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        same = columns[0].in_([key[0] for key in part]) if len(columns) == 1 else sa.tuple_(*columns).in_(part)
        statement = _held(session, plan, ledger, same).order_by(*columns)
        for value, *key in session.connection.execute(statement):
            found[tuple(key)] = Decimal(value or 0)
    return found


def _key_columns(plan: EntityPlan, ledger: Ledger) -> list[sa.Column[Any]]:
    return [plan.table.c[column_name(plan.fields[name])] for name in ledger.of]


def _held(session: Session, plan: EntityPlan, ledger: Ledger, same: sa.ColumnElement[bool]) -> sa.Select[Any]:
    amount = plan.table.c[column_name(plan.fields[ledger.balance])]
    statement = sa.select(amount, *_key_columns(plan, ledger)).where(same, plan.table.c.deleted_at.is_(None))
    return statement if session.site.dialect == "sqlite" else statement.with_for_update(of=plan.table)


def _held_one(session: Session, plan: EntityPlan, ledger: Ledger) -> Kept:
    """The balance of one key: what nearly every posting asks for. Put together once per published version."""
    memo = session.tables.memo
    found: Kept | None = memo.get(("balance held", ledger.into))
    if found is None:
        same = [column == sa.bindparam(f"part{n}") for n, column in enumerate(_key_columns(plan, ledger))]
        names = [f"part{n}" for n in range(len(same))]
        statement = _held(session, plan, ledger, sa.and_(*same))
        found = memo["balance held", ledger.into] = Kept(statement, session.connection.dialect, names)
    return found


def add(session: Session, ledger: Ledger, deltas: Mapping[Key, Decimal], bases: Mapping[Key, Decimal]) -> list[Key]:
    """Raises the balances by `deltas` (money also in base currency); the keys that lie below the bound now."""
    plan = plan_of(session, ledger.into)
    rows = [_row(session, plan, ledger, key, deltas[key], bases.get(key)) for key in ordered(deltas)]
    changes: list[Change] = []
    below: list[Key] = []
    name = column_name(plan.fields[ledger.balance])
    statement = _upsert(session, plan, ledger)
    for start in range(0, len(rows), CHUNK):
        for row in session.connection.execute(statement, rows[start : start + CHUNK]):
            values = plan.row(row)
            key = key_of(ledger, values)
            total = Decimal(row._mapping[name])
            delta = deltas[key]
            if ledger.never_below is not None and delta < 0 and total < ledger.never_below:
                below.append(key)
            before = (
                None
                if values["version"] == 1
                else {**values, ledger.balance: _as(total - delta, values[ledger.balance])}
            )
            fields = frozenset(plan.fields) if before is None else frozenset({ledger.balance})
            changes.append(Change(plan.name, values["id"], fields, before=before, after=values, known=True))
    session.touch(plan.name)
    if is_read(session, (plan.name,)):
        spread(session, changes, {})
    return below


def _as(value: Decimal, like: Any) -> Any:
    return int(value) if isinstance(like, int) else value


def _row(
    session: Session, plan: EntityPlan, ledger: Ledger, key: Key, delta: Decimal, base: Decimal | None
) -> dict[str, Any]:
    name = column_name(plan.fields[ledger.balance])
    row: dict[str, Any] = {column_name(plan.fields[n]): part for n, part in zip(ledger.of, key)}
    row[name] = int(delta) if plan.fields[ledger.balance].storage == "integer" else delta
    if plan.fields[ledger.balance].type == "money":
        row[f"{name}__base"] = base if base is not None else delta
    moment = {"created_at": session.now, "updated_at": session.now, "created_on": session.today}
    return {**row, **moment, "created_by": session.user.id, "updated_by": session.user.id, "version": 1}


def _upsert(session: Session, plan: EntityPlan, ledger: Ledger) -> Any:
    """Raises balances, or makes their rows; answers them. Put together once per published version."""
    memo = session.tables.memo
    if ("balance raised", ledger.into) in memo:
        return memo["balance raised", ledger.into]
    table = plan.table
    first = database.insert_or(session.site.dialect)(table)
    name = column_name(plan.fields[ledger.balance])
    summed = [name, f"{name}__base"] if plan.fields[ledger.balance].type == "money" else [name]
    changed = {column: sa.func.coalesce(table.c[column], 0) + first.excluded[column] for column in summed}
    changed |= {"version": table.c.version + 1}
    changed |= {column: first.excluded[column] for column in ("updated_at", "updated_by")}
    unique = [table.c[column_name(plan.fields[n])] for n in _unique_order(plan, ledger)]
    made = memo["balance raised", ledger.into] = first.on_conflict_do_update(
        index_elements=unique, index_where=table.c.deleted_at.is_(None), set_=changed
    ).returning(*table.c)
    return made


def _unique_order(plan: EntityPlan, ledger: Ledger) -> tuple[str, ...]:
    """The fields in the order of the unique index of the balances."""
    return next((u.fields for u in plan.uniques if set(u.fields) == set(ledger.of)), ledger.of)
