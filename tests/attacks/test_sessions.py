"""Sessions, tokens and guesses."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from typing import Any

import pytest

from runtime import records
from runtime.security import sessions
from runtime.security.passwords import hash_password, verify_password
from runtime.security.tokens import create_token, resolve_token
from tests.attacks.conftest import PASSWORD, Arena, Person
from tests.records.world import add_user


def fresh(arena: Arena, login: str, *roles: str) -> tuple[int, Person]:
    """Somebody for one test alone, signed in."""
    number = add_user(arena.site, login, *roles)
    with arena.site.session(write=True) as session:
        sessions.set_password(session, number, PASSWORD)
        person = Person(arena.app.test_client(), create_token(session, number, "t"))
    assert person.sign_in(login).status_code == 303
    return number, person


@pytest.mark.attack("N17", "N88")
def test_who_left_or_lost_a_role_is_out_at_the_next_request(arena: Arena) -> None:
    number, person = fresh(arena, "leaver", "rep")
    assert person.page("GET", "/e/account").status_code == 200
    assert person.api("GET", "/account").status_code == 200
    with arena.site.session(write=True) as session:
        records.update(session, "user", number, {"roles": []})
    assert person.page("GET", "/e/account").status_code == 404
    assert person.api("GET", "/account").status_code == 404
    with arena.site.session(write=True) as session:
        records.update(session, "user", number, {"status": "left"})
    assert person.page("GET", "/e/account").status_code == 303
    assert person.api("GET", "/account").status_code == 401
    arena.refused(lambda: person.api("POST", "/account", {"name": "x"}), 401)
    assert Person(arena.app.test_client()).sign_in("leaver").status_code == 401


@pytest.mark.attack("N33", "N88")
def test_equal_passwords_give_different_sessions_and_tokens(arena: Arena) -> None:
    _, one = fresh(arena, "twin_one", "rep")
    _, two = fresh(arena, "twin_two", "rep")
    assert hash_password(PASSWORD) != hash_password(PASSWORD)
    assert one.api("GET", "/me").json["login"] == "twin_one"
    assert two.api("GET", "/me").json["login"] == "twin_two"
    cookies = [p.client.get_cookie(sessions.COOKIE) for p in (one, two)]
    assert cookies[0] is not None
    assert cookies[1] is not None
    assert cookies[0].value != cookies[1].value


@pytest.mark.attack("N81", "N03")
def test_tokens_are_long_random_and_exact(arena: Arena) -> None:
    with arena.site.session(write=True) as session:
        made = [create_token(session, arena.ids["alice"], "t") for _ in range(200)]
    bodies = [text.removeprefix("oct_") for text in made]
    assert len(set(bodies)) == 200
    assert min(len(b) for b in bodies) * math.log2(64) >= 128
    shared = [sum(a == b for a, b in zip(x, y)) for x, y in itertools.pairwise(bodies)]
    assert max(shared) < 12  # nothing counts up, nothing is derived from the person
    good = made[0]
    for wrong in (good[:-1], good + "A", good[:-1] + ("A" if good[-1] != "A" else "B"), good.swapcase(), "oct_", ""):
        assert resolve_token(arena.site, wrong) is None
    nobody = Person(arena.app.test_client())
    for header in (
        "Bearer",
        "Bearer ",
        f"Basic {good}",
        f"bearer{good}",
        "Bearer null",
        "Bearer ' or 1=1 --",
        f"Bearer {good}, x",
    ):
        arena.refused(lambda h=header: nobody.api("GET", "/me", headers={"Authorization": h}), 401)


@pytest.mark.attack("N87", "N88")
def test_a_form_token_belongs_to_its_session(arena: Arena) -> None:
    _, person = fresh(arena, "two_sessions", "rep")
    old = person.csrf
    person.page("POST", "/sign-out")
    assert person.sign_in("two_sessions").status_code == 303
    answer = arena.refused(
        lambda: person.page("POST", "/e/account/new", {"name": "x"}, headers={"X-CSRFToken": old}), 400
    )
    assert "Traceback" not in answer.text


@pytest.mark.attack("T29", "N91")
def test_an_unknown_login_takes_as_long_as_a_wrong_password(arena: Arena) -> None:
    stored = hash_password(PASSWORD)

    def median(hashed: str | None) -> float:
        times = []
        for _ in range(9):
            began = time.perf_counter()
            assert not verify_password(hashed, "wrong")
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    median(None)
    assert 0.5 < median(stored) / median(None) < 2.0


@pytest.mark.attack("N90", "T29")
def test_guessing_ends_and_does_not_lock_the_owner_out(arena: Arena) -> None:
    fresh(arena, "guessed", "rep")

    def guess(address: str, password: str) -> Any:
        person = Person(arena.app.test_client())
        person.page("GET", "/sign-in")
        data = {"login": "guessed", "password": password}
        return person.page("POST", "/sign-in", data, environ_base={"REMOTE_ADDR": address}).status_code

    codes = [guess("10.1.1.1", "wrong") for _ in range(11)]
    assert codes == [401] * 10 + [429]
    assert guess("10.1.1.1", PASSWORD) == 429
    assert guess("10.1.1.2", PASSWORD) == 303


@pytest.mark.attack("N79", "N64")
@pytest.mark.parametrize(
    "wanted",
    ["//evil.test", "///evil.test", "/\\evil.test", "https:evil.test", "http://evil.test", "javascript:alert(1)", "\\/evil.test",
     "/\t/evil.test", "/e\r\nX-Bad: 1", "%2f%2fevil.test", ".evil.test", "@evil.test", "\u2028//evil.test"],
)  # fmt: skip
def test_nothing_leads_away_from_the_site(arena: Arena, wanted: str) -> None:
    boss = arena.person("boss")
    number = arena.create("boss", name="stay here")
    boss.page("GET", "/")
    answers = [
        boss.page("GET", "/sign-in", query_string={"next": wanted}),
        boss.page("POST", f"/e/account/{number}/edit", {"name": "stay here", "version": "1", "next": wanted}),
        boss.page("POST", "/preferences", {"language": "en", "next": wanted}),
        boss.page("POST", "/preferences", {"language": "en"}, headers={"Referer": wanted.replace("\r\n", "")}),
    ]
    for answer in answers:
        for name in ("Location", "HX-Redirect", "HX-Location"):
            target = answer.headers.get(name, "/")
            assert target.startswith("/"), (name, target)
            assert not target.startswith(("//", "/\\")), (name, target)
        assert "X-Bad" not in answer.headers
