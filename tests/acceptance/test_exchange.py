"""CU-68…70: data in and out in bulk."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from runtime.exchange import exports
from runtime.exchange.imports import Request, import_file
from runtime.query.select import parse_where
from tests.acceptance.conftest import World

HEADER = ["客户名称", "简称", "行业", "年营业额"]


def rows(count: int, first: int = 1) -> list[list[str]]:
    return [
        [f"导入客户{n:04d}有限公司", f"导入{n}", "通用设备制造业", str(n * 1000)] for n in range(first, first + count)
    ]


def write(path: Path, lines: list[list[str]], encoding: str = "utf-8", header: list[str] | None = None) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header or HEADER, *lines])
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_in_every_encoding_are_imported(f: World, tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path / "客户.csv", rows(20), encoding)
    status = import_file(f.site, "customer", file, user_id=f.user("vp"))
    assert (status.created, status.rejected) == (20, 0)
    assert f.read("vp", "customer", f.id("customer", short_name="导入7"))["industry"] == f.id("industry", code="C34")


def test_bad_rows_are_kept_apart_and_the_rest_goes_in(f: World, tmp_path: Path) -> None:
    lines = rows(100)
    for number in (3, 50, 99):
        lines[number][3] = "很多"
    status = import_file(f.site, "customer", write(tmp_path / "客户.csv", lines), user_id=f.user("vp"))
    assert (status.created, status.rejected) == (97, 3)
    assert status.rejects is not None


@pytest.mark.mission("CU-69")
def test_a_file_keyed_by_the_customer_number_updates(f: World, tmp_path: Path) -> None:
    import_file(f.site, "customer", write(tmp_path / "新.csv", rows(200)), user_id=f.user("vp"))
    with f.as_("vp") as session:
        exports.export(
            session,
            "customer",
            tmp_path / "全部.csv",
            "csv",
            columns=("code", "short_name", "payment_days", "annual_revenue"),
            where=[parse_where(session, "customer", "starts_with(name, '导入客户')")],
        )
    lines = list(csv.reader((tmp_path / "全部.csv").read_text("utf-8-sig").splitlines()))[1:]
    assert len(lines) == 200
    header = ["客户编号", "简称", "账期（天）", "年营业额"]
    changed = [[code, f"改{n}", "60", "" if n % 2 else "5000"] for n, (code, *_) in enumerate(lines)]
    file = write(tmp_path / "改.csv", changed, header=header)
    planned = import_file(
        f.site, "customer", file, user_id=f.user("vp"), request=Request(match=("code",), dry_run=True)
    )
    assert (planned.updated, planned.created, planned.rejected) == (200, 0, 0)
    done = import_file(f.site, "customer", file, user_id=f.user("vp"), request=Request(match=("code",)))
    assert (done.updated, done.created) == (200, 0)
    kept = f.read("vp", "customer", f.id("customer", short_name="改1"))
    assert kept["payment_days"] == 60
    assert kept["annual_revenue"] not in (None, 5000)  # a blank cell keeps what is there


@pytest.mark.mission("CU-70")
def test_an_export_has_numbers_no_hidden_fields_and_no_live_formulas(f: World, tmp_path: Path) -> None:
    f.update("zhangsan", "customer", f.k("K1"), description="=1+1", employees=361)
    file = tmp_path / "客户.xlsx"
    columns = ("short_name", "employees", "description")
    with f.as_("zhangsan") as session:
        where = [parse_where(session, "customer", "short_name == 'K1'")]
        assert exports.export(session, "customer", file, "xlsx", columns=columns, where=where) == 1
        everything = exports.default_columns(session, session.app.entities["customer"])
    sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["简称", "员工人数", "备注"]
    assert sheet[1][:2] == ["K1", 361.0]
    assert str(sheet[1][2]).lstrip("'\t ") == "=1+1"
    assert "annual_revenue" not in everything


def test_orders_with_their_lines_come_through_the_api(f: World) -> None:
    """Upload, trial, run: the same figures for records and lines; the same sheet again adds nothing."""
    sheet = "主题,客户,明细/一次性产品,明细/数量,明细/单价\n甲单,K1,安装,2,100\n,,调试,1,50\n乙单,K1,培训,坏,1\n"
    sheet = sheet.replace("K1", f.read("vp", "customer", f.k("K1"))["name"])

    def sent(text: str, **more: str) -> dict[str, Any]:
        data = {"file": (io.BytesIO(text.encode()), "订单.csv"), "entity": "sales_order", "match": "name", **more}
        begun = f.api("vp", "POST", "/imports", data=data, content_type="multipart/form-data")
        assert begun.status_code == 201, begun.json
        done = f.api("vp", "POST", f"/imports/{begun.json['id']}/run")
        assert done.status_code == 200, done.json
        return {name: done.json[name] for name in ("created", "updated", "same", "rejected", "lines")}

    data = {"file": (io.BytesIO(sheet.encode()), "订单.csv"), "entity": "sales_order", "preview": "true"}
    seen = f.api("vp", "POST", "/imports", data=data, content_type="multipart/form-data").json
    assert [c["field"] for c in seen["columns"]] == ["name", "customer", "lines.text", "lines.quantity", "lines.price"]
    tried = sent(sheet, dry_run="true")
    assert tried == sent(sheet)
    assert tried["lines"] == {"created": 2, "updated": 0, "same": 0, "removed": 0}
    assert (tried["created"], tried["rejected"]) == (1, 1)
    order = f.id("sales_order", name="甲单")
    assert f.read("vp", "sales_order", order)["amount"] == 250
    again = sent(sheet.replace("坏", "3"))
    assert (again["created"], again["same"], again["lines"]["created"], again["lines"]["same"]) == (1, 1, 1, 2)
