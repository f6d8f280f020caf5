"""Values that existing records lack after a publish: stored formulas, sort keys, base amounts.

Small tables are filled inside the publishing transaction; for large ones a visible job does it in batches and goes on
where it was when its worker dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.fields import field_type
from metadata.model import Application, Entity, Field
from runtime.jobs.context import JobContext
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import Payload, job, long_job, schedule
from runtime.schema.plan import Plan
from runtime.schema.tables import RATE_COLUMN, column_name, has_rate, is_column

if TYPE_CHECKING:
    from runtime.site import Session

_log = logging.getLogger("octavo.publishing")
AT_ONCE = 2000  # records that are filled while publishing
BATCH = 2000
Need = tuple[str, str, str]  # entity, field, what: formula, sort, base


def after_publish(session: Session, plan: Plan, old: Application | None) -> None:
    """Fills what existing records lack, or enqueues the jobs that do; part of the publishing transaction."""
    if old is None:
        return
    _index_anew(session)
    _compare_anew(session)
    for entity, field, what in needs(plan, old, session.app):
        if "job" in session.app.entities and is_large(session, entity):
            enqueue(session, "backfill", {"entity": entity, "field": field, "what": what})
            continue
        last: int | None = 0
        while last is not None:
            last = fill(session, entity, field, what, last)


def _index_anew(session: Session) -> None:
    """Search finds at once what `search:` names now: an index missing or of other fields is built, or its job is."""
    from runtime.query import search  # late: folding tables take memory
    from runtime.records.plan import plan_of

    for name, entity in session.app.entities.items():
        if entity.retired or not entity.search:
            continue
        plan = plan_of(session, name)
        if not plan.search_fields or search.ready(session, plan):
            continue
        if "job" in session.app.entities and is_large(session, name):
            enqueue(session, "search_index", {"entity": name}, unique_key=f"search_index:{name}")
        else:
            search.prepare(session, name)


def _compare_anew(session: Session) -> None:
    """Duplicates are found by the keys of the rules there are now; those of a large entity are made by a job."""
    from runtime.duplicates import keys  # late: as above

    for name, entity in session.app.entities.items():
        if entity.retired or not keys.sources_of(session, name) or keys.ready(session, name):
            continue
        if "job" in session.app.entities and is_large(session, name):
            keys.clear(session, name)
            enqueue(session, "duplicate_keys", {"entity": name}, unique_key=f"duplicate_keys:{name}")
        else:
            keys.prepare(session, name)


def needs(plan: Plan, old: Application, new: Application) -> Iterator[Need]:
    """What has to be filled, formulas in the order in which they depend on each other."""
    renamed = {r.new: r.old for r in plan.renamed}
    retyped = {(r.entity, r.new.name) for r in plan.retyped}
    for entity in new.entities.values():
        before = old.entities.get(renamed.get(entity.name, entity.name))
        if before is None or entity.retired:
            continue
        for member in entity.fields.values():
            earlier = before.fields.get(renamed.get(f"{entity.name}.{member.name}", member.name).rsplit(".", 1)[-1])
            if not is_column(member) or member.system:
                continue
            changed = earlier is None or (entity.name, member.name) in retyped
            if member.sort_key and member.storage == "text" and (changed or not (earlier and earlier.sort_key)):
                yield entity.name, member.name, "sort"
            if member.type == "money" and (changed or (earlier and earlier.type != "money")):
                yield entity.name, member.name, "base"
    yield from _formulas(plan, old, new, renamed, retyped)


def _formulas(
    plan: Plan, old: Application, new: Application, renamed: dict[str, str], retyped: set[tuple[str, str]]
) -> Iterator[Need]:
    """Stored formulas that are new, say something else, or read what has just been filled or converted."""
    stale = retyped | set(plan.fresh)
    for dependency in new.dependencies:
        key = (dependency.entity, dependency.field)
        entity = new.entities[dependency.entity]
        before = old.entities.get(renamed.get(entity.name, entity.name))
        member = entity.fields[dependency.field]
        if before is None or not is_column(member) or member.formula is None:
            continue
        earlier = before.fields.get(renamed.get(f"{entity.name}.{member.name}", member.name).rsplit(".", 1)[-1])
        same = earlier is not None and earlier.formula is not None and earlier.formula.text == member.formula.text
        if not same or key in stale or any(read in stale for read in dependency.reads):
            stale.add(key)
            yield entity.name, member.name, "formula"


def fill(session: Session, entity: str, field: str, what: str, after: int) -> int | None:
    """Fills one batch of records with ids above `after`; the last id, or None where there are no more."""
    declared = session.app.entities[entity]
    if what == "formula" and field_type(declared.fields[field].type).kept:
        return _refresh_range(session, entity, declared.fields[field], after)[0]
    table = session.table(entity)
    query = sa.select(table.c.id).where(table.c.id > after).order_by(table.c.id).limit(BATCH)
    ids = list(session.connection.scalars(query))
    if not ids:
        return None
    _FILLERS[what](session, declared, declared.fields[field], ids)
    return ids[-1]


def _fill_formula(session: Session, entity: Entity, field: Field, ids: list[int]) -> int:
    from runtime.records.rollups import recompute  # late: the record layer is needed by these jobs alone

    return len(recompute(session, entity.name, field, ids))


def _refresh_range(session: Session, entity: str, field: Field, after: int) -> tuple[int | None, int]:
    """One range by one UPDATE: its last id (None where there are no more records) and how many values differed."""
    from runtime.records.refresh import refresh_with_readers, spans  # late: the record layer is for these jobs alone

    span = next(spans(session, entity, after), None)
    return (None, 0) if span is None else (span.last, refresh_with_readers(session, entity, field, span))


def _fill_sort(session: Session, entity: Entity, field: Field, ids: list[int]) -> int:
    from runtime.query.pinyin import sort_key  # late: pinyin tables take memory

    table, name = session.table(entity.name), column_name(field)
    rows = session.connection.execute(sa.select(table.c.id, table.c[name]).where(table.c.id.in_(ids))).all()
    change = sa.update(table).where(table.c.id == sa.bindparam("id_")).values({f"{name}__sort": sa.bindparam("key_")})
    session.connection.execute(change, [{"id_": row[0], "key_": sort_key(row[1])} for row in rows])
    return len(rows)


def _fill_base(session: Session, entity: Entity, field: Field, ids: list[int]) -> int:
    table, name = session.table(entity.name), column_name(field)
    amount, base = table.c[name], table.c[f"{name}__base"]
    rate = table.c[RATE_COLUMN] if has_rate(entity) else sa.literal(1)
    rows = session.connection.execute(sa.select(table.c.id, amount, rate).where(table.c.id.in_(ids), base.is_(None)))
    values = [{"id_": r, "base_": a * (rate_ or 1)} for r, a, rate_ in rows.all() if a is not None]
    if values:
        change = sa.update(table).where(table.c.id == sa.bindparam("id_"))
        session.connection.execute(change.values({base.name: sa.bindparam("base_", type_=base.type)}), values)
    return len(values)


_FILLERS: dict[str, Callable[[Session, Entity, Field, list[int]], int]] = {
    "formula": _fill_formula,
    "sort": _fill_sort,
    "base": _fill_base,
}


def is_large(session: Session, entity: str) -> bool:
    """More records than are filled while publishing; counts no further than it must."""
    table = session.table(entity)
    ids = sa.select(table.c.id).limit(AT_ONCE + 1).subquery()
    return (session.connection.scalar(sa.select(sa.func.count()).select_from(ids)) or 0) > AT_ONCE


@long_job("backfill")
def backfill(context: JobContext) -> dict[str, Any]:
    """Fills one field of one entity; quietly ends where a later version no longer has it."""
    entity, field, what = (str(context.payload[key]) for key in ("entity", "field", "what"))
    while True:
        with context.transaction() as session:
            known = session.app.entities.get(entity)
            if known is None or field not in known.fields or not is_column(known.fields[field]):
                return {"filled": context.progress}
            last = fill(session, entity, field, what, context.cursor or 0)
            if last is None:
                return {"filled": context.progress}
            total = session.connection.scalar(sa.select(sa.func.count()).select_from(session.table(entity)))
            context.note(session, cursor=last, progress=context.progress + BATCH, total=total)


@job("search_index")
def search_index(session: Session, payload: Payload) -> None:
    """Builds the search index of one entity, unless a write has done it meanwhile."""
    from runtime.query import search  # late: folding tables take memory

    entity = session.app.entities.get(str(payload["entity"]))
    if entity is not None and not entity.retired:
        search.prepare(session, entity.name)


@long_job("duplicate_keys")
def duplicate_keys(context: JobContext) -> dict[str, int]:
    """Makes the keys by which records of one entity are compared; ends quietly where no rule asks for them any more."""
    from runtime.duplicates import keys  # late: as above

    entity = str(context.payload["entity"])
    while True:
        with context.transaction() as session:
            known = session.app.entities.get(entity)
            if known is None or known.retired or keys.ready(session, entity):
                return {"records": context.progress}
            last = keys.build(session, entity, context.cursor or 0)
            if last is None:
                keys.finish(session, entity)
                return {"records": context.progress}
            context.note(session, cursor=last, progress=context.progress + keys.BATCH)


@long_job("recompute")
def recompute_all(context: JobContext) -> dict[str, int]:
    """Computes stored formulas anew; how many values were different, by field.

    `{"daily": true}`: those kept each night (`keep: daily`); else all others, which should be right already: what
    differs is reported as drift, and repaired.
    """
    daily = bool(context.payload.get("daily"))
    found: dict[str, int] = dict(context.cursor or {}).get("found", {})
    start: tuple[str, int] = tuple((context.cursor or {}).get("at", ("", 0)))
    fields = _computed(context, daily=daily)
    if start[0] not in {f"{name}.{field_name}" for name, field_name in fields}:
        start = ("", 0)  # a publish meanwhile took the field away: all once more
    for name, field_name in fields:
        key = f"{name}.{field_name}"
        if start[0] and key != start[0]:
            continue
        last: int | None = start[1]
        start = ("", 0)
        while last is not None:
            with context.transaction() as session:
                last = _recompute_batch(session, name, field_name, last, found)
                if last is not None:
                    context.note(session, cursor={"found": found, "at": [key, last]})
    result = {key: count for key, count in found.items() if count}
    if result and not daily:
        _log.warning("computed values had drifted and were repaired: %s", result)
    return result


def _computed(context: JobContext, *, daily: bool) -> list[tuple[str, str]]:
    app = context.site.application()
    return [
        (d.entity, d.field)
        for d in app.dependencies
        if (member := app.entities[d.entity].fields[d.field]).formula is not None
        and is_column(member)
        and (member.keep is not None) is daily
    ]


def _recompute_batch(session: Session, entity: str, field: str, after: int, found: dict[str, int]) -> int | None:
    from runtime.records.reach import Change  # late: the record layer is needed by these jobs alone
    from runtime.records.rollups import recompute, spread

    table, member = session.table(entity), session.app.entities[entity].fields[field]
    if member.keep and field_type(member.type).kept:
        last, count = _refresh_range(session, entity, member, after)
        found[f"{entity}.{field}"] = found.get(f"{entity}.{field}", 0) + count
        return last
    living = sa.select(table.c.id).where(table.c.id > after, table.c.deleted_at.is_(None))
    ids = list(session.connection.scalars(living.order_by(table.c.id).limit(BATCH)))
    if not ids:
        return None
    changed = recompute(session, entity, member, ids)
    found[f"{entity}.{field}"] = found.get(f"{entity}.{field}", 0) + len(changed)
    spread(session, [Change(entity, i, frozenset({field})) for i in sorted(changed)], {})
    return ids[-1]


schedule("keep_daily", "10 0 * * *", "recompute", {"daily": True})
schedule("verify_formulas", "40 2 * * *", "recompute", {"daily": False})
