"""A rule changes while cases run: they keep their chain; a step that goes asks where they go on."""

from __future__ import annotations

import pytest

from metadata.packages import load_texts, platform
from runtime.errors import Answer
from runtime.publishing import publish
from tests.approvals.world import APPLICATION, World

OTHER = "  - {name: manager, by: {manager_of: owner}, timeout: 24h, on_timeout: escalate}\n  - name: review"
GONE = "  - {name: chief, by: {role: director}, need: any}\n  - name: review"


def layers(application: str) -> list[object]:
    return [platform(), load_texts({"site.yaml": application}, "site")]


def test_running_cases_keep_their_chain(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    changed = APPLICATION.replace('start: {on: submit, when: "amount > 100"}', "start: {on: submit}").replace(
        OTHER, OTHER.replace("manager_of: owner", "role: auditor")
    )
    publish.publish(world.site, layers(changed), "2")
    assert world.asked(case) == ["mia"]
    assert world.asked(world.submit("ann", world.create("ann", amount=500))) == ["fay"]
    world.act("mia", "approve", bill)
    assert world.row("bill", bill)["status"] == "approved"


def test_a_step_that_goes_asks_where_to(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    changed = APPLICATION.replace(OTHER, GONE)
    found = publish.plan(world.site, layers(changed))
    asked = [(i.code, i.severity, i.count, i.sample) for i in found.impacts if i.code.startswith("impact.case")]
    assert asked == [("impact.case_stranded", "danger", 1, (case,))]
    with pytest.raises(Answer):
        publish.publish(world.site, layers(changed), "2")
    publish.publish(world.site, layers(changed), "2", accept=True)
    assert world.asked(case) == ["mia"]
    world.act("mia", "approve", bill)
    assert world.row("bill", bill)["status"] == "approved"


def test_a_step_that_goes_moves_its_cases(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    changed = APPLICATION.replace(OTHER, GONE).replace("on_submitted:", "moved: {manager: chief}\non_submitted:", 1)
    found = publish.plan(world.site, layers(changed))
    assert [(i.code, i.severity) for i in found.impacts if i.code.startswith("impact.case")] == [
        ("impact.case_moved", "info")
    ]
    publish.publish(world.site, layers(changed), "2")
    assert world.asked(case) == ["dan", "eva"]
    world.act("dan", "approve", bill)
    assert (world.case(case).state, world.row("bill", bill)["status"]) == ("approved", "approved")
