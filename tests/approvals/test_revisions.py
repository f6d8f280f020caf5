"""Revisions: what is in force changes through an approved change alone; versions are kept, compared, brought back."""

from __future__ import annotations

import pytest

from runtime import records, revisions
from runtime.duplicates.merge import merge
from runtime.errors import Conflict
from runtime.records import snapshots
from tests.approvals.world import World


def in_force(world: World) -> int:
    pact = world.create("ann", "pact", amount=100, lines=[{"item": "a", "price": 60}, {"item": "b", "price": 40}])
    world.submit("ann", pact, "pact")
    world.act("mia", "approve", pact, "pact")
    return pact


def states(world: World) -> list[tuple[int, str]]:
    return [(r["number"], r["state"]) for r in world.rows("revision")]


def test_coming_into_force_is_the_first_version(world: World) -> None:
    pact = in_force(world)
    row = world.row("pact", pact)
    assert (row["status"], row["edition"], row["shown"]) == ("approved", 1, "One")
    assert states(world) == [(1, "current")]


@pytest.mark.parametrize("channel", ["api", "form", "import", "bulk", "inline"])
def test_a_change_is_kept_as_a_draft_in_every_channel(world: World, channel: str) -> None:
    pact = in_force(world)
    before = world.row("pact", pact)
    for who in ("ann", "adm"):
        saved = world.update(who, "pact", pact, channel, amount=150)
        assert [w.code for w in saved.warnings] == ["revision.drafted"]
        assert world.row("pact", pact) == before
    assert states(world) == [(1, "current"), (2, "draft")]
    line = world.rows("pact_line")[0]["id"]
    for act in (
        lambda s: records.update(s, "pact_line", line, {"price": 1}),
        lambda s: records.create(s, "pact_line", {"pact": pact, "item": "c"}),
        lambda s: records.delete(s, "pact_line", line),
        lambda s: records.delete(s, "pact", pact),
    ):
        with (
            pytest.raises(Conflict, match=r"revision\.frozen"),
            world.site.session(world.people["adm"], write=True, channel=channel) as session,
        ):
            act(session)
    assert world.row("pact", pact) == before


def test_nothing_is_merged_into_what_is_in_force(world: World) -> None:
    kept, other = in_force(world), world.create("ann", "pact", lines=[{"item": "b"}])
    before = world.row("pact", kept), world.rows("pact_line")
    with (
        pytest.raises(Conflict, match=r"revision\.frozen"),
        world.site.session(world.people["adm"], write=True) as session,
    ):
        merge(session, "pact", kept, [other])
    assert (world.row("pact", kept), world.rows("pact_line")) == before


def test_open_fields_change_directly(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, note="filed")
    assert world.row("pact", pact)["note"] == "filed"
    assert states(world) == [(1, "current")]


def test_an_approved_change_is_the_next_version(world: World) -> None:
    pact = in_force(world)
    a, b = (row["id"] for row in world.rows("pact_line"))
    world.update("ann", "pact", pact, lines=[{"id": a, "price": 80}, {"item": "c", "price": 5}])
    assert world.row("pact", pact)["total"] == 100
    outcome = world.act("ann", "submit_change", pact, "pact", reason="more of a")
    assert outcome.data["state"] == "waiting"
    with pytest.raises(Conflict):
        world.update("ann", "pact", pact, amount=1)
    assert world.row("pact", pact)["total"] == 100
    world.act("mia", "approve", pact, "pact")
    row = world.row("pact", pact)
    assert (row["total"], row["edition"], row["shown"]) == (85, 2, "One-V2")
    assert states(world) == [(1, "past"), (2, "current")]
    with world.site.session(world.people["ann"]) as session:
        old = revisions.content_of(session, "pact", pact, 1)
        new = revisions.content_of(session, "pact", pact, 2)
    change = snapshots.difference(old, new)["lines"]
    assert [(r["id"], r["price"]) for r in change["changed"]] == [(a, ["60", "80"])]
    assert [r["item"] for r in change["added"]] == [[None, "c"]]
    assert [r["id"] for r in change["removed"]] == [b]


def test_a_rejected_change_leaves_everything(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, amount=150)
    world.act("ann", "submit_change", pact, "pact", reason="more")
    world.act("mia", "reject", pact, "pact", comment="no")
    assert (world.row("pact", pact)["amount"], world.row("pact", pact)["status"]) == (100, "approved")
    assert states(world) == [(1, "current"), (2, "rejected")]
    world.update("ann", "pact", pact, amount=120)
    assert states(world)[-1] == (2, "draft")


def test_a_change_that_needs_no_approval_counts_at_once(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, name="Two")
    world.act("ann", "submit_change", pact, "pact", reason="name")
    assert world.row("pact", pact)["shown"] == "Two-V2"


def test_several_edits_make_one_change_and_it_can_be_discarded(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, amount=150)
    world.update("ann", "pact", pact, name="Two")
    assert world.rows("revision")[1]["changes"] == {"amount": "150", "name": "Two"}
    world.act("ann", "discard_change", pact, "pact")
    assert states(world) == [(1, "current"), (2, "discarded")]
    assert world.offers("ann", pact, "pact") == set()


def test_an_earlier_version_is_brought_back_as_a_change(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, amount=150, lines=[])
    world.act("ann", "submit_change", pact, "pact", reason="all gone")
    world.act("mia", "approve", pact, "pact")
    assert world.row("pact", pact)["total"] == 0
    world.act("ann", "restore_version", pact, "pact", number="1")
    world.act("ann", "submit_change", pact, "pact", reason="back")
    world.act("mia", "approve", pact, "pact")
    row = world.row("pact", pact)
    assert (row["amount"], row["total"], row["shown"]) == (100, 100, "One-V3")


def test_a_returned_change_is_changed_and_submitted_again(world: World) -> None:
    pact = in_force(world)
    world.update("ann", "pact", pact, amount=150)
    world.act("ann", "submit_change", pact, "pact", reason="more")
    world.act("mia", "return", pact, "pact", comment="less")
    world.update("ann", "pact", pact, amount=120)
    world.act("ann", "submit_change", pact, "pact", reason="less")
    world.act("mia", "approve", pact, "pact")
    assert (world.row("pact", pact)["amount"], world.row("pact", pact)["edition"]) == (120, 2)


def test_without_an_approval_every_change_is_a_version(world: World) -> None:
    plan = world.create("ann", "plan", done=True)
    world.update("ann", "plan", plan, name="Two")
    assert [(r["number"], r["state"], r["snapshot"]["name"]) for r in world.rows("revision")] == [
        (1, "past", "One"),
        (2, "current", "Two"),
    ]
    assert world.row("plan", plan)["edition"] == 2
    world.act("ann", "restore_version", plan, "plan", number="1")
    assert (world.row("plan", plan)["name"], world.row("plan", plan)["edition"]) == ("One", 3)


def test_what_is_wrong_is_refused_not_kept(world: World) -> None:
    from runtime.errors import Refused

    pact = in_force(world)
    with pytest.raises(Refused):
        world.update("ann", "pact", pact, name=None)
    with pytest.raises(Refused):
        world.update("ann", "pact", pact, edition=7)
    assert states(world) == [(1, "current")]
