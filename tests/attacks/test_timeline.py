"""The timeline, its log, mentions, files and the way back, asked for by those who may not."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from runtime import records
from tests.attacks.conftest import CANARY, PNG, Arena


def timeline(arena: Arena, who: str, record: int, query: str = "") -> str:
    answer = arena.person(who).page("GET", f"/e/account/{record}/timeline{query}", fragment=True)
    assert answer.status_code == 200
    return str(answer.text)


def last_change(arena: Arena, record: int) -> int:
    with arena.site.session() as session:
        audit = session.table("audit")
        wanted = sa.select(sa.func.max(audit.c.id)).where(audit.c.entity == "account", audit.c.record == record)
        return int(session.connection.scalar(wanted) or 0)


def mentions(arena: Arena, who: str) -> int:
    with arena.site.session() as session:
        table = session.table("notification")
        wanted = sa.select(sa.func.count()).where(table.c.recipient == arena.ids[who], table.c.word == "mention")
        return int(session.connection.scalar(wanted) or 0)


@pytest.mark.attack("N01", "N13")
def test_the_timeline_shows_a_reader_only_records_he_may_read(arena: Arena) -> None:
    hers = arena.create("alice", name="open house")
    arena.create("alice", "deal", name=f"{CANARY} deal", account=hers)
    arena.person("alice").page("POST", f"/e/account/{hers}/log", {"text": f"{CANARY} said"}, fragment=True)
    assert timeline(arena, "alice", hers).count(CANARY) >= 2
    assert CANARY not in timeline(arena, "watcher", hers)  # reads accounts, but neither deals nor remarks
    for query in ("?kind=remarks", "?kind=changes", "?kind=deals", f"?person={arena.ids['alice']}"):
        assert CANARY not in timeline(arena, "watcher", hers, query)


@pytest.mark.attack("N21")
def test_hidden_fields_stay_hidden_in_what_was_changed_and_cannot_be_taken_back(arena: Arena) -> None:
    hers = arena.create("boss", name="costly", cost="7", owner=arena.ids["alice"])
    with arena.site.session(arena.ids["boss"], write=True) as session:
        records.update(session, "account", hers, {"cost": "77123"})
    audit = last_change(arena, hers)
    assert "77" in re.sub(r"<[^>]+>", "", timeline(arena, "boss", hers, "?kind=changes"))
    assert "77,123" not in timeline(arena, "alice", hers)
    data = {"audit": str(audit), "field": "cost"}
    arena.refused(lambda: arena.person("alice").page("POST", f"/e/account/{hers}/undo-change", data), 404)
    assert arena.person("alice").page("GET", f"/e/account/{hers}/why/cost").status_code == 404


@pytest.mark.attack("N03", "N01", "N11")
def test_a_change_of_another_record_is_not_taken_back_through_ones_own(arena: Arena) -> None:
    hers, his = arena.create("alice", name="hers"), arena.create("bob", name="his", phone="13800000001")
    with arena.site.session(arena.ids["alice"], write=True) as session:
        records.update(session, "account", hers, {"phone": "13800000002"})
    data = {"audit": str(last_change(arena, hers)), "field": "phone"}
    for record in (his, hers):
        arena.refused(lambda r=record: arena.person("bob").page("POST", f"/e/account/{r}/undo-change", data), 404)
    answer = arena.person("watcher").page("POST", f"/e/account/{hers}/undo-change", data)
    assert answer.status_code in (303, 403)  # may read it, may not change it
    with arena.site.session() as session:
        assert str(records.read(session, "account", hers, ["phone"]).values["phone"]).endswith("2")


@pytest.mark.attack("N03")
def test_nobody_logs_at_a_record_they_may_not_read(arena: Arena) -> None:
    hers = arena.create("alice", name="closed house")
    send = lambda who: lambda: arena.person(who).page("POST", f"/e/account/{hers}/log", {"text": "x"}, fragment=True)  # noqa: E731
    arena.refused(send("bob"), 404)
    arena.refused(send("watcher"), 404)  # reads it, but may create no remark
    arena.refused(send("nobody"), 404)


@pytest.mark.attack("N03", "N14")
def test_a_mention_reaches_nobody_who_may_not_see_the_record(arena: Arena) -> None:
    hers = arena.create("alice", name="private matter")
    before = {who: mentions(arena, who) for who in ("bob", "nobody", "boss")}
    people = [str(arena.ids[who]) for who in ("bob", "nobody", "alice")]
    answer = arena.person("alice").page(
        "POST", f"/e/account/{hers}/log", {"text": "@x", "mention": [*people, "-1", "1e9"]}
    )
    assert answer.status_code == 200
    assert {who: mentions(arena, who) for who in before} == before


@pytest.mark.attack("N60", "N66")
@pytest.mark.parametrize(
    ("name", "data"),
    [("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), ("a.html", b"<script>alert(1)</script>"),
     ("a.png", b"<html><script>alert(1)</script>"), ("a.js", b"alert(1)")],
)  # fmt: skip
def test_what_is_pasted_is_never_shown_unless_it_is_a_picture(arena: Arena, name: str, data: bytes) -> None:
    hers = arena.create("alice", name="pasted")
    alice = arena.person("alice")
    for way, word in ((f"/e/account/{hers}/log", {"text": "see"}), (f"/e/account/{hers}/files", {})):
        answer = alice.page("POST", way, {**word, "file": (io.BytesIO(data), name)}, fragment=True)
        assert answer.status_code in (200, 422), answer.text
        assert "<img" not in answer.text
        for address in set(re.findall(r'href="(/files/\d+)"', answer.text)):
            given = alice.page("GET", address)
            assert given.headers["Content-Disposition"].startswith("attachment")
            assert given.mimetype == "application/octet-stream"


@pytest.mark.attack("N03", "N06", "N07")
def test_files_of_a_record_are_read_and_changed_with_its_rights(arena: Arena) -> None:
    hers = arena.create("alice", name="with files", owner=arena.ids["alice"])
    alice, where = arena.person("alice"), f"/e/account/{hers}/files"
    html = alice.page("POST", where, {"file": (io.BytesIO(PNG), "plan.png")}, fragment=True).text
    file = re.findall(r'name="of" value="(\d+)"', html)[0]
    assert alice.page("GET", f"/files/{file}").status_code == 200
    assert arena.person("watcher").page("GET", f"/files/{file}").status_code == 200  # may read the record
    arena.refused(lambda: arena.person("bob").page("GET", f"/files/{file}"), 404)
    arena.refused(lambda: arena.person("bob").page("GET", where), 404)
    arena.refused(lambda: arena.person("bob").page("POST", f"{where}/{file}/remove"), 404)
    arena.refused(lambda: arena.person("watcher").page("POST", f"{where}/{file}/remove"), 403)
    his = arena.create("bob", name="his own")
    arena.refused(lambda: arena.person("bob").page("POST", f"/e/account/{his}/files/{file}/remove"), 404)
    stolen = arena.person("bob").page(
        "POST", f"/e/account/{his}/files", {"of": file, "file": (io.BytesIO(PNG), "x.png")}
    )
    assert stolen.status_code == 404
    assert alice.page("GET", f"/files/{file}").status_code == 200


@pytest.mark.attack("N56")
def test_texts_of_people_stay_texts(arena: Arena) -> None:
    hers = arena.create("alice", name="escaped")
    evil = "<img src=x onerror=alert(1)> @<script>\n<b>bold</b>"
    answer = arena.person("alice").page("POST", f"/e/account/{hers}/log", {"text": evil}, fragment=True)
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "onerror=alert(1)>" not in answer.text.replace("&gt;", "")
    assert "&lt;b&gt;bold" in answer.text
