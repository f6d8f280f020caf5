"""Moving what belongs to one record to another, set by set: links, lines, members of collections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Entity, Field
from runtime.duplicates import keys
from runtime.errors import Conflict
from runtime.messages import say
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.reach import Change
from runtime.records.rollups import spread
from runtime.records.values import CHUNK
from runtime.schema.tables import column_name
from runtime.security import audit

if TYPE_CHECKING:
    from runtime.site import Session

MOST_MOVED = 20_000
Item = tuple[str, str, int, int, bool]  # entity, field, record, from whom; not where it had the one that stays already


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Links in `entity.field` that lead to one of `gone`, records of `target`, lead to `kept` afterwards.

    `lines` is the lines field of the target where these are its lines.
    """

    entity: Entity
    field: Field
    target: str
    gone: tuple[int, ...]
    kept: int
    lines: str | None = None
    only: tuple[tuple[str, str | None], ...] = ()  # further fields a row must have these values in


def move(session: Session, wanted: Move) -> list[Item]:
    """Moves them, living and recycled; what was moved. Raises `Conflict` where a unique twin or a ledger forbids it."""
    plan = plan_of(session, wanted.entity.name)
    rows = _rows(session, plan, wanted)
    if not rows:
        return []
    if plan.entity.ledger is not None or plan.entity.balances_of is not None:
        raise Conflict("merge.ledger", entity=plan.entity.label.of(session.language))
    if len(rows) > MOST_MOVED:
        raise Conflict("merge.too_much", most=MOST_MOVED)
    name = wanted.field.name
    before = {row["id"]: _target(row[name]) for row in rows}
    set_links(session, plan, wanted.field, rows, dict.fromkeys(before, wanted.kept), wanted.target)
    return [(plan.name, name, record_id, was, True) for record_id, was in before.items()]


def _target(value: Any) -> int:
    return int(value[1] if isinstance(value, tuple) else value)


def _rows(session: Session, plan: EntityPlan, wanted: Move) -> list[dict[str, Any]]:
    column = plan.table.c[column_name(wanted.field)]
    same: list[sa.ColumnElement[bool]] = [column.in_(wanted.gone)]
    if wanted.field.storage == "any_link":
        same.append(plan.table.c[f"{column_name(wanted.field)}__entity"] == wanted.target)
    for name, value in wanted.only:
        other = plan.table.c[column_name(plan.fields[name])]
        same.append(other.is_(None) if value is None else other == value)
    if plan.name == wanted.target:  # links among those that become one are left as they are: they go, or are chosen
        same.append(plan.table.c.id.not_in((wanted.kept, *wanted.gone)))
    statement = plan.select_rows.where(*same).order_by(plan.table.c.id).limit(MOST_MOVED + 1)
    if session.site.dialect != "sqlite":
        statement = statement.with_for_update(of=plan.table)
    return [plan.row(row) for row in session.connection.execute(statement)]


def set_links(
    session: Session,
    plan: EntityPlan,
    field: Field,
    rows: Sequence[dict[str, Any]],
    targets: dict[int, int],
    entity: str,
) -> None:
    """Lets the link of each row lead to its target: a change like any other, with version, audit and roll-ups."""
    name = field.name
    for target in sorted(set(targets.values())):
        ids = [row["id"] for row in rows if targets[row["id"]] == target]
        try:
            with session.connection.begin_nested():
                _write(session, plan, field, ids, target)
        except sa.exc.IntegrityError as error:
            title = str(next(r for r in rows if r["id"] in ids).get(plan.entity.title) or ids[0])
            label = plan.entity.label.of(session.language)
            why = "unique" if "nique" in str(error.orig) else "no_such_record"
            raise Conflict("merge.blocked", entity=label, title=title, why=say(why, session.language)) from error
    pair = field.storage == "any_link"
    after = {r["id"]: (entity, targets[r["id"]]) if pair else targets[r["id"]] for r in rows}
    living = [row for row in rows if row.get("deleted_at") is None]
    changes = [
        Change(plan.name, r["id"], frozenset({name}), before=r, after={**r, name: after[r["id"]]}, known=True)
        for r in living
    ]
    spread(session, changes, {})
    told = (audit.Entry(plan.name, r["id"], "update", {name: [r[name], after[r["id"]]]}) for r in rows)
    audit.write(session, told)
    altered = [(r["id"], {**r, name: after[r["id"]]}.get) for r in living]
    keys.keep(session, plan, altered, known=True)
    session.touch(plan.name)


def _write(session: Session, plan: EntityPlan, field: Field, ids: Sequence[int], target: int) -> None:
    table = plan.table
    values: dict[str, Any] = {column_name(field): target, "version": table.c.version + 1}
    values |= {"updated_at": session.now, "updated_by": session.user.id}
    for start in range(0, len(ids), CHUNK):
        part = table.c.id.in_(ids[start : start + CHUNK])
        session.connection.execute(sa.update(table).where(part).values(values))


def pairs_moved(session: Session, wanted: Move) -> list[Item]:
    """The same for many-to-many: who had one of `gone` in the collection has `kept` in it, once."""
    table = session.tables.join_table(wanted.entity.name, wanted.field.name)
    rows = session.connection.execute(
        sa.select(table.c.record_id, table.c.value).where(table.c.value.in_((*wanted.gone, wanted.kept)))
    ).all()
    has = {row.record_id for row in rows if row.value == wanted.kept}
    lost = [row for row in rows if row.value != wanted.kept]
    merged = (wanted.kept, *wanted.gone) if wanted.entity.name == wanted.target else ()
    lost = [row for row in lost if row.record_id not in merged]
    moved: list[Item] = []
    for row in lost:
        moved.append((wanted.entity.name, wanted.field.name, row.record_id, row.value, row.record_id not in has))
        same = sa.and_(table.c.record_id == row.record_id, table.c.value == row.value)
        if row.record_id in has:
            session.connection.execute(sa.delete(table).where(same))
        else:
            has.add(row.record_id)
            session.connection.execute(sa.update(table).where(same).values(value=wanted.kept))
    if lost:
        changed = [Change(wanted.entity.name, row.record_id, frozenset({wanted.field.name})) for row in lost]
        spread(session, changed, {})
        name = wanted.field.name
        told = (
            audit.Entry(wanted.entity.name, r.record_id, "update", {name: [[r.value], [wanted.kept]]}) for r in lost
        )
        audit.write(session, told)
        session.touch(wanted.entity.name)
    return moved


def pairs_back(session: Session, item: Item, kept: int) -> None:
    """Undoes `pairs_moved` for one record."""
    entity, field, record_id, was, replaced = item
    table = session.tables.join_table(entity, field)
    own = table.c.record_id == record_id
    if replaced:
        session.connection.execute(sa.delete(table).where(own, table.c.value == kept))
    if session.connection.scalar(sa.select(table.c.value).where(own, table.c.value == was)) is None:
        session.connection.execute(sa.insert(table).values(record_id=record_id, value=was))
    spread(session, [Change(entity, record_id, frozenset({field}))], {})
    audit.write(session, [audit.Entry(entity, record_id, "update", {field: [[kept], [was]]})])
    session.touch(entity)
