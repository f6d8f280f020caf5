"""Why a price is what it is: the reasons kept with the lines, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metadata.models.pricing import Pricing
from runtime.actions import stored
from runtime.explain import explainer
from runtime.messages import say
from runtime.messaging.filling import text_at
from runtime.records.values import Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


@explainer("pricing")
def explain_pricing(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Per line the steps to its price; of a line those of itself."""
    record = stored(session, entity, record_id)
    steps: list[dict[str, Any]] = []
    for pricing in session.app.of("pricing").values():
        if pricing.why is None or pricing.why in Access(session).hidden(pricing.entity):
            continue
        for line in _lines(session, pricing, record):
            why = reasons(session, line.raw(pricing.why))
            if why:
                label = text_at(line, [line.plan.entity.title], session) if line.plan.entity.title != "id" else ""
                price = text_at(line, [pricing.price], session)
                steps.append({"label": label, "result": price, "why": "；".join(why), "reasons": why})
    summary = say("pricing.explained", session.language, count=len(steps)) if steps else ""
    return {"decision": "pricing", "summary": summary, "steps": steps}


def _lines(session: Session, pricing: Pricing, record: Stored) -> Iterable[Stored]:
    if record.plan.name == pricing.entity:
        return (record,)
    parent = session.app.entities[pricing.entity]
    if parent.parent is None or parent.parent[0] != record.plan.name or parent.parent_field is None:
        return ()
    return tuple(line for line in record.members(parent.parent_field) if isinstance(line, Stored))


def reasons(session: Session, kept: Any) -> list[str]:
    """The kept steps as sentences."""
    return [_said(session, step) for step in kept or () if isinstance(step, Mapping)]


def _said(session: Session, step: Mapping[str, Any]) -> str:
    word, method = step.get("word", ""), step.get("method", "")
    shown = {name: _plain(step.get(name)) for name in ("value", "before", "after")}
    how = say(f"pricing.method.{method}", session.language, **shown) if method else ""
    return say(f"pricing.step.{word}", session.language, label=step.get("label", ""), how=how, **shown)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    number = Decimal(str(value))
    return f"{number:.2f}" if number == number.quantize(Decimal("0.01")) else f"{number.normalize():f}"
