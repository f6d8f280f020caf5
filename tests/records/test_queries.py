"""Lists: pages, sorting, counting, filters and search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metadata.model import Filter
from runtime import records
from runtime.errors import BadQuery, NotFound
from runtime.query.search import search
from runtime.query.select import CAP, Query, parse_sort, parse_where, run
from runtime.site import Session, Site
from runtime.views.binder import Binder
from runtime.views.filters import BoundFilter, bind_filter, read_filter


def fill(site: Site, count: int = 23) -> None:
    rows: list[dict[str, Any]] = []
    for i in range(count):
        born = None if i % 5 == 0 else f"202{i % 4}-01-0{1 + i % 3}"
        rows.append({"name": f"客户{i % 7}", "born": born, "revenue": i % 4 or None, "stage": ["new", "won"][i % 2]})
        if i % 5:
            rows[-1]["born"] = f"20{i + 10}-01-01"
    with site.session(write=True) as session:
        assert all(isinstance(a, records.Saved) for a in records.create_many(session, "account", rows))


@pytest.mark.parametrize(
    "sort",
    ["", "name", "-name", "born", "-born", "revenue,-born", "-revenue,name", "stage,-id", "owner", "-created_at"],
)
def test_pages_by_cursor_give_every_record_once_in_order(site: Site, sort: str) -> None:
    fill(site)
    with site.session() as session:
        wanted = parse_sort(session, "account", sort)
        whole = [r.id for r in run(session, Query(entity="account", sort=wanted, limit=100)).rows]
        paged: list[int] = []
        cursor = None
        while True:
            page = run(session, Query(entity="account", sort=wanted, limit=4, cursor=cursor))
            paged += [r.id for r in page.rows]
            cursor = page.next
            if cursor is None:
                break
        by_number = [
            r.id for n in range(1, 7) for r in run(session, Query(entity="account", sort=wanted, limit=4, page=n)).rows
        ]
    assert len(whole) == 23
    assert paged == whole
    assert by_number == whole


def test_nothing_sorts_lowest_and_names_by_pinyin(site: Site) -> None:
    with site.session(write=True) as session:
        for name, employees in (("张三", 5), ("李四", None), ("阿里", 2), ("bob", 9)):
            records.create(session, "account", {"name": name, "employees": employees})

    def names(sort: str) -> list[str]:
        with site.session() as session:
            query = Query(entity="account", select=("name",), sort=parse_sort(session, "account", sort))
            return [r.values["name"] for r in run(session, query).rows]

    assert names("employees") == ["李四", "阿里", "张三", "bob"]
    assert names("-employees") == ["bob", "张三", "阿里", "李四"]
    assert names("name") == ["阿里", "bob", "李四", "张三"]


def test_counts_are_exact_below_the_cap(site: Site) -> None:
    fill(site, 12)
    with site.session() as session:
        capped = run(session, Query(entity="account", limit=5, count="capped"))
        exact = run(session, Query(entity="account", limit=5, page=3, count="exact"))
    assert (capped.count, capped.count_capped) == (12, False)
    assert (exact.count, len(exact.rows)) == (12, 2)
    assert CAP == 1000


@pytest.mark.attack("N36", "N37", "N39")
@pytest.mark.parametrize(
    "text", ["(select 1)", "id;--", "name desc,1", "lower(name)", "name--", "1", "*", "name.x", "owner.password", "id)"]
)
def test_sorting_and_selecting_take_field_names_only(local: Site, text: str) -> None:
    with local.session() as session:
        with pytest.raises(BadQuery):
            parse_sort(session, "account", text)
        with pytest.raises(BadQuery):
            run(session, Query(entity="account", select=(text,)))
        with pytest.raises(BadQuery):
            parse_where(session, "account", f"{text} == 'x' union select 1")


@pytest.mark.attack("N39", "N98")
@pytest.mark.parametrize("cursor", ["", "x", "W10", "eyJhIjoxfQ", "WzFd", "a" * 5000, "W1sicyIsIngiXSwgMV0", "\x00"])
def test_a_made_up_cursor_is_refused(local: Site, cursor: str) -> None:
    with local.session() as session:
        sort = parse_sort(session, "account", "name,born")
        with pytest.raises(BadQuery):
            run(session, Query(entity="account", sort=sort, cursor=cursor))
        for limit in (0, -1, 10**9):
            with pytest.raises(BadQuery):
                run(session, Query(entity="account", limit=limit))


def test_search_finds_two_characters_initials_and_last_digits(site: Site) -> None:
    with site.session(write=True) as session:
        tencent = records.create(session, "account", {"name": "深圳市腾讯科技有限公司", "phone": "13812345678"}).id
        other = records.create(session, "account", {"name": "Shanghai Metal Works", "note": "百分之_100%"}).id

    def found(text: str) -> list[int]:
        with site.session() as session:
            hits = [h.id for h in search(session, text, ["account"])]
            assert hits == [r.id for r in run(session, Query(entity="account", q=text)).rows][::-1] or len(hits) < 2
            return hits

    for text in ("腾讯", "科技", "深圳市腾讯", "szstx", "5678", "13812345678", "腾讯 科技", "A2026-0001"):
        assert found(text) == [tencent], text
    for text in ("metal", "SHANGHAI", "met", "百分"):
        assert found(text) == [other], text
    for text in (
        "讯腾",
        "深讯",
        "%",
        "_",
        "\\",
        "'",
        '"',
        "a" * 10_000,
        "腾讯 metal",
        "NEAR(",
        "f0:腾讯x",
        "-",
        "* OR",
    ):
        assert found(text) == [], text
    with site.session(write=True) as session:
        records.update(session, "account", tencent, {"name": "阿里巴巴"})
        records.delete(session, "account", other)
    assert found("腾讯") == []
    assert found("阿里") == [tencent]
    assert found("metal") == []


def test_a_list_page_takes_at_most_four_statements(local: Site) -> None:
    import sqlalchemy as sa

    fill(local)
    said: list[str] = []
    with local.session() as session:
        sort = parse_sort(session, "account", "-revenue")
        where = parse_where(session, "account", "stage == 'new'")
        sa.event.listen(session.connection.engine, "before_cursor_execute", lambda *a: said.append(a[2]))
        for rows in (1, 3, 10):
            said.clear()
            select = ("name", "owner", "owner.name", "unit", "groups", "revenue", "parent", "age_days")
            run(session, Query(entity="account", select=select, sort=sort, where=(where,), limit=rows, count="capped"))
            assert 1 <= len(said) <= 4, said


def test_a_number_no_record_can_have_is_not_found(site: Site) -> None:
    with site.session() as session, pytest.raises(NotFound):
        records.read(session, "account", 77_262_357_506_143)


def test_one_search_after_another_finds_its_own(site: Site) -> None:
    """They share their statement; what is looked for, the page, the cursor and the count are each search's own."""
    fill(site)
    with site.session() as session:
        rows = run(session, Query(entity="account", select=("name",), limit=100)).rows
        wanted = {f"客户{n}": {r.id for r in rows if r.values["name"] == f"客户{n}"} for n in range(7)}
        for text in ("客户1", "客户2", "", "客户1", "没有这样的", "客户6"):
            found = wanted.get(text, set()) if text else {r.id for r in rows}
            whole = run(session, Query(entity="account", q=text or None, limit=100, count="exact"))
            assert ({r.id for r in whole.rows}, whole.count) == (found, len(found))
            paged = [
                r.id
                for n in (1, 2, 3)
                for r in run(session, Query(entity="account", q=text or None, limit=2, page=n)).rows
            ]
            assert set(paged) <= found
            assert len(set(paged)) == min(6, len(found))
            first = run(session, Query(entity="account", q=text or None, limit=2))
            if first.next:
                after = run(session, Query(entity="account", q=text or None, limit=2, cursor=first.next))
                assert {r.id for r in after.rows} <= found - {r.id for r in first.rows}


ENDS = [
    ("revenue", "1", "3"), ("revenue", "0.5", ""), ("revenue", "", "2.0000"), ("revenue", "-1", "999999999999"),
    ("employees", "3", "8"), ("share", "12.5", "50"), ("born", "2015-01-01", "2021-12-31"), ("born", "", "2022-01-01"),
    ("open_sum", "0", "100"),
]  # fmt: skip


def bound_filter(site: Site, session: Session, name: str) -> BoundFilter:
    bound = bind_filter(Binder(session), "account", Filter(path=(name,)))
    assert bound is not None
    return bound


def test_ranges_find_the_same_with_their_ends_given_at_each_run(site: Site) -> None:
    fill(site)
    with site.session(write=True) as session:
        for n in range(8):
            records.create(session, "account", {"name": f"N{n}", "employees": n, "share": n * 10, "revenue": n})
    with site.session() as session:
        for name, low, high in ENDS:
            bound = bound_filter(site, session, name)
            found = read_filter(bound, {f"f.{name}.from": [low], f"f.{name}.to": [high]})
            assert found.where is not None
            assert found.form is not None, name
            plain = Query(entity="account", where=(parse_where(session, "account", found.where),), limit=100)
            form = parse_where(session, "account", found.form.where, found.form.types)
            late = Query(entity="account", where=(form,), given=found.form.values, limit=100, count="exact")
            wanted = [r.id for r in run(session, plain).rows]
            assert [r.id for r in run(session, late).rows] == wanted, (name, low, high)
            again = replace(late, page=2, limit=1)
            assert [r.id for r in run(session, again).rows] == wanted[1:2]
            assert run(session, again).count == len(wanted)
        assert wanted


def test_a_range_is_one_statement_whatever_its_ends(site: Site) -> None:
    fill(site)
    with site.session() as session:
        bound = bound_filter(site, session, "revenue")
        kept = session.tables.area("selects")
        kept.clear()
        answers = []
        for low in ("1", "2", "3", "2.5"):
            form = read_filter(bound, {"f.revenue.from": [low]}).form
            assert form is not None
            where = parse_where(session, "account", form.where, form.types)
            answers.append(len(run(session, Query(entity="account", where=(where,), given=form.values)).rows))
        assert len(kept) == 1
    assert answers[0] > answers[1] > answers[2] == answers[3] > 0


@pytest.mark.parametrize(
    ("name", "low"), [("employees", "1.5"), ("revenue", "1.00001"), ("revenue", "1e30"), ("born", "gestern"),
                      ("revenue", "NaN"), ("revenue", "999999999999999")]
)  # fmt: skip
def test_ends_the_field_cannot_hold_are_written_out_or_ignored(site: Site, name: str, low: str) -> None:
    with site.session() as session:
        assert read_filter(bound_filter(site, session, name), {f"f.{name}.from": [low]}).form is None
