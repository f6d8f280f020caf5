"""Rules that take part in writing records: they decide values, judge the change, and act on what was written.

A rule registers once and says for which entities it applies; an entity without rules pays nothing. Every hook gets the
drafts of one entity and batch at once, so that no rule needs a statement per record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metadata.model import Application, Entity
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session

# modules that register rules, in the order in which they take part; imported when the first entity is written
MODULES: tuple[str, ...] = (
    "runtime.records.pairs",
    "runtime.decisions.scores",
    "runtime.decisions.assigning",
    "runtime.decisions.claims",
    "runtime.ledgers.rule",
    "runtime.decisions.approval_rule",
    "runtime.decisions.workflow_events",
    "runtime.revisions",
    "runtime.decisions.qualification_rule",
    "runtime.pricing.rule",
    "runtime.duplicates.rule",
)


class RecordRule:
    """What every rule may do; subclasses override what they need."""

    name: str = ""
    previews: bool = False  # whether `deciding` also runs while a form is being filled in, in a session that only reads

    def applies(self, app: Application, entity: Entity) -> bool:
        """Whether it takes part in writing this entity; asked once per published version."""
        raise NotImplementedError

    def gathering(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Before anything is decided: may take lines nobody gave into the drafts, where the change bears on them."""

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """After defaults, before formulas and checks: may give values by `decide`."""

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """After formulas and checks: may refuse by `draft.refuse` (a field) or `draft.forbid` (the whole)."""

    def late(self, plan: EntityPlan, count: int) -> bool:
        """Whether `saved` may refuse one of `count` drafts, by raising an `Answer`: they can go back one by one then.

        It costs a savepoint wherever rows stand alone, so that a rule that never refuses there says no.
        """
        return type(self).saved is not RecordRule.saved

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """The rows, stage log, roll-ups and audit are written, in the same transaction. What it raises goes to who
        wrote; where rows stand alone (see `late`), to the row that is refused when it is written by itself."""

    def attaching(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """Before files are kept with records, replaced or taken off; raises an `Answer` where they stay as they are."""

    def merging(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """Before records become one, with what belongs to them; raises an `Answer` where they stay apart."""

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """The records went to the recycle bin."""

    def restored(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        """The records came back."""


_RULES: dict[str, RecordRule] = {}


def register(rule: RecordRule) -> None:
    """Adds a rule; code packages may, too. Raises `ValueError` where the name is taken by another class."""
    known = _RULES.get(rule.name)
    if known is not None and type(known) is not type(rule):
        raise ValueError(f"record rule {rule.name!r} is registered twice")
    _RULES[rule.name] = rule


def record_rules() -> tuple[RecordRule, ...]:
    """Every registered rule, those of the platform first."""
    for module in MODULES:
        import_module(module)
    return tuple(_RULES.values())


def decide(draft: Draft, name: str, value: Any) -> None:
    """Gives a field its value as a rule decided it, as if it had been typed."""
    if draft.raw(name) == value:
        return
    draft.values[name] = value
    if not draft.creating:
        if draft.before is not None and draft.before.get(name) == value:
            draft.changed.discard(name)
        else:
            draft.changed.add(name)


Groups = Sequence[tuple["EntityPlan", list["Draft"]]]


def gathering(session: Session, plan: EntityPlan, roots: Sequence[Draft]) -> None:
    for rule in plan.rules:
        rule.gathering(session, plan, roots)


def deciding(session: Session, groups: Groups, *, preview: bool = False) -> None:
    for plan, drafts in groups:
        for rule in plan.rules:
            if rule.previews or not preview:
                rule.deciding(session, plan, drafts)


def judging(session: Session, groups: Groups) -> None:
    for plan, drafts in groups:
        for rule in plan.rules:
            rule.judging(session, plan, drafts)


def saved(session: Session, roots: Sequence[Draft]) -> None:
    """Tells the rules of the records written, and of lines that went with them."""
    from runtime.records.compute import tree_of  # late: both stand on rules
    from runtime.records.plan import plan_in

    for plan, drafts in tree_of(roots):
        for rule in plan.rules:
            rule.saved(session, plan, drafts)
        for name, ids in _gone(drafts).items():
            removed(session, plan_in(plan.tables, name), ids)


def _gone(drafts: Iterable[Draft]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for draft in drafts:
        for lines in draft.removed.values():
            for line in lines:
                found.setdefault(line.plan.name, []).append(line.record_id or 0)
    return found


def removed(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    for rule in plan.rules:
        rule.removed(session, plan, ids)


def attaching(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    for rule in plan.rules:
        rule.attaching(session, plan, ids)


def merging(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    for rule in plan.rules:
        rule.merging(session, plan, ids)


def restored(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    for rule in plan.rules:
        rule.restored(session, plan, ids)
