"""Assignments carried out: new records as they are written, others on demand; each with its reasons, turns and news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.assignment import Assignment
from runtime.decisions.desk import Decision, Desk, desk_of, save_turns
from runtime.decisions.ownership import Handover, OwnershipRule, acting, hand_over, insert_rows
from runtime.decisions.people import administrators, resolve_all
from runtime.environment import working_time
from runtime.errors import Answer, NotFound
from runtime.messages import say
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import CHUNK, Loader, Stored

if TYPE_CHECKING:
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session

TRIGGERS = {"import": "import", "web": "web", "web_form": "web", "internal": None}  # by channel; every other creates
OPEN = "proposed"


class AssigningRule(RecordRule):
    """Gives new records to somebody, where an assignment says so, and keeps every decision."""

    name = "assignment"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "assignment"))

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        trigger = TRIGGERS.get(session.channel, "create")
        fresh = [d for d in drafts if d.creating]
        if trigger is None or not fresh:
            return
        made: dict[Any, Decision] = {}
        kept: list[Draft] = []  # an id() is only good while its object lives
        for assignment in session.app.rules_of(plan.name, "assignment"):
            waiting = [d for d in fresh if id(d) not in made and _open_to(d, assignment, session.app)]
            if trigger not in assignment.on or not waiting:
                continue
            desk = desk_of(session, assignment)
            for draft in waiting:
                if desk.concerns(draft):
                    made[id(draft)] = desk.decide(draft)
                    kept.append(draft)
        session.cache["decisions", plan.name] = (made, kept)
        hand_over(session, plan.name, {key: move for key, d in made.items() if (move := handover_of(d)) is not None})

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        known: Mapping[Any, Decision] = session.cache.get(("decisions", plan.name), ({}, ()))[0]
        _lapse(session, plan, drafts, known)
        found = [(d.record_id or 0, known[k]) for d in drafts if (k := id(d) if d.creating else d.record_id) in known]
        if found:
            keep(session, plan.name, found)
            session.cache.setdefault(("kept", plan.name), set()).update(i for i, _ in found)

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        _close(session, plan.name, ids)


def _open_to(draft: Draft, assignment: Assignment, app: Application) -> bool:
    """Whom somebody named stays; a default gives way. What is put into a pool on purpose is not handed out."""
    if assignment.to in draft.given and draft.raw(assignment.to) is not None:
        return False
    return all(draft.raw(pool.field) is None for pool in app.rules_of(assignment.entity, "pool"))


def handover_of(decision: Decision, reason: str = "assigned") -> Handover | None:
    """What becomes of the record now; None where nobody was found: it stays as it is."""
    if decision.state == "nobody":
        return None
    person = decision.person if decision.state == "assigned" else None
    found = decision.assignment
    return Handover(person=person, pool=decision.pool, reason=reason, to_field=found.to, at_field=found.at)


def keep(session: Session, entity: str, found: Sequence[tuple[int, Decision]]) -> None:
    """Writes the decisions on records with their reasons and turns, and tells those concerned."""
    save_turns(session, (d for _, d in found))
    insert_rows(session, "assignment_decision", [_row(session, i, d) for i, d in found])
    session.touch("assignment_decision")
    _tell(session, entity, found)


def _row(session: Session, record: int, decision: Decision) -> dict[str, Any]:
    confirm = decision.assignment.confirm
    waits = decision.state == OPEN and confirm is not None and confirm.within is not None
    due = working_time(session).add(session.now, confirm.within) if waits and confirm and confirm.within else None
    return {
        "entity": decision.assignment.entity,
        "record": record,
        "assignment": decision.assignment.name,
        "rule": decision.rule.name if decision.rule else None,
        "person": decision.person,
        "pool": decision.pool,
        "state": decision.state,
        "why": {"steps": decision.steps},
        "due_at": due,
        "cause": session.cause or session.channel,
    }


def _lapse(session: Session, plan: EntityPlan, drafts: Sequence[Draft], known: Mapping[Any, Decision]) -> None:
    """A proposal has no object once the record has gone to somebody, or when the rules decide anew."""
    given = [
        d.record_id
        for d in drafts
        if not d.creating and (d.record_id in known or any(a.to in d.changed for a in _confirmed(session, plan.name)))
    ]
    _close(session, plan.name, [i for i in given if i is not None])


def _confirmed(session: Session, entity: str) -> list[Assignment]:
    return [a for a in session.app.rules_of(entity, "assignment") if a.confirm is not None]


def _close(session: Session, entity: str, ids: Sequence[int]) -> None:
    if not _confirmed(session, entity):
        return
    table = session.table("assignment_decision")
    for start in range(0, len(ids), CHUNK):
        part = list(ids)[start : start + CHUNK]
        same = (table.c.entity == entity, table.c.record.in_(part), table.c.state == OPEN)
        living = table.c.deleted_at.is_(None)
        session.connection.execute(sa.update(table).where(*same, living).values(state="lapsed", decided_at=session.now))


# --- news ----------------------------------------------------------------------------------------------------------


def _tell(session: Session, entity: str, found: Sequence[tuple[int, Decision]]) -> None:
    """One notice per person and batch: of the record, or of how many there are."""
    got: dict[int, list[int]] = {}
    asked: dict[int, list[int]] = {}
    for record, decision in found:
        if decision.state == "assigned" and decision.person is not None and decision.assignment.notify:
            got.setdefault(decision.person, []).append(record)
        confirm = decision.assignment.confirm
        if decision.state == OPEN and confirm is not None:
            deciding = resolve_all(session, confirm.by, Loader(session).record(entity, record))
            for person in deciding or administrators(session):
                asked.setdefault(person, []).append(record)
    tell(session, entity, got, "assigned")
    tell(session, entity, asked, "proposed")


def tell(session: Session, entity: str, people: Mapping[int, Sequence[int]], word: str) -> None:
    """Notices to people about records: `assignment.told.<word>`, or `….many` of several."""
    from runtime.messaging.notify import notify  # late: only where somebody is told

    described = session.app.entities[entity]
    for person, ids in sorted(people.items()):
        several = len(ids) > 1
        title = "" if several else title_of(session, entity, ids[0])

        def subject(language: str, count: int = len(ids), title: str = title) -> str:
            label = (described.plural if count > 1 else described.label).of(language)
            code = f"assignment.told.{word}" + (".many" if count > 1 else "")
            return say(code, language, label=label, title=title, count=count)

        record = None if several else ids[0]
        notify(session, [person], subject, entity=entity, record=record, word="assignment", rule=word)


def title_of(session: Session, entity: str, record: int) -> str:
    """What a record is called, for those it is handed to."""
    described = session.app.entities[entity]
    stored = Loader(session).record(entity, record)
    found = stored.get(described.title) if stored is not None and described.title in described.fields else None
    return str(found) if isinstance(found, str) else f"#{record}"


# --- on demand -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Outcome:
    """What a run over records did: counts by state, and the record ids that were refused."""

    states: dict[str, int] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    decisions: dict[int, Decision] = field(default_factory=dict)


def assignment_named(session: Session, name: str) -> Assignment:
    """Raises `NotFound` for a name that is not declared."""
    found: Assignment | None = session.app.of("assignment").get(name)
    if found is None:
        raise NotFound()
    return found


def assign_records(
    session: Session, assignment: Assignment, ids: Sequence[int], *, reason: str = "assigned", note: str | None = None
) -> Outcome:
    """Runs the rules over these records in this transaction; those they do not concern are left out."""
    from runtime import records  # late: records are written through rules

    sub = acting(session, f"assignment:{assignment.name}")
    desk = Desk(sub, assignment)
    outcome = Outcome()
    for stored in stored_many(sub, assignment.entity, ids):
        if desk.concerns(stored):
            outcome.decisions[stored.row["id"]] = desk.decide(stored)
    moves = {i: m for i, d in outcome.decisions.items() if (m := handover_of(d, reason)) is not None}
    hand_over(sub, assignment.entity, {i: _noted(m, note) for i, m in moves.items()})
    sub.cache["decisions", assignment.entity] = ({i: outcome.decisions[i] for i in moves}, ())
    answers = records.update_many(sub, assignment.entity, [(i, {}, None) for i in moves], atomic=False)
    outcome.refused = [i for i, answer in zip(moves, answers) if isinstance(answer, Answer)]
    kept = sub.cache.get(("kept", assignment.entity), set())  # the others have nothing that changes in the record
    rest = [(i, d) for i, d in outcome.decisions.items() if i not in kept and i not in outcome.refused]
    if rest:
        keep(sub, assignment.entity, rest)
    for i, decision in outcome.decisions.items():
        if i not in outcome.refused:
            outcome.states[decision.state] = outcome.states.get(decision.state, 0) + 1
    return outcome


def _noted(move: Handover, note: str | None) -> Handover:
    return replace(move, note=note) if note else move


def stored_many(session: Session, entity: str, ids: Sequence[int]) -> list[Stored]:
    """The living ones of these records, loaded together."""
    loader = Loader(session)
    loader.want(entity, ids)
    loader.own(entity, ids)
    found = (loader.record(entity, i) for i in ids)
    return [r for r in found if r is not None and r.row.get("deleted_at") is None]


register(AssigningRule())
register(OwnershipRule())  # after it: it carries out what was decided
