"""An approval: when it starts, who agrees in which order, what is locked meanwhile, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from metadata.models.effects import Effect
from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.approval_case import Need
from rules.durations import Duration
from rules.expression import Expression

Trigger = Literal["submit", "create", "change", "revision"]
ENDINGS = ("submitted", "approved", "rejected", "withdrawn", "returned")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """One step. Those of one `stage` are asked side by side; `group` is the name they stand under, `stage_need` how
    many of them must end well. `by` names the people; they are found when the step is reached."""

    name: str
    label: Text
    stage: int
    by: tuple[Who, ...]
    need: Need = field(default_factory=Need)
    stage_need: Need
    group: str | None = None
    group_when: Expression | None = None
    when: Expression | None = None
    own: Literal["manager", "skip", "ask"] = "manager"
    repeat: Literal["skip", "ask"] = "skip"
    timeout: Duration | None = None
    on_timeout: Literal["escalate", "approve", "reject", "remind"] = "remind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """`fields`: those whose change starts it, for trigger `change`. `locks` None: the whole record and its lines."""

    name: str
    entity: str
    label: Text
    trigger: Trigger
    fields: tuple[str, ...] = ()
    when: Expression | None = None
    steps: tuple[ApprovalStep, ...] = ()
    locks: tuple[str, ...] | None = None
    shows: tuple[str, ...] = ()
    withdraw: bool = True
    moved: tuple[tuple[str, str], ...] = ()  # steps that are gone → where cases waiting at them go on
    keepers: tuple[Who, ...] = ()
    effects: tuple[tuple[str, tuple[Effect, ...]], ...] = ()
    fingerprint: str = ""  # of what was declared: two rules of the same one decide alike
    origin: Origin

    def then(self, ending: str) -> tuple[Effect, ...]:
        """What follows `submitted`, `approved`, `rejected`, `withdrawn` or `returned`."""
        return dict(self.effects).get(ending, ())

    def step(self, name: str) -> ApprovalStep | None:
        return next((s for s in self.steps if s.name == name), None)
