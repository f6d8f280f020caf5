"""What new assignments and pools mean for the people there are: codes nobody has, and rules that find nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.who import Who
from runtime.people import ACTIVE, holding
from runtime.schema.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`impact.who_unknown` names what is not there, `impact.who_empty` a place that finds nobody."""

    code: str
    entity: str
    where: str
    who: str


def people_findings(connection: sa.Connection, tables: Tables, old: Application, new: Application) -> list[Finding]:
    """Of the assignments and pools that are new or changed; by the people as they are now."""
    found: list[Finding] = []
    for word in ("assignment", "pool"):
        for name, model in new.of(word).items():
            if old.of(word).get(name) != model:
                for where, people in _places(word, model):
                    found += _of(connection, tables, new, model.entity, f"{word} {name}: {where}", people)
    return found


def _places(word: str, model: Any) -> Iterator[tuple[str, tuple[Who, ...]]]:
    if word == "pool":
        yield "members", model.members
        yield "managers", model.managers
        return
    for rule in model.rules:
        if rule.pick is not None:
            yield rule.name, rule.pick.people
    if model.confirm is not None:
        yield "confirm", model.confirm.by


def _of(
    connection: sa.Connection, tables: Tables, app: Application, entity: str, where: str, people: tuple[Who, ...]
) -> Iterator[Finding]:
    unknown = False
    for who in people:
        for key, column in (("team", "code"), ("unit", "code"), ("user", "login")):
            code = getattr(who, key)
            if code is not None and not _there(connection, tables.table(key), column, code):
                unknown = True
                yield Finding(code="impact.who_unknown", entity=entity, where=where, who=f"{key} {code}")
    fixed = people and not any(w.field or w.manager_of or w.unit_head or w.expression is not None for w in people)
    if fixed and not unknown and not any(_somebody(connection, tables, app, who) for who in people):
        yield Finding(code="impact.who_empty", entity=entity, where=where, who="")


def _there(connection: sa.Connection, table: sa.Table, column: str, code: str) -> bool:
    wanted = sa.select(table.c.id).where(table.c[column] == code, table.c.deleted_at.is_(None))
    return connection.scalar(wanted.limit(1)) is not None


def _somebody(connection: sa.Connection, tables: Tables, app: Application, who: Who) -> bool:
    person = tables.table("user")
    wheres: list[Any] = [person.c.deleted_at.is_(None)]
    wheres.append(sa.or_(person.c.status.is_(None), person.c.status.in_(ACTIVE)))
    if who.role is not None:
        given = tables.table("user_role")
        wanted = holding(app, who.role, who.included)
        holders = sa.select(given.c.holder).where(given.c.role.in_(wanted), given.c.deleted_at.is_(None))
        wheres.append(person.c.id.in_(holders))
    elif who.team is not None:
        team, pairs = tables.table("team"), tables.pairs("team", "members")
        chosen = sa.select(team.c.id).where(team.c.code == who.team)
        wheres.append(person.c.id.in_(sa.select(pairs.c.value).where(pairs.c.record_id.in_(chosen))))
    elif who.unit is not None:
        unit = tables.table("unit")
        wheres.append(person.c.unit.in_(sa.select(unit.c.id).where(unit.c.code == who.unit)))
    elif who.user is not None:
        wheres.append(person.c.login == who.user)
    return connection.scalar(sa.select(person.c.id).where(*wheres).limit(1)) is not None
