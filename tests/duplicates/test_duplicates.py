"""Twins are found by kept keys: warned of, refused, told of without telling more than may be seen."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from rules.likeness import company, email, phone, words
from runtime import records
from runtime.duplicates import groups, keys, oracle
from runtime.duplicates.rule import REFUSED, WARNED
from runtime.errors import Refused, TooManyRequests
from runtime.publishing.backfill import duplicate_keys
from runtime.schema.internal_duplicates import duplicate_key
from runtime.views.duplicates import likely
from tests.duplicates.conftest import Arena, statements


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("宁波（中国）零件制造有限公司", "宁波(中国)零件制造"),
        ("上海零件制造股份有限公司", "上海 零件制造 公司"),
        ("ＡＢＣ 科技有限责任公司", "abc科技"),
        ("Ningbo Parts Co., Ltd.", "NINGBO PARTS"),
        ("The Parts Company", "Parts, Inc."),
    ],
)
def test_company_names_are_alike_without_their_form(left: str, right: str) -> None:
    assert company(left) == company(right)


def test_what_is_left_is_what_tells_companies_apart() -> None:
    assert company("零件制造有限公司宁波分公司") != company("零件制造有限公司")
    assert company("有限公司") == "有限公司"
    assert company("（）") is None
    assert company(None) is None
    assert phone("+86 138-0013-8000") == phone("13800138000") == "13800138000"
    assert phone("021-6888 1234") == phone("+862168881234")
    assert phone("110") is None
    assert email(" Ann@Example.com") == "ann@example.com"
    assert words("Ann-Marie O'Neil") == "annmarieoneil"


def test_a_twin_is_warned_of_and_refused_as_declared(arena: Arena) -> None:
    first = arena.make("ann", name="华东零件制造有限公司", town="上海", phone="13800000001", tax="T1")
    warned = arena.save("ann", name="Another", phone="138 0000 0001")
    assert [(w.code, w.field) for w in warned.warnings] == [(WARNED, "phone")]
    assert "华东零件制造有限公司" in warned.warnings[0].params["text"]
    with pytest.raises(Refused) as refused:
        arena.save("ann", name="Third", tax="t1")
    assert [(p.code, p.field) for p in refused.value.problems] == [(REFUSED, "tax")]
    assert arena.save("ann", name="华东零件制造", town="苏州").warnings == ()  # 60 points are not enough
    assert arena.save("ann", name="华东零件制造（有限公司）", town=" 上海").warnings  # 100 are
    assert arena.save("ann", name="华东零件制造", town="上海", closed=True).warnings == ()  # `when`
    with arena.as_("ann", write=True) as session:
        assert records.update(session, "firm", first, {"note": "x"}).warnings == ()  # no key has changed
        assert records.update(session, "firm", first, {"town": "上海 "}).warnings == ()


def test_records_of_other_entities_are_compared(arena: Arena) -> None:
    arena.make("ann", "prospect", company="北方物流有限公司", phone="13800000002")
    assert arena.save("ann", name="X", phone="13800000002").warnings
    arena.make("ann", name="南方物流", phone="13800000003")
    with pytest.raises(Refused):
        arena.save("ann", "prospect", company="南方物流有限公司", phone="13800000003")
    assert arena.save("ann", "prospect", company="南方物流有限公司", phone="13800000004").id  # one key is not enough


def test_keys_follow_every_way_of_writing(arena: Arena) -> None:
    made = arena.make("ann", name="Keys", phone="13800000011")

    def found() -> bool:
        with arena.as_("ann") as session:
            return bool(likely(session, "firm", None, {"name": "N", "phone": "13800000011"}).told)

    assert found()
    with arena.as_("ann", write=True) as session:
        records.update(session, "firm", made, {"phone": "13800000012"})
    assert not found()
    with arena.as_("ann", write=True) as session:
        records.update(session, "firm", made, {"phone": "13800000011"})
        records.delete(session, "firm", made)
    assert not found()
    with arena.as_("ann", write=True) as session:
        records.restore(session, "firm", made)
    assert found()


def test_keys_are_made_of_what_is_there(arena: Arena) -> None:
    arena.make("ann", name="Before", phone="13800000021")

    def rows(session: object) -> list[tuple[object, ...]]:
        wanted = sa.select(duplicate_key).where(duplicate_key.c.entity == "firm").order_by(*duplicate_key.c)
        return [tuple(row) for row in session.connection.execute(wanted)]  # type: ignore[attr-defined]

    with arena.site.session(write=True) as session:
        kept = rows(session)
        keys.clear(session, "firm")
        session.tables.memo.pop(("duplicates ready", "firm"), None)
        session.cache.clear()
        assert not keys.ready(session, "firm")
        keys.prepare(session, "firm")
        assert rows(session) == kept
        assert keys.ready(session, "firm")
    assert duplicate_keys is not None


def test_typing_tells_what_may_be_told_and_no_more(arena: Arena) -> None:
    mine = arena.make("ann", name="凌云机械有限公司", phone="13800000031")
    theirs = arena.make("ben", name="凌云机械（上海）", phone="13800000032", note="secret plans")
    with arena.as_("ann") as session:
        found = likely(session, "firm", None, {"name": "凌云机械"})
        assert {one.id for one in found.told} == {mine, None}
        hidden = next(one for one in found.told if one.id is None)
        assert (hidden.title, hidden.facts) == ("凌云机械（上海）", (("Owner", "B＊＊"),))
        assert str(theirs) not in repr(hidden).replace("13800000032", "")
        exact = likely(session, "firm", None, {"name": "N", "phone": "13800000032"})
        assert [(one.id, one.same) for one in exact.told] == [(None, ("Phone",))]
    with arena.as_("clara") as session:  # whoever does not see the phone is not told by it
        assert likely(session, "firm", None, {"name": "N", "phone": "13800000032"}).told == ()


def test_who_asks_about_what_he_may_not_see_is_stopped(arena: Arena) -> None:
    arena.make("ben", name="Out Of Sight", phone="13800000041")
    with arena.as_("ann") as session:
        for _ in range(oracle.A_MINUTE):
            assert likely(session, "firm", None, {"name": "N", "phone": "13800000041"}).told
        with pytest.raises(TooManyRequests):
            likely(session, "firm", None, {"name": "N", "phone": "13800000041"})
    with pytest.raises(TooManyRequests):  # saving is no way round
        arena.save("ann", name="N", phone="13800000041")
    with arena.as_("boss") as session:
        assert likely(session, "firm", None, {"name": "N", "phone": "13800000041"}).told


def test_a_batch_and_an_import_find_twins_among_themselves(arena: Arena) -> None:
    rows = [{"name": f"Batch {i}", "phone": f"1390000{i % 8:04}"} for i in range(10)]
    with arena.as_("ann", write=True, channel="import") as session:
        answers = records.create_many(session, "firm", rows, atomic=False)
    assert [isinstance(a, Refused) for a in answers] == [False] * 8 + [True] * 2
    with arena.as_("ann", write=True, channel="api") as session:
        answers = records.create_many(session, "firm", rows[:1], atomic=False)
    assert answers[0].warnings  # type: ignore[union-attr]


def test_statements_do_not_grow_with_rows(arena: Arena) -> None:
    arena.make("ann", name="Count", phone="13700000000")

    def sent(count: int) -> int:
        rows = [
            {"name": f"C{i}", "phone": f"1370000{i:04}", "email": f"c{i}.{count}@example.com"} for i in range(count)
        ]
        with arena.as_("ann", write=True, channel="api") as session:
            found = statements(session)
            records.create_many(session, "firm", rows, atomic=False)
            return len(found)

    sent(2)
    assert sent(3) == sent(30)


def test_groups_of_what_is_there(arena: Arena) -> None:
    several = [arena.make("ann", name=f"Group {i}", phone="13600000000") for i in range(3)]
    with arena.site.session(write=True) as session:
        groups.find_groups(session, {"entity": "firm"})
    with arena.as_("boss", write=True) as session:
        mine = [g for g in groups.groups_of(session, "firm", limit=500) if several[0] in g.records]
        assert [g.records for g in mine] == [tuple(several)]
        groups.put_aside(session, "firm", mine[0].id)
        groups.find_groups(session, {})
        assert not [g for g in groups.groups_of(session, "firm", limit=500) if several[0] in g.records]
    arena.make("ann", name="Group 4", phone="13600000000")
    with arena.site.session(write=True) as session:
        groups.find_groups(session, {})
        assert [g for g in groups.groups_of(session, "firm", limit=500) if several[0] in g.records]
