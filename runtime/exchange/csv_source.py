"""CSV as Chinese offices make it: UTF-8 with or without mark, GB18030, now and then Big5 or UTF-16; any delimiter."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from runtime.exchange.neutral import restored
from runtime.exchange.source import MOST_COLUMNS, Row, Source, Unreadable, blank

_CHUNK = 1 << 20
_SAMPLE = 64_000  # characters looked at for the delimiter
_DELIMITERS = ",;\t|，"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_csv(path: Path, name: str, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """The table in a CSV file. Raises `Unreadable` for what is no text."""
    encoding = _known(encoding, name) if encoding else detect_encoding(path, name)
    delimiter = delimiter or _delimiter(path, encoding)
    return Source(
        kind="csv",
        rows=partial(_rows, path, encoding, delimiter),
        encoding=encoding,
        delimiter=delimiter,
        below=partial(_below, path, encoding, delimiter),
    )


def detect_encoding(path: Path, name: str) -> str:
    """The encoding the whole file decodes in, tried in the order of likelihood; guessed only where none does."""
    with path.open("rb") as stream:
        head = stream.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for encoding in ("utf-8", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    return _guessed(path, name)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while part := stream.read(_CHUNK):
                decoder.decode(part)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(path: Path, name: str) -> str:
    import chardet  # late: needed for few files

    with path.open("rb") as stream:
        found = chardet.detect(stream.read(_CHUNK)).get("encoding")
    return _known(found or "", name)


def _known(encoding: str, name: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise Unreadable(name=name) from error


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that cuts the first lines into the most columns, evenly; a comma where nothing does."""
    with _opened(path, encoding) as stream:
        lines = stream.read(_SAMPLE).splitlines()[:20]
    best, points = ",", 0
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        except csv.Error:
            continue
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        if width > 1 and times * (width - 1) > points:
            best, points = delimiter, times * (width - 1)
    return best


def _opened(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="replace", newline="")


def _holds(path: Path, byte: bytes) -> bool:
    """Whether the byte is anywhere in the file: most files have no apostrophe, and their cells need no second look."""
    with path.open("rb") as stream:
        return any(byte in part for part in iter(lambda: stream.read(_CHUNK), b""))


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    quoted = _holds(path, b"'")
    with _opened(path, encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            for row in enumerate(reader, 1):
                if len(row[1]) > MOST_COLUMNS:
                    raise Unreadable("import.too_many_columns", max=MOST_COLUMNS)
                yield (row[0], [restored(c) if c[:1] == "'" else c for c in row[1]]) if quoted else row
        except csv.Error as error:
            raise Unreadable("import.broken_line", line=reader.line_num) from error


def _below(path: Path, encoding: str, delimiter: str, above: int) -> int:
    """What `_rows` gives below a row, counted without making anything of it: half the time of reading it so."""
    found = 0
    with _opened(path, encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            for row in islice(reader, above, None):
                if len(row) > MOST_COLUMNS:
                    raise Unreadable("import.too_many_columns", max=MOST_COLUMNS)
                if (row and row[0] and not row[0].isspace()) or not blank(row):
                    found += 1
        except csv.Error as error:
            raise Unreadable("import.broken_line", line=reader.line_num) from error
    return found
