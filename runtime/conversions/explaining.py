"""Why a record can be converted or not, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.actions import stored
from runtime.conversions.state import state_of
from runtime.explain import explainer
from runtime.messages import say
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


@explainer("conversion")
def explain_conversion(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Per conversion of the record: open, or why not, what is left of its lines and what was made."""
    record = stored(session, entity, record_id)
    steps: list[dict[str, Any]] = []
    open_ones = 0
    for conversion in session.app.rules_of(entity, "conversion"):
        state = state_of(session, conversion, record)
        open_ones += state.why is None
        may_see = Access(session).can(conversion.main.entity, "read")
        made = ", ".join(title for _, title in state.results) if may_see else ""
        left = [
            {"label": str(p.record.get(p.record.plan.entity.title) or p.record.row["id"]), "left": f"{p.left:f}"}
            for pieces in state.pieces.values()
            for p in pieces
            if p.left is not None
        ]
        result = say("conversion.is_open", session.language) if state.why is None else state.why
        label = conversion.label.of(session.language)
        steps.append({"label": label, "result": result, "why": made, "left": left, "open": state.why is None})
    said = say("conversion.explained", session.language, open=open_ones, count=len(steps))
    return {"decision": "conversion", "summary": said if steps else "", "steps": steps}
