"""Records that are there twice already: searched by night or on request, listed for those who tidy up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.duplicate import Duplicate
from runtime.decisions.matching import matching
from runtime.duplicates.keys import rules_of, source_of
from runtime.errors import NotFound
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import Payload, job, schedule
from runtime.records.plan import plan_of
from runtime.records.values import CHUNK
from runtime.schema.internal_duplicates import duplicate_group, duplicate_key

if TYPE_CHECKING:
    from runtime.site import Session

MOST_GROUPS = 2000  # of a rule: whoever has worked through these searches again
MOST_RECORDS = 50  # of a group
JOB = "find_duplicates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    id: int
    entity: str
    records: tuple[int, ...]
    found_at: datetime


def ask(session: Session, entity: str) -> None:
    """Has the records of an entity searched anew, unless that is waiting already."""
    enqueue(session, JOB, {"entity": entity}, unique_key=f"{JOB}:{entity}")


@job(JOB)
def find_groups(session: Session, payload: Payload) -> dict[str, int]:
    """Searches one entity, or all that have rules; how many groups were found by rule."""
    wanted = payload.get("entity")
    rules: Iterable[Duplicate] = session.app.of("duplicate").values()
    return {rule.name: _search(session, rule) for rule in rules if wanted in (None, rule.entity)}


schedule("find_duplicates", "50 1 * * *", JOB, {})


def _search(session: Session, rule: Duplicate) -> int:
    """Replaces the groups of a rule; those somebody has put aside stay so as long as nobody joins them."""
    t = duplicate_group
    session.connection.execute(sa.delete(t).where(t.c.rule == rule.name, t.c.aside_by.is_(None)))
    aside = set(session.connection.scalars(sa.select(t.c.members).where(t.c.rule == rule.name)))
    found = 0
    for ids in _joined(_living(session, rule, _alike(session, rule))):
        members = ",".join(map(str, ids))
        if members in aside:
            continue
        row = {"rule": rule.name, "entity": rule.entity, "records": list(ids), "members": members}
        session.connection.execute(sa.insert(t).values(**row, found_at=session.now))
        found += 1
        if found >= MOST_GROUPS:
            break
    return found


def _alike(session: Session, rule: Duplicate) -> Iterator[list[int]]:
    """The records that share a key, by two statements: which keys are shared, and by whom."""
    k = duplicate_key
    sources = {source_of(keys).name for m in rule.matches if (keys := rule.own.fields_of(m)) is not None}
    same = (k.c.entity == rule.entity, k.c.source.in_(sources))
    shared = sa.select(k.c.key, k.c.source).where(*same).group_by(k.c.key, k.c.source)
    shared = shared.having(sa.func.count() > 1).order_by(k.c.key).limit(MOST_GROUPS * 2)
    found = session.connection.execute(shared).all()
    for start in range(0, len(found), CHUNK):
        part = found[start : start + CHUNK]
        wanted = sa.select(k.c.key, k.c.source, k.c.record_id).where(*same, k.c.key.in_([row[0] for row in part]))
        by_key: dict[tuple[str, str], list[int]] = {}
        for key, source, record_id in session.connection.execute(wanted):
            by_key.setdefault((key, source), []).append(record_id)
        yield from (by_key[key, source][:MOST_RECORDS] for key, source in part if (key, source) in by_key)


def _living(session: Session, rule: Duplicate, groups: Iterable[Sequence[int]]) -> Iterator[list[int]]:
    """The groups without records that do not count."""
    several = [list(group) for group in groups]
    every = sorted({i for group in several for i in group})
    where = [rule.own.where] if rule.own.where is not None else []
    table = plan_of(session, rule.entity).table
    alive: set[int] = set()
    for start in range(0, len(every), CHUNK):
        alive.update(matching(session, rule.entity, where, table.c.id.in_(every[start : start + CHUNK])))
    for group in several:
        left = [i for i in group if i in alive]
        if len(left) > 1:
            yield left


def _joined(groups: Iterable[Sequence[int]]) -> list[tuple[int, ...]]:
    """Groups with a record in common are one; in the order of their first record."""
    above: dict[int, int] = {}

    def top(i: int) -> int:
        while above.setdefault(i, i) != i:
            above[i] = above[above[i]]
            i = above[i]
        return i

    for group in groups:
        first = top(group[0])
        for other in group[1:]:
            above[top(other)] = first
    found: dict[int, list[int]] = {}
    for i in above:
        found.setdefault(top(i), []).append(i)
    return sorted(tuple(sorted(group)) for group in found.values())


def groups_of(session: Session, entity: str, *, after: int = 0, limit: int = 20) -> list[Group]:
    """The open groups of an entity in the order they were found in, beyond the id `after`."""
    t = duplicate_group
    same = (t.c.entity == entity, t.c.aside_by.is_(None), t.c.id > after)
    rows = session.connection.execute(sa.select(t).where(*same).order_by(t.c.id).limit(limit))
    return [Group(id=r.id, entity=r.entity, records=tuple(r.records), found_at=r.found_at) for r in rows]


def count(session: Session, entity: str) -> int:
    t = duplicate_group
    same = (t.c.entity == entity, t.c.aside_by.is_(None))
    return int(session.connection.scalar(sa.select(sa.func.count()).select_from(t).where(*same)) or 0)


def put_aside(session: Session, entity: str, group_id: int) -> None:
    """These are no duplicates: they are not listed again. Raises `NotFound`."""
    same = (duplicate_group.c.id == group_id, duplicate_group.c.entity == entity)
    change = sa.update(duplicate_group).where(*same).values(aside_by=session.user.id)
    if not session.connection.execute(change).rowcount:
        raise NotFound()


def forget(session: Session, entity: str, ids: Sequence[int]) -> None:
    """Groups that have been merged away are no longer listed."""
    gone = set(ids)
    rows: list[Any] = list(
        session.connection.execute(
            sa.select(duplicate_group.c.id, duplicate_group.c.records).where(
                duplicate_group.c.entity == entity, duplicate_group.c.aside_by.is_(None)
            )
        )
    )
    for row in rows:
        left = [i for i in row.records if i not in gone]
        if len(left) == len(row.records):
            continue
        same = duplicate_group.c.id == row.id
        if len(left) < 2:
            session.connection.execute(sa.delete(duplicate_group).where(same))
        else:
            values = {"records": left, "members": ",".join(map(str, left))}
            session.connection.execute(sa.update(duplicate_group).where(same).values(values))


def searched(session: Session, entity: str) -> bool:
    """Whether there are rules to search the entity by."""
    return bool(rules_of(session.app, entity))
