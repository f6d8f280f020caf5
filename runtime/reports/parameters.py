"""Parameters of a report: what was given (text, JSON) as values, defaults for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from metadata.fields import field_type
from metadata.fields.base import Rejection
from metadata.frozen import FrozenMap
from metadata.model import Field, Origin, Parameter, Report, Text
from rules.evaluate import evaluate
from rules.expression import Expression
from runtime.errors import BadQuery, RecordProblem, Refused
from runtime.records.input import coercion
from runtime.reports.periods import read_period

if TYPE_CHECKING:
    from runtime.site import Session

_NOWHERE = Origin(layer="", file="", line=0)


def read_parameters(session: Session, report: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name. An optional parameter that is not given is absent: its conditions fall away.

    Raises `BadQuery` for a name the report does not have, `Refused` with each value that cannot be used.
    """
    known = {p.name: p for p in report.parameters}
    if unknown := sorted(set(given) - set(known)):
        raise BadQuery("report.unknown_parameter", name=unknown[0][:80])
    values: dict[str, Any] = {}
    problems: list[RecordProblem] = []
    for p in report.parameters:
        try:
            value = _value(session, p, given.get(p.name))
        except (Rejection, ValueError):
            problems.append(RecordProblem(code="report.bad_parameter", field=p.name, params={"name": p.name}))
            continue
        if value is not None:
            values[p.name] = value
        elif not p.optional:
            problems.append(RecordProblem(code="report.missing_parameter", field=p.name, params={"name": p.name}))
    if problems:
        raise Refused(problems=problems)
    return values


def _value(session: Session, parameter: Parameter, raw: Any) -> Any:
    if raw is None or raw == "":
        return default_of(session, parameter)
    if parameter.type.kind == "date_range":
        return _period(raw, session.today)
    return field_type(parameter.field_type).coerce(raw, as_field(parameter), coercion(session))


def default_of(session: Session, parameter: Parameter) -> Any:
    """The default as a value; None where there is none."""
    default = parameter.default
    if default is None:
        return None
    if isinstance(default, Expression):
        return evaluate(default, None, session.environment())
    if parameter.type.kind == "date_range":
        return _period(default, session.today)
    return field_type(parameter.field_type).coerce(default, as_field(parameter), coercion(session))


def _period(raw: Any, today: date) -> Any:
    if isinstance(raw, Mapping):
        if set(raw) - {"from", "to"} or not all(isinstance(v, str | None) for v in raw.values()):
            raise ValueError(raw)
        raw = f"{raw.get('from') or ''}..{raw.get('to') or ''}"
    if not isinstance(raw, str):
        raise ValueError(raw)
    return read_period(raw, today)


def as_field(parameter: Parameter) -> Field:
    """The parameter as a field, for its type's own reading and widget."""
    return Field(
        name=parameter.name,
        type=parameter.field_type,
        label=parameter.label if isinstance(parameter.label, Text) else Text(values=FrozenMap()),
        storage=field_type(parameter.field_type).storage,
        value_type=parameter.type,
        required=not parameter.optional,
        options=parameter.options,
        to=parameter.to,
        scale=parameter.type.scale,
        digits=parameter.type.digits or 18,
        origin=_NOWHERE,
    )
