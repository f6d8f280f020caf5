"""Records in and out by the command line: import, export, query, report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from metadata.fields import field_type
from metadata.model import Sort
from rules.expression import Expression
from runtime.commands.people import user_id
from runtime.errors import BadQuery
from runtime.exchange.exports import default_columns, export
from runtime.exchange.imports import Request, import_file
from runtime.exchange.state import Status
from runtime.exchange.writers import Sheet, writer_of
from runtime.files.attachments import open_file
from runtime.query.select import LONGEST_PAGE, Query, Row, parse_sort, parse_where, run
from runtime.records.input import coercion
from runtime.reports import ReportResult
from runtime.reports import run as run_report
from runtime.site import Session, Site

Progress = Callable[[int, int | None], None]


def run_import(
    site: Site,
    entity: str,
    file: Path,
    *,
    mapping: Path | None = None,
    match: str | None = None,
    dry_run: bool = False,
    login: str | None = None,
    language: str | None = None,
    progress: Progress | None = None,
) -> Status:
    """Imports a file, or goes on with it; what became of its rows."""
    request = Request(mapping=_mapping(mapping), match=_parts(match), dry_run=dry_run)
    with site.session() as session:
        person = user_id(session, login) if login else None
    told = None if progress is None else lambda status: progress(status.done, status.total)
    return import_file(
        site, entity, file, user_id=person, name=file.name, request=request, progress=told, language=language
    )


def _mapping(file: Path | None) -> dict[str, str | None] | None:
    if file is None:
        return None
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadQuery("import.bad_map", file=file) from error
    if not isinstance(found, dict) or not all(isinstance(v, str | None) for v in found.values()):
        raise BadQuery("import.bad_map", file=file)
    return {str(k): v for k, v in found.items()}


def save_rejects(site: Site, status: Status, target: Path) -> Path | None:
    """Copies the file of refused rows to `target`; None where there is none."""
    if status.rejects is None:
        return None
    with site.session() as session:
        found = open_file(session, status.rejects)
        target = target.with_suffix(Path(found.name).suffix)
        with found.stream as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    return target


def export_file(
    site: Site,
    entity: str,
    file: Path,
    kind: str,
    *,
    where: str | None = None,
    select: str | None = None,
    sort: str | None = None,
    login: str | None = None,
    language: str | None = None,
) -> int:
    """Writes records to a file; how many. The file appears whole or not at all."""
    with _session(site, login, language) as session:
        part = file.with_name(f".{file.name}.part")
        try:
            count = export(
                session,
                entity,
                part,
                kind,
                columns=_parts(select) or None,
                where=_where(session, entity, where),
                sort=_sort(session, entity, sort),
            )
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return count


@dataclass(frozen=True, slots=True)
class Found:
    """`rows` as text for people, `records` as JSON values."""

    headings: list[str]
    rows: list[list[str]]
    records: list[dict[str, Any]]


def query(
    site: Site,
    entity: str,
    *,
    where: str | None = None,
    select: str | None = None,
    sort: str | None = None,
    limit: int = 50,
    words: str | None = None,
    login: str | None = None,
    language: str | None = None,
) -> Found:
    """The records asked for, by the columns of their list where none are named."""
    with _session(site, login, language) as session:
        paths = _parts(select) or _listed(session, entity)
        wanted = Query(
            entity=entity,
            select=paths,
            where=_where(session, entity, where),
            sort=_sort(session, entity, sort),
            limit=min(limit, LONGEST_PAGE),
            q=words,
        )
        page = run(session, wanted)
        context = coercion(session)
        headings = ["id", *(c.field.label.of(session.language) for c in page.columns)]
        order = [c.key for c in page.columns]

        def text(row: Row, number: int) -> str:
            info = page.columns[number]
            title = row.titles.get(info.key)
            if isinstance(title, str):
                return title
            return field_type(info.field.type).to_text(row.values.get(info.key), info.field, context)

        rows = [[str(row.id), *(text(row, n) for n in range(len(order)))] for row in page.rows]
        records = [_record(page.columns, row, context) for row in page.rows]
    return Found(headings, rows, records)


def _record(columns: Any, row: Row, context: Any) -> dict[str, Any]:
    record: dict[str, Any] = {"id": str(row.id)}
    for info in columns:
        value, title = row.values.get(info.key), row.titles.get(info.key)
        if info.field.storage == "link" and value is not None:
            record[info.key] = {"id": str(value), "title": title}
        else:
            record[info.key] = field_type(info.field.type).to_json(value, info.field, context)
    return record


def _listed(session: Session, entity: str) -> tuple[str, ...]:
    described = session.app.entities.get(entity)
    if described is None:
        return ()
    listed = session.app.lists.get(entity)
    if listed:
        return tuple(c.key for c in session.app.list_for(entity).columns)
    return default_columns(session, described)


def report(
    site: Site, name: str, given: Mapping[str, str], *, login: str | None = None, language: str | None = None
) -> ReportResult:
    with _session(site, login, language) as session:
        return run_report(session, name, given)


def write_report(answer: ReportResult, file: Path, kind: str) -> None:
    """The report as csv, xlsx or json."""
    days = {n for n, c in enumerate(answer.columns) if c.type.kind == "date" or c.bucket}
    rows = [[answer.cell(c, row) for c in answer.columns] for row in answer.rows]
    sheet = Sheet(name=answer.report.name, columns=tuple(answer.headings()), rows=rows, dates=frozenset(days))
    writer_of(kind)(sheet, file)


def _session(site: Site, login: str | None, language: str | None) -> AbstractContextManager[Session]:
    person = None
    if login is not None:
        with site.session() as session:
            person = user_id(session, login)
    return site.session(person, language=language, channel="command")


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _where(session: Session, entity: str, text: str | None) -> tuple[Expression, ...]:
    return (parse_where(session, entity, text),) if text and entity in session.app.entities else ()


def _sort(session: Session, entity: str, text: str | None) -> tuple[Sort, ...]:
    return parse_sort(session, entity, text) if text and entity in session.app.entities else ()
