"""What can be done with an entry of a ledger: take it back by another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.ledger import Ledger
from runtime.actions import ActionSource, Offer, Outcome, as_person, register
from runtime.ledgers.posting import reverse
from runtime.messages import say
from runtime.records.values import Stored
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

REVERSE = "reverse"


class LedgerActions(ActionSource):
    word = "ledger"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.ledger is not None and entity.ledger.reversal is not None

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        assert entity.ledger is not None
        why = _closed(session, entity, entity.ledger, record)
        yield Offer(
            name=REVERSE,
            label=say("ledger.reverse", session.language),
            word=self.word,
            icon="arrow-back-up",
            tone="danger",
            confirm=say("ledger.reverse_confirm", session.language),
            why=None if why is None else say(why, session.language),
            hidden=why == "ledger.is_reversal",
        )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        made = reverse(as_person(session, "ledger:reverse"), entity.name, record.row["id"])
        return Outcome(message=say("ledger.reversed", session.language), goto=(entity.name, made), data={"id": made})


def _closed(session: Session, entity: Entity, ledger: Ledger, record: Stored) -> str | None:
    """The code of what closes the action; None where it is open."""
    assert ledger.reversal is not None
    if record.row[ledger.reversal.field] is not None:
        return "ledger.is_reversal"
    if not Access(session).can(entity.name, "create"):
        return "ledger.may_not"
    table = session.table(entity.name)
    taken = table.c[column_name(entity.fields[ledger.reversal.field])] == record.row["id"]
    known = sa.select(table.c.id).where(taken, table.c.deleted_at.is_(None)).limit(1)
    return "ledger.reversed_already" if session.connection.scalar(known) is not None else None


register(LedgerActions())
