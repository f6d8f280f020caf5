"""A run that has begun keeps the workflow it began with; publishing says beforehand how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.packages import load_texts, platform
from runtime import records
from runtime.clock import FakeClock
from runtime.jobs.worker import Worker
from runtime.publishing.publish import plan, publish
from runtime.site import Site
from tests.records.world import open_site

APPLICATION = """
entity: parcel
title: name
fields: {name: {type: text, required: true}, said: text}
---
workflow: follow_up
entity: parcel
on: create
steps:
  - {wait: 2d, unless: "said is not None"}
  - {set: {said: "the old way"}}
---
role: clerk
grants: {"*": {all: all}}
"""
CHANGED = APPLICATION.replace("the old way", "the new way")
GONE = APPLICATION.replace(APPLICATION[APPLICATION.index("workflow:") : APPLICATION.index("role:")], "")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = open_site(database_url, tmp_path, APPLICATION, FakeClock())
    yield made
    made.close()


def parcel(site: Site, name: str) -> int:
    with site.session(write=True) as session:
        return records.create(session, "parcel", {"name": name}).id


def said(site: Site, record: int) -> str | None:
    with site.session() as session:
        found: str | None = records.read(session, "parcel", record).values["said"]
        return found


@pytest.mark.parametrize(("text", "count"), [(CHANGED, 1), (GONE, 1), (APPLICATION + "# nothing\n", 0)])
def test_the_plan_names_the_runs_and_they_end_as_they_began(site: Site, text: str, count: int) -> None:
    begun = parcel(site, "begun")
    Worker(site).run_all()  # it waits now
    layers = [platform(), load_texts({"site.yaml": text}, "site")]
    impacts = [i for i in plan(site, layers).impacts if i.code == "impact.workflow_running"]
    assert [(i.params["name"], i.count) for i in impacts] == [("follow_up", 1)] * count
    publish(site, layers, "changed", accept=True)
    later = parcel(site, "later")
    Worker(site).run_all()
    site.clock.advance(days=2, seconds=1)  # type: ignore[attr-defined]
    Worker(site).run_all()
    assert said(site, begun) == "the old way"
    assert said(site, later) == {CHANGED: "the new way", GONE: None}.get(text, "the old way")
