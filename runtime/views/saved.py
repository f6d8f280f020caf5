"""Views that people keep for themselves or share: a name for what the address of a list asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

FRESH_SECONDS = 0.5  # how old the knowledge of views may be that another process wrote
MOST = 60  # views of one person and entity
LONGEST = 8000  # characters of what a view asks for
PREFIX = "my-"  # before the id of a kept view in the address; a declared view has a name
_LONGEST_NAME = 100
# what a view keeps of the address: not the page, not the view itself
LEFT_OUT = frozenset({"view", "page", "edited", "as", "csrf_token", "col"})

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """`parameters` are those of the address, in order; `own` whether the reader keeps it, or it is shared with them.

    `used_on` is the day somebody last looked at it; an `archived` one is no tab, but its address still leads to it.
    """

    id: int
    name: str
    entity: str
    parameters: Parameters
    owner: int
    role: str | None
    shared: bool
    default: bool
    used_on: date | None = None
    archived: bool = False
    own: bool = False

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.id}"

    def as_lists(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.parameters:
            found.setdefault(name, []).append(value)
        return found


def views_of(session: Session, entity: str) -> tuple[SavedView, ...]:
    """The views of this person and those shared with them, own ones first, each group by name."""
    user = session.user
    found = [
        view
        for view in _all(session, entity)
        if view.owner == user.id or (view.shared and (view.role is None or view.role in user.roles))
    ]
    mine = [replace(view, own=True) for view in found if view.owner == user.id]
    return (*mine, *(view for view in found if view.owner != user.id))


def chosen(views: Sequence[SavedView], key: str | None, *, bare: bool) -> SavedView | None:
    """The view an address names; the person's default where the address says nothing at all (`bare`)."""
    if key:
        return next((view for view in views if view.key == key), None)
    return next((v for v in views if v.default and v.own and not v.archived), None) if bare else None


def keep(
    session: Session,
    entity: str,
    name: str,
    parameters: Mapping[str, Sequence[str]],
    *,
    shared: bool = False,
    role: str | None = None,
    default: bool = False,
    view_id: int | None = None,
) -> int:
    """Keeps a view for the person of the session, or changes one of theirs; its id.

    No rights are asked beyond reading the entity: what a view shows is decided when it is looked at. Sharing takes
    the right to share the entity's records. Raises `NotFound`, `Forbidden`, `Refused`, `Conflict` for too many.
    """
    access = Access(session)
    if entity not in session.app.entities or not access.can(entity, "read") or session.user.id is None:
        raise NotFound()
    if shared and not may_share(session, entity):
        raise Forbidden()
    wanted = name.strip()[:_LONGEST_NAME]
    kept = _kept(parameters)
    if not wanted:
        raise Refused(problems=[RecordProblem(code="required", field="name")])
    if role is not None and role not in session.app.roles:
        raise Refused(problems=[RecordProblem(code="unknown_choice", field="role", params={"value": role[:60]})])
    table = session.table("saved_view")
    values: dict[str, Any] = {
        "name": wanted,
        "parameters": [list(pair) for pair in kept],
        "is_shared": shared,
        "role": role if shared else None,
        "is_default": default,
        "updated_at": session.now,
        "updated_by": session.user.id,
    }
    if default:
        mine = sa.and_(table.c.owner == session.user.id, table.c.entity == entity)
        session.connection.execute(sa.update(table).where(mine).values(is_default=False))
    if view_id is not None:
        _mine(session, view_id)
        session.connection.execute(
            sa.update(table).where(table.c.id == view_id).values(**values, version=table.c.version + 1)
        )
    else:
        if sum(view.own and not view.archived for view in views_of(session, entity)) >= MOST:
            raise Conflict("views.too_many", max=MOST)
        new = {"entity": entity, "owner": session.user.id, "created_at": session.now, "created_on": session.today}
        row = {**values, **new, "created_by": session.user.id, "version": 1}
        view_id = session.connection.scalar(sa.insert(table).values(row).returning(table.c.id))
    _changed(session)
    assert view_id is not None
    return view_id


def forget(session: Session, view_id: int) -> str:
    """Removes a view of the person of the session; the entity it was of. Raises `NotFound`."""
    table = session.table("saved_view")
    row = _mine(session, view_id)
    gone = {"deleted_at": session.now, "deleted_by": session.user.id}
    session.connection.execute(sa.update(table).where(table.c.id == view_id).values(**gone))
    _changed(session)
    return str(row["entity"])


def bring_back(session: Session, view_id: int) -> str:
    """Undoes `forget`; the entity. Raises `NotFound`."""
    table = session.table("saved_view")
    owned = sa.and_(table.c.id == view_id, table.c.owner == session.user.id)
    found = session.connection.execute(sa.select(table.c.entity).where(owned)).scalar()
    if found is None:
        raise NotFound()
    session.connection.execute(sa.update(table).where(owned).values(deleted_at=None, deleted_by=None))
    _changed(session)
    return str(found)


def note_use(session: Session, view: SavedView) -> None:
    """Notes that the view is looked at today."""
    table = session.table("saved_view")
    session.connection.execute(sa.update(table).where(table.c.id == view.id).values(used_on=session.today))
    _changed(session)


def archive(session: Session, view_id: int, archived: bool) -> str:
    """Puts a view away, or back among the tabs; the entity. Administrators may with shared ones. Raises `NotFound`."""
    table = session.table("saved_view")
    mine = table.c.owner == session.user.id
    governed = sa.or_(mine, table.c.is_shared.is_(True)) if session.user.admin else mine
    wanted = sa.select(table.c.entity).where(table.c.id == view_id, table.c.deleted_at.is_(None), governed)
    entity = session.connection.scalar(wanted)
    if entity is None:
        raise NotFound()
    changed = {"is_archived": archived, "updated_at": session.now, "updated_by": session.user.id}
    session.connection.execute(sa.update(table).where(table.c.id == view_id).values(**changed))
    _changed(session)
    return str(entity)


def may_share(session: Session, entity: str) -> bool:
    return Access(session).can(entity, "share") or session.user.admin


def _kept(parameters: Mapping[str, Sequence[str]]) -> Parameters:
    kept = tuple((n, v) for n, values in parameters.items() if n not in LEFT_OUT for v in values if v != "")
    if sum(len(n) + len(v) for n, v in kept) > LONGEST:
        raise Refused("views.too_much")
    return kept


def _mine(session: Session, view_id: int) -> Mapping[str, Any]:
    table = session.table("saved_view")
    wanted = sa.select(table).where(table.c.id == view_id, table.c.deleted_at.is_(None))
    row = session.connection.execute(wanted).mappings().first()
    if row is None or row["owner"] != session.user.id:
        raise NotFound()
    return dict(row)


def _all(session: Session, entity: str) -> tuple[SavedView, ...]:
    """Everybody's views of an entity: few, and read at most twice a second."""
    cache = session.site.cache
    known = cache.get(("saved views", entity))
    if known is not None and not session.write and time.monotonic() - known[0] < FRESH_SECONDS:
        found: tuple[SavedView, ...] = known[1]
        return found
    table = session.table("saved_view")
    wanted = sa.select(table).where(table.c.entity == entity, table.c.deleted_at.is_(None))
    rows = session.connection.execute(wanted.order_by(table.c.name, table.c.id)).mappings()
    found = tuple(_view(dict(row)) for row in rows)
    if not session.write:
        cache["saved views", entity] = (time.monotonic(), found)
    return found


def _view(row: Mapping[str, Any]) -> SavedView:
    given = row["parameters"] or []
    return SavedView(
        id=row["id"],
        name=row["name"],
        entity=row["entity"],
        parameters=tuple((str(n), str(v)) for n, v in given),
        owner=row["owner"] or 0,
        role=row["role"],
        shared=bool(row["is_shared"]),
        default=bool(row["is_default"]),
        used_on=row["used_on"],
        archived=bool(row["is_archived"]),
    )


def _changed(session: Session) -> None:
    session.touch("saved_view")
    cache = session.site.cache

    def forget_all() -> None:
        for key in [k for k in list(cache) if isinstance(k, tuple) and k[0] == "saved views"]:
            cache.pop(key, None)

    session.after_commit(forget_all)
