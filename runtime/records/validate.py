"""What may be wrong with drafts: required, locked and hidden by rule, checks, uniqueness, links, hierarchies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Check, Field
from rules.evaluate import Values, evaluate
from rules.expression import Expression
from runtime.files.attachments import FILE
from runtime.records.attached import check_files
from runtime.records.input import CHANNELS
from runtime.records.living import living_of
from runtime.records.plan import EntityPlan, Unique, plan_of
from runtime.records.values import CHUNK, Draft
from runtime.schema.aliases import alias_of
from runtime.schema.tables import column_name
from runtime.security.access import Access
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.site import Session


def true(rule: Expression | None, values: Values, draft: Draft, otherwise: bool) -> bool:
    return otherwise if rule is None else evaluate(rule, values, draft.environment()) is True


def visible(draft: Draft, field: Field) -> bool:
    return true(field.visible_when, draft, draft, True)


def required(draft: Draft, field: Field) -> bool:
    return field.required or true(field.required_when, draft, draft, False)


def locked(draft: Draft, field: Field) -> bool:
    """A locked field is judged by the record as it was: unlocking and changing are two steps."""
    if field.readonly_when is None:
        return False
    return true(field.readonly_when, draft.old() or draft, draft, False)


def enforce_conditions(session: Session, draft: Draft) -> None:
    """Values given to fields that a rule hides or locks: left as they were where a form sent them, else refused."""
    quiet = CHANNELS.get(session.channel) == "form"
    for field in draft.plan.conditional:
        name = field.name
        if name not in draft.given or not _differs(draft, name):
            continue
        if field.readonly_when is not None and locked(draft, field):
            _reject(draft, name, "readonly", quiet)
        elif field.visible_when is not None and not _empty(draft.values.get(name)) and not visible(draft, field):
            _reject(draft, name, "hidden_by_rule", quiet)


def _differs(draft: Draft, name: str) -> bool:
    if name in draft.lines and not draft.creating:
        return bool(draft.removed.get(name)) or any(
            line.creating or line.changed or any(_differs(line, inner) for inner in line.lines)
            for line in draft.lines[name]
        )
    return not _empty(draft.values.get(name)) if draft.creating else name in draft.changed


def _reject(draft: Draft, name: str, code: str, quiet: bool) -> None:
    if not quiet:
        draft.refuse(code, name)
        return
    if name in draft.lines:
        draft.values.pop(name, None)
    elif draft.before is not None:
        draft.values[name] = draft.joins.get(name, draft.before.get(name))
    else:
        draft.values.pop(name, None)
    draft.given.discard(name)
    draft.changed.discard(name)
    draft.lines.pop(name, None)
    draft.removed.pop(name, None)


def check_required(draft: Draft) -> None:
    for field in draft.plan.required:
        name = field.name
        if draft.values.get(name) or not _empty(_value(draft, field)) or draft.refused(name):
            continue
        if name == draft.plan.back and draft.parent is not None:
            continue
        if field.name == draft.plan.numbered and draft.creating:
            continue
        asked = draft.creating or name in draft.given or (field.required_when is not None and draft.changed)
        if asked and required(draft, field) and visible(draft, field):
            draft.refuse("required", name)


def _value(draft: Draft, field: Field) -> Any:
    if field.storage == "children":
        return draft.lines.get(field.name, () if draft.creating else (None,))
    if field.storage in ("choices", "links") and field.name not in draft.values:
        return () if draft.creating else (None,)
    return draft.values.get(field.name)


def _empty(value: Any) -> bool:
    return value is None or value == () or value == []


def run_checks(session: Session, draft: Draft) -> None:
    """The declared checks that read something that has changed; those on refused fields would only repeat it."""
    wrong = {p.field for p in draft.problems}
    for check in draft.plan.entity.checks:
        if not _concerned(draft, check):
            continue
        own = {f for e, f in check.must.reads if e == draft.plan.name}
        if wrong and any(f"{draft.path}{f}" in wrong for f in own):
            continue
        environment = draft.environment()
        if check.when is not None and evaluate(check.when, draft, environment) is not True:
            continue
        if evaluate(check.must, draft, environment) is not True:
            message = check.message.of(session.language) or None
            for name in check.fields or (None,):
                draft.refuse("check_failed", name, message, name=check.name)


def _concerned(draft: Draft, check: Check) -> bool:
    if draft.creating:
        return True
    reads = check.must.reads | (check.when.reads if check.when else frozenset())
    changed = {(draft.plan.name, name) for name in draft.changed | set(draft.lines)}
    if not changed.isdisjoint(reads):
        return True
    lines = {line.plan.name for members in draft.lines.values() for line in members}
    return any(entity in lines for entity, _ in reads)


# --- set by set ----------------------------------------------------------------------------------------------------


def check_unique(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """One statement per unique set: nobody living, and none of the others written now, has the same values."""
    for unique in plan.uniques:
        wanted: dict[tuple[Any, ...], Draft] = {}
        for draft in drafts:
            if not draft.creating and not any(name in draft.changed for name in unique.fields):
                continue
            key = tuple(_key(draft, plan, name) for name in unique.fields)
            if any(part is None for part in key) or any(draft.refused(name) for name in unique.fields):
                continue
            if key in wanted:
                _twin(draft, unique, session)
            else:
                wanted[key] = draft
        if wanted:
            _look_for_twins(session, plan, unique, wanted)


def _key(draft: Draft, plan: EntityPlan, name: str) -> Any:
    if name == plan.back and draft.parent is not None:
        return draft.parent.record_id
    return draft.values.get(name)


def _look_for_twins(session: Session, plan: EntityPlan, unique: Unique, wanted: dict[tuple[Any, ...], Draft]) -> None:
    columns = [plan.table.c[column_name(plan.fields[name])] for name in unique.fields]
    leaving = _leaving(plan, wanted.values())
    keys = list(wanted)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        same = columns[0].in_([k[0] for k in part]) if len(columns) == 1 else sa.tuple_(*columns).in_(part)
        statement = sa.select(plan.table.c.id, *columns).where(same, plan.table.c.deleted_at.is_(None))
        for record_id, *values in session.connection.execute(statement):
            draft = wanted.get(tuple(values))
            if draft is not None and draft.record_id != record_id and record_id not in leaving:
                _twin(draft, unique, session)


def _leaving(plan: EntityPlan, drafts: Iterable[Draft]) -> set[int | None]:
    """Lines that the same save removes: what replaces one may be equal to it."""
    parents = {id(d.parent): d.parent for d in drafts if d.parent is not None}
    removed = (line for parent in parents.values() for lines in parent.removed.values() for line in lines)
    return {line.record_id for line in removed if line.plan.name == plan.name}


def _twin(draft: Draft, unique: Unique, session: Session) -> None:
    if len(unique.fields) == 1:
        draft.refuse("unique", unique.fields[0])
        return
    labels = [draft.plan.fields[name].label.of(session.language) for name in unique.fields]
    separator = "、" if session.language == "zh" else ", "
    draft.refuse("unique_together", unique.fields[0], fields=separator.join(labels))


def check_links(session: Session, groups: Iterable[tuple[EntityPlan, list[Draft]]], access: Access) -> None:
    """Every link newly set points to a living record this user may see, and that the link's rule admits."""
    wanted: dict[tuple[str, str], list[tuple[Draft, Field, int]]] = {}
    for plan, drafts in groups:
        for field in plan.links:
            asked = wanted.setdefault((field.to or "", ""), [])
            name, simple = field.name, field.storage == "link" and field.name != plan.back
            for draft in drafts:
                if simple and draft.before is None and not draft.problems:
                    if (target := draft.values.get(name)) is not None:
                        asked.append((draft, field, target))
                    continue
                asked.extend((draft, field, target) for target in _new_targets(draft, field))
        for field in plan.any_links:
            for draft in drafts:
                pair = draft.values.get(field.name)
                if pair is not None and (draft.creating or field.name in draft.changed):
                    wanted.setdefault((pair[0], ""), []).append((draft, field, pair[1]))
    for (entity, _), asked in wanted.items():
        if not asked:
            continue
        if entity == FILE:
            check_files(session, asked)
            continue
        if entity not in session.app.entities:
            for draft, field, _target in asked:
                draft.refuse("no_such_record", field.name)
            continue
        ids = {target for _, _, target in asked}
        own = session.user.id  # who is signed in is there, and may see himself
        there = {own} & ids if entity == "user" and own is not None and access.can("user", "read") else set()
        if ids - there:
            there = there | _readable(session, access, entity, ids - there)
        for draft, field, target in asked:
            if target not in there:
                draft.refuse("no_such_record", field.name)
            elif field.where is not None and not _admitted(session, draft, field, target):
                draft.refuse("not_allowed_target", field.name)


def _new_targets(draft: Draft, field: Field) -> tuple[int, ...]:
    value = draft.values.get(field.name)
    if value is None:
        return ()
    if draft.refused(field.name) or (field.name == draft.plan.back and draft.parent is not None):
        return ()
    if field.storage == "link":
        return (value,) if draft.creating or field.name in draft.changed else ()
    known = set(draft.joins.get(field.name, () if draft.creating else value))
    return tuple(v for v in value if v not in known)


def _readable(session: Session, access: Access, entity: str, ids: set[int]) -> set[int]:
    plan = plan_of(session, entity)
    table = plan.table
    found: set[int] = set()
    ordered = sorted(ids)
    if session.site.dialect == "sqlite" and access.unlimited(entity, "read"):
        there = living_of(session, plan, "id")
        for start in range(0, len(ordered), CHUNK):
            found.update(row[0] for row in there.rows(session.connection, ordered[start : start + CHUNK]))
        return found
    rows = access.predicate(entity, "read", table)
    hold = session.write and session.site.dialect != "sqlite"  # as the foreign key will hold them
    parts = [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
    if rows is None:
        known = session.tables.memo
        key = ("there", entity, hold)
        if key not in known:
            asked: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
            known[key] = Kept(_there(table, asked, hold), session.connection.dialect, ("ids",))
        for part in parts:
            found.update(row[0] for row in known[key].rows(session.connection, {"ids": part}))
        return found
    for part in parts:
        found.update(session.connection.scalars(_there(table, part, hold).where(rows)))
    return found


def _there(table: sa.Table, ids: Any, hold: bool) -> sa.Select[Any]:
    statement = sa.select(table.c.id).where(table.c.id.in_(ids), table.c.deleted_at.is_(None))
    return statement.with_for_update(read=True, key_share=True, of=table) if hold else statement


def _admitted(session: Session, draft: Draft, field: Field, target: int) -> bool:
    """Whether the link's `where` admits the target; in it `this` is the record being written."""
    record = draft.loader.record(field.to or "", target)
    if record is None or field.where is None:
        return False
    return evaluate_target(field.where, record, draft) is True


def evaluate_target(rule: Expression, target: Values, draft: Draft) -> Any:
    return evaluate(rule, target, draft.environment(), outer=draft)


def check_tree(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """A record is not below itself: the chain of the new parent must not meet the record."""
    name = plan.entity.tree
    if name is None:
        return
    for draft in drafts:
        target = draft.values.get(name)
        if draft.creating or target is None or name not in draft.changed or draft.refused(name):
            continue
        if target == draft.record_id or draft.record_id in ancestors(session, plan, target):
            draft.refuse("own_ancestor", name)


def ancestors(session: Session, plan: EntityPlan, record_id: int) -> set[int]:
    """The record and everything above it; a cycle in the data ends by itself."""
    table, up = plan.table, column_name(plan.fields[plan.entity.tree or ""])
    chain = sa.select(table.c.id, table.c[up].label("up")).where(table.c.id == record_id).cte("chain", recursive=True)
    above = alias_of(table)
    chain = chain.union(sa.select(above.c.id, above.c[up].label("up")).join(chain, above.c.id == chain.c.up))
    return set(session.connection.scalars(sa.select(chain.c.id)))
