"""The answer of a report: typed values with titles, totals of every level, and where each row leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from metadata.fields import field_type
from metadata.fields.base import Coercion
from metadata.model import Field, Report
from rules.typing import Type

Role = Literal["group", "measure", "column"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column. `field` is that of a group or column; `bucket` that of a group of dates."""

    name: str
    label: str
    role: Role
    type: Type
    field: Field | None = None
    bucket: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A row: `values` by column, `titles` of links; `drill` is the expression for the records behind it.

    In `ReportResult.totals` only the first `level` groups have values: level 0 is the whole.
    """

    values: Mapping[str, Any]
    titles: Mapping[str, Any] = field(default_factory=dict)
    drill: str | None = None
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """`cut`: there is more than `rows`; the totals count everything nevertheless."""

    report: Report
    columns: tuple[Heading, ...]
    rows: list[Cell]
    totals: list[Cell]
    parameters: Mapping[str, Any]
    entity: str
    drill_entity: str | None
    cut: bool
    context: Coercion

    @property
    def groups(self) -> tuple[Heading, ...]:
        return tuple(c for c in self.columns if c.role == "group")

    @property
    def measures(self) -> tuple[Heading, ...]:
        return tuple(c for c in self.columns if c.role == "measure")

    def headings(self) -> list[str]:
        return [c.label for c in self.columns]

    def text(self, heading: Heading, row: Cell) -> str:
        """A value for people."""
        value = row.values.get(heading.name)
        title = row.titles.get(heading.name)
        if title is not None:
            return str(title)
        if value is None:
            return ""
        if heading.bucket is not None:
            return bucket_text(value, heading.bucket)
        if heading.field is not None:
            return field_type(heading.field.type).to_text(value, heading.field, self.context)
        return _measure_text(value, heading, self.context)

    def text_rows(self) -> list[list[str]]:
        """Rows, then the total of the whole, for a terminal."""
        rows = [[self.text(c, row) for c in self.columns] for row in self.rows]
        whole = [t for t in self.totals if t.level == 0]
        if whole and self.groups and rows:
            rows.append([self.text(c, whole[0]) if c.role == "measure" else "" for c in self.columns])
            rows[-1][0] = {"zh": "合计", "en": "Total"}.get(self.context.language, "Total")
        return rows

    def cell(self, heading: Heading, row: Cell) -> Any:
        """A value for a spreadsheet: numbers and dates stay themselves."""
        value = row.values.get(heading.name)
        title = row.titles.get(heading.name)
        if title is not None:
            return title
        if heading.bucket is not None:
            return value
        if heading.field is not None:
            return field_type(heading.field.type).to_cell(value, heading.field, self.context)
        return value

    def json(self, heading: Heading, row: Cell) -> Any:
        value = row.values.get(heading.name)
        if value is None:
            return None
        if heading.field is not None and heading.field.storage == "link" and heading.bucket is None:
            return {"id": str(value), "title": row.titles.get(heading.name)}
        if heading.bucket is not None or heading.field is None:
            return measure_json(value, heading, self.context)
        return field_type(heading.field.type).to_json(value, heading.field, self.context)

    def as_data(self) -> dict[str, Any]:
        """The whole as JSON values."""
        return {
            "report": self.report.name,
            "label": self.report.label.of(self.context.language),
            "columns": [
                {"name": c.name, "label": c.label, "role": c.role, "type": c.type.kind, "bucket": c.bucket}
                for c in self.columns
            ],
            "rows": [self._row(row) for row in self.rows],
            "totals": [{**self._row(t), "level": t.level} for t in self.totals],
            "parameters": {name: _plain(value) for name, value in self.parameters.items()},
            "entity": self.drill_entity or self.entity,
            "cut": self.cut,
        }

    def _row(self, row: Cell) -> dict[str, Any]:
        return {
            "values": {c.name: self.json(c, row) for c in self.columns if c.name in row.values},
            "drill": row.drill,
        }


def bucket_text(value: Any, bucket: str) -> str:
    """`2026-03`, `2026-Q1`, `2026`, or the first day of a week."""
    if bucket == "month":
        return f"{value:%Y-%m}"
    if bucket == "quarter":
        return f"{value.year}-Q{(value.month + 2) // 3}"
    return f"{value.year}" if bucket == "year" else value.isoformat()


def measure_json(value: Any, heading: Heading, context: Coercion) -> Any:
    """Exact numbers as text, money with its currency (the site's: figures over many records are in it)."""
    if heading.type.kind == "money":
        return field_type("money").to_json(value, _field_of(heading), context)
    return _plain(value)


def _measure_text(value: Any, heading: Heading, context: Coercion) -> str:
    kind = heading.type.kind
    if kind in ("money", "percent", "decimal", "integer", "boolean", "date", "datetime"):
        stand_in = _STAND_INS.get(kind)
        if stand_in is not None:
            return field_type(kind).to_text(value, stand_in(heading), context)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return f"{value:f}"


def _field_of(heading: Heading) -> Field:
    from metadata.frozen import FrozenMap
    from metadata.model import Origin, Text

    kind = heading.type.kind
    return Field(
        name=heading.name,
        type=kind,
        label=Text(values=FrozenMap()),
        storage=field_type(kind).storage,
        value_type=heading.type,
        scale=heading.type.scale,
        digits=heading.type.digits or 18,
        origin=Origin(layer="", file="", line=0),
    )


_STAND_INS = dict.fromkeys(("money", "percent", "decimal", "integer", "boolean", "date", "datetime"), _field_of)
