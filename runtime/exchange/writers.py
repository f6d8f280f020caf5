"""Tables to files: CSV, XLSX and JSON, row by row."""

from __future__ import annotations

import csv
import datetime as clock
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from runtime.errors import Refused
from runtime.exchange.neutral import neutralised

MOST_XLSX_ROWS = 1_048_575
_EXACT_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table to write: cells are None, text, bool, int, Decimal, date or naive datetime.

    `exact` says that numbers a spreadsheet would round are text already.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Any]]
    exact: bool = False
    dates: frozenset[int] = frozenset()  # indexes of columns of dates
    moments: frozenset[int] = frozenset()  # indexes of columns of datetimes


def write_csv(sheet: Sheet, path: Path, *, bom: bool = True) -> None:
    """UTF-8 with the mark Excel needs; text that would start a formula is neutralised."""
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([neutralised(name) for name in sheet.columns])
        writer.writerows([_csv_cell(cell) for cell in row] for row in sheet.rows)


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return neutralised(cell)
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, clock.datetime):
        return cell.isoformat(" ", "milliseconds" if cell.microsecond else "seconds")
    return cell


def write_xlsx(sheet: Sheet, path: Path) -> None:
    """Numbers as numbers, dates as dates, all text as text: nothing typed by a person can be a formula."""
    import rustpy_xlsxwriter  # late: for whoever exports
    from rustpy_xlsxwriter import Format

    names = _distinct(sheet.columns)
    formats = {names[i]: Format().set_num_format("yyyy-mm-dd") for i in sheet.dates}
    formats |= {names[i]: Format().set_num_format("yyyy-mm-dd hh:mm:ss") for i in sheet.moments}
    records = _records(sheet, names)
    first = next(records, None)
    rustpy_xlsxwriter.write_worksheet(
        _chained(dict.fromkeys(names) if first is None else first, records),
        str(path),
        sheet_name=_sheet_name(sheet.name),
        column_formats=formats or None,
        bold_headers=True,
        freeze_row=1,
    )


def _records(sheet: Sheet, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    if sheet.exact:
        return (dict(zip(names, row)) for row in sheet.rows)
    return ({name: _xlsx_cell(cell) for name, cell in zip(names, row)} for row in sheet.rows)


def _chained(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _xlsx_cell(cell: Any) -> Any:
    """A cell that the writer keeps exactly: long numbers become text."""
    if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) >= 10**_EXACT_DIGITS:
        return str(cell)
    if isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _EXACT_DIGITS:
        return f"{cell:f}"
    return cell


def _distinct(names: Sequence[str]) -> list[str]:
    """Column names as keys: a repeated one gets blanks behind it."""
    found: dict[str, None] = {}
    for name in names:
        while name in found:
            name += " "
        found[name] = None
    return list(found)


def _sheet_name(name: str) -> str:
    """A name Excel takes: at most 31 characters, none of `[]:*?/\\`."""
    cleaned = "".join("_" if c in "[]:*?/\\'" else c for c in name)[:31].strip()
    return cleaned or "Sheet1"


def write_json(sheet: Sheet, path: Path) -> None:
    """An array of objects, one a line."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for number, row in enumerate(sheet.rows):
            record = dict(zip(sheet.columns, row))
            stream.write(",\n" if number else "\n")
            stream.write(json.dumps(record, ensure_ascii=False, default=str))
        stream.write("\n]\n")


WRITERS: Mapping[str, Callable[[Sheet, Path], None]] = {"csv": write_csv, "xlsx": write_xlsx, "json": write_json}


def writer_of(kind: str) -> Callable[[Sheet, Path], None]:
    """The writer of a format. Raises `Refused` for one there is not."""
    if kind not in WRITERS:
        raise Refused("export.unknown_format", format=kind)
    return WRITERS[kind]
