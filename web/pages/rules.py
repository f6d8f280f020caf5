"""Rules for administrators: what there is, where it is said, and what it would do; web forms and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from runtime import trials, web_forms
from runtime.actions import Ask
from runtime.commands.assigning import period_of
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, NotFound, Refused
from runtime.messages import say_answer, say_problem
from runtime.site import Session
from runtime.views import rules
from runtime.views.binder import Binder
from runtime.views.forms import Input
from runtime.views.titles import titles_of
from runtime.views.web_forms import crowded, fields_of
from web.pages.actions import asked
from web.state import reading, state, web, writing

blueprint = Blueprint("rules", __name__)

_DAYS = 30  # of the past a workflow is tried on where nothing is said


@blueprint.get("/rules")
def index() -> Response:
    groups = rules.groups(reading())
    wanted = request.args.get("of", "")
    shown = [g for g in groups if g.word == wanted] or groups
    return make_response(render_template("rules/index.html", groups=groups, shown=shown, of=wanted))


@blueprint.get("/rules/new")
def blank() -> Response:
    """Where a rule that is nowhere published is written down to be tried out."""
    rules.groups(reading())  # for administrators
    return make_response(render_template("rules/new.html", draft="", problems=[]))


@blueprint.post("/rules/new")
def attempt_new() -> Response:
    """Tries out what the draft declares, new or not; nothing is kept."""
    session = reading()
    given = request.form.to_dict()
    text = _text(given)
    try:
        word, drafted = trials.declared(session, text)
        rule = drafted.rule
        asked = _ASKED.get(word, _nothing)(session, rule, given)
        dates: dict[str, Any] = {key: asked[key] for key in ("since", "until") if key in asked}
        result = _carried_out(session, word, rule, drafted, {**dates, **given})
    except Answer as answer:
        if answer.status in (403, 404):
            raise
        said = [say_problem(p, state().language) for p in answer.problems] or [say_answer(answer, state().language)]
        return make_response(render_template("rules/new.html", draft=text, problems=said), answer.status)
    return _page(word, rule.name, given, result, [], rule=rule)


@blueprint.get("/rules/<word>/<name>")
def show(word: str, name: str) -> Response:
    return _page(word, name, {}, None, [])


@blueprint.post("/rules/<word>/<name>")
def attempt(word: str, name: str) -> Response:
    """Tries the rule out, as it is published or as the draft says; nothing is kept."""
    session = reading()
    rule = _rule(session, word, name)
    if word not in trials.WORDS:
        raise NotFound()
    given = request.form.to_dict()
    try:
        return _page(word, name, given, _tried(session, word, rule, given), [])
    except Refused as answer:
        said = [say_problem(p, state().language) for p in answer.problems] or [say_answer(answer, state().language)]
        return _page(word, name, given, None, said, 422)
    except Answer as answer:
        if answer.status in (403, 404):
            raise
        return _page(word, name, given, None, [say_answer(answer, state().language)], answer.status)


def _rule(session: Session, word: str, name: str) -> Any:
    found = trials.rule_of(session, word, name)
    if word not in rules.SHOWN:
        raise NotFound()
    return found


def _page(
    word: str,
    name: str,
    given: Mapping[str, Any],
    result: Any,
    problems: list[str],
    status: int = 200,
    rule: Any = None,
) -> Response:
    """`rule` is one that is only drafted."""
    session = reading()
    rule = rule or _rule(session, word, name)
    values: dict[str, Any] = {
        "word": word,
        "row": rules.row_of(session, word, rule),
        "rule": rule,
        "kind": rules.called(session, word),
        "sources": rules.sources(session, word, name),
        "given": given,
        "draft": given.get("draft") or "",
        "empty_draft": rules.draft_of(session, word, name),
        "result": result,
        "problems": problems,
        "session": session,
        **_ASKED.get(word, _nothing)(session, rule, given),
    }
    return make_response(render_template("rules/rule.html", **values), status)


# --- trying out ---------------------------------------------------------------------------------------------------


def _tried(session: Session, word: str, rule: Any, given: Mapping[str, Any]) -> Any:
    text = _text(given)
    drafted = trials.drafted(session, word, rule.name, text) if text.strip() else None
    return _carried_out(session, word, rule, drafted, given)


def _text(given: Mapping[str, Any]) -> str:
    return str(given.get("draft") or "").replace("\r\n", "\n")[: trials.MOST_TEXT]


def _carried_out(
    session: Session, word: str, rule: Any, drafted: trials.Drafted | None, given: Mapping[str, Any]
) -> Any:
    session.take_time()
    if word == "score":
        return trials.try_score(session, drafted or trials.Drafted(session.app, rule))
    return _TRIALS[word](session, drafted.rule if drafted else rule, given)


def _assignment(session: Session, rule: Any, given: Mapping[str, Any]) -> Any:
    period = f"{given.get('since', '')}..{given.get('until', '')}"
    since, until = period_of(period, session.today, session.zone)
    found = trials.try_assignment(session, rule, since, until)
    return {"replay": found, "labels": {r.name: r.label.of(session.language) for r in rule.rules}}


def _workflow(session: Session, rule: Any, given: Mapping[str, Any]) -> Any:
    try:
        day = date.fromisoformat(str(given.get("since", "")))
    except ValueError:
        raise BadQuery("replay.period", given=str(given.get("since", ""))[:60]) from None
    return trials.try_workflow(session, rule, datetime(day.year, day.month, day.day, tzinfo=session.zone))


def _reminder(_session: Session, rule: Any, _given: Mapping[str, Any]) -> Any:
    with writing() as session, session.connection.begin_nested() as attempted:
        session.take_time()
        found = trials.try_reminder(session, rule)
        attempted.rollback()
    return found


def _pool(session: Session, rule: Any, _given: Mapping[str, Any]) -> Any:
    return trials.try_pool(session, rule)


def _approval(session: Session, rule: Any, given: Mapping[str, Any]) -> Any:
    values = {name: given[name] for name in _conditions(session, rule) if given.get(name) not in (None, "")}
    record, person = number_in(str(given.get("__record", ""))), number_in(str(given.get("__submitter", "")))
    return trials.try_approval(session, rule, record, values, person)


_TRIALS: dict[str, Callable[[Session, Any, Mapping[str, Any]], Any]] = {
    "assignment": _assignment,
    "workflow": _workflow,
    "reminder": _reminder,
    "pool": _pool,
    "approval": _approval,
}


# --- what a trial asks --------------------------------------------------------------------------------------------


def _nothing(_session: Session, _rule: Any, _given: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _asked_period(session: Session, _rule: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    last = session.today.replace(day=1) - timedelta(days=1)
    return {
        "since": given.get("since") or last.replace(day=1).isoformat(),
        "until": given.get("until") or last.isoformat(),
    }


def _asked_since(session: Session, _rule: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"since": given.get("since") or (session.today - timedelta(days=_DAYS)).isoformat()}


def _asked_record(session: Session, rule: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """A record, who submits it, and the fields the conditions read, to be made up."""
    binder = Binder(session)
    label = session.app.entities[rule.entity].label.of(session.language)
    return {
        "record": asked(
            binder, Ask(name="__record", label=label, type="link", to=rule.entity), given.get("__record"), []
        ),
        "submitter": asked(binder, Ask(name="__submitter", label="", type="user"), given.get("__submitter"), []),
        "inputs": [_input(binder, rule.entity, name, given.get(name)) for name in _conditions(session, rule)],
        "currency": session.site.settings.currency,
    }


def _input(binder: Binder, entity: str, name: str, raw: Any) -> Input:
    bound = binder.field(entity, name)
    assert bound is not None  # administrators see every field
    title = None
    if bound.target and str(raw or "").isdigit():
        title = titles_of(binder.session, bound.target, [int(raw)]).get(int(raw))
    return Input(field=bound, name=name, raw=raw or None, value=raw, title=title)


def _conditions(session: Session, rule: Any) -> list[str]:
    """The fields the conditions of an approval read, and the owner: what one makes up."""
    conditions = [rule.when, *(c for s in rule.steps for c in (s.when, s.group_when))]
    read = {name for c in conditions if c is not None for entity, name in c.reads if entity == rule.entity}
    described, binder = session.app.entities[rule.entity], Binder(session)
    plain = [n for n in described.fields if n in read or n == described.owner]
    return [
        n for n in plain if described.fields[n].storage not in ("children", "links") and binder.field(rule.entity, n)
    ]


def _asked_form(session: Session, rule: Any, _given: Mapping[str, Any]) -> dict[str, Any]:
    """How a web form is reached and shown by a web site, and how much has come by it."""
    base = web().site.settings.base_url.rstrip("/")
    role = session.app.roles.get(rule.role)
    return {
        "address": f"{base}/f/{rule.name}",
        "role_label": role.label.of(session.language) if role else rule.role,
        "received": web_forms.received(session, rule),
        "crowded": crowded(fields_of(web_forms.guest_of(session, rule), rule)),
        "height": 720,
    }


_ASKED: dict[str, Callable[[Session, Any, Mapping[str, Any]], dict[str, Any]]] = {
    "assignment": _asked_period,
    "workflow": _asked_since,
    "approval": _asked_record,
    "web_form": _asked_form,
}
