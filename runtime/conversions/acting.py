"""Conversions as actions: what is open and why not, what is asked, what would be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.conversion import Conversion, Target
from rules.evaluate import holds
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.conversions.convert import adopt_ask, adopt_new, convert, undo
from runtime.conversions.state import Piece, State, mapped, state_of, undone, wanted_targets
from runtime.messages import say
from runtime.messaging.filling import text_at
from runtime.records.values import Loader, Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CONVERT, UNDO = "convert_", "undo_"


class ConversionActions(ActionSource):
    word = "conversion"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(_from(app, entity)) or bool(_undoable(app, entity))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        for conversion in _from(session.app, entity):
            state = state_of(session, conversion, record)
            yield Offer(
                name=CONVERT + conversion.name,
                label=conversion.label.of(session.language),
                word=self.word,
                icon=conversion.icon or "arrow-right-circle",
                why=state.why,
                tone="primary" if state.why is None else "",
                asks=tuple(_asks(session, state)) if state.why is None else (),
                detail=True,
            )
        for conversion in _undoable(session.app, entity):
            if record.row.get(conversion.main.back or "") is not None and not undone(conversion, record.row):
                yield _undo_offer(session, conversion, entity, record)

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        if name.startswith(UNDO):
            conversion = session.app.of("conversion")[name.removeprefix(UNDO)]
            undo(session, conversion, record)
            return Outcome(message=say("conversion.undone", session.language), goto=(entity.name, record.row["id"]))
        conversion = session.app.of("conversion")[name.removeprefix(CONVERT)]
        made, _ = convert(session, conversion, record.row["id"], given)
        goto = made.records.get(conversion.result)
        number = made.numbers.get(conversion.result) or ""
        said = say("conversion.made", session.language, label=conversion.main.label.of(session.language), number=number)
        told = {n: {"entity": e, "id": i, "existing": n in made.adopted} for n, (e, i) in made.records.items()}
        return Outcome(message=said, goto=goto, data={"made": told})

    def detail(self, session: Session, entity: Entity, record: Stored, name: str) -> Mapping[str, Any]:
        if not name.startswith(CONVERT):
            return {}
        return preview(session, state_of(session, session.app.of("conversion")[name.removeprefix(CONVERT)], record))


def _from(app: Application, entity: Entity) -> tuple[Conversion, ...]:
    found: tuple[Conversion, ...] = app.rules_of(entity.name, "conversion")
    return found


def _undoable(app: Application, entity: Entity) -> list[Conversion]:
    every: Iterable[Conversion] = app.of("conversion").values()
    return [c for c in every if c.undo is not None and c.main.entity == entity.name and c.main.back is not None]


def _undo_offer(session: Session, conversion: Conversion, entity: Entity, record: Stored) -> Offer:
    assert conversion.undo is not None
    why = None
    if conversion.undo.when is not None and not holds(conversion.undo.when, record, record.loader.environment):
        why = say("conversion.undo_closed", session.language)
    elif not Access(session).allows(entity.name, "edit", record, session.environment()):
        why = say("conversion.may_not_change", session.language)
    return Offer(
        name=UNDO + conversion.name,
        label=say("conversion.undo", session.language, label=conversion.label.of(session.language)),
        word="conversion",
        icon="arrow-back-up",
        tone="danger",
        why=why,
        confirm=say("conversion.undo_confirm", session.language),
    )


def _asks(session: Session, state: State) -> Iterator[Ask]:
    for target in wanted_targets(state.conversion, state.record):
        found = state.found.get(target.name)
        if target.adopts:
            said = say("conversion.existing", session.language, label=target.label.of(session.language))
            help_ = say("conversion.existing_help", session.language)
            yield Ask(name=adopt_ask(target), label=said, type="link", to=target.entity, default=found, help=help_)
        if found is not None:
            said = say("conversion.new", session.language, label=target.label.of(session.language))
            yield Ask(name=adopt_new(target), label=said, type="boolean")
        for piece in state.pieces.get(target.name, ()):
            if piece.left is not None:
                yield _ask_of(session, piece)


def _ask_of(session: Session, piece: Piece) -> Ask:
    assert piece.left is not None
    left = f"{piece.left.normalize():f}"
    field = session.app.entities[piece.map.entity].fields[piece.map.quantity or ""]
    return Ask(
        name=piece.ask,
        label=_title(session, piece.record),
        type="integer" if field.storage == "integer" else "decimal",
        scale=field.scale,
        default=int(piece.left) if field.storage == "integer" else piece.left,
        help=say("conversion.left", session.language, left=left),
    )


def _title(session: Session, record: Stored) -> str:
    return text_at(record, [record.plan.entity.title], session) if record.plan.entity.title != "id" else ""


# --- what would be made ------------------------------------------------------------------------------------------


def preview(session: Session, state: State) -> dict[str, Any]:
    """What would be made, as JSON: per target its fields as people read them, its lines with what is left."""
    return {
        "decision": "conversion",
        "name": state.conversion.name,
        "label": state.conversion.label.of(session.language),
        "why": state.why,
        "results": [{"id": i, "title": title} for i, title in state.results],
        "targets": [_shown(session, state, target) for target in wanted_targets(state.conversion, state.record)],
    }


def _shown(session: Session, state: State, target: Target) -> dict[str, Any]:
    found = state.found.get(target.name)
    values = mapped(session, target.values, state.record, target.entity)
    made = {name: f"→ {_target(state, other).label.of(session.language)}" for name, other in target.made}
    lines = {
        lines.field: {
            "label": _field_label(session, target.entity, lines.field),
            "rows": [_row(session, p) for p in state.pieces.get(target.name, ()) if p.map is lines],
        }
        for lines in target.lines
    }
    return {
        "name": target.name,
        "entity": target.entity,
        "label": target.label.of(session.language),
        "existing": found,
        "fields": [*_said(session, target.entity, values), *_links(session, target.entity, made)],
        "lines": lines,
    }


def _target(state: State, name: str) -> Target:
    return next(target for target in state.conversion.targets if target.name == name)


def _field_label(session: Session, entity: str, field: str) -> str:
    return session.app.entities[entity].fields[field].label.of(session.language)


def _links(session: Session, entity: str, made: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"label": _field_label(session, entity, name), "value": value} for name, value in made.items()]


def _said(session: Session, entity: str, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Values of a record that is not there yet, as people read them; what the person may not see is left out."""
    from runtime.records.plan import plan_of  # late: plans are built on what imports this

    plan = plan_of(session, entity)
    hidden = Access(session).hidden(entity)
    shown = {n: v for n, v in values.items() if n in plan.fields and n not in hidden and v is not None and v != ""}
    record = Stored(Loader(session), plan, {"id": None, **dict.fromkeys(plan.row_names), **shown})
    plain = {n for n in shown if plan.fields[n].storage not in ("choices", "links", "children", "json")}
    return [
        {"label": _field_label(session, entity, name), "value": text_at(record, [name], session)}
        for name in shown
        if name in plain
    ]


def _row(session: Session, piece: Piece) -> dict[str, Any]:
    left = None if piece.left is None else f"{piece.left.normalize():f}"
    return {"title": _title(session, piece.record), "left": left, "ask": piece.ask}


__all__ = ["ConversionActions", "preview"]

register(ConversionActions())
