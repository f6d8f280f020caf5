"""The example of a code package that takes part in deciding: a rule function, a pick strategy, effect functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from metadata.effect_functions import effect_functions
from metadata.packages import load_folder, stock
from metadata.testing import compile_package, lint
from rules.assigning import Candidate, Need, strategies
from runtime import records
from runtime.bootstrap import init_site
from runtime.clock import FakeClock
from runtime.explain import decision
from runtime.jobs.worker import Worker
from runtime.publishing import layers
from runtime.publishing.publish import publish
from runtime.query.select import Query, parse_where, run
from runtime.site import Site

ROOT = Path(__file__).resolve().parents[2] / "examples" / "service_jobs"
FOLDER = ROOT / "octavo_service_jobs"


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    """What the package registers, as if it were installed."""
    sys.path.insert(0, str(ROOT))
    import octavo_service_jobs  # noqa: F401 - registers

    yield
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    clock = FakeClock("2026-03-16T02:00:00+00:00")
    with init_site(tmp_path_factory.mktemp("jobs") / "s", clock=clock).site as made:
        publish(made, [*layers.folder_layers(made.settings), layers.package_layer(FOLDER)], "service jobs")
        yield made


@pytest.fixture(scope="module")
def technicians(site: Site) -> list[int]:
    with site.session(write=True) as session:
        rows = [{"login": f"tech{n}", "name": f"技术员{n}", "roles": [{"role": "technician"}]} for n in range(2)]
        return [records.create(session, "user", row).id for row in rows]


def test_the_package_is_clean() -> None:
    assert lint(FOLDER) == []


def test_a_slip_in_its_rules_is_told_with_its_place(tmp_path: Path) -> None:
    """What code registers is checked like what is built in: the strategy, the function, its parameters."""
    wrong = {"assignment.yaml": ("known_first", "known_frist"), "workflow.yaml": ("hours:", "horas:")}
    for name, (old, new) in wrong.items():
        text = (FOLDER / "rules" / name).read_text("utf-8").replace(old, new)
        folder = tmp_path / name.partition(".")[0]
        for path in FOLDER.rglob("*.yaml"):
            target = folder / path.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text if path.name == name else path.read_text("utf-8"), encoding="utf-8")
        found = [p for p in compile_package(folder)[0].problems if p.severity == "error"]
        assert [(p.place.file.endswith(name), p.place.line > 1) for p in found] == [(True, True)], found


def test_the_strategy_prefers_who_knows_the_customer() -> None:
    busy, free = Candidate(id=1, load=9), Candidate(id=2, load=0)  # type: ignore[arg-type]
    pick = strategies()["known_first"]
    known = Need(values={"last": SimpleNamespace(record_id=1)})
    assert pick([busy, free], known, {"known": "last"}) is busy
    assert pick([busy, free], Need(values={"last": None}), {"known": "last"}) is free
    assert pick([free], known, {"known": "last"}) is free
    assert pick([busy, free], known, {}) is free


def test_jobs_go_to_who_knows_the_customer_and_the_reason_is_told(site: Site, technicians: list[int]) -> None:
    first, second = technicians
    with site.session(write=True, channel="api") as session:
        made = [
            records.create(session, "service_job", {"subject": f"S{n}", "last_technician": known, "due_on": due}).id
            for n, (known, due) in enumerate([(second, "2026-03-17"), (second, "2026-03-30"), (None, None)])
        ]
    with site.session() as session:
        got = [records.read(session, "service_job", i).values["technician"] for i in made]
        why = decision(session, "assignment", "service_job", made[0])
    assert got == [second, second, first]
    assert "熟悉客户者优先" in str(why["steps"])
    Worker(site).run_all()
    Worker(site).run_all()
    with site.session() as session:
        booked = session.connection.execute(sa.select(session.table("service_booking").c.job)).scalars().all()
        where = (parse_where(session, "service_job", "days_left <= 2"),)
        due = run(session, Query(entity="service_job", select=("subject", "days_left", "booked"), where=where)).rows
    assert sorted(booked) == sorted(made)
    assert [(row.values["subject"], row.values["days_left"], str(row.values["booked"])) for row in due] == [
        ("S0", 1, "1.0")
    ]
    board = (site.folder / "workshop.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in board] == ["S0 → 技术员1"]


def test_told_twice_under_one_event_the_workshop_hears_it_once(site: Site) -> None:
    ring = effect_functions()["ring_workshop"].call
    for _ in range(2):
        ring(site, "event-1", text="again")
    board = (site.folder / "workshop.txt").read_text(encoding="utf-8").splitlines()
    assert board.count("event-1 again") == 1


def test_the_stock_application_knows_nothing_of_the_example() -> None:
    names = {(document.kind, document.name) for document in stock().documents}
    assert not names & {(d.kind, d.name) for d in load_folder(FOLDER, "x")[0].documents if not d.extend}
