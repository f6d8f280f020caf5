"""Users, roles and tokens, by hand of the operator. Works as the system itself, through the record layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from runtime import records
from runtime.errors import NotFound, RecordProblem, Refused
from runtime.schema.internal import token as token_table
from runtime.security import tokens
from runtime.security.sessions import revoke_all, set_password
from runtime.site import Session, Site


def add_user(site: Site, login: str, name: str, roles: Sequence[str], password: str, email: str | None = None) -> int:
    """A new person who may sign in; the id."""
    with site.session(write=True) as session:
        _known_roles(session, roles)
        lines = [{"role": role} for role in dict.fromkeys(roles)]
        values = {"login": login, "name": name, "email": email, "roles": lines}
        saved = records.create(session, "user", {k: v for k, v in values.items() if v is not None})
        set_password(session, saved.id, password)
        return saved.id


def list_users(site: Site) -> list[dict[str, Any]]:
    with site.session() as session:
        person, line = session.table("user"), session.table("user_role")
        held: dict[int, list[str]] = {}
        living = sa.select(line.c.holder, line.c.role).where(line.c.deleted_at.is_(None)).order_by(line.c.position)
        for holder, role in session.connection.execute(living):
            held.setdefault(holder, []).append(role)
        columns = (person.c.id, person.c.login, person.c.name, person.c.status)
        rows = session.connection.execute(
            sa.select(*columns).where(person.c.deleted_at.is_(None)).order_by(person.c.login)
        )
        return [
            {"id": str(r.id), "login": r.login, "name": r.name, "status": r.status, "roles": held.get(r.id, [])}
            for r in rows
        ]


def change_password(site: Site, login: str, password: str) -> None:
    """Sets the password and ends the person's open sessions."""
    with site.session(write=True) as session:
        person = user_id(session, login)
        set_password(session, person, password)
        revoke_all(session, person)


def change_roles(site: Site, login: str, added: Iterable[str], removed: Iterable[str]) -> list[str]:
    """Gives and takes roles; the roles held afterwards."""
    with site.session(write=True) as session:
        person = user_id(session, login)
        _known_roles(session, added)
        line = session.table("user_role")
        living = sa.select(line.c.id, line.c.role).where(line.c.holder == person, line.c.deleted_at.is_(None))
        held = {role: number for number, role in session.connection.execute(living.order_by(line.c.position))}
        wanted = [role for role in dict.fromkeys([*held, *added]) if role not in set(removed)]
        lines = [{"id": held[role], "role": role} if role in held else {"role": role} for role in wanted]
        records.update(session, "user", person, {"roles": lines})
        return wanted


def create_token(site: Site, login: str, name: str, days: int | None = None) -> str:
    """A token for the API; this is the only time its text is known."""
    with site.session(write=True) as session:
        until = session.now + timedelta(days=days) if days else None
        return tokens.create_token(session, user_id(session, login), name, expires_at=until)


def list_tokens(site: Site, login: str) -> list[dict[str, Any]]:
    """The living tokens of a person, without their text."""
    with site.session() as session:
        t = token_table.c
        rows = session.connection.execute(
            sa.select(t.id, t.name, t.created_at, t.used_at, t.expires_at)
            .where(t.user_id == user_id(session, login), t.revoked_at.is_(None))
            .order_by(t.id)
        )
        return [
            {
                "id": str(r.id),
                "name": r.name,
                "created_at": _stamp(r.created_at),
                "used_at": _stamp(r.used_at),
                "expires_at": _stamp(r.expires_at),
            }
            for r in rows
        ]


def revoke_token(site: Site, login: str, number: int) -> None:
    with site.session(write=True) as session:
        t = token_table
        mine = (t.c.id == number) & (t.c.user_id == user_id(session, login)) & t.c.revoked_at.is_(None)
        if not session.connection.execute(t.update().where(mine).values(revoked_at=session.now)).rowcount:
            raise NotFound


def user_id(session: Session, login: str) -> int:
    """The id of the person with this login. `NotFound` where there is none."""
    person = session.table("user")
    wanted = sa.select(person.c.id).where(person.c.login == login, person.c.deleted_at.is_(None))
    found = session.connection.scalar(wanted)
    if found is None:
        raise NotFound("user.unknown", login=login)
    return int(found)


def _known_roles(session: Session, roles: Iterable[str]) -> None:
    for role in roles:
        if role not in session.app.roles:
            known = ", ".join(session.app.roles)
            raise Refused(problems=[RecordProblem(code="role.unknown", params={"role": role, "known": known})])


def _stamp(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
