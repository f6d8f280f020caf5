"""Exporting: what one may see and no more, in cells that spreadsheets keep, and that an import reads back."""

from __future__ import annotations

import csv
import datetime as clock
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine

from runtime import records
from runtime.errors import BadQuery, Forbidden, NotFound, Refused
from runtime.exchange import Request, export, import_file
from runtime.exchange.writers import Sheet, write_xlsx
from runtime.query.select import parse_where
from runtime.site import Site

NASTY = [
    "=1+1",
    "+8613800000000",
    "-5",
    "@SUM(A1)",
    "\t=x",
    "＝1",
    "'=1",
    "'quoted",
    "<b>x</b>",
    'a,b"c',
    "0012",
    "1e5",
]


def make(site: Site, *rows: dict[str, Any], user_id: int | None = None) -> list[int]:
    with site.session(user_id, write=True) as session:
        return [saved.id for saved in records.create_many(session, "firm", rows)]


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def read_xlsx(path: Path) -> list[list[Any]]:
    return calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


FULL = {
    "name": "甲公司",
    "code": "A1",
    "kind": "company",
    "tags": ["key", "vip"],
    "region": 1,
    "owner": 2,
    "phone": "13912345678",
    "email": "a@b.cn",
    "revenue": "1234.50",
    "discount": "12.5",
    "staff": 9007199254740991,
    "weight": "1.125",
    "founded": "2026-03-16",
    "met_at": "2026-03-16T06:30:00Z",
    "active": True,
    "notes": "一\n二",
}


def test_xlsx_keeps_numbers_dates_and_long_numbers(site: Site, tmp_path: Path) -> None:
    make(site, FULL)
    with site.session(language="zh") as session:
        assert export(session, "firm", tmp_path / "a.xlsx", "xlsx") == 1
    header, row = read_xlsx(tmp_path / "a.xlsx")
    found = dict(zip(header, row))
    assert found["年营业额"] == 1234.5
    assert found["折扣率"] == 12.5
    assert found["成立日期"] == clock.date(2026, 3, 16)
    assert found["会面时间"] == clock.datetime(2026, 3, 16, 14, 30)
    assert found["员工人数"] == "9007199254740991"
    assert (found["类型"], found["标签"], found["地区"], found["负责人"]) == ("企业", "重点; 贵宾", "华南", "李雷")
    assert (found["电话"], found["启用"]) == ("13912345678", "是")


def test_csv_has_the_mark_excel_needs(lite: Site, tmp_path: Path) -> None:
    make(lite, FULL)
    with lite.session(language="en") as session:
        export(session, "firm", tmp_path / "a.csv", "csv", columns=["name", "kind", "region.code", "owner", "revenue"])
        export(session, "firm", tmp_path / "b.csv", "csv", columns=["name"], bom=False)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (tmp_path / "b.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_csv(tmp_path / "a.csv") == [
        ["Name", "Kind", "Area.Code", "Owner", "Revenue"],
        ["甲公司", "Company", "south", "李雷", "1234.5"],
    ] or read_csv(tmp_path / "a.csv")[1] == ["甲公司", "Company", "south", "李雷", "1234.5"]


def test_json_is_what_the_api_says(lite: Site, tmp_path: Path) -> None:
    make(lite, FULL)
    with lite.session() as session:
        export(session, "firm", tmp_path / "a.json", "json", columns=["name", "revenue", "founded", "tags", "owner"])
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == [
        {
            "id": "1",
            "name": "甲公司",
            "revenue": {"amount": "1234.50", "currency": "CNY"},
            "founded": "2026-03-16",
            "tags": ["key", "vip"],
            "owner": "2",
        }
    ]


@pytest.mark.attack("N95")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_comes_back_unchanged(site: Site, tmp_path: Path, kind: str) -> None:
    make(site, FULL, *({"name": text, "code": f"N{n}", "notes": text} for n, text in enumerate(NASTY)))
    path = tmp_path / f"a.{kind}"
    with site.session(language="zh") as session:
        export(session, "firm", path, kind)
    same = import_file(site, "firm", path, request=Request(match=("code",)))
    assert (same.same, same.created, same.updated, same.rejected) == (len(NASTY) + 1, 0, 0, 0)


@pytest.mark.attack("N95")
def test_no_cell_of_a_csv_is_a_formula(lite: Site, tmp_path: Path) -> None:
    make(lite, *({"name": text, "staff": 5, "weight": "-1.5"} for text in NASTY))
    with lite.session() as session:
        export(session, "firm", tmp_path / "a.csv", "csv", columns=["name", "weight"])
    for name, weight in read_csv(tmp_path / "a.csv")[1:]:
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        assert weight == "-1.5"


@pytest.mark.attack("N95")
def test_formula_like_text_is_typed_as_text_in_xlsx(tmp_path: Path) -> None:
    sheet = Sheet(
        name="a/b[c]",
        columns=("=header", "=header", ""),
        rows=[["=1+1", "{=x}", Decimal("-5")], ["http://x", None, 10**16]],
    )
    write_xlsx(sheet, tmp_path / "a.xlsx")
    header, first, second = read_xlsx(tmp_path / "a.xlsx")
    assert [h.strip() for h in header] == ["=header", "=header", ""]
    assert first == ["=1+1", "{=x}", -5.0]
    assert second == ["http://x", "", "10000000000000000"]


def test_an_empty_export_has_its_header(lite: Site, tmp_path: Path) -> None:
    with lite.session(language="zh") as session:
        for kind in ("csv", "xlsx", "json"):
            assert export(session, "firm", tmp_path / f"a.{kind}", kind, columns=["name"]) == 0
    assert read_csv(tmp_path / "a.csv") == [["企业名称"]]
    assert read_xlsx(tmp_path / "a.xlsx") == [["企业名称"]]
    assert json.loads((tmp_path / "a.json").read_text()) == []


def test_all_pages_are_written_in_order(lite: Site, tmp_path: Path) -> None:
    make(lite, *({"name": f"甲{n}", "staff": n} for n in range(2500)))
    with lite.session() as session:
        where = [parse_where(session, "firm", "staff >= 100")]
        assert export(session, "firm", tmp_path / "a.csv", "csv", columns=["staff"], where=where) == 2400
    numbers = [int(row[0]) for row in read_csv(tmp_path / "a.csv")[1:]]
    assert sorted(numbers) == list(range(100, 2500))
    assert len(set(numbers)) == 2400


@pytest.mark.attack("N97")
def test_an_export_holds_what_its_person_may_see(site: Site, tmp_path: Path) -> None:
    make(site, {"name": "甲", "owner": 1, "salary": 5}, {"name": "乙", "owner": 2, "salary": 6})
    with site.session(1) as session:
        assert export(session, "firm", tmp_path / "a.csv", "csv") == 1
        rows = read_csv(tmp_path / "a.csv")
        assert "薪资" not in rows[0]
        assert rows[1][0] == "甲"
        for path in ("salary", "nothing", "region.nothing", "owner.password_hash"):
            with pytest.raises(BadQuery):
                export(session, "firm", tmp_path / "b.csv", "csv", columns=["name", path])
        with pytest.raises(NotFound):
            export(session, "nothing", tmp_path / "b.csv", "csv")
        with pytest.raises(Refused):
            export(session, "firm", tmp_path / "b.exe", "exe")
    with site.session(3) as session, pytest.raises(Forbidden):
        export(session, "firm", tmp_path / "b.csv", "csv")
