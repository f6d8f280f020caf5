"""Which live fields stay the same SQL for a whole day: they read the date of today, now, and nothing else that moves.

What is reckoned from now is a bind of each run (`SqlContext.moments`).
"""

from __future__ import annotations

from metadata.model import Application, Field
from rules.tree import Call
from runtime.security.rights import path_reads

MOVING = frozenset({"convert", "workdays_between", "workhours_between", "add_workdays", "has_role", "in_unit"})


def is_daily(app: Application, entity: str, member: Field, seen: frozenset[tuple[str, str]] = frozenset()) -> bool:
    """Whether the field, written out as SQL, holds no value bound for this moment or this person."""
    if member.computed != "live" or (entity, member.name) in seen:
        return True
    known = seen | {(entity, member.name)}
    if member.formula is not None:
        calls = {n.function for n in member.formula.tree.walk() if isinstance(n, Call)}
        if member.formula.uses_user or not calls.isdisjoint(MOVING):
            return False
        reads = list(member.formula.reads)
    else:
        reads = list(path_reads(app, entity, member.of))
    return all(is_daily(app, e, app.entities[e].fields[f], known) for e, f in reads if f in app.entities[e].fields)
