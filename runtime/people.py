"""Who is acting: a person with roles, unit, teams and subordinates, as access rules and expressions see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from runtime.schema.tables import Tables

ACTIVE = ("active", "on_leave")  # may sign in


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`unit_ids` are the own unit and all below; `subordinate_ids` everybody below in the line of managers.

    `roles` holds the roles `given` and those they include. A superuser is the system itself: access is not asked.
    """

    id: int | None
    name: str
    login: str
    language: str | None = None
    theme: str | None = None
    timezone: str | None = None
    roles: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    unit: int | None = None
    unit_ids: frozenset[int] = frozenset()
    team_ids: frozenset[int] = frozenset()
    subordinate_ids: frozenset[int] = frozenset()
    admin: bool = False
    superuser: bool = False
    values: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False)


SYSTEM = User(id=None, name="Octavo", login="system", admin=True, superuser=True)


def load_user(connection: sa.Connection, tables: Tables, user_id: int) -> User | None:
    """The person, or None where there is none, or they have left or been removed."""
    app, person = tables.app, tables.table("user")
    row = connection.execute(sa.select(person).where(person.c.id == user_id)).mappings().first()
    if row is None or row["deleted_at"] is not None or row["status"] not in (None, *ACTIVE):
        return None
    given = frozenset(_roles(connection, tables, user_id))
    roles = expand_roles(app, given)
    return User(
        id=user_id,
        name=row["name"] or row["login"],
        login=row["login"],
        language=row["language"],
        theme=row["theme"],
        timezone=row.get("timezone"),
        roles=roles,
        given=given,
        unit=row["unit"],
        unit_ids=tree_below(connection, tables.table("unit"), "parent", row["unit"]) if row["unit"] else frozenset(),
        team_ids=_teams(connection, tables, user_id),
        subordinate_ids=tree_below(connection, person, "manager", user_id) - {user_id},
        admin=any(app.roles[role].admin for role in roles if role in app.roles),
        values=MappingProxyType(dict(row)),
    )


def expand_roles(app: Application, roles: Iterable[str]) -> frozenset[str]:
    """The roles and all they include."""
    found: set[str] = set()
    waiting = list(roles)
    while waiting:
        role = waiting.pop()
        if role not in found:
            found.add(role)
            waiting.extend(app.roles[role].includes if role in app.roles else ())
    return frozenset(found)


def holding(app: Application, role: str, included: bool) -> list[str]:
    """The roles that make somebody a holder of `role`: itself, and with `included` those that include it."""
    return [role, *(name for name in app.roles if included and name != role and role in expand_roles(app, [name]))]


def _roles(connection: sa.Connection, tables: Tables, user_id: int) -> list[str]:
    line = tables.table("user_role")
    living = sa.select(line.c.role).where(line.c.holder == user_id, line.c.deleted_at.is_(None))
    return [role for (role,) in connection.execute(living) if role]


def _teams(connection: sa.Connection, tables: Tables, user_id: int) -> frozenset[int]:
    member, team = tables.join_table("team", "members"), tables.table("team")
    living = sa.select(team.c.id).join(member, member.c.record_id == team.c.id).where(team.c.deleted_at.is_(None))
    led = sa.select(team.c.id).where(team.c.leader == user_id, team.c.deleted_at.is_(None))
    return frozenset(connection.scalars(living.where(member.c.value == user_id).union(led)))


def tree_below(connection: sa.Connection, table: sa.Table, up: str, start: int) -> frozenset[int]:
    """`start` and everything below it in the hierarchy of `up`; a cycle in the data ends by itself (UNION)."""
    tree = sa.select(table.c.id).where(table.c.id == start).cte("below", recursive=True)
    tree = tree.union(sa.select(table.c.id).where(table.c[up] == tree.c.id, table.c.deleted_at.is_(None)))
    return frozenset(connection.scalars(sa.select(tree.c.id)))
