"""The recycle bin: recycling takes lines along, restoring brings back exactly those, purging is for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Entity, Field
from runtime.errors import Conflict, Forbidden, NotFound, Stale
from runtime.query import search
from runtime.records import rulebook
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reach import Change
from runtime.records.rollups import spread
from runtime.records.save import PROTECTED
from runtime.records.values import CHUNK
from runtime.schema.internal_records import deleted
from runtime.schema.tables import column_name
from runtime.security import audit
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

Row = dict[str, Any]


def delete(session: Session, entity: str, record_id: int, *, version: int | None = None) -> None:
    """Puts a record with its lines into the recycle bin.

    Raises `NotFound`, `Forbidden`, `Stale`, and `Conflict("in_use")` where a living record refers to it by a link
    that refuses.
    """
    plan, access = _ready(session, entity)
    row = _visible(session, plan, access, record_id, "delete", living=True)
    if version is not None and version != row["version"]:
        raise Stale(current_version=row["version"])
    gone: dict[str, dict[int, Row]] = {}
    cleared: list[tuple[Entity, Field, int]] = []
    _collect(session, plan, [row], gone, cleared)
    for owner, field, target in cleared:
        _clear(session, owner, field, target)
    _recycle(session, plan, record_id, gone)
    changes = [Change(e, i, frozenset(), before=r, known=True) for e, rows in gone.items() for i, r in rows.items()]
    spread(session, changes, {})
    if plan.back is not None:
        _raise_owner(session, plan, row)
    roots = [(e, i) for e, rows in gone.items() for i in rows if session.app.entities[e].parent is None]
    if (entity, record_id) not in roots:
        roots.append((entity, record_id))
    audit.write(session, (audit.Entry(e, i, "delete", {}) for e, i in roots))
    for name, rows in gone.items():
        rulebook.removed(session, plan_of(session, name), sorted(rows))


def _ready(session: Session, entity: str) -> tuple[EntityPlan, Access]:
    if not session.write:
        raise RuntimeError("this session was opened for reading")
    if entity not in session.app.entities or session.app.entities[entity].retired:
        raise NotFound()
    access = Access(session)
    if not access.can(entity, "read"):
        raise NotFound()
    if entity in PROTECTED:
        raise Forbidden()
    described = session.app.entities[entity]
    if access.superuser and (described.ledger is not None or described.balances_of is not None):
        raise Conflict("ledger_closed")  # nobody else has the right at all
    return plan_of(session, entity), access


def _visible(
    session: Session, plan: EntityPlan, access: Access, record_id: int, operation: str, *, living: bool
) -> Row:
    """The record, which the user may see and do `operation` on; locked elsewhere than on SQLite."""
    table = plan.table
    if not isinstance(record_id, int) or not 0 < record_id < 2**63:
        raise NotFound()
    allowed = access.predicate(plan.name, operation, table)
    flag = sa.literal(1) if allowed is None else sa.case((allowed, 1), else_=0)
    state = table.c.deleted_at.is_(None) if living else table.c.deleted_at.is_not(None)
    statement = sa.select(*table.c, flag).where(table.c.id == record_id, state)
    readable = access.predicate(plan.name, "read", table)
    statement = statement if readable is None else statement.where(readable)
    if session.site.dialect != "sqlite":
        statement = statement.with_for_update(of=table)  # also against those who just now link to it
    found = session.connection.execute(statement).first()
    if found is None:
        raise NotFound()
    if not found[-1]:
        raise Forbidden()
    return plan.row(found[:-1])


def _collect(
    session: Session,
    plan: EntityPlan,
    rows: list[Row],
    gone: dict[str, dict[int, Row]],
    cleared: list[tuple[Entity, Field, int]],
) -> None:
    """What goes along: lines, and records whose link says `cascade`; refuses where a link says `refuse`."""
    known = gone.setdefault(plan.name, {})
    rows = [row for row in rows if row["id"] not in known]
    known.update((row["id"], row) for row in rows)
    ids = [row["id"] for row in rows]
    if not ids:
        return
    for child, back in plan.children:
        members = plan_of(session, child.name)
        found = _rows_where(session, members, members.table.c[column_name(members.fields[back])], ids)
        _collect(session, members, found, gone, cleared)
    for other, field in plan.referring:
        _referring(session, other, field, ids, gone, cleared)


def _referring(
    session: Session,
    other: Entity,
    field: Field,
    ids: list[int],
    gone: dict[str, dict[int, Row]],
    cleared: list[tuple[Entity, Field, int]],
) -> None:
    if field.storage == "links":
        return  # the pair is no claim on the record: it is hidden with it and comes back with it
    members = plan_of(session, other.name)
    column = members.table.c[column_name(field)]
    if field.on_delete == "refuse":
        still = sa.select(sa.func.count()).select_from(members.table)
        taken = list(gone.get(other.name, {}))
        count = session.connection.scalar(
            still.where(column.in_(ids), members.table.c.deleted_at.is_(None), members.table.c.id.not_in(taken))
        )
        if count:
            raise Conflict("in_use", count=count, entity=other.label.of(session.language))
    elif field.on_delete == "clear":
        cleared.extend((other, field, i) for i in ids)
    else:
        _collect(session, members, _rows_where(session, members, column, ids), gone, cleared)


def _rows_where(session: Session, plan: EntityPlan, column: Any, ids: list[int]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(ids), CHUNK):
        statement = plan.select_rows.where(column.in_(ids[start : start + CHUNK]), plan.table.c.deleted_at.is_(None))
        found.extend(plan.row(row) for row in session.connection.execute(statement.order_by(plan.table.c.id)))
    return found


def _clear(session: Session, owner: Entity, field: Field, target: int) -> None:
    """Empties a link to a record that goes; a change like any other, with version and audit."""
    plan = plan_of(session, owner.name)
    column = plan.table.c[column_name(field)]
    rows = _rows_where(session, plan, column, [target])
    if not rows:
        return
    ids = [row["id"] for row in rows]
    emptied = {column.name: None, "version": plan.table.c.version + 1}
    statement = sa.update(plan.table).where(plan.table.c.id.in_(ids))
    session.connection.execute(statement.values(**emptied, updated_at=session.now, updated_by=session.user.id))
    spread(
        session,
        [
            Change(plan.name, r["id"], frozenset({field.name}), before=r, after={**r, field.name: None}, known=True)
            for r in rows
        ],
        {},
    )
    audit.write(session, (audit.Entry(plan.name, i, "update", {field.name: [target, None]}) for i in ids))
    session.touch(plan.name)


def _recycle(session: Session, plan: EntityPlan, root_id: int, gone: dict[str, dict[int, Row]]) -> None:
    items: list[dict[str, Any]] = []
    for entity, rows in gone.items():
        members = plan_of(session, entity)
        ids = sorted(rows)
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            statement = sa.update(members.table).where(members.table.c.id.in_(part))
            session.connection.execute(statement.values(deleted_at=session.now, deleted_by=session.user.id))
        items += [{"entity": entity, "record_id": i, "root_entity": plan.name, "root_id": root_id} for i in ids]
        session.touch(entity)
    _forget(session, [(i["entity"], i["record_id"]) for i in items])
    session.connection.execute(sa.insert(deleted), items)


def _forget(session: Session, records: Iterable[tuple[str, int]]) -> None:
    by_entity: dict[str, list[int]] = {}
    for entity, record_id in records:
        by_entity.setdefault(entity, []).append(record_id)
    for entity, ids in by_entity.items():
        for start in range(0, len(ids), CHUNK):
            same = (deleted.c.entity == entity, deleted.c.record_id.in_(ids[start : start + CHUNK]))
            session.connection.execute(sa.delete(deleted).where(*same))


def _raise_owner(session: Session, plan: EntityPlan, row: Row) -> None:
    from runtime.records.store import raise_versions

    if plan.entity.parent is not None and row.get(plan.back or "") is not None:
        raise_versions(session, plan_of(session, plan.entity.parent[0]), [row[plan.back or ""]])


# --- back again, and gone ------------------------------------------------------------------------------------------


def restore(session: Session, entity: str, record_id: int) -> None:
    """Brings a record back from the recycle bin with exactly what went along with it.

    Raises `Conflict("restore_twin")` where a living record has taken a unique value meanwhile, and
    `Conflict("conflict")` where the record it belongs to is itself in the bin.
    """
    plan, access = _ready(session, entity)
    row = _visible(session, plan, access, record_id, "delete", living=False)
    _owner_lives(session, plan, row)
    back = _taken_along(session, plan, row)
    for name, rows in back.items():
        _refuse_twins(session, plan_of(session, name), rows)
    for name, rows in back.items():
        members = plan_of(session, name)
        for start in range(0, len(rows), CHUNK):
            ids = [r["id"] for r in rows[start : start + CHUNK]]
            statement = sa.update(members.table).where(members.table.c.id.in_(ids))
            session.connection.execute(statement.values(deleted_at=None, deleted_by=None))
        session.touch(name)
    _forget(session, [(name, r["id"]) for name, rows in back.items() for r in rows])
    changes = [Change(n, r["id"], frozenset(), after=r, known=True) for n, rows in back.items() for r in rows]
    spread(session, changes, {})
    roots = {(n, r["id"]) for n, rows in back.items() for r in rows if session.app.entities[n].parent is None}
    audit.write(session, (audit.Entry(n, i, "restore", {}) for n, i in sorted(roots | {(entity, record_id)})))
    for name, rows in back.items():
        rulebook.restored(session, plan_of(session, name), [r["id"] for r in rows])


def _owner_lives(session: Session, plan: EntityPlan, row: Row) -> None:
    if plan.entity.parent is None or plan.back is None:
        return
    parent = plan_of(session, plan.entity.parent[0])
    alive = sa.select(parent.table.c.id).where(parent.table.c.id == row[plan.back], parent.table.c.deleted_at.is_(None))
    if session.connection.execute(alive).first() is None:
        raise Conflict()


def _taken_along(session: Session, plan: EntityPlan, row: Row) -> dict[str, list[Row]]:
    along = sa.select(deleted.c.entity, deleted.c.record_id).where(
        deleted.c.root_entity == plan.name, deleted.c.root_id == row["id"]
    )
    ids: dict[str, list[int]] = {}
    for name, i in session.connection.execute(along.order_by(deleted.c.entity, deleted.c.record_id)):
        ids.setdefault(name, []).append(i)
    found: dict[str, list[Row]] = {plan.name: [row]}
    for name, members in ids.items():
        target = plan_of(session, name)
        wanted = [i for i in members if (name, i) != (plan.name, row["id"])]
        for start in range(0, len(wanted), CHUNK):
            statement = target.select_rows.where(target.table.c.id.in_(wanted[start : start + CHUNK]))
            rows = session.connection.execute(statement.where(target.table.c.deleted_at.is_not(None)))
            found.setdefault(name, []).extend(target.row(r) for r in rows)
    return found


def _refuse_twins(session: Session, plan: EntityPlan, rows: list[Row]) -> None:
    for unique in plan.uniques:
        columns = [plan.table.c[column_name(plan.fields[name])] for name in unique.fields]
        for row in rows:
            values = [row.get(name) for name in unique.fields]
            if any(value is None for value in values):
                continue
            same = [column == value for column, value in zip(columns, values)]
            twin = sa.select(plan.table.c.id).where(*same, plan.table.c.deleted_at.is_(None))
            if session.connection.execute(twin).first() is not None:
                raise Conflict("restore_twin", field=plan.fields[unique.fields[0]].label.of(session.language))


def purge(session: Session, entity: str, record_id: int) -> None:
    """Removes a recycled record and its lines for ever; what is left is its audit. For administrators."""
    plan, access = _ready(session, entity)
    if not access.admin:
        raise Forbidden()
    row = _visible(session, plan, access, record_id, "delete", living=False)
    back = _taken_along(session, plan, row)
    for name, rows in back.items():
        ids = [r["id"] for r in rows]
        for other, field in plan_of(session, name).referring:
            if field.storage == "link" and field.on_delete == "refuse":
                _refuse_reference(session, other, field, ids, back)
    for name in sorted(back, key=lambda n: session.app.entities[n].parent is None):
        members = plan_of(session, name)
        ids = [r["id"] for r in back[name]]
        search.remove(session, members, ids)
        for start in range(0, len(ids), CHUNK):
            session.connection.execute(
                sa.delete(members.table).where(members.table.c.id.in_(ids[start : start + CHUNK]))
            )
    _forget(session, [(name, r["id"]) for name, rows in back.items() for r in rows])
    audit.write(session, [audit.Entry(entity, record_id, "purge", {})])


def _refuse_reference(
    session: Session, other: Entity, field: Field, ids: list[int], back: dict[str, list[Row]]
) -> None:
    members = plan_of(session, other.name)
    going = [r["id"] for r in back.get(other.name, [])]
    column = members.table.c[column_name(field)]
    count = session.connection.scalar(
        sa.select(sa.func.count()).select_from(members.table).where(column.in_(ids), members.table.c.id.not_in(going))
    )
    if count:
        raise Conflict("in_use", count=count, entity=other.label.of(session.language))
