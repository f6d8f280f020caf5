"""Why a record belongs to whom: the latest decision of an assignment, and its way through hands and pools."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.assignment import Assignment
from rules.pooling import days_left
from runtime.decisions import claims
from runtime.decisions.ownership import owner_field, pool_in
from runtime.decisions.people import names
from runtime.decisions.returns import coming
from runtime.explain import explainer
from runtime.messages import say
from runtime.records.values import Loader

if TYPE_CHECKING:
    from runtime.site import Session

MOST_MOVES = 100
MOST_DECISIONS = 20
_KNOWN = ("round_robin", "least_loaded", "skill", "weight", "expression")


@explainer("assignment")
def why_assigned(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """The latest decision with every rule it passed, its candidates and their loads; earlier ones in `before`."""
    table = session.table("assignment_decision")
    same = (table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    wanted = sa.select(table).where(*same).order_by(table.c.id.desc()).limit(MOST_DECISIONS)
    rows = session.connection.execute(wanted).mappings().all()
    if not rows:
        return {"decision": "assignment", "summary": say("assignment.none", session.language), "steps": []}
    called = names(session, [i for r in rows for i in (r["person"], r["decided_by"]) if i is not None])
    told = [_told(session, entity, row, called) for row in rows]
    first = rows[0]
    return {
        "decision": "assignment",
        **told[0],
        "name": first["assignment"],
        "steps": [_step(session, entity, first["assignment"], step) for step in (first["why"] or {}).get("steps", ())],
        "before": told[1:],
    }


def _told(session: Session, entity: str, row: Any, called: dict[int, str]) -> dict[str, Any]:
    language = session.language
    pool = pool_in(session.app, entity, row["pool"])
    summary = say(
        f"assignment.why.{row['state']}",
        language,
        rule=_rule(session, row["assignment"], row["rule"]),
        assignment=_label(session, row["assignment"]),
        name=called.get(row["person"], ""),
        pool=pool.label.of(language) if pool else row["pool"] or "",
    )
    found = {"summary": summary, "state": row["state"], "at": row["created_at"].isoformat(), "cause": row["cause"]}
    if row["decided_at"] is not None:
        found["decided_at"] = row["decided_at"].isoformat()
        found["decided_by"] = called.get(row["decided_by"])
    return found


def _step(session: Session, entity: str, assignment: str, step: dict[str, Any]) -> dict[str, Any]:
    language = session.language
    pool = pool_in(session.app, entity, step.get("pool"))
    by = step.get("by", "")
    way = say(f"assignment.by.{by}" if by in _KNOWN else "assignment.by.other", language, by=by)
    shown = pool.label.of(language) if pool else step.get("pool", "")
    why = say(f"assignment.step.{step['result']}", language, name=step.get("name", ""), by=way, pool=shown)
    away = [say("assignment.away", language, name=name) for name in step.get("absent", ())]
    label = _rule(session, assignment, step["rule"])
    return {**step, "label": label, "why": "; ".join([why, *away]) if language != "zh" else "；".join([why, *away])}


def _label(session: Session, assignment: str) -> str:
    found: Assignment | None = session.app.of("assignment").get(assignment)
    return found.label.of(session.language) if found else assignment


def _rule(session: Session, assignment: str, name: str | None) -> str:
    found: Assignment | None = session.app.of("assignment").get(assignment)
    rule = next((r for r in found.rules if r.name == name), None) if found else None
    return rule.label.of(session.language) if rule else name or ""


@explainer("pool")
def why_owned(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Every move between people and pools, the newest first, and what takes the record back next."""
    moves = history(session, entity, record_id)
    word = "pool.history.summary" if moves else "pool.history.none"
    found: dict[str, Any] = {
        "decision": "pool",
        "summary": say(word, session.language, count=len(moves)),
        "steps": [{"label": m["reason"], "result": f"{m['from']} → {m['to']}", "why": m["note"], **m} for m in moves],
    }
    asked = asked_for(session, entity, record_id)
    if asked:
        found["claims"] = asked
        told = [{**c, "result": c["sentence"], "why": c["note"]} for c in asked if c["state"] != "accepted"]
        found["steps"] = sorted([*told, *found["steps"]], key=lambda step: step["at"], reverse=True)
        if asked[0]["state"] == claims.WAITING:
            found["summary"] = asked[0]["sentence"]
    due = next_return(session, entity, record_id)
    if due is not None:
        found["next"] = due
    return found


def asked_for(session: Session, entity: str, record_id: int) -> list[dict[str, Any]]:
    """The claims on a record that somebody had to agree to, the newest first."""
    if not session.app.rules_of(entity, "pool"):
        return []
    rows = claims.rows_of(session, entity, record_id, MOST_MOVES)
    record = Loader(session).record(entity, record_id) if rows else None
    return [claims.told(session, row, record) for row in rows]


def history(session: Session, entity: str, record_id: int) -> list[dict[str, Any]]:
    """The ownership log of a record for people: from, to, how, why, when, by whom."""
    table = session.table("ownership_log")
    same = (table.c.entity == entity, table.c.record == record_id, table.c.deleted_at.is_(None))
    wanted = sa.select(table).where(*same).order_by(table.c.id.desc()).limit(MOST_MOVES)
    rows = session.connection.execute(wanted).mappings().all()
    called = names(session, [r[k] for r in rows for k in ("from_person", "to_person", "by_person") if r[k] is not None])
    options = session.app.options["ownership_reason"]

    def place(person: int | None, pool: str | None) -> str:
        found = pool_in(session.app, entity, pool)
        if found is not None or pool:
            return found.label.of(session.language) if found else str(pool)
        return called.get(person, "") if person is not None else say("pool.nobody", session.language)

    made = []
    for row in rows:
        choice = options.choice(row["reason"])
        made.append(
            {
                "from": place(row["from_person"], row["from_pool"]),
                "to": place(row["to_person"], row["to_pool"]),
                "word": row["reason"],
                "reason": choice.label.of(session.language) if choice else row["reason"],
                "colour": choice.colour if choice else None,
                "note": row["note"] or "",
                "at": row["moved_at"].astimezone(session.zone).isoformat(),
                "by": called.get(row["by_person"], "Octavo"),
            }
        )
    return made


def newly_assigned(session: Session, days: int = 7, limit: int = 8) -> list[tuple[str, int, datetime]]:
    """Records that rules or a confirmation gave to the person lately and that they still hold, the newest first."""
    table = session.table("assignment_decision")
    given = ("assigned", "accepted", "changed")
    since = session.now - timedelta(days=days)
    mine = (table.c.person == session.user.id, table.c.deleted_at.is_(None))
    wheres = (*mine, table.c.state.in_(given), table.c.updated_at >= since)
    wanted = sa.select(table.c.entity, table.c.record, table.c.created_at).where(*wheres)
    found: dict[tuple[str, int], datetime] = {}
    for entity, record, at in session.connection.execute(wanted.order_by(table.c.id.desc()).limit(limit * 4)):
        found.setdefault((entity, record), at)
    held = _still_held(session, list(found))
    return [(entity, record, found[entity, record]) for entity, record in held][:limit]


def _still_held(session: Session, pairs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    kept: set[tuple[str, int]] = set()
    for entity in sorted({e for e, _ in pairs if e in session.app.entities}):
        described = session.app.entities[entity]
        name = owner_field(session.app, described)
        if name is None:
            continue
        holder = session.table(entity).c[described.fields[name].column or name]
        ids = [i for e, i in pairs if e == entity]
        table = session.table(entity)
        own = sa.select(table.c.id).where(table.c.id.in_(ids), holder == session.user.id, table.c.deleted_at.is_(None))
        kept |= {(entity, i) for i in session.connection.scalars(own)}
    return [pair for pair in pairs if pair in kept]


def next_return(session: Session, entity: str, record_id: int) -> dict[str, Any] | None:
    """The rule that takes a held record back first: its label, the day, and how many days are left."""
    best: dict[str, Any] | None = None
    for pool in session.app.rules_of(entity, "pool"):
        for rule in pool.returns:
            for found in coming(session, pool, rule, record=record_id):
                left = days_left(found.due, session.today, session.zone)
                if best is None or (left or 0) < best["days"]:
                    best = {
                        "rule": rule.label.of(session.language),
                        "pool": pool.label.of(session.language),
                        "due": found.due.isoformat(),
                        "days": left or 0,
                    }
    return best
