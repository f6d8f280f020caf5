"""Converting a record, and undoing it: under the lock of the record, in the transaction of the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.conversion import Conversion, LineMap, Target
from runtime import records
from runtime.actions import as_person, lock
from runtime.conversions.state import Piece, State, existing, fresh, mapped, state_of, wanted_targets
from runtime.decisions.effects import carry_out
from runtime.errors import Conflict, NotFound, RecordProblem, Refused
from runtime.records.values import Stored

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(slots=True)
class Made:
    """What came of it: the records by target, and which of them were there before."""

    records: dict[str, tuple[str, int]] = field(default_factory=dict)
    adopted: set[str] = field(default_factory=set)
    numbers: dict[str, str | None] = field(default_factory=dict)


def convert(
    session: Session, conversion: Conversion, record_id: int, given: Mapping[str, Any] | None = None
) -> tuple[Made, State]:
    """Makes the records. `given` says per piece how much is taken (None: what is left) and which records are taken.

    Raises `NotFound`, `Conflict("action.closed")` with the reason, `Refused` for wrong quantities and values.
    """
    lock(session, conversion.entity, record_id)
    record = fresh(session, conversion.entity, record_id)
    if record is None or record.row.get("deleted_at") is not None:
        raise NotFound()
    _one_after_the_other(session, conversion)
    state = state_of(session, conversion, record)
    if state.why is not None:
        raise Conflict("action.closed", why=state.why)
    amounts = _amounts(state, given or {})
    writing = as_person(session, f"conversion:{conversion.name}")
    made = Made()
    for target in wanted_targets(conversion, record):
        _make(writing, state, target, given or {}, amounts, made)
    kept = {name: made.records[target][1] for name, target in conversion.keep if target in made.records}
    said = mapped(writing, conversion.source, record, conversion.entity) | kept
    if said:
        records.update(writing, conversion.entity, record_id, said)
    cause = f"conversion:{conversion.name}"
    label = conversion.label.of(session.language)
    carry_out(session, conversion.then, conversion.entity, record_id, cause, person=session.user.id, label=label)
    return made, state


def _one_after_the_other(session: Session, conversion: Conversion) -> None:
    """Two conversions that may take or make the same record wait for each other. SQLite's writer is alone anyway."""
    if session.site.dialect == "sqlite":
        return
    for entity in sorted({target.entity for target in conversion.targets if target.adopts}):
        words = sa.func.hashtextextended(f"octavo:conversion:{entity}", 0)
        session.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(words)))


def _amounts(state: State, given: Mapping[str, Any]) -> dict[str, Decimal]:
    """How much of each piece is taken, by its ask. Raises `Refused` for too much, less than nothing, or nothing."""
    taken: dict[str, Decimal] = {}
    problems: list[RecordProblem] = []
    pieces = [piece for pieces in state.pieces.values() for piece in pieces if piece.left is not None]
    for piece in pieces:
        assert piece.left is not None
        asked = given.get(piece.ask)
        amount = piece.left if asked is None else Decimal(asked)
        if amount < 0 or amount > piece.left:
            params = {"left": f"{piece.left.normalize():f}"}
            problems.append(RecordProblem(code="conversion.quantity", field=piece.ask, params=params))
        taken[piece.ask] = amount
    if problems:
        raise Refused(problems=problems)
    whole = any(piece.left is None for pieces in state.pieces.values() for piece in pieces)
    if pieces and not whole and not any(taken.values()):
        raise Refused(problems=[RecordProblem(code="conversion.nothing_taken")])
    return taken


def _make(
    writing: Session,
    state: State,
    target: Target,
    given: Mapping[str, Any],
    amounts: Mapping[str, Decimal],
    made: Made,
) -> None:
    adopted = _adopted(writing, state, target, given, made)
    if adopted is not None:
        made.records[target.name] = (target.entity, adopted)
        made.adopted.add(target.name)
        return
    values = mapped(writing, target.values, state.record, target.entity)
    values |= {name: made.records[other][1] for name, other in target.made if other in made.records}
    if target.back is not None:
        values[target.back] = state.record.row["id"]
    for lines in target.lines:
        pieces = [piece for piece in state.pieces.get(target.name, ()) if piece.map is lines]
        values[lines.field] = [
            _line(writing, lines, piece, amounts.get(piece.ask))
            for piece in pieces
            if piece.left is None or amounts[piece.ask] > 0
        ]
    saved = records.create(writing, target.entity, values)
    made.records[target.name] = (target.entity, saved.id)
    made.numbers[target.name] = saved.number


def _adopted(session: Session, state: State, target: Target, given: Mapping[str, Any], made: Made) -> int | None:
    """The record that is taken instead of making one: the one chosen, else the one that was found."""
    if not target.adopts:
        return None
    if given.get(adopt_new(target)):
        return None
    chosen = given.get(adopt_ask(target))
    if chosen is not None:
        return int(chosen)
    taken = {name: record for name, (_, record) in made.records.items() if name in made.adopted}
    return existing(session, target, state.record, taken)


def adopt_ask(target: Target) -> str:
    """The name of the question which record is taken."""
    return f"existing_{target.name}"


def adopt_new(target: Target) -> str:
    """The name of the question whether a new one is made though one was found."""
    return f"new_{target.name}"


def _line(writing: Session, lines: LineMap, piece: Piece, amount: Decimal | None) -> dict[str, Any]:
    values = mapped(writing, lines.values, piece.record, lines.entity)
    if lines.quantity is not None and amount is not None:
        values[lines.quantity] = amount
    if lines.back is not None:
        values[lines.back] = piece.record.row["id"]
    return values


# --- undoing -----------------------------------------------------------------------------------------------------


def undo(session: Session, conversion: Conversion, result: Stored) -> None:
    """Takes the result back: it stays, marked as the rule says, and does not count any more."""
    assert conversion.undo is not None
    assert conversion.main.back is not None
    source = result.row[conversion.main.back]
    if source is not None:
        lock(session, conversion.entity, source)
    writing = as_person(session, f"undo:{conversion.name}")
    values = mapped(writing, conversion.undo.values, result, conversion.main.entity)
    records.update(writing, conversion.main.entity, result.row["id"], values)
    origin = fresh(session, conversion.entity, source) if source is not None else None
    if origin is None or origin.row.get("deleted_at") is not None:
        return
    back = mapped(writing, conversion.undo.source, origin, conversion.entity)
    kept = {name for name, target in conversion.keep if target == conversion.result}
    back |= {name: None for name in kept if origin.row.get(name) == result.row["id"]}
    if back:
        records.update(writing, conversion.entity, source, back)
