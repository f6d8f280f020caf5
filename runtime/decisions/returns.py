"""What comes back to the pools by itself: found set by set, its owners told beforehand, every move logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.pool import Pool, Return, Shift
from rules.expression import Expression
from rules.pooling import days_left, due_at, earliest, is_due, warned_at
from rules.working import WorkingTime
from runtime.decisions.assigning import title_of
from runtime.decisions.claims import waiting_records
from runtime.decisions.ownership import Handover, hand_over
from runtime.decisions.pooling import home, owner
from runtime.environment import working_time
from runtime.errors import Answer
from runtime.jobs.context import JobContext
from runtime.jobs.registry import long_job, schedule
from runtime.messages import say
from runtime.query.expressions import condition, value
from runtime.schema.tables import column_name
from runtime.security.access import sql_context

if TYPE_CHECKING:
    from runtime.site import Session, Site

BATCH = 500
HOURS = ("m", "h", "wh")  # units of rules that are looked at every hour; the others at night


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A held record that a rule takes back: when, and whether that is now, or only announced."""

    record: int
    person: int
    pool: Pool
    rule: Return
    due: date | datetime
    key: str
    now: bool
    announced: bool

    def left(self, session: Session) -> int:
        return days_left(self.due, session.today, session.zone) or 0


def coming(
    session: Session,
    pool: Pool,
    rule: Return,
    *,
    person: int | None = None,
    record: int | None = None,
    ahead: timedelta | None = None,
) -> Iterator[Coming]:
    """What a rule takes back now or announces; one statement. `ahead` also tells what is due within that time.

    Of one `record` it tells whenever that is due.
    """
    table, context = session.table(pool.entity), sql_context(session)
    since = value(rule.since, table, context)
    working = working_time(session)
    bound = _bound(session, rule, ahead or (earliest(rule.warn) if rule.warn else timedelta()))
    wheres = [*([since <= bound] if record is None else [table.c.id == record]), *_held(session, pool, rule)]
    if person is not None:
        wheres.append(owner(session, pool) == person)
    wanted = sa.select(table.c.id, owner(session, pool), since).where(*wheres).order_by(table.c.id)
    rows = session.connection.execute(wanted).all()
    told = _told_at(session, pool, rule, [(found, start) for found, _, start in rows])
    for found, holder, start in rows:
        due = due_at(start, rule.after, working)
        if due is None:
            continue
        due = _fair(session, rule, due, told.get(found), working)
        soon = None if rule.warn is None else warned_at(due, rule.warn, working)
        yield Coming(
            record=found,
            person=holder,
            pool=pool,
            rule=rule,
            due=due,
            key=_key(pool, rule, found, start),
            now=is_due(due, session.now, session.zone),
            announced=soon is not None and is_due(soon, session.now, session.zone),
        )


def _key(pool: Pool, rule: Return, record: int, since: date | datetime) -> str:
    """One warning per record, rule and start of the time that is counted."""
    return f"pool:{pool.name}:{rule.name}:{record}:{since.isoformat()}"


def _told_at(session: Session, pool: Pool, rule: Return, found: Sequence[tuple[int, Any]]) -> dict[int, datetime]:
    """When the holder of each record was warned; empty where the rule does not warn."""
    if rule.warn is None:
        return {}
    keys = {_key(pool, rule, record, since): record for record, since in found if since is not None}
    table = session.table("notification")
    moment = sa.func.min(table.c.created_at, type_=table.c.created_at.type)
    told: dict[int, datetime] = {}
    for start in range(0, len(keys), BATCH):
        part = list(keys)[start : start + BATCH]
        wanted = sa.select(table.c.told_key, moment).where(table.c.told_key.in_(part)).group_by(table.c.told_key)
        told.update((keys[key], at) for key, at in session.connection.execute(wanted))
    return told


def _fair(
    session: Session, rule: Return, due: date | datetime, told: datetime | None, working: WorkingTime
) -> date | datetime:
    """Nothing is taken back before its holder has had the whole time of the warning, however late that came."""
    if rule.warn is None:
        return due
    after = due_at(told or session.now, rule.warn, working)
    if after is None:
        return due
    if isinstance(due, datetime):
        start = after if isinstance(after, datetime) else _midnight(after, session)
        return max(due, start)
    day = after.astimezone(session.zone).date() if isinstance(after, datetime) else after
    return max(due, day)


def _midnight(day: date, session: Session) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=session.zone)


def _held(session: Session, pool: Pool, rule: Return) -> list[Any]:
    """Records somebody holds and that nothing exempts or protects."""
    table = session.table(pool.entity)
    wheres: list[Any] = [table.c.deleted_at.is_(None), owner(session, pool).is_not(None), home(session, pool).is_(None)]
    if pool.protected is not None:
        until = table.c[column_name(session.app.entities[pool.entity].fields[pool.protected])]
        wheres.append(sa.or_(until.is_(None), until <= session.now))
    wheres += [_test(session, pool, e) for e in (pool.accepts, rule.when) if e is not None]
    if pool.exempt is not None:
        wheres.append(sa.not_(sa.func.coalesce(_test(session, pool, pool.exempt), sa.false())))
    return wheres


def _test(session: Session, pool: Pool, expression: Expression) -> Any:
    return condition(expression, session.table(pool.entity), sql_context(session))


def _bound(session: Session, rule: Return, ahead: timedelta) -> date | datetime:
    """The latest `since` that can matter; what a working calendar says is worked out record by record."""
    moment = session.now - earliest(rule.after) + ahead
    if rule.since.type.kind == "datetime":
        return moment + timedelta(days=1)  # days are counted whole
    return moment.astimezone(session.zone).date()


# --- carried out ---------------------------------------------------------------------------------------------------


def take_back(session: Session, found: Sequence[Coming]) -> set[int]:
    """Puts due records into their pools and tells those who held them; which were taken back."""
    from runtime import records  # late: records are written through rules

    done: set[int] = set()
    for key in dict.fromkeys((c.pool.name, c.rule.name) for c in found):
        part = [c for c in found if (c.pool.name, c.rule.name) == key]
        pool, rule = part[0].pool, part[0].rule
        sub = session.sub(cause=f"pool:{pool.name}:{rule.name}")
        note = rule.label.of(session.site.settings.language)
        how = Handover(pool=pool.name, reason="recycled", note=note)
        hand_over(sub, pool.entity, {c.record: how for c in part})
        answers = records.update_many(sub, pool.entity, [(c.record, {}, None) for c in part], atomic=False)
        good = [c for c, answer in zip(part, answers) if not isinstance(answer, Answer)]
        for one in good:
            _tell(sub, one, "pool.told.recycled")
        done.update(one.record for one in good)
    return done


def warn(session: Session, found: Sequence[Coming]) -> int:
    """Tells holders what will be taken back, once per record and due time; how many notices."""
    return sum(_tell(session, one, "pool.told.warning") for one in found)


def _tell(session: Session, one: Coming, code: str) -> int:
    from runtime.messaging.notify import notify  # late: only where somebody is told

    title, days = title_of(session, one.pool.entity, one.record), one.left(session)

    def subject(language: str) -> str:
        names = {"pool": one.pool.label.of(language), "reason": one.rule.label.of(language)}
        return say(code, language, title=title, days=days, **names)

    told = notify(
        session,
        [one.person],
        subject,
        entity=one.pool.entity,
        record=one.record,
        word="pool",
        rule=one.rule.name,
        key=one.key if code == "pool.told.warning" else f"{code}:{one.key}",
    )
    return len(told)


def move_on(session: Session, pool: Pool, rule: Shift, limit: int = BATCH) -> int:
    """Moves what nobody took or asked for on to the next pool; how many."""
    from runtime import records  # late: records are written through rules

    table = session.table(pool.entity)
    came = table.c[column_name(session.app.entities[pool.entity].fields[pool.since])]
    wheres = [table.c.deleted_at.is_(None), home(session, pool) == pool.name]
    wheres.append(came <= session.now - earliest(rule.after) + timedelta(days=1))
    wheres.append(table.c.id.not_in(waiting_records(session, pool.entity)))
    if rule.when is not None:
        wheres.append(_test(session, pool, rule.when))
    working = working_time(session)
    rows = session.connection.execute(sa.select(table.c.id, came).where(*wheres).order_by(came).limit(limit * 4))
    due = [i for i, since in rows if is_due(due_at(since, rule.after, working), session.now, session.zone)][:limit]
    sub = session.sub(cause=f"pool:{pool.name}:{rule.name}")
    hand_over(sub, pool.entity, {i: Handover(pool=rule.to, reason="moved") for i in due})
    answers = records.update_many(sub, pool.entity, [(i, {}, None) for i in due], atomic=False)
    return sum(not isinstance(a, Answer) for a in answers)


def run_returns(site: Site, only: str | None = None, *, hourly: bool = False) -> dict[str, int]:
    """Warnings, returns and moves of all pools (or of one), batch by batch; how many of each.

    A batch is one transaction: a run that is cut short goes on where it stopped, and nothing happens twice.
    """
    counts = {"warned": 0, "returned": 0, "moved": 0}
    with site.session() as session:
        pools = [p.name for p in session.app.of("pool").values() if only in (None, p.name)]
    for name in sorted(pools):
        counts["returned"] += _in_batches(site, name, hourly)
        with site.session(write=True) as session:
            pool = session.app.of("pool")[name]
            for rule in _rules(pool, hourly):
                soon = [c for c in coming(session, pool, rule) if c.announced and not c.now]
                counts["warned"] += warn(session, soon)
        if not hourly:
            counts["moved"] += _moved(site, name)
    return counts


def _rules(pool: Pool, hourly: bool) -> list[Return]:
    return [r for r in pool.returns if not hourly or r.after.unit in HOURS]


def _in_batches(site: Site, name: str, hourly: bool) -> int:
    done = 0
    refused: set[int] = set()  # by a check or a lock: they are left for another night
    while True:
        with site.session(write=True) as session:
            pool = session.app.of("pool")[name]
            due: dict[int, Coming] = {}
            for rule in _rules(pool, hourly):
                for found in coming(session, pool, rule):
                    if found.now and found.record not in refused:
                        due.setdefault(found.record, found)
            part = list(due.values())[:BATCH]
            taken = take_back(session, part)
        done += len(taken)
        refused |= {one.record for one in part} - taken
        if len(part) < BATCH:
            return done


def _moved(site: Site, name: str) -> int:
    done = 0
    with site.session() as session:
        rules = len(session.app.of("pool")[name].moves)
    for number in range(rules):
        while True:
            with site.session(write=True) as session:
                pool = session.app.of("pool")[name]
                moved = move_on(session, pool, pool.moves[number])
            done += moved
            if moved < BATCH:
                break
    return done


@long_job("pool_returns")
def pool_returns(context: JobContext) -> dict[str, int]:
    """Takes back, warns and moves on; nightly all rules, hourly those that count hours."""
    return run_returns(context.site, hourly=bool((context.payload or {}).get("hourly")))


schedule("pool_returns", "5 1 * * *", "pool_returns")
schedule("pool_returns_hourly", "20 * * * *", "pool_returns", {"hourly": True})
