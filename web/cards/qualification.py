"""The card of a record's qualification: the criteria with their results, and the checks there were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.model import Application, Entity
from runtime.decisions.qualification_rule import explain
from runtime.site import Session
from web.i18n import _
from web.panels import Panel, dialog, register


def applies(app: Application, entity: Entity) -> bool:
    return bool(app.rules_of(entity.name, "qualification"))


def data(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    """None where no rule applies and the record was never checked."""
    found = explain(session, entity, record_id)
    return found if found["steps"] or found["checks"] else None


register(
    Panel(
        word="qualification",
        label=lambda: str(_("Qualification")),
        applies=applies,
        template="qualification/card.html",
        data=data,
    )
)
dialog("qualification", "qualification/action.html")
