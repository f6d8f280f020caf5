"""What a conversion would make of a record now, and what stands in its way; reading only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.conversion import Conversion, LineMap, Target
from metadata.models.effects import Value
from rules.evaluate import evaluate, holds
from runtime.decisions.effects import Acting, given_values, thawed
from runtime.messages import say
from runtime.messaging.filling import fill, reader_of
from runtime.records.plan import plan_of
from runtime.records.values import Loader, Stored
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True)
class Piece:
    """A source line with what is left of it (None: it is taken over whole)."""

    map: LineMap
    record: Stored
    left: Decimal | None

    @property
    def ask(self) -> str:
        """The name of the question how much is taken."""
        return f"{self.map.field}_{self.record.row['id']}"


@dataclass(slots=True)
class State:
    """The record as it is, what of it can be taken over, and why not (a sentence; None: it can be)."""

    conversion: Conversion
    record: Stored
    pieces: dict[str, list[Piece]] = field(default_factory=dict)  # by target
    results: list[tuple[int, str]] = field(default_factory=list)  # what was made before and counts: id, title
    found: dict[str, int] = field(default_factory=dict)  # existing records by target
    why: str | None = None


def state_of(session: Session, conversion: Conversion, record: Stored) -> State:
    """Looks at everything the conversion reads; the record is visible to the person of the session."""
    state = State(conversion=conversion, record=record)
    state.results = results_of(session, conversion, record.row["id"])
    state.why = _closed(session, state)
    if state.why is not None:
        return state
    partial = False
    for target in wanted_targets(conversion, record):
        state.pieces[target.name] = [piece for lines in target.lines for piece in _pieces(record, lines)]
        partial = partial or any(lines.left is not None for lines in target.lines)
        match = existing(session, target, record, state.found)
        if match is not None:
            state.found[target.name] = match
    takes = [piece for pieces in state.pieces.values() for piece in pieces]
    if partial and not takes and any(_has_lines(record, t) for t in conversion.targets):
        state.why = say("conversion.nothing_left", session.language)
    for name, match in state.found.items():
        entity = next(t.entity for t in conversion.targets if t.name == name)
        if not _visible(session, entity, match):
            state.why = say("conversion.hidden_match", session.language, entity=_label(session, entity))
    return state


def _has_lines(record: Stored, target: Target) -> bool:
    return any(record.members(lines.source) for lines in target.lines)


def wanted_targets(conversion: Conversion, record: Stored) -> list[Target]:
    environment = record.loader.environment
    return [t for t in conversion.targets if t.when is None or holds(t.when, record, environment)]


def _closed(session: Session, state: State) -> str | None:
    conversion, record, language = state.conversion, state.record, session.language
    access = Access(session)
    environment = record.loader.environment
    if conversion.once and state.results:
        return say("conversion.done", language, title=state.results[0][1])
    if not access.superuser:
        if not access.allows(conversion.entity, "edit", record, session.environment()):
            return say("conversion.may_not_change", language)
        missing = [t for t in wanted_targets(conversion, record) if not access.can(t.entity, "create")]
        if missing:
            return say("conversion.may_not", language, entity=_label(session, missing[0].entity))
    if conversion.when is not None and not holds(conversion.when, record, environment):
        return conversion.why.of(language) if conversion.why else say("conversion.closed", language)
    return None


def _label(session: Session, entity: str) -> str:
    return session.app.entities[entity].label.of(session.language)


def _visible(session: Session, entity: str, record_id: int) -> bool:
    access = Access(session)
    table = session.table(entity)
    rows = access.predicate(entity, "read", table)
    if rows is None:
        return True
    wanted = sa.select(table.c.id).where(table.c.id == record_id, rows)
    return session.connection.scalar(wanted) is not None


def _pieces(record: Stored, lines: LineMap) -> Iterable[Piece]:
    environment = record.loader.environment
    for member in record.members(lines.source):
        if lines.where is not None and evaluate(lines.where, member, environment, outer=record) is not True:
            continue
        assert isinstance(member, Stored)
        if lines.left is None:
            yield Piece(lines, member, None)
            continue
        left = Decimal(evaluate(lines.left, member, environment, outer=record) or 0)
        if left > 0:
            yield Piece(lines, member, left)


# --- what was made before ----------------------------------------------------------------------------------------


def results_of(session: Session, conversion: Conversion, record_id: int) -> list[tuple[int, str]]:
    """Living results of the record that were not undone."""
    target = conversion.main
    if target.back is None:
        return []
    plan = plan_of(session, target.entity)
    table = plan.table
    wanted = sa.select(*table.c).where(
        table.c[column_name(plan.fields[target.back])] == record_id, table.c.deleted_at.is_(None)
    )
    found: list[tuple[int, str]] = []
    for values in session.connection.execute(wanted.order_by(table.c.id)):
        row = plan.row(values)
        if not undone(conversion, row):
            found.append((row["id"], str(row.get(plan.entity.title) or row["id"])))
    return found


def undone(conversion: Conversion, row: Mapping[str, Any]) -> bool:
    """Whether a result has all the values of one that is undone."""
    if conversion.undo is None or not conversion.undo.values:
        return False
    return all(row.get(v.field) == plain_constant(v) for v in conversion.undo.values)


def plain_constant(value: Value) -> Any:
    if value.text is not None:
        return value.text.of("en")
    return thawed(value.constant)


# --- values ------------------------------------------------------------------------------------------------------


def mapped(session: Session, values: Iterable[Value], record: Stored, entity: str) -> dict[str, Any]:
    """Field → value for a record of `entity`, from the source or one of its lines."""
    found: dict[str, Any] = {}
    rest: list[Value] = []
    for value in values:
        if value.expression is not None:
            result = evaluate(value.expression, record, record.loader.environment)
            found[value.field] = list(result) if isinstance(result, tuple) else result
        elif value.text is not None:
            found[value.field] = fill(value.text, record, reader_of(session, language=session.site.settings.language))
        elif value.who is None and value.within is None:
            found[value.field] = thawed(value.constant)
        else:
            rest.append(value)
    if rest:
        acting = Acting(session, record.plan.name, record.row["id"], "conversion", person=session.user.id)
        found |= given_values(acting, entity, rest)
    return found


def existing(session: Session, target: Target, record: Stored, made: Mapping[str, int]) -> int | None:
    """The oldest living record that is the same by one of the ways; a way with a missing value says nothing.

    It belongs to the same records: `made` are those taken so far, and where one is new, nothing can belong to it yet.
    """
    if any(other not in made for _, other in target.made):
        return None
    plan = plan_of(session, target.entity)
    belongs = [plan.table.c[column_name(plan.fields[name])] == made[other] for name, other in target.made]
    for way in target.existing:
        values = mapped(session, way, record, target.entity)
        if any(value is None or value == "" for value in values.values()):
            continue
        same = [plan.table.c[column_name(plan.fields[name])] == value for name, value in values.items()]
        wanted = sa.select(plan.table.c.id).where(*same, *belongs, plan.table.c.deleted_at.is_(None))
        found: int | None = session.connection.scalar(wanted.order_by(plan.table.c.id).limit(1))
        if found is not None:
            return found
    return None


def fresh(session: Session, entity: str, record_id: int) -> Stored | None:
    """The record as it is in the database now, whatever was read before."""
    return Loader(session).record(entity, record_id)
