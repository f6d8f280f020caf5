"""Passwords, sessions, tokens, attempts, and the seals of the audit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.errors import NotSignedIn, Refused, TooManyRequests
from runtime.security import audit, ratelimit, sessions, tokens
from runtime.security.passwords import hash_password, verify_password
from runtime.site import Site
from tests.records.world import add_user


@pytest.fixture
def ann(site: Site) -> int:
    user = add_user(site, "ann", "rep")
    with site.session(write=True) as session:
        sessions.set_password(session, user, "right horse")
    return user


def advance(site: Site, **delta: Any) -> None:
    site.clock.advance(**delta)  # type: ignore[attr-defined]


def test_passwords_are_salted_and_unknown_users_take_a_check_too() -> None:
    assert hash_password("x") != hash_password("x")
    assert verify_password(hash_password("x"), "x")
    assert not verify_password(hash_password("x"), "y")
    assert not verify_password(None, "nobody has this password")


def test_signing_in_and_out(site: Site, ann: int) -> None:
    first = sessions.sign_in(site, " ANN ", "right horse", "1.1.1.1")
    second = sessions.sign_in(site, "ann", "right horse", "1.1.1.1")
    assert first != second
    found = sessions.resolve_session(site, first)
    assert found is not None
    assert (found.user_id, found.version) == (ann, 1)
    sessions.sign_out(site, first)
    assert sessions.resolve(site, first) is None
    assert sessions.resolve(site, second) == ann
    with site.session() as session:
        assert first not in str(session.connection.exec_driver_sql("SELECT * FROM octavo_session").all())


@pytest.mark.attack("N88")
def test_sessions_end(site: Site, ann: int) -> None:
    def open_one() -> str:
        return sessions.sign_in(site, "ann", "right horse", "1.1.1.1")

    token = open_one()
    advance(site, hours=13)
    assert sessions.resolve(site, token) is None  # idle
    token = open_one()
    for _ in range(29):
        advance(site, hours=11, minutes=50)
        last = sessions.resolve(site, token)
    assert last is None  # absolute
    token = open_one()
    with site.session(write=True) as session:
        sessions.set_password(session, ann, "new horse")
    assert sessions.resolve(site, token) is None
    token = sessions.sign_in(site, "ann", "new horse", "1.1.1.1")
    with site.session(write=True) as session:
        records.update(session, "user", ann, {"status": "left"})
    assert sessions.resolve(site, token) is None
    with pytest.raises(NotSignedIn) as refused:
        sessions.sign_in(site, "ann", "new horse", "1.1.1.1")
    assert refused.value.code == "bad_credentials"


@pytest.mark.attack("N90", "N91")
def test_guessing_is_slowed_down_from_that_address_alone(site: Site, ann: int) -> None:
    codes = set()
    for login in ("ann", "nobody"):
        for _ in range(ratelimit.PER_ACCOUNT):
            with pytest.raises(NotSignedIn) as refused:
                sessions.sign_in(site, login, "wrong", "6.6.6.6")
            codes.add((refused.value.code, str(refused.value.params)))
        with pytest.raises(TooManyRequests):
            sessions.sign_in(site, login, "right horse", "6.6.6.6")
    assert len(codes) == 1
    assert sessions.sign_in(site, "ann", "right horse", "1.1.1.1")
    advance(site, seconds=61)
    assert sessions.sign_in(site, "ann", "right horse", "6.6.6.6")


def test_tokens_are_hashed_end_and_are_revoked(site: Site, ann: int) -> None:
    with site.session(write=True) as session:
        text = tokens.create_token(session, ann, "laptop")
        short = tokens.create_token(session, ann, "visit", expires_at=session.now + timedelta(hours=1))
    assert tokens.resolve_token(site, text) == ann
    assert tokens.resolve_token(site, short) == ann
    assert tokens.resolve_token(site, text[:-1] + "x") is None
    advance(site, hours=2)
    assert tokens.resolve_token(site, short) is None
    with site.session(write=True) as session:
        assert text not in str(session.connection.exec_driver_sql("SELECT * FROM octavo_token").all())
        tokens.revoke_token(session, 1)
    assert tokens.resolve_token(site, text) is None


@pytest.mark.attack("N29")
@pytest.mark.parametrize("login", ["ANN", "ａｎｎ", "ánn", "ann ", "a nn", "ann\u200b"])
def test_a_login_cannot_be_imitated(site: Site, ann: int, login: str) -> None:
    with site.session(write=True) as session, pytest.raises(Refused) as refused:
        records.create(session, "user", {"login": login, "name": "x"})
    assert {p.field for p in refused.value.problems} == {"login"}


@pytest.mark.attack("N107")
def test_tampering_with_sealed_audit_names_the_row(site: Site, ann: int) -> None:
    with site.session(ann, write=True) as session:
        for i in range(6):
            records.create(session, "account", {"name": f"a{i}"})
    advance(site, hours=1)
    with site.session(write=True) as session:
        sealed = audit.seal(session)
        assert sealed >= 6
        assert audit.seal(session) == 0
        assert audit.verify(session) == []
        table = session.table("audit")
        rows = list(session.connection.scalars(sa.select(table.c.id).order_by(table.c.id)))
        victim, gone = rows[-2], rows[-4]
        session.connection.execute(
            sa.update(table).where(table.c.id == victim).values(changes={"name": [None, "other"]})
        )
        session.connection.execute(sa.delete(table).where(table.c.id == gone))
        assert {(t.kind, t.row) for t in audit.verify(session)} == {("altered", victim), ("removed", gone)}
        session.connection.execute(sa.text("UPDATE octavo_audit_seal SET last_id = last_id - 1"))
        assert ("chain", rows[0]) in {(t.kind, t.row) for t in audit.verify(session)}
