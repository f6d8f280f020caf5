"""Creating, changing, removing and restoring records through the one door."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from runtime import records
from runtime.errors import Conflict, NotFound, Refused, Stale
from runtime.site import Site
from tests.records.world import content


def test_create_numbers_defaults_and_formulas(site: Site) -> None:
    with site.session(write=True) as session:
        saved = records.create(session, "account", {"name": " 腾讯 ", "revenue": "1,000.5", "cost": 300})
    assert (saved.number, saved.version) == ("A2026-0001", 1)
    with site.session() as session:
        found = records.read(session, "account", saved.id).values
    assert found["name"] == "腾讯"
    assert found["profit"] == Decimal("700.5")
    assert (found["stage"], found["active"], found["deal_count"]) == ("new", True, 0)


def test_lines_are_replaced_by_id_and_raise_the_version(site: Site) -> None:
    with site.session(write=True) as session:
        lines = [{"item": "a", "price": 10}, {"item": "b", "quantity": "2", "price": 5}]
        saved = records.create(session, "deal", {"name": "D", "discount": 10, "lines": lines})
    with site.session() as session:
        first = records.read(session, "deal", saved.id)
    assert first.values["total"] == Decimal(18)
    a, b = first.values["lines"]
    with site.session(write=True) as session:
        changed = [{"id": b.id, "price": 7}, {"item": "c", "price": 1}]
        again = records.update(session, "deal", saved.id, {"lines": changed})
    assert again.version == 2
    with site.session() as session:
        found = records.read(session, "deal", saved.id)
    assert [(line.values["item"], line.values["amount"]) for line in found.values["lines"]] == [("b", 14), ("c", 1)]
    assert found.values["lines"][0].id == b.id
    assert a.id not in [line.id for line in found.values["lines"]]
    assert found.values["total"] == Decimal("13.5")
    with site.session(write=True) as session, pytest.raises(Refused) as refused:
        records.update(session, "deal", saved.id, {"lines": [{"id": a.id, "price": 1}]})
    assert refused.value.problems[0].field == "lines.0.id"


def test_rollups_follow_creating_changing_moving_and_removing(site: Site) -> None:
    def sums(account: int) -> tuple[object, ...]:
        with site.session() as session:
            found = records.read(session, "account", account).values
        return found["deal_count"], found["open_sum"], found["deal_max"], found["big"], found["best"]

    with site.session(write=True) as session:
        one = records.create(session, "account", {"name": "one"}).id
        two = records.create(session, "account", {"name": "two"}).id
        deal = records.create(session, "deal", {"name": "D", "account": one, "lines": [{"item": "x", "price": 90}]}).id
        records.create(session, "deal", {"name": "E", "account": one, "lines": [{"item": "y", "price": 20}]})
    assert sums(one) == (2, 110, 90, True, False)
    with site.session(write=True) as session:
        records.update(session, "deal", deal, {"account": two})
    assert sums(one) == (1, 20, 20, False, False)
    assert sums(two) == (1, 90, 90, False, False)
    with site.session(write=True) as session:
        records.update(session, "deal", deal, {"closed": True})
        line = records.read(session, "deal", deal).values["lines"][0]
        records.update(session, "deal_line", line.id, {"price": 2000})
    assert sums(two) == (1, 0, 2000, False, True)
    with site.session(write=True) as session:
        records.delete(session, "deal", deal)
    assert sums(two) == (0, 0, None, False, False)
    with site.session(write=True) as session:
        records.restore(session, "deal", deal)
    assert sums(two) == (1, 0, 2000, False, True)


def test_a_change_reaches_formulas_over_links(site: Site) -> None:
    with site.session(write=True) as session:
        account = records.create(session, "account", {"name": "old"}).id
        deal = records.create(session, "deal", {"name": "D", "account": account}).id
        records.update(session, "account", account, {"name": "new"})
        found = records.read(session, "deal", deal)
    assert found.values["account_name"] == "new"
    assert found.version == 1  # a computed write raises no version


def test_stale_version_is_refused_with_what_differs(site: Site) -> None:
    with site.session(write=True) as session:
        saved = records.create(session, "account", {"name": "a"})
        records.update(session, "account", saved.id, {"name": "b"}, version=1)
    with site.session(write=True) as session, pytest.raises(Stale) as stale:
        records.update(session, "account", saved.id, {"name": "c"}, version=1)
    assert stale.value.current_version == 2
    assert stale.value.differing == {"name": "b"}


def test_an_update_that_changes_nothing_writes_nothing(site: Site) -> None:
    with site.session(write=True) as session:
        saved = records.create(session, "account", {"name": "a", "groups": ["new", "won"]})
        before = content(session)
        same = records.update(session, "account", saved.id, {"name": "a", "groups": ["won", "new"]})
        assert content(session) == before
    assert same.version == 1


def test_unique_holds_among_the_living(site: Site) -> None:
    with site.session(write=True) as session:
        first = records.create(session, "account", {"name": "a", "tax_no": "X1"}).id
        with pytest.raises(Refused) as refused:
            records.create(session, "account", {"name": "b", "tax_no": "X1"})
        assert [(p.field, p.code) for p in refused.value.problems] == [("tax_no", "unique")]
        records.delete(session, "account", first)
        records.create(session, "account", {"name": "b", "tax_no": "X1"})
        with pytest.raises(Conflict) as twin:
            records.restore(session, "account", first)
    assert twin.value.code == "restore_twin"


def test_unique_together(site: Site) -> None:
    with site.session(write=True) as session:
        records.create(session, "account", {"name": "a", "born": "2020-01-01"})
        records.create(session, "account", {"name": "a", "born": "2020-01-02"})
        with pytest.raises(Refused) as refused:
            records.create(session, "account", {"name": "a", "born": date(2020, 1, 1)})
    assert refused.value.problems[0].code == "unique_together"


def test_conditions_hide_require_and_lock(site: Site) -> None:
    with site.session(write=True) as session:
        with pytest.raises(Refused) as hidden:
            records.create(session, "account", {"name": "a", "reason": "why"})
        assert [(p.field, p.code) for p in hidden.value.problems] == [("reason", "hidden_by_rule")]
        with pytest.raises(Refused) as needed:
            records.create(session, "account", {"name": "a", "stage": "lost"})
        assert [(p.field, p.code) for p in needed.value.problems] == [("reason", "required")]
        saved = records.create(session, "account", {"name": "a", "stage": "won", "limit": None})
        with pytest.raises(Refused) as fixed:
            records.update(session, "account", saved.id, {"limit": 5, "stage": "new"})
        assert [(p.field, p.code) for p in fixed.value.problems] == [("limit", "readonly")]


def test_every_problem_is_reported_at_once(site: Site) -> None:
    bad = {"revenue": "-1", "born": "nonsense", "stage": "gone", "nothing": 1, "profit": 3}
    with site.session(write=True) as session, pytest.raises(Refused) as refused:
        records.create(session, "account", bad)
    assert {p.field for p in refused.value.problems} == {"name", "revenue", "born", "stage", "nothing", "profit"}


def test_trees_refuse_cycles(site: Site) -> None:
    with site.session(write=True) as session:
        top = records.create(session, "account", {"name": "top"}).id
        mid = records.create(session, "account", {"name": "mid", "parent": top}).id
        low = records.create(session, "account", {"name": "low", "parent": mid}).id
        for target in (top, mid, low):
            with pytest.raises(Refused) as refused:
                records.update(session, "account", top, {"parent": target})
            assert refused.value.problems[0].code == "own_ancestor"


def test_recycling_takes_lines_and_cascades_and_restores_exactly_those(site: Site) -> None:
    with site.session(write=True) as session:
        deal = records.create(session, "deal", {"name": "D", "lines": [{"item": "a"}, {"item": "b"}]}).id
        kept, gone = records.read(session, "deal", deal).values["lines"]
        records.update(session, "deal", deal, {"lines": [{"id": kept.id}]})
        memo = records.create(session, "memo", {"text": "m", "deal": deal}).id
        earlier = records.create(session, "memo", {"text": "n", "deal": deal}).id
        records.delete(session, "memo", earlier)
        records.delete(session, "deal", deal)
        with pytest.raises(NotFound):
            records.read(session, "memo", memo)
        records.restore(session, "deal", deal)
        assert [line.id for line in records.read(session, "deal", deal).values["lines"]] == [kept.id]
        records.read(session, "memo", memo)
        with pytest.raises(NotFound):
            records.read(session, "memo", earlier)
        with pytest.raises(NotFound):
            records.read(session, "deal_line", gone.id)


def test_links_refuse_or_clear_when_their_target_goes(site: Site) -> None:
    with site.session(write=True) as session:
        account = records.create(session, "account", {"name": "a"}).id
        other = records.create(session, "account", {"name": "b"}).id
        deal = records.create(session, "deal", {"name": "D", "account": account, "backup": other}).id
        with pytest.raises(Conflict) as used:
            records.delete(session, "account", account)
        assert used.value.code == "in_use"
        records.delete(session, "account", other)
        assert records.read(session, "deal", deal).values["backup"] is None


def test_purge_removes_for_ever(site: Site) -> None:
    with site.session(write=True) as session:
        deal = records.create(session, "deal", {"name": "D", "lines": [{"item": "a"}]}).id
        records.delete(session, "deal", deal)
        records.purge(session, "deal", deal)
        with pytest.raises(NotFound):
            records.restore(session, "deal", deal)


def test_missing_and_recycled_targets_are_refused(site: Site) -> None:
    with site.session(write=True) as session:
        gone = records.create(session, "account", {"name": "gone"}).id
        records.delete(session, "account", gone)
        for target in (gone, 999_999):
            with pytest.raises(Refused) as refused:
                records.create(session, "deal", {"name": "D", "account": target})
            assert [(p.field, p.code) for p in refused.value.problems] == [("account", "no_such_record")]


def test_links_to_many(site: Site) -> None:
    with site.session(write=True) as session:
        a = records.create(session, "account", {"name": "a"}).id
        b = records.create(session, "account", {"name": "b", "friends": [a]}).id
        found = records.read(session, "account", b)
        assert (found.values["friends"], found.titles["friends"]) == ((a,), ("a",))
        records.update(session, "account", b, {"friends": []})
        found = records.read(session, "account", b)
    assert found.values["friends"] == ()


def test_history_tells_every_change_and_the_record_as_it_was(site: Site) -> None:
    with site.session(write=True) as session:
        deal = records.create(session, "deal", {"name": "D", "lines": [{"item": "a", "price": 1}]}).id
    before = site.clock.now()
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    with site.session(write=True) as session:
        records.update(session, "deal", deal, {"name": "E", "discount": 5, "lines": []})
        events = records.history(session, "deal", deal)
        was = records.read_at(session, "deal", deal, before)
    assert [e.operation for e in events] == ["update", "create"]
    assert events[0].changes["name"] == ("D", "E")
    assert events[0].changes["discount"] == (Decimal(0), Decimal(5))
    assert was.values["name"] == "D"
    assert [line.values["item"] for line in was.values["lines"]] == ["a"]


def test_stage_log_counts_the_time_in_each_value(site: Site) -> None:
    with site.session(write=True) as session:
        account = records.create(session, "account", {"name": "a"}).id
    site.clock.advance(days=2)  # type: ignore[attr-defined]
    with site.session(write=True) as session:
        records.update(session, "account", account, {"stage": "won"})
        rows = session.connection.execute(session.table("stage_log").select()).mappings().all()
    moves = [(r["from_value"], r["to_value"], r["seconds"]) for r in rows]
    assert moves == [(None, "new", None), ("new", "won", 2 * 86400)]


def test_money_keeps_a_copy_in_the_sites_currency_at_a_frozen_rate(site: Site) -> None:
    with site.session(write=True) as session:
        for code, scale in (("USD", 2), ("CNY", 2), ("JPY", 0)):
            records.create(session, "currency", {"code": code, "name": code, "scale": scale})
        records.create(session, "rate", {"currency": "USD", "day": "2020-01-01", "rate": "7.1"})
        records.create(session, "rate", {"currency": "JPY", "day": "2020-01-01", "rate": "0.05"})
    site.facts = None
    site.cache.clear()
    with site.session(write=True) as session:
        usd = records.create(session, "foreign", {"name": "u", "amount": "10.005"}).id
        yen = records.create(session, "foreign", {"name": "y", "amount": "10.5", "currency": "JPY"}).id
        table = session.table("foreign")
        rows = {r.id: r for r in session.connection.execute(table.select())}
    assert (rows[usd].amount, rows[usd].double, rows[usd].amount__base) == (
        Decimal("10.01"), Decimal("20.02"), Decimal("71.07"))  # fmt: skip
    assert (rows[yen].amount, rows[yen].double, rows[yen].double__base) == (11, 22, Decimal("1.10"))
    with site.session(write=True) as session:
        records.create(session, "rate", {"currency": "USD", "day": "2021-01-01", "rate": "8"})
    site.facts = None
    with site.session(write=True) as session:
        records.update(session, "foreign", usd, {"amount": 20})
        row = session.connection.execute(table.select().where(table.c.id == usd)).one()
    assert row.amount__base == 142


def test_many_are_created_all_or_none_or_each_for_itself(site: Site) -> None:
    rows = [{"name": f"n{i}", "employees": i} for i in range(5)] + [{"name": "bad", "employees": -1}]
    with site.session(write=True) as session:
        before = content(session)
        with pytest.raises(Refused) as refused:
            records.create_many(session, "account", rows)
        assert [p.field for p in refused.value.problems] == ["rows.5.employees"]
        assert content(session) == before
        answers = records.create_many(session, "account", rows, atomic=False)
    assert [isinstance(a, records.Saved) for a in answers] == [True] * 5 + [False]


def test_evaluate_form_computes_without_saving(site: Site) -> None:
    with site.session() as session:
        state = records.evaluate_form(
            session, "account", None, {"name": "x", "revenue": 10, "cost": 3, "stage": "lost"}
        )
    assert state.values["profit"] == 7
    assert (state.visible["reason"], state.required["reason"]) == (True, True)
    assert (state.why["reason"].effect, state.why["reason"].rule) == ("required", "stage == 'lost'")
    with site.session() as session:
        lines = [{"item": "a", "price": 5, "quantity": 3}]
        state = records.evaluate_form(session, "deal", None, {"name": "x", "lines": lines})
    assert state.values["total"] == 15
    assert state.values["lines"][0]["amount"] == 15


def test_a_line_may_be_replaced_by_one_that_is_equal_to_it(site: Site) -> None:
    with site.session(write=True) as session:
        person = records.create(session, "user", {"login": "equal", "name": "李", "roles": [{"role": "admin"}]})
        records.update(session, "user", person.id, {"roles": [{"role": "admin"}]})
        roles = records.read(session, "user", person.id).values["roles"]
        assert [line.values["role"] for line in roles] == ["admin"]
        with pytest.raises(Refused):
            records.update(session, "user", person.id, {"roles": [{"role": "admin"}, {"role": "admin"}]})
