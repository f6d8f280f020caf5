"""Running a report: parameters, rights, one grouped statement, totals, order, where each row leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metadata.fields.base import Coercion
from metadata.model import Column, Measure, Report
from rules.expression import Expression
from runtime.errors import Forbidden, NotFound
from runtime.query.aggregate import Dimension, Grouped, run_grouped
from runtime.query.pinyin import sort_key
from runtime.query.select import Query, resolve
from runtime.query.select import run as run_query
from runtime.query.titles import titles_of
from runtime.records.input import coercion
from runtime.reports.drill import drill_of, plain_where
from runtime.reports.leaves import Taken, combine, finish, take_apart
from runtime.reports.parameters import read_parameters
from runtime.reports.result import Cell, Heading, ReportResult
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST_ROWS = 5000


def run(session: Session, name: str, given: Mapping[str, Any] | None = None) -> ReportResult:
    """Runs the report as the session's user may see it.

    Raises `NotFound` for an unknown report or an entity one may not report on, `Forbidden` where its condition or a
    group reads a hidden field, `BadQuery` and `Refused` for parameters. A measure that reads a hidden
    field is left out.
    """
    report = session.app.reports.get(name)
    access = Access(session)
    if report is None or not (access.can(report.entity, "read") and access.can(report.entity, "report")):
        raise NotFound("report.unknown", name=name[:80])
    values = read_parameters(session, report, given or {})
    if report.where is not None and not _readable(access, report.where):
        raise Forbidden
    if report.measures:
        return _grouped(session, access, report, values)
    return _listed(session, access, report, values)


def _readable(access: Access, expression: Expression) -> bool:
    """Whether the user may see every field the expression reads."""
    return all(access.visible(entity, member) for entity, member in expression.reads)


# --- figures by groups -------------------------------------------------------------------------------------------


def _grouped(session: Session, access: Access, report: Report, values: dict[str, Any]) -> ReportResult:
    measures = _visible_measures(access, report.measures)
    for group in report.groups:
        if not _path_visible(session, access, report.entity, group.path):
            raise Forbidden
    if not measures:
        raise Forbidden
    taken = _taken(session, report, measures)
    asked = Grouped(
        entity=report.entity,
        dimensions=tuple(Dimension(path=g.path, bucket=g.bucket) for g in report.groups),
        figures=taken.leaves,
        where=(report.where,) if report.where else (),
        parameters=values,
    )
    found = run_grouped(session, asked)
    headings = _headings(session, report, measures, found.fields)
    environment = session.environment(parameters=values)
    titles = _group_titles(session, found.keys, headings)
    where = plain_where(session.app, report, values)
    rows = []
    for key, figures in zip(found.keys, found.figures):
        named = {g.name: value for g, value in zip(report.groups, key)}
        shown = {g.name: t for g, value, of in zip(report.groups, key, titles) if (t := of.get(value)) is not None}
        drill = drill_of(session, report, where, list(zip(report.groups, key)))
        rows.append(Cell(values=named | finish(taken, figures, environment), titles=shown, drill=drill, level=len(key)))
    order = _order(session, report, headings)
    rows.sort(key=order)
    for sort in reversed(report.sort):
        rows.sort(key=_sort_key(session, headings, ".".join(sort.path)), reverse=sort.descending)
    totals = _totals(session, report, taken, asked, found.keys, found.figures, found.cut, values)
    totals.sort(key=lambda t: (t.level, *order(t)))
    return ReportResult(
        report=report,
        columns=headings,
        rows=rows[: report.limit],
        totals=totals,
        parameters=values,
        entity=report.entity,
        drill_entity=report.drill,
        cut=found.cut or len(rows) > report.limit,
        context=_lasting(session),
    )


def _visible_measures(access: Access, measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Measures that read nothing hidden, also not by way of earlier ones."""
    from rules.tree import Measure as Earlier

    kept: dict[str, Measure] = {}
    for measure in measures:
        earlier = {n.name for n in measure.expression.tree.walk() if isinstance(n, Earlier)}
        if _readable(access, measure.expression) and earlier <= set(kept):
            kept[measure.name] = measure
    return tuple(kept.values())


def _path_visible(session: Session, access: Access, entity: str, path: tuple[str, ...]) -> bool:
    here: str | None = entity
    for name in path:
        member = session.app.entities[here].fields.get(name) if here else None
        if member is None or here is None or not access.visible(here, name):
            return False
        if here != entity and not access.can(here, "read"):
            return False
        here = member.value_type.entity
    return True


def _taken(session: Session, report: Report, measures: tuple[Measure, ...]) -> Taken:
    memo = session.tables.memo
    key = ("report leaves", report.name, tuple(m.name for m in measures))
    if key not in memo:
        memo[key] = take_apart(measures)
    taken: Taken = memo[key]
    return taken


def _headings(
    session: Session, report: Report, measures: Iterable[Measure], fields: Sequence[Any]
) -> tuple[Heading, ...]:
    language = session.language
    groups = [
        Heading(
            name=g.name,
            label=g.label.of(language),
            role="group",
            type=f.value_type,
            field=f,
            bucket=g.bucket,
        )
        for g, f in zip(report.groups, fields)
    ]
    figures = [
        Heading(name=m.name, label=m.label.of(language), role="measure", type=m.expression.type, format=m.format)
        for m in measures
    ]
    return (*groups, *figures)


def _group_titles(
    session: Session, keys: Sequence[tuple[Any, ...]], headings: Sequence[Heading]
) -> list[dict[Any, str]]:
    """Per group: the title of each linked record found."""
    found: list[dict[Any, str]] = []
    for n, heading in enumerate(h for h in headings if h.role == "group"):
        target = heading.field.to or heading.type.entity if heading.field and heading.type.kind == "record" else None
        ids = sorted({key[n] for key in keys if key[n] is not None}) if target else []
        found.append(dict(titles_of(session, target, ids)) if target else {})
    return found


def _totals(
    session: Session,
    report: Report,
    taken: Taken,
    asked: Grouped,
    keys: Sequence[tuple[Any, ...]],
    figures: Sequence[tuple[Any, ...]],
    cut: bool,
    values: Mapping[str, Any],
) -> list[Cell]:
    """The totals above the finest groups; the whole alone where there are too many groups to have them all."""
    environment = session.environment(parameters=dict(values))
    where = plain_where(session.app, report, values)
    if cut:
        whole = run_grouped(session, Grouped(**{**_asked(asked), "dimensions": ()}))
        return [Cell(values=finish(taken, whole.figures[0], environment), drill=drill_of(session, report, where, []))]
    cells = []
    for level in range(len(report.groups)):
        parts: dict[tuple[Any, ...], list[Sequence[Any]]] = {} if level else {(): []}
        for key, leaves in zip(keys, figures):
            parts.setdefault(key[:level], []).append(leaves)
        for prefix, members in parts.items():
            together = combine(taken.leaves, members)
            named = {g.name: value for g, value in zip(report.groups, prefix)}
            drill = drill_of(session, report, where, list(zip(report.groups, prefix)))
            cells.append(Cell(values=named | finish(taken, together, environment), drill=drill, level=level))
    return cells


def _asked(asked: Grouped) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("entity", "dimensions", "figures", "where", "parameters", "limit")}


def _lasting(session: Session) -> Coercion:
    """The context of the values, fit to outlive the session: it asks the database nothing."""
    context = coercion(session)
    scales = {context.currency: context.scale_of_currency(context.currency)}
    return replace(context, scale_of_currency=lambda code: scales.get(code, 2), resolve=None)


# --- order -------------------------------------------------------------------------------------------------------


def _order(session: Session, report: Report, headings: Sequence[Heading]) -> Any:
    """By the groups as they are declared: choices in their order, text by pinyin, dates by time, nothing first."""
    keys = [_sort_key(session, headings, g.name) for g in report.groups]
    return lambda row: tuple(key(row) for key in keys)


def _sort_key(session: Session, headings: Sequence[Heading], name: str) -> Any:
    heading = next((h for h in headings if h.name == name), None)
    if heading is None:  # a measure that was left out
        return lambda _row: 0
    choices: dict[str, int] = {}
    if heading.field is not None and heading.field.options in session.app.options:
        listed = session.app.options[heading.field.options or ""].choices
        choices = {c.name: n for n, c in enumerate(listed)}

    def key(row: Cell) -> tuple[int, Any]:
        value = row.titles.get(name, row.values.get(name))
        if value is None:
            return (0, 0)
        if choices:
            return (1, choices.get(value, len(choices)))
        if isinstance(value, str):
            return (1, sort_key(value) or value)
        return (1, value) if heading.type.kind != "record" else (1, str(value))

    return key


# --- lists -------------------------------------------------------------------------------------------------------


def _listed(session: Session, access: Access, report: Report, values: dict[str, Any]) -> ReportResult:
    columns = [c for c in report.columns if _path_visible(session, access, report.entity, c.path)]
    if not columns:
        raise Forbidden
    query = Query(
        entity=report.entity,
        select=tuple(c.key for c in columns),
        where=(report.where,) if report.where else (),
        sort=tuple(s for s in report.sort if _path_visible(session, access, report.entity, s.path)),
        limit=min(report.limit, MOST_ROWS),
        operation="report",
        parameters=values,
    )
    page = run_query(session, query)
    headings = tuple(_column(session, access, report.entity, c) for c in columns)
    rows = [
        Cell(
            values=r.values,
            titles={k: t for k, t in r.titles.items() if t is not None},
            drill=f"id == {r.id}",
        )
        for r in page.rows
    ]
    return ReportResult(
        report=report,
        columns=headings,
        rows=rows,
        totals=[],
        parameters=values,
        entity=report.entity,
        drill_entity=report.drill,
        cut=page.next is not None,
        context=_lasting(session),
    )


def _column(session: Session, access: Access, entity: str, column: Column) -> Heading:
    member = resolve(session, access, entity, column.path)[-1][1]
    label = (column.label or member.label).of(session.language)
    return Heading(name=column.key, label=label, role="column", type=member.value_type, field=member)
