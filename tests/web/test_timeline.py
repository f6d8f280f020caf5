"""The timeline of a record, its quick log, files and the way back: what each person sees and may do."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from tests.web.test_statements import warmed

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HERE = f"/e/{ENTITY}/1"


@pytest.fixture(scope="module")
def fresh(site: Site) -> int:
    """A customer of this module alone."""
    with site.session(write=True) as session:
        return records.create(session, ENTITY, {"name": "时间线公司", "short_name": "甲", "owner": 1}).id


def people(site: Site) -> dict[str, int]:
    with site.session() as session:
        person = session.table("user")
        return dict(session.connection.execute(sa.select(person.c.login, person.c.id)).all())


def notices(site: Site, person: int) -> list[str]:
    with site.session() as session:
        table = session.table("notification")
        wanted = sa.select(table.c.subject).where(table.c.recipient == person, table.c.word == "mention")
        return list(session.connection.scalars(wanted.order_by(table.c.id)))


def entries(html: str) -> list[str]:
    found = re.findall(r'<li class="line-entry.*?</li>', html, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_one_line_logs_what_happened(site: Site, admin: Browser, fresh: int) -> None:
    answer = admin.post(f"/e/{ENTITY}/{fresh}/log", {"kind": "visit", "text": "看厂房\n三号线要改造"}, fragment=True)
    assert answer.status_code == 200
    assert "看厂房 三号线要改造" in entries(answer.text)[0]
    assert "record-changed" in answer.headers["HX-Trigger"]
    with site.session() as session:
        found = session.app.entities[ENTITY].fields["communications"].entity
        table = session.table(found or "")
        row = session.connection.execute(table.select().where(table.c.customer == fresh)).mappings().one()
    assert (row["kind"], row["subject"], row["content"]) == ("visit", "看厂房", "看厂房\n三号线要改造")


def test_a_mention_tells_those_who_may_see_the_record_and_no_others(site: Site, admin: Browser, fresh: int) -> None:
    known = people(site)
    with site.session(write=True) as session:  # somebody without any role sees nothing
        outsider = records.create(session, "user", {"name": "外人", "login": "outsider", "status": "active"}).id
    before = notices(site, known["zhangsan"])
    data = {"text": "@张三 @外人 请看", "mention": [str(known["zhangsan"]), str(outsider), "999999", "x"]}
    answer = admin.post(f"/e/{ENTITY}/1/log", data, fragment=True)
    assert answer.status_code == 200
    assert len(notices(site, known["zhangsan"])) == len(before) + 1
    assert notices(site, outsider) == []
    assert "\\u5916\\u4eba" in answer.headers["HX-Trigger"]  # the author learns that 外人 was not told


def test_entries_come_page_by_page_and_none_twice(site: Site, admin: Browser, fresh: int) -> None:
    for number in range(25):
        answer = admin.post(f"/e/{ENTITY}/{fresh}/log", {"text": f"第 {number} 次"}, fragment=True)
        assert answer.status_code == 200
    seen: list[str] = []
    address = f"/e/{ENTITY}/{fresh}/timeline?list=1&kind=communications"
    while True:
        html = admin.get(address, headers={"HX-Request": "true"}).text
        seen += re.findall(r"第 \d+ 次", html)
        found = re.search(r'name="after" value="([^"]+)"', html)
        if found is None:
            break
        address = f"/e/{ENTITY}/{fresh}/timeline?kind=communications&after={found.group(1)}"
    assert sorted(set(seen)) == sorted(f"第 {n} 次" for n in range(25))
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("more", [1, 2, 47])
def test_the_timeline_takes_no_more_statements_however_much_happened(
    site: Site, admin: Browser, statements: list[str], more: int
) -> None:
    with site.session(write=True) as session:
        made = records.create(session, ENTITY, {"name": f"计数公司 {more}", "owner": 1}).id
        target = session.app.entities[ENTITY].fields["communications"].entity or ""
        for number in range(more):
            records.create(session, target, {"subject": f"{number}", "customer": made, "owner": 1})
            records.update(session, ENTITY, made, {"short_name": f"{number}"})
    took = warmed(site, admin, f"/e/{ENTITY}/{made}/timeline", statements)
    assert took <= 20, statements
    with site.session() as session:
        counted = session.tables.memo.setdefault(("counted timeline",), took)
    assert took <= counted, statements
    assert warmed(site, admin, f"/e/{ENTITY}/{made}", statements) <= 30, statements


@pytest.mark.parametrize(
    "query", ["after=1", "after=x-y-z", "after=9999999999999999-1-1", "from=2026-13-01", "to=yesterday"]
)
def test_a_bad_address_is_answered_with_a_sentence(admin: Browser, query: str) -> None:
    answer = admin.get(f"{HERE}/timeline?{query}", headers={"HX-Request": "true"})
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_day_and_a_person_narrow_it(site: Site, admin: Browser, fresh: int) -> None:
    admin.post(f"/e/{ENTITY}/{fresh}/log", {"text": "今天的事"}, fragment=True)
    known = people(site)
    with site.session() as session:
        today = session.today.isoformat()
    base = f"/e/{ENTITY}/{fresh}/timeline?list=1"
    assert "今天的事" in admin.get(f"{base}&from={today}&to={today}").text
    assert "今天的事" not in admin.get(f"{base}&to=2001-01-01").text
    assert "今天的事" in admin.get(f"{base}&person={known['admin']}").text
    assert "今天的事" not in admin.get(f"{base}&person={known['zhangsan']}").text


def test_nothing_said_and_an_unknown_kind_are_refused_in_the_box(admin: Browser, fresh: int) -> None:
    disguised = (io.BytesIO(b"<script>1</script>"), "evil.png")
    for data in (
        {"text": "  "},
        {"text": "x", "kind": "telepathy"},
        {"text": "x" * 20_001},
        {"text": "x", "file": disguised},
    ):
        answer = admin.post(f"/e/{ENTITY}/{fresh}/log", data, fragment=True)
        assert answer.status_code == 422
        assert answer.headers["HX-Retarget"] == "#log-problems"
        assert "field-problem" in answer.text


def test_a_pasted_picture_is_shown_and_a_pasted_script_only_offered(admin: Browser, fresh: int) -> None:
    files = [
        (io.BytesIO(PNG), "shot.png"),
        (io.BytesIO(SVG), "evil.svg"),
        (io.BytesIO(b"just a text"), "note.txt"),
    ]
    answer = admin.post(f"/e/{ENTITY}/{fresh}/log", {"text": "附件", "file": files}, fragment=True)
    assert answer.status_code == 200, answer.text
    page = answer.text.split("附件")[1].split("</li>")[0]
    shown = re.findall(r'<img src="(/files/\d+)"', page)
    assert len(shown) == 1
    offered = re.findall(r'class="line-file" href="(/files/\d+)"', page)
    assert len(offered) == 2
    for address in offered:
        given = admin.get(address)
        assert given.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in given.headers["Content-Security-Policy"]
        assert given.mimetype == "application/octet-stream"


def test_files_of_a_record_have_versions(admin: Browser, fresh: int) -> None:
    where = f"/e/{ENTITY}/{fresh}/files"
    first = admin.post(where, {"file": (io.BytesIO(b"one"), "plan.txt")}, fragment=True)
    number = re.findall(r'name="of" value="(\d+)"', first.text)[0]
    second = admin.post(where, {"file": (io.BytesIO(b"two!"), "plan-b.txt"), "of": number}, fragment=True)
    assert second.status_code == 200
    assert "plan-b.txt" in second.text
    assert "plan.txt" in second.text
    assert len(re.findall('name="of"', second.text)) == 1  # one file, two versions
    newest = re.findall(r'name="of" value="(\d+)"', second.text)[0]
    assert admin.get(f"/files/{newest}").data == b"two!"
    assert admin.get(f"/files/{number}").data == b"one"
    assert "files" in admin.get(f"/e/{ENTITY}/{fresh}/timeline?list=1").text
    gone = admin.post(f"{where}/{newest}/remove", fragment=True)
    assert "plan" not in gone.text
    assert admin.get(f"/files/{newest}").status_code == 404
    assert admin.post(where, {"file": (io.BytesIO(b"3"), "x.txt"), "of": "999999"}, fragment=True).status_code == 404
    assert admin.post(where, {}, fragment=True).status_code == 422


def changed(site: Site, record: int, *values: str) -> list[int]:
    """Changes the short name one value after the other; the rows of the audit."""
    with site.session(1, write=True) as session:
        for value in values:
            records.update(session, ENTITY, record, {"short_name": value})
    with site.session() as session:
        audit = session.table("audit")
        wanted = sa.select(audit.c.id).where(
            audit.c.entity == ENTITY, audit.c.record == record, audit.c.action == "update"
        )
        return list(session.connection.scalars(wanted.order_by(audit.c.id)))[-len(values) :]


def name_of(site: Site, record: int) -> str:
    with site.session() as session:
        return str(records.read(session, ENTITY, record, ["short_name"]).values["short_name"])


def test_a_change_is_taken_back_and_only_while_nothing_came_after(site: Site, admin: Browser, fresh: int) -> None:
    earlier, later = changed(site, fresh, "乙", "丙")
    undo = f"/e/{ENTITY}/{fresh}/undo-change"
    admin.post(undo, {"audit": str(earlier), "field": "short_name"})
    assert name_of(site, fresh) == "丙"  # it has moved on since
    admin.post(undo, {"audit": str(later), "field": "short_name"})
    assert name_of(site, fresh) == "乙"
    assert admin.post(undo, {"audit": str(later), "field": "owner"}).status_code == 404
    assert admin.post(undo, {"audit": "99999999", "field": "short_name"}).status_code == 404
    assert admin.post(undo, {"audit": "x", "field": "short_name"}).status_code == 404


def test_taking_back_keeps_to_the_rules(site: Site, admin: Browser, fresh: int) -> None:
    """A required field cannot become empty again by the back door."""
    with site.session(1, write=True) as session:
        records.update(session, ENTITY, fresh, {"status": "abandoned", "status_reason": "没有预算"})
    with site.session() as session:
        audit = session.table("audit")
        wanted = sa.select(sa.func.max(audit.c.id)).where(audit.c.entity == ENTITY, audit.c.record == fresh)
        last = session.connection.scalar(wanted)
    admin.post(f"/e/{ENTITY}/{fresh}/undo-change", {"audit": str(last), "field": "status_reason"})
    with site.session() as session:
        assert records.read(session, ENTITY, fresh, ["status_reason"]).values["status_reason"] == "没有预算"


def test_the_header_says_what_comes_next_and_where_to_call(admin: Browser) -> None:
    html = admin.get(HERE).text
    assert 'class="reach-signal' in html
    assert 'class="reach-idle' in html
    assert re.search(r'href="tel:[0-9]+" data-touch="call"', html)
    assert f"/new?customer=1&amp;next={HERE}" in html


def test_why_names_the_rule_and_the_parts_of_a_formula(admin: Browser) -> None:
    admin.post("/preferences", {"language": "zh", "next": "/"})  # whatever another test chose
    whole = admin.get(f"{HERE}/why", headers={"HX-Request": "true"}).text
    assert "why-list" in whole
    one = admin.get(f"{HERE}/why/opp_open", headers={"HX-Request": "true"}).text
    assert "why-rule" in one
    score = admin.get(f"{HERE}/why/value_score", headers={"HX-Request": "true"}).text
    assert "年营收" in score
    assert "线索热度" not in score  # another score of the record
    assert admin.get(f"{HERE}/why/nothing").status_code == 404
    assert admin.get(f"/e/{ENTITY}/999999/why").status_code == 404


def test_every_computed_field_of_the_stock_application_says_why(site: Site, admin: Browser) -> None:
    computed = []
    with site.session() as session:
        for entity in session.app.entities.values():
            table = session.table(entity.name)
            record = session.connection.scalar(sa.select(sa.func.min(table.c.id)).where(table.c.deleted_at.is_(None)))
            if record is not None:
                computed += [f"/e/{entity.name}/{record}/why/{f.name}" for f in entity.own_fields if f.formula]
    answers = {address: admin.get(address, headers={"HX-Request": "true"}).status_code for address in computed}
    assert len(answers) > 50
    assert {address: status for address, status in answers.items() if status not in (200, 404)} == {}


def test_completing_asks_for_the_next_step_and_plans_it(site: Site, admin: Browser, fresh: int) -> None:
    with site.session(1, write=True) as session:
        entity = session.app.entities[ENTITY].fields["tasks"].entity or ""
        task = records.create(session, entity, {"subject": "送样", "customer": fresh}).id
    ask = admin.get(f"/e/{entity}/{task}/actions/complete?next=/e/{ENTITY}/{fresh}", headers={"HX-Request": "true"})
    assert 'name="next"' in ask.text
    assert 'name="next_at"' in ask.text
    data = {"next": "问结果", "next_at": "2031-05-06T10:00"}
    done = admin.post(f"/e/{entity}/{task}/actions/complete?next=/e/{ENTITY}/{fresh}", data)
    assert done.headers["Location"] == f"/e/{ENTITY}/{fresh}"
    with site.session() as session:
        table = session.table(entity)
        rows = session.connection.execute(
            table.select().where(table.c.customer == fresh).order_by(table.c.id)
        ).mappings()
        told = [(row["subject"], row["status"]) for row in rows]
    assert told == [("送样", "done"), ("问结果", "todo")]
    assert admin.get(f"/e/{entity}/{task}/actions/complete").status_code == 409
