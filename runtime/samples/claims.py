"""What must stay of sample data: what people changed, what their own records refer to, and what those need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from runtime import samples
from runtime.records.plan import plan_of
from runtime.records.save import PROTECTED
from runtime.records.values import CHUNK
from runtime.schema.internal_samples import sample
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from metadata.model import Entity, Field
    from runtime.site import Session

Root = tuple[str, int]
# notes of the platform about a person or a record: no work of people that would be lost with it
NOTES = PROTECTED | {"notification", "message", "saved_view", "notice_preference", "import_job", "mass_change", "job"}
CHANGED, USED, NEEDED, LEDGER, REFUSED = "changed", "used", "needed", "ledger", "refused"


def known(session: Session) -> dict[Root, str]:
    """The records that sample data made and that still live: the request of their making, the first made first."""
    found: dict[Root, str] = {}
    rows = session.connection.execute(sa.select(sample).order_by(sample.c.position)).all()
    by_entity: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.entity in session.app.entities and not session.app.entities[row.entity].retired:
            by_entity[row.entity].append(row.record_id)
    living = {(entity, i) for entity, ids in by_entity.items() for i in _living(session, entity, ids)}
    for row in rows:
        if (row.entity, row.record_id) in living:
            found[row.entity, row.record_id] = row.request
    return found


def _living(session: Session, entity: str, ids: list[int]) -> Iterator[int]:
    table = session.table(entity)
    for part in _parts(ids):
        wanted = sa.select(table.c.id).where(table.c.id.in_(part), table.c.deleted_at.is_(None))
        yield from session.connection.scalars(wanted)


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def claims(session: Session) -> dict[Root, tuple[str, Root | None]]:
    """Which sample records stay: the reason, and the record that is the reason. Work of rules on them joins them."""
    mine = known(session)
    references = _references(session, mine)
    while True:
        strangers = {root for roots in references.values() for root in roots if root not in mine}
        made = [root for root in sorted(strangers) if _made_by_rules(session, root)]
        if not made:
            break
        samples.note(session, made, "rules")
        mine.update(dict.fromkeys(made, "rules"))
        references = _references(session, mine)
    kept: dict[Root, tuple[str, Root | None]] = {}
    for root in mine:
        if session.app.entities[root[0]].ledger is not None or session.app.entities[root[0]].balances_of is not None:
            kept[root] = (LEDGER, None)
    for root in _changed(session, mine):
        kept.setdefault(root, (CHANGED, None))
    for target, roots in references.items():
        own = next((root for root in sorted(roots) if root not in mine), None)
        if own is not None:
            kept.setdefault(target, (USED, own))
    needs: dict[Root, set[Root]] = defaultdict(set)
    for target, roots in references.items():
        for root in roots:
            needs[root].add(target)
    waiting = list(kept)
    while waiting:
        root = waiting.pop()
        for target in sorted(needs[root]):
            if target not in kept:
                kept[target] = (NEEDED, root)
                waiting.append(target)
    return kept


def _references(session: Session, mine: dict[Root, str]) -> dict[Root, set[Root]]:
    """By sample record the living records, lines counted as the record they belong to, that refer to it."""
    by_entity: dict[str, list[int]] = defaultdict(list)
    for entity, i in mine:
        by_entity[entity].append(i)
    found: dict[Root, set[Root]] = defaultdict(set)
    for entity, ids in by_entity.items():
        for other, field in plan_of(session, entity).referring:
            if other.name not in NOTES and field.through is None:
                for target, root in _referring(session, other, field, ids):
                    if root != (entity, target):
                        found[entity, target].add(root)
    for other in session.app.entities.values():
        if other.retired or other.name in NOTES:
            continue
        for field in plan_of(session, other.name).any_links:
            for entity, ids in by_entity.items():
                for target, root in _referring(session, other, field, ids, of=entity):
                    found[entity, target].add(root)
    return found


def _referring(
    session: Session, other: Entity, field: Field, ids: list[int], of: str | None = None
) -> Iterator[tuple[int, Root]]:
    table = session.table(other.name)
    pairs: list[tuple[int, int]] = []
    for part in _parts(ids):
        if field.storage == "links":
            join = session.tables.join_table(other.name, field.name)
            wanted = sa.select(join.c.value, table.c.id).join(table, table.c.id == join.c.record_id)
            wanted = wanted.where(join.c.value.in_(part))
        else:
            column = table.c[column_name(field)]
            wanted = sa.select(column, table.c.id).where(column.in_(part))
            if of is not None:
                wanted = wanted.where(table.c[f"{column.name}__entity"] == of)
        pairs += [(t, i) for t, i in session.connection.execute(wanted.where(table.c.deleted_at.is_(None)))]
    roots = _roots(session, other, [i for _, i in pairs])
    yield from ((target, roots[i]) for target, i in pairs if i in roots)


def _roots(session: Session, entity: Entity, ids: list[int]) -> dict[int, Root]:
    """The record that each line belongs to; a record that is no line is its own."""
    if entity.parent is None:
        return {i: (entity.name, i) for i in ids}
    table, plan = session.table(entity.name), plan_of(session, entity.name)
    if plan.back is None:
        return {}
    back = table.c[column_name(plan.fields[plan.back])]
    above: dict[int, int] = {}
    for part in _parts(sorted(set(ids))):
        rows = session.connection.execute(sa.select(table.c.id, back).where(table.c.id.in_(part), back.is_not(None)))
        above.update((i, parent) for i, parent in rows)
    roots = _roots(session, session.app.entities[entity.parent[0]], list(above.values()))
    return {i: roots[parent] for i, parent in above.items() if parent in roots}


def _made_by_rules(session: Session, root: Root) -> bool:
    """Whether a rule of the system made the record and nobody touched it: it came of the sample data and goes along."""
    audit = session.table("audit")
    same = (audit.c.entity == root[0], audit.c.record == root[1])
    rows = session.connection.execute(sa.select(audit.c.action, audit.c.person, audit.c.cause).where(*same)).all()
    made = any(row.action == "create" and row.person is None and row.cause is not None for row in rows)
    return made and all(row.person is None for row in rows)


def _changed(session: Session, mine: dict[Root, str]) -> Iterator[Root]:
    """Sample records that people changed, or gave files, after they were made."""
    audit, file = session.table("audit"), session.table("file")
    requests = set(mine.values())
    by_entity: dict[str, list[int]] = defaultdict(list)
    for entity, i in mine:
        by_entity[entity].append(i)
    for entity, ids in by_entity.items():
        for part in _parts(ids):
            touched = sa.select(audit.c.record, audit.c.request).where(
                audit.c.entity == entity, audit.c.record.in_(part), audit.c.person.is_not(None)
            )
            yield from ((entity, i) for i, asked in session.connection.execute(touched) if asked not in requests)
            given = sa.select(file.c.parent_record).where(
                file.c.parent_entity == entity, file.c.parent_record.in_(part), file.c.deleted_at.is_(None)
            )
            yield from ((entity, i) for i in session.connection.scalars(given))
