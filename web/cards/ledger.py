"""The card of a ledger: the entries behind a balance, the lots behind an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.model import Application, Entity
from runtime.ledgers.explaining import explain_ledger
from runtime.site import Session
from web.i18n import _
from web.panels import Panel, register


def applies(app: Application, entity: Entity) -> bool:
    return entity.ledger is not None or entity.balances_of is not None


def data(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    return explain_ledger(session, entity, record_id)


register(
    Panel(word="ledger", label=lambda: str(_("Balance")), applies=applies, template="ledgers/card.html", data=data)
)
