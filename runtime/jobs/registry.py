"""The fixed list of job names and schedules. What is not registered by import can be neither enqueued nor run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metadata.model import Application
    from runtime.jobs.context import JobContext
    from runtime.site import Session

Payload = Mapping[str, Any]
Handler = Callable[["Session", Payload], Any]
LongHandler = Callable[["JobContext"], Any]

# modules that register jobs; imported when a worker starts or something is enqueued
MODULES = (
    "runtime.mass",
    "runtime.samples.jobs",
    "runtime.exchange.background",
    "runtime.jobs.bin",
    "runtime.jobs.housekeeping",
    "runtime.publishing.backfill",
    "runtime.messaging.deliver",
    "runtime.decisions.effect_jobs",
    "runtime.decisions.workflows",
    "runtime.decisions.workflow_times",
    "runtime.decisions.reminders",
    "runtime.ledgers.jobs",
    "runtime.decisions.returns",
    "runtime.decisions.proposals",
    "runtime.decisions.claim_desk",
    "runtime.decisions.approval_jobs",
    "runtime.decisions.workflows",
    "runtime.decisions.workflow_times",
    "runtime.decisions.qualification_rule",
    "runtime.duplicates.groups",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`long` handlers open their transactions themselves; the others run inside one."""

    name: str
    handler: Callable[..., Any]
    long: bool = False
    tries: int | None = None  # None: the site's setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A job fired at the times of a cron expression in the site's zone, once for each due time."""

    name: str
    cron: str
    job: str
    payload: Payload = field(default_factory=dict)


_JOBS: dict[str, Job] = {}
_SCHEDULES: dict[str, Schedule] = {}
_SOURCES: list[Callable[[Application], Iterable[Schedule]]] = []


def job(name: str, *, tries: int | None = None) -> Callable[[Handler], Handler]:
    """Registers `handler(session, payload)`; what it returns (JSON) is kept as the job's result."""

    def register(handler: Handler) -> Handler:
        _add(Job(name=name, handler=handler, tries=tries))
        return handler

    return register


def long_job(name: str, *, tries: int | None = None) -> Callable[[LongHandler], LongHandler]:
    """Registers `handler(context)` for work in many transactions; see `runtime.jobs.context`."""

    def register(handler: LongHandler) -> LongHandler:
        _add(Job(name=name, handler=handler, long=True, tries=tries))
        return handler

    return register


def schedule(name: str, cron: str, job_name: str, payload: Payload | None = None) -> None:
    """Registers a fixed schedule."""
    _SCHEDULES[name] = Schedule(name=name, cron=cron, job=job_name, payload=payload or {})


def schedules_from(source: Callable[[Application], Iterable[Schedule]]) -> None:
    """Registers where schedules come from that the metadata declare (reminders, workflows, snapshots)."""
    _SOURCES.append(source)


def _add(found: Job) -> None:
    known = _JOBS.get(found.name)
    if known is not None and known.handler.__qualname__ != found.handler.__qualname__:
        raise ValueError(f"job {found.name!r} is registered twice")
    _JOBS[found.name] = found


def jobs() -> Mapping[str, Job]:
    """Every registered job by name."""
    for module in MODULES:
        import_module(module)
    return _JOBS


def schedules(app: Application) -> list[Schedule]:
    """The fixed schedules and those of the application."""
    jobs()
    return [*_SCHEDULES.values(), *(found for source in _SOURCES for found in source(app))]
