"""Publishing: check, plan, publish in one short transaction, roll back, pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from metadata.compiler import Compiled
from metadata.model import Application
from metadata.packages import Layer
from metadata.problems import Problem
from runtime import database, hooks
from runtime.collector import at_rest
from runtime.errors import Conflict, NotFound, Refused
from runtime.people import SYSTEM
from runtime.publishing import backfill, kept, store
from runtime.publishing.approval_moves import move_cases
from runtime.publishing.impacts import Impact, custom_of, find_impacts
from runtime.publishing.layers import SITE, Dumped, changed_files, compile_layers, dump, files_of, layers_of
from runtime.schema.apply import apply
from runtime.schema.internal import version as version_table
from runtime.schema.plan import Plan
from runtime.schema.plan import plan as schema_plan
from runtime.schema.steps import Step
from runtime.schema.tables import Tables
from runtime.site import Published, Session, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPlan:
    """What publishing would do. With errors among `problems` there is no plan."""

    base: int | None
    problems: list[Problem]
    plan: Plan | None
    impacts: list[Impact]
    changes: list[str]

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]

    @property
    def refusals(self) -> list[Impact]:
        return [i for i in self.impacts if i.severity == "refuse"]

    @property
    def dangers(self) -> list[Impact]:
        return [i for i in self.impacts if i.severity == "danger"]


def check(layers: Sequence[Layer]) -> Compiled:
    """Compiles the layers; the problems are the answer."""
    return compile_layers(layers)


def current_layers(site: Site) -> list[Layer]:
    """The layers of the newest version, from the database."""
    with database.answering(), site.engine.connect() as connection:
        number = store.newest(connection)
        if number is None:
            return []
        layers = layers_of(store.documents(connection, number), site.layers)
    site.layers = tuple(layers)
    return layers


def plan(site: Site, layers: Sequence[Layer]) -> PublishPlan:
    """What publishing these layers would do to the database and its data. Changes nothing."""
    compiled = compile_layers(layers)
    with database.answering(), site.engine.connect() as connection:
        base = store.newest(connection)
        changes = changed_files(store.documents(connection, base) if base else [], dump(layers))
        if compiled.errors or compiled.application is None:
            return PublishPlan(base=base, problems=compiled.problems, plan=None, impacts=[], changes=changes)
        old = site._pin(connection) if base else None
        new = Published((base or 0) + 1, compiled.application, Tables(compiled.application, site.dialect))
        made = _schema_plan(site, connection, old, new)
        impacts = find_impacts(connection, site, made, old, new.app)
    return PublishPlan(base=base, problems=compiled.problems, plan=made, impacts=impacts, changes=changes)


def publish(
    site: Site,
    layers: Sequence[Layer],
    note: str = "",
    user_id: int | None = None,
    *,
    accept: bool = False,
    base: int | None = None,
    rollback_of: int | None = None,
    language: str | None = None,
    progress: Callable[[Step], None] | None = None,
) -> int:
    """Publishes the layers as the next version; its number.

    `base` is the version the work began from (None: the newest now); if another was published meanwhile: `Conflict`.
    `Refused` where the metadata have errors or the data do not allow it; dangers to data need `accept`. All or nothing:
    whatever fails leaves the version before serving and its data as they were.
    """
    with at_rest():
        return _publish(site, layers, note, user_id, accept, base, rollback_of, language, progress)


def _publish(
    site: Site,
    layers: Sequence[Layer],
    note: str,
    user_id: int | None,
    accept: bool,
    base: int | None,
    rollback_of: int | None,
    language: str | None,
    progress: Callable[[Step], None] | None,
) -> int:
    compiled = compile_layers(layers)
    if compiled.errors or compiled.application is None:
        raise Refused("publish.problems", count=len(compiled.errors))
    asked = _Asked(
        app=compiled.application,
        data=dump(layers),
        note=note,
        user_id=user_id,
        accept=accept,
        rollback_of=rollback_of,
        language=language or site.settings.language,
    )
    packed = store.pack(asked.data)
    with database.answering():
        if base is None:
            with site.engine.connect() as connection:
                base = store.newest(connection) if _initialised(connection) else None
        with publishing(site) as connection:
            served = _publish_locked(site, connection, asked, packed, base, progress)
    site.serve(served)
    kept.write_soon(site.settings, packed, served.app)
    return served.number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to become the next version."""

    app: Application
    data: Dumped
    note: str
    user_id: int | None
    accept: bool
    rollback_of: int | None
    language: str


def _publish_locked(
    site: Site,
    connection: sa.Connection,
    asked: _Asked,
    packed: bytes,
    base: int | None,
    progress: Callable[[Step], None] | None,
) -> Published:
    newest = store.newest(connection) if _initialised(connection) else None
    if newest != base:
        _overtaken(connection, newest, base)
    old = site._pin(connection) if newest else None
    served = Published((newest or 0) + 1, asked.app, Tables(asked.app, site.dialect))
    made = _schema_plan(site, connection, old, served)
    _judge(find_impacts(connection, site, made, old, asked.app), asked.accept, asked.language)
    apply(connection, made, progress)
    _write_version(site, connection, asked, packed, served.number, newest)
    session = Session(site=site, published=served, connection=connection, user=SYSTEM, write=True)
    backfill.after_publish(session, made, old.app if old else None)
    move_cases(session)
    return served


def _write_version(
    site: Site, connection: sa.Connection, asked: _Asked, packed: bytes, number: int, newest: int | None
) -> None:
    before = store.documents(connection, newest) if newest else []
    row = {
        "number": number,
        "created_at": site.clock.now(),
        "created_by": asked.user_id,
        "note": asked.note,
        "documents": packed,
        "storage_fingerprint": asked.app.storage_fingerprint,
        "display_fingerprint": asked.app.display_fingerprint,
        "code": hooks.fingerprints(),
        "changes": changed_files(before, asked.data)[:200],
        "rollback_of": asked.rollback_of,
    }
    connection.execute(sa.insert(version_table).values(row))


def rollback(
    site: Site, number: int, user_id: int | None = None, *, accept: bool = False, language: str | None = None
) -> int:
    """Publishes the documents of an earlier version as a new one; the new number."""
    with database.answering(), site.engine.connect() as connection:
        try:
            data = store.documents(connection, number)
        except KeyError:
            raise NotFound("publish.no_version", number=number) from None
    note = f"↶ {number}"
    return publish(site, layers_of(data), note, user_id, accept=accept, rollback_of=number, language=language)


def versions(site: Site, limit: int = 100) -> list[store.Version]:
    """The published versions, newest first."""
    with database.answering(), site.engine.connect() as connection:
        return store.versions(connection, limit)


def pull(site: Site, folder: Path | None = None) -> list[Path]:
    """Writes the site layer of the newest version to its working copy; the files written or removed."""
    target = (folder or site.settings.metadata_folder).resolve()
    files = next((files_of(layer) for layer in current_layers(site) if layer.name == SITE), {})
    touched: list[Path] = []
    for name, text in files.items():
        path = (target / name).resolve()
        if not path.is_relative_to(target):
            raise Refused("publish.refused", reason=name)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            touched.append(path)
    for path in sorted(target.rglob("*.y*ml")) if target.is_dir() else []:
        if path.relative_to(target).as_posix() not in files:
            path.unlink()
            touched.append(path)
    return touched


@contextmanager
def publishing(site: Site) -> Iterator[sa.Connection]:
    """The one transaction that may change the schema: alone, and with foreign keys off on SQLite (before BEGIN)."""
    with site.engine.connect() as plain:
        if site.dialect == "sqlite":
            _pragma(plain, "foreign_keys = OFF")
            _pragma(plain, f"busy_timeout = {site.settings.publish_timeout_seconds * 1000}")
        try:
            connection = plain.execution_options(**{database.WRITE: True}) if site.dialect == "sqlite" else plain
            with connection.begin():
                store.enter_publisher(connection, site.settings.publish_timeout_seconds)
                yield connection
        finally:
            if site.dialect == "sqlite":
                plain.invalidate()  # this connection is not given to anybody else: its foreign keys are off


def _pragma(connection: sa.Connection, text: str) -> None:
    """A pragma outside any transaction."""
    connection.connection.driver_connection.execute(f"PRAGMA {text}").close()  # type: ignore[union-attr]


def _initialised(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table("octavo_version")


def _schema_plan(site: Site, connection: sa.Connection, old: Published | None, new: Published) -> Plan:
    return schema_plan(
        connection,
        new.tables,
        old.app if old else None,
        new.app,
        version=new.number,
        custom=custom_of(site.settings),
    )


def _overtaken(connection: sa.Connection, newest: int | None, base: int | None) -> None:
    before = store.documents(connection, base) if base else []
    after = store.documents(connection, newest) if newest else []
    changed = changed_files(before, after)
    raise Conflict("publish.overtaken", number=newest, changed=", ".join(changed[:5]) or "-")


def _judge(impacts: Sequence[Impact], accept: bool, language: str) -> None:
    refusals = [i for i in impacts if i.severity == "refuse"]
    if refusals:
        raise Refused("publish.refused", reason=" ".join(i.sentence(language) for i in refusals[:5]))
    dangers = [i for i in impacts if i.severity == "danger"]
    if dangers and not accept:
        raise Refused("publish.danger", reason=" ".join(i.sentence(language) for i in dangers[:5]))


__all__ = ["PublishPlan", "check", "current_layers", "plan", "publish", "pull", "rollback", "versions"]
