"""Why a balance is what it is, and what an entry did."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Entity
from runtime import records
from runtime.explain import explainer
from runtime.ledgers.lots import used_by
from runtime.messages import say
from runtime.records.plan import plan_of
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

SHOWN = 20


@explainer("ledger")
def explain_ledger(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Of a balance the latest entries, of an entry its balance and the lots it used; nothing for other entities."""
    described = session.app.entities[entity]
    if described.balances_of is not None:
        return _balance(session, described, record_id)
    return _entry(session, described, record_id) if described.ledger is not None else {"steps": []}


def _plain(value: Any) -> str:
    return f"{Decimal(value or 0).normalize():f}"


def _balance(session: Session, described: Entity, record_id: int) -> dict[str, Any]:
    entries = session.app.entities[described.balances_of or ""]
    ledger = entries.ledger
    assert ledger is not None
    here = records.read(session, described.name, record_id, [*ledger.of, ledger.balance]).values
    plan = plan_of(session, entries.name)
    same = [plan.table.c[column_name(plan.fields[name])] == here[name] for name in ledger.of]
    readable = Access(session).predicate(entries.name, "read", plan.table)
    steps: list[dict[str, Any]] = []
    count = session.connection.scalar(sa.select(sa.func.count()).select_from(plan.table).where(*same)) or 0
    if readable is None or Access(session).can(entries.name, "read"):
        wanted = plan.select_rows.where(*same, *([] if readable is None else [readable]))
        for found in session.connection.execute(wanted.order_by(plan.table.c.id.desc()).limit(SHOWN)):
            row = plan.row(found)
            title = row.get(entries.title) or row["id"]
            steps.append(
                {"label": str(title), "result": _plain(row[ledger.balance]), "why": row["created_on"].isoformat()}
            )
    said = say("ledger.explain_balance", session.language, balance=_plain(here[ledger.balance]), count=count)
    return {"decision": "ledger", "summary": said, "steps": steps}


def _entry(session: Session, described: Entity, record_id: int) -> dict[str, Any]:
    ledger, plan = described.ledger, plan_of(session, described.name)
    assert ledger is not None
    row = plan.row(session.connection.execute(plan.select_rows.where(plan.table.c.id == record_id)).one())
    into = plan_of(session, ledger.into)
    same = [into.table.c[column_name(into.fields[name])] == row[name] for name in ledger.of]
    amount = into.table.c[column_name(into.fields[ledger.balance])]
    balance = session.connection.scalar(sa.select(amount).where(*same, into.table.c.deleted_at.is_(None)))
    steps: list[dict[str, Any]] = []
    if ledger.lots is not None:
        if row[ledger.balance] > 0:
            said = say("ledger.left", session.language, left=_plain(row[ledger.lots.left]))
            steps.append({"label": said, "result": _plain(row[ledger.balance]), "why": _until(session, row, described)})
        for lot, part in used_by(session, described.name, record_id).items():
            used = plan.row(session.connection.execute(plan.select_rows.where(plan.table.c.id == lot)).one())
            label = say("ledger.used_lot", session.language, lot=used.get(described.title) or lot)
            steps.append({"label": label, "result": _plain(-part), "why": _until(session, used, described)})
    said = say("ledger.explain_entry", session.language, amount=_plain(row[ledger.balance]), balance=_plain(balance))
    return {"decision": "ledger", "summary": said, "steps": steps}


def _until(session: Session, row: dict[str, Any], described: Entity) -> str:
    lots = described.ledger.lots if described.ledger else None
    day = row.get(lots.expires) if lots and lots.expires else None
    return "" if day is None else say("ledger.expires", session.language, day=day.isoformat())
