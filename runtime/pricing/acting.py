"""Pricing again: what price lists and promotions say today, shown line by line before it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.pricing import Pricing
from rules.evaluate import holds
from runtime import records
from runtime.actions import ActionSource, Ask, Offer, Outcome, as_person, register, stored
from runtime.messages import say
from runtime.messaging.filling import text_at
from runtime.pricing.explaining import reasons
from runtime.pricing.rule import AGAIN, priced_lines
from runtime.records.form import evaluate_form
from runtime.records.values import Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

REPRICE = "reprice"
BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class _Line:
    """A stored line of a record, in the field it is in, with what prices it."""

    field: str
    pricing: Pricing
    record: Stored

    @property
    def by_hand(self) -> bool:
        return self.pricing.kept is not None and self.record.raw(self.pricing.kept) is True


class PricingActions(ActionSource):
    word = "pricing"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(priced_lines(app, entity))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        lines = _lines(session, entity, record)
        if not lines:
            return
        open_ = _open(lines)
        by_hand = sum(line.by_hand for line in open_)
        why = _closed(session, entity, record, open_)
        ask = Ask(
            name=BY_HAND,
            label=say("pricing.by_hand", session.language, count=by_hand),
            type="boolean",
            help=say("pricing.by_hand_help", session.language),
        )
        yield Offer(
            name=REPRICE,
            label=say("pricing.again", session.language),
            word=self.word,
            icon="refresh",
            why=None if why is None else say(why, session.language),
            asks=(ask,) if by_hand and why is None else (),
            hidden=True,
            detail=True,
        )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        lines = _lines(session, entity, record)
        before, taken = _prices(lines), _wanted(lines, by_hand=given.get(BY_HAND) is True)
        writing = as_person(session, AGAIN)
        records.update(writing, entity.name, record.row["id"], taken)
        after = _prices(_lines(session, entity, stored(session, entity.name, record.row["id"])))
        changed = sum(before[line] != after[line] for line in before)
        message = say("pricing.priced_again", session.language, changed=changed, count=len(before))
        return Outcome(message=message, data={"lines": len(before), "changed": changed})

    def detail(self, session: Session, entity: Entity, record: Stored, name: str) -> Mapping[str, Any]:
        """Per line open to pricing its price, what the rules say now, and why; those set by hand are marked."""
        lines = _lines(session, entity, record)
        state = evaluate_form(as_person(session, AGAIN), entity.name, record.row["id"], _wanted(lines, by_hand=True))
        access = Access(session)
        seen = [line for line in _open(lines) if access.visible(line.pricing.entity, line.pricing.price)]
        return {"decision": "pricing", "lines": [_told(session, line, _now(state.values, line)) for line in seen]}


def _lines(session: Session, entity: Entity, record: Stored) -> list[_Line]:
    return [
        _Line(field, pricing, line)
        for field, pricing in priced_lines(session.app, entity)
        for line in record.members(field)
        if isinstance(line, Stored)
    ]


def _open(lines: Iterable[_Line]) -> list[_Line]:
    """Those whose price is decided by rules as things stand."""
    return [
        line
        for line in lines
        if line.pricing.when is None or holds(line.pricing.when, line.record, line.record.loader.environment)
    ]


def _closed(session: Session, entity: Entity, record: Stored, open_: list[_Line]) -> str | None:
    if not open_:
        return "pricing.none_open"
    if not Access(session).allows(entity.name, "edit", record, session.environment()):
        return "pricing.may_not_change"
    return None


def _wanted(lines: Iterable[_Line], *, by_hand: bool) -> dict[str, list[dict[str, Any]]]:
    """All lines as they are, those set by hand given back to the rules where that is wanted."""
    found: dict[str, list[dict[str, Any]]] = {}
    lines = list(lines)
    free = {id(line) for line in _open(lines) if by_hand and line.by_hand}
    for line in lines:
        freed: dict[str, Any] = {str(line.pricing.kept): False} if id(line) in free else {}
        found.setdefault(line.field, []).append({"id": line.record.row["id"], **freed})
    return found


def _prices(lines: Iterable[_Line]) -> dict[tuple[str, int], Any]:
    return {(line.field, line.record.row["id"]): line.record.raw(line.pricing.price) for line in lines}


def _now(values: Mapping[str, Any], line: _Line) -> Mapping[str, Any]:
    """The line as it would be."""
    found: Iterable[Mapping[str, Any]] = values.get(line.field, ())
    return next((one for one in found if one.get("id") == line.record.row["id"]), {})


def _told(session: Session, line: _Line, now: Mapping[str, Any]) -> dict[str, Any]:
    pricing, record = line.pricing, line.record
    why = now.get(pricing.why) if pricing.why and Access(session).visible(pricing.entity, pricing.why) else None
    title = record.plan.entity.title
    would_be = Stored(record.loader, record.plan, {**record.row, pricing.price: now.get(pricing.price)})
    return {
        "id": record.row["id"],
        "title": text_at(record, [title], session) if title != "id" else "",
        "before": text_at(record, [pricing.price], session),
        "after": text_at(would_be, [pricing.price], session),
        "changes": record.raw(pricing.price) != now.get(pricing.price),
        "by_hand": _label(session, pricing.entity, pricing.kept) if line.by_hand else "",
        "below": _label(session, pricing.entity, pricing.below) if pricing.below and now.get(pricing.below) else "",
        "reasons": reasons(session, why),
    }


def _label(session: Session, entity: str, field: str | None) -> str:
    return session.app.entities[entity].fields[field or ""].label.of(session.language)


register(PricingActions())
