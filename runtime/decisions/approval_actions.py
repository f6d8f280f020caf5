"""What people do with approvals and changes, as actions of the record: on its page, in the API and in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from rules.approval_case import Case
from rules.approving import open_acts
from runtime import revisions
from runtime.actions import MENTION, ActionSource, Ask, Offer, Outcome, register
from runtime.decisions import approval_nudges, approvals
from runtime.decisions import approval_store as store
from runtime.decisions.approval_mentions import mention
from runtime.decisions.approval_store import Held
from runtime.decisions.people import names
from runtime.errors import Answer
from runtime.messages import say
from runtime.records.values import Stored

if TYPE_CHECKING:
    from runtime.site import Session

# act → (icon, tone)
LOOKS = {
    "submit": ("send", "primary"),
    "approve": ("check", "success"),
    "reject": ("x", "danger"),
    "return": ("arrow-back-up", ""),
    "delegate": ("user-share", ""),
    "add_before": ("user-plus", ""),
    "add_after": ("user-check", ""),
    "withdraw": ("arrow-back", ""),
    "remind": ("bell-ringing", ""),
    "comment": ("message", ""),
    "appoint": ("user-question", "primary"),
}
ORDER = tuple(LOOKS)


class ApprovalActions(ActionSource):
    """submit, approve, reject, return, delegate, add_before, add_after, withdraw, remind, comment, appoint."""

    word = "approval"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == store.CASE or bool(app.rules_of(entity.name, "approval"))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        held = _held(session, entity, record)
        acts = acts_of(session, held) if held is not None else ()
        if entity.name != store.CASE:
            submit = _submit(session, entity, record, held, acts)
            if submit is not None:
                yield submit
        if held is None or held.case.state not in ("waiting", "parked", "returned"):
            return
        for name in ORDER[1:]:
            if name in acts:
                yield offer(session, held, name)
            elif name in ("approve", "reject", "withdraw"):
                yield _looks(session, name, why=say("approval.not_now", session.language), hidden=True)

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        comment, people = given.get("comment"), given.get(MENTION, ())
        if name == "submit":
            held = approvals.submit(session, entity.name, record.record_id or 0, comment)
        else:
            present = _held(session, entity, record)
            assert present is not None  # it was open a moment ago
            if name == "remind":
                count = approval_nudges.remind(session, present.id)
                return Outcome(message=say("approval.done.reminded", session.language, count=count))
            if name == "comment":
                named = approval_nudges.comment_on(session, present.id, str(comment), people)
                done = say("approval.done.commented", session.language)
                return Outcome(message=done + named.said(session.language))
            held = approvals.act(session, present.id, name, given)
        told = sentence(session, held) + mention(session, held, comment, people).said(session.language)
        return Outcome(message=told, data={"case": str(held.id), "state": held.case.state})


class RevisionActions(ActionSource):
    """submit_change, discard_change, restore_version."""

    word = "revision"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.revisions is not None

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        if not _may_edit(session, entity.name, record.record_id or 0):
            return
        row = revisions.open_revision(session, entity.name, record.record_id or 0)
        tongue = session.language
        if row is not None and row["state"] == "draft":
            reason = Ask(name="reason", label=say("revision.ask.reason", tongue), type="long_text", required=True)
            label = say("revision.act.submit", tongue)
            yield Offer(name="submit_change", label=label, word=self.word, icon="send", tone="primary", asks=(reason,))
            label = say("revision.act.discard", tongue)
            yield Offer(name="discard_change", label=label, word=self.word, icon="trash", confirm=label)
        past = [r for r in revisions.versions(session, entity.name, record.record_id or 0) if r["state"] == "past"]
        if past and (row is None or row["state"] == "draft"):
            choices = tuple((str(r["number"]), f"V{r['number']}") for r in past)
            ask = Ask(name="number", label=say("revision.ask.number", tongue), type="select", required=True,
                      choices=choices)  # fmt: skip
            label = say("revision.act.restore", tongue)
            yield Offer(name="restore_version", label=label, word=self.word, icon="history", asks=(ask,))

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        record_id, tongue = record.record_id or 0, session.language
        if name == "submit_change":
            held = revisions.submit_change(session, entity.name, record_id, given["reason"])
            return Outcome(message=sentence(session, held), data={"case": str(held.id), "state": held.case.state})
        if name == "discard_change":
            revisions.discard(session, entity.name, record_id)
            return Outcome(message=say("revision.done.discarded", tongue))
        number = int(given["number"])
        revisions.restore_version(session, entity.name, record_id, number)
        drafted = revisions.open_revision(session, entity.name, record_id) is not None
        return Outcome(message=say(f"revision.done.{'restored' if drafted else 'applied'}", tongue, number=number))


def _held(session: Session, entity: Entity, record: Stored) -> Held | None:
    """The running case at hand: the record itself where it is a case."""
    if entity.name == store.CASE:
        return store.load(session, record.record_id or 0)
    row = store.running(session, entity.name, record.record_id or 0)
    return store.load(session, row["id"]) if row is not None else None


def acts_of(session: Session, held: Held) -> tuple[str, ...]:
    """What the person of the session may do with a case now."""
    parked = any(s.state == "parked" for s in held.case.steps)
    keeper = parked and approvals.is_keeper(session, held.rule, None)
    acts = open_acts(held.case, session.user.id or 0, keeper, held.rule.withdraw)
    single = not _earlier(held.case, session.user.id or 0) and held.case.submitter is None
    return tuple(a for a in acts if not (a == "return" and single))


def _submit(session: Session, entity: Entity, record: Stored, held: Held | None, acts: tuple[str, ...]) -> Offer | None:
    """Submitting, open to who may edit; closed with the reason where there is nothing to submit."""
    if held is not None:
        if held.case.state != "returned" or "submit" not in acts or held.row["revision"] is not None:
            return None
        return offer(session, held, "submit")
    rules = approvals.rules_for(session, entity.name, "submit")
    if not rules:
        return None
    if not _may_edit(session, entity.name, record.record_id or 0):
        return _looks(session, "submit", why=say("approval.no_right", session.language), hidden=True)
    rule, _ = approvals.choose(session, entity.name, record)
    why = None
    if approvals.passed_already(session, rule, record) or _in_force(entity, record):
        why = say("approval.already", session.language)
    return _looks(session, "submit", asks=(_comment(session),), why=why, hidden=True)


def _in_force(entity: Entity, record: Stored) -> bool:
    from rules.evaluate import evaluate

    declared = entity.revisions
    return declared is not None and evaluate(declared.when, record, record.loader.environment) is True


def _may_edit(session: Session, entity: str, record_id: int) -> bool:
    try:
        approvals.may_submit(session, entity, record_id)
    except Answer:
        return False
    return True


def offer(session: Session, held: Held, name: str) -> Offer:
    """An open act with what it asks."""
    asks: list[Ask] = []
    tongue = session.language
    if name in ("delegate", "add_before", "add_after", "appoint"):
        asks.append(Ask(name="person", label=say("approval.ask.person", tongue), type="user", required=True))
    if name == "return":
        earlier = _earlier(held.case, session.user.id or 0)
        choices = [("", say("approval.ask.submitter", tongue))] if held.case.submitter is not None else []
        choices += [(s, step_title(session, held, s)) for s in earlier]
        if len(choices) > 1 or not held.case.submitter:
            asks.append(Ask(name="step", label=say("approval.ask.step", tongue), type="select", choices=tuple(choices)))
    if name == "appoint":
        parked = [s.name for s in held.case.steps if s.state == "parked"]
        if len(parked) > 1:
            steps = tuple((s, step_title(session, held, s)) for s in parked)
            asks.append(Ask(name="step", label=say("approval.ask.step", tongue), type="select", choices=steps))
    if name not in ("remind", "withdraw"):
        asks.append(_comment(session, required=name in ("reject", "return", "comment")))
    return _looks(session, name, asks=tuple(asks))


def _looks(session: Session, name: str, **more: Any) -> Offer:
    icon, tone = LOOKS[name]
    label = say(f"approval.act.{name}", session.language)
    confirm = label if name == "withdraw" else ""
    return Offer(name=name, label=label, word="approval", icon=icon, tone=tone, confirm=confirm, **more)


def _comment(session: Session, required: bool = False) -> Ask:
    label = say("approval.ask.comment", session.language)
    return Ask(name="comment", label=label, type="long_text", required=required, mentions=True)


def _earlier(case: Case, person: int) -> list[str]:
    """The steps a case can go back to from what the person is asked."""
    here = min((case.step(t.step).stage for t in case.open_for(person)), default=0)
    return [
        s.name for s in case.steps if s.stage < here and s.state in ("approved", "skipped") and s.why != "condition"
    ]


def step_title(session: Session, held: Held, name: str) -> str:
    declared = held.rule.step(name)
    return declared.label.of(session.language) if declared is not None else name


def sentence(session: Session, held: Held) -> str:
    """What has come of an act, for the person who did it."""
    if held.case.state != "waiting":
        return say(f"approval.done.{held.case.state}", session.language)
    known = names(session, [t.person for t in held.case.tasks if t.state == "open"])
    separator = "、" if session.language == "zh" else ", "
    people = separator.join(known[t.person] for t in held.case.tasks if t.state == "open" and t.person in known)
    return say("approval.done.waiting", session.language, people=people)


register(ApprovalActions())
register(RevisionActions())
