"""A file as a table: rows of cells, numbered as a spreadsheet does, read as often as needed without keeping them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import Answer

MOST_COLUMNS = 500
Row = tuple[int, list[Any]]  # number in the file, counted from 1; cells


class Unreadable(Answer):
    """422: a file that is no table, or one that is not safe to read."""

    status, code = 422, "import.not_a_table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table of a file. `rows()` starts from the top each time; `total` counts all rows where that is known.

    `below(row)` counts the rows below one that hold anything, where the file can do so faster than by reading them.
    """

    kind: str  # csv, xlsx
    rows: Callable[[], Iterator[Row]]
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    total: int | None = None
    below: Callable[[int], int] | None = None


def open_source(
    path: Path, name: str, *, sheet: str | None = None, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """The table in the file at `path`, which people know as `name`. Raises `Unreadable`."""
    from runtime.exchange.csv_source import open_csv
    from runtime.exchange.xlsx_source import open_xlsx

    with path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(b"PK"):
        return open_xlsx(path, name, sheet)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\x1f\x8b", b"Rar!", b"7z")):
        raise Unreadable(name=name)
    return open_csv(path, name, encoding, delimiter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The row that names the columns."""

    row: int
    names: tuple[str, ...]


def find_header(source: Source, fits: Callable[[str], bool]) -> Header:
    """The header among the first rows: the one most of whose cells fit, else the first with content.

    Sheets made by people begin with a title or a remark. Raises `Unreadable` for a file without any content.
    """
    candidates = [row for row, _ in zip(_filled(source), range(10))]
    if not candidates:
        raise Unreadable("import.empty")
    number, cells = max(candidates, key=lambda row: (sum(fits(text_of(c)) for c in row[1]), -row[0]))
    return _header(number, cells)


def header_at(source: Source, number: int) -> Header:
    """The header in the row a person chose. Raises `Unreadable` where that row holds nothing."""
    for row, cells in source.rows():
        if row == number and not blank(cells):
            return _header(row, cells)
        if row >= number:
            break
    raise Unreadable("import.no_header", row=number)


def top_rows(source: Source, count: int = 10) -> list[Row]:
    """The first rows that hold anything: what a person chooses the header from."""
    return [row for row, _ in zip(_filled(source), range(count))]


def _header(number: int, cells: Sequence[Any]) -> Header:
    names = [text_of(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise Unreadable("import.too_many_columns", max=MOST_COLUMNS)
    return Header(row=number, names=tuple(names))


def _filled(source: Source) -> Iterator[Row]:
    return (row for row in source.rows() if not blank(row[1]))


def data_rows(source: Source, header: Header) -> Iterator[Row]:
    """The rows below the header that hold anything."""
    above = header.row
    for row in source.rows():
        if row[0] > above:
            first = row[1][0] if row[1] else None
            # most rows end here, and there may be hundreds of thousands
            if (type(first) is str and first and not first.isspace()) or not blank(row[1]):
                yield row


def count_rows(source: Source, header: Header) -> int:
    """How many rows below the header hold anything; reads the whole file. Raises `Unreadable` for a broken one."""
    return source.below(header.row) if source.below is not None else sum(1 for _ in data_rows(source, header))


def blank(cells: Sequence[Any]) -> bool:
    for cell in cells:  # a loop: most rows end at the first cell
        if cell is not None and not (isinstance(cell, str) and (not cell or cell.isspace())):
            return False
    return True


def text_of(cell: Any) -> str:
    """A cell as people see it in a header or a list of rejected rows."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return " ".join(str(cell).split())[:1000]
