"""What must always hold of ledgers: the entries of a key add up to its balance, and so does what is left of lots."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.records.plan import plan_of
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

SAMPLE = 20


def verify(session: Session) -> list[dict[str, Any]]:
    """`[{entity, kind: balance|lots|below, count, sample: [{key, stored, summed}]}]`; empty where all is right."""
    found: list[dict[str, Any]] = []
    for entity in session.app.entities.values():
        if entity.ledger is None or entity.retired:
            continue
        ledger = entity.ledger
        stored = _sums(session, ledger.into, ledger.of, ledger.balance)
        wrong = {"balance": _differing(stored, _sums(session, entity.name, ledger.of, ledger.balance))}
        if ledger.lots is not None:
            wrong["lots"] = _differing(stored, _sums(session, entity.name, ledger.of, ledger.lots.left))
        if ledger.never_below is not None:
            low = {key: value for key, value in stored.items() if value < ledger.never_below}
            wrong["below"] = [(key, value, ledger.never_below) for key, value in low.items()]
        for kind, keys in wrong.items():
            if keys:
                sample = [{"key": list(k), "stored": str(a), "summed": str(b)} for k, a, b in keys[:SAMPLE]]
                found.append({"entity": entity.name, "kind": kind, "count": len(keys), "sample": sample})
    return found


def _sums(session: Session, entity: str, of: tuple[str, ...], amount: str) -> dict[tuple[Any, ...], Decimal]:
    plan = plan_of(session, entity)
    columns = [plan.table.c[column_name(plan.fields[name])] for name in of]
    column = plan.table.c[column_name(plan.fields[amount])]
    total = sa.func.sum(column, type_=column.type)
    wanted = sa.select(total, *columns).where(plan.table.c.deleted_at.is_(None)).group_by(*columns)
    return {tuple(key): Decimal(value or 0) for value, *key in session.connection.execute(wanted)}


def _differing(
    stored: dict[tuple[Any, ...], Decimal], summed: dict[tuple[Any, ...], Decimal]
) -> list[tuple[tuple[Any, ...], Decimal, Decimal]]:
    keys = [*stored, *(key for key in summed if key not in stored)]
    both = [(key, stored.get(key, Decimal(0)), summed.get(key, Decimal(0))) for key in keys]
    return [each for each in both if each[1] != each[2]]
