"""Records with their lines in one sheet: one plan for trial and run, repeated without effect, taken back whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime.exchange import Request, Status, import_file, preview, undo_import
from runtime.exchange import imports as imports_module
from runtime.exchange.mapping import BadMapping
from runtime.exchange.state import all_refused
from runtime.exchange.unknown import unknown_values
from runtime.records import read, update
from runtime.site import Site

BLANK = """主题,备注,明细/产品,明细.数量,明细 / 单价
甲单,急,软件许可,10,120
,,H1,2,"5,000"
乙单,,培训,1,800
丙单,,,,
"""
REPEATED = """主题,备注,明细/产品,明细/数量
甲单,急,软件许可,10
甲单,急,台式机,2
乙单,,培训,1
"""


def sheet(folder: Path, text: str, name: str = "orders.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def deals(site: Site) -> dict[str, list[tuple[str | None, Decimal, Decimal | None]]]:
    """`{subject: [(product, quantity, price)]}` of what is there, lines in their order."""
    with site.session() as session:
        deal, line, item = (session.table(n) for n in ("deal", "deal_line", "item"))
        living = sa.select(deal.c.id, deal.c.name).where(deal.c.deleted_at.is_(None)).order_by(deal.c.id)
        found: dict[str, list[Any]] = {name: [] for _, name in session.connection.execute(living)}
        lines = (
            sa.select(deal.c.name, item.c.name, line.c.quantity, line.c.price)
            .join_from(line, deal)
            .join(item, isouter=True)
            .where(deal.c.deleted_at.is_(None), line.c.deleted_at.is_(None))
            .order_by(line.c.position)
        )
        for name, product, quantity, price in session.connection.execute(lines):
            found[name].append((product, quantity, price))
    return found


def id_of(site: Site, name: str) -> int:
    with site.session() as session:
        deal = session.table("deal")
        return int(session.connection.scalars(sa.select(deal.c.id).where(deal.c.name == name)).one())


def figures(found: Status) -> tuple[int, int, int, int]:
    return (found.created, found.updated, found.same, found.rejected)


def refusals(site: Site, import_id: int) -> dict[int, list[tuple[str | None, str]]]:
    with site.session() as session:
        return {row[0]: [(p["column"], p["code"]) for p in told] for row, told in all_refused(session, import_id)}


def both(site: Site, path: Path, **asked: Any) -> Status:
    """The trial, then the run; they must say the same."""
    tried = import_file(site, "deal", path, user_id=1, request=Request(dry_run=True, **asked))
    done = import_file(site, "deal", path, user_id=1, request=Request(**asked))
    assert (figures(tried), tried.lines) == (figures(done), done.lines)
    assert refusals(site, tried.id) == refusals(site, done.id)
    assert done.done == done.total
    return done


def test_columns_of_lines_are_understood(lite: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path, "主题,明细/产品编号,明细.数量,lines.price,明细/没有,Lines/Product.code\n甲,x,1,2,3,4\n")
    with lite.session(1) as session:
        seen = preview(session, "deal", path, path.name)
        assert [c.path for c in seen.columns] == [
            "name",
            None,
            "lines.quantity",
            "lines.price",
            None,
            "lines.item.code",
        ]
        with pytest.raises(BadMapping):
            preview(session, "deal", path, path.name, Request(mapping={"明细/没有": "lines.deal.nothing"}))
        with pytest.raises(BadMapping):  # what is hidden is not there
            preview(session, "deal", path, path.name, Request(mapping={"明细/没有": "lines.cost"}))


@pytest.mark.parametrize("text", [BLANK, REPEATED], ids=["blank", "repeated"])
def test_records_land_with_their_lines(site: Site, tmp_path: Path, text: str) -> None:
    done = both(site, sheet(tmp_path, text))
    assert done.created == (3 if text is BLANK else 2)
    assert done.lines == {"created": 3, "updated": 0, "same": 0, "removed": 0}
    found = deals(site)
    assert [(p, q) for p, q, _ in found["甲单"]] == [("软件许可", Decimal(10)), ("台式机", Decimal(2))]
    assert [(p, q) for p, q, _ in found["乙单"]] == [("培训", Decimal(1))]
    if text is BLANK:
        assert found["丙单"] == []
        with site.session(1) as session:
            assert read(session, "deal", id_of(site, "甲单")).values["total"] == Decimal("11200.00")


def test_again_with_a_key_it_changes_what_differs_and_adds_nothing(site: Site, tmp_path: Path) -> None:
    import_file(site, "deal", sheet(tmp_path, BLANK), user_id=1)
    same = both(site, sheet(tmp_path, REPEATED, "b.csv"), match=("name",))
    assert figures(same) == (0, 0, 2, 0)
    assert same.lines == {"created": 0, "updated": 0, "same": 3, "removed": 0}
    changed = "主题,备注,明细/产品,明细/数量\n甲单,急,台式机,3\n,,培训,4\n乙单,新,,\n丁单,,培训,1\n,,培训,2\n"
    before = deals(site)
    done = both(site, sheet(tmp_path, changed, "c.csv"), match=("name",))
    assert figures(done) == (1, 2, 0, 0)
    assert done.lines == {"created": 3, "updated": 1, "same": 0, "removed": 0}
    found = deals(site)
    assert [(p, q) for p, q, _ in found["甲单"]] == [("软件许可", 10), ("台式机", 3), ("培训", 4)]
    assert [price for _, _, price in found["甲单"]] == [120, 5000, None]  # what the sheet does not name stays
    assert [(p, q) for p, q, _ in found["丁单"]] == [("培训", 1), ("培训", 2)]
    again = both(site, sheet(tmp_path, changed + "\n", "d.csv"), match=("name",))
    assert (figures(again), (again.lines or {})["same"]) == ((0, 0, 3, 0), 4)
    undone = undo_import(site, done.id, user_id=1)
    assert (undone.removed, undone.restored, undone.kept) == (1, 2, ())
    assert deals(site) == before


def test_lines_that_are_not_named_go_only_where_asked_and_come_back(site: Site, tmp_path: Path) -> None:
    import_file(site, "deal", sheet(tmp_path, BLANK), user_id=1)
    before = deals(site)
    text = "主题,明细/产品,明细/数量\n甲单,培训,1\n"
    done = both(site, sheet(tmp_path, text, "b.csv"), match=("name",), clear=True)
    assert done.lines == {"created": 1, "updated": 0, "same": 0, "removed": 2}
    assert [p for p, _, _ in deals(site)["甲单"]] == ["培训"]
    undo_import(site, done.id, user_id=1)
    assert deals(site) == before


def test_an_import_of_records_with_lines_is_taken_back_whole(site: Site, tmp_path: Path) -> None:
    done = import_file(site, "deal", sheet(tmp_path, BLANK), user_id=1)
    mine = id_of(site, "乙单")
    with site.session(1, write=True) as session:
        update(session, "deal", mine, {"lines": [{"item": 1, "quantity": 7}]})
    undone = undo_import(site, done.id, user_id=1)
    assert (undone.removed, undone.kept) == (2, (mine,))
    assert list(deals(site)) == ["乙单"]
    with site.session() as session:
        line = session.table("deal_line")
        living = sa.select(line.c.deal).where(line.c.deleted_at.is_(None))
        assert set(session.connection.scalars(living)) == {mine}


def test_one_bad_row_keeps_its_whole_record_out(site: Site, tmp_path: Path) -> None:
    text = (
        "主题,备注,明细/产品,明细/数量\n"
        "甲单,急,软件许可,10\n,,没有,2\n,,培训,-1\n"  # rows 2 to 4
        "乙单,,培训,1\n,,培训,\n"  # a line without its quantity
        "丙单,旧,培训,1\n丙单,新,台式机,1\n"  # two remarks: two records where no key says otherwise
    )
    done = both(site, sheet(tmp_path, text))
    assert figures(done) == (2, 0, 0, 5)
    assert refusals(site, done.id) == {
        2: [(None, "import.held_back")],
        3: [("明细/产品", "value.unknown_record")],
        4: [("明细/数量", "value.too_small")],
        5: [(None, "import.held_back")],
        6: [("明细/数量", "required")],
    }
    assert set(deals(site)["丙单"]) == {("培训", 1, None), ("台式机", 1, None)}
    with site.session(1) as session:
        assert [(u.field, u.text) for u in unknown_values(session, done.id)] == [("lines.item", "没有")]


def test_with_a_key_rows_of_one_record_must_agree(site: Site, tmp_path: Path) -> None:
    text = "主题,备注,明细/产品,明细/数量\n丙单,旧,培训,1\n丙单,新,台式机,1\n丁单,,培训,1\n丙单,,培训,5\n"
    done = both(site, sheet(tmp_path, text), match=("name",))
    assert (figures(done), list(deals(site))) == ((1, 0, 0, 3), ["丁单"])
    assert refusals(site, done.id)[3] == [("备注", "import.differs")]
    assert refusals(site, done.id)[5] == [("主题", "import.key_twice")]


def test_what_was_refused_lands_once_its_reason_is_gone(site: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path, "主题,明细/产品,明细/数量\n甲单,培训,1\n,新品,2\n乙单,培训,1\n")
    first = import_file(site, "deal", path, user_id=1)
    assert (figures(first), list(deals(site))) == ((1, 0, 0, 2), ["乙单"])
    with site.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        session.connection.execute(sa.insert(session.table("item")).values(name="新品", **stamp))
    again = import_file(site, "deal", path, user_id=1)
    assert (again.id, figures(again)) == (first.id, (2, 0, 0, 0))
    assert [p for p, _, _ in deals(site)["甲单"]] == ["培训", "新品"]


def test_texts_of_lines_may_be_given_a_meaning(site: Site, tmp_path: Path) -> None:
    path = sheet(tmp_path, "主题,明细/产品,明细/数量\n甲单,电脑,1\n")
    done = both(site, path, values={"lines.item": {"电脑": "2"}})
    assert (done.rejected, [p for p, _, _ in deals(site)["甲单"]]) == (0, ["台式机"])


def test_a_record_is_never_cut_between_batches(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_module, "BATCH", 2)
    rows = "".join(f"单{n},,培训,1\n" + ",,台式机,2\n" * n for n in range(6))
    path = sheet(tmp_path, "主题,备注,明细/产品,明细/数量\n" + rows)
    stops = iter([False, False, True])
    stopped = import_file(site, "deal", path, user_id=1, stop=lambda: next(stops, False))
    assert stopped.state == "waiting"
    assert 0 < stopped.created < 6
    done = import_file(site, "deal", path, user_id=1)
    assert (figures(done), done.done) == ((6, 0, 0, 0), 21)
    assert {name: len(lines) for name, lines in deals(site).items()} == {f"单{n}": n + 1 for n in range(6)}


def test_lines_of_somebody_else_stay_as_they_are(site: Site, tmp_path: Path) -> None:
    import_file(site, "deal", sheet(tmp_path, BLANK), user_id=1)
    before = deals(site)
    path = sheet(tmp_path, "主题,明细/产品,明细/数量\n甲单,培训,9\n", "b.csv")
    done = import_file(site, "deal", path, user_id=2, request=Request(match=("name",), mode="update", clear=True))
    assert (done.updated, done.skipped) == (0, 1)
    assert deals(site) == before
