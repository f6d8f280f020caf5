"""Links through records of their own: read like links, written as the records of the pair."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.compiler import compile_application
from metadata.packages import load_texts, platform
from runtime import records
from runtime.clock import FakeClock
from runtime.errors import Refused
from runtime.exchange.imports import Request, import_file
from runtime.publishing.publish import publish
from runtime.query.select import Query, parse_where, run
from runtime.settings import throwaway_settings
from runtime.site import Site
from runtime.views.binder import Binder
from tests.records.world import add_user
from web.api.openapi.document import build

ROLES = """
---
role: teacher
label: {zh: 教师, en: Teacher}
grants: {course: {all: all}, student: {all: all}, enrolment: {read: all}}
---
role: clerk
label: {zh: 文员, en: Clerk}
grants: {course: {all: all}, student: {all: all}, enrolment: {all: all}}
"""
METADATA = """
entity: course
title: name
fields:
  name: text
  students: {type: links, to: student, through: enrolment}
  size: {type: integer, formula: "students.count()"}
  best: {type: integer, formula: "students.max(grade)"}
---
entity: student
title: name
fields:
  name: text
  grade: integer
---
entity: enrolment
fields:
  course: {type: link, to: course, on_delete: cascade}
  student: {type: link, to: student}
  since: date
"""


@pytest.fixture
def school(tmp_path: Path, database_url: str) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF")
    with Site(settings, FakeClock()) as site:
        publish(site, [platform(), load_texts({"all.yaml": METADATA}, "site")])
        with site.session(write=True) as session:
            for name in ("Algebra", "Biology"):
                records.create(session, "course", {"name": name})
            for number, name in enumerate(("Ann", "Bo", "Cy"), 1):
                records.create(session, "student", {"name": name, "grade": number})
            for course, student in ((1, 1), (1, 3), (1, 3), (2, 2)):
                records.create(session, "enrolment", {"course": course, "student": student})
        yield site


def test_read_in_records_lists_and_formulas(school: Site) -> None:
    with school.session() as session:
        found = records.read(session, "course", 1)
        assert found.values["students"] == (1, 3)
        assert found.titles["students"] == ("Ann", "Cy")
        assert (found.values["size"], found.values["best"]) == (2, 3)
        where = (parse_where(session, "course", "students.any(grade == 2) and size == 1"),)
        page = run(session, Query(entity="course", select=("name", "students", "size"), where=where))
        assert [(r.values["name"], r.values["students"], r.values["size"]) for r in page.rows] == [("Biology", (2,), 1)]


def test_the_pairs_decide(school: Site) -> None:
    with school.session(write=True) as session:
        records.delete(session, "enrolment", 1)
        records.create(session, "enrolment", {"course": 2, "student": 3})
    with school.session() as session:
        assert records.read(session, "course", 1).values["students"] == (3,)
        second = records.read(session, "course", 2)
        assert (second.values["students"], second.values["size"]) == ((2, 3), 2)
        state = records.evaluate_form(session, "course", 2, {"name": "Botany"})
        assert state.values["students"] == (2, 3)


def pairs(site: Site) -> list[tuple[int, int, int, date | None, bool]]:
    """(id, course, student, since, living) of every pair there ever was."""
    with site.session() as session:
        table = session.table("enrolment")
        wanted = sa.select(table.c.id, table.c.course, table.c.student, table.c.since, table.c.deleted_at.is_(None))
        return [tuple(row) for row in session.connection.execute(wanted.order_by(table.c.id))]


def test_written_by_the_field_pairs_that_stay_keep_their_data(school: Site) -> None:
    day = date(2026, 9, 1)
    with school.session(write=True) as session:
        records.update(session, "enrolment", 1, {"since": day})
    with school.session(write=True) as session:
        saved = records.update(session, "course", 1, {"students": [1, 2]})
        assert saved.version == 2
    assert pairs(school) == [
        (1, 1, 1, day, True), (2, 1, 3, None, False), (3, 1, 3, None, False), (4, 2, 2, None, True), (5, 1, 2, None, True),
    ]  # fmt: skip
    with school.session() as session:
        found = records.read(session, "course", 1)
        assert (found.values["students"], found.values["size"], found.values["best"]) == ((1, 2), 2, 2)
        entry = records.history(session, "course", 1)[0]
        assert entry.changes["students"] == ((1, 3), (1, 2))
    with school.session(write=True) as session:  # the same again changes nothing
        assert records.update(session, "course", 1, {"students": ["2", 1]}).version == 2
    assert len(pairs(school)) == 5
    with school.session(write=True) as session:
        records.update(session, "course", 1, {"students": []})
    assert [living for *_, living in pairs(school)] == [False, False, False, True, False]
    with school.session(write=True) as session:
        records.restore(session, "enrolment", 1)
    assert pairs(school)[0] == (1, 1, 1, day, True)


def test_created_with_members_and_by_many(school: Site) -> None:
    with school.session(write=True) as session:
        made = records.create(session, "course", {"name": "Chemistry", "students": [3, 1]})
        records.create_many(session, "course", [{"name": f"C{n}", "students": [n]} for n in (1, 2)])
    with school.session() as session:
        assert records.read(session, "course", made.id).values["students"] == (1, 3)
        page = run(
            session, Query(entity="course", select=("students",), where=(parse_where(session, "course", "id > 3"),))
        )
        assert [r.values["students"] for r in page.rows] == [(1,), (2,)]


def test_what_the_pair_refuses_is_told_at_the_field_and_nothing_is_written(school: Site) -> None:
    strict = METADATA.replace("since: date", "since: {type: date, required: true}")
    with school.session(write=True) as session:
        for number in (1, 2, 3, 4):
            records.update(session, "enrolment", number, {"since": date(2026, 9, 1)})
    publish(school, [platform(), load_texts({"all.yaml": strict}, "site")], accept=True)
    before = pairs(school)
    with school.session(write=True) as session:
        with pytest.raises(Refused) as refused:
            records.update(session, "course", 1, {"name": "Geometry", "students": [1, 2]})
        answers = records.create_many(
            session, "course", [{"name": "Good"}, {"name": "Bad", "students": [1]}], atomic=False
        )
    assert [(p.code, p.field) for p in refused.value.problems] == [("required", "students.since")]
    assert [isinstance(answer, Refused) for answer in answers] == [False, True]
    assert pairs(school) == before
    with school.session() as session:
        page = run(session, Query(entity="course", select=("name",)))
        assert [r.values["name"] for r in page.rows] == ["Algebra", "Biology", "Good"]
    with school.session(write=True) as session:
        records.update(session, "course", 1, {"students": [1]})  # to take one away needs no more
    assert [living for *_, living in pairs(school)] == [True, False, False, True]


def test_it_takes_the_rights_on_the_pairs(school: Site) -> None:
    text = METADATA + ROLES
    publish(school, [platform(), load_texts({"all.yaml": text}, "site")])
    teacher, clerk = add_user(school, "teacher", "teacher"), add_user(school, "clerk", "clerk")
    before = pairs(school)
    for ids, code in (([1, 2, 3], "readonly"), ([1], "readonly"), ([1, 3, 99], "readonly")):
        with school.session(teacher, write=True) as session, pytest.raises(Refused) as refused:
            records.update(session, "course", 1, {"students": ids})
        assert (code, "students") in [(p.code, p.field) for p in refused.value.problems]
    with school.session(teacher, write=True) as session:
        records.update(session, "course", 1, {"name": "Geometry", "students": [3, 1]})
    assert pairs(school) == before
    with school.session(clerk, write=True) as session:
        records.update(session, "course", 1, {"students": [1, 2]})
        with pytest.raises(Refused) as refused:
            records.update(session, "course", 1, {"students": [1, 99]})
    assert [(p.code, p.field) for p in refused.value.problems] == [("no_such_record", "students")]


def test_by_import_form_and_api(school: Site, tmp_path: Path) -> None:
    file = tmp_path / "courses.csv"
    file.write_text("name,students\nAlgebra,Bo; Ann\nDrama,Cy\n", encoding="utf-8")
    done = import_file(school, "course", file, request=Request(match=("name",)))
    assert (done.created, done.updated, done.rejected) == (1, 1, 0)
    with school.session() as session:
        binder = Binder(session)
        bound = binder.field("course", "students")
        assert bound is not None
        assert (bound.readonly, bound.widget) == (False, "lookup_many")
        page = run(session, Query(entity="course", select=("name", "students")))
        assert {r.values["name"]: r.values["students"] for r in page.rows} == {
            "Algebra": (1, 2),
            "Biology": (2,),
            "Drama": (3,),
        }
        schemas = build(session, "http://127.0.0.1")["components"]["schemas"]
    bodies = [s for s in schemas.values() if "students" in s.get("properties", {}) and "id" not in s["properties"]]
    assert bodies
    assert not any(s["properties"]["students"].get("readOnly") for s in bodies)


def test_what_cannot_work_is_a_problem_where_it_stands() -> None:
    text = METADATA.replace("through: enrolment}", "through: enrolment, required: true}")
    found = compile_application([platform(), load_texts({"all.yaml": text}, "site")])
    assert [(p.code, p.place.line) for p in found.errors] == [("field.through", 6)]
