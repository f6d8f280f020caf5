"""`octavo doctor`: looks for what is wrong with a site, and says what to do about it."""

from __future__ import annotations

import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa

from runtime.errors import Answer
from runtime.files.attachments import storage_of
from runtime.jobs.queue import DONE
from runtime.ledgers import checking
from runtime.messages import say
from runtime.publishing import publish as publishing
from runtime.schema.internal import version
from runtime.security import audit
from runtime.settings import CONFIG_FILE, SettingsError
from runtime.site import Site

State = Literal["ok", "warning", "error"]
LEAST_DISK = 500_000_000  # bytes
LONGEST_LAG = 600  # seconds
DRIFT_SHOWN = timedelta(days=7)
LONGEST_NIGHT = timedelta(days=2)  # between two comparisons of computed values


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at the site: `code` names its sentence in the catalogue."""

    code: str
    state: State
    params: dict[str, str]

    def sentence(self, language: str) -> str:
        return say(f"doctor.{self.code}.{'ok' if self.state == 'ok' else 'bad'}", language, **self.params)


def examine(site: Site) -> list[Finding]:
    """All looks, the failing ones included; a look that breaks off is an error of its own."""
    found: list[Finding] = []
    for look in LOOKS:
        try:
            found.extend(look(site))
        except (Answer, SettingsError, OSError, sa.exc.SQLAlchemyError) as error:
            name = look.__name__.strip("_")
            found.append(Finding("look", "error", {"name": name, "reason": str(error).splitlines()[0][:200]}))
    return found


def _finding(code: str, good: bool, worst: State = "error", **params: object) -> Finding:
    return Finding(code, "ok" if good else worst, {name: str(value) for name, value in params.items()})


def _configuration(site: Site) -> Iterator[Finding]:
    mode = stat.S_IMODE((site.folder / CONFIG_FILE).stat().st_mode)
    yield _finding("config_private", not mode & 0o077, "warning", mode=f"{mode:o}")


def _database(site: Site) -> Iterator[Finding]:
    with site.session() as session:
        yield _finding("database", True, database=site.dialect, version=session.version)
        if site.dialect == "sqlite":
            state = str(session.connection.exec_driver_sql("PRAGMA integrity_check(5)").scalar())
            yield _finding("integrity", state == "ok", reason=state)
            orphans = len(session.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())
            yield _finding("references", orphans == 0, count=orphans)


def _schema(site: Site) -> Iterator[Finding]:
    """The tables are those of the published version."""
    made = publishing.plan(site, publishing.current_layers(site))
    count = len(made.plan.steps) if made.plan else 0
    yield _finding("compiles", not made.errors, count=len(made.errors))
    yield _finding("schema", count == 0, count=count)


def _jobs(site: Site) -> Iterator[Finding]:
    with site.session() as session:
        job = session.table("job")
        parked = session.connection.scalar(sa.select(sa.func.count()).where(job.c.state == "parked")) or 0
        oldest = session.connection.scalar(sa.select(sa.func.min(job.c.run_at)).where(job.c.state == "waiting"))
        lag = int((session.now - oldest).total_seconds()) if oldest else 0
    yield _finding("parked", parked == 0, "warning", count=parked)
    yield _finding("lag", lag < LONGEST_LAG, "warning", seconds=max(0, lag))


def _people(site: Site) -> Iterator[Finding]:
    with site.session() as session:
        names = [role.name for role in session.app.roles.values() if role.admin]
        line, person = session.table("user_role"), session.table("user")
        admins = session.connection.scalar(
            sa.select(sa.func.count(sa.distinct(person.c.id)))
            .join_from(line, person, person.c.id == line.c.holder)
            .where(line.c.role.in_(names), line.c.deleted_at.is_(None), person.c.deleted_at.is_(None))
        )
    yield _finding("admins", bool(admins), count=admins or 0)


def _disk(site: Site) -> Iterator[Finding]:
    free = shutil.disk_usage(site.folder).free
    yield _finding("disk", free >= LEAST_DISK, "warning", free=f"{free / 1e9:.1f} GB")


def _storage(site: Site) -> Iterator[Finding]:
    storage_of(site)
    yield _finding("storage", True)


def _audit(site: Site) -> Iterator[Finding]:
    with site.session() as session:
        touched = audit.verify(session)
    yield _finding("audit", not touched, count=len(touched))


def _ledgers(site: Site) -> Iterator[Finding]:
    """The entries of every ledger add up to its balances."""
    with site.session() as session:
        wrong = checking.verify(session)
    yield _finding("ledgers", not wrong, count=sum(one["count"] for one in wrong))


def _nights(site: Site) -> Iterator[Finding]:
    """What the nightly comparison of computed values found in the last days, and that there was one."""
    with site.session() as session:
        job, began = session.table("job"), session.connection.scalar(sa.select(sa.func.min(version.c.created_at)))
        done = sa.select(job.c.payload, job.c.result, job.c.ended_at).where(
            job.c.name == "recompute", job.c.state == DONE, job.c.ended_at > session.now - DRIFT_SHOWN
        )
        runs = session.connection.execute(done.order_by(job.c.ended_at.desc())).all()
        runs = [run for run in runs if not run.payload.get("daily")]
        since = runs[0].ended_at if runs else began
    old = since is not None and session.now - since > LONGEST_NIGHT
    yield _finding("compared", not old, "warning", at=f"{since:%Y-%m-%d %H:%M}" if since else "-")
    drift = Counter[str]()
    for run in runs:
        drift.update(run.result or {})
    fields = ", ".join(f"{name} ({count})" for name, count in sorted(drift.items())[:5])
    yield _finding("drift", not drift, "warning", fields=fields, days=DRIFT_SHOWN.days)


LOOKS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    _configuration,
    _database,
    _schema,
    _jobs,
    _people,
    _disk,
    _storage,
    _audit,
    _ledgers,
    _nights,
)
