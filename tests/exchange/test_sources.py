"""Files as tables: encodings, delimiters, headers, and archives that are not what they seem."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import rustpy_xlsxwriter

from runtime.exchange.neutral import neutralised, restored
from runtime.exchange.source import Source, Unreadable, data_rows, find_header, open_source

SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
WORKBOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
ROOT = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def book(path: Path, rows: str | bytes, **extra: str) -> Path:
    """A workbook made by hand, with `rows` as the rows of its only sheet."""
    sheet = rows if isinstance(rows, bytes) else SHEET.format(rows).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", ROOT)
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELS)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, text in extra.items():
            archive.writestr(name, text)
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def cells(source: Source) -> list[list[object]]:
    return [row for _, row in source.rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16"])
def test_csv_is_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = (
        "姓名,電話\n王小明,13912345678\n陳大文,13812345678\n"
        if encoding == "big5"
        else "姓名,电话\n王芳,13912345678\n㐂𠮷,1\n"
    )
    source = open_source(written(tmp_path / "a.csv", text.encode(encoding)), "a.csv")
    if encoding == "big5":  # most of Big5 reads as GB18030, wrongly: the person chooses
        source = open_source(tmp_path / "a.csv", "a.csv", encoding="big5")
    assert cells(source) == [line.split(",") for line in text.splitlines()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = f'名称{delimiter}地址\n甲{delimiter}"深圳, 南山; 1|2"\n乙{delimiter}广州\n'
    source = open_source(written(tmp_path / "a.csv", text.encode()), "a.csv")
    assert source.delimiter == delimiter
    assert cells(source)[1] == ["甲", "深圳, 南山; 1|2"]


def test_the_header_is_found_below_a_title(tmp_path: Path) -> None:
    text = "客户资料表,,\n2026年3月导出,,\n\n客户名称*,电话(必填),未知\n甲,1,\n,,\n乙,2,\n"
    source = open_source(written(tmp_path / "a.csv", text.encode("gb18030")), "a.csv")
    header = find_header(source, lambda name: name.startswith(("客户名", "电话")))
    assert (header.row, header.names) == (4, ("客户名称*", "电话(必填)", "未知"))
    assert [number for number, _ in data_rows(source, header)] == [5, 7]


def test_an_open_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b'a,b\n1,"open\n' + b"x,y\n" * 60_000)
    with pytest.raises(Unreadable) as caught:
        cells(open_source(path, "a.csv"))
    assert caught.value.code == "import.broken_line"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", b"\x89PNG\r\n", b"PK\x03\x04 no archive"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Unreadable):
        find_header(open_source(written(tmp_path / "a", content), "a"), bool)


def test_xlsx_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rustpy_xlsxwriter.write_worksheet(
        [{"名称": "甲", "数": 5}, {"名称": "=1+1", "数": 2.5}], str(path), sheet_name="客户"
    )
    source = open_source(path, "a.xlsx")
    assert source.sheets == ("客户",)
    assert cells(source) == [["名称", "数"], ["甲", 5.0], ["=1+1", 2.5]]


@pytest.mark.attack("N70", "T23")
@pytest.mark.parametrize("kind", ["far cell", "far column", "rows", "columns", "bomb", "unplaced"])
def test_a_sheet_that_would_not_stay_small_is_refused_before_it_grows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.xlsx"
    if kind == "far cell":
        book(path, f'<row r="1">{text_cell("A1", "x")}</row><row r="1048576">{text_cell("XFD1048576", "y")}</row>')
    elif kind == "far column":
        book(path, f'<row r="1">{text_cell("A1", "x")}{text_cell("XFD1", "y")}</row>')
    elif kind == "rows":
        book(path, "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 1_000_001)))
    elif kind == "columns":
        letters = [
            a + b + c for a in " ABC" for b in " ABCDEFGHIJKLMNOPQRSTUVWXYZ" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        ]
        book(
            path,
            '<row r="1">'
            + "".join(f'<c r="{n.strip()}1"><v>1</v></c>' for n in letters if " " not in n.strip())
            + "</row>",
        )
    elif kind == "unplaced":
        book(path, '<row r="1"><c><v>1</v></c></row><row r="1048576"><c><v>1</v></c></row>')
    else:
        book(path, f'<row r="1">{text_cell("A1", "x" * 300_000_000)}</row>')
    tracemalloc.start()
    with pytest.raises(Unreadable):
        open_source(path, "a.xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def shared(path: Path, texts: list[str], count: int, cell: str = '<c r="{0}{1}" t="s"><v>{2}</v></c>') -> Path:
    """A workbook of ten columns whose `count` cells have the shared texts in turn."""
    rows = (
        f'<row r="{n}">' + "".join(cell.format(c, n, (n * 10 + i) % len(texts)) for i, c in enumerate("ABCDEFGHIJ"))
        for n in range(1, count // 10 + 1)
    )
    items = "".join(f"<si><t>{text}</t></si>" if text else "<si/>" for text in texts)
    whole = "".join(f"{row}</row>" for row in rows)
    return book(path, whole, **{"xl/sharedStrings.xml": f'<?xml version="1.0"?><sst>{items}</sst>'})


@pytest.mark.attack("N70", "T23")
@pytest.mark.parametrize("cell", ['<c r="{0}{1}" t="s"><v>{2}</v></c>', "<c r='{0}{1}' t='s'><f>A1</f><v>{2}</v></c>"])
def test_a_long_text_shared_by_very_many_cells_is_refused(tmp_path: Path, cell: str) -> None:
    path = shared(tmp_path / "a.xlsx", ["x" * 32_000, "", "y"], 100_000, cell)
    assert path.stat().st_size < 2_000_000
    tracemalloc.start()
    with pytest.raises(Unreadable) as refused:
        open_source(path, "a.xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code == "import.too_much_text"
    assert peak < 50_000_000


def test_long_texts_in_a_usual_sheet_are_read(tmp_path: Path) -> None:
    texts = ["x" * 32_000, "", *(f"text {n}" for n in range(50_000))]
    source = open_source(shared(tmp_path / "a.xlsx", texts, 100_000), "a.xlsx")
    assert sum(len(row) for _, row in source.rows()) == 100_000


@pytest.mark.attack("N69")
@pytest.mark.parametrize(
    "rows",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]><worksheet>&e;</worksheet>',
        b'<?xml version="1.0"?><!doctype x><worksheet/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><worksheet/>'.encode("utf-16"),
        b"+ADw-?xml version=1.0?+AD4-",
    ],
)
def test_entities_and_other_encodings_in_an_archive_are_refused(tmp_path: Path, rows: bytes) -> None:
    with pytest.raises(Unreadable):
        open_source(book(tmp_path / "a.xlsx", rows), "a.xlsx")


def test_styled_empty_cells_far_away_are_no_data(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        f'<row r="1">{text_cell("A1", "名称")}</row><row r="2">{text_cell("A2", "甲")}</row>'
        '<row r="1048576"><c r="A1048576" s="1"/><c r="XFD1048576" s="1"/></row>',
    )
    assert cells(open_source(path, "a.xlsx")) == [["名称"], ["甲"]]


def test_a_lying_directory_is_found_out(tmp_path: Path) -> None:
    buffer = io.BytesIO(book(tmp_path / "a.xlsx", f'<row r="1">{text_cell("A1", "x" * 50_000_000)}</row>').read_bytes())
    raw = buffer.getvalue().replace(
        (50_000_000 + len(SHEET) - 2 + len('<row r="1"></row>') + len(text_cell("A1", ""))).to_bytes(4, "little"),
        (1000).to_bytes(4, "little"),
    )
    with pytest.raises(Unreadable):
        open_source(written(tmp_path / "b.xlsx", raw), "b.xlsx")


@pytest.mark.attack("N95")
@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-5", "@a", "\t=x", "\r=x", "＝1", " =1", "'=1", "''=1", "'x", "x", "", "O'Neil", "-", "'"]
)
def test_neutralised_text_is_restored(text: str) -> None:
    safe = neutralised(text)
    assert restored(safe) == text
    assert not safe.lstrip().startswith(("=", "+", "-", "@", "＝"))
