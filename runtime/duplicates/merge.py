"""Merging: one record stays and takes what was chosen of the others, what belongs to them moves to it, they go.

Links are moved set by set, as the recycle bin clears them: with version, audit and roll-ups, and without judging the
records they stand in anew; those say what they said before, of the record that now stands for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from runtime import records
from runtime.actions import as_person
from runtime.duplicates.groups import forget
from runtime.duplicates.moving import Move, move, pairs_moved
from runtime.errors import Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.files.attachments import FILE
from runtime.records import rulebook
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.snapshots import take
from runtime.records.values import Loader
from runtime.schema.internal_duplicates import merge as merges
from runtime.security import audit
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST = 10  # records merged at once
NOTED = "merged__with"  # in the audit, beside the fields: no field can be called so
_NOT_CHOSEN = ("secret", "related")
_FILES = ("file", "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`id` of the merge, by which it is undone; how many records moved to the one that stays."""

    id: int
    kept: int
    moved: int


def choosable(session: Session, entity: str) -> tuple[Field, ...]:
    """The fields whose value may be taken from any of the records: those the person may write."""
    plan, access = plan_of(session, entity), Access(session)
    hidden, fixed = access.hidden(entity), access.read_only(entity)
    handed = frozenset() if access.can(entity, "assign") else plan.scope_fields
    return tuple(
        field
        for field in plan.plain
        if field.writable and field.storage != "children" and field.type not in _NOT_CHOSEN
        if field.name not in hidden and field.name not in fixed and field.name not in handed
        if field.through is None
    )


def may_merge(session: Session, entity: str, kept: int, gone: Sequence[int]) -> None:
    """Whether the person may edit all of the records and delete those that go. Raises `NotFound`, `Forbidden`."""
    plan, access = plan_of(session, entity), Access(session)
    table, wanted = plan.table, (kept, *gone)
    rights = [access.predicate(entity, operation, table) for operation in ("edit", "delete")]
    flags = [sa.literal(1) if right is None else sa.case((right, 1), else_=0) for right in rights]
    readable = access.predicate(entity, "read", table)
    statement = sa.select(table.c.id, *flags).where(table.c.id.in_(wanted), table.c.deleted_at.is_(None))
    statement = statement if readable is None else statement.where(readable)
    if session.write and session.site.dialect != "sqlite":
        statement = statement.with_for_update(of=table)
    found = {row[0]: (row[1], row[2]) for row in session.connection.execute(statement.order_by(table.c.id))}
    if any(i not in found for i in wanted):
        raise NotFound()
    if not all(edit for edit, _ in found.values()) or not all(found[i][1] for i in gone):
        raise Forbidden("duplicate.may_not")


def merge(
    session: Session,
    entity: str,
    kept: int,
    gone: Sequence[int],
    chosen: Mapping[str, int] | None = None,
    lines: Mapping[str, bool] | None = None,
) -> Merged:
    """Merges `gone` into `kept`. `chosen` names the record whose value of a field is taken; without it a gap is filled
    by the first of `gone` that has a value. `lines` says of a lines field whether those of `gone` are taken over (yes).

    Raises `NotFound`, `Forbidden`, `Refused` for a choice that cannot be, and `Conflict` with the reason where
    something that belongs to `gone` cannot be moved; then nothing has changed.
    """
    gone = [i for i in dict.fromkeys(gone) if i != kept]
    plan = mergeable(session, entity)
    if not gone or len(gone) >= MOST:
        raise Refused("merge.two", most=MOST)
    may_merge(session, entity, kept, gone)
    rulebook.merging(session, plan, [kept, *gone])
    values = _values(session, plan, kept, gone, chosen)
    writing = as_person(session, f"merge:{entity}:{kept}"[:80])
    with session.connection.begin_nested():
        moves = [m for m in _moves(plan, kept, gone) if (lines or {}).get(m.lines or "", True)]
        moved = [item for m in moves for item in move(writing, m)]
        moved += [item for m in _file_moves(plan, kept, gone) for item in move(writing, m)]
        moved += [item for m in _field_file_moves(session, plan, kept, gone, values) for item in move(writing, m)]
        moved += [item for m in _pair_moves(plan, kept, gone) for item in pairs_moved(writing, m)]
        before = _said(writing, plan, kept, values)
        among, others = parted(plan, values)
        if among:  # first: a record that is linked to does not go
            records.update(writing, entity, kept, among)
        _recycle(writing, entity, gone)
        if others:  # afterwards: a unique value is free only then
            records.update(writing, entity, kept, others)
        after = _said(writing, plan, kept, values)
        _no_circle(writing, plan, kept)
        changed = {name: [before.get(name), after.get(name)] for name in values if before.get(name) != after.get(name)}
        merge_id = _note(session, plan, kept, gone, changed, moved)
        forget(session, entity, gone)
    return Merged(id=merge_id, kept=kept, moved=len(moved))


def mergeable(session: Session, entity: str) -> EntityPlan:
    """The plan of an entity whose records can be merged. Raises `NotFound`, `Conflict`."""
    described = session.app.entities.get(entity)
    if described is None or described.parent is not None or described.platform or described.retired:
        raise NotFound()
    if described.ledger is not None or described.balances_of is not None:
        raise Conflict("merge.ledger", entity=described.label.of(session.language))
    return plan_of(session, entity)


def parted(plan: EntityPlan, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Links to records of the same entity, and all the rest."""
    own = {name: value for name, value in values.items() if plan.fields[name].to == plan.name}
    return own, {name: value for name, value in values.items() if name not in own}


def _recycle(session: Session, entity: str, gone: Sequence[int]) -> None:
    """One after the other, whoever is linked to by another of them after that one."""
    left = list(gone)
    while left:
        waiting = []
        for record_id in left:
            try:
                records.delete(session, entity, record_id)
            except Conflict as answer:
                if answer.code != "in_use" or len(left) == 1:
                    raise
                waiting.append((record_id, answer))
        if len(waiting) == len(left):
            raise waiting[0][1]
        left = [record_id for record_id, _ in waiting]


# --- values ----------------------------------------------------------------------------------------------------------


def _values(
    session: Session, plan: EntityPlan, kept: int, gone: Sequence[int], chosen: Mapping[str, int] | None
) -> dict[str, Any]:
    """What the record that stays is given, as input."""
    loader = Loader(session)
    loader.want(plan.name, (kept, *gone))
    taken = {i: take(record) for i in (kept, *gone) if (record := loader.record(plan.name, i)) is not None}
    fields = {field.name: field for field in choosable(session, plan.name)}
    own, every = _to_itself(plan, taken[kept], gone), (kept, *gone)
    if chosen is None:
        found = {name: _first(name, taken, gone) for name in fields if taken[kept].get(name) in (None, [])}
        given = {n: _without(fields[n], v, plan.name, every) for n, v in found.items() if v not in (None, [])}
        return own | {name: value for name, value in given.items() if value not in (None, [])}
    problems = [RecordProblem(code="unknown_field", field=name[:60]) for name in chosen if name not in fields]
    problems += [
        RecordProblem(code="merge.choice", field=name, params={"field": fields[name].label.of(session.language)})
        for name, source in chosen.items()
        if name in fields and source not in taken
    ]
    if problems:
        raise Refused(problems=problems)
    wanted = {name: taken[source].get(name) for name, source in chosen.items() if source != kept}
    return own | {name: _without(fields[name], value, plan.name, every) for name, value in wanted.items()}


def _first(name: str, taken: Mapping[int, Mapping[str, Any]], gone: Sequence[int]) -> Any:
    return next((taken[i][name] for i in gone if taken[i].get(name) not in (None, [])), None)


def _without(field: Field, value: Any, entity: str, merged: Sequence[int]) -> Any:
    """The value without links to records that become one with it."""
    if field.to != entity:
        return value
    if isinstance(value, list):
        return [one for one in value if one not in merged]
    return None if value in merged else value


def _to_itself(plan: EntityPlan, kept: Mapping[str, Any], gone: Sequence[int]) -> dict[str, Any]:
    """Links of the record that stays to those that go: they would lead nowhere."""
    own = (field for field in plan.links if field.to == plan.name and field.writable and field.through is None)
    found = {field.name: (field, kept.get(field.name)) for field in own if kept.get(field.name) not in (None, [])}
    emptied = {name: _without(field, value, plan.name, gone) for name, (field, value) in found.items()}
    return {name: value for name, value in emptied.items() if value != found[name][1]}


def _said(session: Session, plan: EntityPlan, record_id: int, names: Mapping[str, Any]) -> dict[str, Any]:
    record = Loader(session).record(plan.name, record_id)
    found = take(record) if record is not None else {}
    return {name: found.get(name) for name in names}


# --- what belongs to them --------------------------------------------------------------------------------------------


def _moves(plan: EntityPlan, kept: int, gone: Sequence[int]) -> Iterator[Move]:
    """Every link that leads to a record that goes: of related records, of lines, and of fields that name any entity."""
    for child, back in plan.children:
        field = child.fields[back]
        yield Move(entity=child, field=field, target=plan.name, gone=tuple(gone), kept=kept, lines=child.parent_field)
    for other, field in plan.referring:
        if field.storage == "link" and field.stored and field.computed == "no":
            yield Move(entity=other, field=field, target=plan.name, gone=tuple(gone), kept=kept)
    for other in plan.app.entities.values():
        if not other.retired:
            for field in other.fields.values():
                if field.storage == "any_link" and not field.retired and field.computed == "no":
                    yield Move(entity=other, field=field, target=plan.name, gone=tuple(gone), kept=kept)


def _file_moves(plan: EntityPlan, kept: int, gone: Sequence[int]) -> Iterator[Move]:
    """The files that were added to the records themselves."""
    if plan.entity.files:
        file = plan.app.entities[FILE]
        only = (("parent_entity", plan.name), ("parent_field", None))
        field = file.fields["parent_record"]
        yield Move(entity=file, field=field, target=plan.name, gone=tuple(gone), kept=kept, only=only)


def _field_file_moves(
    session: Session, plan: EntityPlan, kept: int, gone: Sequence[int], values: Mapping[str, Any]
) -> Iterator[Move]:
    """The files and pictures that a field of the one that stays takes over from another: they become its own."""
    file, loader = plan.app.entities[FILE], Loader(session)
    loader.want(plan.name, gone)
    for name, value in values.items():
        if plan.fields[name].type not in _FILES or value in (None, []):
            continue
        source = next((i for i in gone if (r := loader.record(plan.name, i)) and take(r).get(name) == value), None)
        if source is not None:
            only = (("parent_entity", plan.name), ("parent_field", name))
            parent = file.fields["parent_record"]
            yield Move(entity=file, field=parent, target=plan.name, gone=(source,), kept=kept, only=only)


def _pair_moves(plan: EntityPlan, kept: int, gone: Sequence[int]) -> Iterator[Move]:
    for other, field in plan.referring:
        if field.storage == "links" and field.through is None:
            yield Move(entity=other, field=field, target=plan.name, gone=tuple(gone), kept=kept)


def _no_circle(session: Session, plan: EntityPlan, kept: int) -> None:
    """A hierarchy whose branches were joined still has a top."""
    tree = plan.entity.tree
    loader, seen = Loader(session), {kept}
    record: Any = loader.record(plan.name, kept)
    while tree is not None and record is not None:
        above = record.raw(tree)
        if above is None:
            return
        if above in seen:
            raise Conflict("merge.into_itself", field=plan.fields[tree].label.of(session.language))
        seen.add(above)
        record = loader.record(plan.name, above)


def _note(
    session: Session,
    plan: EntityPlan,
    kept: int,
    gone: Sequence[int],
    changed: Mapping[str, Any],
    moved: Sequence[Sequence[Any]],
) -> int:
    """Keeps what undoing takes, and tells the history of each record."""
    row = {
        "entity": plan.name,
        "kept": kept,
        "gone": list(gone),
        "values": dict(changed),
        "moved": [list(item) for item in moved],
        "merged_at": session.now,
        "merged_by": session.user.id,
    }
    done = session.connection.execute(sa.insert(merges).values(row))
    told = [audit.Entry(plan.name, kept, "merge", {NOTED: [None, list(gone)]})]
    told += [audit.Entry(plan.name, i, "merged", {NOTED: [None, kept]}) for i in gone]
    audit.write(session, told)
    primary = done.inserted_primary_key
    return int(primary[0]) if primary is not None else 0
