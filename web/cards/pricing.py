"""The card of prices, what each line costs and why, and the dialog of pricing again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.model import Application, Entity
from runtime.pricing.explaining import explain_pricing
from runtime.site import Session
from web.i18n import _
from web.panels import Panel, dialog, register


def applies(app: Application, entity: Entity) -> bool:
    entities = {pricing.entity for pricing in app.of("pricing").values()}
    parents = {parent[0] for name in entities if (parent := app.entities[name].parent) is not None}
    return entity.name in entities | parents


def data(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    """None where no line has a price that was decided, or the person may not see the reasons."""
    found = explain_pricing(session, entity, record_id)
    return found if found["steps"] else None


register(
    Panel(word="pricing", label=lambda: str(_("Prices")), applies=applies, template="pricing/card.html", data=data)
)
dialog("pricing", "pricing/action.html")
