"""Lots: entries above zero that later ones use up, those that expire first before the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.models.ledger import Ledger, Lots
from runtime.ledgers.balances import ZERO, Key
from runtime.records.plan import EntityPlan
from runtime.records.values import CHUNK
from runtime.schema.internal_ledgers import lot_use
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

EXPIRING = "ledger: lots that have expired are taken away"  # key of Session.cache


@dataclass(slots=True)
class Lot:
    """What is left of an entry above zero; `id` None where it is being written."""

    id: int | None
    left: Decimal
    expires: date | None

    def usable(self, today: date) -> bool:
        return self.expires is None or self.expires >= today


def lots_of(session: Session, plan: EntityPlan, ledger: Ledger, keys: Iterable[Key]) -> dict[Key, list[Lot]]:
    """The lots of the keys that something is left of, oldest first; in an expiring session only the expired ones."""
    assert ledger.lots is not None
    table, columns = plan.table, [plan.table.c[column_name(plan.fields[n])] for n in ledger.of]
    left = table.c[column_name(plan.fields[ledger.lots.left])]
    expires = table.c[column_name(plan.fields[ledger.lots.expires])] if ledger.lots.expires else sa.null()
    wanted = sorted(set(keys), key=str)
    found: dict[Key, list[Lot]] = {key: [] for key in wanted}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        same = columns[0].in_([key[0] for key in part]) if len(columns) == 1 else sa.tuple_(*columns).in_(part)
        statement = sa.select(table.c.id, left, expires, *columns).where(same, left > 0, table.c.deleted_at.is_(None))
        for record_id, amount, last, *key in session.connection.execute(statement.order_by(table.c.id)):
            lot = Lot(record_id, Decimal(amount), last)
            if lot.usable(session.today) != bool(session.cache.get(EXPIRING)):
                found[tuple(key)].append(lot)
    for lots in found.values():
        lots.sort(key=_age)
    return found


def _age(lot: Lot) -> tuple[bool, date, int]:
    return (lot.expires is None, lot.expires or date.max, lot.id or 2**62)


def take(lots: Sequence[Lot], amount: Decimal, first: int | None = None) -> list[tuple[Lot, Decimal]]:
    """Uses up `amount`, of the lot `first` before the others; empty where there is not enough, and nothing is taken."""
    if sum((lot.left for lot in lots), ZERO) < amount:
        return []
    taken: list[tuple[Lot, Decimal]] = []
    for lot in sorted(lots, key=lambda lot: (lot.id != first if first is not None else False, *_age(lot))):
        part = min(lot.left, amount)
        if part > 0:
            lot.left -= part
            amount -= part
            taken.append((lot, part))
    return taken


def used_by(session: Session, entity: str, entry: int) -> dict[int, Decimal]:
    """Which lots an entry has used up."""
    wanted = sa.select(lot_use.c.lot_id, lot_use.c.amount)
    wanted = wanted.where(lot_use.c.entity == entity, lot_use.c.entry_id == entry).order_by(lot_use.c.lot_id)
    return {lot: Decimal(amount) for lot, amount in session.connection.execute(wanted)}


def write_uses(session: Session, plan: EntityPlan, lots: Lots, uses: Sequence[tuple[int, int, Decimal]]) -> None:
    """(entry, lot, amount): what is left of the lots sinks by it; an amount below zero gives back."""
    if not uses:
        return
    column = plan.table.c[column_name(plan.fields[lots.left])]
    sums: dict[int, Decimal] = {}
    for _, lot, amount in uses:
        sums[lot] = sums.get(lot, ZERO) + amount
    whole = plan.fields[lots.left].storage == "integer"
    session.connection.execute(
        sa.update(plan.table)
        .where(plan.table.c.id == sa.bindparam("b_lot"))
        .values({column.name: column - sa.bindparam("b_amount", type_=column.type)}),
        [{"b_lot": lot, "b_amount": int(a) if whole else a} for lot, a in sorted(sums.items())],
    )
    rows = [{"entity": plan.name, "entry_id": e, "lot_id": lot, "amount": str(a)} for e, lot, a in uses]
    session.connection.execute(sa.insert(lot_use), rows)
