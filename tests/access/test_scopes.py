"""Row scopes and field rights, in every direction a record can be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from runtime import records
from runtime.errors import BadQuery, Forbidden, NotFound, Refused
from runtime.query.search import search
from runtime.query.select import Query, parse_sort, parse_where, run
from runtime.security.access import Access
from runtime.site import Session, Site
from tests.records.world import add_user, content


@dataclass
class People:
    head: int
    branch: int
    alice: int
    bob: int
    chief: int
    boss: int
    nobody: int


@pytest.fixture
def people(site: Site) -> People:
    with site.session(write=True) as session:
        head = records.create(session, "unit", {"name": "Head"}).id
        branch = records.create(session, "unit", {"name": "Branch", "parent": head}).id
    chief = add_user(site, "chief", "lead", unit=head)
    alice = add_user(site, "alice", "rep", unit=branch, manager=chief)
    bob = add_user(site, "bob", "rep", unit=head)
    return People(head, branch, alice, bob, chief, add_user(site, "boss", "boss"), add_user(site, "nob", "nobody"))


def make(site: Site, user: int, **values: object) -> int:
    with site.session(user, write=True) as session:
        return records.create(session, "account", {"name": "n", **values}).id


def seen(site: Site, user: int, entity: str = "account") -> set[int]:
    with site.session(user) as session:
        try:
            return {row.id for row in run(session, Query(entity=entity)).rows}
        except NotFound:
            return set()


def test_own_unit_and_all(site: Site, people: People) -> None:
    a, b = make(site, people.alice), make(site, people.bob)
    won = make(site, people.boss, stage="won", owner=None, unit=None)
    assert seen(site, people.alice) == {a}
    assert seen(site, people.bob) == {b}
    assert seen(site, people.chief) == {a, b, won}
    assert seen(site, people.boss) == {a, b, won}
    assert seen(site, people.nobody) == set()


@pytest.mark.attack("N01", "N14")
def test_what_one_may_not_see_is_not_there(site: Site, people: People) -> None:
    record = make(site, people.alice)
    with site.session(people.bob, write=True) as session:
        before = content(session)
        for attempt in (
            lambda i: records.read(session, "account", i),
            lambda i: records.update(session, "account", i, {"name": "x"}),
            lambda i: records.update(session, "account", i, {"name": 5, "nothing": 1}),
            lambda i: records.delete(session, "account", i),
            lambda i: records.restore(session, "account", i),
            lambda i: records.history(session, "account", i),
            lambda i: records.evaluate_form(session, "account", i, {}),
        ):
            answers = []
            for i in (record, 987_654):
                with pytest.raises(NotFound) as refused:
                    attempt(i)
                answers.append((refused.value.code, refused.value.params))
            assert answers[0] == answers[1]
        assert content(session) == before


def test_sharing_gives_reading_and_editing_apart(site: Site, people: People) -> None:
    record = make(site, people.alice)
    with site.session(write=True) as session:
        share = {"entity": "account", "record": record, "person": people.bob}
        one = records.create(session, "record_share", share).id
    assert seen(site, people.bob) == {record}
    with site.session(people.bob, write=True) as session, pytest.raises(Forbidden):
        records.update(session, "account", record, {"name": "x"})
    with site.session(write=True) as session:
        records.update(session, "record_share", one, {"may_edit": True})
    with site.session(people.bob, write=True) as session:
        assert records.update(session, "account", record, {"name": "x"}).version == 2
    with site.session(write=True) as session:
        records.update(session, "record_share", one, {"until": "2020-01-01T00:00:00Z"})
    assert seen(site, people.bob) == set()


@pytest.mark.attack("N15")
def test_a_person_in_no_team_or_unit_reaches_nothing_by_it(site: Site, people: People) -> None:
    make(site, people.alice)
    make(site, people.boss, unit=None, owner=None)
    loner = add_user(site, "loner", "mate")
    headless = add_user(site, "headless", "lead")
    assert seen(site, loner) == set()
    with site.session(write=True) as session:
        records.create(session, "account", {"name": "of nobody"})
    assert seen(site, headless) == set()
    above = add_user(site, "above", "above")
    assert seen(site, above) == set()


def test_teams_and_subordinates(site: Site, people: People) -> None:
    record = make(site, people.alice)
    mate = add_user(site, "mate", "mate")
    with site.session(write=True) as session:
        records.create(session, "team", {"name": "T", "members": [people.alice, mate]})
        records.update(session, "user", people.chief, {"roles": [{"role": "above"}]})
    assert seen(site, mate) == {record}
    assert seen(site, people.chief) == {record}


@pytest.mark.attack("N26", "N27")
def test_protected_values_are_refused_alike_on_create_and_update(site: Site, people: People) -> None:
    record = make(site, people.alice)
    bad = {
        "id": 77, "created_by": people.bob, "created_at": "2020-01-01T00:00:00Z", "version": 9, "code": "X",
        "profit": 1, "deal_count": 5, "deleted_at": "2020-01-01T00:00:00Z", "cost": 1, "is_admin": True,
    }  # fmt: skip
    for name, value in bad.items():
        with site.session(people.alice, write=True) as session:
            before = content(session)
            with pytest.raises(Refused) as on_create:
                records.create(session, "account", {"name": "x", name: value})
            with pytest.raises(Refused) as on_update:
                records.update(session, "account", record, {name: value})
            with pytest.raises(Refused):
                records.create_many(session, "account", [{"name": "x", name: value}])
            with pytest.raises(Refused):
                records.update_many(session, "account", [(record, {name: value}, None)])
            codes = {p.code for p in (*on_create.value.problems, *on_update.value.problems)}
            assert len(codes) == 1, (name, codes)
            assert content(session) == before


@pytest.mark.attack("N26")
def test_giving_away_takes_assign(site: Site, people: People) -> None:
    with site.session(people.alice, write=True) as session, pytest.raises(Forbidden):
        records.create(session, "account", {"name": "x", "owner": people.bob})
    record = make(site, people.bob)
    with site.session(people.bob, write=True) as session, pytest.raises(Forbidden):
        records.update(session, "account", record, {"owner": people.alice})
    with site.session(people.chief, write=True) as session:
        saved = records.update(session, "account", record, {"owner": people.boss, "unit": None})
    assert not saved.visible
    with site.session(people.chief) as session, pytest.raises(NotFound):
        records.read(session, "account", record)


@pytest.mark.attack("N26", "N02")
def test_nobody_raises_his_own_rights(site: Site, people: People) -> None:
    for user in (people.alice, people.chief, people.boss):
        with site.session(user, write=True) as session:
            before = content(session)
            with pytest.raises(Forbidden):
                records.update(session, "user", user, {"roles": [{"role": "manager"}]})
            with pytest.raises((Forbidden, NotFound)):
                records.create(session, "user_role", {"holder": user, "role": "manager"})
            with pytest.raises((Forbidden, NotFound)):
                records.create(session, "record_share", {"entity": "account", "record": 1, "person": user})
            assert content(session) == before


def hidden_attempts(session: Session, entity: str) -> list[Callable[[str], object]]:
    """The ways in which a query may name a field."""
    over = "account" if entity == "account" else None
    found: list[Callable[[str], object]] = [
        lambda n: run(session, Query(entity=entity, select=(n,))),
        lambda n: parse_sort(session, entity, n),
        lambda n: parse_sort(session, entity, f"-{n}"),
        lambda n: parse_where(session, entity, f"{n} is not None"),
    ]
    if over:
        found.append(lambda n: parse_where(session, "deal", f"account.{n} is None"))
    return found


@pytest.mark.attack("N18", "N19", "N20", "N23")
def test_a_hidden_field_is_an_unknown_name_everywhere(site: Site, people: People) -> None:
    make(site, people.alice, note="canary")
    for user, entity, field in (
        (people.alice, "account", "cost"),
        (people.alice, "account", "profit"),
        (people.chief, "account", "note"),
        (people.alice, "deal", "account_cost"),
        (people.boss, "account", "token"),
        (people.boss, "user", "password_hash"),
    ):
        with site.session(user) as session:
            told = []
            for name in (field, "surely_not_there"):
                for attempt in hidden_attempts(session, entity):
                    with pytest.raises(BadQuery) as refused:
                        attempt(name)
                    told.append((refused.value.code, refused.value.params.get("problem")))
            if field != "token":
                assert told[: len(told) // 2] == told[len(told) // 2 :], field
    with site.session(people.chief) as session:
        assert search(session, "canary") == []
        assert run(session, Query(entity="account", q="canary")).rows == []
    with site.session(people.alice) as session:
        assert [h.entity for h in search(session, "canary")] == ["account"]


@pytest.mark.attack("N21")
def test_history_leaves_hidden_fields_out(site: Site, people: People) -> None:
    record = make(site, people.alice, note="canary")
    with site.session(people.chief) as session:
        assert "canary" not in str(records.history(session, "account", record))
        was = records.read_at(session, "account", record, site.clock.now())
        assert "canary" not in str(was)
        assert "note" not in records.read(session, "account", record).values


@pytest.mark.attack("N13")
def test_titles_of_hidden_records_are_masked(site: Site, people: People) -> None:
    hidden = make(site, people.bob, name="canary")
    with site.session(write=True) as session:
        own = records.create(session, "deal", {"name": "D", "account": hidden, "owner": people.alice}).id
        mine = records.create(
            session, "account", {"name": "m", "parent": hidden, "friends": [hidden], "owner": people.alice}
        ).id
    with site.session(people.alice) as session:
        deal = records.read(session, "deal", own)
        assert deal.titles["account"] is None
        account = records.read(session, "account", mine)
        assert (account.titles["parent"], account.titles["friends"]) == (None, (None,))
        page = run(
            session,
            Query(entity="deal", select=("account", "account.name"), sort=parse_sort(session, "deal", "account.name")),
        )
        assert page.rows[0].values["account.name"] is None
        assert "canary" not in str([(r.values, r.titles) for r in page.rows])
        for text in ("account.name == 'canary'", "contains(account.name, 'can')", "account.stage == 'new'"):
            assert run(session, Query(entity="deal", where=(parse_where(session, "deal", text),))).rows == []


@pytest.mark.attack("N48")
def test_computing_does_not_launder_a_hidden_field(site: Site, people: People) -> None:
    with site.session(people.alice) as session:
        access = Access(session)
        assert {"cost", "profit"} <= access.hidden("account")
        assert "account_cost" in access.hidden("deal")
    with site.session(people.boss) as session:
        assert not access.superuser
        assert Access(session).hidden("account") == frozenset()


def test_expressions_of_users_count_only_what_they_see(site: Site, people: People) -> None:
    record = make(site, people.alice)
    with site.session(write=True) as session:
        records.create(session, "deal", {"name": "D", "account": record, "owner": people.bob})
        records.create(session, "deal", {"name": "E", "account": record, "owner": people.alice})
    with site.session(people.alice) as session:
        for text, found in (("deals.count() == 1", 1), ("deals.any(name == 'D')", 0), ("deals.any(name == 'E')", 1)):
            where = parse_where(session, "account", text)
            assert len(run(session, Query(entity="account", where=(where,))).rows) == found, text


def test_lines_carry_the_rights_of_their_record(site: Site, people: People) -> None:
    with site.session(people.alice, write=True) as session:
        deal = records.create(session, "deal", {"name": "D", "lines": [{"item": "x"}]}).id
        line = records.read(session, "deal", deal).values["lines"][0].id
        records.update(session, "deal_line", line, {"item": "y"})
        assert records.read(session, "deal", deal).version == 2
    assert seen(site, people.bob, "deal_line") == set()
    with site.session(people.bob, write=True) as session:
        for attempt in (
            lambda: records.read(session, "deal_line", line),
            lambda: records.update(session, "deal_line", line, {"item": "z"}),
            lambda: records.delete(session, "deal_line", line),
        ):
            with pytest.raises(NotFound):
                attempt()
        with pytest.raises((Refused, Forbidden)):
            records.create(session, "deal_line", {"deal": deal, "item": "smuggled"})


@pytest.mark.attack("N17")
def test_a_role_taken_away_counts_at_once(site: Site, people: People) -> None:
    make(site, people.alice)
    assert seen(site, people.alice)
    with site.session(write=True) as session:
        records.update(session, "user", people.alice, {"roles": []})
    assert seen(site, people.alice) == set()


@pytest.mark.attack("N107")
def test_nobody_edits_the_audit(site: Site, people: People) -> None:
    make(site, people.alice)
    admin = add_user(site, "root", "manager")
    for user in (None, admin, people.boss):
        with site.session(user, write=True) as session:
            for entity in ("audit", "stage_log"):
                with pytest.raises((Forbidden, NotFound)):
                    records.create(session, entity, {"entity": "account", "record": 1})
                with pytest.raises((Forbidden, NotFound)):
                    records.update(session, entity, 1, {"entity": "x"})
                with pytest.raises((Forbidden, NotFound)):
                    records.delete(session, entity, 1)


def test_read_only_for_a_role(site: Site, people: People) -> None:
    mate = add_user(site, "m2", "mate")
    with site.session(write=True) as session:
        records.create(session, "team", {"name": "T", "members": [mate]})
    with site.session(mate, write=True) as session, pytest.raises(Refused) as refused:
        records.create(session, "account", {"name": "x", "revenue": 5})
    assert [(p.field, p.code) for p in refused.value.problems] == [("revenue", "readonly")]
