"""Who: the people a rule names, found in the organisation as it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.models.who import Who
from rules.evaluate import Environment, Values, evaluate
from runtime.people import ACTIVE, holding
from runtime.statements import Kept

if TYPE_CHECKING:
    from runtime.site import Session

HIGHEST = 50  # managers upwards; a line of managers that is longer is a ring


def resolve(session: Session, who: Who, record: Values | None, environment: Environment | None = None) -> list[int]:
    """Ids of the living people who may sign in, each once, in a stable order; empty where there is nobody.

    `environment` adds what the expression may know (old values, parameters).
    """
    if who.role is not None:
        return with_role(session, who.role, included=who.included)
    if who.team is not None:
        return in_team(session, who.team)
    if who.unit is not None:
        return in_unit(session, who.unit)
    if who.user is not None:
        person = session.table("user")
        return _living(session, session.connection.scalars(sa.select(person.c.id).where(person.c.login == who.user)))
    if record is None and who.expression is None:
        return []
    if who.expression is not None:
        known = environment or session.environment()
        return _living(session, _ids(evaluate(who.expression, record, known)))
    assert record is not None
    if who.field:
        return _living(session, _ids(_at(record, who.field)))
    if who.manager_of:
        found = [managers(session, i)[who.level - 1 : who.level] for i in _ids(_at(record, who.manager_of))]
        return _living(session, [i for ids in found for i in ids])
    return _heads(session, _at(record, who.unit_head), who.level)


def resolve_all(
    session: Session, whos: Iterable[Who], record: Values | None, environment: Environment | None = None
) -> list[int]:
    """Everybody whom any of them names, each once, in order."""
    found: dict[int, None] = {}
    for who in whos:
        found.update(dict.fromkeys(resolve(session, who, record, environment)))
    return list(found)


def with_role(session: Session, role: str, *, included: bool = True) -> list[int]:
    """Everybody who was given the role; with `included` also those who have it by another of theirs."""

    def statement() -> sa.Select[Any]:
        given, person = session.table("user_role"), session.table("user")
        wanted = holding(session.app, role, included)
        holders = sa.select(given.c.holder).where(given.c.role.in_(wanted), given.c.deleted_at.is_(None))
        return _people(person).where(person.c.id.in_(holders))

    key = ("people with role" if included else "people given role", role)
    return [row[0] for row in _kept(session, key, statement).rows(session.connection, {})]


def administrators(session: Session) -> list[int]:
    """Who is asked where a rule finds nobody: everybody who may administer the site."""
    roles = sorted(name for name, role in session.app.roles.items() if role.admin)
    return list(dict.fromkeys(i for role in roles for i in with_role(session, role)))


def in_team(session: Session, code: str) -> list[int]:
    team, person = session.table("team"), session.table("user")
    pairs = session.tables.pairs("team", "members")
    chosen = sa.select(team.c.id).where(team.c.code == code, team.c.deleted_at.is_(None))
    members = sa.select(pairs.c.value).where(pairs.c.record_id.in_(chosen))
    return list(session.connection.scalars(_people(person).where(person.c.id.in_(members))))


def in_unit(session: Session, code: str) -> list[int]:
    """The people of the unit itself; those of the units below are named by their own codes."""
    unit, person = session.table("unit"), session.table("user")
    chosen = sa.select(unit.c.id).where(unit.c.code == code, unit.c.deleted_at.is_(None))
    return list(session.connection.scalars(_people(person).where(person.c.unit.in_(chosen))))


def managers(session: Session, user_id: int) -> list[int]:
    """The line of managers upwards from a person, the nearest first; a ring ends where it began. Those who have left
    lead on to theirs and are not in it themselves."""
    person = session.table("user")
    found: list[int] = []
    here: int | None = user_id
    while here is not None and len(found) < HIGHEST:
        here = session.connection.scalar(sa.select(person.c.manager).where(person.c.id == here))
        if here is None or here in found or here == user_id:
            break
        found.append(here)
    if not found:
        return found
    there = set(session.connection.scalars(_people(person).where(person.c.id.in_(found))))
    return [manager for manager in found if manager in there]


def absent(session: Session, ids: Sequence[int], on: date | None = None) -> set[int]:
    """Those of them who are away on a day (today): on leave, or within the days they gave."""
    if not ids:
        return set()

    def statement() -> sa.Select[Any]:
        person = session.table("user")
        wanted = sa.select(person.c.id).where(person.c.id.in_(sa.bindparam("ids", expanding=True)))
        return wanted.where(_away(person))

    asked = {"ids": list(ids), "day": on or session.today}
    return {row[0] for row in _kept(session, ("people away",), statement, "ids", "day").rows(session.connection, asked)}


def present(session: Session, ids: Sequence[int], on: date | None = None) -> list[int]:
    """Those of them who are at work, in their order."""
    away = absent(session, ids, on)
    return [i for i in ids if i not in away]


def called_and_away(session: Session, ids: Sequence[int]) -> tuple[dict[int, str], set[int]]:
    """What people are called, and those of them who are away today: what every assignment asks, in one statement."""
    if not ids:
        return {}, set()

    def statement() -> sa.Select[Any]:
        person = session.table("user")
        away = sa.case({_away(person): 1}, else_=0)
        wanted = sa.select(person.c.id, person.c.name, person.c.login, away)
        return wanted.where(person.c.id.in_(sa.bindparam("ids", expanding=True)))

    asked = {"ids": list(ids), "day": session.today}
    kept = _kept(session, ("people called and away",), statement, "ids", "day")
    rows = kept.rows(session.connection, asked)
    return {i: name or login for i, name, login, _ in rows}, {i for i, _, _, away in rows if away}


def _away(person: sa.Table) -> sa.ColumnElement[bool]:
    """Whether somebody is on leave, or within the days given, on the `day` asked for."""
    day = sa.bindparam("day", type_=person.c.away_from.type)
    given = sa.and_(
        person.c.away_from.is_not(None),
        person.c.away_from <= day,
        sa.or_(person.c.away_until.is_(None), person.c.away_until >= day),
    )
    return sa.or_(person.c.status == "on_leave", given)


def stand_in(session: Session, user_id: int, on: date | None = None) -> int | None:
    """Who acts for a person who is away, following a chain of stand-ins; None where nobody is named or present."""
    person = session.table("user")
    seen = {user_id}
    here: int | None = user_id
    while here is not None:
        here = session.connection.scalar(sa.select(person.c.delegate).where(person.c.id == here))
        if here is None or here in seen:
            return None
        seen.add(here)
        if _living(session, [here]) and not absent(session, [here], on):
            return here
    return None


def names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """What people are called, also those who have left."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}

    def statement() -> sa.Select[Any]:
        person = session.table("user")
        found = sa.select(person.c.id, person.c.name, person.c.login)
        return found.where(person.c.id.in_(sa.bindparam("ids", expanding=True)))

    rows = _kept(session, ("people's names",), statement, "ids").rows(session.connection, {"ids": wanted})
    return {i: name or login for i, name, login in rows}


def _kept(session: Session, key: tuple[str, ...], statement: Callable[[], sa.Select[Any]], *names: str) -> Kept:
    """A statement that every decision sends, put together once per published version."""
    memo = session.tables.memo
    found: Kept | None = memo.get(key)
    if found is None:
        found = memo[key] = Kept(statement(), session.connection.dialect, names)
    return found


def _heads(session: Session, target: Any, level: int) -> list[int]:
    """The head of a unit, or of the unit of a person; `level` 2 is the head of the unit above."""
    if target is None:
        return []
    unit, person = session.table("unit"), session.table("user")
    here = target.get("id")
    if target.plan.name == "user":
        here = session.connection.scalar(sa.select(person.c.unit).where(person.c.id == here))
    for _ in range(level - 1):
        here = session.connection.scalar(sa.select(unit.c.parent).where(unit.c.id == here))
    head = session.connection.scalar(sa.select(unit.c.head).where(unit.c.id == here))
    return _living(session, [head] if head is not None else [])


def _at(record: Values, path: Sequence[str]) -> Any:
    """The value at a path of links; nothing where a link on the way is empty."""
    here: Any = record
    for name in path[:-1]:
        here = here.get(name)
        if here is None:
            return None
    last = path[-1]
    field = here.plan.fields.get(last)
    return here.members(last) if field is not None and field.storage == "links" else here.get(last)


def _ids(found: Any) -> list[int]:
    """Ids of a record, several, or an id itself."""
    if found is None:
        return []
    if isinstance(found, int):
        return [found]
    if isinstance(found, list | tuple):
        return [i for one in found for i in _ids(one)]
    return _ids(found.get("id"))


def _people(person: sa.Table) -> sa.Select[Any]:
    active = sa.or_(person.c.status.is_(None), person.c.status.in_(ACTIVE))
    return sa.select(person.c.id).where(person.c.deleted_at.is_(None), active).order_by(person.c.id)


def is_active(session: Session, person: int | None) -> bool:
    """Whether somebody is still there and may sign in."""
    return person is not None and bool(_living(session, [person]))


def _living(session: Session, ids: Iterable[int]) -> list[int]:
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    person = session.table("user")
    alive = set(session.connection.scalars(_people(person).where(person.c.id.in_(wanted))))
    return [i for i in wanted if i in alive]
