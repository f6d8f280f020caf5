"""Publishing: what is refused, what is said beforehand, what comes back."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import Layer
from runtime.errors import Answer, Conflict, NotFound, Refused
from runtime.publishing.layers import SITE, files_of, with_site_files
from runtime.publishing.publish import current_layers, plan, publish, pull, rollback, versions
from runtime.schema.verify import drift
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column, layer


def changed(old: str, new: str) -> list[Layer]:
    assert old in BASE
    return [layer(BASE.replace(old, new))]


def impacts(site: Site, layers: list[Layer]) -> dict[str, tuple[str, int]]:
    found = plan(site, layers)
    assert found.errors == []
    return {i.code: (i.severity, i.count) for i in found.impacts}


@pytest.fixture
def site(empty_site: Site) -> Site:
    publish(empty_site, [layer(BASE)])
    for name, kind, employees in (("甲公司", "big", 5), ("乙", "small", None), ("甲公司", None, 700)):
        record = add(empty_site, "customer", name=name, kind=kind, employees=employees, phone="12")
        add(empty_site, "address", customer=record, street="路")
    return empty_site


def test_errors_are_refused_and_the_version_before_serves(site: Site) -> None:
    with pytest.raises(Refused) as caught:
        publish(
            site,
            changed("type: integer", "type: nonsense")
            if "type: integer" in BASE
            else changed("employees: integer", "employees: nonsense"),
        )
    assert caught.value.code == "publish.problems"
    assert site.refresh().number == 1


def test_new_required_field_is_a_warning(site: Site) -> None:
    layers = changed("employees: integer", "employees: {type: integer, required: true}")
    assert impacts(site, layers) == {"impact.required": ("warning", 1)}
    assert publish(site, layers) == 2


def test_unique_with_duplicates_is_refused(site: Site) -> None:
    layers = changed("name: {type: text, max: 50}", "name: {type: text, max: 50, unique: true}")
    assert impacts(site, layers) == {"impact.duplicates": ("refuse", 2)}
    with pytest.raises(Refused) as caught:
        publish(site, layers, accept=True)
    assert "2" in caught.value.params["reason"]
    assert site.refresh().number == 1


def test_unique_counts_the_living_alone(site: Site) -> None:
    with site.session(write=True) as session:
        table = session.table("customer")
        session.connection.execute(sa.update(table).where(table.c.id == 3).values(deleted_at=session.now))
    publish(site, changed("name: {type: text, max: 50}", "name: {type: text, max: 50, unique: true}"))
    with pytest.raises(sa.exc.IntegrityError):
        add(site, "customer", name="乙")


def test_shorter_text_and_narrower_options(site: Site) -> None:
    assert impacts(site, changed("max: 50", "max: 2")) == {"impact.shorter": ("warning", 2)}
    layers = changed("[big, small]", "[small, tiny]")
    assert impacts(site, layers) == {"impact.choices": ("danger", 1)}
    with pytest.raises(Refused) as caught:
        publish(site, layers)
    assert caught.value.code == "publish.danger"
    assert publish(site, layers, accept=True) == 2
    assert column(site, "customer", "kind") == {1: "big", 2: "small", 3: None}


def test_choice_renamed_in_the_data(site: Site) -> None:
    options = "{large: {zh: 大, en: Large, was: [big]}, small: {zh: 小, en: Small}}"
    publish(site, changed("[big, small]", options))
    assert column(site, "customer", "kind") == {1: "large", 2: "small", 3: None}


def test_new_check_counts_the_records_that_break_it(site: Site) -> None:
    rule = '\nchecks:\n  - {name: sane, must: "employees is None or employees < 100", message: {zh: 太多, en: Too many}}\n---'
    layers = [layer(BASE.replace("\n---", rule))]
    assert impacts(site, layers) == {"impact.check": ("warning", 1)}


@pytest.mark.promise("P14")
def test_retype_says_what_is_lost_and_the_way_back_brings_it_back(site: Site) -> None:
    layers = changed("name: {type: text, max: 50}", "name: integer")
    assert impacts(site, layers) == {"impact.retype": ("danger", 3)}
    publish(site, layers, accept=True)
    assert set(column(site, "customer", "name").values()) == {None}
    with site.session(write=True) as session:
        table = session.table("customer")
        session.connection.execute(sa.update(table).where(table.c.id == 2).values(name=42))
    assert rollback(site, 1, accept=True) == 3
    assert column(site, "customer", "name") == {1: "甲公司", 2: "42", 3: "甲公司"}
    with site.session() as session:
        assert drift(session.connection, site.tables) == []


@pytest.mark.promise("P14")
def test_retired_field_and_entity_come_back(site: Site) -> None:
    without = (
        BASE.split("---")[0]
        .replace("  lines: {type: lines, entity: address}\n", "")
        .replace("  phone: {type: text, max: 20}\n", "")
    )
    found = impacts(site, [layer(without)])
    assert found == {"impact.retire_field": ("danger", 3), "impact.retire_entity": ("danger", 3)}
    publish(site, [layer(without)], accept=True)
    with site.session(write=True) as session:  # nothing unseen stands in the way of a purge
        table = session.table("customer")
        session.connection.execute(sa.delete(table).where(table.c.id == 2))
    publish(site, [layer(BASE)], accept=True)
    assert column(site, "customer", "phone") == {1: "12", 3: "12"}
    assert column(site, "address", "street") == {1: "路", 2: "路", 3: "路"}
    assert column(site, "address", "customer") == {1: 1, 2: None, 3: 3}


def test_versions_and_rollback(site: Site) -> None:
    publish(site, changed("max: 50", "max: 60"), "longer", 7)
    rollback(site, 1)
    found = versions(site)
    assert [(v.number, v.note, v.created_by, v.rollback_of) for v in found] == [
        (3, "↶ 1", None, 1),
        (2, "longer", 7, None),
        (1, "", None, None),
    ]
    assert found[1].changes == ("site: all.yaml",)
    assert site.application().entities["customer"].fields["name"].max == 50
    with pytest.raises(NotFound):
        rollback(site, 99)


def test_pull_writes_and_removes(site: Site) -> None:
    folder = site.settings.metadata_folder
    folder.mkdir()
    (folder / "gone.yaml").write_text("options: x\nchoices: [a]\n", encoding="utf-8")
    assert {p.name for p in pull(site)} == {"all.yaml", "gone.yaml"}
    assert (folder / "all.yaml").read_text(encoding="utf-8") == BASE
    assert pull(site) == []


def test_site_files_change_one_by_one(site: Site) -> None:
    more = "entity: extra\nfields: {name: text}\n"
    publish(site, with_site_files(current_layers(site), {"extra.yaml": more}))
    assert "extra" in site.application().entities
    layers = with_site_files(current_layers(site), {"extra.yaml": None})
    assert set(files_of(next(x for x in layers if x.name == SITE))) == {"all.yaml"}


@pytest.mark.promise("P11")
def test_of_two_admins_one_wins(site: Site) -> None:
    for _ in range(5):
        base = site.refresh().number
        barrier, answers = Barrier(2), []

        def attempt(number: int, base: int = base, barrier: Barrier = barrier, answers: list[Any] = answers) -> None:
            wanted = [layer(BASE.replace("max: 50", f"max: {60 + base * 2 + number}"))]
            barrier.wait()
            try:
                answers.append(publish(site, wanted, base=base))
            except Answer as answer:
                answers.append(answer)

        threads = [Thread(target=attempt, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(type(a).__name__ for a in answers) == ["Conflict", "int"]
        loser = next(a for a in answers if isinstance(a, Conflict))
        assert loser.params == {"number": str(base + 1), "changed": "site: all.yaml"}
        assert site.refresh().number == base + 1


@pytest.mark.promise("P12")
def test_another_process_notices_and_writers_pin_their_version(site: Site) -> None:
    other = Site(site.settings, site.clock)
    assert other.version == 1
    publish(site, changed("phone:", "mobile: {type: text, max: 20, was: [phone]}\n  fax:"), accept=True)
    with other.session(write=True) as session:
        assert session.version == 2
        assert "mobile" in session.table("customer").c
    assert column(other, "customer", "mobile") == {1: "12", 2: "12", 3: "12"}
    other.close()
