"""The page of pools: tabs, the records of a pool as this person may know them, and what they may still claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from metadata.model import Sort
from metadata.models.pool import Pool
from rules.expression import Expression
from runtime.decisions import claims
from runtime.decisions.assigning import stored_many
from runtime.decisions.membership import is_member, manages, memberships
from runtime.decisions.people import names
from runtime.decisions.pooling import allowance, held, home
from runtime.decisions.returns import coming
from runtime.query.select import Query, Row, parse_where, run
from runtime.query.titles import titles_of
from runtime.records.values import Stored
from runtime.security.access import Access
from runtime.site import Session
from runtime.views.binder import Binder, BoundField

PAGE = 50
AHEAD = timedelta(days=7)  # how far the countdown of one's own records looks
MOST_COMING = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTab:
    name: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """Who had a record before it came into the pool, and why it came."""

    name: str
    how: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody's claim waits: what is said of it, whether it is this person's own, and whether they may answer it."""

    sentence: str
    own: bool
    answers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """`masked` are the keys of columns that this person sees after the claim; `days` it has been lying there.

    `asks` says that a claim has to be agreed to, `asked` that one waits.
    """

    row: Row
    asks: bool = False
    asked: Asked | None = None
    masked: frozenset[str]
    former: Former | None
    days: int
    moves_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record of one's own that a rule takes back in `days` days."""

    id: int
    entity: str
    title: str
    pool: str
    reason: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPool:
    pool: Pool
    label: str
    plural: str
    title: str
    columns: tuple[BoundField, ...]
    rows: tuple[PoolRow, ...]
    count: int
    manager: bool
    left: int | None
    daily: int | None
    holding: tuple[tuple[str, int, int], ...]  # label, held, limit


def tabs(binder: Binder) -> list[PoolTab]:
    """The pools this person belongs to and may read, with how much lies in each; one statement per entity."""
    session = binder.session
    own = [p for p in session.app.of("pool").values() if is_member(session, p) and binder.can(p.entity, "read")]
    counts: dict[str, int] = {}
    for entity in sorted({p.entity for p in own}):
        first = next(p for p in own if p.entity == entity)
        table, where = session.table(entity), home(session, first)
        wheres: list[sa.ColumnElement[bool]] = [
            table.c.deleted_at.is_(None),
            where.in_(sorted(memberships(session)[0])),
        ]
        rows = Access(session).predicate(entity, "read", table)
        wheres += [] if rows is None else [rows]
        counted = sa.select(where, sa.func.count()).where(*wheres).group_by(where)
        counts.update((name, count) for name, count in session.connection.execute(counted))
    language = binder.language
    return [PoolTab(name=p.name, label=p.label.of(language), count=counts.get(p.name, 0)) for p in _ordered(own)]


def _ordered(pools: Sequence[Pool]) -> list[Pool]:
    return sorted(pools, key=lambda p: (p.entity, p.origin.file, p.name))


def bind_pool(binder: Binder, pool: Pool, *, q: str = "", page: int = 1) -> BoundPool:
    """One pool as this person sees it, newest arrivals first."""
    session = binder.session
    described = binder.app.entities[pool.entity]
    columns = _columns(binder, pool)
    where: tuple[Expression, ...] = (parse_where(session, pool.entity, f"{pool.field} == '{pool.name}'"),)
    keys = tuple(dict.fromkeys(c.key for c in columns))
    query = Query(
        entity=pool.entity,
        select=keys,
        where=where,
        sort=(Sort(path=(pool.since,), descending=True),),
        limit=PAGE,
        page=page,
        count="exact",
        q=q or None,
    )
    found = run(session, query)
    count = found.count or 0
    left = allowance(session, pool)
    return BoundPool(
        pool=pool,
        label=pool.label.of(binder.language),
        plural=described.plural.of(binder.language),
        title=columns[0].key if columns else "id",
        columns=columns,
        rows=_rows(binder, pool, columns, found.rows),
        count=count,
        manager=manages(session, pool),
        left=left.left,
        daily=left.daily,
        holding=tuple((c.label.of(binder.language), held(session, pool, c.when), c.limit) for c in pool.claim.holding),
    )


def _columns(binder: Binder, pool: Pool) -> tuple[BoundField, ...]:
    described = binder.app.entities[pool.entity]
    paths = [c.path for c in pool.columns] or [(described.title,)]
    bound = (binder.path(pool.entity, path) for path in paths)
    return tuple(b for b in bound if b is not None)


def _rows(binder: Binder, pool: Pool, columns: Sequence[BoundField], rows: Sequence[Row]) -> tuple[PoolRow, ...]:
    session = binder.session
    masks = binder.access.masks.of(pool.entity)
    masked = frozenset(c.key for c in columns if pool.name in masks.get(c.key, ()))
    ids = [row.id for row in rows]
    formers = former_owners(binder, pool.entity, ids)
    table = session.table(pool.entity)
    since = table.c[binder.app.entities[pool.entity].fields[pool.since].column or pool.since]
    came = dict(session.connection.execute(sa.select(table.c.id, since).where(table.c.id.in_(ids))).all())
    asked, stored = _claims(session, pool, ids)
    move = min((m.after.amount for m in pool.moves if m.after.unit == "d" and m.when is None), default=None)
    made = []
    for row in rows:
        arrived = came.get(row.id)
        days = 0 if arrived is None else (session.today - arrived.astimezone(session.zone).date()).days
        moves_in = None if move is None else max(0, move - days)
        made.append(
            PoolRow(
                row=row,
                masked=masked,
                former=formers.get(row.id),
                days=days,
                moves_in=moves_in,
                asked=asked.get(row.id),
                asks=row.id in stored and claims.needed(session, pool, stored[row.id]),
            )
        )
    return tuple(made)


def _claims(session: Session, pool: Pool, ids: Sequence[int]) -> tuple[dict[int, Asked], dict[int, Stored]]:
    """The claims that wait on a page of a pool, and its records as rules see them, where claims are agreed to."""
    waiting = claims.open_among(session, pool.entity, ids)
    if not waiting and pool.claim.approval is None:
        return {}, {}
    stored = {record.row["id"]: record for record in stored_many(session, pool.entity, ids)}
    asked = {}
    for i, row in waiting.items():
        own = row["person"] == session.user.id
        asked[i] = Asked(
            sentence=claims.told(session, row, stored.get(i))["sentence"],
            own=own,
            answers=not own and claims.decides(session, pool, stored.get(i), row["person"]),
        )
    return asked, stored


def former_owners(binder: Binder, entity: str, ids: Sequence[int]) -> dict[int, Former]:
    """Who held each record last before it came into a pool; one statement."""
    if not ids:
        return {}
    session = binder.session
    table = session.table("ownership_log")
    same = (table.c.entity == entity, table.c.record.in_(list(ids)), table.c.to_pool.is_not(None))
    living = table.c.deleted_at.is_(None)
    wanted = sa.select(table).where(*same, living, table.c.from_person.is_not(None)).order_by(table.c.id)
    rows = session.connection.execute(wanted).mappings().all()
    called = names(session, [row["from_person"] for row in rows])
    options = binder.app.options["ownership_reason"]
    found = {}
    for row in rows:
        choice = options.choice(row["reason"])
        found[row["record"]] = Former(
            name=called.get(row["from_person"], ""),
            how=choice.label.of(binder.language) if choice else row["reason"],
            note=row["note"] or "",
            at=row["moved_at"],
        )
    return found


def coming_back(binder: Binder) -> list[Held]:
    """The person's own records that a rule takes back within a week, the soonest first."""
    session = binder.session
    found: dict[tuple[str, int], Held] = {}
    if session.user.id is None:
        return []
    for pool in session.app.of("pool").values():
        for rule in pool.returns:
            for one in coming(session, pool, rule, person=session.user.id, ahead=AHEAD):
                made = Held(
                    id=one.record,
                    entity=pool.entity,
                    title="",
                    pool=pool.label.of(binder.language),
                    reason=rule.label.of(binder.language),
                    days=one.left(session),
                )
                key = (pool.entity, one.record)
                if made.days <= AHEAD.days and (key not in found or made.days < found[key].days):
                    found[key] = made
    soonest = sorted(found.values(), key=lambda h: (h.days, h.id))[:MOST_COMING]
    return _titled(binder, soonest)


def _titled(binder: Binder, found: Sequence[Held]) -> list[Held]:
    titles = {
        entity: titles_of(binder.session, entity, [h.id for h in found if h.entity == entity])
        for entity in {h.entity for h in found}
    }
    return [replace(h, title=titles[h.entity][h.id]) for h in found if h.id in titles[h.entity]]


def others(binder: Binder, pool: Pool) -> list[tuple[str, str]]:
    """The pools a manager may move records of this one to."""
    session = binder.session
    fitting = [p for p in session.app.rules_of(pool.entity, "pool") if p.name != pool.name and manages(session, p)]
    return [(p.name, p.label.of(binder.language)) for p in fitting]
