"""Imports: begun once per file, run in batches that each commit with their checkpoint, resumed where they stopped.

The same file imported again with the same columns is the same import: it goes on where it was, and when it was done it
tries the refused rows again. So nothing is ever imported twice, and nothing is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity
from runtime.collector import at_rest
from runtime.database import roomy
from runtime.errors import Busy, Forbidden, NotFound, Refused
from runtime.exchange import state
from runtime.exchange.batch import TurnedAway
from runtime.exchange.families import HeldBack, batches, land, planner_of
from runtime.exchange.mapping import (
    BadMapping,
    Column,
    as_given,
    filled,
    folded,
    hidden_paths,
    map_columns,
    related_of,
    settled,
    spellings,
)
from runtime.exchange.rejects import write_rejects
from runtime.exchange.related import keyable
from runtime.exchange.rows import Planner, RowPlan, Task
from runtime.exchange.source import (
    Header,
    Row,
    Source,
    count_rows,
    data_rows,
    find_header,
    header_at,
    open_source,
    top_rows,
)
from runtime.exchange.state import JOB, Status
from runtime.files.attachments import Use, link_files, storage_of, store_row
from runtime.files.names import safe_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session, Site

BATCH = 8000  # rows of a transaction: fewer write the same pages of the indexes again less often
SAMPLE = 20
ROUNDS = 3  # a batch is done again without records whose related ones are refused; then record by record
PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between tries of a batch while the database is busy
MEDIA = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
Progress = Callable[[Status], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An import as asked for: how the file is read, which column is what, what a match does and what texts stand for.

    `match` names the fields by which a record that is there is found; `contacts.mobile` is one by which a related
    record is found within its record. `header` is the row that names the columns; found where left out. `remember`:
    columns as this person mapped them in an earlier import with the same headers; a file of which nothing is known yet
    can be looked at then. `mode` and `values` (by field) as in `Task`.
    """

    mapping: Mapping[str, str | None] | None = None
    match: tuple[str, ...] = ()
    clear: bool = False
    dry_run: bool = False
    sheet: str | None = None
    encoding: str | None = None
    header: int | None = None
    mode: str = "both"
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remember: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a file holds: its sheets, columns and first rows, before anything is decided."""

    kind: str
    sheets: tuple[str, ...]
    sheet: str | None
    encoding: str | None
    header: Header
    columns: tuple[Column, ...]
    sample: tuple[Row, ...]
    top: tuple[Row, ...] = ()


def preview(session: Session, entity: str, path: Path, name: str, request: Request | None = None) -> Preview:
    """Reads the top of a file and proposes the columns. Raises `Unreadable`, `BadMapping`, `Forbidden`, `NotFound`."""
    request = request or Request()
    target = _target(session, entity)
    source, header, columns = _read(session, target, path, name, request, some=not request.remember)
    sample = tuple(islice(data_rows(source, header), SAMPLE))
    return Preview(
        kind=source.kind,
        sheets=source.sheets,
        sheet=source.sheet,
        encoding=source.encoding,
        header=header,
        columns=columns,
        sample=sample,
        top=tuple(top_rows(source)),
    )


def import_file(
    site: Site,
    entity: str,
    path: Path,
    *,
    user_id: int | None = None,
    name: str | None = None,
    request: Request | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    language: str | None = None,
) -> Status:
    """Begins (or takes up) the import of a file and runs it to its end, or until `stop` says so."""
    with site.session(user_id, write=True, channel="import", language=language) as session:
        import_id = begin(session, entity, path, name or path.name, request or Request())
    return run_import(site, import_id, progress=progress, stop=stop, language=language)


def begin(session: Session, entity: str, path: Path, name: str, request: Request) -> int:
    """Keeps the file and notes the import; the id of the one at hand where this very import was begun before.

    The whole file is read once, so that a broken one is refused before anything of it is imported.
    Raises `Unreadable`, `BadMapping`, `Refused`, `Forbidden`, `NotFound`, `TooBig`.
    """
    target = _target(session, entity)
    source, header, columns = _read(session, target, path, name, request)
    total = count_rows(source, header)
    if total == 0:
        raise Refused("import.empty")
    with path.open("rb") as stream:
        content = storage_of(session.site).put(stream)
    mapping = as_given(columns)
    mark = _fingerprint(content.digest, entity, mapping, request, source.sheet, session.user.id)
    found = None if request.dry_run else state.known(session, mark)
    if found is not None:
        return found
    file_id = store_row(session, content, safe_name(name), MEDIA[source.kind])
    values = {
        "name": safe_name(name),
        "target": entity,
        "file": file_id,
        "mapping": mapping,
        "match": ", ".join(request.match) or None,
        "dry_run": request.dry_run,
        "total": total,
    }
    settings = {
        "digest": content.digest,
        "sheet": source.sheet,
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "kind": source.kind,
        "header": header.row,
        "headers": list(header.names),
        "paths": [column.path for column in columns],
        "match": list(request.match),
        "clear": request.clear,
        "mode": request.mode,
        "values": {name: dict(meanings) for name, meanings in request.values.items()},
    }
    import_id = state.start(session, values, mark, settings)
    link_files(session, [Use(JOB, import_id, "file", file_id)])
    return import_id


def _fingerprint(
    digest: str, entity: str, mapping: Mapping[str, Any], request: Request, sheet: str | None, user: int | None
) -> str:
    more = [request.mode, request.values] if request.mode != "both" or request.values else []
    return state.fingerprint(digest, entity, mapping, request.match, request.clear, request.dry_run, sheet, user, *more)


def request_of(session: Session, import_id: int, **changes: Any) -> Request:
    """The request an import was begun with, to begin another like it. Raises `NotFound` for that of somebody else."""
    status = state.status(session, import_id)
    _, settings, _ = state.load(session, import_id)
    asked = Request(
        mapping=dict(zip(settings["headers"], settings["paths"])),
        match=tuple(settings["match"]),
        clear=settings["clear"],
        dry_run=status.dry_run,
        sheet=settings["sheet"],
        encoding=settings["encoding"],
        header=settings["header"],
        mode=settings.get("mode", "both"),
        values=settings.get("values", {}),
    )
    return replace(asked, **changes)


def landed_before(session: Session, import_id: int) -> Status | None:
    """The import in earnest that this one in trial would be the same as, if there was one."""
    row, settings, _ = state.load(session, import_id)
    asked = request_of(session, import_id, dry_run=False)
    mark = _fingerprint(settings["digest"], row["target"], row["mapping"], asked, settings["sheet"], session.user.id)
    found = state.known(session, mark)
    return None if found is None else state.status(session, found)


def begin_again(session: Session, import_id: int, **changes: Any) -> int:
    """Begins an import of the same file with the same request but for `changes`; its id. Raises as `begin`."""
    request = request_of(session, import_id, **changes)
    row, settings, _ = state.load(session, import_id)
    with storage_of(session.site).local(settings["digest"]) as path:
        return begin(session, row["target"], path, row["name"], request)


def _target(session: Session, entity: str) -> Entity:
    found = session.app.entities.get(entity)
    if found is None or found.retired or not Access(session).can(entity, "read"):
        raise NotFound()
    if not Access(session).can(entity, "import"):
        raise Forbidden()
    return found


def _read(
    session: Session, entity: Entity, path: Path, name: str, request: Request, *, some: bool = True
) -> tuple[Source, Header, tuple[Column, ...]]:
    source = open_source(path, name, sheet=request.sheet, encoding=request.encoding)
    hidden = hidden_paths(Access(session), entity)
    if request.header is None:
        known = spellings(entity, hidden)
        header = find_header(source, lambda text: folded(text) in known)
    else:
        header = header_at(source, request.header)
    earlier = mapped_before(session, entity, header, hidden) if request.remember else None
    given = {**(earlier or _remembered(session, entity, header, hidden)), **(request.mapping or {})}
    columns = map_columns(session.app, entity, header.names, given=given, hidden=hidden, match=request.match, some=some)
    for key in request.match:
        _check_match(session.app, entity, key, columns, hidden)
    return source, header, columns


def _check_match(app: Application, entity: Entity, key: str, columns: Sequence[Column], hidden: frozenset[str]) -> None:
    name, _, inner = key.partition(".")
    related = related_of(app, entity.fields[name]) if inner and name in entity.fields else None
    holder, name = (entity, key) if related is None else (related, inner)
    if not {key, key.partition(".")[0]}.isdisjoint(hidden) or name not in holder.fields or not keyable(holder, name):
        raise BadMapping("import.match_not_possible", field=key)
    if not any(column.target == key for column in columns):
        raise BadMapping("import.match_not_mapped", field=key)


def mapped_before(
    session: Session, entity: Entity, header: Header, hidden: frozenset[str]
) -> dict[str, str | None] | None:
    """All columns as this person mapped them when a file with the same headers was imported last; None if never."""
    table = session.table(JOB)
    mine = table.c.owner.is_(None) if session.user.id is None else table.c.owner == session.user.id
    earlier = session.connection.scalars(
        sa.select(table.c.mapping).where(table.c.target == entity.name, mine).order_by(table.c.id.desc()).limit(20)
    )
    names = {name for name in header.names if name}
    same = next((m for m in earlier if m and set(m) == names), None)
    if same is None:
        return None
    known = {n: p for n, p in same.items() if not p or filled(session.app, entity, p, hidden) is not None}
    return known if any(known.values()) else None


def _remembered(session: Session, entity: Entity, header: Header, hidden: frozenset[str]) -> dict[str, str | None]:
    """Columns that nothing else explains, as this person mapped them in an earlier import."""
    table = session.table(JOB)
    mine = table.c.owner.is_(None) if session.user.id is None else table.c.owner == session.user.id
    earlier = session.connection.scalars(
        sa.select(table.c.mapping).where(table.c.target == entity.name, mine).order_by(table.c.id.desc()).limit(10)
    )
    found: dict[str, str | None] = {}
    known = spellings(entity, hidden)
    for mapping in earlier:
        for name, path in (mapping or {}).items():
            unexplained = name in header.names and folded(name) not in known
            if path and unexplained and filled(session.app, entity, path, hidden) is not None:
                found.setdefault(name, path)
    return found


# --- running -----------------------------------------------------------------------------------------------------


def run_import(
    site: Site,
    import_id: int,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    language: str | None = None,
) -> Status:
    """Runs an import from its checkpoint to the end. Raises `NotFound`; `Conflict` where it is running elsewhere."""
    return _Run(site, import_id, progress, stop or (lambda: False), language).run()


class _Run:
    def __init__(
        self, site: Site, import_id: int, progress: Progress | None, stop: Callable[[], bool], language: str | None
    ) -> None:
        self.site = site
        self.id = import_id
        self.progress = progress
        self.stop = stop
        self.language = language
        with site.session() as session:
            self.row, self.settings, self.position = state.load(session, import_id)
        self.dry_run = bool(self.row["dry_run"])
        self.planner: Planner | None = None
        self.version = -1

    def run(self) -> Status:
        self._set(state="running")
        again = self.position > 0 and self.row["state"] == "done"
        with at_rest():
            stopped = self._retry() if again else self._rows()
        if stopped:
            return self._set(state="waiting")
        self._keep_rejects()
        return self._set(state="done")

    def _rows(self) -> bool:
        """The rows behind the checkpoint; true when stopped on the way."""
        with storage_of(self.site).local(self.settings["digest"]) as path:
            source = open_source(
                path,
                self.row["name"],
                sheet=self.settings["sheet"],
                encoding=self.settings["encoding"],
                delimiter=self.settings["delimiter"],
            )
            header = Header(row=self.settings["header"], names=tuple(self.settings["headers"]))
            with self._session() as session:
                planner = self._planner(session)
            for rows in batches(data_rows(source, header), BATCH, planner):
                done = [row for row in rows if row[0] <= self.position]
                if done:
                    with self._session() as session:
                        self._planner(session).skip(session, done)
                if fresh := rows[len(done) :]:
                    for part in self._parts(fresh):
                        if self.stop():
                            return True
                        self._patiently(lambda batch=part: self._together(self._batch, batch))  # type: ignore[misc]
        return False

    def _parts(self, rows: Sequence[Row]) -> Sequence[Sequence[Row]]:
        """The rows of a batch, cut where one refers to another above it, which must be there first."""
        with self._session() as session:
            return self._planner(session).parts(rows)

    def _together(self, work: Callable[[Sequence[Row], bool], None], rows: Sequence[Row]) -> None:
        """The work on all rows at once; row by row only where the whole batch was turned away."""
        for _ in range(ROUNDS):
            try:
                return work(rows, False)
            except HeldBack:
                continue
            except TurnedAway:
                break
        return work(rows, True)

    def _batch(self, rows: Sequence[Row], singly: bool) -> None:
        if self.dry_run:
            planned = self._tried(rows, singly)
            with self._session(write=True) as session:
                state.save_batch(session, self.id, self._task(session), planned, self.position, keep=False)
        else:
            with self._session(write=True) as session:
                planned = self._planner(session).plan(session, rows)
                land(session, self._planner(session), planned, singly=singly)
                state.save_batch(session, self.id, self._task(session), planned, self.position)
        self.position = rows[-1][0]
        self._report()

    def _tried(self, rows: Sequence[Row], singly: bool) -> list[RowPlan]:
        """The same work as in earnest, taken back at the end."""
        try:
            with self._session(write=True) as session:
                planner = self._planner(session)
                planned = planner.plan(session, rows)
                land(session, self._planner(session), planned, singly=singly)
                planner.would_create(planned)
                raise _TakenBack
        except _TakenBack:
            return planned

    def _retry(self) -> bool:
        """The rows refused before, once more."""
        after = 0
        while True:
            with self._session() as session:
                refused = (row for row, _ in state.all_refused(session, self.id, after))
                rows = next(batches(refused, BATCH, self._planner(session)), [])
            if not rows:
                return False
            if self.stop():
                return True
            for part in self._parts(rows):
                self._patiently(lambda batch=part: self._together(self._again, batch))  # type: ignore[misc]
            after = rows[-1][0]

    def _again(self, rows: Sequence[Row], singly: bool) -> None:
        with self._session(write=True) as session:
            planned = self._planner(session).plan(session, rows)
            land(session, self._planner(session), planned, singly=singly)
            state.save_retry(session, self.id, self._task(session), planned)
        self._report()

    def _keep_rejects(self) -> None:
        with self._session(write=True) as session:
            file_id = write_rejects(session, self.id, self.row, self.settings)
            state.set_job(session, self.id, rejects=file_id)

    # --- helpers -------------------------------------------------------------------------------------------------

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[Session]:
        opened = self.site.session(self.row["owner"], write=write, channel="import", language=self.language)
        with opened as session, roomy(session.connection) if write else nullcontext():
            yield session

    def _planner(self, session: Session) -> Planner:
        """The planner on the version that the session has pinned; what it remembers of the file is kept."""
        if self.planner is None:
            self.planner = planner_of(self._task(session), dry_run=self.dry_run)
        elif session.version != self.version:
            self.planner.renew(self._task(session))
        self.version = session.version
        return self.planner

    def _task(self, session: Session) -> Task:
        entity = session.app.entities.get(self.row["target"])
        if entity is None:
            raise NotFound()
        headers = self.settings["headers"]
        hidden = hidden_paths(Access(session), entity)
        columns = settled(session.app, entity, headers, self.settings["paths"], hidden)
        return Task(
            app=session.app,
            entity=entity,
            columns=columns,
            width=len(headers),
            match=tuple(key for key in self.settings["match"] if "." not in key),
            within=_within(self.settings["match"]),
            clear=self.settings["clear"],
            mode=self.settings.get("mode", "both"),
            values=self.settings.get("values", {}),
        )

    def _patiently(self, work: Callable[[], None]) -> None:
        for pause in PATIENCE:
            try:
                return work()
            except Busy:
                time.sleep(pause)
        return work()

    def _report(self) -> None:
        if self.progress is not None:
            with self.site.session() as session:
                self.progress(state.status(session, self.id))

    def _set(self, **values: Any) -> Status:
        with self.site.session(write=True) as session:
            state.set_job(session, self.id, **values)
            return state.status(session, self.id)


def _within(match: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The keys of related records by the field that relates them."""
    found: dict[str, tuple[str, ...]] = {}
    for name, dot, inner in (key.partition(".") for key in match):
        if dot:
            found[name] = (*found.get(name, ()), inner)
    return found


class _TakenBack(Exception):  # noqa: N818 - no error: the way out of a transaction that must leave nothing
    pass
