"""Sample data of the stock application and the packages: how far loading them is, and which records they made."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Conflict, Forbidden
from runtime.jobs.queue import enqueue
from runtime.schema.internal import state as facts
from runtime.schema.internal_samples import sample

if TYPE_CHECKING:
    from runtime.site import Session, Site

MARK = "demo:"  # facts with such a name say which files were loaded
FACT = "sample"
NONE, LOADING, LOADED, REMOVING, REMOVED, FAILED = "none", "loading", "loaded", "removing", "removed", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`kept` are records left by the last removal: (entity, id, reason, text); at most `KEPT` of `kept_count`."""

    state: str = NONE
    done: int = 0
    total: int = 0
    removed: int = 0
    kept_count: int = 0
    kept: tuple[tuple[str, int, str, str], ...] = ()
    problem: str = ""

    @property
    def busy(self) -> bool:
        return self.state in (LOADING, REMOVING)


def status(session: Session) -> Status:
    """How far sample data are on this site."""
    text = session.connection.scalar(sa.select(facts.c.value).where(facts.c.name == FACT))
    if not text:
        return Status()
    values = json.loads(text)
    return Status(**{**values, "kept": tuple((e, i, why, said) for e, i, why, said in values.get("kept", ()))})


def write(session: Session, now: Status) -> None:
    """Notes how far it is, in the transaction of the session."""
    value = json.dumps(asdict(now), ensure_ascii=False)
    change = sa.update(facts).where(facts.c.name == FACT).values(value=value)
    if session.connection.execute(change).rowcount == 0:
        session.connection.execute(sa.insert(facts).values(name=FACT, value=value))


def counts(session: Session) -> dict[str, int]:
    """How many records that sample data made are known, by entity."""
    wanted = sa.select(sample.c.entity, sa.func.count()).group_by(sample.c.entity).order_by(sample.c.entity)
    return {entity: count for entity, count in session.connection.execute(wanted) if entity in session.app.entities}


def marked(session: Session) -> bool:
    """Whether any file of sample data was loaded, by whatever way."""
    found = sa.select(facts.c.name).where(facts.c.name.startswith(MARK, autoescape=True)).limit(1)
    return session.connection.scalar(found) is not None


def offered(session: Session) -> bool:
    """Whether this person can load sample data now: an administrator, packages that bring some, none there yet."""
    if not session.user.admin or not _brought(session.site):
        return False
    return status(session).state in (NONE, REMOVED) and not marked(session)


def _brought(site: Site) -> bool:
    from runtime.samples.loading import files  # late: needed where a list is empty, not where it is full

    return bool(files(site))


@contextmanager
def noting(session: Session) -> Iterator[None]:
    """What is created within, also by rules, is noted as sample data: the audit of this request says what it is."""
    audit = session.table("audit")
    before = session.connection.scalar(sa.select(sa.func.max(audit.c.id))) or 0
    previous, session.request_id = session.request_id, f"sample-{secrets.token_hex(12)}"
    yield
    request, session.request_id = session.request_id, previous
    known = sa.select(audit.c.entity, audit.c.record).where(audit.c.id > before, audit.c.request == request)
    made = session.connection.execute(known.where(audit.c.action == "create").order_by(audit.c.id)).all()
    note(session, [(entity, record) for entity, record in made], request)


def note(session: Session, made: list[tuple[str, int]], request: str) -> None:
    """Adds records to those that sample data made."""
    position = (session.connection.scalar(sa.select(sa.func.max(sample.c.position))) or 0) + 1
    roots = [(e, i) for e, i in dict.fromkeys(made) if session.app.entities[e].parent is None]  # lines go with them
    rows: list[dict[str, Any]] = [
        {"entity": entity, "record_id": record, "position": position + place, "request": request}
        for place, (entity, record) in enumerate(roots)
    ]
    for start in range(0, len(rows), 1000):
        session.connection.execute(sa.insert(sample), rows[start : start + 1000])


def note_loaded(site: Site) -> None:
    """Says that sample data are there, where somebody loaded them with the site or a package."""
    with site.session(write=True) as session:
        if counts(session) and status(session).state != LOADED:
            write(session, Status(state=LOADED))


def start_loading(session: Session) -> bool:
    """Hands loading to the workers, once however often it is asked for; whether it was this call that did.

    Raises `Forbidden` for somebody who is no administrator, `Conflict` where sample data are there already.
    """
    _administrator(session)
    now = _locked(session)
    if now.state in (LOADING, LOADED):
        return False
    if now.busy:
        raise Conflict("sample.busy")
    if now.state != FAILED and not offered(session):
        raise Conflict("sample.none" if not _brought(session.site) else "sample.there")
    write(session, Status(state=LOADING))
    enqueue(session, "sample.load", {"person": session.user.id}, unique_key="sample.load")
    return True


def start_removing(session: Session) -> bool:
    """Hands removing to the workers, once however often it is asked for; whether it was this call that did.

    Raises `Forbidden` for somebody who is no administrator, `Conflict` where none are known.
    """
    _administrator(session)
    now = _locked(session)
    if now.state == REMOVING:
        return False
    if now.busy:
        raise Conflict("sample.busy")
    if not counts(session):
        raise Conflict("sample.unknown")
    write(session, replace(now, state=REMOVING, done=0, problem=""))
    enqueue(session, "sample.remove", {"person": session.user.id}, unique_key="sample.remove")
    return True


def _administrator(session: Session) -> None:
    if not session.user.admin:
        raise Forbidden()


def _locked(session: Session) -> Status:
    """The status, which nobody else changes until this transaction ends."""
    if session.site.dialect == "postgresql":
        session.connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('octavo_sample'))"))
    return status(session)
