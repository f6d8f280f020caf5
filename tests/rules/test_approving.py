"""The state machine of approvals: every act, every need, and that a case never stands where nobody can do anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from rules.approval_case import ENDED, Case, Need, Refusal, Step, parse_need
from rules.approving import (
    add_signers,
    appoint,
    begin,
    decide,
    hand_over,
    open_acts,
    relocate,
    send_back,
    time_out,
    withdraw,
)

ANN, BOB, CAT, DAN, EVA, FAY = 1, 2, 3, 4, 5, 6


@dataclass
class People:
    steps: Mapping[str, Sequence[int]]
    away: Mapping[int, int] = field(default_factory=dict)
    above: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def approvers(self, step: str) -> Sequence[int]:
        return self.steps.get(step, ())

    def stand_in(self, person: int) -> int | None:
        return self.away.get(person)

    def managers(self, person: int) -> Sequence[int]:
        return self.above.get(person, ())


def chain(*steps: Step) -> Case:
    return Case(submitter=ANN, steps=steps)


def started(people: People, *steps: Step) -> Case:
    return begin(chain(*steps), people)


def asked(case: Case) -> list[int]:
    return sorted(t.person for t in case.tasks if t.state == "open")


def agree(case: Case, person: int, people: People, yes: bool = True) -> Case:
    return decide(case, case.open_for(person)[0].number, person, yes, people)


TWO = People({"manager": [BOB], "director": [CAT]})
STEPS = (Step(name="manager", stage=1), Step(name="director", stage=2))


def test_steps_follow_each_other() -> None:
    case = started(TWO, *STEPS)
    assert asked(case) == [BOB]
    case = agree(case, BOB, TWO)
    assert (asked(case), case.state) == ([CAT], "waiting")
    assert agree(case, CAT, TWO).state == "approved"


def test_a_refusal_ends_the_case_and_nobody_else_is_asked() -> None:
    case = agree(started(TWO, *STEPS), BOB, TWO, yes=False)
    assert (case.state, asked(case)) == ("rejected", [])
    assert [s.state for s in case.steps] == ["rejected", "cancelled"]


@pytest.mark.parametrize(
    ("need", "votes", "end"),
    [
        ("any", "y", "approved"),
        ("any", "n", "rejected"),
        ("all", "yyy", "approved"),
        ("all", "yn", "rejected"),
        (2, "yy", "approved"),
        (2, "yny", "approved"),
        (2, "nn", "rejected"),
        ("vote", "yy", "approved"),
        ("vote", "nyn", "rejected"),
        ("60%", "yny", "approved"),
        ("70%", "n", "rejected"),
    ],
)
def test_needs(need: str | int, votes: str, end: str) -> None:
    people = People({"board": [BOB, CAT, DAN]})
    case = started(people, Step(name="board", stage=1, need=parse_need(need)))
    for person, vote in zip((BOB, CAT, DAN), votes, strict=False):
        assert case.state == "waiting"
        case = agree(case, person, people, vote == "y")
    assert (case.state, asked(case)) == (end, [])


@pytest.mark.parametrize("given", ["some", "0", "101%", 0, "", "-1"])
def test_other_needs_are_refused(given: str | int) -> None:
    with pytest.raises(ValueError):
        parse_need(given)


def test_steps_side_by_side() -> None:
    people = People({"director": [BOB], "finance": [CAT], "last": [DAN]})
    side = (Step(name="director", stage=1), Step(name="finance", stage=1), Step(name="last", stage=2))
    case = started(people, *side)
    assert asked(case) == [BOB, CAT]
    case = agree(case, CAT, people)
    assert asked(case) == [BOB]
    assert asked(agree(case, BOB, people)) == [DAN]
    assert agree(case, BOB, people, yes=False).state == "rejected"


def test_one_of_the_steps_side_by_side_is_enough_where_declared() -> None:
    people = People({"director": [BOB], "finance": [CAT]})
    side = [Step(name=n, stage=1, stage_need=Need("any")) for n in ("director", "finance")]
    case = agree(started(people, *side), CAT, people)
    assert (case.state, [s.state for s in case.steps]) == ("approved", ["cancelled", "approved"])


def test_the_submitter_is_not_asked_but_their_manager() -> None:
    people = People({"manager": [ANN]}, above={ANN: [BOB]})
    assert asked(started(people, STEPS[0])) == [BOB]


def test_the_submitter_is_skipped_where_declared() -> None:
    people = People({"manager": [ANN], "director": [CAT]})
    case = started(people, Step(name="manager", stage=1, own="skip"), STEPS[1])
    assert (asked(case), case.steps[0].state, case.steps[0].why) == ([CAT], "skipped", "own")


def test_who_has_just_agreed_is_not_asked_again() -> None:
    people = People({"manager": [BOB], "director": [BOB]})
    case = agree(started(people, *STEPS), BOB, people)
    assert (case.state, case.steps[1].state, case.steps[1].why) == ("approved", "skipped", "repeat")
    again = (STEPS[0], Step(name="director", stage=2, repeat="ask"))
    assert asked(agree(started(people, *again), BOB, people)) == [BOB]


def test_who_is_away_is_stood_in_for_never_by_the_submitter() -> None:
    people = People({"manager": [BOB, CAT]}, away={BOB: DAN, CAT: ANN})
    case = started(people, STEPS[0])
    assert [(t.person, t.behalf) for t in case.tasks] == [(DAN, BOB), (CAT, None)]


@pytest.mark.attack("N101")
def test_only_who_is_asked_decides() -> None:
    case = started(TWO, *STEPS)
    number = case.open_for(BOB)[0].number
    for person in (ANN, CAT, DAN):
        with pytest.raises(Refusal, match="not_asked"):
            decide(case, number, person, True, TWO)
    after = agree(case, BOB, TWO)
    with pytest.raises(Refusal, match="already_done"):
        decide(after, number, BOB, True, TWO)
    with pytest.raises(Refusal, match="not_asked"):
        decide(after, after.open_for(CAT)[0].number, BOB, True, TWO)
    with pytest.raises(Refusal, match="own"):
        hand_over(case, number, BOB, ANN, TWO)
    with pytest.raises(Refusal, match="own"):
        add_signers(case, number, BOB, [ANN], "before", TWO)


def test_signers_added_before_and_after() -> None:
    case = started(TWO, *STEPS)
    before = add_signers(case, 1, BOB, [DAN], "before", TWO)
    assert asked(before) == [DAN]
    before = agree(before, DAN, TWO)
    assert asked(before) == [BOB]
    assert asked(agree(before, BOB, TWO)) == [CAT]
    after = add_signers(case, 1, BOB, [DAN, EVA], "after", TWO)
    assert asked(after) == [DAN, EVA]
    after = agree(agree(after, DAN, TWO), EVA, TWO)
    assert asked(after) == [CAT]
    with pytest.raises(Refusal, match="twice"):
        add_signers(case, 1, BOB, [DAN, DAN], "after", TWO)


def test_a_signer_added_can_refuse() -> None:
    case = add_signers(started(TWO, *STEPS), 1, BOB, [DAN], "before", TWO)
    assert agree(case, DAN, TWO, yes=False).state == "rejected"


def test_back_to_a_step_and_to_the_submitter() -> None:
    case = agree(started(TWO, *STEPS), BOB, TWO)
    number = case.open_for(CAT)[0].number
    back = send_back(case, number, CAT, "manager", TWO)
    assert (asked(back), back.steps[0].state) == ([BOB], "open")
    assert asked(agree(back, BOB, TWO)) == [CAT]
    returned = send_back(case, number, CAT, None, TWO)
    assert (returned.state, asked(returned), open_acts(returned, ANN)) == (
        "returned",
        [],
        ("submit", "withdraw", "comment"),
    )
    with pytest.raises(Refusal, match="not_passed"):
        send_back(case, number, CAT, "director", TWO)


def test_withdrawing_is_for_the_submitter_while_it_runs() -> None:
    case = started(TWO, *STEPS)
    with pytest.raises(Refusal, match="not_submitter"):
        withdraw(case, BOB, TWO)
    gone = withdraw(case, ANN, TWO)
    assert (gone.state, asked(gone)) == ("withdrawn", [])
    with pytest.raises(Refusal, match="ended"):
        withdraw(gone, ANN, TWO)
    with pytest.raises(Refusal, match="ended"):
        decide(gone, 1, BOB, True, TWO)


def test_nobody_to_ask_is_parked_until_somebody_is_named() -> None:
    people = People({"director": [CAT]})
    case = started(people, *STEPS)
    assert (case.state, case.steps[0].why) == ("parked", "nobody")
    assert open_acts(case, FAY, keeper=True) == ("appoint", "comment")
    with pytest.raises(Refusal, match="own"):
        appoint(case, "manager", [ANN], people)
    named = appoint(case, "manager", [DAN], people)
    assert (named.state, asked(named)) == ("waiting", [DAN])
    assert asked(agree(named, DAN, people)) == [CAT]


def test_fewer_than_needed_is_parked() -> None:
    people = People({"board": [BOB]})
    case = started(people, Step(name="board", stage=1, need=Need("count", 2)))
    assert (case.state, case.steps[0].why, asked(case)) == ("parked", "too_few", [])
    with pytest.raises(Refusal, match="too_few"):
        appoint(case, "board", [BOB], people)
    assert asked(appoint(case, "board", [BOB, CAT], people)) == [BOB, CAT]


def test_time_outs() -> None:
    people = People({"manager": [BOB], "director": [CAT]}, above={BOB: [DAN], DAN: [BOB, EVA], EVA: [DAN, BOB]})
    case = started(people, *STEPS)
    assert asked(time_out(case, "manager", "approve", people)) == [CAT]
    assert time_out(case, "manager", "reject", people).state == "rejected"
    assert [e.code for e in time_out(case, "manager", "remind", people).events] == ["reminded"]
    up = time_out(case, "manager", "escalate", people)
    assert asked(up) == [DAN]
    up = time_out(up, "manager", "escalate", people)
    assert asked(up) == [EVA]  # the line of managers is a circle: Bob is not asked again
    last = time_out(up, "manager", "escalate", people)
    assert (asked(last), [e.code for e in last.events]) == ([EVA], ["nobody_above"])


def test_a_case_moves_to_another_chain() -> None:
    case = agree(started(TWO, *STEPS), BOB, TWO)
    people = People({"manager": [BOB], "board": [DAN, EVA]})
    new = [Step(name="manager", stage=1), Step(name="board", stage=2, need=Need("all"))]
    moved = relocate(case, new, "board", people)
    assert (asked(moved), moved.steps[0].state) == ([DAN, EVA], "approved")
    with pytest.raises(Refusal, match="unknown_step"):
        relocate(case, new, "director", people)


def test_a_step_whose_condition_failed_stays_skipped() -> None:
    case = started(TWO, Step(name="manager", stage=1, state="skipped", why="condition"), STEPS[1])
    assert asked(case) == [CAT]
    with pytest.raises(Refusal, match="not_passed"):
        send_back(case, case.open_for(CAT)[0].number, CAT, "manager", TWO)


def test_no_step_left_is_approved_at_once() -> None:
    assert started(TWO, Step(name="manager", stage=1, state="skipped", why="condition")).state == "approved"


def _random_case(seed: int) -> tuple[random.Random, People, Case]:
    rng = random.Random(seed)
    everybody = range(1, 8)
    names = [f"step_{n}" for n in range(rng.randint(1, 4))]
    people = People(
        {n: rng.sample(everybody, rng.randint(0, 4)) for n in names},
        away={p: rng.choice(everybody) for p in everybody if rng.random() < 0.2},
        above={p: rng.sample(everybody, rng.randint(0, 3)) for p in everybody},
    )
    people.away = {p: d for p, d in people.away.items() if d != p}
    needs = ["any", "all", "vote", 2, "60%"]
    steps = [
        Step(
            name=n,
            stage=max(1, i - rng.randint(0, 1)),
            need=parse_need(rng.choice(needs)),
            own=rng.choice(["manager", "skip", "ask"]),
            repeat=rng.choice(["skip", "ask"]),
        )
        for i, n in enumerate(names)
    ]
    return rng, people, begin(chain(*sorted(steps, key=lambda s: s.stage)), people)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_done_somebody_can_go_on(seed: int) -> None:
    """Random chains and acts: a running case always offers an act that brings it on, an ended one asks nobody, and a
    submitter never decides where the step does not say so."""
    rng, people, case = _random_case(seed)
    for _ in range(30):
        if case.state in ENDED:
            assert asked(case) == []
            return
        forward = {
            act
            for person in range(1, 8)
            for act in open_acts(case, person, keeper=True)
            if act in ("approve", "appoint", "submit")
        }
        assert forward, case
        for task in case.tasks:
            if task.person == ANN and task.state == "open":
                assert case.step(task.step).own == "ask"
        case = _random_act(rng, people, case)


def _random_act(rng: random.Random, people: People, case: Case) -> Case:
    if case.state == "returned":
        return begin(chain(*[Step(name=s.name, stage=s.stage, need=s.need, own=s.own) for s in case.steps]), people)
    parked = [s.name for s in case.steps if s.state == "parked"]
    if parked and rng.random() < 0.5:
        try:
            return appoint(case, parked[0], rng.sample(range(2, 8), 2), people)
        except Refusal:
            return case
    tasks = [t for t in case.tasks if t.state == "open"]
    if not tasks:
        return case
    task = rng.choice(tasks)
    act = rng.choice(["yes", "yes", "no", "hand", "before", "after", "submitter", "timeout", "withdraw"])
    try:
        if act in ("yes", "no"):
            return decide(case, task.number, task.person, act == "yes", people)
        if act == "hand":
            return hand_over(case, task.number, task.person, rng.randint(1, 7), people)
        if act in ("before", "after"):
            return add_signers(case, task.number, task.person, [rng.randint(1, 7)], act, people)  # type: ignore[arg-type]
        if act == "submitter":
            return send_back(case, task.number, task.person, None, people)
        if act == "timeout":
            return time_out(case, task.step, rng.choice(["escalate", "approve", "reject", "remind"]), people)
        return withdraw(case, ANN, people) if rng.random() < 0.1 else case
    except Refusal:
        return case
