"""Links through records of their own: read like links, written as the records of the pair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.compiler import compile_application
from metadata.packages import load_texts, platform
from runtime import records
from runtime.clock import FakeClock
from runtime.errors import Refused
from runtime.publishing.publish import publish
from runtime.query.select import Query, parse_where, run
from runtime.settings import throwaway_settings
from runtime.site import Site

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


def test_writing_the_field_itself_is_refused_with_its_name(school: Site) -> None:
    with school.session(write=True) as session:
        records.update(session, "course", 1, {"name": "Geometry"})
        with pytest.raises(Refused) as refused:
            records.update(session, "course", 1, {"students": [2]})
    assert [(p.code, p.field) for p in refused.value.problems] == [("computed", "students")]


def test_what_cannot_work_is_a_problem_where_it_stands() -> None:
    text = METADATA.replace("through: enrolment}", "through: enrolment, required: true}")
    found = compile_application([platform(), load_texts({"all.yaml": text}, "site")])
    assert [(p.code, p.place.line) for p in found.errors] == [("field.through", 6)]
