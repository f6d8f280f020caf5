"""The card of a record's owner: why this person, what takes the record back, and its way through hands and pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.model import Application, Entity
from runtime.decisions.whys import asked_for, history, next_return, why_assigned
from runtime.site import Session
from web.i18n import _
from web.panels import Panel, register

MOST = 8


def applies(app: Application, entity: Entity) -> bool:
    return bool(app.rules_of(entity.name, "pool") or app.rules_of(entity.name, "assignment"))


def data(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    """None for a record that no rule assigned and that never changed hands."""
    moves = history(session, entity, record_id)
    why = why_assigned(session, entity, record_id)
    asked = asked_for(session, entity, record_id)
    if not moves and not why["steps"] and not asked:
        return None
    return {
        "moves": moves[:MOST],
        "more": max(0, len(moves) - MOST),
        "why": why if why["steps"] else None,
        "asked": next((claim for claim in asked if claim["state"] == "waiting"), None),
        "refused": [claim for claim in asked if claim["state"] not in ("waiting", "accepted")][:MOST],
        "next": next_return(session, entity, record_id),
    }


register(
    Panel(
        word="ownership",
        label=lambda: str(_("Ownership")),
        applies=applies,
        template="pools/card.html",
        data=data,
    )
)
