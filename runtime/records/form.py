"""What the rules say of a record being filled in, without saving it: computed values, visible, required, locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default_of
from typing import TYPE_CHECKING, Any

from metadata.model import Field
from rules.evaluate import evaluate
from rules.expression import Expression
from runtime.errors import Forbidden, NotFound, RecordProblem
from runtime.records import rulebook
from runtime.records.compute import apply_defaults, base_amounts, compute_formulas, freeze_rates, tree_of
from runtime.records.input import announce, fill
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.save import note_changes
from runtime.records.validate import check_links, locked, required, true, visible
from runtime.records.values import Draft, Loader
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


_NONE: Mapping[str, Expression] = {}


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule at work on a field: it makes it `hidden`, `locked` or `required`.

    `rule` is its text; "" where it reads what this person may not see.
    """

    effect: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """`values` of the record as it would be (lines as lists of values); `why` gives per field the rule at work."""

    values: dict[str, Any]
    visible: dict[str, bool]
    required: dict[str, bool]
    readonly: dict[str, bool]
    problems: list[RecordProblem]
    why: dict[str, Reason]
    holds: dict[str, bool] = default_of(default_factory=dict)


def evaluate_form(
    session: Session,
    entity: str,
    record_id: int | None,
    values: Mapping[str, Any],
    conditions: Mapping[str, Expression] = _NONE,
) -> FormState:
    """The state of the form with `values` as typed so far, and which of the `conditions` hold.

    Raises `NotFound`, `Forbidden`; writes nothing.
    """
    draft = drafted(session, entity, record_id, values)
    groups = tree_of([draft])
    apply_defaults(session, groups)
    rulebook.deciding(session, groups, preview=True)
    freeze_rates(session, groups)
    compute_formulas(session, [draft])
    for group, drafts in groups:
        base_amounts(session, group, drafts)
    return _state(draft, Access(session), conditions)


def drafted(session: Session, entity: str, record_id: int | None, values: Mapping[str, Any]) -> Draft:
    """What has been typed so far as a draft, as far as it can be read. Raises `NotFound`, `Forbidden`."""
    if entity not in session.app.entities:
        raise NotFound()
    access = Access(session)
    plan = plan_of(session, entity)
    loader = Loader(session)
    before = None
    if record_id is not None:
        before = _stored(session, access, entity, record_id)
    elif not access.can(entity, "create"):
        raise Forbidden() if access.can(entity, "read") else NotFound()
    draft = Draft(loader, plan, before)
    fill(draft, values, session, access)
    if before is not None:
        note_changes(draft)
    groups = tree_of([draft])
    _unseen_links(session, groups, access)
    for _, drafts in groups:
        announce(drafts, loader)
    return draft


def as_typed(session: Session, entity: str, values: Mapping[str, Any]) -> Draft:
    """Some values of a record being filled in, for a rule that only looks; links one may not see count as none."""
    access, loader = Access(session), Loader(session)
    draft = Draft(loader, plan_of(session, entity), None)
    fill(draft, values, session, access)
    groups = tree_of([draft])
    _unseen_links(session, groups, access)
    return draft


def stored_state(
    session: Session, entity: str, record_id: int, conditions: Mapping[str, Expression] = _NONE
) -> FormState | None:
    """What the rules say of a record as it is stored, without `values`; None where no rule of the entity asks."""
    plan = plan_of(session, entity)
    if not conditions and not any(f.visible_when or f.required_when or f.readonly_when for f in plan.fields.values()):
        return None
    access = Access(session)
    loader = Loader(session)
    draft = Draft(loader, plan, _stored(session, access, entity, record_id))
    groups = tree_of([draft])
    _unseen_links(session, groups, access)
    for _, drafts in groups:
        announce(drafts, loader)
    return _state(draft, access, conditions, with_values=False)


def conditions_of(
    session: Session, entity: str, record_id: int, conditions: Mapping[str, Expression]
) -> dict[str, bool]:
    """Which of the conditions hold on a stored record, one this person may see."""
    stored = Loader(session).record(entity, record_id)
    if stored is None:
        raise NotFound()
    environment = stored.loader.environment
    return {key: evaluate(condition, stored, environment) is True for key, condition in conditions.items()}


def _stored(session: Session, access: Access, entity: str, record_id: int) -> dict[str, Any]:
    plan = plan_of(session, entity)
    rows = access.predicate(entity, "read", plan.table)
    wanted = plan.select_rows.where(plan.table.c.id == record_id, plan.table.c.deleted_at.is_(None))
    found = session.connection.execute(wanted if rows is None else wanted.where(rows)).first()
    if found is None:
        raise NotFound()
    return access.masks.clear(entity, plan.row(found))


def _unseen_links(session: Session, groups: list[tuple[EntityPlan, list[Draft]]], access: Access) -> None:
    """A link that may not be set counts as not set: what is computed over it would tell of a record nobody may see."""
    check_links(session, groups, access)
    for plan, drafts in groups:
        for field in (*plan.links, *plan.any_links):
            for draft in drafts:
                if draft.refused(field.name):
                    draft.values[field.name] = draft.joins.get(field.name, ()) if field.storage == "links" else None


def _state(
    draft: Draft, access: Access, conditions: Mapping[str, Expression], *, with_values: bool = True
) -> FormState:
    plan = draft.plan
    hidden, fixed = access.hidden(plan.name), access.read_only(plan.name)
    shown: dict[str, bool] = {}
    wanted: dict[str, bool] = {}
    held: dict[str, bool] = {}
    why: dict[str, Reason] = {}
    for field in plan.fields.values():
        name = field.name
        if name in hidden or field.system:
            continue
        shown[name] = visible(draft, field)
        wanted[name] = shown[name] and required(draft, field)
        held[name] = field.readonly or field.computed != "no" or name in fixed or locked(draft, field)
        reason = _why(access, field, shown[name], wanted[name], held[name])
        if reason is not None:
            why[name] = reason
    return FormState(
        values=_values(draft, access) if with_values else {},
        visible=shown,
        required=wanted,
        readonly=held,
        problems=_problems(draft),
        why=why,
        holds={key: true(condition, draft, draft, True) for key, condition in conditions.items()},
    )


def _why(access: Access, field: Field, shown: bool, wanted: bool, held: bool) -> Reason | None:
    """The rule that hides, locks or requires the field now."""
    rules: tuple[tuple[str, bool, Expression | None], ...] = (
        ("hidden", not shown, field.visible_when),
        ("locked", held, field.readonly_when),
        ("required", wanted, field.required_when),
    )
    for effect, holds, rule in rules:
        if holds and rule is not None:
            readable = all(access.visible(entity, name) for entity, name in rule.reads)
            return Reason(effect, rule.text if readable else "")
    return None


def _values(draft: Draft, access: Access) -> dict[str, Any]:
    found: dict[str, Any] = {}
    hidden = access.hidden(draft.plan.name)
    for field in draft.plan.fields.values():
        name = field.name
        if name in hidden or field.type in ("secret", "related"):
            continue
        if field.storage == "children":
            if name in draft.lines:
                found[name] = [_values(line, access) for line in draft.lines[name]]
        elif field.storage == "none" or (field.computed == "live" and field.keep is None and field.through is None):
            found[name] = _plain(draft.computed(field))
        else:
            found[name] = draft.many(field) if field.storage in ("choices", "links") else draft.raw(name)
    return found


def _plain(value: Any) -> Any:
    return value.get("id") if hasattr(value, "members") else value


def _problems(draft: Draft) -> list[RecordProblem]:
    return [p for _, drafts in tree_of([draft]) for one in drafts for p in one.problems]
