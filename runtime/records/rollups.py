"""Stored formulas of records beyond the one written: roll-ups of parents, and whoever reads over a link.

Sums and counts of a collection take signed deltas. Everything else is recomputed from the database, its records locked
in the order of their ids first. Both raise no version, no audit and no event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Field
from rules import tree
from rules.evaluate import evaluate
from rules.expression import Expression
from runtime.query.expressions import value
from runtime.query.sql_context import NoSqlTwin
from runtime.records.input import currency_scale, fitted
from runtime.records.plan import EntityPlan, plan_in, plan_of
from runtime.records.reach import Change, Read, reached, reads_of
from runtime.records.values import CHUNK, Loader, Stored
from runtime.schema.aliases import alias_of
from runtime.schema.tables import RATE_COLUMN, column_name
from runtime.security.access import sql_context

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True)
class Total:
    """A formula that is nothing but a sum or count over members, each counting by its own stored values."""

    function: str
    member: str
    back: str
    value: Expression | None
    where: Expression | None
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Formula:
    """A stored formula with what it reads."""

    entity: str
    field: Field
    reads: tuple[Read, ...]
    total: Total | None


def formulas(session: Session) -> tuple[Formula, ...]:
    """All stored formulas, in recomputation order; prepared once per version."""
    memo = session.tables.memo
    if "stored formulas" not in memo:
        memo["stored formulas"] = tuple(_formulas(session.app))
        entities: dict[str, list[int]] = {}
        for index, formula in enumerate(memo["stored formulas"]):
            for entity in {r.entity for r in formula.reads}:
                entities.setdefault(entity, []).append(index)
        memo["readers"] = entities
    return memo["stored formulas"]


def is_read(session: Session, entities: Iterable[str]) -> bool:
    """Whether any stored formula reads one of the entities."""
    formulas(session)
    readers = session.tables.memo["readers"]
    return any(entity in readers for entity in entities)


def _formulas(app: Application) -> Iterable[Formula]:
    for dependency in app.dependencies:
        field = app.entities[dependency.entity].fields.get(dependency.field)
        if field is None or field.retired or field.formula is None or field.computed != "stored":
            continue
        reads = reads_of(app, dependency.entity, field.formula)
        yield Formula(dependency.entity, field, reads, _total(app, dependency.entity, field))


def _total(app: Application, entity: str, field: Field) -> Total | None:
    """The formula as a plain total, where it is one."""
    assert field.formula is not None
    node = field.formula.tree
    if not isinstance(node, tree.Aggregate) or node.function not in ("sum", "count"):
        return None
    collection = node.collection
    if not isinstance(collection, tree.Field) or not isinstance(collection.base, tree.Row):
        return None
    members = app.entities[entity].fields.get(collection.name)
    if members is None or members.type != "related" or not members.by or not members.entity:
        return None
    reads: set[str] = set()
    for part in (node.value, node.where):
        if part is not None and not _plain(app, members.entity, part, reads):
            return None
    parts = [_alone(part, members.entity) for part in (node.value, node.where)]
    return Total(node.function, members.entity, members.by, parts[0], parts[1], frozenset(reads))


def _plain(app: Application, member: str, node: tree.Node, reads: set[str]) -> bool:
    """Whether the node reads nothing but stored single values of the member itself."""
    for part in node.walk():
        if isinstance(part, tree.Aggregate | tree.User | tree.Old | tree.Parameter | tree.Changed):
            return False
        if isinstance(part, tree.Row) and part.level != 0:
            return False
        if isinstance(part, tree.Field):
            field = app.entities[part.entity].fields[part.name]
            if part.entity != member or not isinstance(part.base, tree.Row):
                return False
            if field.computed == "live" or field.storage in ("none", "children", "choices", "links"):
                return False
            reads.add(part.name)
    return True


def _alone(node: tree.Node | None, entity: str) -> Expression | None:
    return None if node is None else Expression(text="", tree=node, type=node.type, entity=entity)


# --- spreading a change --------------------------------------------------------------------------------------------


def spread(session: Session, changes: Iterable[Change], written: Mapping[str, set[int]]) -> None:
    """Brings every stored formula that reads one of the changes up to date, and those that read these in turn.

    `written` holds the records that were computed as a whole just now: what they read of their own family is right.
    """
    waiting: dict[str, list[Change]] = {}
    for change in changes:
        waiting.setdefault(change.entity, []).append(change)
    every = formulas(session)
    readers: dict[str, list[int]] = session.tables.memo["readers"]
    due = {index for entity in waiting for index in readers.get(entity, ())}
    done = -1
    while due:
        index = min(due)
        due.discard(index)
        if index <= done:
            continue
        done = index
        formula = every[index]
        changed = _bring_up(session, formula, waiting, written)
        if changed:
            fields = frozenset({formula.field.name})
            news = [Change(formula.entity, i, fields) for i in sorted(changed)]
            waiting.setdefault(formula.entity, []).extend(news)
            due.update(i for i in readers.get(formula.entity, ()) if i > index)


def _bring_up(
    session: Session, formula: Formula, waiting: Mapping[str, list[Change]], written: Mapping[str, set[int]]
) -> set[int]:
    """Updates the formula where it reads a change; ids of the records whose value differs now."""
    total = formula.total
    if total is not None and all(c.known for c in waiting.get(total.member, ()) if _matters(total, c)):
        return _add_deltas(session, formula, total, waiting.get(total.member, ()))
    ids: set[int] = set()
    here = written.get(formula.entity, set())
    for read in formula.reads:
        changes = waiting.get(read.entity)
        if not changes:
            continue
        if read.own:
            ids |= reached(session, read, (c for c in changes if c.known)) - here
            ids |= reached(session, read, (c for c in changes if not c.known))
        else:
            ids |= reached(session, read, changes)
    return recompute(session, formula.entity, formula.field, ids) if ids else set()


def _matters(total: Total, change: Change) -> bool:
    return change.came_or_went or total.back in change.fields or not total.reads.isdisjoint(change.fields)


def _add_deltas(session: Session, formula: Formula, total: Total, changes: Iterable[Change]) -> set[int]:
    deltas: dict[int, Any] = {}
    loader = Loader(session)
    plan = plan_of(session, total.member)
    for change in changes:
        if not _matters(total, change):
            continue
        for image, sign in ((change.before, -1), (change.after, 1)):
            owner = image.get(total.back) if image is not None else None
            if image is not None and owner is not None:
                part = _part(total, Stored(loader, plan, dict(image)), loader)
                deltas[owner] = deltas.get(owner, 0) + sign * part
    rows = [{"b_id": owner, "b_delta": delta} for owner, delta in sorted(deltas.items()) if delta]
    if not rows:
        return set()
    session.connection.execute(_delta_statement(session, formula, deltas), rows)
    return {row["b_id"] for row in rows}


def _part(total: Total, member: Stored, loader: Loader) -> Any:
    if total.where is not None and evaluate(total.where, member, loader.environment) is not True:
        return 0
    if total.function == "count":
        return 1 if total.value is None else int(evaluate(total.value, member, loader.environment) is not None)
    assert total.value is not None
    return evaluate(total.value, member, loader.environment) or 0


def _delta_statement(session: Session, formula: Formula, deltas: Mapping[int, Any]) -> sa.Update:
    plan = plan_of(session, formula.entity)
    column = plan.table.c[column_name(formula.field)]
    delta = sa.bindparam("b_delta", type_=column.type)
    sums = {column.name: sa.func.coalesce(column, sa.literal(0, column.type)) + delta}
    if formula.field.type == "money":
        base = plan.table.c[f"{column.name}__base"]
        sums[base.name] = sa.func.coalesce(base, sa.literal(0, base.type)) + delta
    return sa.update(plan.table).where(plan.table.c.id == sa.bindparam("b_id")).values(sums)


# --- recomputing from the database ---------------------------------------------------------------------------------


def recompute(session: Session, entity: str, field: Field, ids: Iterable[int]) -> set[int]:
    """Sets the formula's value on the records given; answers those whose value was another."""
    plan = plan_in(session.tables, entity)
    changed: set[int] = set()
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        part = ordered[start : start + CHUNK]
        _lock(session, plan, part)
        changed |= _recompute(session, plan, field, part)
    return changed


def _lock(session: Session, plan: EntityPlan, ids: list[int]) -> None:
    """SQLite's writer is alone; elsewhere the rows are held before they are read, in the order of their ids."""
    if session.site.dialect != "sqlite":
        wanted = sa.select(plan.table.c.id).where(plan.table.c.id.in_(ids)).order_by(plan.table.c.id)
        session.connection.execute(wanted.with_for_update(key_share=True)).all()


def _recompute(session: Session, plan: EntityPlan, field: Field, ids: list[int]) -> set[int]:
    assert field.formula is not None
    row = alias_of(plan.table)
    column = row.c[column_name(field)]
    try:
        computed = value(field.formula, row, sql_context(session))
    except NoSqlTwin:
        return _set(session, plan, field, _in_python(session, plan, field, ids))
    wanted = [row.c.id, column, computed]
    wanted.append(row.c[RATE_COLUMN] if plan.rated else sa.literal(1))
    currency = plan.entity.currency
    wanted.append(row.c[column_name(plan.fields[currency])] if currency else sa.null())
    updates: list[dict[str, Any]] = []
    for record_id, stored, computed, rate, code in session.connection.execute(
        sa.select(*wanted).where(row.c.id.in_(ids))
    ):
        now = fitted(session, field, computed, code)
        if now != stored:
            updates.append({"b_id": record_id, "v": now, "base": _base(session, field, now, rate), "was": stored})
    return _set(session, plan, field, updates)


def _in_python(session: Session, plan: EntityPlan, field: Field, ids: list[int]) -> list[dict[str, Any]]:
    """What differs, where the formula calls a function that databases do not have."""
    assert field.formula is not None
    loader = Loader(session)
    loader.own(plan.name, ids)
    loader.want(plan.name, ids)
    updates: list[dict[str, Any]] = []
    for record_id in ids:
        record = loader.record(plan.name, record_id)
        if record is None:
            continue
        currency = record.raw(plan.entity.currency) if plan.entity.currency else None
        now = fitted(session, field, evaluate(field.formula, record, loader.environment), currency)
        stored = record.raw(field.name)
        if now != stored:
            rate = record.raw(RATE_COLUMN) if plan.rated else 1
            updates.append({"b_id": record_id, "v": now, "base": _base(session, field, now, rate), "was": stored})
    return updates


def _set(session: Session, plan: EntityPlan, field: Field, updates: list[dict[str, Any]]) -> set[int]:
    if not updates:
        return set()
    rows = [{key: row[key] for key in ("b_id", "v", "base")} for row in updates]
    session.connection.execute(_set_statement(plan, field), rows)
    listener = _LISTENERS.get(field.type)
    if listener is not None:
        listener(session, plan, field, {u["b_id"]: (u["was"], u["v"]) for u in updates})
    return {u["b_id"] for u in updates}


Recomputed = Callable[["Session", EntityPlan, Field, Mapping[int, tuple[Any, Any]]], None]
_LISTENERS: dict[str, Recomputed] = {}


def when_recomputed(field_type: str, listener: Recomputed) -> None:
    """`listener(session, plan, field, {id: (before, after)})` hears of values that changed without a write."""
    _LISTENERS[field_type] = listener


def _base(session: Session, field: Field, amount: Any, rate: Any) -> Any:
    if field.type != "money" or amount is None or rate is None:
        return None
    step = Decimal(1).scaleb(-currency_scale(session, session.site.settings.currency))
    return amount if rate == 1 else (amount * rate).quantize(step, rounding="ROUND_HALF_UP")


def _set_statement(plan: EntityPlan, field: Field) -> sa.Update:
    name = column_name(field)
    column = plan.table.c[name]
    values: dict[str, Any] = {name: sa.bindparam("v", type_=column.type)}
    if field.type == "money":
        values[f"{name}__base"] = sa.bindparam("base", type_=column.type)
    return sa.update(plan.table).where(plan.table.c.id == sa.bindparam("b_id")).values(values)
