"""Approvals at work on both databases: submitting, deciding, locks, what follows, and who is told."""

from __future__ import annotations

from io import BytesIO

import pytest

from runtime import records
from runtime.duplicates.merge import merge
from runtime.duplicates.unmerge import last_merge, unmerge
from runtime.errors import Conflict, Forbidden
from runtime.files.attachments import upload
from runtime.files.kept import keep, remove
from runtime.site import Session
from tests.approvals.world import World


def test_submitted_approved_and_told(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill, comment="please")
    assert world.row("bill", bill)["status"] == "review"
    assert world.asked(case) == ["mia"]
    assert world.told("mia") == ["请审批：One（单据审批）"]
    assert {"approve", "reject", "return", "delegate", "add_before", "add_after"} <= world.offers("mia", bill)
    assert world.offers("ann", bill) == {"withdraw", "remind", "comment"}
    outcome = world.act("mia", "approve", bill, comment="fine")
    assert outcome.data["state"] == "approved"
    assert world.row("bill", bill)["status"] == "approved"
    assert "已通过：One（单据审批）" in world.told("ann")
    entries = [(e["action"], e["person"], e["comment"]) for e in world.rows("approval_entry")]
    assert ("submitted", world.people["ann"], "please") in entries
    assert ("approved_by", world.people["mia"], "fine") in entries


def test_what_needs_no_approval_passes_at_once(world: World) -> None:
    bill = world.create("ann", amount=100)
    case = world.submit("ann", bill)
    assert world.case(case).state == "approved"
    assert world.row("bill", bill)["status"] == "approved"
    assert "not_needed" in [e["action"] for e in world.rows("approval_entry")]


def test_the_same_is_not_approved_twice_a_change_is(world: World) -> None:
    bill = world.create("ann", amount=500)
    world.submit("ann", bill)
    world.act("mia", "approve", bill)
    with pytest.raises(Conflict, match=r"approval\.already"):
        world.submit("ann", bill)
    world.update("ann", "bill", bill, amount=600)
    assert world.case(world.submit("ann", bill)).state == "waiting"


def test_side_by_side_above_a_limit(world: World) -> None:
    bill = world.create("ann", amount=20000)
    case = world.submit("ann", bill)
    world.act("mia", "approve", bill)
    assert world.asked(case) == ["dan", "eva", "fay"]
    world.act("fay", "approve", bill)
    world.act("dan", "approve", bill)
    assert world.asked(case) == ["eva"]
    world.act("eva", "reject", bill, comment="too much")
    assert world.row("bill", bill)["status"] == "rejected"
    world.update("ann", "bill", bill, amount=15000)  # rejected: open to changes again


@pytest.mark.attack("N100")
@pytest.mark.parametrize("channel", ["api", "form", "import", "bulk", "inline", "internal"])
def test_locked_in_every_channel(world: World, channel: str) -> None:
    bill = world.create("ann", amount=500, lines=[{"item": "a", "price": 5}])
    line = world.rows("bill_line")[0]["id"]
    world.submit("ann", bill)
    before = world.row("bill", bill)
    for who in ("ann", "mia", "adm", None):
        for values in (
            {"amount": 1},
            {"owner": world.people["bob"]},
            {"name": "Other"},
            {"lines": []},
            {"lines": [{"id": line, "price": 9}]},
            {"lines": [{"id": line}, {"item": "b"}]},
        ):
            with pytest.raises(Conflict, match=r"approval\.locked"):
                world.update(who, "bill", bill, channel, **values)
        with pytest.raises(Conflict, match=r"approval\.locked"):
            world.update(who, "bill_line", line, channel, price=9)
        for entity, record in (("bill", bill), ("bill_line", line)):
            with (
                pytest.raises(Conflict, match=r"approval\.locked"),
                world.site.session(world.people.get(who or ""), write=True, channel=channel) as session,
            ):
                records.delete(session, entity, record)
        with (
            pytest.raises(Conflict, match=r"approval\.locked"),
            world.site.session(world.people.get(who or ""), write=True, channel=channel) as session,
        ):
            records.create(session, "bill_line", {"bill": bill, "item": "c"})
    assert world.row("bill", bill) == before
    world.update("ann", "bill", bill, channel, amount=500)  # nothing changes: nothing is refused


def uploaded(session: Session, name: str) -> int:
    return upload(session, BytesIO(name.encode()), f"{name}.txt")


@pytest.mark.attack("N100")
def test_files_of_what_is_submitted_stay_as_they_are(world: World) -> None:
    bill, free = world.create("ann", amount=500), world.create("ann", "pact", amount=500)
    with world.site.session(world.people["ann"], write=True) as session:
        (offer,) = keep(session, "bill", bill, [uploaded(session, "offer")])
    world.submit("ann", bill)
    before = world.rows("file")

    def handled(who: str, deed: str) -> None:
        with world.site.session(world.people[who], write=True) as session:
            if deed == "remove":
                remove(session, "bill", bill, offer)
            else:
                keep(session, "bill", bill, [uploaded(session, "other")], of=offer if deed == "replace" else None)

    for who in ("ann", "mia", "adm"):
        for deed in ("add", "replace", "remove"):
            with pytest.raises(Conflict, match=r"approval\.locked"):
                handled(who, deed)
    assert world.rows("file") == before
    world.act("ann", "withdraw", bill)
    with world.site.session(world.people["ann"], write=True) as session:
        keep(session, "bill", bill, [uploaded(session, "other")], of=offer)
    world.submit("ann", free, "pact")  # `locks` names fields: the files are free
    with world.site.session(world.people["ann"], write=True) as session:
        keep(session, "pact", free, [uploaded(session, "scan")])


@pytest.mark.attack("N100")
def test_nothing_is_merged_into_or_out_of_what_is_submitted(world: World) -> None:
    first, second = (world.create("mia", amount=500, lines=[{"item": item}]) for item in "ab")
    world.submit("mia", first)
    before = world.row("bill", first), world.rows("bill_line")
    for kept, gone in ((first, second), (second, first)):
        with (
            pytest.raises(Conflict, match=r"approval\.locked"),
            world.site.session(world.people["adm"], write=True) as session,
        ):
            merge(session, "bill", kept, [gone])
    assert (world.row("bill", first), world.rows("bill_line")) == before
    world.act("mia", "withdraw", first)
    with world.site.session(world.people["adm"], write=True) as session:
        merge(session, "bill", first, [second])
    world.submit("mia", first)
    with world.site.session() as session:
        past = last_merge(session, "bill", first)
    assert past is not None
    with (
        pytest.raises(Conflict, match=r"approval\.locked"),
        world.site.session(world.people["adm"], write=True) as session,
    ):
        unmerge(session, past)
    assert len([line for line in world.rows("bill_line") if line["bill"] == first]) == 2


@pytest.mark.attack("N100")
def test_the_state_is_set_by_the_approval_alone(world: World) -> None:
    bill = world.create("ann", amount=500)
    from runtime.errors import Refused

    for channel in ("api", "import"):
        with pytest.raises(Refused):
            world.update("ann", "bill", bill, channel, status="approved")
    world.submit("ann", bill)
    for entity in ("approval_case", "approval_task", "approval_step", "approval_entry"):
        with pytest.raises(Forbidden):
            world.update("adm", entity, world.rows(entity)[0]["id"], state="approved")


@pytest.mark.attack("N101")
def test_who_is_not_asked_decides_nothing(world: World) -> None:
    from runtime.decisions import approvals

    bill = world.create("ann", amount=20000)
    case = world.submit("ann", bill)
    before = world.rows("approval_entry")
    for who in ("ann", "bob", "vp", "dan", "adm"):
        for act in ("approve", "reject", "return", "delegate", "add_before"):
            with (
                pytest.raises((Forbidden, Conflict)),
                world.site.session(world.people[who], write=True) as session,
            ):
                approvals.act(session, case, act, {"person": world.people["bob"], "comment": "x"})
    assert world.rows("approval_entry") == before
    world.act("mia", "approve", bill)
    with pytest.raises(Conflict), world.site.session(world.people["mia"], write=True) as session:
        approvals.act(session, case, "approve", {})
    with (
        pytest.raises(Conflict, match=r"approval\.stale"),
        world.site.session(world.people["dan"], write=True) as session,
    ):
        approvals.act(session, case, "approve", {}, round_seen=2)


def test_returned_changed_and_submitted_again(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    world.act("mia", "return", bill, comment="why so much?")
    assert world.row("bill", bill)["status"] == "draft"
    assert world.offers("ann", bill) >= {"submit", "withdraw"}
    world.update("ann", "bill", bill, amount=400)
    assert world.submit("ann", bill) == case
    assert (world.rows("approval_case")[0]["round"], world.asked(case)) == (2, ["mia"])
    world.act("mia", "approve", bill)
    assert world.row("bill", bill)["status"] == "approved"


def test_withdrawn(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    world.act("ann", "withdraw", bill)
    assert (world.case(case).state, world.row("bill", bill)["status"]) == ("withdrawn", "draft")
    world.update("ann", "bill", bill, amount=400)
    assert world.asked(world.submit("ann", bill)) == ["mia"]


def test_handed_over_and_added(world: World) -> None:
    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    with pytest.raises(Conflict, match=r"approval\.own"):
        world.act("mia", "delegate", bill, person=world.people["ann"])
    world.act("mia", "delegate", bill, person=world.people["vp"])
    assert world.asked(case) == ["vp"]
    world.act("vp", "add_before", bill, person=world.people["fay"])
    assert world.asked(case) == ["fay"]
    world.act("fay", "approve", bill)
    world.act("vp", "add_after", bill, person=world.people["gm"])
    assert world.asked(case) == ["gm"]
    world.act("gm", "approve", bill)
    assert world.row("bill", bill)["status"] == "approved"


def test_who_is_away_is_stood_in_for(world: World) -> None:
    world.update(None, "user", world.people["mia"], away_from="2026-03-01", delegate=world.people["dan"])
    case = world.submit("ann", world.create("ann", amount=500))
    assert world.asked(case) == ["dan"]
    assert world.case(case).tasks[0].behalf == world.people["mia"]
    world.update(None, "user", world.people["mia"], delegate=world.people["ann"])
    assert world.asked(world.submit("ann", world.create("ann", amount=500))) == ["mia"]


def test_nobody_to_ask_is_parked_and_administrators_are_told(world: World) -> None:
    bill = world.create("gm", amount=500)
    case = world.submit("gm", bill)
    assert world.case(case).state == "parked"
    assert world.told("adm") == ["找不到审批人，请指定：One（单据审批）"]
    assert "appoint" in world.offers("adm", bill)
    assert world.offers("gm", bill) >= {"withdraw"}
    world.act("adm", "appoint", bill, person=world.people["vp"])
    assert world.asked(case) == ["vp"]


def test_the_manager_approves_what_they_submit_themselves_never(world: World) -> None:
    case = world.submit("mia", world.create("mia", amount=500))
    assert world.asked(case) == ["vp"]


def test_time_runs_out_and_it_climbs(world: World) -> None:
    from runtime.decisions.approval_jobs import run_due

    bill = world.create("ann", amount=500)
    case = world.submit("ann", bill)
    for hours, asked in ((23, ["mia"]), (2, ["vp"]), (25, ["gm"]), (25, ["gm"])):
        world.clock.advance(hours=hours)
        with world.site.session(write=True) as session:
            run_due(session)
        assert world.asked(case) == asked
    assert "超时且无上级可升级：One（单据审批）" in world.told("adm")
    world.act("gm", "approve", bill)
    assert world.row("bill", bill)["status"] == "approved"


def test_reminded_once_a_day(world: World) -> None:
    bill = world.create("ann", amount=500)
    world.submit("ann", bill)
    world.act("ann", "remind", bill)
    world.act("ann", "remind", bill)
    assert world.told("mia").count("催办：One（单据审批）") == 1
    world.clock.advance(days=1)
    world.act("ann", "remind", bill)
    assert world.told("mia").count("催办：One（单据审批）") == 2
