"""Booking entries from rules and programs: what was booked before under the same key is not booked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import records
from runtime.ledgers import balances
from runtime.ledgers.lots import EXPIRING
from runtime.records.plan import plan_of
from runtime.records.values import CHUNK
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session


def post(session: Session, entity: str, entries: Sequence[Mapping[str, Any]]) -> list[int]:
    """Books entries of a ledger, all or none; the ids, of those booked earlier under the same `once` key too.

    Raises `Refused` where a balance would fall below its bound, and what writing records raises.
    """
    ledger = session.app.entities[entity].ledger
    assert ledger is not None
    if ledger.once:  # a twin of this posting is waited for before it is looked for
        balances.held(session, ledger, (balances.key_of(ledger, entry) for entry in entries))
    known = _booked(session, entity, ledger.once, entries)
    keys = [tuple(entry.get(name) for name in ledger.once) for entry in entries]
    new = [e for e, key in zip(entries, keys) if not ledger.once or None in key or key not in known]
    made = iter(records.create_many(session, entity, new) if new else [])
    found: list[int] = []
    for key in keys:
        if ledger.once and None not in key and key in known:
            found.append(known[key])
        else:
            saved = next(made)
            assert isinstance(saved, records.Saved)
            found.append(saved.id)
    return found


def _booked(
    session: Session, entity: str, once: tuple[str, ...], entries: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], int]:
    if not once:
        return {}
    plan = plan_of(session, entity)
    columns = [plan.table.c[column_name(plan.fields[name])] for name in once]
    keys = [key for e in entries if None not in (key := tuple(e.get(name) for name in once))]
    found: dict[tuple[Any, ...], int] = {}
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        same = columns[0].in_([k[0] for k in part]) if len(columns) == 1 else sa.tuple_(*columns).in_(part)
        wanted = sa.select(plan.table.c.id, *columns).where(same, plan.table.c.deleted_at.is_(None))
        found.update({tuple(key): record for record, *key in session.connection.execute(wanted)})
    return found


def reverse(session: Session, entity: str, entry: int) -> int:
    """Takes an entry back by another; the id of that. Raises `Refused` where what was added is used up already."""
    described = session.app.entities[entity]
    ledger, plan = described.ledger, plan_of(session, entity)
    assert ledger is not None
    assert ledger.reversal is not None
    row = session.connection.execute(plan.select_rows.where(plan.table.c.id == entry)).one()
    original = plan.row(row)
    left_out = {ledger.reversal.field, described.number.field if described.number else None}
    left_out |= {ledger.lots.left, ledger.lots.expires} if ledger.lots else set()
    values = {
        f.name: original[f.name]
        for f in plan.columns
        if f.copy and not f.system and f.computed == "no" and f.name not in left_out and f.type != "secret"
    }
    values |= {ledger.balance: -original[ledger.balance], ledger.reversal.field: entry, **ledger.reversal.values}
    return records.create(session, entity, {n: v for n, v in values.items() if v is not None}).id


def expire(session: Session, entity: str) -> int:
    """Books away what is left of expired lots of a ledger; how many lots. Nothing where none has expired since."""
    described = session.app.entities[entity]
    ledger, plan = described.ledger, plan_of(session, entity)
    if ledger is None or ledger.lots is None or ledger.lots.expires is None:
        return 0
    columns = {name: plan.table.c[column_name(plan.fields[name])] for name in (*ledger.of, ledger.lots.left)}
    left, last = columns[ledger.lots.left], plan.table.c[column_name(plan.fields[ledger.lots.expires])]
    wanted = sa.select(*columns.values()).where(left > 0, last < session.today, plan.table.c.deleted_at.is_(None))
    entries: list[dict[str, Any]] = []
    for row in session.connection.execute(wanted.order_by(last, plan.table.c.id)):
        entry = dict(zip(columns, row))
        amount = entry.pop(ledger.lots.left)
        entries.append({**entry, ledger.balance: -Decimal(amount), **ledger.lots.expired})
    if entries:
        booking = session.sub(cause=f"ledger:{entity}")
        booking.cache[EXPIRING] = True
        records.create_many(booking, entity, entries)
    return len(entries)
