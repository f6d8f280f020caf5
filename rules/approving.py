"""Approvals: what one act does to a running case; the case after it and what has happened come out.

Steps of one stage run side by side; stages follow each other. Who is asked is answered by a `Directory`; nothing here
reads or writes. An act that is not open raises `Refusal` with the reason's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from rules.approval_case import (
    ENDED,
    PASSED,
    RUNNING,
    Case,
    CaseState,
    Directory,
    Event,
    Refusal,
    Step,
    StepState,
    Task,
    TaskState,
)


class _Work:
    """A case while an act changes it."""

    def __init__(self, case: Case, directory: Directory) -> None:
        self.submitter = case.submitter
        self.state: CaseState = case.state
        self.steps = {s.name: s for s in case.steps}
        self.tasks = {t.number: t for t in case.tasks}
        self.directory = directory
        self.events: list[Event] = []

    def done(self) -> Case:
        return Case(
            submitter=self.submitter,
            steps=tuple(self.steps.values()),
            tasks=tuple(self.tasks.values()),
            state=self.state,
            events=tuple(self.events),
        )

    def say(self, code: str, step: str = "", task: int | None = None, person: int | None = None, why: str = "") -> None:
        self.events.append(Event(code=code, step=step, task=task, person=person, why=why))

    def put(self, step: str, state: StepState, why: str = "") -> None:
        self.steps[step] = replace(self.steps[step], state=state, why=why)

    def mark(self, number: int, state: TaskState, why: str = "") -> None:
        found = self.tasks[number]
        self.tasks[number] = replace(found, state=state, why=why or found.why)

    def new(self, step: str, person: int, **more: object) -> Task:
        made = Task(number=max(self.tasks, default=0) + 1, step=step, person=person, **more)  # type: ignore[arg-type]
        self.tasks[made.number] = made
        if made.state == "open":
            self.say("asked", step, made.number, person, made.why)
        return made

    def counting(self, step: str) -> list[Task]:
        return self.done().of(step)

    def cancel_open(self, steps: Iterable[str]) -> None:
        names = set(steps)
        for task in list(self.tasks.values()):
            if task.step in names and task.state in ("open", "waiting"):
                self.mark(task.number, "cancelled")

    # --- going on

    def settle(self) -> None:
        """Opens what comes next until somebody is waited for, nobody can be asked, or the case has ended."""
        while self.state in ("waiting", "parked"):
            stage = self.done().stage
            if stage is None:
                self.end("approved")
                return
            members = [s for s in self.steps.values() if s.stage == stage]
            for step in members:
                if step.state == "coming":
                    self.open(step)
            self.wake()
            for step in members:
                self.judge(self.steps[step.name])
            if not self.stage_over([self.steps[s.name] for s in members]):
                parked = any(s.state == "parked" for s in self.steps.values())
                self.state = "parked" if parked else "waiting"
                return

    def stage_over(self, members: list[Step]) -> bool:
        need, total = members[0].stage_need, len(members)
        passed = [s for s in members if s.state in PASSED]
        rejected = [s for s in members if s.state == "rejected"]
        if need.lost(len(rejected), total):
            self.end("rejected")
            return True
        if not need.reached(len(passed), total) or (need.kind == "any" and not passed):
            return False
        for step in members:
            if step.state not in PASSED:
                self.cancel_open([step.name])
                self.put(step.name, "cancelled", "not_needed")
        return True

    def end(self, state: CaseState) -> None:
        self.cancel_open(self.steps)
        for step in list(self.steps.values()):
            if step.state in ("coming", "open", "parked"):
                self.put(step.name, "cancelled", state)
        self.state = state
        self.say(state)

    def open(self, step: Step) -> None:
        before = self.just_agreed(step.stage)
        there: set[int] = set()
        for person in self.directory.approvers(step.name):
            self.ask(step, person, there, before)
        self.park_or_open(step)

    def ask(self, step: Step, wanted: int, there: set[int], agreed: set[int]) -> None:
        """A task for one approver: themselves, who stands in, or, where it is the submitter, as the step says."""
        person, behalf, why = wanted, None, ""
        if wanted == self.submitter and step.own == "skip":
            if wanted not in there:
                there.add(wanted)
                self.new(step.name, wanted, state="approved", why="own")
            return
        if wanted == self.submitter and step.own == "manager":
            above = [m for m in self.directory.managers(wanted) if m != self.submitter]
            if not above:
                return
            person, why = above[0], "own_manager"
        stand = self.directory.stand_in(person)
        if stand is not None and (stand != self.submitter or step.own == "ask"):
            person, behalf, why = stand, person, "away"
        if person in there:
            return
        there.add(person)
        repeated = person in agreed and step.repeat == "skip"
        state: TaskState = "approved" if repeated else "open"
        self.new(step.name, person, behalf=behalf, state=state, why="repeat" if repeated else why)

    def just_agreed(self, stage: int) -> set[int]:
        """Who agreed themselves in the stage before."""
        earlier = [s.stage for s in self.steps.values() if s.stage < stage and s.state == "approved"]
        names = {s.name for s in self.steps.values() if earlier and s.stage == max(earlier)}
        return {t.person for t in self.tasks.values() if t.step in names and t.state == "approved" and not t.past}

    def park_or_open(self, step: Step) -> None:
        total = len([t for t in self.counting(step.name) if t.kind == "step"])
        if step.need.possible(total):
            self.put(step.name, "open")
            self.say("opened", step.name)
        else:
            self.cancel_open([step.name])
            for task in self.counting(step.name):  # what was counted as agreed is asked again when people are named
                self.mark(task.number, "cancelled")
            why = "nobody" if total == 0 else "too_few"
            self.put(step.name, "parked", why)
            self.say("parked", step.name, why=why)

    def wake(self) -> None:
        """Who added others before themselves is asked again, once all of those (and whom they added) have agreed."""
        for task in list(self.tasks.values()):
            if task.state == "waiting" and not task.past and not self.outstanding(task.number):
                self.mark(task.number, "open")
                self.say("asked", task.step, task.number, task.person)

    def outstanding(self, number: int) -> bool:
        added = [t for t in self.tasks.values() if t.asked_by == number and not t.past]
        return any(t.state in ("open", "waiting") or self.outstanding(t.number) for t in added)

    def judge(self, step: Step) -> None:
        if step.state != "open":
            return
        tasks = self.counting(step.name)
        voters = [t for t in tasks if t.kind == "step"]
        added = [t for t in tasks if t.kind != "step"]
        yes = sum(t.state == "approved" for t in voters)
        no = sum(t.state == "rejected" for t in voters)
        if step.need.lost(no, len(voters)) or any(t.state == "rejected" for t in added):
            self.put(step.name, "rejected")
            self.cancel_open([step.name])
            self.say("step_rejected", step.name)
        elif step.need.reached(yes, len(voters)) and all(t.state == "approved" for t in added):
            automatic = all(t.why in ("own", "repeat") for t in voters if t.state == "approved")
            self.cancel_open([step.name])
            why = next((t.why for t in voters if t.state == "approved"), "") if automatic else ""
            self.put(step.name, "skipped" if automatic else "approved", why)
            self.say("step_skipped" if automatic else "step_approved", step.name, why=why)


# --- the acts ------------------------------------------------------------------------------------------------------


def begin(case: Case, directory: Directory) -> Case:
    """Starts, or starts anew after it was returned: every step is still to come, but those whose condition fails."""
    work = _Work(replace(case, state="waiting"), directory)
    work.say("submitted", person=case.submitter)
    for step in case.steps:
        if step.state == "skipped":
            work.say("step_skipped", step.name, why=step.why)
    work.settle()
    return work.done()


def decide(case: Case, number: int, person: int | None, agree: bool, directory: Directory, why: str = "") -> Case:
    """Agrees or refuses. `person` None is the system (a time-out)."""
    task = _open_task(case, number, person)
    work = _Work(case, directory)
    work.mark(number, "approved" if agree else "rejected", why)
    work.say("approved_by" if agree else "rejected_by", task.step, number, person, why)
    work.settle()
    return work.done()


def send_back(case: Case, number: int, person: int, step: str | None, directory: Directory) -> Case:
    """Back to the submitter (`step` None), or to a step that was passed: it and what follows is asked again."""
    task = _open_task(case, number, person)
    work = _Work(case, directory)
    if step is None:
        work.cancel_open(work.steps)
        work.state = "returned"
        work.say("returned", task.step, number, person)
        return work.done()
    target, here = case.step(step), case.step(task.step)
    if target.stage >= here.stage or target.state not in ("approved", "skipped") or target.why == "condition":
        raise Refusal("not_passed")
    again = [s for s in case.steps if s.stage >= target.stage and s.why != "condition"]
    work.cancel_open(s.name for s in again)
    for each in again:
        work.put(each.name, "coming")
    for found in case.tasks:
        if found.step in {s.name for s in again}:
            work.tasks[found.number] = replace(work.tasks[found.number], past=True)
    work.say("sent_back", step, number, person)
    work.settle()
    return work.done()


def hand_over(case: Case, number: int, person: int | None, to: int, directory: Directory, why: str = "") -> Case:
    """Another decides instead. `person` None is the system (escalation)."""
    task = _open_task(case, number, person)
    _addable(case, task, [to])
    work = _Work(case, directory)
    work.mark(number, "handed")
    work.say("handed_over", task.step, number, to, why)
    work.new(task.step, to, behalf=task.behalf, kind=task.kind, asked_by=task.asked_by, why=why or "handed")
    return work.done()


def add_signers(
    case: Case, number: int, person: int, people: Sequence[int], when: Literal["before", "after"], directory: Directory
) -> Case:
    """Adds approvers who must agree, too: before one decides oneself, or after one's own agreement."""
    task = _open_task(case, number, person)
    _addable(case, task, people)
    work = _Work(case, directory)
    work.mark(number, "waiting" if when == "before" else "approved")
    if when == "after":
        work.say("approved_by", task.step, number, person)
    for each in people:
        made = work.new(task.step, each, kind=when, asked_by=number, why="added")
        work.say("added", task.step, made.number, each, when)
    work.settle()
    return work.done()


def withdraw(case: Case, person: int, directory: Directory) -> Case:
    if case.state in ENDED:
        raise Refusal("ended")
    if person != case.submitter:
        raise Refusal("not_submitter")
    work = _Work(case, directory)
    work.end("withdrawn")
    return work.done()


def appoint(case: Case, step: str, people: Sequence[int], directory: Directory) -> Case:
    """Names the approvers of a step for which nobody was found."""
    found = case.step(step)
    if case.state in ENDED or found.state != "parked":
        raise Refusal("not_parked")
    named = list(dict.fromkeys(people))
    if found.own != "ask" and case.submitter in named:
        raise Refusal("own")
    if not found.need.possible(len(named)):
        raise Refusal("too_few")
    work = _Work(case, directory)
    for person in named:
        work.new(step, person, why="appointed")
    work.park_or_open(found)
    work.settle()
    return work.done()


def escalate(case: Case, step: str, directory: Directory) -> Case:
    """Each open task of a step climbs to the first manager who has not held one in it; the line of managers may be a
    circle. A task with nobody above stays where it is."""
    current = case
    events: list[Event] = []
    for task in [t for t in case.tasks if t.step == step and t.state == "open"]:
        held = {t.person for t in current.tasks if t.step == step and not t.past}
        asks_self = case.step(step).own == "ask"
        above = (m for m in directory.managers(task.person) if m not in held and (m != case.submitter or asks_self))
        manager = next(above, None)
        if manager is None:
            events.append(Event(code="nobody_above", step=step, task=task.number, person=task.person))
        else:
            current = hand_over(current, task.number, None, manager, directory, "escalated")
            events += current.events
    return replace(current, events=tuple(events))


def time_out(case: Case, step: str, then: str, directory: Directory) -> Case:
    """What a step does when its time is up: escalate, approve, reject, remind."""
    found = case.step(step)
    if case.state in ENDED or found.state != "open":
        raise Refusal("already_done")
    if then == "escalate":
        return escalate(case, step, directory)
    if then == "remind":
        tasks = [t for t in case.tasks if t.step == step and t.state == "open"]
        told = tuple(Event(code="reminded", step=step, task=t.number, person=t.person, why="timeout") for t in tasks)
        return replace(case, events=told)
    work = _Work(case, directory)
    for task in case.of(step):
        if task.state in ("open", "waiting"):
            work.mark(task.number, "approved" if then == "approve" else "rejected", "timeout")
    work.say("timed_out", step, why=then)
    work.settle()
    return work.done()


def relocate(case: Case, steps: Sequence[Step], target: str, directory: Directory) -> Case:
    """The case goes on in another chain, at `target`: what was passed before it stays passed, the rest is asked."""
    old = {s.name: s for s in case.steps}
    place = next((s.stage for s in steps if s.name == target), None)
    if place is None:
        raise Refusal("unknown_step")
    chain: list[Step] = []
    for step in steps:
        known = old.get(step.name)
        if step.stage < place:
            passed = known is not None and known.state in PASSED
            chain.append(replace(step, state=known.state if known and passed else "skipped", why="moved"))
        else:
            chain.append(step)
    ahead = {s.name for s in chain if s.stage >= place}
    kept = tuple(
        replace(
            t,
            past=t.past or t.step in ahead or t.step not in {s.name for s in chain},
            state="cancelled" if t.state in ("open", "waiting") else t.state,
        )
        for t in case.tasks
    )
    work = _Work(replace(case, steps=tuple(chain), tasks=kept, state="waiting"), directory)
    work.say("moved", target)
    work.settle()
    return work.done()


def open_acts(case: Case, person: int, keeper: bool = False, withdrawable: bool = True) -> tuple[str, ...]:
    """What this person may do with the case now; `keeper`: they look after cases that found nobody."""
    found: list[str] = []
    if case.state in ("waiting", "parked"):
        if case.open_for(person):
            found += ["approve", "reject", "return", "delegate", "add_before", "add_after"]
        if keeper and any(s.state == "parked" for s in case.steps):
            found.append("appoint")
        if person == case.submitter and any(t.state == "open" for t in case.tasks):
            found.append("remind")
    if case.state == "returned" and person == case.submitter:
        found.append("submit")
    if case.state in RUNNING:
        if person == case.submitter and (withdrawable or case.state == "returned"):
            found.append("withdraw")
        found.append("comment")
    return tuple(found)


def _open_task(case: Case, number: int, person: int | None) -> Task:
    task = case.task(number)
    if person is not None and task.person != person:
        raise Refusal("not_asked")
    if case.state not in ("waiting", "parked"):
        raise Refusal("ended")
    if task.state != "open":
        raise Refusal("already_done")
    return task


def _addable(case: Case, task: Task, people: Sequence[int]) -> None:
    if not people:
        raise Refusal("too_few")
    if case.step(task.step).own != "ask" and case.submitter in people:
        raise Refusal("own")
    busy = {t.person for t in case.of(task.step) if t.state in ("open", "waiting")}
    if busy & set(people) or len(set(people)) < len(people):
        raise Refusal("twice")
