"""What people do with a qualification: check a record, or pass it specially by a grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.qualification import Criterion, Qualification
from rules.qualifying import Grant, judge, usable
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.decisions import qualifying
from runtime.decisions.qualifying import Answers, Checked
from runtime.messages import say
from runtime.records.values import Stored

if TYPE_CHECKING:
    from runtime.site import Session

CHECK, SPECIAL = "qualify", "qualify_special"


class Qualifying(ActionSource):
    word = "qualification"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "qualification"))

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        language = session.language
        rule = qualifying.applicable(session.app, entity.name, record)
        common: dict[str, Any] = {"word": self.word, "detail": True}
        if rule is None:
            why = say("qualification.not_applicable", language)
            label = say("qualification.check", language)
            yield Offer(name=CHECK, label=label, icon="clipboard-check", why=why, hidden=True, **common)
            return
        allowed = qualifying.may_check(session, rule, record)
        before = qualifying.last_answers(session, entity.name, record.record_id or 0)
        yield Offer(
            name=CHECK,
            label=say("qualification.check", language),
            icon="clipboard-check",
            why=None if allowed else say("qualification.not_you", language),
            asks=tuple(_asks(session, rule, before)),
            **common,
        )
        yield _special(session, rule, record, before, allowed, common)

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        rule = qualifying.applicable(session.app, entity.name, record)
        assert rule is not None  # the offer was open
        checked = qualifying.check(session, record, _answers(rule, given), special=name == SPECIAL)
        return Outcome(message=_said(session, checked), data=told(session, checked))

    def detail(self, session: Session, entity: Entity, record: Stored, name: str) -> Mapping[str, Any]:
        """The rule, and what the record answers by itself."""
        rule = qualifying.applicable(session.app, entity.name, record)
        if rule is None:
            return {}
        found = qualifying.automatic(rule, record)
        lines = [
            {"name": c.name, "label": c.label.of(session.language), "met": found[c.name], "points": _points(c)}
            for c in rule.criteria
            if c.name in found
        ]
        mark = f"{rule.pass_mark.normalize():f}" if rule.method == "points" else None
        return {"rule": rule.label.of(session.language), "automatic": lines, "pass_mark": mark}


register(Qualifying())


def _special(
    session: Session, rule: Qualification, record: Stored, before: Mapping[str, str], allowed: bool, common: Any
) -> Offer:
    """Open to those who hold a grant and may check or edit the record."""
    grants = qualifying.grants_of(session, rule, record)
    waivable = [c.name for c in rule.criteria if c.asked.waivable]
    found = usable(grants, session.today, (), waivable)
    why = None if allowed else say("qualification.not_you", session.language)
    if isinstance(found, str):
        why = qualifying.refusal_text(session, found)
    items = _coverable(grants, waivable)
    return Offer(
        name=SPECIAL,
        label=say("qualification.pass_specially", session.language),
        icon="key",
        why=why,
        asks=tuple(_special_asks(session, rule, record, before, items)) if why is None else (),
        hidden=not grants,
        **common,
    )


def _coverable(grants: Iterable[Grant], waivable: list[str]) -> frozenset[str]:
    found: set[str] = set()
    for grant in grants:
        found |= set(waivable) if grant.items is None else set(waivable) & grant.items
    return frozenset(found)


# --- what is asked


def _asks(session: Session, rule: Qualification, before: Mapping[str, str]) -> Iterable[Ask]:
    for criterion in rule.criteria:
        if criterion.holds is None:
            yield _ask(session, criterion, before.get(criterion.name), waivable=False)
            if criterion.evidence:
                yield _paper(session, criterion)
    yield Ask(name="note", label=say("qualification.note", session.language), type="long_text")


def _special_asks(
    session: Session, rule: Qualification, record: Stored, before: Mapping[str, str], items: frozenset[str]
) -> Iterable[Ask]:
    automatic = qualifying.automatic(rule, record)
    for criterion in rule.criteria:
        if criterion.holds is None:
            yield _ask(session, criterion, before.get(criterion.name), waivable=criterion.name in items)
            if criterion.evidence:
                yield _paper(session, criterion)
        elif criterion.name in items and not automatic[criterion.name]:
            waived = (("waived", say("qualification.waive", session.language)),)
            yield Ask(name=criterion.name, label=_label(session, criterion), type="select", choices=waived)
    language = session.language
    yield Ask(name="reason", label=say("qualification.reason", language), type="long_text")
    yield Ask(name="evidence", label=say("qualification.evidence", language), type="file")


def _ask(session: Session, criterion: Criterion, before: str | None, *, waivable: bool) -> Ask:
    language = session.language
    choices = [(word, say(f"qualification.answer_{word}", language)) for word in ("passed", "failed", "open")]
    if waivable:
        choices.append(("waived", say("qualification.waive", language)))
    known = {word for word, _ in choices}
    return Ask(
        name=criterion.name,
        label=_label(session, criterion),
        type="select",
        required=criterion.asked.must,
        choices=tuple(choices),
        default=before if before in known else None,
        help=criterion.help.of(language) if criterion.help is not None else "",
    )


def _label(session: Session, criterion: Criterion) -> str:
    points = _points(criterion)
    label = criterion.label.of(session.language)
    return f"{label} ({say('qualification.points', session.language, points=points)})" if points else label


def _points(criterion: Criterion) -> str:
    return f"{criterion.asked.points.normalize():f}" if criterion.asked.points else ""


def _paper(session: Session, criterion: Criterion) -> Ask:
    label = f"{criterion.label.of(session.language)} – {say('qualification.evidence', session.language)}"
    return Ask(name=f"{criterion.name}_evidence", label=label, type="file")


_WORDS = {"passed": True, "failed": False}


def _answers(rule: Qualification, given: Mapping[str, Any]) -> Answers:
    manual = [c.name for c in rule.criteria if c.holds is None]
    papers = {c.name: given.get(f"{c.name}_evidence") for c in rule.criteria}
    return Answers(
        given={name: _WORDS.get(given.get(name) or "") for name in manual},
        waived=frozenset(c.name for c in rule.criteria if given.get(c.name) == "waived"),
        reason=given.get("reason"),
        evidence=given.get("evidence"),
        papers={name: file for name, file in papers.items() if file is not None},
        note=given.get("note"),
    )


# --- what is told


def _said(session: Session, checked: Checked) -> str:
    language, verdict, rule = session.language, checked.verdict, checked.rule
    word = say(f"qualification.{verdict.word}", language)
    params = {"rule": rule.label.of(language), "word": word, "short": qualifying.short(session, rule, verdict)}
    return say("qualification.said_short" if verdict.word == "failed" else "qualification.said", language, **params)


def told(session: Session, checked: Checked) -> dict[str, Any]:
    """The result as data."""
    verdict, rule = checked.verdict, checked.rule
    labels = {c.name: c.label.of(session.language) for c in rule.criteria}
    return {
        "check": str(checked.id),
        "rule": rule.name,
        "verdict": verdict.word,
        "outcome": rule.outcome.choice(verdict.word),
        "score": f"{verdict.score.normalize():f}",
        "pass_mark": f"{rule.pass_mark.normalize():f}" if rule.method == "points" else None,
        "unmet": [labels[name] for name in verdict.unmet],
        "expires_on": checked.expires_on,
        "lines": [
            {
                "criterion": line.name,
                "label": labels[line.name],
                "result": line.result,
                "points": f"{line.points.normalize():f}",
            }
            for line in verdict.lines
        ],
    }


__all__ = ["CHECK", "SPECIAL", "Qualifying", "judge", "told"]
