"""Defaults, the frozen rate, numbers, and stored formulas of drafts, each in the order of what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Dependency, Field
from rules.evaluate import Environment, evaluate
from rules.expression import Expression
from runtime.numbering import numbers
from runtime.query.expressions import is_known
from runtime.records.input import currency_scale, fitted
from runtime.records.plan import EntityPlan
from runtime.records.values import Draft
from runtime.schema.tables import RATE_COLUMN, RATE_SCALE, column_name

if TYPE_CHECKING:
    from runtime.site import Session


def tree_of(roots: Sequence[Draft]) -> list[tuple[EntityPlan, list[Draft]]]:
    """The drafts with their lines, grouped by entity, parents before lines."""
    groups: list[tuple[EntityPlan, list[Draft]]] = []
    level = list(roots)
    while level:
        by_plan: dict[str, list[Draft]] = {}
        for draft in level:
            by_plan.setdefault(draft.plan.name, []).append(draft)
        groups.extend((drafts[0].plan, drafts) for drafts in by_plan.values())
        level = [line for draft in level if draft.lines for lines in draft.lines.values() for line in lines]
    return groups


def apply_defaults(session: Session, groups: Iterable[tuple[EntityPlan, list[Draft]]]) -> None:
    """Defaults of new records, where a field was left out; an explicit nothing stays nothing."""
    for plan, drafts in groups:
        fields = plan.defaults
        if not fields:
            continue
        for draft in drafts:
            if draft.creating:
                _defaults(session, draft, fields)


def _defaults(session: Session, draft: Draft, fields: Iterable[Field]) -> None:
    environment = draft.loader.environment
    currency = None
    for field in fields:
        if field.name in draft.given or draft.refused(field.name):
            continue
        default = field.default
        if isinstance(default, Expression):
            if field.type == "money":
                currency = currency_of(session, draft)
            value = fitted(session, field, _default(draft, default, environment), currency)
        else:
            value = tuple(default) if field.storage in ("choices", "links") else default
        draft.values[field.name] = value


def _default(draft: Draft, rule: Expression, environment: Environment) -> Any:
    """What needs no record (`user`, `today()`) is the same for all drafts of a write."""
    known = draft.loader.known
    if rule in known:
        return known[rule]
    value = evaluate(rule, draft, environment)
    if is_known(rule.tree):
        known[rule] = value
    return value


def currency_of(session: Session, draft: Draft) -> str:
    """The currency of the record, else that of the record it is a line of, else the site's."""
    name = draft.plan.entity.currency
    if name:
        value = draft.raw(name)
        if isinstance(value, str):
            return value
    return currency_of(session, draft.parent) if draft.parent is not None else session.site.settings.currency


def freeze_rates(session: Session, groups: Iterable[tuple[EntityPlan, list[Draft]]]) -> None:
    """The rate to the site's currency is fixed when a record gets its currency, and stays."""
    for plan, drafts in groups:
        if not plan.rated:
            continue
        name = plan.entity.currency or ""
        for draft in drafts:
            before = draft.before or {}
            if draft.creating or before.get(name) != draft.raw(name) or before.get(RATE_COLUMN) is None:
                draft.values[RATE_COLUMN] = rate_to_base(draft.loader.environment, session, currency_of(session, draft))


def rate_to_base(environment: Environment, session: Session, currency: str) -> Decimal | None:
    base = session.site.settings.currency
    if currency == base:
        return Decimal(1)
    rate = environment.rates(currency, base, session.today) if environment.rates else None
    return None if rate is None else rate.quantize(Decimal(1).scaleb(-RATE_SCALE), rounding=ROUND_HALF_UP)


def base_amounts(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Each amount once more in the site's currency, at the record's frozen rate; nothing where there is no rate."""
    if not plan.money:
        return
    step = Decimal(1).scaleb(-currency_scale(session, session.site.settings.currency))
    names = [(field.name, f"{column_name(field)}__base") for field in plan.money]
    for draft in drafts:
        values, rate = draft.values, _frozen_rate(draft)
        for name, base in names:
            amount = values.get(name)
            if amount is None or rate is None:
                values[base] = None
            else:
                values[base] = amount if rate is _ONE else (amount * rate).quantize(step, rounding=ROUND_HALF_UP)


_ONE = Decimal(1)


def amount_in_base(session: Session, draft: Draft, amount: Decimal | None) -> Decimal | None:
    """An amount of the draft in the site's currency, at the rate it will be written with."""
    rate = _frozen_rate(draft)
    if amount is None or rate is None or rate is _ONE:
        return None if rate is None else amount
    step = Decimal(1).scaleb(-currency_scale(session, session.site.settings.currency))
    return (amount * rate).quantize(step, rounding=ROUND_HALF_UP)


def _frozen_rate(draft: Draft) -> Decimal | None:
    """The rate of the record, or of the one it is a line of."""
    owner = draft
    while not owner.plan.rated:
        if owner.parent is None:
            return _ONE
        owner = owner.parent
    rate: Decimal | None = owner.values.get(RATE_COLUMN)
    return _ONE if rate == 1 else rate


def give_numbers(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Numbers for the new records that bring none."""
    numbering = plan.entity.number
    if numbering is None or plan.numbered is None:
        return
    wanting = [d for d in drafts if d.creating and d.values.get(plan.numbered) is None]
    if wanting:
        for draft, number in zip(wanting, numbers(session, numbering, wanting)):
            draft.values[plan.numbered] = number


# --- formulas ----------------------------------------------------------------------------------------------------


def formulas_of(app: Application, memo: dict[Any, Any], plan: EntityPlan) -> tuple[tuple[Dependency, Field], ...]:
    """The stored formulas of an entity and of its lines, in the order they can be computed."""
    key = ("formulas", plan.name)
    if key not in memo:
        family = _family(app, plan.name)
        memo[key] = tuple(
            (dependency, app.entities[dependency.entity].fields[dependency.field])
            for dependency in app.dependencies
            if dependency.entity in family and _stored(app, dependency)
        )
    return memo[key]


def _family(app: Application, name: str) -> set[str]:
    """The entity and its lines, and theirs."""
    family = {name}
    grew = True
    while grew:
        more = {e.name for e in app.entities.values() if e.parent and e.parent[0] in family} - family
        family |= more
        grew = bool(more)
    return family


def _stored(app: Application, dependency: Dependency) -> bool:
    field = app.entities[dependency.entity].fields.get(dependency.field)
    return field is not None and field.formula is not None and field.computed == "stored" and not field.retired


def compute_formulas(session: Session, roots: Sequence[Draft], only: frozenset[tuple[str, str]] | None = None) -> None:
    """Stored formulas of the drafts: all of new records, of others those that read what has changed.

    `only` restricts it to the formulas that read one of the pairs given (numbers that came late).
    """
    if not roots:
        return
    steps = formulas_of(session.app, session.tables.memo, roots[0].plan)
    if not steps:
        return
    for root in roots:
        family: dict[str, list[Draft]] = {plan.name: drafts for plan, drafts in tree_of([root])}
        changed = set(only) if only is not None else changed_pairs(root)
        for dependency, field in steps:
            drafts = family.get(dependency.entity)
            if not drafts:
                continue
            touched = not changed.isdisjoint(dependency.reads)
            if only is not None and not touched:
                continue
            for draft in drafts:
                if touched or (draft.creating and only is None):
                    _compute(session, draft, field, changed)


def _compute(session: Session, draft: Draft, field: Field, changed: set[tuple[str, str]]) -> None:
    assert field.formula is not None
    value = evaluate(field.formula, draft, draft.loader.environment)
    currency = currency_of(session, draft) if field.type == "money" else None
    value = fitted(session, field, value, currency)
    if draft.creating or draft.values.get(field.name) != value:
        draft.values[field.name] = value
        changed.add((draft.plan.name, field.name))


def lines_differ(draft: Draft, name: str) -> bool:
    lines = draft.lines.get(name, ())
    return bool(draft.removed.get(name)) or any(
        line.creating or line.changed or any(lines_differ(line, n) for n in line.lines) for line in lines
    )


def changed_pairs(root: Draft) -> set[tuple[str, str]]:
    """(entity, field) of everything that differs in the record and its lines; new and removed lines count whole."""
    pairs: set[tuple[str, str]] = set()
    for plan, drafts in tree_of([root]):
        for draft in drafts:
            pairs.update((plan.name, name) for name in draft.changed)
            if draft.creating:
                pairs.update((plan.name, name) for name in plan.fields)
            for name, gone in draft.removed.items():
                if gone:
                    pairs.update((gone[0].plan.name, f) for f in gone[0].plan.fields)
                    pairs.add((plan.name, name))
            pairs.update((plan.name, name) for name in draft.lines)
    return pairs
