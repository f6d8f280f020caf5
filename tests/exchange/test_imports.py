"""Importing files: right counts and reasons, in every encoding, once only, whatever interrupts it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import rustpy_xlsxwriter
import sqlalchemy as sa

from runtime.errors import Conflict, Forbidden, NotFound
from runtime.exchange import Request, Status, begin, import_file, preview, run_import, status, undo_import
from runtime.exchange import imports as imports_module
from runtime.exchange.mapping import BadMapping
from runtime.files import open_file
from runtime.schema.internal_exchange import import_reject
from runtime.site import Site
from tests.exchange.real_input import HEADER, make_book

COUNT = 2000


def firms(site: Site) -> list[dict]:
    with site.session() as session:
        table = session.table("firm")
        found = session.connection.execute(sa.select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.id))
        return [dict(row) for row in found.mappings()]


def reasons(site: Site, import_id: int) -> dict[int, list[tuple[str, str]]]:
    with site.session() as session:
        found = session.connection.execute(sa.select(import_reject).where(import_reject.c.import_id == import_id))
        return {row.row: [(p["column"], p["code"]) for p in row.problems] for row in found}


def figures(found: Status) -> tuple[int, int, int, int]:
    return (found.created, found.updated, found.same, found.rejected)


def sheet(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_real_input_lands_and_the_rest_is_explained(site: Site, tmp_path: Path, encoding: str) -> None:
    book = make_book(COUNT, seed=7)
    path = book.write(tmp_path / "企业.csv", encoding)
    tried = import_file(site, "firm", path, request=Request(dry_run=True))
    assert figures(tried) == (book.right, 0, 0, len(book.wrong))
    assert firms(site) == []
    done = import_file(site, "firm", path)
    assert figures(done) == figures(tried)
    assert {row: found[0] for row, found in reasons(site, done.id).items()} == book.wrong
    assert reasons(site, tried.id) == reasons(site, done.id)
    assert len(firms(site)) == book.right
    again = import_file(site, "firm", path)
    assert again.id == done.id
    assert figures(again) == figures(done)
    assert len(firms(site)) == book.right


def test_values_are_read_as_people_write_them(lite: Site, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.csv",
        "企业名称,编号,类型,标签,地区,负责人.login,电话,年营业额,折扣率,成立日期,会面时间,启用,备注\n"
        '甲公司,A1,企业,重点；贵宾,south,bob,+86 139-1234-5678,"¥1,234.50",12.5%,2026年3月16日,2026/3/16 14:30,是,"一\n二"\n',
    )
    import_file(lite, "firm", path)
    row = firms(lite)[0]
    assert (row["kind"], row["region"], row["owner"], row["phone"]) == ("company", 1, 2, "13912345678")
    assert (str(row["revenue"]), str(row["discount"])) == ("1234.5000", "12.5000")
    assert (row["founded"].isoformat(), row["met_at"].isoformat()) == ("2026-03-16", "2026-03-16T06:30:00+00:00")
    assert (row["active"], row["notes"]) == (True, "一\n二")


@pytest.mark.promise("P16")
@pytest.mark.parametrize("seed", [1, 2])
def test_an_import_killed_again_and_again_ends_the_same(
    lite: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(imports_module, "BATCH", 100)
    book = make_book(1000, seed=seed)
    path = book.write(tmp_path / "a.csv", "utf-8")
    with lite.session(write=True, channel="import") as session:
        import_id = begin(session, "firm", path, "a.csv", Request(match=("code",)))
    for _kill in range(5):
        broken = iter(["one batch lands"])

        def dies(*_: object, left: object = broken) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            real = imports_module.state.count
            patch.setattr(imports_module.state, "count", lambda *a, real=real, **k: (real(*a, **k), dies()))
            with pytest.raises(KeyboardInterrupt):
                run_import(lite, import_id)
    done = run_import(lite, import_id)
    assert figures(done) == (book.right, 0, 0, len(book.wrong))
    assert len(firms(lite)) == book.right
    assert set(reasons(lite, import_id)) == set(book.wrong)


def test_an_import_stops_and_goes_on(lite: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_module, "BATCH", 10)
    path = sheet(tmp_path / "a.csv", "企业名称\n" + "".join(f"甲{n}\n" for n in range(50)))
    seen: list[int] = []
    stopped = import_file(lite, "firm", path, progress=lambda s: seen.append(s.done), stop=lambda: len(seen) >= 2)
    assert (stopped.state, stopped.done, seen) == ("waiting", 20, [10, 20])
    done = import_file(lite, "firm", path)
    assert (done.id, done.state, done.done, len(firms(lite))) == (stopped.id, "done", 50, 50)


def test_refused_rows_land_once_their_reason_is_gone(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", "企业名称,地区\n甲,华南\n乙,西北\n")
    assert figures(import_file(lite, "firm", path)) == (1, 0, 0, 1)
    with lite.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        session.connection.execute(sa.insert(session.table("area")).values(name="西北", code="west", **stamp))
    again = import_file(lite, "firm", path)
    assert figures(again) == (2, 0, 0, 0)
    assert again.rejects is None
    assert [row["name"] for row in firms(lite)] == ["甲", "乙"]


def test_matching_creates_updates_and_leaves_alone(site: Site, tmp_path: Path) -> None:
    import_file(site, "firm", sheet(tmp_path / "a.csv", "编号,企业名称,标签,员工人数\nA1,甲,重点,5\nA2,乙,,6\n"))
    path = sheet(
        tmp_path / "b.csv", "编号,企业名称,标签,员工人数\nA1,甲,重点,5\nA2,乙方,贵宾,\nA3,丙,,1\nA3,丁,,1\n,戊,,1\n"
    )
    tried = import_file(site, "firm", path, request=Request(match=("code",), dry_run=True))
    done = import_file(site, "firm", path, request=Request(match=("code",)))
    assert figures(done) == figures(tried) == (1, 1, 1, 2)
    assert reasons(site, done.id) == {5: [("编号", "import.key_twice")], 6: [("编号", "import.empty_key")]}
    rows = {row["code"]: row for row in firms(site)}
    assert (rows["A2"]["name"], rows["A2"]["staff"], rows["A2"]["version"]) == ("乙方", 6, 2)
    assert rows["A1"]["version"] == 1
    cleared = import_file(site, "firm", path, request=Request(match=("code",), clear=True))
    assert cleared.updated == 1
    assert {row["code"]: row["staff"] for row in firms(site)}["A2"] is None


def test_rows_may_refer_to_rows_above(lite: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_module, "BATCH", 1)
    path = sheet(tmp_path / "a.csv", "企业名称,编号,上级\n总部,H,\n分部,B,总部\n支部,C,B\n重号,B,\n")
    tried = import_file(lite, "firm", path, request=Request(dry_run=True))
    done = import_file(lite, "firm", path)
    assert figures(tried) == figures(done) == (3, 0, 0, 1)
    assert [row["parent"] for row in firms(lite)] == [None, 1, 2]


def test_a_preview_proposes_columns_and_remembers_earlier_ones(lite: Site, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.csv",
        "我的企业表,,\n企业名称（必填）,Owner / Login,客户代号,created_at,两倍\n甲,bob,K1,2020-01-01,4\n",
    )
    with lite.session(1, channel="import") as session:
        found = preview(session, "firm", path, "a.csv")
    assert found.header.row == 2
    assert [(c.path, c.skipped) for c in found.columns] == [
        ("name", None),
        ("owner.login", None),
        (None, "unknown"),
        (None, "computed"),
        (None, "computed"),
    ]
    import_file(lite, "firm", path, user_id=1, request=Request(mapping={"客户代号": "code", "Owner / Login": None}))
    with lite.session(1, channel="import") as session:
        assert preview(session, "firm", path, "a.csv").columns[2].path == "code"
    with lite.session(2, channel="import") as session:
        assert preview(session, "firm", path, "a.csv").columns[2].path is None


def test_a_mapping_that_cannot_be_is_refused(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", "企业名称,x\n甲,1\n")
    for request in [
        Request(mapping={"y": "name"}),
        Request(mapping={"x": "nothing"}),
        Request(mapping={"x": "region.nothing"}),
        Request(match=("code",)),
        Request(match=("tags",)),
        Request(match=("nothing",)),
    ]:
        with pytest.raises(BadMapping):
            import_file(lite, "firm", path, request=request)


def test_xlsx_with_refused_rows_gives_an_xlsx_back(lite: Site, tmp_path: Path) -> None:
    rows = [
        {"企业名称": "甲", "电话": 13912345678, "员工人数": 5},
        {"企业名称": "乙", "电话": 1391234, "员工人数": 5.5},
    ]
    rustpy_xlsxwriter.write_worksheet(rows, str(tmp_path / "a.xlsx"), sheet_name="表")
    done = import_file(lite, "firm", tmp_path / "a.xlsx")
    assert figures(done) == (1, 0, 0, 1)
    assert firms(lite)[0]["phone"] == "13912345678"
    with lite.session() as session:
        (tmp_path / "r.xlsx").write_bytes(open_file(session, done.rejects or 0).stream.read())
        found = preview(session, "firm", tmp_path / "r.xlsx", "r.xlsx")
    assert found.header.names == ("企业名称", "电话", "员工人数", "行号", "原因")
    assert found.sample[0][1][:4] == ["乙", "1391234", "5.5", 3.0]
    assert "5.5" in str(found.sample[0][1][4])


@pytest.mark.attack("N97")
def test_an_import_writes_no_more_than_its_person_may(site: Site, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.csv",
        "企业名称,grade,salary,created_at,双倍,id\n甲,,,,,\n乙,A,,,,\n丙,,,2020-01-01,,\n戊,,,,4,\n己,,,,,7\n",
    )
    mapping = {"grade": "grade", "created_at": "created_at", "双倍": "double", "id": "id"}
    done = import_file(site, "firm", path, user_id=1, request=Request(mapping=mapping))
    assert figures(done) == (1, 0, 0, 4)
    assert {row: {c for c, _ in found} for row, found in reasons(site, done.id).items()} == {
        3: {"grade"}, 4: {"created_at"}, 5: {"双倍"}, 6: {"id"},
    }  # fmt: skip
    with pytest.raises(BadMapping):
        import_file(site, "firm", path, user_id=1, request=Request(mapping={"salary": "salary"}))


@pytest.mark.attack("N97")
def test_an_import_reaches_no_record_of_somebody_else(site: Site, tmp_path: Path) -> None:
    import_file(site, "firm", sheet(tmp_path / "a.csv", "编号,企业名称,负责人.login\nB1,乙,bob\n"))
    path = sheet(tmp_path / "b.csv", "编号,企业名称\nB1,抢\n")
    done = import_file(site, "firm", path, user_id=1, request=Request(match=("code",)))
    assert figures(done) == (0, 0, 0, 1)
    by_id = import_file(
        site, "firm", sheet(tmp_path / "c.csv", "id,企业名称\n1,抢\n"), user_id=1, request=Request(match=("id",))
    )
    assert figures(by_id) == (0, 0, 0, 1)
    assert [row["name"] for row in firms(site)] == ["乙"]
    with pytest.raises(Forbidden):
        import_file(site, "firm", path, user_id=3)
    with pytest.raises(NotFound):
        import_file(site, "area_of_nobody", path, user_id=1)


@pytest.mark.attack("N65", "N97")
def test_an_import_and_its_files_belong_to_its_person(site: Site, tmp_path: Path) -> None:
    done = import_file(site, "firm", sheet(tmp_path / "a.csv", "企业名称,电话\n甲,1\n"), user_id=1)
    with site.session(1) as session:
        assert status(session, done.id).rejected == 1
    with site.session(2) as session:
        with pytest.raises(NotFound):
            status(session, done.id)
        with pytest.raises(NotFound):
            open_file(session, done.rejects or 0)
    with pytest.raises(NotFound):
        undo_import(site, done.id, user_id=2)


@pytest.mark.attack("N62")
def test_markup_in_headers_and_cells_is_text(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", "企业名称,<script>alert(1)</script>\n<img src=x onerror=alert(1)>,x\n")
    done = import_file(lite, "firm", path)
    assert figures(done) == (1, 0, 0, 0)
    assert firms(lite)[0]["name"] == "<img src=x onerror=alert(1)>"


@pytest.mark.attack("N94")
def test_nul_and_huge_numbers_refuse_their_row_alone(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", f"企业名称,员工人数\n甲\x00,1\n乙,{'9' * 5000}\n丙,1\n")
    done = import_file(lite, "firm", path)
    assert figures(done) == (1, 0, 0, 2)


def test_an_import_is_undone(site: Site, tmp_path: Path) -> None:
    import_file(site, "firm", sheet(tmp_path / "a.csv", "编号,企业名称,员工人数\nA1,甲,5\nA2,乙,6\n"))
    path = sheet(tmp_path / "b.csv", "编号,企业名称,员工人数\nA1,甲甲,7\nA2,乙乙,8\nA3,丙,9\n")
    done = import_file(site, "firm", path, request=Request(match=("code",)))
    assert figures(done) == (1, 2, 0, 0)
    import_file(site, "firm", sheet(tmp_path / "c.csv", "编号,员工人数\nA2,1\n"), request=Request(match=("code",)))
    undone = undo_import(site, done.id)
    assert (undone.removed, undone.restored, len(undone.kept)) == (1, 1, 1)
    assert {row["code"]: (row["name"], row["staff"]) for row in firms(site)} == {"A1": ("甲", 5), "A2": ("乙乙", 1)}
    fresh = import_file(site, "firm", path, request=Request(match=("code",)))
    assert fresh.id != done.id
    site.clock.advance(days=2)  # type: ignore[attr-defined]
    with pytest.raises(Conflict):
        undo_import(site, fresh.id)


def test_links_and_choices_come_back_when_an_import_is_undone(site: Site, tmp_path: Path) -> None:
    import_file(site, "firm", sheet(tmp_path / "a.csv", "编号,企业名称,地区,标签,类型\nA1,甲,华南,重点,企业\n"))
    before = firms(site)[0]
    path = sheet(tmp_path / "b.csv", "编号,地区,标签,类型\nA1,华东,贵宾,个人\n")
    undone = undo_import(site, import_file(site, "firm", path, request=Request(match=("code",))).id)
    assert (undone.restored, undone.kept) == (1, ())
    assert [firms(site)[0][name] for name in ("region", "kind")] == [before[name] for name in ("region", "kind")]


def test_the_file_of_refused_rows_is_corrected_and_imported(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.csv", "企业名称,电话,备注\n甲,13912345678,\n乙,1391234,=1+1\n")
    done = import_file(lite, "firm", path)
    with lite.session() as session:
        text = open_file(session, done.rejects or 0).stream.read().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1] == [
        "乙",
        "1391234",
        "'=1+1",
        "3",
        "电话：“1391234”不是有效的电话号码",
    ]
    again = import_file(lite, "firm", sheet(tmp_path / "b.csv", text.replace("1391234", "13912345678")))
    assert figures(again) == (1, 0, 0, 0)
    assert firms(lite)[1]["notes"] == "=1+1"


def test_the_header_of_real_input_is_understood(lite: Site, tmp_path: Path) -> None:
    path = make_book(1, seed=1, one_wrong_in=2).write(tmp_path / "a.csv", "utf-8")
    with lite.session() as session:
        found = preview(session, "firm", path, "a.csv")
    assert [c.header for c in found.columns if c.field is None] == [HEADER[-1]]
