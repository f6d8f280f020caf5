"""Records of others, rights of one's own, and values nobody may set: on pages, fragments and the API alike."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runtime import records
from runtime.security.access import Access
from tests.attacks.conftest import CANARY, PASSWORD, Arena, Person


def fields_of(answer: Any) -> dict[str, str]:
    """What the form of a page would send."""
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text)
    return {name: value for name, value in found if name != "csrf_token"}


@pytest.mark.attack("N01", "N05", "N11", "N03")
@pytest.mark.parametrize("fragment", [False, True])
def test_somebody_elses_record_cannot_be_changed_on_any_page(arena: Arena, fragment: bool) -> None:
    hers = arena.create("alice", name=f"{CANARY} of pages")
    bob = arena.person("bob")
    bob.page("GET", "/")

    def post(way: str, data: dict[str, str]) -> Any:
        return bob.page("POST", way, data, fragment=fragment)

    base = f"/e/account/{hers}"
    arena.refused(lambda: post(f"{base}/edit", {"name": "stolen", "version": "1"}), 404)
    arena.refused(lambda: post(f"{base}/delete", {}), 404)
    arena.refused(lambda: post(f"{base}/stage", {"to": "won", "version": "1"}), 404)
    arena.refused(lambda: post(f"{base}/evaluate", {"name": "stolen"}), 404)
    before = arena.content()
    answer = post("/e/account/delete", {"id": str(hers)})
    assert CANARY not in answer.text
    arena.refused(lambda: post("/e/account/restore", {"id": str(hers)}), 404)
    assert arena.content() == before
    for address in ("/e/account", "/e/account?q=canary", "/search?q=canary", "/recycle-bin", "/", "/find/account?q=canary",
                    "/e/account/lookup/parent?q=canary", "/e/account/export?as=csv", "/reports/by_stage"):  # fmt: skip
        assert CANARY not in bob.page("GET", address, fragment=fragment).text, address


@pytest.mark.attack("N05", "N03")
def test_reading_alone_deletes_nothing(arena: Arena) -> None:
    hers = arena.create("alice", name="seen by the watcher")
    watcher = arena.person("watcher")
    watcher.page("GET", "/")
    assert watcher.page("GET", f"/e/account/{hers}").status_code == 200
    arena.refused(lambda: watcher.page("POST", f"/e/account/{hers}/delete"), 403)
    arena.refused(lambda: watcher.page("POST", f"/e/account/{hers}/edit", {"name": "x"}), 403)
    arena.refused(lambda: watcher.api("DELETE", f"/account/{hers}"), 403)
    arena.refused(lambda: watcher.api("PATCH", f"/account/{hers}", {"name": "x"}), 403)
    arena.refused(lambda: watcher.api("POST", f"/account/{hers}/actions/delete"), 403)
    arena.refused(lambda: watcher.api("POST", "/account/batch", {"delete": [{"id": str(hers)}]}))
    before = arena.content()
    watcher.page("POST", "/e/account/delete", {"id": str(hers)})
    watcher.page("POST", "/e/account/delete", {"id": [str(hers), "1"]})
    assert arena.content() == before


@pytest.mark.attack("N02", "N03")
def test_nobody_sets_the_password_of_another(arena: Arena) -> None:
    alice, target = arena.person("alice"), arena.ids["admin"]
    for name in ("password", "new", "password_hash"):
        arena.refused(lambda n=name: alice.api("PATCH", f"/user/{target}", {n: "taken over 1"}), 403, 404, 422)
        arena.refused(lambda n=name: alice.page("POST", f"/e/user/{target}/edit", {n: "taken over 1"}), 403, 404)
    wrong = {
        "now": "not my password",
        "new": "taken over 1",
        "again": "taken over 1",
        "user_id": str(target),
        "id": str(target),
    }
    arena.refused(lambda: alice.page("POST", "/profile/password", wrong), 422)
    assert Person(arena.app.test_client()).sign_in("admin", PASSWORD).status_code == 303


@pytest.mark.attack("N26", "N28", "N27", "N03")
def test_a_form_takes_only_what_it_offers(arena: Arena) -> None:
    alice = arena.person("alice")
    mine = arena.create("alice", name="my own", stage="new")
    page = alice.page("GET", f"/e/account/{mine}/edit")
    with arena.site.session() as session:
        names = ["code", "version", "id", "created_by", "created_at", "deal_count", "open_sum", "deleted_at"]
        before = records.read(session, "account", mine, names).values
    forged = {
        **fields_of(page), "name": "my own", "code": "A-HACK", "id": "1", "created_by": str(arena.ids["bob"]),
        "created_at": "2001-01-01T00:00", "deal_count": "77", "open_sum": "1000000", "deleted_at": "2001-01-01", "cost": "5",
        "profit": "9", "is_admin": "1", "roles": "manager", "reason": "hidden while not lost", "version": "1",
    }  # fmt: skip
    alice.page("POST", f"/e/account/{mine}/edit", forged)
    with arena.site.session() as session:
        after = records.read(session, "account", mine, [*names, "cost", "reason"]).values
    assert {n: after[n] for n in names if n != "version"} == {n: before[n] for n in names if n != "version"}
    assert (after["cost"], after["reason"]) == (None, None)
    for body in ({"created_by": str(arena.ids["bob"])}, {"cost": "5"}, {"profit": "9"}, {"code": "A-HACK"}):
        arena.refused(lambda b=body: alice.api("PATCH", f"/account/{mine}", b), 422)
        arena.refused(lambda b=body: alice.api("POST", "/account", {"name": "n", **b}), 422)
        rows = {"update": [{"id": str(mine), **body}]}
        arena.refused(lambda r=rows: alice.api("POST", "/account/batch", r), 422)


@pytest.mark.attack("N26", "N30")
def test_nobody_makes_himself_an_administrator(arena: Arena) -> None:
    for who in ("alice", "boss"):
        person, me = arena.person(who), arena.ids[who]
        person.page("GET", "/")
        for body in (
            {"roles": [{"role": "manager"}]},
            {"admin": True},
            {"superuser": True},
            {"status": "active", "roles": []},
        ):
            with arena.site.session(me) as session:
                if Access(session).can("user", "edit"):
                    break  # whoever may edit people is an administrator of people
            arena.refused(lambda b=body, m=me: person.api("PATCH", f"/user/{m}", b), 403, 404, 422)  # noqa: B023
        arena.refused(lambda: person.api("PUT", "/metadata/role/rep", {"text": "role: rep\nadmin: true"}), 403, 404)  # noqa: B023


@pytest.mark.attack("N13")
def test_a_hidden_record_has_no_name_in_what_one_may_see(arena: Arena) -> None:
    secret = arena.create("alice", name=f"{CANARY} parent")
    with arena.site.session(write=True) as session:
        bobs = records.create(session, "account", {"name": "of bob", "owner": arena.ids["bob"], "parent": secret}).id
        records.create(session, "deal", {"name": "deal of bob", "owner": arena.ids["bob"], "account": secret})
    bob = arena.person("bob")
    assert bob.page("GET", f"/e/account/{bobs}").status_code == 200
    for address in (f"/e/account/{bobs}", f"/e/account/{bobs}/edit", f"/e/account/{bobs}/history", f"/e/account/{bobs}/copy",
                    "/e/account", "/e/deal", "/e/account/export?as=csv", "/search?q=bob", "/recycle-bin"):  # fmt: skip
        assert CANARY not in bob.page("GET", address).text, address
    for path in (
        f"/account/{bobs}",
        f"/account/{bobs}/history",
        "/account?select=name,parent,parent.name",
        "/deal?select=name,account",
    ):
        assert CANARY not in bob.api("GET", path).text, path


@pytest.mark.attack("N15")
def test_a_person_in_no_team_sees_no_row_on_any_channel(arena: Arena) -> None:
    arena.create("alice", name=f"{CANARY} of no team")
    loner = arena.person("loner")
    for address in ("/e/account", "/e/account/totals", "/search?q=canary", "/find/account?q=canary", "/reports/by_stage",
                    "/e/account/export?as=csv"):  # fmt: skip
        assert CANARY not in loner.page("GET", address).text, address
    assert loner.api("GET", "/account?limit=1000&count=exact").json["records"] == []
    assert all(row["values"].get("accounts") in (0, None) for row in loner.api("GET", "/reports/by_stage").json.get("rows", [])
               if isinstance(row, dict) and "values" in row)  # fmt: skip


@pytest.mark.attack("N16")
def test_a_taken_value_does_not_tell_whose_it_is(arena: Arena) -> None:
    arena.create("alice", name=f"{CANARY} with a number", tax_no="TAX-1")
    bob = arena.person("bob")
    bob.page("GET", "/")
    one = arena.refused(lambda: bob.api("POST", "/account", {"name": "n", "tax_no": "TAX-1"}), 422)
    two = arena.refused(
        lambda: bob.page("POST", "/e/account/new", {"name": "n", "tax_no": "TAX-1"}, fragment=True), 422
    )
    assert CANARY not in one.text + two.text
    assert "alice" not in (one.text + two.text).lower()


@pytest.mark.attack("N18", "N19", "N48", "N96")
def test_a_hidden_field_answers_no_question_on_pages(arena: Arena) -> None:
    with arena.site.session(write=True) as session:
        values = {"name": "costly", "owner": arena.ids["alice"], "cost": "99199.00", "revenue": "100000.00"}
        number = records.create(session, "account", values).id
        records.create(session, "deal", {"name": "d", "owner": arena.ids["alice"], "account": number})
    alice = arena.person("alice")
    plain = alice.page("GET", "/e/account").text.count("/e/account/")
    assert plain
    for query in ("where=cost > 1", "where=profit > 1", "sort=cost", "sort=-cost", "group=cost", "cost=99199", "cost__min=1",
                  "filter=cost", "columns=name,cost", "total=cost", "q=99199"):  # fmt: skip
        answer = alice.page("GET", f"/e/account?{query}")
        assert "99199" not in answer.text.replace("q=99199", "").replace('value="99199"', "").replace(
            "cost=99199", ""
        ), query
        if answer.status_code == 200 and query.startswith(("sort", "group", "columns", "total")):
            assert answer.text.count("99,199") == 0
    for address in (f"/e/account/{number}", f"/e/account/{number}/edit", f"/e/account/{number}/history", "/e/account/totals",
                    "/e/account/export?as=csv&columns=cost", "/e/deal", f"/e/account/{number}/copy"):  # fmt: skip
        text = alice.page("GET", address).text
        assert "99199" not in text, address
        assert "99,199" not in text, address


@pytest.mark.attack("N22")
def test_a_share_gives_no_more_than_its_row_and_not_by_those_who_may_not_share(arena: Arena) -> None:
    hers = arena.create("alice", name=f"{CANARY} shared")
    share = {"entity": "account", "record": hers, "person": str(arena.ids["bob"]), "role": "boss", "level": "edit"}
    for who in ("bob", "watcher", "nobody"):
        arena.refused(lambda w=who: arena.person(w).api("POST", "/record_share", share))
    assert arena.person("bob").api("GET", f"/account/{hers}").status_code == 404


@pytest.mark.promise("P18")
@pytest.mark.attack("N03")
def test_the_second_of_two_editors_is_told(arena: Arena) -> None:
    mine = arena.create("alice", name="edited twice")
    alice = arena.person("alice")
    alice.page("GET", "/")
    first = alice.page("POST", f"/e/account/{mine}/edit", {"name": "first", "version": "1"})
    assert first.status_code in (200, 303)
    arena.refused(lambda: alice.page("POST", f"/e/account/{mine}/edit", {"name": "second", "version": "1"}), 412)
    arena.refused(lambda: alice.page("POST", f"/e/account/{mine}/stage", {"to": "won", "version": "1"}), 404, 409, 412)
    headers = {"If-Match": '"1"'}
    arena.refused(lambda: alice.api("PATCH", f"/account/{mine}", {"name": "third"}, headers=headers), 412)
    arena.refused(lambda: alice.api("DELETE", f"/account/{mine}", headers=headers), 412)
    stale = {"update": [{"id": str(mine), "name": "fourth", "version": 1}]}
    arena.refused(lambda: alice.api("POST", "/account/batch", stale))


@pytest.mark.attack("N107", "N03")
@pytest.mark.parametrize("who", ["admin", "boss"])
def test_what_happened_cannot_be_rewritten_by_anybody(arena: Arena, who: str) -> None:
    arena.create("boss", name="audited")
    person = arena.person(who)
    person.page("GET", "/")
    with arena.site.session() as session:
        row = session.connection.exec_driver_sql("SELECT max(id) FROM audit").scalar()
    for entity in ("audit", "stage_log"):
        arena.refused(lambda e=entity: person.api("PATCH", f"/{e}/{row}", {"action": "nothing"}))
        arena.refused(lambda e=entity: person.api("DELETE", f"/{e}/{row}"))
        arena.refused(lambda e=entity: person.api("POST", f"/{e}", {"action": "create"}))
        arena.refused(lambda e=entity: person.api("POST", f"/{e}/batch", {"delete": [{"id": str(row)}]}))
        arena.refused(lambda e=entity: person.page("POST", f"/e/{e}/{row}/edit", {"action": "nothing"}))
        arena.refused(lambda e=entity: person.page("POST", f"/e/{e}/{row}/delete"))
        before = arena.content()
        person.page("POST", f"/e/{entity}/delete", {"id": str(row)})
        assert arena.content() == before


@pytest.mark.attack("N94", "N03")
@pytest.mark.parametrize(
    "text", ["²", "١", "9" * 19, "9" * 5000, "-1", "0", "1e3", " 1", "1\x00", "0x1", "٣", "\ud7ff", "None"]
)
def test_odd_numbers_are_refused_and_never_an_error(arena: Arena, text: str) -> None:
    boss = arena.person("boss")
    number = arena.create("boss", name="odd numbers")
    boss.page("GET", "/")
    before = arena.content()
    tries = [
        boss.page("GET", f"/e/account/{text}"),
        boss.page("GET", f"/files/{text}"),
        boss.page("GET", f"/e/account/import/{text}"),
        boss.page("GET", "/e/account", query_string={"owner": text, "page": text, "parent": text}),
        boss.page("GET", "/reports/by_stage", query_string={"who": text}),
        boss.page("POST", "/e/account/delete", {"id": text}),
        boss.page("POST", "/e/account/restore", {"id": text}) if text != " 1" else boss.page("GET", "/"),
        boss.page("POST", f"/e/account/{number}/edit", {"parent": text, "version": "1", "name": ""}, fragment=True),
        boss.page("POST", "/e/deal/new", {"name": "", "lines.0.id": text, f"lines.{text}.item": "x"}, fragment=True),
        boss.page("POST", f"/e/account/{number}/evaluate", {"parent": text, "version": text}),
        boss.page("POST", f"/profile/tokens/{text}/end"),
        boss.api("GET", f"/account/{text}"),
        boss.api("PATCH", f"/account/{number}", {"parent": text, "name": ""}),
    ]
    headers = {"If-Match": f'"{text}"'} if text.isascii() and "\x00" not in text else {}
    tries.append(boss.api("PATCH", "/account/999999", {"name": "x"}, headers=headers))
    assert [a.status_code for a in tries if a.status_code >= 500] == []
    assert arena.content() == before
