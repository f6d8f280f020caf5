"""Approvals on pages of their own: what waits for me, one case with chain and difference, and trying a chain out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from runtime import actions, records, revisions
from runtime.decisions import approval_nudges, approvals, proposals
from runtime.decisions import approval_store as store
from runtime.decisions import approval_view as view
from runtime.decisions.approval_actions import offer, sentence
from runtime.decisions.approval_mentions import may_see, mention
from runtime.digits import number_in
from runtime.errors import Answer, NotFound
from runtime.messages import say, say_answer
from runtime.records import snapshots
from runtime.security.access import Access
from runtime.site import Session
from runtime.views.binder import Binder
from runtime.views.snapshots import changes
from web import htmx
from web.i18n import _
from web.mentioning import mentioned
from web.notes import note
from web.pages.pools import claims_waiting
from web.state import reading, state, writing

blueprint = Blueprint("inbox", __name__)
BOXES = ("waiting", "submitted", "done")


@blueprint.get("/inbox")
def show() -> Response:
    """The cases of a box: waiting for me, submitted by me, decided by me."""
    session = reading()
    box = request.args.get("box", "waiting")
    box = box if box in BOXES else "waiting"
    labels = {"waiting": _("Waiting for me"), "submitted": _("Submitted by me"), "done": _("Decided by me")}
    claims = claims_waiting(Binder(session))
    counts = view.counts(session)
    counts["waiting"] += len(claims)
    values = {
        "box": box,
        "labels": labels,
        "counts": counts,
        "cases": view.inbox(session, box),
        "when": lambda at: _when(session, at),
        "admin": session.user.admin,
        "claims": claims if box == "waiting" else [],
        "proposals": len(proposals.waiting(session, 100)),
    }
    return make_response(render_template("approvals/inbox.html", **values))


@blueprint.get("/inbox/<int:case_id>")
def case(case_id: int) -> Response:
    """One case: what is asked, what differs, who is next, what has happened, and what one can do."""
    session = reading()
    shown = view.case_view(session, case_id)
    return make_response(render_template("approvals/case.html", case=shown, **_helpers(session)))


@blueprint.post("/inbox/<int:case_id>/<name>")
def act(case_id: int, name: str) -> Response:
    """Carries an act out; the answer says who is next."""
    language = state().language
    try:
        with writing() as session:
            held = store.load(session, case_id)
            if not may_see(session, held):
                raise NotFound
            note(_carry_out(session, held, name, dict(request.form), mentioned()))
    except Answer as answer:
        if answer.status not in (403, 409, 422):
            raise
        reasons = [say_answer(answer, language)]
        if answer.problems:
            reasons = [str(_("Please fill in the comment and the person."))]
        note(" ".join(reasons), "danger")
        return htmx.go(f"/inbox/{case_id}")
    following = request.form.get("back")
    return htmx.go("/inbox" if following == "inbox" else f"/inbox/{case_id}")


def _carry_out(session: Session, held: store.Held, name: str, form: Mapping[str, str], people: Sequence[int]) -> str:
    if name not in (*approvals.ACTS, "remind", "comment"):
        raise NotFound
    asks = offer(session, held, name).asks
    given = actions.read_asks(session, asks, {ask.name: form[ask.name] for ask in asks if form.get(ask.name)})
    if name == "remind":
        return say("approval.done.reminded", session.language, count=approval_nudges.remind(session, held.id))
    if name == "comment":
        named = approval_nudges.comment_on(session, held.id, str(given["comment"]), people)
        return say("approval.done.commented", session.language) + named.said(session.language)
    seen = number_in(form.get("round", ""))
    after = approvals.act(session, held.id, name, given, round_seen=seen)
    return sentence(session, after) + mention(session, after, given.get("comment"), people).said(session.language)


def _helpers(session: Session) -> dict[str, Any]:
    return {"when": lambda at: _when(session, at), "people": Access(session).can("user", "read")}


def _when(session: Session, at: datetime | None) -> str:
    return "" if at is None else at.astimezone(session.zone).strftime("%Y-%m-%d %H:%M")


# --- versions ------------------------------------------------------------------------------------------------------


@blueprint.get("/e/<entity>/<int:record_id>/versions")
def versions(entity: str, record_id: int) -> Response:
    """The versions of a record, and two of them compared line by line."""
    session = reading()
    binder = Binder(session)
    described = session.app.entities.get(entity)
    if described is None or described.revisions is None:
        raise NotFound
    shown = records.read(session, entity, record_id, [described.title] if described.title != "id" else ["id"])
    rows = revisions.versions(session, entity, record_id)
    numbers = sorted({row["number"] for row in rows}, reverse=True)
    right = number_in(request.args.get("right", "")) or (numbers[0] if numbers else 0)
    left = number_in(request.args.get("left", "")) or next((n for n in numbers if n < right), right)
    compared: list[Any] = []
    if left in numbers and right in numbers:
        before, after = (revisions.content_of(session, entity, record_id, n) for n in (left, right))
        compared = changes(binder, entity, snapshots.difference(before, after))
    values = {
        "entity": entity,
        "id": record_id,
        "title": shown.values.get(described.title) or f"#{record_id}",
        "rows": version_rows(session, rows),
        "numbers": numbers,
        "left": left,
        "right": right,
        "compared": compared,
        **_helpers(session),
    }
    return make_response(render_template("approvals/versions.html", **values))


def version_rows(session: Session, rows: Any) -> list[dict[str, Any]]:
    """Versions for a template: number, state, who and when."""
    from runtime.decisions.people import names

    known = names(session, [row["author"] for row in rows if row["author"]])
    options = session.app.options["revision_state"]
    found = []
    for row in rows:
        choice = options.choice(row["state"])
        found.append(
            {
                "number": row["number"],
                "state": row["state"],
                "label": choice.label.of(session.language) if choice else row["state"],
                "tone": (choice.colour if choice else None) or "secondary",
                "author": known.get(row["author"] or 0, "Octavo"),
                "at": row["applied_at"] or row["made_at"],
                "reason": row["reason"] or "",
            }
        )
    return found
