"""Pools: what lies in them, claiming, assigning and moving on; and the proposals of assignments that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from metadata.models.pool import Pool
from runtime.decisions import claim_desk, pooling, proposals
from runtime.decisions.handing import claim_message
from runtime.decisions.membership import is_member
from runtime.decisions.people import names
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, NotFound
from runtime.messages import say, say_answer
from runtime.records import read_many
from runtime.security.access import Access
from runtime.views.binder import Binder, BoundField
from runtime.views.pools import PAGE, BoundPool, PoolRow, bind_pool, coming_back, others, tabs
from web import htmx
from web.i18n import _
from web.notes import note
from web.rows import kit_for, widget_of
from web.state import reading, state, writing
from web.widgets import widget

blueprint = Blueprint("pools", __name__)
MOST_IDS = 500
ANSWERS = {"agree": "agreed", "refuse": "refused", "withdraw": "withdrawn"}


@blueprint.get("/pools")
@blueprint.get("/pools/<name>")
def show(name: str | None = None) -> Response:
    """The pools of this person as tabs, and the records of one of them."""
    session = reading()
    binder = Binder(session)
    known = tabs(binder)
    chosen = name or (known[0].name if known else None)
    page = max(1, number_in(request.args.get("page", "1")) or 1)
    q = request.args.get("q", "")[:100]
    bound = bind_pool(binder, pooling.pool_named(session, chosen), q=q, page=page) if chosen else None
    values: dict[str, Any] = {
        "tabs": known,
        "bound": bound,
        "rows": [_row(binder, bound, one) for one in bound.rows] if bound else [],
        "coming": coming_back(binder),
        "others": others(binder, bound.pool) if bound and bound.manager else [],
        "q": q,
        "page": page,
        "more": bound is not None and bound.count > page * PAGE,
        "claims": claims_waiting(binder),
        "waiting": len(proposals.waiting(session, 100)),
    }
    return make_response(render_template("pools/page.html", **values))


@blueprint.post("/pools/<name>/claim/<int:record_id>")
def claim(name: str, record_id: int) -> Response:
    """Takes a record; who was too late is told so."""
    _entity(name)
    try:
        with writing() as session:
            pool = pooling.pool_named(session, name)
            claimed = pooling.claim(session, pool.entity, record_id)
            said = claim_message(session, claimed, record_id)
            left = pooling.allowance(session, pool).left
    except Answer as answer:
        if answer.status not in (404, 409):
            raise
        note(say_answer(answer, state().language), "danger")
        return htmx.go(f"/pools/{name}")
    rest = "" if left is None else " " + str(_("{left} left today", left=left))
    note(said + rest)
    return htmx.go(f"/pools/{name}")


@blueprint.post("/pools/<name>/answer/<int:record_id>")
def answer(name: str, record_id: int) -> Response:
    """Agrees to a claim that waits or turns it down; who asked takes it back."""
    act = request.form.get("act", "")
    if act not in ANSWERS:
        raise BadQuery
    session = reading()
    pool: Pool | None = session.app.of("pool").get(name)
    if pool is None:
        raise NotFound
    back = (
        "/inbox" if request.form.get("back") == "/inbox" else f"/pools/{name}" if is_member(session, pool) else "/pools"
    )
    try:
        with writing() as session:
            if act == "withdraw":
                claim_desk.withdraw(session, pool.entity, record_id)
            else:
                claim_desk.answer(session, pool.entity, record_id, act == "agree", request.form.get("note") or None)
        note(say(f"pool.done.{ANSWERS[act]}", state().language))
    except Answer as refused:
        if refused.status not in (403, 409):
            raise
        note(say_answer(refused, state().language), "danger")
    return htmx.go(back)


@blueprint.post("/pools/<name>/assign")
def assign(name: str) -> Response:
    """A manager gives the chosen records to somebody, or moves them to another pool."""
    _entity(name)
    ids = [i for i in map(number_in, request.form.getlist("id")) if i is not None][:MOST_IDS]
    person, to = number_in(request.form.get("person", "")), request.form.get("pool", "")
    if not ids or (person is None and not to):
        note(str(_("Choose records and a person or a pool.")), "warning")
        return htmx.go(f"/pools/{name}")
    language = state().language
    try:
        with writing() as session:
            pool = pooling.pool_named(session, name)
            if person is not None:
                count = pooling.assign_from(session, pool, ids, person)
                told = say("pool.done.assigned", language, count=count, name=names(session, [person]).get(person, ""))
            else:
                other = pooling.pool_named(session, to)
                count = pooling.move(session, pool, ids, other)
                told = say("pool.done.moved", language, count=count, pool=other.label.of(language))
        note(told)
    except Answer as answer:
        if answer.status not in (403, 404, 409, 422):
            raise
        note(say_answer(answer, language), "danger")
    return htmx.go(f"/pools/{name}")


@blueprint.get("/proposals")
def inbox() -> Response:
    """The proposals this person may decide."""
    session = reading()
    binder = Binder(session)
    waiting = proposals.waiting(session)
    seen = _seen(binder, waiting)
    rows = [_proposal(binder, p, seen) for p in waiting]
    return make_response(render_template("proposals/page.html", rows=rows))


@blueprint.post("/proposals")
def decide() -> Response:
    """Confirms all that are chosen, gives one to somebody else, or rejects one."""
    reading()
    language = state().language
    one, act = number_in(request.form.get("one", "")), request.form.get("act", "")
    chosen = [i for i in map(number_in, request.form.getlist("id")) if i is not None]
    try:
        with writing() as session:
            if act == "accept_all":
                done = proposals.accept_all(session, chosen[:MOST_IDS])
                good = sum(not isinstance(found, Answer) for found in done.values())
                note(str(_("{count} confirmed", count=good)), "success" if good == len(done) else "warning")
            elif one is None:
                raise BadQuery
            elif act == "reject":
                proposals.reject(session, one, request.form.get("note") or None)
                note(say("assignment.done.rejected", language))
            else:
                person = number_in(request.form.get(f"person-{one}", "")) if act == "change" else None
                given = proposals.accept(session, one, person)
                note(say("assignment.done.assigned", language, name=names(session, [given]).get(given, "")))
    except Answer as answer:
        if answer.status not in (403, 409):
            raise
        note(say_answer(answer, language), "danger")
    return htmx.go("/proposals")


def _entity(name: str) -> str:
    """The entity of a pool of this person. Raises `NotFound`."""
    return pooling.pool_named(reading(), name).entity


def _row(binder: Binder, bound: BoundPool, one: PoolRow) -> dict[str, Any]:
    cells = [_cell(binder, bound, column, one) for column in bound.columns]
    return {"id": one.row.id, "cells": cells, "one": one}


def _cell(binder: Binder, bound: BoundPool, column: BoundField, one: PoolRow) -> dict[str, Any]:
    value, title = one.row.values.get(column.key), one.row.titles.get(column.key)
    shown = widget(widget_of(column))
    if column.key in one.masked:
        html = Markup('<span class="masked" title="{}">••••••</span>').format(_("Shown once you have claimed it"))
    elif value is None:
        html = Markup("")
    else:
        html = Markup(shown.show(column, kit_for(binder, compact=True))(value, title))  # noqa: S704 - by its widget
    return {"label": column.label, "css": shown.css, "html": html, "opens": column.key == bound.title}


def claims_waiting(binder: Binder) -> list[dict[str, Any]]:
    """The claims the person may answer, as their list shows them."""
    claims = claim_desk.waiting(binder.session)
    seen = _seen(binder, claims)
    return [_waiting(binder, one, seen) for one in claims]


def _seen(binder: Binder, waiting: Sequence[claim_desk.Waiting | proposals.Proposal]) -> set[tuple[str, int]]:
    """The records the person may open: who is asked about one need not see it."""
    found: set[tuple[str, int]] = set()
    for entity in {one.entity for one in waiting if Access(binder.session).can(one.entity, "read")}:
        ids = [one.record for one in waiting if one.entity == entity]
        found.update((entity, row.id) for row in read_many(binder.session, entity, ids, ["id"]))
    return found


def _waiting(binder: Binder, one: claim_desk.Waiting, seen: set[tuple[str, int]]) -> dict[str, Any]:
    due = "" if one.due_at is None else one.due_at.astimezone(binder.session.zone).strftime("%m-%d %H:%M")
    address = f"/e/{one.entity}/{one.record}" if (one.entity, one.record) in seen else None
    return {"one": one, "pool": one.pool.label.of(binder.language), "due": due, "address": address}


def _proposal(binder: Binder, found: proposals.Proposal, seen: set[tuple[str, int]]) -> dict[str, Any]:
    described = binder.app.entities[found.entity]
    steps = found.why.get("steps", ())
    last = steps[-1] if steps else {}
    due = "" if found.due_at is None else found.due_at.astimezone(binder.session.zone).strftime("%m-%d %H:%M")
    return {
        "id": found.id,
        "address": f"/e/{found.entity}/{found.record}" if (found.entity, found.record) in seen else None,
        "title": found.title,
        "entity": described.label.of(binder.language),
        "rule": found.rule,
        "name": found.name,
        "due": due,
        "candidates": [c for c in last.get("candidates", ()) if c["id"] != found.person],
    }
