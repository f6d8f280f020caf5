"""The examples are clean packages, and do what their pages say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.testing import lint
from runtime import records
from runtime.bootstrap import init_site
from runtime.clock import FakeClock
from runtime.errors import Refused
from runtime.publishing import layers
from runtime.publishing.publish import publish
from runtime.query.select import Query, parse_where, run
from runtime.site import Session, Site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FUNCTIONS = EXAMPLES / "functions_days"


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The code package's folder, with its functions registered as an installed package's are."""
    monkeypatch.syspath_prepend(str(FUNCTIONS))
    import octavo_functions_days  # noqa: F401 - registers

    yield FUNCTIONS / "octavo_functions_days"
    sys.modules.pop("octavo_functions_days", None)


@pytest.mark.parametrize("name", ["hello", "template_training"])
def test_data_packages_are_clean(name: str) -> None:
    assert lint(EXAMPLES / name) == []


def test_the_code_package_is_clean(functions: Path) -> None:
    assert lint(functions) == []


def test_hello_greets(tmp_path: Path) -> None:
    with init_site(tmp_path / "s", packages=[EXAMPLES / "hello"]).site as site, site.session(write=True) as session:
        saved = records.create(session, "visitor", {"name": "张三"})
        assert records.read(session, "visitor", saved.id).values["greeting"] == "你好，张三"


def find(session: Session, entity: str, **values: object) -> int:
    table = session.table(entity)
    found = session.connection.scalar(sa.select(table.c.id).where(*(table.c[n] == v for n, v in values.items())))
    assert found is not None
    return int(found)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Site]:
    with init_site(tmp_path / "s", packages=[EXAMPLES / "template_training"]).site as site:
        from runtime.seed import load_data

        with site.session(write=True) as session:
            load_data(session, EXAMPLES / "template_training" / "data" / "demo" / "10_training.yaml")
        yield site


def test_the_training_template_counts_places_and_fees(school: Site) -> None:
    with school.session() as session:
        group = records.read(session, "course_class", find(session, "course_class", name="Python 周末一班")).values
        student = records.read(session, "customer", find(session, "customer", name="周子轩")).values
        lesson = records.read(session, "lesson", find(session, "lesson", topic="循环")).values
    assert (group["enrolled"], group["places_left"], group["income"]) == (2, 10, Decimal(5040))
    assert (student["courses_taken"], student["tuition_due"]) == (2, Decimal(7600))
    assert (lesson["present"], lesson["rate"]) == (1, Decimal(50))


def test_a_full_class_takes_nobody(school: Site) -> None:
    with school.session(write=True) as session:
        course = find(session, "course", code="PY1")
        starts_on = (session.today + timedelta(days=5)).isoformat()
        tiny = {"name": "小班", "course": course, "starts_on": starts_on, "capacity": 1}
        group = records.create(session, "course_class", tiny).id
        first, second = (find(session, "customer", name=name) for name in ("林小雨", "周子轩"))
        records.create(session, "enrolment", {"student": first, "course_class": group})
    with pytest.raises(Refused), school.session(write=True) as session:
        records.create(session, "enrolment", {"student": second, "course_class": group})


def test_rule_functions_of_the_code_package_work_on_one_and_on_many(functions: Path, tmp_path: Path) -> None:
    with init_site(tmp_path / "s", clock=FakeClock("2026-03-16T02:00:00+00:00")).site as site:
        publish(site, [*layers.folder_layers(site.settings), layers.package_layer(functions)], "functions")
        with site.session(write=True) as session:
            for name, founded in (("老", date(2006, 3, 17)), ("新", date(2024, 1, 1))):
                records.create(session, "customer", {"name": name, "founded_on": founded})
            ages = {n: records.read(session, "customer", i).values["company_age"] for i, n in ((1, "老"), (2, "新"))}
            where = (parse_where(session, "customer", "company_age >= 19"),)
            found = run(session, Query(entity="customer", select=("name",), where=where)).rows
    assert ages == {"老": 19, "新": 2}
    assert [row.values["name"] for row in found] == ["老"]
