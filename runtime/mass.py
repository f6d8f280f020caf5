"""The same deed on many records: chosen first, done in batches, a result for each, taken back in one go.

Every batch is one transaction of the person who asked, with their rights as they are at that moment; a killed worker
goes on with the first record that has no result yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import actions, records
from runtime.errors import Answer, Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.jobs.context import JobContext
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import long_job
from runtime.query.select import Query, run
from runtime.records.plan import plan_of
from runtime.schema.internal_mass import mass_target
from runtime.security import audit
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session, Site

ENTITY = "mass_change"
MOST = 50_000  # records of one bulk change
AT_ONCE = 50  # so few are done in the request itself
BATCH = 200
WITHIN = timedelta(hours=24)  # how long it can be taken back
WAITING, RUNNING, DONE, CANCELLED, UNDONE = "waiting", "running", "done", "cancelled", "undone"
DEEDS = ("set", "delete", "restore", "action")
_NEEDS = {"set": "edit", "delete": "delete", "restore": "delete", "action": "read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a bulk change is. `can_undo`: it is done, changed something, and nobody took it back yet."""

    id: int
    title: str
    target: str
    deed: str
    state: str
    total: int
    done: int
    refused: int
    can_undo: bool

    @property
    def over(self) -> bool:
        return self.state not in (WAITING, RUNNING)


def choose(session: Session, query: Query) -> list[int]:
    """The ids of all records a query finds. Raises `Conflict` where they are more than `MOST`."""
    found: list[int] = []
    after = None
    while True:
        page = run(session, _part(query, after))
        found += [row.id for row in page.rows]
        if len(found) > MOST:
            raise Conflict("mass.too_many", max=MOST)
        after = page.next
        if after is None:
            return found


def _part(query: Query, after: str | None) -> Query:
    return Query(
        entity=query.entity,
        where=query.where,
        rules=query.rules,
        sort=() if query.q is None else query.sort,
        q=query.q,
        limit=2000,
        cursor=after,
    )


def start(
    session: Session,
    entity: str,
    deed: str,
    details: Mapping[str, Any],
    ids: Sequence[int],
    *,
    title: str,
    undoes: int | None = None,
    before: Mapping[int, tuple[Any, int | None]] | None = None,
) -> int:
    """Notes a bulk change and, where it is large, the job that does it; its id.

    `details` are `{"values": {field: raw}}` of `set`, `{"name": …, "given": {…}}` of `action`. Raises `NotFound`,
    `Forbidden`, `Refused` for a field that cannot be set.
    """
    _may(session, entity, deed, details)
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST:
        raise Conflict("mass.too_many", max=MOST)
    table = session.table(ENTITY)
    values = {
        "title": title[:200],
        "target": entity,
        "deed": deed,
        "details": dict(details),
        "state": WAITING,
        "total": len(wanted),
        "done": 0,
        "refused": 0,
        "undoes": undoes,
        "owner": session.user.id,
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }
    mass_id = int(session.connection.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one())
    known = before or {}
    rows = [
        {
            "mass_id": mass_id,
            "position": position,
            "record_id": record_id,
            "state": WAITING,
            "before": known.get(record_id, (None, None))[0],
            "version": known.get(record_id, (None, None))[1],
        }
        for position, record_id in enumerate(wanted)
    ]
    for begin in range(0, len(rows), 2000):
        session.connection.execute(sa.insert(mass_target), rows[begin : begin + 2000])
    if len(wanted) > AT_ONCE:
        enqueue(session, "mass.run", {"mass": mass_id}, unique_key=f"mass:{mass_id}")
    return mass_id


@long_job("mass.run")
def _run(context: JobContext) -> Any:
    mass_id = int(context.payload["mass"])
    person = context.claimed.on_behalf_of
    while True:
        with context.transaction(person) as session:
            if not run_batch(session, mass_id):
                return {"mass": mass_id}
            found = _row(session, mass_id)
            context.note(session, progress=found["done"] + found["refused"], total=found["total"])


def run_batch(session: Session, mass_id: int) -> bool:
    """Deals with the next records, in the transaction and with the rights of the session. False where none are left."""
    row = _row(session, mass_id)
    if row["state"] not in (WAITING, RUNNING):
        return False
    waiting = sa.and_(mass_target.c.mass_id == mass_id, mass_target.c.state == WAITING)
    wanted = sa.select(mass_target).where(waiting).order_by(mass_target.c.position).limit(BATCH)
    targets = session.connection.execute(wanted).all()
    if not targets:
        _set_state(session, row, DONE)
        return False
    outcomes = _carry_out(session, row["target"], row["deed"], row["details"] or {}, targets)
    table = session.table(ENTITY)
    refused = 0
    for target, outcome in zip(targets, outcomes):
        refused += isinstance(outcome, Answer)
        session.connection.execute(
            sa.update(mass_target)
            .where(mass_target.c.mass_id == mass_id, mass_target.c.position == target.position)
            .values(**_result(outcome))
        )
    over = len(targets) < BATCH
    counts = {"done": table.c.done + len(targets) - refused, "refused": table.c.refused + refused}
    change = sa.update(table).where(table.c.id == mass_id)
    session.connection.execute(
        change.values(**counts, state=DONE if over else RUNNING, updated_at=session.now, version=table.c.version + 1)
    )
    if over and row["undoes"] is not None:
        session.connection.execute(sa.update(table).where(table.c.id == row["undoes"]).values(state=UNDONE))
    return not over


Outcome = tuple[int | None, Any] | Answer  # (version after, values before)


def _carry_out(
    session: Session, entity: str, deed: str, details: Mapping[str, Any], targets: Sequence[Any]
) -> list[Outcome]:
    if deed == "set":
        return _set(session, entity, details, targets)
    return [_alone(session, entity, deed, details, target) for target in targets]


def _set(session: Session, entity: str, details: Mapping[str, Any], targets: Sequence[Any]) -> list[Outcome]:
    """With `back`, each record gets the values kept for it, if nobody has changed it since."""
    back = bool(details.get("back"))
    values: Mapping[str, Any] = details.get("values") or {}
    names = list(values)
    ids = [target.record_id for target in targets]
    found = {} if back else {r.id: r.values for r in records.read_many(session, entity, ids, names)}
    changes = [(t.record_id, t.before or {}, t.version) if back else (t.record_id, values, None) for t in targets]
    answers = records.update_many(session, entity, changes, atomic=False)
    outcomes: list[Outcome] = []
    for target, answer in zip(targets, answers):
        if isinstance(answer, Answer):
            outcomes.append(answer)
        else:
            before = None if back else audit.plain(dict(found.get(target.record_id, {})))
            outcomes.append((answer.version, before))
    return outcomes


def _alone(session: Session, entity: str, deed: str, details: Mapping[str, Any], target: Any) -> Outcome:
    try:
        with session.connection.begin_nested():
            if deed == "delete":
                records.delete(session, entity, target.record_id)
            elif deed == "restore":
                records.restore(session, entity, target.record_id)
            else:
                actions.run(session, entity, target.record_id, details["name"], details.get("given") or {})
    except Answer as answer:
        return answer
    return None, None


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        problems = [
            {"code": p.code, "field": p.field, "params": dict(p.params), "message": p.message} for p in outcome.problems
        ]
        return {"state": "refused", "reason": {"code": outcome.code, "params": outcome.params, "problems": problems}}
    return {"state": "done", "version": outcome[0], "before": outcome[1]}


def status(session: Session, mass_id: int) -> Status:
    """Raises `NotFound` for the bulk change of somebody else."""
    row = _row(session, mass_id)
    fresh = row["updated_at"] is not None and row["updated_at"] >= session.now - WITHIN
    reversible = row["deed"] in ("set", "delete") and row["undoes"] is None
    return Status(
        id=mass_id,
        title=row["title"],
        target=row["target"],
        deed=row["deed"],
        state=row["state"],
        total=row["total"] or 0,
        done=row["done"] or 0,
        refused=row["refused"] or 0,
        can_undo=reversible and fresh and row["state"] in (DONE, CANCELLED) and (row["done"] or 0) > 0,
    )


def done_records(session: Session, mass_id: int, limit: int = 200) -> list[int]:
    """The records that were changed, in the order of the choice."""
    done = sa.and_(mass_target.c.mass_id == mass_id, mass_target.c.state == DONE)
    wanted = sa.select(mass_target.c.record_id).where(done).order_by(mass_target.c.position).limit(limit)
    return list(session.connection.scalars(wanted))


def refusals(session: Session, mass_id: int, limit: int = 200) -> list[tuple[int, Answer]]:
    """(record, why) of what was refused, in the order of the choice."""
    _row(session, mass_id)
    wanted = sa.select(mass_target.c.record_id, mass_target.c.reason)
    wanted = wanted.where(mass_target.c.mass_id == mass_id, mass_target.c.state == "refused")
    found = session.connection.execute(wanted.order_by(mass_target.c.position).limit(limit)).all()
    return [(record_id, _answer(reason or {})) for record_id, reason in found]


def _answer(reason: Mapping[str, Any]) -> Answer:
    problems = [
        RecordProblem(code=p["code"], field=p.get("field"), params=p.get("params") or {}, message=p.get("message"))
        for p in reason.get("problems") or ()
    ]
    return Answer(reason.get("code"), problems=problems, **(reason.get("params") or {}))


def cancel(session: Session, mass_id: int) -> None:
    """Stops after the batch at work; what is done stays done. Raises `NotFound`."""
    row = _row(session, mass_id)
    if row["state"] in (WAITING, RUNNING):
        _set_state(session, row, CANCELLED)


def undo(session: Session, mass_id: int, title: str) -> int:
    """Begins taking a bulk change back; the id of the change that does it. Raises `NotFound`, `Conflict`."""
    found = status(session, mass_id)
    if not found.can_undo:
        raise Conflict("mass.no_undo")
    changed = sa.and_(mass_target.c.mass_id == mass_id, mass_target.c.state == "done")
    wanted = sa.select(mass_target.c.record_id, mass_target.c.before, mass_target.c.version).where(changed)
    rows = session.connection.execute(wanted.order_by(mass_target.c.position)).all()
    before = {r.record_id: (r.before, r.version) for r in rows}
    deed, details = ("set", {"back": True}) if found.deed == "set" else ("restore", {})
    return start(
        session, found.target, deed, details, [r.record_id for r in rows], title=title, undoes=mass_id, before=before
    )


def forget(site: Site) -> None:
    """Drops what taking back would need, once it is too late for that."""
    with site.session(write=True) as session:
        table = session.table(ENTITY)
        old = sa.select(table.c.id).where(table.c.updated_at < session.now - WITHIN)
        session.connection.execute(
            sa.delete(mass_target).where(mass_target.c.mass_id.in_(old), mass_target.c.state == "done")
        )


def _may(session: Session, entity: str, deed: str, details: Mapping[str, Any]) -> None:
    described = session.app.entities.get(entity)
    access = Access(session)
    if described is None or described.retired or not access.can(entity, "read"):
        raise NotFound()
    if deed not in DEEDS or not (access.can(entity, _NEEDS[deed]) or (deed == "set" and access.can(entity, "assign"))):
        raise Forbidden()
    if deed == "set" and not details.get("back"):
        plan = plan_of(session, entity)
        fixed = access.read_only(entity)
        problems = [
            RecordProblem(code="readonly" if name in plan.fields else "unknown_field", field=name)
            for name in details.get("values") or {}
            if name not in plan.fields
            or not access.visible(entity, name)
            or not plan.fields[name].writable
            or name in fixed
            or plan.fields[name].unique
            or plan.fields[name].storage == "children"
        ]
        if problems or not details.get("values"):
            raise Refused(problems=problems or [RecordProblem(code="required")])


def _row(session: Session, mass_id: int) -> dict[str, Any]:
    table = session.table(ENTITY)
    found = session.connection.execute(sa.select(table).where(table.c.id == mass_id)).mappings().first()
    if found is None or (not session.user.superuser and found["owner"] != session.user.id):
        raise NotFound()
    return dict(found)


def _set_state(session: Session, row: Mapping[str, Any], state: str) -> None:
    table = session.table(ENTITY)
    change = sa.update(table).where(table.c.id == row["id"], table.c.state.in_((WAITING, RUNNING)))
    session.connection.execute(change.values(state=state, updated_at=session.now))
