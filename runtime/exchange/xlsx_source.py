"""XLSX through calamine, after a look at the archive: calamine keeps a sheet in memory as a full rectangle."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import python_calamine as calamine

from runtime.exchange.source import MOST_COLUMNS, Row, Source, Unreadable

MOST_ROWS = 200_000
MOST_CELLS = 4_000_000  # rows × columns of a sheet, about 130 MB in memory
MOST_BYTES = 400_000_000  # unpacked, all parts
MOST_PART = 300_000_000
MOST_RATIO = 150  # unpacked to packed, of parts above 5 MB
MOST_TEXT = 300_000_000  # bytes of shared texts, counted once for each cell that has them
_SHORT = 64  # bytes: texts that even in MOST_CELLS cells stay below MOST_TEXT
_LEAST_CELL = 20  # bytes of a sheet that a cell with a shared text takes at least
_CHUNK = 1 << 20
_OVERLAP = 200  # bytes kept between chunks, so that an attribute cut in two is seen
_USUAL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"([^>]*)>')  # as all spreadsheet programs write it
_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Za-z]+)([0-9]+)["'][^>]*(?<!/)>""")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_PLACED = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["'][A-Za-z]+[0-9]+["']""")
_LINE = re.compile(rb"""<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*["']([0-9]+)["'][^>]*(?<!/)>""")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["']""")
_SHARED_AT = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*([0-9]{1,9})""")
_TEXT_END = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si\s*/>")
_MEDIA = re.compile(r"\.(png|jpe?g|gif|emf|wmf|bin|vml|bmp|tiff?)$", re.IGNORECASE)
_ENTITY = re.compile(rb"<!\s*(doctype|entity)", re.IGNORECASE)


def open_xlsx(path: Path, name: str, sheet: str | None = None) -> Source:
    """One sheet of a workbook: the named one, else the first visible. Raises `Unreadable`."""
    inspect(path, name)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        visible = [m.name for m in book.sheets_metadata if _shows_cells(m)]
        if sheet is not None and sheet not in visible:
            raise Unreadable("import.no_sheet", name=sheet)
        if not visible:
            raise Unreadable("import.empty")
        chosen = sheet or visible[0]
        table = book.get_sheet_by_name(chosen)
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise Unreadable(name=name) from error
    if table.width > MOST_COLUMNS:
        raise Unreadable("import.too_many_columns", max=MOST_COLUMNS)
    if table.height > MOST_ROWS:
        raise Unreadable("import.too_many_rows", max=MOST_ROWS)
    return Source(
        kind="xlsx", rows=partial(_rows, table), sheets=tuple(visible), sheet=chosen, total=table.total_height
    )


def _shows_cells(facts: Any) -> bool:
    return facts.visible == calamine.SheetVisibleEnum.Visible and facts.typ == calamine.SheetTypeEnum.WorkSheet


def _rows(table: Any) -> Iterator[Row]:
    if table.start is None:
        return
    left = [None] * table.start[1]
    for number, cells in enumerate(table.iter_rows(), table.start[0] + 1):
        yield number, left + cells


def inspect(path: Path, name: str) -> None:
    """Reads every part once, as a stream, and refuses what would not stay small in memory.

    That is: bombs (size, ratio), entities and other encodings than UTF-8 in its XML, far cells, too many rows or
    columns. The sizes in the directory are not believed: the parts are unpacked and counted.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > 5000 or sum(p.file_size for p in parts) > MOST_BYTES:
                raise Unreadable("import.unsafe_archive")
            if not any(p.filename.startswith("xl/") for p in parts):
                raise Unreadable(name=name)
            for part in parts:
                _inspect_part(archive, part)
            _inspect_shared(archive, parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable(name=name) from error


def _inspect_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    large = part.file_size > 5_000_000
    if part.file_size > MOST_PART or (large and part.file_size > MOST_RATIO * max(part.compress_size, 1)):
        raise Unreadable("import.unsafe_archive")
    if _MEDIA.search(part.filename) or part.is_dir():
        return
    sheet = _Extent()
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            if not tail and chunk.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00", b"+/v")):
                raise Unreadable("import.unsafe_archive")
            window = tail + chunk
            if _ENTITY.search(window):
                raise Unreadable("import.unsafe_archive")
            sheet.see(window)
            tail = window[-_OVERLAP:]


def _inspect_shared(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuses a long text that very many cells share: calamine keeps a copy for each of them."""
    shared = [p for p in parts if p.filename.lower() == "xl/sharedstrings.xml"]
    sheets = [p for p in parts if p.filename.lower().endswith(".xml") and p not in shared]
    most_cells = sum(p.file_size for p in sheets) // _LEAST_CELL
    if sum(p.file_size for p in shared) * most_cells <= MOST_TEXT:
        return
    sizes = {number: size for p in shared for number, size in _long_texts(archive, p)}
    longest = max(sizes.values(), default=0)
    if longest * most_cells <= MOST_TEXT:
        return
    total = 0
    for part in sheets:
        for chunk in _chunks(archive, part):
            places = _SHARED_AT.findall(chunk)
            total += sum(sizes.get(int(place), 0) for place in places)
            total += max(0, len(_SHARED.findall(chunk)) - len(places) - 1) * longest  # written in some unusual way
            if total > MOST_TEXT:
                raise Unreadable("import.too_much_text", max=MOST_TEXT // 1_000_000)


def _long_texts(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[tuple[int, int]]:
    """Number and size of the shared texts that are not short."""
    number = size = 0
    with archive.open(part) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            if b"<!" in rest + chunk:  # a comment could hide where a text ends
                raise Unreadable("import.unsafe_archive")
            *texts, rest = _TEXT_END.split(rest + chunk)
            for text in texts:
                if size + len(text) > _SHORT:
                    yield number, size + len(text)
                number, size = number + 1, 0
            size, rest = size + max(0, len(rest) - _OVERLAP), rest[-_OVERLAP:]


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part in pieces that end with a cell, so that none is cut in two."""
    with archive.open(part) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            window = rest + chunk
            end = window.rfind(b"<c", 0, -2)
            end = end if end > 0 else len(window)
            yield window[:end]
            rest = window[end:]
        yield rest


class _Extent:
    """The farthest row and column with a value. Cells that do not say where they are count where their row is."""

    def __init__(self) -> None:
        self.row = 0
        self.column = 0
        self.line = 0
        self.unplaced = False

    def see(self, window: bytes) -> None:
        usual = _USUAL.findall(window)
        cut = window.rfind(b"<") > window.rfind(b">")  # the last tag, whole in the next window
        starts = window.count(b"<c ") + window.count(b"<c>") + window.count(b":c ") + window.count(b":c>")
        if starts - len(usual) <= cut:
            self._reach((c, r) for c, r, rest in usual if not rest.endswith(b"/"))
        else:
            self._see_unusual(window)
        self.check()

    def _see_unusual(self, window: bytes) -> None:
        self._reach(_CELL.findall(window))
        self.line = max([self.line, *map(int, _LINE.findall(window))])
        whole = window[: window.rfind(b"<")]
        self.unplaced = self.unplaced or len(_ANY_CELL.findall(whole)) != len(_PLACED.findall(whole))

    def _reach(self, places: Iterable[tuple[bytes, bytes]]) -> None:
        columns, rows = set(), set()
        for column, row in places:
            columns.add(column)
            rows.add(row)
        self.column = max([self.column, *map(_number, columns)])
        self.row = max([self.row, *map(int, rows)])

    def check(self) -> None:
        rows = max(self.row, self.line) if self.unplaced else self.row
        if self.column > MOST_COLUMNS:
            raise Unreadable("import.too_many_columns", max=MOST_COLUMNS)
        if rows > MOST_ROWS or rows * self.column > MOST_CELLS:
            raise Unreadable("import.too_many_rows", max=min(MOST_ROWS, MOST_CELLS // max(self.column, 1)))


def _number(letters: bytes) -> int:
    """The number of a column: A is 1."""
    if len(letters) > 4:
        return 1 << 20
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
