"""Code of packages that raises, and rules that go round: told and passed over, never an error of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rules.assigning import Bench, Candidate, Need, pick_strategy
from rules.registry import Integer, rule_function
from runtime import records
from runtime.clock import FakeClock
from runtime.explain import decision
from runtime.jobs.worker import Worker
from runtime.site import Site
from tests.records.world import add_user, open_site

APPLICATION = """
entity: thing
title: name
owner: owner
fields:
  name: {type: text, required: true}
  n: {type: integer, default: 1}
  m: {type: integer, default: 0}
  twice: {type: integer, formula: "raises_on_purpose(n)"}
  sure: {type: integer, formula: "coalesce(twice, 0) + n"}
  owner: user
---
role: clerk
grants: {"*": {all: all}}
---
assignment: thing
entity: thing
on: [create]
rules:
  - {name: broken, pick: {from: {role: clerk}, by: strategy_that_raises}}
  - {name: stranger, pick: {from: {role: clerk}, by: strategy_of_a_stranger}}
  - {name: rest, pick: {from: {role: clerk}, by: round_robin}}
---
workflow: ping
entity: thing
on: {update: [n]}
when: "n < 1000"
steps: [{set: {m: "=n"}}]
---
workflow: pong
entity: thing
on: {update: [m]}
when: "m < 1000"
steps: [{set: {n: "=m + 1"}}]
"""


@pick_strategy("strategy_that_raises")
def strategy_that_raises(candidates: Any, need: Any, options: Any) -> None:
    raise RuntimeError("on purpose")


@pick_strategy("strategy_of_a_stranger")
def strategy_of_a_stranger(candidates: Any, need: Any, options: Any) -> Candidate:
    return Candidate(id=999_999)


@rule_function("raises_on_purpose", args=[Integer], returns=Integer, help={"zh": "测试", "en": "A test"})
def raises_on_purpose(number: int) -> int:
    if number != 7:
        raise RuntimeError("on purpose")
    return 14


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = open_site(f"sqlite:///{tmp_path / 'o.db'}", tmp_path, APPLICATION, FakeClock())
    yield made
    made.close()


def test_a_strategy_that_raises_is_passed_over_and_the_reason_is_kept(site: Site) -> None:
    ann = add_user(site, "ann", "clerk")
    with site.session(ann, write=True, channel="api") as session:
        made = records.create(session, "thing", {"name": "A"}).id
        found = decision(session, "assignment", "thing", made)
        assert records.read(session, "thing", made).values["owner"] == ann
    assert [(s["rule"], s["result"]) for s in found["steps"]] == [
        ("broken", "failed"), ("stranger", "failed"), ("rest", "chosen"),
    ]  # fmt: skip
    assert "跳过" in found["steps"][0]["why"]


def test_a_strategy_answers_one_of_those_it_was_offered() -> None:
    bench = Bench(by="strategy_of_a_stranger", candidates=[Candidate(id=1)])
    with pytest.raises(ValueError, match="not offered"):
        bench.pick(Need())


def test_a_rule_function_that_raises_gives_nothing(site: Site) -> None:
    with site.session(write=True) as session:
        made = [records.create(session, "thing", {"name": "A", "n": n}).id for n in (3, 7)]
        found = [records.read(session, "thing", i).values for i in made]
    assert [(v["twice"], v["sure"]) for v in found] == [(None, 3), (14, 21)]


def test_workflows_that_go_round_in_spite_of_conditions_are_stopped_with_a_message(site: Site) -> None:
    """The ring could end by itself, so publishing only warned; at run time it is cut, and both runs say so."""
    with site.session(write=True) as session:
        made = records.create(session, "thing", {"name": "A"}).id
    with site.session(write=True, channel="api") as session:
        records.update(session, "thing", made, {"n": 2})
    Worker(site).run_all()
    with site.session() as session:
        run = session.table("workflow_run")
        runs = session.connection.execute(sa.select(run.c.workflow, run.c.state, run.c.error).order_by(run.c.id)).all()
        value = records.read(session, "thing", made).values["n"]
    assert [r.state for r in runs[:-1]] == ["done"] * (len(runs) - 1)
    assert runs[-1].state == "stopped"
    assert "ping" in runs[-1].error
    assert len(runs) <= 12
    assert value <= 12
