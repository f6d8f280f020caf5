"""What existing records get when a version adds a formula, a sort key or money."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from unittest.mock import patch

import pytest

from metadata.packages import Layer
from runtime.jobs import Worker
from runtime.publishing.publish import publish
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column

Whole = Callable[[str], list[Layer]]
MORE = BASE.replace(
    "  employees: integer\n",
    '  employees: integer\n  twice: {type: integer, formula: "employees * 2"}\n'
    '  streets: {type: integer, formula: "lines.count()"}\n  four: {type: integer, formula: "twice * 2"}\n',
).replace("phone: {type: text, max: 20}", "phone: {type: text, max: 20, sort_key: true}")


@pytest.fixture
def site(empty_site: Site, whole: Whole) -> Site:
    publish(empty_site, whole(BASE))
    for number in range(5):
        record = add(empty_site, "customer", name=f"{number}", phone="深圳", employees=number)
        for _ in range(number):
            add(empty_site, "address", customer=record)
    return empty_site


def filled(site: Site) -> None:
    assert column(site, "customer", "twice") == {n + 1: n * 2 for n in range(5)}
    assert column(site, "customer", "four") == {n + 1: n * 4 for n in range(5)}
    assert column(site, "customer", "streets") == {n + 1: n for n in range(5)}
    assert str(column(site, "customer", "phone__sort")[1]).startswith("shen")


def test_small_tables_are_filled_while_publishing(site: Site, whole: Whole) -> None:
    publish(site, whole(MORE))
    filled(site)


def test_large_tables_are_filled_by_jobs(site: Site, whole: Whole) -> None:
    with patch("runtime.publishing.backfill.AT_ONCE", 2), patch("runtime.publishing.backfill.BATCH", 2):
        publish(site, whole(MORE))
        assert set(column(site, "customer", "twice").values()) == {None}
        assert Worker(site).run_all() == 4
    filled(site)


def test_changed_formula_and_what_reads_it(site: Site, whole: Whole) -> None:
    publish(site, whole(MORE))
    publish(site, whole(MORE.replace("employees * 2", "employees * 10")))
    assert column(site, "customer", "four") == {n + 1: n * 20 for n in range(5)}


def test_number_becomes_money_with_its_base_amount(site: Site, whole: Whole) -> None:
    publish(site, whole(BASE.replace("employees: integer", "employees: money")), accept=True)
    assert column(site, "customer", "employees")[3] == Decimal(2)
    assert column(site, "customer", "employees__base") == {n + 1: Decimal(n) for n in range(5)}
