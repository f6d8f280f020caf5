"""Runs of workflows carried out: one transaction a step, so that a step is done once whatever dies in between."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metadata.models.effects import Effect, Wait
from metadata.models.workflow import Workflow
from rules.evaluate import holds
from runtime.decisions import workflow_store as kept
from runtime.decisions.effects import Acting, carry_out_one
from runtime.decisions.workflow_store import DONE, ENDED, JOB, PARKED, PAUSED, WAITING
from runtime.environment import working_time
from runtime.errors import Answer, Busy, Conflict, DiskFull, NotFound
from runtime.jobs.context import JobContext, LeaseLost
from runtime.jobs.queue import pause
from runtime.jobs.registry import long_job
from runtime.messages import say_answer, say_problem
from runtime.records.plan import plan_of
from runtime.security.audit import Entry
from runtime.security.audit import write as audit_write

if TYPE_CHECKING:
    from runtime.site import Session

TRIES = 5  # of a step, before its run is parked
_log = logging.getLogger("octavo.workflows")
_FINAL = (DONE, ENDED, PARKED, kept.STOPPED)


@long_job(JOB)
def run_workflows(context: JobContext) -> dict[str, int]:
    """Carries runs out, each until it ends, waits or fails. A failure of one holds up no other."""
    counts: dict[str, int] = {}
    for run_id in context.payload["runs"]:
        state = _carry_on(context, run_id)
        counts[state] = counts.get(state, 0) + 1
    return counts


def _carry_on(context: JobContext, run_id: int) -> str:
    while True:
        try:
            with context.transaction() as session:
                state = _step(session, run_id)
        except (LeaseLost, Busy, DiskFull):
            raise
        except Exception as error:
            with context.transaction() as session:
                return _failed(session, run_id, error)
        if state != WAITING:
            return state


def _step(session: Session, run_id: int) -> str:
    """One step of a run, in the transaction of the session; the state of the run after it."""
    run = kept.read(session, run_id, lock=True)
    if run is None:
        return ENDED
    if run["state"] in _FINAL or (run["resume_at"] is not None and run["resume_at"] > session.now):
        return str(run["state"]) if run["state"] != WAITING else PAUSED
    workflow = kept.definition(session, run["workflow"], run["published"])
    if workflow is None:
        raise NotFound("workflow.gone", name=run["workflow"])
    if run["started_at"] is None:
        kept.note(session, run_id, started_at=session.now)
    if run["position"] >= len(workflow.steps):
        kept.note(session, run_id, state=DONE, ended_at=session.now, step=None, error=None, resume_at=None)
        return DONE
    effect = workflow.steps[run["position"]]
    acting = _acting(session, workflow, run)
    if isinstance(effect, Wait):
        return _wait(session, run, effect, acting)
    result = carry_out_one(acting, effect)
    _next(session, run, effect, str(result.get("state", "done")), result)
    return WAITING


def _wait(session: Session, run: Mapping[str, Any], effect: Wait, acting: Acting) -> str:
    """Begins to wait, or, when the time has come, goes on or ends."""
    if effect.when is not None and not holds(effect.when, acting.record(), acting.environment()):
        _next(session, run, effect, "skipped", None)
        return WAITING
    if run["resume_at"] is None:
        until = working_time(session).add(session.now, effect.duration)
        if until is None:
            raise Conflict("workflow.never", duration=str(effect.duration))
        kept.note(session, run["id"], state=PAUSED, resume_at=until, step=effect.name)
        kept.enqueue_runs(session, [run["id"]], until)
        return PAUSED
    if effect.unless is not None:
        record = acting.record()
        gone = acting.entity is not None and (record is None or record.raw("deleted_at") is not None)
        if gone or holds(effect.unless, record, acting.environment()):
            kept.log_step(session, run, effect.name, "wait", "ended", {"unless": effect.unless.text})
            kept.note(session, run["id"], state=ENDED, ended_at=session.now, resume_at=None)
            return ENDED
    _next(session, run, effect, "done", {"waited": str(effect.duration)})
    return WAITING


def _next(session: Session, run: Mapping[str, Any], effect: Effect, state: str, result: Any) -> None:
    kept.log_step(session, run, effect.name, effect.word, state, result)
    kept.note(
        session,
        run["id"],
        state=WAITING,
        position=run["position"] + 1,
        step=None,
        tries=0,
        error=None,
        resume_at=None,
    )


def _acting(session: Session, workflow: Workflow, run: Mapping[str, Any]) -> Acting:
    """What its steps may know. What they write remembers the chain that led here, by which rings are seen."""
    cause = f"workflow:{workflow.name}"
    # what a form outside sends comes in by the web: assignments that say `on: web` are meant
    inner = session.sub(cause=cause, channel="web" if run["event"] == "hook" else "rule")
    link = f"{cause}:{run['entity'] or ''}:{run['record'] or ''}"
    inner.chain = (*(run["chain"] or ()), link)
    inner.cache["on_behalf_of"] = run["person"]
    before = run["before"] or {}
    return Acting(
        session=inner,
        entity=run["entity"],
        record_id=run["record"],
        cause=cause,
        person=run["person"],
        old=_heard(session, run["entity"], before.get("values")),
        changed=frozenset(before.get("changed") or ()),
        params=_parameters(session, workflow, run["given"] or {}),
        label=workflow.label.of(session.site.settings.language),
    )


def _heard(session: Session, entity: str | None, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A row that was kept as JSON, as Python values again."""
    if values is None or entity is None:
        return None
    from runtime.records.input import coercion

    plan = plan_of(session, entity)
    context = coercion(session)
    found: dict[str, Any] = {}
    for name, value in values.items():
        field = plan.fields.get(name)
        if field is None or value is None or field.storage not in ("decimal", "date", "datetime", "time"):
            found[name] = tuple(value) if isinstance(value, list) else value
            continue
        try:
            found[name] = plan.types[name].coerce(value, field, context)
        except Exception:  # a field of another type by now: what it held says nothing
            found[name] = None
    return found


def _parameters(session: Session, workflow: Workflow, given: Mapping[str, Any]) -> dict[str, Any]:
    from runtime.decisions.workflow_hooks import taken

    return taken(session, workflow, given) if workflow.takes else {}


def _failed(session: Session, run_id: int, error: Exception) -> str:
    """A refusal will be one again: the run is parked at once. What may pass is tried again, later each time."""
    run = kept.read(session, run_id, lock=True)
    if run is None or run["state"] in _FINAL:
        return ENDED
    language = session.site.settings.language
    if isinstance(error, Answer):
        reason = " ".join([say_answer(error, language), *(_said(p, language) for p in error.problems)])
    else:
        _log.exception("run %s of workflow %s failed", run_id, run["workflow"], exc_info=error)
        reason = f"{type(error).__name__}: {error}"
    tries = run["tries"] + 1
    workflow = kept.definition(session, run["workflow"], run["published"])
    step = workflow.steps[run["position"]] if workflow is not None and run["position"] < len(workflow.steps) else None
    kept.log_step(session, run, step.name if step else "", step.word if step else "", "failed", {"error": reason[:500]})
    if (isinstance(error, Answer) and error.status not in (412, 429)) or tries >= TRIES:
        kept.note(session, run_id, state=PARKED, tries=tries, error=reason, ended_at=session.now,
                  step=step.name if step else None)  # fmt: skip
        return PARKED
    until = session.now + timedelta(seconds=pause(tries))
    kept.note(session, run_id, state=PAUSED if run["state"] == PAUSED else WAITING, tries=tries, error=reason)
    kept.enqueue_runs(session, [run_id], until)
    return PAUSED


def _said(problem: Any, language: str) -> str:
    said = say_problem(problem, language)
    return f"{problem.field}: {said}" if problem.field else said


# --- what administrators do with a run ---------------------------------------------------------------------------


def rerun(session: Session, run_id: int) -> None:
    """Lets a parked or stopped run go on at the step where it failed. Raises `Conflict`, `NotFound`."""
    run = _open(session, run_id, (PARKED, kept.STOPPED))
    kept.note(session, run["id"], state=WAITING, tries=0, error=None, ended_at=None, resume_at=None)
    kept.enqueue_runs(session, [run["id"]])
    _told(session, run, "workflow_rerun")


def skip(session: Session, run_id: int) -> None:
    """Lets a parked run go on after the step where it failed."""
    run = _open(session, run_id, (PARKED,))
    kept.log_step(session, run, run["step"] or "", "", "skipped", {"by": session.user.id})
    kept.note(
        session,
        run["id"],
        state=WAITING,
        position=run["position"] + 1,
        tries=0,
        error=None,
        ended_at=None,
        resume_at=None,
    )
    kept.enqueue_runs(session, [run["id"]])
    _told(session, run, "workflow_skip")


def cancel(session: Session, run_id: int) -> None:
    """Ends a run that waits or is parked."""
    run = _open(session, run_id, (PARKED, PAUSED, WAITING, kept.STOPPED))
    kept.note(session, run["id"], state=ENDED, ended_at=session.now, resume_at=None)
    _told(session, run, "workflow_cancel")


def _open(session: Session, run_id: int, states: tuple[str, ...]) -> dict[str, Any]:
    run = kept.read(session, run_id, lock=True)
    if run is None:
        raise NotFound()
    if run["state"] not in states:
        raise Conflict("already_done")
    return run


def _told(session: Session, run: Mapping[str, Any], action: str) -> None:
    audit_write(session, [Entry("workflow_run", run["id"], action, {"step": [run["step"], None]})])
