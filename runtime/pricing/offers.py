"""Price lists and promotions for many lines at once: a statement for each source, whatever the number of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.pricing import Source
from rules.evaluate import evaluate
from rules.pricing import AMOUNTS, Offer
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.validate import ancestors
from runtime.records.values import CHUNK, Loader, Stored
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session


def rows_of(session: Session, source: Source, keys: Iterable[Any], days: Sequence[date]) -> list[Stored]:
    """The records that may count for lines with one of the keys on one of the days."""
    plan = plan_of(session, source.entity)
    table = plan.table
    key = table.c[column_name(plan.fields[source.match[0][0]])]
    alive: list[sa.ColumnElement[bool]] = [table.c.deleted_at.is_(None)]
    if source.first:
        first = table.c[column_name(plan.fields[source.first])]
        alive.append(sa.or_(first.is_(None), first <= max(days)))
    if source.last:
        last = table.c[column_name(plan.fields[source.last])]
        alive.append(sa.or_(last.is_(None), last >= min(days)))
    wanted = sorted({k for k in keys if k is not None}, key=str)
    loader = Loader(session)
    rows = [plan.row(values) for values in session.connection.execute(plan.select_rows.where(*alive, key.is_(None)))]
    for start in range(0, len(wanted), CHUNK):
        part = key.in_(wanted[start : start + CHUNK])
        rows += [plan.row(values) for values in session.connection.execute(plan.select_rows.where(*alive, part))]
    for field in plan.links:
        if field.storage == "link":
            loader.want(field.to or "", (row[field.name] for row in rows if row.get(field.name) is not None))
    found = [Stored(loader, plan, row) for row in rows]
    if source.where is None:
        return found
    return [record for record in found if evaluate(source.where, record, loader.environment) is True]


def offer_of(session: Session, source: Source, record: Stored, currency: str, memo: dict[Any, Any]) -> Offer | None:
    """A record as an offer in `currency`; None where it says nothing that can be used, or has no rate."""
    environment, row = record.loader.environment, record.row
    mark = ("value", source.entity, row["id"])
    if mark not in memo:
        memo[mark] = evaluate(source.value, record, environment)
    value, method = memo[mark], row.get(source.method)
    if value is None or method is None:
        return None
    own = (row.get(source.currency) if source.currency else None) or session.site.settings.currency
    amount = Decimal(value)
    if method in AMOUNTS and own != currency:
        rate = environment.rates(own, currency, session.today) if environment.rates else None
        if rate is None:
            return None
        amount *= rate
    keys = {name: row[name] for name, _ in source.match if row.get(name) is not None}
    return Offer(
        id=row["id"],
        label=_title(record),
        method=method,
        value=amount,
        keys=keys,
        least=_number(row, source.quantity),
        first=row.get(source.first) if source.first else None,
        last=row.get(source.last) if source.last else None,
        priority=int(row.get(source.priority) or 0) if source.priority else 0,
        stack=bool(row.get(source.stack)) if source.stack else False,
        own_currency=source.currency is not None and row.get(source.currency) == currency,
    )


def _number(row: Mapping[str, Any], name: str | None) -> Decimal | None:
    value = row.get(name) if name else None
    return None if value is None else Decimal(value)


def _title(record: Stored) -> str:
    """What the price list is called: the title, over a link the title of what it leads to."""
    here: Any = record
    for _ in range(3):
        if not isinstance(here, Stored):
            break
        here = here.get(here.plan.entity.title)
    return str(here) if here is not None and not isinstance(here, Stored) else f"#{record.row['id']}"


def fitting(session: Session, source: Source, name: str, value: Any, memo: dict[Any, Any]) -> frozenset[Any]:
    """The values of a field that fit a line's value: itself, and in a hierarchy everything above it."""
    if value is None:
        return frozenset()
    target = _tree_of(session, source, name)
    if target is None:
        return frozenset({value})
    mark = ("above", target.name, value)
    if mark not in memo:
        memo[mark] = frozenset(ancestors(session, target, value))
    found: frozenset[Any] = memo[mark]
    return found


def _tree_of(session: Session, source: Source, name: str) -> EntityPlan | None:
    field = session.app.entities[source.entity].fields[name]
    if field.storage != "link" or not field.to:
        return None
    plan = plan_of(session, field.to)
    return plan if plan.entity.tree is not None else None
