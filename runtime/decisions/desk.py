"""Assignments decided: the rules of one assignment applied to records, with everybody's loads and turns at hand.

A desk serves one batch in one transaction. It is opened under a lock of its assignment, so that turns and loads are
those of everything committed before: round robin stays exact however many write at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.assignment import Assignment, AssignmentRule, Pick
from rules.assigning import Bench, Candidate, Need
from rules.evaluate import Values, evaluate
from rules.expression import Expression
from runtime.decisions.people import called_and_away, resolve_all
from runtime.query.expressions import value
from runtime.query.sql_context import NoSqlTwin
from runtime.records.bulk import Insert
from runtime.records.values import Loader
from runtime.schema.tables import column_name
from runtime.security.access import sql_context
from runtime.statements import Kept, fetch

if TYPE_CHECKING:
    from runtime.site import Session

_log = logging.getLogger("octavo.rules")
MOST_TOLD = 10  # candidates kept with a decision


@dataclass(slots=True)
class Decision:
    """What the rules said of one record. `turn` is the number of the turn of the rule that the person got."""

    assignment: Assignment
    rule: AssignmentRule | None = None
    person: int | None = None
    pool: str | None = None
    turn: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.person is not None:
            return "proposed" if self.assignment.confirm is not None else "assigned"
        return "pooled" if self.pool is not None else "nobody"


def lock(session: Session, assignment: str) -> None:
    """One transaction at a time hands out by this assignment; on SQLite the writer is alone anyway."""
    if session.site.dialect == "sqlite":
        return
    wanted = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    fetch(session.connection, wanted, (f"octavo assignment {assignment}",))


def desk_of(session: Session, assignment: Assignment) -> Desk:
    """The desk of an assignment in this transaction: a batch goes on where the last one stopped."""
    key = ("desk", assignment.name)
    found: Desk | None = session.cache.get(key)
    if found is None or found.assignment is not assignment:
        found = session.cache[key] = Desk(session, assignment)
    return found


class Desk:
    """`fresh`: turns begin anew and nothing is locked, for a replay."""

    def __init__(self, session: Session, assignment: Assignment, *, fresh: bool = False) -> None:
        self.session = session
        self.assignment = assignment
        self.fresh = fresh
        self.loader = Loader(session)
        self._benches: dict[str, Bench] = {}
        self._people: dict[tuple[str, int], Candidate] = {}
        self._turns: dict[tuple[str, int], tuple[int, int]] | None = None
        self._fixed: dict[str, tuple[list[Candidate], list[str]]] = {}
        if not fresh:
            lock(session, assignment.name)

    def concerns(self, record: Values) -> bool:
        """Whether the assignment is for this record at all."""
        return self.assignment.when is None or self._holds(self.assignment.when, record)

    def decide(self, record: Values) -> Decision:
        """The first rule that holds and finds somebody decides; the others are kept as steps."""
        found = Decision(self.assignment)
        for rule in self.assignment.rules:
            if rule.when is not None and not self._holds(rule.when, record):
                found.steps.append({"rule": rule.name, "result": "not_met"})
                continue
            if rule.pick is None:
                found.rule, found.pool = rule, rule.pool
                found.steps.append({"rule": rule.name, "result": "pool", "pool": rule.pool})
                return found
            step, person, turn = self._pick(rule, rule.pick, record)
            found.steps.append(step)
            if person is not None:
                found.rule, found.person, found.turn = rule, person, turn
                return found
        return found

    def _pick(self, rule: AssignmentRule, pick: Pick, record: Values) -> tuple[dict[str, Any], int | None, int]:
        candidates, away = self._candidates(rule, pick, record)
        able = candidates
        if pick.where is not None:
            able = [c for c in able if self._of_person(pick.where, c.id, record) is True]
        if pick.best is not None:
            for candidate in able:
                candidate.best = _number(self._of_person(pick.best, candidate.id, record))
        need = Need(skills=skills_at(record, pick.needs), values=record)
        step: dict[str, Any] = {"rule": rule.name, "by": pick.by, "candidates": _told(able, pick)}
        if away:
            step["absent"] = away[:MOST_TOLD]
        if need.skills:
            step["skills"] = sorted(map(str, need.skills))
        bench = self._bench(rule, pick)
        try:
            chosen = bench.pick(need, able)
            step["result"] = "chosen" if chosen else "nobody"
        except Exception:  # code of a package: the next rule has its turn, and the reason is kept
            _log.exception("the strategy %s of %s raised", pick.by, self.assignment.name)
            chosen, step["result"] = None, "failed"
        if chosen is None:
            return step, None, 0
        step["person"], step["name"] = chosen.id, chosen.name
        return step, chosen.id, bench.turn

    def _bench(self, rule: AssignmentRule, pick: Pick) -> Bench:
        bench = self._benches.get(rule.name)
        if bench is None:
            latest = max((last for (name, _), (_, last) in self._known().items() if name == rule.name), default=0)
            bench = Bench(by=pick.by, candidates=[], most=pick.most, options=pick.options, turn=latest)
            self._benches[rule.name] = bench
        return bench

    def _candidates(self, rule: AssignmentRule, pick: Pick, record: Values) -> tuple[list[Candidate], list[str]]:
        """The people of the rule who are there, and the names of those who are away."""
        dynamic = any(w.field or w.manager_of or w.unit_head or w.expression is not None for w in pick.people)
        if not dynamic and rule.name in self._fixed:
            return self._fixed[rule.name]
        ids = resolve_all(self.session, pick.people, record, self.loader.environment)
        called, absent = called_and_away(self.session, ids)
        self._load_people(rule, pick, [i for i in ids if (rule.name, i) not in self._people], called)
        found = [self._people[rule.name, i] for i in ids if i not in absent]
        away = [self._people[rule.name, i].name for i in ids if i in absent]
        self._fixed[rule.name] = (found, away)
        return found, away

    def _load_people(self, rule: AssignmentRule, pick: Pick, ids: Sequence[int], called: Mapping[int, str]) -> None:
        if not ids:
            return
        counted = pick.by not in ("round_robin", "weight") or pick.most is not None  # counting costs; turns need none
        loads: dict[int, Decimal | None] = self._owned(ids) if counted and pick.load is None else {}
        if pick.load is not None:
            loads = self._figures(pick.load, ids)
        weights = self._figures(pick.weight, ids) if pick.weight is not None else {}
        self.loader.want("user", ids)
        for place, person in enumerate(ids, len(self._people)):
            turns, last = self._known().get((rule.name, person), (0, 0))
            stored = self.loader.record("user", person) if pick.skills else None
            self._people[rule.name, person] = Candidate(
                id=person,
                name=called.get(person, f"#{person}"),
                load=loads.get(person) or Decimal(0),
                weight=weights.get(person),
                skills=skills_at(stored, pick.skills) if stored is not None else frozenset(),
                turns=turns,
                last=last,
                order=place,
            )

    def _figures(self, expression: Expression, ids: Sequence[int]) -> dict[int, Decimal | None]:
        """A figure of each person, in one statement where the language allows it."""
        person = self.session.table("user")
        try:
            figure = value(expression, person, sql_context(self.session))
            wanted = sa.select(person.c.id, figure).where(person.c.id.in_(list(ids)))
            return {i: _number(found) for i, found in self.session.connection.execute(wanted)}
        except NoSqlTwin:
            self.loader.want("user", ids)
            self.loader.own("user", ids)
            return {i: _number(self._of_person(expression, i, None)) for i in ids}

    def _owned(self, ids: Sequence[int]) -> dict[int, Decimal | None]:
        """How many records of the entity each of them has."""
        table = self.session.table(self.assignment.entity)
        entity = self.session.app.entities[self.assignment.entity]
        owner = table.c[column_name(entity.fields[self.assignment.to])]
        counted = sa.select(owner, sa.func.count()).where(owner.in_(list(ids)), table.c.deleted_at.is_(None))
        rows = self.session.connection.execute(counted.group_by(owner))
        return {person: Decimal(count) for person, count in rows}

    def _known(self) -> dict[tuple[str, int], tuple[int, int]]:
        """(rule, person) → (turns, the latest one), as of now."""
        if self._turns is None:
            self._turns = {}
            if not self.fresh:
                rows = _turns_of(self.session).rows(self.session.connection, {"assignment": self.assignment.name})
                self._turns = {(rule, person): (turns or 0, latest or 0) for rule, person, turns, latest in rows}
        return self._turns

    def _of_person(self, expression: Expression, person: int, record: Values | None) -> Any:
        stored = self.loader.record("user", person)
        return None if stored is None else evaluate(expression, stored, self.loader.environment, outer=record)

    def _holds(self, expression: Expression, record: Values) -> bool:
        return evaluate(expression, record, self.loader.environment) is True


def skills_at(record: Values, path: Sequence[str]) -> frozenset[Any]:
    """What stands at a path: names of choices, ids of records; nothing is nothing needed."""
    here: Any = record
    for number, name in enumerate(path):
        if here is None:
            return frozenset()
        field = here.plan.fields[name]
        last = number == len(path) - 1
        if last and (field.storage == "links" or field.type in ("related", "lines")):
            return frozenset(member.get("id") for member in here.members(name))
        here = here.get(name)
    if here is None or not path:
        return frozenset()
    return (
        frozenset(here) if isinstance(here, tuple) else frozenset({here.get("id") if hasattr(here, "plan") else here})
    )


def _turns_of(session: Session) -> Kept:
    memo = session.tables.memo
    if "turns known" not in memo:
        turn = session.table("assignment_turn")
        wanted = sa.select(turn.c.rule, turn.c.person, turn.c.turns, turn.c.latest)
        wanted = wanted.where(turn.c.assignment == sa.bindparam("assignment"), turn.c.deleted_at.is_(None))
        memo["turns known"] = Kept(wanted, session.connection.dialect, ("assignment",))
    found: Kept = memo["turns known"]
    return found


def save_turns(session: Session, decisions: Iterable[Decision]) -> None:
    """Notes the turns of records that were really written; the lock of the desk is still held."""
    given: dict[tuple[str, str, int], list[int]] = {}
    for found in decisions:
        if found.person is not None and found.rule is not None:
            given.setdefault((found.assignment.name, found.rule.name, found.person), []).append(found.turn)
    if not given:
        return
    keys = sorted(given)  # in one order, so that two who write do not wait for each other in a ring
    columns: dict[str, list[Any]] = {name: [key[place] for key in keys] for place, name in enumerate(_TURN_OF)}
    columns |= {"turns": [len(given[key]) for key in keys], "latest": [max(given[key]) for key in keys]}
    moments = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
    memo = session.tables.memo
    if "turns raised" not in memo:
        names = (*columns, *moments)
        memo["turns raised"] = Insert(
            session.table("assignment_turn"), session.connection.dialect, names, amend=_raising
        )
    memo["turns raised"].run(session.connection, len(keys), columns, moments)


_TURN_OF = ("assignment", "rule", "person")


def _raising(first: Any) -> Any:
    """Somebody who had turns before has more of them now."""
    turn, new = first.table, first.excluded
    changed = {"turns": sa.func.coalesce(turn.c.turns, sa.literal_column("0")) + new.turns, "latest": new.latest}
    return first.on_conflict_do_update(
        index_elements=[turn.c[name] for name in _TURN_OF],
        index_where=turn.c.deleted_at.is_(None),
        set_=changed | {"updated_at": new.updated_at},
    )


def _told(candidates: Sequence[Candidate], pick: Pick) -> list[dict[str, Any]]:
    """The figures as they were before the choice."""
    found = []
    for candidate in candidates[:MOST_TOLD]:
        told: dict[str, Any] = {"id": candidate.id, "name": candidate.name}
        if pick.by in ("round_robin", "weight"):
            told["turns"] = candidate.turns
        else:
            told["load"] = plain(candidate.load)
        if candidate.weight is not None:
            told["weight"] = plain(candidate.weight)
        if pick.best is not None:
            told["best"] = plain(candidate.best)
        if pick.skills:
            told["skills"] = sorted(map(str, candidate.skills))
        found.append(told)
    return found


def plain(number: Decimal | None) -> int | float | None:
    """A figure as JSON has it."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def _number(found: Any) -> Decimal | None:
    return None if found is None else Decimal(found)
