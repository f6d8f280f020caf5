"""Who may do what: the roles' scopes as SQL predicates, the same scopes over one record in Python, and field masks.

Everything denies by default. A predicate is built from named binds (`access_user`, `access_units`, …), so that a
statement prepared for one user serves everybody with the same roles: `Access.binds()` gives the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from metadata.model import Entity, Role
from rules.evaluate import Environment, Values, evaluate
from runtime.decisions.membership import memberships
from runtime.query.expressions import SqlContext, condition
from runtime.schema.aliases import alias_of
from runtime.security.masks import Masks, home_field, member_rows
from runtime.security.rights import NO_RIGHTS, EntityRights, Rights, RowScope

if TYPE_CHECKING:
    from runtime.site import Session


class Access:
    """What the user of a session may do. Cheap to make: the union of the roles is kept per application version."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.app = session.app
        self.tables = session.tables
        self.user = session.user
        self.superuser = bool(session.user.superuser)
        self._rights = _rights(session)
        self._context: SqlContext | None = None
        self.masks = Masks(session)

    # --- entities and fields ---------------------------------------------------------------------------------

    def rights(self, entity: str) -> EntityRights:
        return self._rights.of(entity)

    def can(self, entity: str, operation: str) -> bool:
        """Whether some record of `entity` may be within reach; which ones is the predicate's business."""
        return self.superuser or operation in self._rights.of(entity).operations

    def hidden(self, entity: str) -> frozenset[str]:
        """Fields of `entity` this user never learns of, in any channel."""
        return frozenset() if self.superuser else self._rights.of(entity).hidden

    def read_only(self, entity: str) -> frozenset[str]:
        return frozenset() if self.superuser else self._rights.of(entity).read_only

    def visible(self, entity: str, field: str) -> bool:
        """Whether an expression of this user may name `entity.field`. A collection needs its entity readable."""
        found = self.app.entities[entity].fields.get(field)
        if found is None or found.type == "secret":
            return False
        if self.superuser:
            return True
        if field in self._rights.of(entity).hidden:
            return False
        members = found.entity if found.storage == "children" or found.type == "related" else None
        if found.storage == "links":
            members = found.to
        return members is None or self.can(members, "read")

    @property
    def shape(self) -> tuple[bool, frozenset[str]]:
        """Users of the same shape share prepared statements."""
        return (self.superuser, frozenset(role.name for role in self._rights.roles))

    @property
    def admin(self) -> bool:
        return self.superuser or self._rights.admin

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles of the user, those they include among them."""
        return self._rights.roles

    # --- rows ------------------------------------------------------------------------------------------------

    def predicate(self, entity: str, operation: str, alias: FromClause) -> ColumnElement[bool] | None:
        """The rows of `alias` this user may do `operation` on; None means all of them."""
        if self.superuser:
            return None
        scope = self._rights.of(entity).operations.get(operation)
        if scope is None:
            return sa.false()
        described = self.app.entities[entity]
        if described.parent is not None:
            return self._of_parent(described, scope, alias)
        if scope.everything:
            return None
        return self._scope(described, operation, scope, alias)

    def guard(self, entity: str, alias: FromClause) -> ColumnElement[bool] | None:
        """For SqlContext: row access inside every subquery and hop of an expression a user wrote."""
        return self.predicate(entity, "read", alias)

    def binds(self) -> dict[str, Any]:
        """Values of the named binds of every predicate."""
        user = self.user
        return {
            "access_user": user.id,
            "access_now": self.session.now,
            "access_units": sorted(user.unit_ids),
            "access_teams": sorted(user.team_ids),
            "access_subordinates": sorted(user.subordinate_ids),
            **self.masks.binds(),
        }

    def _of_parent(self, entity: Entity, scope: RowScope, alias: FromClause) -> ColumnElement[bool] | None:
        assert entity.parent is not None
        parent_name, back = entity.parent
        masked = entity.parent_field in self.masks.of(parent_name)
        if scope.everything and not masked:
            return None
        parent = self.app.entities[parent_name]
        above = alias_of(self.tables.table(parent_name))
        within = sa.true() if scope.everything else self._scope(parent, "read", scope, above)
        if masked:
            within = sa.and_(within, self.masks.open(parent_name, entity.parent_field or "", above))
        link = alias.c[entity.fields[back].column or back]
        return sa.exists(sa.select(sa.literal(1)).select_from(above).where(above.c.id == link, within))

    def _scope(self, entity: Entity, operation: str, scope: RowScope, alias: FromClause) -> ColumnElement[bool]:
        parts = [self._named(name, entity, operation, alias) for name in sorted(scope.named)]
        parts += [condition(e, alias, self.context) for e in scope.expressions]
        pooled = member_rows(self.session, entity.name, alias) if operation == "read" else None
        if pooled is not None:
            parts.append(pooled)
        return sa.or_(*parts) if parts else sa.false()

    def _named(self, name: str, entity: Entity, operation: str, alias: FromClause) -> ColumnElement[bool]:
        owner = alias.c[owner_column(entity)]
        if name == "own":
            return owner == _one("access_user", self.user.id)
        if name == "subordinates":
            return owner.in_(_many("access_subordinates", self.user.subordinate_ids))
        if name == "team":
            mates = self.tables.join_table("team", "members")
            teams = _many("access_teams", self.user.team_ids)
            led = self.tables.table("team")
            leaders = sa.select(led.c.leader).where(led.c.id.in_(teams), led.c.leader.is_not(None))
            return sa.or_(owner.in_(sa.select(mates.c.value).where(mates.c.record_id.in_(teams))), owner.in_(leaders))
        if name == "unit":
            return self._unit(entity, alias)
        if name == "shared":
            return self._shared(entity, operation, alias)
        return sa.true() if name == "all" else sa.false()

    def _unit(self, entity: Entity, alias: FromClause) -> ColumnElement[bool]:
        units = _many("access_units", self.user.unit_ids)
        if entity.name == "unit":
            return alias.c.id.in_(units)
        people = self.tables.table("user")
        owned = alias.c[owner_column(entity)].in_(sa.select(people.c.id).where(people.c.unit.in_(units)))
        if entity.unit is None:
            return owned
        return sa.or_(alias.c[entity.fields[entity.unit].column or entity.unit].in_(units), owned)

    def _shared(self, entity: Entity, operation: str, alias: FromClause) -> ColumnElement[bool]:
        share = alias_of(self.tables.table("record_share"))
        grantee = sa.or_(
            share.c.person == _one("access_user", self.user.id),
            share.c.team.in_(_many("access_teams", self.user.team_ids)),
        )
        now = sa.bindparam("access_now", value=self.session.now, type_=share.c.until.type)
        valid = sa.or_(share.c.until.is_(None), share.c.until > now)
        wanted = [share.c.entity == entity.name, share.c.record == alias.c.id, share.c.deleted_at.is_(None)]
        if operation not in ("read", "export", "report"):
            wanted.append(share.c.may_edit)
        return sa.exists(sa.select(sa.literal(1)).select_from(share).where(*wanted, grantee, valid))

    @property
    def context(self) -> SqlContext:
        """For expressions written in metadata: they see all rows."""
        if self._context is None:
            self._context = sql_context(self.session)
        return self._context

    # --- one record, in Python -------------------------------------------------------------------------------

    def allows(self, entity: str, operation: str, values: Values, environment: Environment) -> bool:
        """Whether a record as it would be after a write lies in the scope of `operation`."""
        if self.superuser:
            return True
        scope = self._rights.of(entity).operations.get(operation)
        if scope is None:
            return False
        if scope.everything:
            return True
        described = self.app.entities[entity]
        if operation == "read" and self._pooled(entity, values):
            return True
        return any(self._holds(name, described, operation, values) for name in scope.named) or any(
            evaluate(e, values, environment) is True for e in scope.expressions
        )

    def _pooled(self, entity: str, values: Values) -> bool:
        """Whether the record lies in a pool the user belongs to."""
        if not self.app.rules_of(entity, "pool"):
            return False
        return values.get(home_field(self.app, entity)) in memberships(self.session)[0]

    def unlimited(self, entity: str, operation: str) -> bool:
        """Whether `allows` says yes to every record."""
        if self.superuser:
            return True
        scope = self._rights.of(entity).operations.get(operation)
        return scope is not None and scope.everything

    def holds(self, name: str, entity: Entity, operation: str, values: Values) -> bool:
        """Whether one named scope takes in the record."""
        return self._holds(name, entity, operation, values)

    def _holds(self, name: str, entity: Entity, operation: str, values: Values) -> bool:
        owner = values.get("id") if entity.name == "user" else _link(values, entity.owner or "created_by")
        if name == "own":
            return owner is not None and owner == self.user.id
        if name == "subordinates":
            return owner in self.user.subordinate_ids
        if name == "unit":
            return self._in_units(entity, values)
        if name == "team":
            return owner is not None and self._exists(self._team_mates(owner))
        if name == "shared":
            return values.get("id") is not None and self._exists(self._share_of(entity, operation, values.get("id")))
        return name == "all"

    def _in_units(self, entity: Entity, values: Values) -> bool:
        units = set(self.user.unit_ids)
        if entity.name == "unit":
            return values.get("id") in units
        if entity.unit is not None and _link(values, entity.unit) in units:
            return True
        person = values.get(entity.owner or "created_by") if entity.name != "user" else values
        return person is not None and _link(person, "unit") in units

    def _team_mates(self, owner: int) -> sa.Select[Any]:
        mates = self.tables.join_table("team", "members")
        teams = sorted(self.user.team_ids)
        led = self.tables.table("team")
        leads = sa.exists(sa.select(sa.literal(1)).where(led.c.leader == owner, led.c.id.in_(teams)))
        member = sa.exists(sa.select(sa.literal(1)).where(mates.c.value == owner, mates.c.record_id.in_(teams)))
        return sa.select(sa.literal(1)).where(sa.or_(leads, member))

    def _share_of(self, entity: Entity, operation: str, record_id: int) -> sa.Select[Any]:
        table = alias_of(self.tables.table(entity.name))
        shared = self._shared(entity, operation, table)
        return sa.select(sa.literal(1)).select_from(table).where(table.c.id == record_id, shared)

    def _exists(self, statement: sa.Select[Any]) -> bool:
        return self.session.connection.execute(statement.limit(1)).first() is not None


def owner_column(entity: Entity) -> str:
    """The column that says whose record it is: the declared owner, else who created it; a user is his own."""
    if entity.name == "user":
        return "id"
    if entity.owner is None:
        return "created_by"
    return entity.fields[entity.owner].column or entity.owner


def sql_context(session: Session, *, guarded: bool = False, environment: Environment | None = None) -> SqlContext:
    """The context expressions are compiled in; `guarded` for those a user wrote."""
    access = Access(session) if guarded else None
    return SqlContext(
        tables=session.tables,
        environment=environment or session.environment(),
        user_id=session.user.id,
        guard=None if access is None or access.superuser else access.guard,
        mask=None if access is None or access.superuser else access.masks.shown,
    )


def _rights(session: Session) -> Rights:
    memo = session.tables.memo
    key = ("rights", frozenset(session.user.roles))
    found = memo.get(key)
    if found is None:
        found = memo[key] = Rights(session.app, session.user.roles)
    return found


def _one(name: str, value: Any) -> sa.BindParameter[int]:
    return sa.bindparam(name, value=value, type_=sa.BigInteger)


def _many(name: str, values: Any) -> sa.BindParameter[int]:
    """An empty list is false, never everything (SQLAlchemy renders an empty set)."""
    return sa.bindparam(name, value=sorted(values), type_=sa.BigInteger, expanding=True)


def _link(values: Values, name: str) -> Any:
    """The id a link holds; a record of the record layer says it without loading the target."""
    raw = getattr(values, "raw", None)
    if raw is not None:
        return raw(name)
    target = values.get(name)
    return None if target is None else target.get("id")


__all__ = ["NO_RIGHTS", "Access", "owner_column", "sql_context"]
