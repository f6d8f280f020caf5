"""Reports: parameters, figures by groups with totals, each row leading to the records behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from metadata.model import Parameter
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, Refused
from runtime.messages import say_answer, say_problem
from runtime.query.titles import titles_of
from runtime.reports.periods import NAMES
from runtime.reports.result import Cell, Heading, ReportResult
from runtime.reports.run import run
from runtime.views.binder import Binder
from web.i18n import _
from web.state import reading
from web.widgets import badge

blueprint = Blueprint("reports", __name__)
NUMERIC = frozenset({"integer", "decimal", "money", "percent"})


@blueprint.get("/reports/<name>")
def show(name: str) -> Response:
    """The report with the parameters of the address; a parameter that cannot be read is told at its place."""
    session = reading()
    binder = Binder(session)
    given = {k: v for k, v in request.args.items() if v != ""}
    problem, status = "", 200
    result: ReportResult | None = None
    try:
        result = run(session, name, given)
    except (BadQuery, Refused) as error:
        problem, status = _told(error, session.language), error.status
    report = session.app.reports[name]
    values = {
        "report": report,
        "label": report.label.of(session.language),
        "result": result,
        "rows": _rows(binder, result) if result else [],
        "total": _whole(result) if result else None,
        "numeric": lambda heading: heading.type.kind in NUMERIC and heading.role != "group",
        "parameters": [_parameter(binder, p, given) for p in report.parameters],
        "problem": problem,
        "bars": _bars(result) if result else {},
    }
    return make_response(render_template("reports/page.html", **values), status)


def _told(error: Answer, language: str) -> str:
    return " ".join(say_problem(p, language) for p in error.problems) or say_answer(error, language)


def _parameter(binder: Binder, parameter: Parameter, given: dict[str, str]) -> dict[str, Any]:
    """One parameter as the page asks for it. A period is asked for by its name or by two days."""
    kind = parameter.field_type
    choices = [(c.name, c.label) for c in binder.choices(parameter.options)] if parameter.options else []
    now = given.get(parameter.name, "")
    if kind == "date_range":
        choices = [(period, _period(period)) for period in NAMES]
        if not now and isinstance(parameter.default, str):
            now = parameter.default
    return {
        "name": parameter.name,
        "label": parameter.label.of(binder.language),
        "kind": kind,
        "to": "user" if kind == "user" else parameter.to,
        "title": _title(binder, "user" if kind == "user" else parameter.to, now),
        "choices": choices,
        "now": now,
        "optional": parameter.optional,
    }


def _title(binder: Binder, entity: str | None, now: str) -> str:
    number = number_in(now)
    if entity is None or number is None:
        return ""
    return titles_of(binder.session, entity, [number]).get(number, "")


def _period(name: str) -> str:
    texts = {
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "tomorrow": _("Tomorrow"),
        "this_week": _("This week"),
        "last_week": _("Last week"),
        "next_week": _("Next week"),
        "this_month": _("This month"),
        "last_month": _("Last month"),
        "next_month": _("Next month"),
        "this_quarter": _("This quarter"),
        "last_quarter": _("Last quarter"),
        "next_quarter": _("Next quarter"),
        "this_year": _("This year"),
        "last_year": _("Last year"),
        "next_year": _("Next year"),
    }
    return str(texts.get(name, name))


def _rows(binder: Binder, result: ReportResult) -> list[dict[str, Any]]:
    """The rows as texts; a group said in the row above is not said again; choices wear their colours."""
    shown = []
    before: list[Any] = []
    tones = {h.name: _tones(binder, h) for h in result.columns}
    for row in result.rows:
        key = [row.values.get(h.name) for h in result.groups]
        cells = []
        for number, heading in enumerate(result.columns):
            repeated = heading.role == "group" and number < len(key) - 1 and before[: number + 1] == key[: number + 1]
            text = "" if repeated else result.text(heading, row) or ("—" if heading.role == "group" else "")
            tone = tones[heading.name].get(row.values.get(heading.name))
            cells.append(badge(text, tone) if tone and text else text)
        shown.append({"cells": cells, "address": _drill(result, row)})
        before = key
    return shown


def _tones(binder: Binder, heading: Heading) -> dict[Any, str]:
    if heading.field is None or not heading.field.options:
        return {}
    return {c.name: c.tone for c in binder.choices(heading.field.options) if c.tone}


def _drill(result: ReportResult, row: Cell) -> str | None:
    entity = result.drill_entity or result.entity
    return None if row.drill is None else url_for("lists.show", entity=entity, where=row.drill)


def _whole(result: ReportResult) -> list[str] | None:
    """The total of everything, by column."""
    whole = next((t for t in result.totals if t.level == 0), None)
    if whole is None or not result.groups:
        return None
    return [result.text(h, whole) if h.role == "measure" else "" for h in result.columns]


def _bars(result: ReportResult) -> dict[str, list[int]]:
    """For the measure the chart shows: each row's share of the greatest, in percent."""
    chart = result.report.chart
    wanted = str(chart.get("y", "")) if chart else ""
    heading = next((h for h in result.measures if h.name == wanted), None)
    if heading is None or heading.type.kind not in NUMERIC:
        return {}
    values = [row.values.get(heading.name) or 0 for row in result.rows]
    most = max((abs(v) for v in values), default=0)
    return {heading.name: [int(abs(v) * 100 / most) if most else 0 for v in values]}
