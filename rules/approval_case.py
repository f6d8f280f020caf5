"""A running approval as a value: its steps, what is asked of whom, how many must agree, and what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

StepState = Literal["coming", "open", "parked", "approved", "rejected", "skipped", "cancelled"]
TaskState = Literal["open", "waiting", "approved", "rejected", "handed", "cancelled"]
CaseState = Literal["waiting", "parked", "returned", "approved", "rejected", "withdrawn"]
RUNNING: tuple[CaseState, ...] = ("waiting", "parked", "returned")
ENDED: tuple[CaseState, ...] = ("approved", "rejected", "withdrawn")
PASSED: tuple[StepState, ...] = ("approved", "skipped", "cancelled")


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the program
    """The act is not open. `code` says why: not_asked, already_done, ended, own, twice, unknown_step, too_few …"""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Need:
    """How many must agree. `any`: the first decision counts; `all`; `count` of them; `vote`: more than `value` percent;
    `share`: at least `value` percent."""

    kind: Literal["any", "all", "count", "vote", "share"] = "any"
    value: int = 0

    def reached(self, yes: int, total: int) -> bool:
        if self.kind == "any":
            return yes >= 1
        if self.kind == "all":
            return yes == total
        if self.kind == "count":
            return yes >= self.value
        if self.kind == "vote":
            return yes * 100 > self.value * total
        return yes * 100 >= self.value * total

    def lost(self, no: int, total: int) -> bool:
        """Whether it cannot be reached any more, or was decided against."""
        return no >= 1 if self.kind == "any" else not self.reached(total - no, total)

    def possible(self, total: int) -> bool:
        return total >= max(1, self.value if self.kind == "count" else 1)

    def __str__(self) -> str:
        if self.kind in ("any", "all", "vote"):
            return self.kind
        return f"{self.value}%" if self.kind == "share" else str(self.value)


def parse_need(given: str | int) -> Need:
    """From its spelling: any, all, vote, 2, "60%". Raises ValueError for another."""
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return Need("count", given)
    text = str(given)
    if text in ("any", "all"):
        return Need(text)  # type: ignore[arg-type]
    if text == "vote":
        return Need("vote", 50)
    number = text.removesuffix("%")
    if number.isdigit() and 1 <= int(number) <= (100 if text != number else 1000):
        return Need("share" if text != number else "count", int(number))
    raise ValueError(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a running case. `own`: what becomes of the submitter among its approvers; `repeat`: of one who has just
    agreed in the stage before. `stage_need` counts the steps of a stage."""

    name: str
    stage: int
    need: Need = Need()
    stage_need: Need = Need("all")
    own: Literal["manager", "skip", "ask"] = "manager"
    repeat: Literal["skip", "ask"] = "skip"
    state: StepState = "coming"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked of one person. `behalf`: for whom they stand in; `asked_by`: the task that added this one; `past`:
    from before the step was gone back to."""

    number: int
    step: str
    person: int
    behalf: int | None = None
    state: TaskState = "open"
    kind: Literal["step", "before", "after"] = "step"
    asked_by: int | None = None
    past: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for the log and for notices. `person`: who it concerns."""

    code: str
    step: str = ""
    task: int | None = None
    person: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    submitter: int | None
    steps: tuple[Step, ...]
    tasks: tuple[Task, ...] = ()
    state: CaseState = "waiting"
    events: tuple[Event, ...] = field(default=(), compare=False)  # of the last act

    def step(self, name: str) -> Step:
        found = next((s for s in self.steps if s.name == name), None)
        if found is None:
            raise Refusal("unknown_step")
        return found

    def task(self, number: int) -> Task:
        found = next((t for t in self.tasks if t.number == number), None)
        if found is None:
            raise Refusal("not_asked")
        return found

    def of(self, step: str) -> list[Task]:
        """The tasks of a step that count."""
        return [t for t in self.tasks if t.step == step and not t.past and t.state not in ("handed", "cancelled")]

    def open_for(self, person: int) -> list[Task]:
        return [t for t in self.tasks if t.person == person and t.state == "open"]

    @property
    def stage(self) -> int | None:
        """The stage that is waited for."""
        return min((s.stage for s in self.steps if s.state in ("coming", "open", "parked", "rejected")), default=None)


class Directory(Protocol):
    """Who people are, as the running case must ask."""

    def approvers(self, step: str) -> Sequence[int]:
        """The people of a step, in order; empty where there is nobody."""

    def stand_in(self, person: int) -> int | None:
        """Who decides for somebody who is away; None where they decide themselves."""

    def managers(self, person: int) -> Sequence[int]:
        """The line of managers upwards."""
