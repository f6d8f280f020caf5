"""The actions on a record around its owner: claim, give back, assign from a pool, move on, assign again, proposals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.decisions import claim_desk, claims, pooling, proposals
from runtime.decisions.assigning import assign_records, assignment_named
from runtime.decisions.membership import is_member, manages
from runtime.decisions.ownership import pool_in
from runtime.decisions.people import names
from runtime.errors import Answer, Conflict
from runtime.messages import say
from runtime.records.values import Loader
from runtime.security.access import Access

if TYPE_CHECKING:
    from metadata.models.pool import Pool
    from runtime.records.values import Stored
    from runtime.site import Session

AGREE, REFUSE = "agree_claim", "refuse_claim"


class PoolActions(ActionSource):
    """What pools offer on a record."""

    word, desk = "pool", "/pools"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "pool"))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        yield from self.entrusted(session, entity, record)
        pool = lies_in(session, record)
        if pool is not None:
            yield from _in_pool(session, pool, record)
        elif pooling.may_return(session, record) and record.raw(_owner(session, entity)) is not None:
            yield from _held(session, record)

    def entrusted(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        """Answering a claim: who is asked need not belong to the pool."""
        pooled = any(record.raw(pool.field) is not None for pool in session.app.rules_of(entity.name, "pool"))
        if pooled and claim_desk.may_answer(session, entity.name, record.row["id"]):
            yield from _answers(session, record)

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        identity, language = record.row["id"], session.language
        if name == "claim":
            claimed = pooling.claim(session, entity.name, identity)
            left = pooling.allowance(session, claimed.pool).left
            data = {"left": left, "waiting": claimed.waiting}
            return Outcome(message=claim_message(session, claimed, identity), data=data)
        if name == "withdraw_claim":
            claim_desk.withdraw(session, entity.name, identity)
            return Outcome(message=say("pool.done.withdrawn", language))
        if name in (AGREE, REFUSE):
            claim_desk.answer(session, entity.name, identity, name == AGREE, given.get("note"))
            return Outcome(message=say(f"pool.done.{'agreed' if name == AGREE else 'refused'}", language))
        if name == "return":
            pool = pooling.pool_or_none(session, given.get("pool")) or pooling.targets(session, record)[0]
            pooling.give_back(session, entity.name, identity, pool, given["reason"])
            return Outcome(message=say("pool.done.returned", language, pool=pool.label.of(language)))
        home = lies_in(session, record)
        if home is None:
            raise Conflict("pool.taken")
        if name == "assign":
            pooling.assign_from(session, home, [identity], given["person"], given.get("note"))
            called = names(session, [given["person"]]).get(given["person"], "")
            return Outcome(message=say("pool.done.assigned", language, count=1, name=called))
        to = pooling.pool_named(session, given["pool"])
        pooling.move(session, home, [identity], to, given.get("note"))
        return Outcome(message=say("pool.done.moved", language, count=1, pool=to.label.of(language)))

    def missing(self, session: Session, entity: Entity, record_id: int, name: str) -> Answer | None:
        """For whom the record is gone: somebody was faster."""
        return pooling.gone(session, entity.name, record_id) if name == "claim" else None


class AssignmentActions(ActionSource):
    """Running the rules again, and deciding what they propose."""

    word, desk = "assignment", "/proposals"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "assignment"))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        language = session.language
        yield from self.entrusted(session, entity, record)
        if not Access(session).allows(entity.name, "assign", record, record.loader.environment):
            return
        declared = session.app.rules_of(entity.name, "assignment")
        choices = tuple((a.name, a.label.of(language)) for a in declared)
        ask = Ask(
            name="assignment",
            type="select",
            label=say("pool.ask.assignment", language),
            required=True,
            choices=choices,
            default=choices[0][0],
        )
        yield _offer(session, "assignment", "reassign", "reassign", "arrows-split", (ask,))

    def entrusted(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        """Deciding a proposal: who confirms need not see what is handed out."""
        proposal = proposals.proposal_of(session, entity.name, record.row["id"])
        if proposal is None:
            return
        language = session.language
        person = Ask(name="person", type="user", label=say("pool.ask.person", language), required=True)
        note = Ask(name="note", type="text", label=say("pool.ask.note", language))
        label = f"{say('assignment.act.accept', language)}: {proposal.name}"
        yield Offer(name="accept_assignment", label=label, word=self.word, icon="user-check", tone="primary")
        yield _offer(session, "assignment", "change", "change_assignment", "user-edit", (person,))
        yield _offer(session, "assignment", "reject", "reject_assignment", "user-x", (note,))

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        if name == "reassign":
            return reassign(session, entity.name, record.row["id"], given["assignment"])
        proposal = proposals.proposal_of(session, entity.name, record.row["id"])
        if proposal is None:
            raise Conflict("assignment.decided")
        if name == "reject_assignment":
            proposals.reject(session, proposal.id, given.get("note"))
            return Outcome(message=say("assignment.done.rejected", session.language))
        person = proposals.accept(session, proposal.id, given.get("person"))
        called = names(session, [person]).get(person, "")
        return Outcome(message=say("assignment.done.assigned", session.language, name=called))


def reassign(session: Session, entity: str, record_id: int, name: str) -> Outcome:
    """Runs the rules of an assignment on a record again. Raises `Conflict` where they do not concern it."""
    assignment = assignment_named(session, name)
    if assignment.entity != entity:
        raise Conflict("assignment.not_concerned", name=name)
    outcome = assign_records(session, assignment, [record_id], reason="transferred")
    decision = outcome.decisions.get(record_id)
    if decision is None:
        raise Conflict("assignment.not_concerned", name=assignment.label.of(session.language))
    pool = pool_in(session.app, entity, decision.pool)
    called = names(session, [decision.person]).get(decision.person, "") if decision.person else ""
    shown = pool.label.of(session.language) if pool else called
    data = {"state": decision.state, "person": decision.person and str(decision.person), "pool": decision.pool}
    return Outcome(message=say(f"assignment.done.{decision.state}", session.language, name=shown), data=data)


def claim_message(session: Session, claimed: pooling.Claimed, record_id: int) -> str:
    """What is said to who claimed: it is theirs, or whom it waits for."""
    entity = claimed.pool.entity
    asked = claims.open_of(session, entity, record_id) if claimed.waiting else None
    if asked is None:
        return say("pool.done.claimed", session.language)
    record = Loader(session).record(entity, record_id)
    return say("pool.waiting", session.language, **claims.params(session, asked, record))


def lies_in(session: Session, record: Stored) -> Pool | None:
    """The pool a record lies in, for those who belong to it."""
    for pool in session.app.rules_of(record.plan.name, "pool"):
        found: Pool = pool
        if record.raw(found.field) == found.name and is_member(session, found):
            return found
    return None


def _owner(session: Session, entity: Entity) -> str:
    found: str = session.app.rules_of(entity.name, "pool")[0].to
    return found


def _in_pool(session: Session, pool: Pool, record: Stored) -> Iterable[Offer]:
    why = pooling.hindrance(session, pool, record)
    told = {} if why is None else pooling.said(session, pool, why, record)
    closed = None if why is None else say(f"pool.{why.word}", session.language, **told)
    label = say("pool.act.ask" if claims.needed(session, pool, record) else "pool.act.claim", session.language)
    left = pooling.allowance(session, pool)
    if left.daily is not None:
        label = f"{label} ({left.left}/{left.daily})"
    yield Offer(name="claim", label=label, word="pool", icon="hand-grab", tone="primary", why=closed)
    if why is not None and why.word == "waiting":
        yield _offer(session, "pool", "withdraw", "withdraw_claim", "arrow-back-up", ())
    if not manages(session, pool):
        return
    language = session.language
    person = Ask(name="person", type="user", label=say("pool.ask.person", language), required=True)
    note = Ask(name="note", type="text", label=say("pool.ask.note", language))
    yield _offer(session, "pool", "assign", "assign", "user-plus", (person, note))
    others = [p for p in session.app.rules_of(pool.entity, "pool") if p.name != pool.name and manages(session, p)]
    if others:
        choices = tuple((p.name, p.label.of(language)) for p in others)
        ask = Ask(name="pool", type="select", label=say("pool.ask.pool", language), required=True, choices=choices)
        yield _offer(session, "pool", "move", "move", "arrow-right", (ask, note))


def _answers(session: Session, record: Stored) -> Iterable[Offer]:
    """Agreeing to the claim that waits, with who asked in the label, and turning it down."""
    asked = claims.open_of(session, record.plan.name, record.row["id"])
    called = names(session, [asked["person"]]).get(asked["person"], "") if asked is not None else ""
    note = Ask(name="note", type="text", label=say("pool.ask.note", session.language))
    label = f"{say('pool.act.agree', session.language)}: {called}"
    yield Offer(name=AGREE, label=label, word="pool", icon="user-check", tone="primary", asks=(note,))
    yield _offer(session, "pool", "refuse", REFUSE, "user-x", (note,))


def _held(session: Session, record: Stored) -> Iterable[Offer]:
    targets = pooling.targets(session, record)
    if not targets:
        return
    language = session.language
    asks = [Ask(name="reason", type="text", label=say("pool.ask.reason", language), required=True)]
    if len(targets) > 1:
        choices = tuple((p.name, p.label.of(language)) for p in targets)
        ask = Ask(name="pool", type="select", label=say("pool.ask.pool", language), required=True, choices=choices)
        asks.append(ask)
    yield _offer(session, "pool", "return", "return", "ripple", tuple(asks))


def _offer(session: Session, word: str, act: str, name: str, icon: str, asks: tuple[Ask, ...]) -> Offer:
    label = say(f"{word}.act.{act}", session.language)
    return Offer(name=name, label=label, word=word, icon=icon, asks=asks)


register(PoolActions())
register(AssignmentActions())
