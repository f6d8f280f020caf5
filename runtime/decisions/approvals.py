"""Approvals at work: a record is submitted, people decide, and what the rule declares follows, in one transaction.

What an act does is decided by `rules.approving`; here the people are found, the case is locked, read and written back,
those concerned are told, and the effects of an ending are carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.approval import Approval, ApprovalStep
from rules.approval_case import ENDED, Case, Event, Refusal, Step
from rules.approving import (
    add_signers,
    appoint,
    begin,
    decide,
    hand_over,
    send_back,
    withdraw,
)
from rules.evaluate import Environment, evaluate
from runtime.decisions import approval_store as store
from runtime.decisions.approval_store import Held
from runtime.decisions.effects import carry_out, starts
from runtime.decisions.people import absent, administrators, managers, resolve_all, stand_in
from runtime.errors import Answer, Conflict, Forbidden, NotFound
from runtime.messages import say
from runtime.messaging.notify import notify
from runtime.records import snapshots
from runtime.records.plan import plan_of
from runtime.records.values import Draft, Loader, Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

Decide = Callable[[Held, "People"], Case]


def cause_of(rule: str) -> str:
    """The cause under which an approval changes the record it has locked."""
    return f"approval:{rule}"


@dataclass(slots=True)
class People:
    """The directory of a running case: who its steps name, as the organisation is now."""

    session: Session
    rule: Approval
    record: Stored | Draft
    submitter: int | None

    def approvers(self, step: str) -> Sequence[int]:
        declared = self.rule.step(step)
        if declared is None:
            return ()
        return resolve_all(self.session, declared.by, self.record, environment_of(self.session, self.record))

    def stand_in(self, person: int) -> int | None:
        return stand_in(self.session, person) if absent(self.session, [person]) else None

    def managers(self, person: int) -> Sequence[int]:
        return managers(self.session, person)


def environment_of(session: Session, record: Stored | Draft) -> Environment:
    """What conditions know: the change too, where the record is one that is to change."""
    return record.environment() if isinstance(record, Draft) else record.loader.environment


def stored(session: Session, entity: str, record_id: int) -> Stored:
    """The record as the system sees it. Raises `NotFound`."""
    system = session.sub(cause=session.cause)
    found = Loader(system, session.environment()).record(entity, record_id)
    if found is None or found.row["deleted_at"] is not None:
        raise NotFound()
    return found


# --- which approval, which steps -----------------------------------------------------------------------------------


def rules_for(session: Session, entity: str, trigger: str) -> list[Approval]:
    """The approvals of an entity that start this way, in the order in which they are asked."""
    return [rule for rule in session.app.rules_of(entity, "approval") if rule.trigger == trigger]


def holds(rule: Approval, record: Stored | Draft, environment: Environment) -> bool:
    return rule.when is None or evaluate(rule.when, record, environment) is True


def choose(session: Session, entity: str, record: Stored | Draft, trigger: str = "submit") -> tuple[Approval, bool]:
    """The first approval whose condition holds; else the first, with False: none is needed. Raises `NotFound`."""
    rules = rules_for(session, entity, trigger)
    if not rules:
        raise NotFound("approval.none")
    environment = environment_of(session, record)
    fitting = next((rule for rule in rules if holds(rule, record, environment)), None)
    return (fitting, True) if fitting is not None else (rules[0], False)


def chain(rule: Approval, record: Stored | Draft, environment: Environment, needed: bool = True) -> tuple[Step, ...]:
    """The steps of a case that begins now; those whose condition does not hold are skipped."""
    return tuple(_step(step, record, environment) for step in rule.steps) if needed else ()


def _step(step: ApprovalStep, record: Stored | Draft, environment: Environment) -> Step:
    wanted = all(
        condition is None or evaluate(condition, record, environment) is True
        for condition in (step.group_when, step.when)
    )
    return Step(
        name=step.name,
        stage=step.stage,
        need=step.need,
        stage_need=step.stage_need,
        own=step.own,
        repeat=step.repeat,
        state="coming" if wanted else "skipped",
        why="" if wanted else "condition",
    )


# --- beginning -----------------------------------------------------------------------------------------------------


def submit(session: Session, entity: str, record_id: int, comment: str | None = None) -> Held:
    """Submits a record, or submits it again after it was returned. Raises `Forbidden`, `NotFound`, `Conflict`."""
    may_submit(session, entity, record_id)
    lock_record(session, entity, record_id)
    record = stored(session, entity, record_id)
    present = store.running(session, entity, record_id)
    if present is not None:
        return resubmit(session, present, record, comment)
    rule, needed = choose(session, entity, record)
    if passed_already(session, rule, record):
        raise Conflict("approval.already")
    return begin_case(session, rule, record, comment=comment, needed=needed)


@starts("approval")
def start(
    session: Session, entity: str, record_id: int, approval: str, cause: str, person: int | None
) -> dict[str, Any]:
    """Starts an approval by name, as a rule does, for the person who caused it; a running case goes on instead."""
    rule = session.app.of("approval").get(approval)
    if rule is None or rule.entity != entity:
        raise NotFound("approval.none")
    lock_record(session, entity, record_id)
    present = store.running(session, entity, record_id)
    if present is not None:
        return {"state": "running", "case": present["id"]}
    record = stored(session, entity, record_id)
    needed = holds(rule, record, environment_of(session, record))
    held = begin_case(session, rule, record, needed=needed, submitter=person)
    return {"case": held.id, "approval": held.case.state}


def may_submit(session: Session, entity: str, record_id: int) -> None:
    """Who may edit a record may submit it. Raises `NotFound` where it is not visible, `Forbidden`."""
    access = Access(session)
    table = plan_of(session, entity).table
    for operation, answer in (("read", NotFound()), ("edit", Forbidden())):
        rows = access.predicate(entity, operation, table)
        wanted = sa.select(table.c.id).where(table.c.id == record_id, table.c.deleted_at.is_(None))
        if session.connection.execute(wanted if rows is None else wanted.where(rows)).first() is None:
            raise answer


def lock_record(session: Session, entity: str, record_id: int) -> None:
    """Two who submit one record do so one after the other; SQLite's writer is alone anyway."""
    if session.site.dialect != "sqlite":
        table = plan_of(session, entity).table
        session.connection.execute(sa.select(table.c.id).where(table.c.id == record_id).with_for_update(key_share=True))


def passed_already(session: Session, rule: Approval, record: Stored) -> bool:
    """Whether the record was approved as it stands: what the approval itself sets does not count."""
    last = store.latest(session, rule.entity, record.record_id or 0, revisions=False)
    if last is None or last["state"] != "approved" or last["snapshot"] is None:
        return False
    own = fields_set(rule)
    now = snapshots.take(record)
    return not set(snapshots.difference(last["snapshot"], now)) - own


def fields_set(rule: Approval) -> set[str]:
    """The fields that the endings of an approval set: its own state, not what was submitted."""
    found: set[str] = set()
    for _, effects in rule.effects:
        for effect in effects:
            if effect.word == "set" and not getattr(effect, "on", ()):
                found.update(value.field for value in effect.values)  # type: ignore[attr-defined]
    return found


def begin_case(
    session: Session,
    rule: Approval,
    record: Stored | Draft,
    *,
    comment: str | None = None,
    needed: bool = True,
    revision: int | None = None,
    submitter: int | None = None,
) -> Held:
    """A new case for a record whose row is locked; with no step that asks anybody it ends at once."""
    submitter = submitter or session.user.id
    environment = environment_of(session, record)
    case = Case(submitter=submitter, steps=chain(rule, record, environment, needed))
    record_id = record.record_id or 0
    values = {
        "record": record_id,
        "title": title_of(record),
        "comment": comment,
        "snapshot": snapshots.take(record),
        "revision": revision,
    }
    case_id = store.create(session, case, rule, values)
    held = store.load(session, case_id)
    after = begin(case, People(session, rule, record, submitter))
    if not needed:
        after = replace(after, events=(*after.events[:-1], Event(code="not_needed"), after.events[-1]))
    follow(session, held, after, ["submitted"], comment=comment, person=submitter, record=record)
    return store.load(session, case_id)


def title_of(record: Stored | Draft) -> str:
    """What the record is called."""
    name = record.plan.entity.title
    found = record.get(name) if name in record.plan.fields else None
    return str(found if found is not None and not hasattr(found, "members") else record.record_id)[:400]


def resubmit(session: Session, row: Mapping[str, Any], record: Stored | Draft, comment: str | None) -> Held:
    """The next round of a case that was returned: by the rule it began with, on what the record says now."""
    held = store.load(session, row["id"], lock=True)
    if held.case.state != "returned":
        raise Conflict("approval.running")
    if session.user.id != held.case.submitter and not session.user.superuser:
        raise Forbidden("approval.not_submitter")
    environment = environment_of(session, record)
    past = tuple(replace(t, past=True) for t in held.case.tasks)
    case = Case(submitter=held.case.submitter, steps=chain(held.rule, record, environment), tasks=past)
    table = session.table(store.CASE)
    session.connection.execute(
        sa.update(table)
        .where(table.c.id == held.id)
        .values(
            round=table.c.round + 1,
            submitted_at=session.now,
            comment=comment,
            snapshot=snapshots.take(record),
            title=title_of(record),
        )
    )
    store.write_steps(session, held.id, case.steps, held.rule)
    after = begin(case, People(session, held.rule, record, held.case.submitter))
    fresh = replace(held, case=replace(held.case, steps=case.steps))
    follow(session, fresh, after, ["submitted"], comment=comment, person=session.user.id, record=record)
    return store.load(session, held.id)


# --- deciding ------------------------------------------------------------------------------------------------------


def act(session: Session, case_id: int, name: str, given: Mapping[str, Any], *, round_seen: int | None = None) -> Held:
    """An act of the person of the session on a case: approve, reject, return, delegate, add_before, add_after,
    withdraw, appoint. `round_seen`: the submission the person has looked at.

    Raises `Forbidden` where the act is not theirs, `Conflict` where the case does not allow it any more.
    """
    held = store.load(session, case_id, lock=True)
    if round_seen is not None and round_seen != held.row["round"]:
        raise Conflict("approval.stale")
    person = session.user.id
    if person is None:
        raise Forbidden()
    people = directory(session, held)
    comment = given.get("comment") or None
    try:
        after = ACTS[name](held, people, person, given)
    except Refusal as refusal:
        raise answer_of(refusal) from None
    follow(session, held, after, endings_of(held.case, after), comment=comment, person=person)
    return store.load(session, case_id)


def answer_of(refusal: Refusal) -> Answer:
    """403 for who is not asked, 409 for what the state does not allow."""
    kind: type[Answer] = Forbidden if refusal.code in ("not_asked", "not_submitter") else Conflict
    return kind(f"approval.{refusal.code}")


def directory(session: Session, held: Held) -> People:
    from runtime.revisions import proposed  # late: revisions stand on approvals

    revision = held.row["revision"]
    entity, record_id = held.row["entity"], held.row["record"]
    record: Stored | Draft = stored(session, entity, record_id)
    if revision is not None:
        record = proposed(session, revision)
    return People(session, held.rule, record, held.case.submitter)


def _decide(held: Held, people: People, person: int, given: Mapping[str, Any], agree: bool) -> Case:
    """All that is asked of the person at this moment, so that nobody decides the same thing twice."""
    tasks = held.case.open_for(person)
    case = held.case
    events: list[Event] = []
    wanted = _first(held, person)
    for number in dict.fromkeys([wanted, *(t.number for t in tasks if agree)]):
        if number != wanted and (case.state in ENDED or case.task(number).state != "open"):
            continue
        case = decide(case, number, person, agree, people)
        events += case.events
    return replace(case, events=tuple(events))


def _first(held: Held, person: int) -> int:
    """The person's open task; the last they had where none is open, so that the reason can be told."""
    tasks = held.case.open_for(person) or [t for t in held.case.tasks if t.person == person][-1:]
    if not tasks:
        raise Refusal("ended" if held.case.state in ENDED else "not_asked")
    return tasks[0].number


def _return(held: Held, people: People, person: int, given: Mapping[str, Any]) -> Case:
    return send_back(held.case, _first(held, person), person, given.get("step") or None, people)


def _people_of(given: Mapping[str, Any], name: str = "person") -> list[int]:
    found = given.get(name)
    found = found if isinstance(found, list | tuple) else [found]
    return [i if isinstance(i, int) else int(i["id"]) for i in found if i]


def _hand_over(held: Held, people: People, person: int, given: Mapping[str, Any]) -> Case:
    to = _active(people, _people_of(given))
    return hand_over(held.case, _first(held, person), person, to[0], people)


def _active(people: People, ids: list[int]) -> list[int]:
    """People who may sign in. Raises `Refusal` where one may not."""
    person = people.session.table("user")
    wanted = sa.select(person.c.id).where(
        person.c.id.in_(ids),
        person.c.deleted_at.is_(None),
        sa.or_(person.c.status.is_(None), person.c.status != "left"),
    )
    if not ids or set(people.session.connection.scalars(wanted)) != set(ids):
        raise Refusal("no_person")
    return ids


def _appoint(held: Held, people: People, person: int, given: Mapping[str, Any]) -> Case:
    if not is_keeper(people.session, held.rule, people.record):
        raise Refusal("not_asked")
    parked = next((s.name for s in held.case.steps if s.state == "parked"), "")
    return appoint(held.case, given.get("step") or parked, _active(people, _people_of(given)), people)


def _withdraw(held: Held, people: People, person: int, given: Mapping[str, Any]) -> Case:
    if not held.rule.withdraw and held.case.state != "returned" and person == held.case.submitter:
        raise Refusal("no_withdraw")
    return withdraw(held.case, person, people)


ACTS: dict[str, Callable[[Held, People, int, Mapping[str, Any]], Case]] = {
    "approve": lambda held, people, person, given: _decide(held, people, person, given, True),
    "reject": lambda held, people, person, given: _decide(held, people, person, given, False),
    "return": _return,
    "delegate": _hand_over,
    "add_before": lambda held, people, person, given: add_signers(
        held.case, _first(held, person), person, _active(people, _people_of(given)), "before", people
    ),
    "add_after": lambda held, people, person, given: add_signers(
        held.case, _first(held, person), person, _active(people, _people_of(given)), "after", people
    ),
    "withdraw": _withdraw,
    "appoint": _appoint,
}


def endings_of(before: Case, after: Case) -> list[str]:
    return [after.state] if after.state != before.state and after.state in (*ENDED, "returned") else []


def is_keeper(session: Session, rule: Approval, record: Stored | Draft | None) -> bool:
    """Whether the person looks after cases that found nobody: those declared, and every administrator."""
    if session.user.admin:
        return True
    return session.user.id in resolve_all(session, rule.keepers, record)


def keepers(session: Session, rule: Approval, record: Stored | Draft | None) -> list[int]:
    """Who is told that nobody was found."""
    return resolve_all(session, rule.keepers, record) or administrators(session)


# --- what follows --------------------------------------------------------------------------------------------------


def follow(
    session: Session,
    held: Held,
    after: Case,
    endings: Sequence[str],
    *,
    comment: str | None = None,
    person: int | None = None,
    record: Stored | Draft | None = None,
) -> None:
    """Writes the case, tells people, and carries out what the rule declares for how it has gone."""
    store.save(session, held, after, comment=comment, person=person)
    _notices(session, held, after, record)
    known = [*endings, *(e for e in endings_of(held.case, after) if e not in endings)]
    for ending in known:
        _ended(session, held, ending, person)


def _ended(session: Session, held: Held, ending: str, person: int | None) -> None:
    """The effects of an ending, as the system: the approval may do what it declares."""
    from runtime.revisions import case_ended  # late: revisions stand on approvals

    acting = session.sub(cause=cause_of(held.rule.name))
    if held.row["revision"] is not None:
        case_ended(acting, held.row["revision"], ending)
    carry_out(
        session,
        held.rule.then(ending),
        held.row["entity"],
        held.row["record"],
        cause_of(held.rule.name),
        person=person,
        label=held.rule.label.of(session.site.settings.language),
    )


def _notices(session: Session, held: Held, after: Case, record: Stored | Draft | None) -> None:
    numbers = {t.number: t for t in after.tasks}
    for event in after.events:
        task = numbers.get(event.task or 0)
        if event.code == "asked" and event.person and task is not None and task.state == "open":
            tell(session, held, "asked", [event.person], f"{event.task}:{held.row['round']}")
        elif event.code == "reminded" and event.person:
            tell(session, held, "reminded", [event.person], f"{event.task}:{session.now.isoformat()}")
        elif event.code in ("parked", "nobody_above"):
            found = record if record is not None else stored(session, held.row["entity"], held.row["record"])
            concerned = keepers(session, held.rule, found)
            tell(session, held, event.code, concerned, f"{event.step}:{event.task}:{held.row['round']}")
        elif event.code in (*ENDED, "returned") and held.case.submitter and event.code != "withdrawn":
            if event.code == "approved" and any(e.code == "not_needed" for e in after.events):
                continue
            tell(session, held, event.code, [held.case.submitter], f"{event.code}:{held.row['round']}")


def tell(session: Session, held: Held, word: str, people: Sequence[int], key: str | None) -> list[int]:
    row = held.row

    def subject(language: str) -> str:
        names = {"title": row["title"], "approval": held.rule.label.of(language)}
        return say(f"approval.notice.{word}", language, **names)

    unique = f"approval:{held.id}:{word}:{key}" if key is not None else None
    return notify(
        session, people, subject, entity=row["entity"], record=row["record"], word="approval", rule=held.rule.name,
        key=unique,
    )  # fmt: skip
