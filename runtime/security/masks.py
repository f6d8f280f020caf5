"""What lies in a pool is masked until somebody takes it: which fields, of which pools, and from whom.

A mask is a matter of the row, not of the entity: the same field is read as nothing while its record lies in a pool that
masks it and that the user does not manage. What is computed from a masked field of the record is masked with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from metadata.model import Application
from runtime.decisions.membership import memberships

if TYPE_CHECKING:
    from runtime.site import Session

_ROUNDS = 50


class Masks:
    """The masks of one session's user."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.app = session.app
        self.off = session.user.superuser or not session.app.of("pool")

    def of(self, entity: str) -> Mapping[str, frozenset[str]]:
        """Field → names of the pools that mask it from this user."""
        if self.off:
            return {}
        declared = masking(self.session, entity)
        if not declared:
            return {}
        managed = memberships(self.session)[1]
        return {name: pools - managed for name, pools in declared.items() if pools - managed}

    def shown(self, entity: str, name: str, alias: FromClause, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """`element` of field `name`, nothing in the rows whose pool masks it. The same statement serves everybody."""
        if self.off or name not in masking(self.session, entity):
            return element
        return sa.case((self.open(entity, name, alias), element))

    def open(self, entity: str, name: str, alias: FromClause) -> ColumnElement[bool]:
        """The rows of `alias` in which `name` is not masked."""
        home = alias.c[home_column(self.app, entity)]
        names = sorted(self.of(entity).get(name, ()))
        bind = sa.bindparam(_bind(entity, name), value=names, type_=sa.Text, expanding=True)
        return sa.or_(home.is_(None), home.not_in(bind))

    def binds(self) -> dict[str, Any]:
        """Values of the binds of every mask, and the pools the user belongs to."""
        if self.off:
            return {}
        found: dict[str, Any] = {"access_pools": sorted(memberships(self.session)[0])}
        for entity in {pool.entity for pool in self.app.of("pool").values()}:
            own = self.of(entity)
            found |= {_bind(entity, name): sorted(own.get(name, ())) for name in masking(self.session, entity)}
        return found

    def hidden_in(self, entity: str, row: Mapping[str, Any]) -> frozenset[str]:
        """The fields masked in a record that has been read; `row` by field name."""
        own = self.of(entity)
        if not own:
            return frozenset()
        pool = row.get(home_field(self.app, entity))
        return frozenset(name for name, pools in own.items() if pool in pools)

    def clear(self, entity: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row as this user may know it."""
        hidden = self.hidden_in(entity, row)
        if not hidden:
            return row
        beside = {f"{name}__{more}" for name in hidden for more in ("base", "sort")}
        return {key: None if key in hidden or key in beside else value for key, value in row.items()}


def member_rows(session: Session, entity: str, alias: FromClause) -> ColumnElement[bool] | None:
    """The rows in pools the user belongs to; None for an entity without pools."""
    if not session.app.rules_of(entity, "pool"):
        return None
    home = alias.c[home_column(session.app, entity)]
    own = sorted(memberships(session)[0])
    return home.in_(sa.bindparam("access_pools", value=own, type_=sa.Text, expanding=True))


def home_field(app: Application, entity: str) -> str:
    """The field that says which pool a record lies in."""
    found: str = app.rules_of(entity, "pool")[0].field
    return found


def home_column(app: Application, entity: str) -> str:
    name = home_field(app, entity)
    return app.entities[entity].fields[name].column or name


def masking(session: Session, entity: str) -> Mapping[str, frozenset[str]]:
    """Field → names of the pools that mask it, whoever asks; what reads a masked field among them."""
    memo = session.tables.memo
    key = ("masking", entity)
    if key not in memo:
        memo[key] = _masking(session.app, entity)
    found: Mapping[str, frozenset[str]] = memo[key]
    return found


def _masking(app: Application, entity: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for pool in app.rules_of(entity, "pool"):
        for name in pool.mask:
            found[name] = found.get(name, frozenset()) | {pool.name}
    if not found:
        return {}
    fields = app.entities[entity].fields.values()
    reading = [(f.name, {n for e, n in f.formula.reads if e == entity}) for f in fields if f.formula is not None]
    reading += [(f.name, {f.of[0]}) for f in fields if f.of]
    for _ in range(_ROUNDS):
        grew = False
        for name, reads in reading:
            pools = frozenset().union(*(found.get(r, frozenset()) for r in reads)) | found.get(name, frozenset())
            if pools and pools != found.get(name):
                found[name] = frozenset(pools)
                grew = True
        if not grew:
            break
    return found


def _bind(entity: str, name: str) -> str:
    return f"access_masked_{entity}_{name}"
