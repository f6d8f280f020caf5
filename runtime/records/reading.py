"""Reading one record with its lines, as one user may see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metadata.model import Field, Sort
from runtime.errors import NotFound
from runtime.query.select import LONGEST_PAGE, Query, Row, run
from runtime.records.plan import EntityPlan, plan_of
from runtime.schema.tables import is_column, is_joined
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(slots=True)
class Record:
    """`values` by field name, hidden fields absent; a lines field holds a tuple of Records.

    `titles` by link field: None where the linked record is not for this user to see; per id in a tuple for `links`.
    """

    id: int
    version: int
    values: dict[str, Any]
    titles: dict[str, Any] = field(default_factory=dict)


def read(
    session: Session, entity: str, record_id: int, fields: Sequence[str] | None = None, *, deleted: bool = False
) -> Record:
    """The record; `fields` restricts what is read (None: all, lines included). Raises `NotFound`."""
    found = read_many(session, entity, [record_id], fields, deleted=deleted)
    if not found:
        raise NotFound()
    return found[0]


def read_many(
    session: Session,
    entity: str,
    ids: Sequence[int],
    fields: Sequence[str] | None = None,
    *,
    deleted: bool = False,
) -> list[Record]:
    """The visible ones of the records, by id."""
    if entity not in session.app.entities:
        raise NotFound()
    access = Access(session)
    plan = plan_of(session, entity)
    wanted = [i for i in ids if isinstance(i, int) and 0 < i < 2**63]
    single, lines = _all(session, plan, access) if fields is None else _split(plan, access, fields)
    query = Query(
        entity=entity,
        select=tuple(single),
        ids=tuple(wanted),
        limit=max(1, min(len(wanted), LONGEST_PAGE)),
        deleted=deleted,
    )
    records = [_record(row) for row in run(session, query).rows] if wanted else []
    for member in lines:
        _add_lines(session, access, plan, member, records)
    return records


def _all(session: Session, plan: EntityPlan, access: Access) -> tuple[tuple[str, ...], list[Field]]:
    """Everything these rights let see, found out once per version."""
    memo = session.tables.memo
    key = ("all fields", plan.name, access.shape)
    if key not in memo:
        single, lines = _split(plan, access, None)
        memo[key] = (tuple(single), lines)
    found: tuple[tuple[str, ...], list[Field]] = memo[key]
    return found


def _split(plan: EntityPlan, access: Access, fields: Sequence[str] | None) -> tuple[list[str], list[Field]]:
    """What one statement reads, and the lines."""
    hidden = access.hidden(plan.name)
    names: Iterable[str] = plan.fields if fields is None else fields
    single: list[str] = []
    lines: list[Field] = []
    for name in names:
        member = plan.fields.get(name)
        if fields is None and (member is None or name in hidden or member.type in ("related", "secret")):
            continue
        if member is not None and member.storage == "children" and name not in hidden:
            lines.append(member)
        elif fields is not None or member is None or is_column(member) or is_joined(member) or _shown(member):
            single.append(name)
    return single, lines


def _shown(member: Field) -> bool:
    return member.computed == "live" or member.type == "lookup" or member.through is not None


def _record(row: Row) -> Record:
    return Record(row.id, row.version, row.values, row.titles)


def _add_lines(session: Session, access: Access, plan: EntityPlan, member: Field, records: list[Record]) -> None:
    line = plan_of(session, member.entity or "")
    single, _ = _all(session, line, access)
    back = member.by or line.back or ""
    select = tuple(dict.fromkeys((back, *single)))
    if back in access.hidden(line.name):
        return
    by_owner: dict[int, list[Record]] = {}
    for found in _lines(session, line, back, [r.id for r in records], select):
        by_owner.setdefault(found.values[back], []).append(found)
    for record in records:
        record.values[member.name] = tuple(by_owner.get(record.id, ()))


def _lines(
    session: Session, line: EntityPlan, back: str, owners: Sequence[int], select: tuple[str, ...]
) -> Iterable[Record]:
    import sqlalchemy as sa

    from runtime.schema.tables import column_name

    if not owners:
        return []
    column = line.table.c[column_name(line.fields[back])]
    living = sa.select(line.table.c.id).where(column.in_(list(owners)), line.table.c.deleted_at.is_(None))
    ids = tuple(session.connection.scalars(living))
    if not ids:
        return []
    sort = (Sort(path=("position",)),) if "position" in line.fields else ()
    query = Query(entity=line.name, select=select, ids=ids[:LONGEST_PAGE], sort=sort, limit=LONGEST_PAGE)
    return [_record(row) for row in run(session, query).rows]
