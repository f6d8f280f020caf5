"""Search after a publish that changes what is searched."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest

from metadata.packages import Layer
from runtime import records
from runtime.jobs import Worker
from runtime.publishing.publish import publish
from runtime.query.search import search
from runtime.site import Site
from tests.publishing.conftest import BASE

Whole = Callable[[str], list[Layer]]
SEARCHED = BASE.replace("title: name\n", "title: name\nsearch: [name]\n")
WIDER = BASE.replace("title: name\n", "title: name\nsearch: [name, phone]\n")


@pytest.fixture
def site(empty_site: Site, whole: Whole) -> Site:
    publish(empty_site, whole(SEARCHED))
    with empty_site.session(write=True) as session:
        for number in range(5):
            records.create(session, "customer", {"name": f"深圳{number}", "phone": f"1380013800{number}"})
    return empty_site


def hits(site: Site, text: str) -> int:
    with site.session() as session:
        return len(search(session, text))


def test_another_field_is_searched_at_once(site: Site, whole: Whole) -> None:
    assert (hits(site, "深圳"), hits(site, "13800138003")) == (5, 0)
    publish(site, whole(WIDER))
    assert (hits(site, "深圳"), hits(site, "13800138003")) == (5, 1)
    with site.session(write=True) as session:
        records.update(session, "customer", 1, {"phone": "95588"})
    assert (hits(site, "13800138003"), hits(site, "95588")) == (1, 1)


def test_entities_searched_for_the_first_time_and_renamed_ones(empty_site: Site, whole: Whole) -> None:
    publish(empty_site, whole(BASE))
    with empty_site.session(write=True) as session:
        records.create(session, "customer", {"name": "广州"})
    assert hits(empty_site, "广州") == 0
    publish(empty_site, whole(SEARCHED))
    assert hits(empty_site, "广州") == 1
    renamed = SEARCHED.replace("entity: customer\n", "entity: client\nwas: customer\n").replace(
        "to: customer", "to: client"
    )
    publish(empty_site, whole(renamed))
    assert hits(empty_site, "广州") == 1
    new = renamed + "---\nentity: place\ntitle: name\nsearch: [name]\nfields:\n  name: text\n"
    publish(empty_site, whole(new))
    with empty_site.session(write=True) as session:
        records.create(session, "place", {"name": "佛山"})
    assert hits(empty_site, "佛山") == 1


def test_large_entities_are_indexed_by_a_job(site: Site, whole: Whole) -> None:
    with patch("runtime.publishing.backfill.AT_ONCE", 2):
        publish(site, whole(WIDER))
    assert hits(site, "13800138003") == 0
    assert Worker(site).run_all() == 1
    assert (hits(site, "深圳"), hits(site, "13800138003")) == (5, 1)
