"""Rules by hand of the operator: workflows over history, reminders now or only counted, keys of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from runtime.decisions.reminders import JOB, Forecast, forecast
from runtime.decisions.workflow_history import WouldHave
from runtime.decisions.workflow_history import would_have as history_of
from runtime.decisions.workflow_times import JOB as BY_CLOCK
from runtime.jobs.queue import enqueue
from runtime.messaging.calling import signing_key
from runtime.site import Site


def would_have(site: Site, name: str, since: datetime) -> WouldHave | None:
    """What a workflow would have done since a moment; None for an unknown one."""
    with site.session() as session:
        found = session.app.of("workflow").get(name)
        return None if found is None else history_of(session, found, since)


def run_workflow(site: Site, name: str) -> int | None:
    """Starts what the clock sets off, as if its time had come; how many jobs. None where there is nothing to start."""
    with site.session(write=True) as session:
        found = session.app.of("workflow").get(name)
        indexes = [i for i, t in enumerate(found.triggers) if t.event in ("cron", "date")] if found else []
        for index in indexes:
            enqueue(session, BY_CLOCK, {"workflow": name, "trigger": index})
        return len(indexes) or None


def unknown_reminders(site: Site, names: Sequence[str]) -> str | None:
    """The first name that no reminder has."""
    with site.session() as session:
        return next((name for name in names if name not in session.app.of("reminder")), None)


def remind(site: Site, names: Sequence[str]) -> int:
    """Runs reminders, all where none is named, as a job; its id."""
    with site.session(write=True) as session:
        wanted = list(names) or sorted(session.app.of("reminder"))
        return enqueue(session, JOB, {"names": wanted}) or 0


def forecasts(site: Site, names: Sequence[str]) -> list[Forecast]:
    """What a run now would do, by reminder. Everything is undone again: nothing is written, nobody is told."""
    with site.session(write=True) as session:
        reminders = [r for name, r in sorted(session.app.of("reminder").items()) if not names or name in names]
        return [forecast(session, reminder) for reminder in reminders]


def hook_key(site: Site, name: str) -> str:
    """The secret that calls of this name are signed with, and that a hook asks for."""
    return signing_key(site, name)
