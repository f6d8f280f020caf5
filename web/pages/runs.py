"""Runs of workflows, for administrators: what is parked, what waits, what was done, and what the clock ran."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request

from runtime import actions
from runtime.digits import number_in
from runtime.errors import NotFound
from runtime.views.runs import STATES, runs
from web.notes import note
from web.state import reading, writing

blueprint = Blueprint("runs", __name__)


@blueprint.get("/runs")
def page() -> Response:
    session = reading()
    number = max(1, number_in(request.args.get("page", "1")) or 1)
    state = request.args.get("state", "")
    workflow = request.args.get("workflow", "")[:41]
    found = runs(session, state=state or None, workflow=workflow or None, page=number)
    options = session.app.options["run_state"]
    labels = {
        choice.name: (choice.label.of(session.language), choice.colour or "secondary") for choice in options.choices
    }
    return make_response(
        render_template(
            "runs/page.html",
            found=found,
            states=STATES,
            labels=labels,
            state=state,
            workflow=workflow,
            page=number,
            zone=session.zone,
        )
    )


@blueprint.post("/runs/<int:run>/<name>")
def act(run: int, name: str) -> Response:
    with writing() as session:
        if name not in ("rerun", "skip", "cancel"):
            raise NotFound()
        outcome = actions.run(session, "workflow_run", run, name, {})
    note(outcome.message)
    return make_response(redirect(f"/runs?state={request.form.get('state', '')[:20]}", 303))
