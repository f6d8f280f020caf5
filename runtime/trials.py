"""Rules tried out before they are published: over the records there are, over the past, or on one made up.

A trial takes the rule as it is published, or as a draft of its document says. Nothing it works out is kept: whoever
asks opens a transaction for it and undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import orjson

from metadata.model import Application
from metadata.packages import Layer, load_texts
from metadata.problems import Problem
from metadata.render import phrase
from metadata.source import load_text
from runtime.decisions import approval_simulation
from runtime.decisions.people import names
from runtime.decisions.reminders import Forecast, forecast
from runtime.decisions.replay import Replay, replay
from runtime.decisions.returns import Coming, coming
from runtime.decisions.workflow_history import WouldHave, would_have
from runtime.errors import Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.publishing import drafts
from runtime.publishing.layers import SITE
from runtime.publishing.publish import check, current_layers
from runtime.publishing.rule_impacts import is_published
from runtime.publishing.score_impacts import Changed, Comparing, Comparison, changed_scores
from runtime.query.titles import titles_of

if TYPE_CHECKING:
    from runtime.site import Session

WORDS = ("approval", "assignment", "pool", "score", "workflow", "reminder")  # kinds that can be tried out
MOST_LISTED = 50  # records of a trial that are named
MOST_TEXT = 100_000
_HOLDERS = ("trial_score", "trial_grade")


def rule_of(session: Session, word: str, name: str) -> Any:
    """The rule as it is published. Raises `Forbidden` for others than administrators, `NotFound`."""
    if not session.user.admin:
        raise Forbidden()
    found = session.app.of(word).get(name)
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class Drafted:
    """The application as it would be with a draft, and the rule in it."""

    app: Application
    rule: Any


def drafted(session: Session, word: str, name: str, text: str) -> Drafted:
    """Compiles what is published with `text` in the place of the site's own document of the rule.

    Raises `Refused` with a problem per mistake; its message names the line.
    """
    found, mistakes = load_text(text, f"{word}/{name}.yaml", SITE)
    if mistakes:
        raise _wrong(mistakes, session.language)
    if len(found) != 1 or found[0].kind != word or found[0].name != name:
        raise Refused(problems=[RecordProblem(code="draft.other_document", params={"kind": word, "name": name})])
    layers = drafts.with_drafts(current_layers(session.site), [drafts.Draft(word, name, text)])
    compiled = check(layers)
    if compiled.errors or compiled.application is None:
        raise _wrong(compiled.errors, session.language)
    rule = compiled.application.of(word).get(name)
    if rule is None:
        raise NotFound()
    if word == "score":
        return Drafted(compiled.application, rule) if rule.field else _held(session, layers, rule)
    if not is_published(session.app, rule):
        raise Conflict("trial.unpublished")
    return Drafted(compiled.application, rule)


def _held(session: Session, layers: Sequence[Layer], rule: Any) -> Drafted:
    """A score that no field holds yet, with fields for the number and the grade as a publish would add them."""
    if rule.entity not in session.app.entities:
        raise Conflict("trial.unpublished")
    taken = session.app.entities[rule.entity].fields
    number, grade = (next(n for i in count(1) if (n := f"{word}_{i}") not in taken) for word in _HOLDERS)
    fields = {number: {"type": "score", "score": rule.name}}
    if rule.grades:
        fields[grade] = {"type": "grade", "score": rule.name}
    text = orjson.dumps({"extend": rule.entity, "fields": fields}).decode()  # which is YAML as well
    compiled = check([*layers, load_texts({"trial.yaml": text}, SITE)])
    if compiled.errors or compiled.application is None:
        raise _wrong(compiled.errors, session.language)
    return Drafted(compiled.application, compiled.application.of("score")[rule.name])


def declared(session: Session, text: str) -> tuple[str, Drafted]:
    """The kind and the rule of a document that need not be published in any form, with the application that has it.

    Raises `Forbidden` for others than administrators, `Refused` with a problem per mistake, and `Conflict` for what
    is no rule that can be tried out.
    """
    if not session.user.admin:
        raise Forbidden()
    found, mistakes = load_text(text, "draft.yaml", SITE)
    if mistakes:
        raise _wrong(mistakes, session.language)
    if len(found) != 1 or found[0].kind not in WORDS:
        raise Conflict("trial.kind", kinds=", ".join(WORDS))
    word, name = found[0].kind, found[0].name
    return word, drafted(session, word, name, text)


def _wrong(problems: Sequence[Problem], language: str) -> Refused:
    shown = problems[:20]
    said = [f"{p.place.line}:{p.place.column} {phrase(p, language)}" for p in shown]
    return Refused(problems=[RecordProblem(code=p.code, message=text) for p, text in zip(shown, said)])


# --- one function a kind -------------------------------------------------------------------------------------


def try_assignment(session: Session, rule: Any, since: datetime, until: datetime) -> Replay:
    """Who would have got the records of a time, without waiting for a confirmation."""
    return replay(session, replace(rule, confirm=None), since, until)


@dataclass(frozen=True, slots=True)
class ScoreTrial:
    """A draft beside the live score; `comparison` is None where the draft says nothing else."""

    comparison: Comparison | None
    records: list[Changed] = field(default_factory=list)


def try_score(session: Session, found: Drafted) -> ScoreTrial:
    score = next((s for s in changed_scores(session.app, found.app) if s.name == found.rule.name), None)
    if score is None:
        return ScoreTrial(None)
    comparing = Comparing(session.connection, session.site, session.site.published(), found.app, score)
    return ScoreTrial(comparing.compare(), list(comparing.records(MOST_LISTED)))


@dataclass(frozen=True, slots=True)
class Named:
    """What a trial counted, and the titles of the records it names."""

    counted: Any
    titles: Mapping[int, str]
    people: Mapping[int, str] = field(default_factory=dict)


def try_workflow(session: Session, rule: Any, since: datetime) -> Named:
    found: WouldHave = would_have(session, rule, since)
    titles = titles_of(session, rule.entity, found.sample) if rule.entity else {}
    return Named(found, titles)


def try_reminder(session: Session, rule: Any) -> Named:
    """What a run now would tell whom. Writes what is to be undone."""
    found: Forecast = forecast(session, rule)
    about = "user" if rule.count is not None else rule.entity
    titles = titles_of(session, about, [record for record, _ in found.sample])
    return Named(found, titles, names(session, {p for _, people in found.sample for p in people}))


@dataclass(frozen=True, slots=True)
class PoolTrial:
    """What the rules of a pool take back now, and what they announce; the first of both by name."""

    due: int
    announced: int
    listed: list[Coming]
    titles: Mapping[int, str]
    people: Mapping[int, str]


def try_pool(session: Session, rule: Any) -> PoolTrial:
    found = {c.record: c for returns in rule.returns for c in coming(session, rule, returns)}
    listed = sorted((c for c in found.values() if c.now or c.announced), key=lambda c: (not c.now, c.record))
    shown = list(islice(listed, MOST_LISTED))
    titles = titles_of(session, rule.entity, [c.record for c in shown])
    due = sum(c.now for c in listed)
    return PoolTrial(due, len(listed) - due, shown, titles, names(session, {c.person for c in shown}))


def try_approval(
    session: Session, rule: Any, record: int | None, values: Mapping[str, Any], submitter: int | None
) -> dict[str, Any]:
    """The chain a record would take, as it is or with values over it, or one that is made up."""
    return approval_simulation.simulate(session, rule, record_id=record, values=values, submitter=submitter)
