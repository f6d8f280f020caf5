"""Grouped queries: figures over the records one user may report on, by dimensions reached over links to one record.

Nothing here joins to many: what a figure reads of lines or related records is a correlated subquery, or sums would
double. Grouping by a link groups by the id; the titles are looked up for the groups found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from rules.expression import Expression
from rules.tree import Aggregate, Node
from runtime.errors import BadQuery, NotFound
from runtime.query.dialects import Term, dialect
from runtime.query.expressions import condition, field_value, value
from runtime.query.select import resolve
from runtime.records.plan import plan_of
from runtime.schema.aliases import alias_of
from runtime.schema.tables import column_name, is_column
from runtime.security.access import Access, sql_context

if TYPE_CHECKING:
    from runtime.site import Session

MOST_GROUPS = 10_000
BUCKETS = ("day", "week", "month", "quarter", "year")
_UNGROUPABLE = frozenset({"json", "children", "choices", "links", "any_link"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """`path` of field names; `bucket` cuts a date or moment to the first day of its day, week, month, quarter, year."""

    path: tuple[str, ...]
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """What is asked: the figures are bare aggregates over the group (`rules.tree.Aggregate` without a collection)."""

    entity: str
    dimensions: tuple[Dimension, ...] = ()
    figures: tuple[Aggregate, ...] = ()
    where: tuple[Expression, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limit: int = MOST_GROUPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """`keys` and `figures` by group, in no particular order. `fields` are those the dimensions end at.

    `cut`: there are more groups than asked for.
    """

    keys: list[tuple[Any, ...]]
    figures: list[tuple[Any, ...]]
    fields: tuple[Field, ...]
    cut: bool


def run_grouped(session: Session, asked: Grouped) -> Groups:
    """Runs one statement. `NotFound` where one may not report on the entity, `BadQuery` for a path one may not see."""
    access = Access(session)
    if not access.can(asked.entity, "read") or not access.can(asked.entity, "report"):
        raise NotFound
    builder = _Builder(session, access, asked)
    statement, fields = builder.build()
    rows = session.connection.execute(statement, access.binds()).all()
    cut = len(rows) > asked.limit
    width = len(asked.dimensions)
    kept = rows[: asked.limit]
    return Groups(
        keys=[tuple(row[:width]) for row in kept], figures=[tuple(row[width:]) for row in kept], fields=fields, cut=cut
    )


class _Builder:
    def __init__(self, session: Session, access: Access, asked: Grouped) -> None:
        self.session = session
        self.access = access
        self.asked = asked
        self.table = plan_of(session, asked.entity).table
        environment = session.environment(parameters=dict(asked.parameters))
        # A report shows what its reader may see: his predicates go into every subquery.
        self.context = sql_context(session, guarded=True, environment=environment)
        self.froms: sa.FromClause = self.table
        self.aliases: dict[tuple[str, ...], sa.FromClause] = {}

    def build(self) -> tuple[sa.Select[Any], tuple[Field, ...]]:
        found = [self._dimension(d) for d in self.asked.dimensions]
        keys = [element.label(f"octavo_g{n}") for n, (element, _) in enumerate(found)]
        figures = [self._figure(f).label(f"octavo_f{n}") for n, f in enumerate(self.asked.figures)]
        statement = sa.select(*keys, *figures).select_from(self.froms).where(*self._wheres())
        if keys:
            # By label: PostgreSQL takes an expression with bound values for another one each time it stands there.
            statement = statement.group_by(*(sa.text(k.name) for k in keys)).limit(self.asked.limit + 1)
        return statement, tuple(member for _, member in found)

    def _wheres(self) -> list[sa.ColumnElement[bool]]:
        wheres: list[sa.ColumnElement[bool]] = [self.table.c.deleted_at.is_(None)]
        for operation in ("read", "report"):
            rows = self.access.predicate(self.asked.entity, operation, self.table)
            if rows is not None:
                wheres.append(rows)
        return [*wheres, *(condition(e, self.table, self.context) for e in self.asked.where)]

    def _figure(self, node: Aggregate) -> sa.ColumnElement[Any]:
        return value(_expression(node, self.asked.entity), self.table, self.context)

    def _dimension(self, dimension: Dimension) -> tuple[sa.ColumnElement[Any], Field]:
        pairs = resolve(self.session, self.access, self.asked.entity, dimension.path)
        entity, member = pairs[-1]
        if member.storage in _UNGROUPABLE or member.type in ("related", "secret"):
            raise BadQuery("unknown_field", field=".".join(dimension.path))
        alias = self._reach(dimension.path[:-1], [m for _, m in pairs])
        element = self._element(entity, member, alias)
        return (self._cut(element, member, dimension.bucket) if dimension.bucket else element), member

    def _element(self, entity: str, member: Field, alias: sa.FromClause) -> sa.ColumnElement[Any]:
        if is_column(member):
            return self.access.masks.shown(entity, member.name, alias, alias.c[column_name(member)])
        return field_value(entity, member.name, alias, self.context)

    def _reach(self, path: Sequence[str], members: Sequence[Field]) -> sa.FromClause:
        """The alias of the record at the end of the path; one the user may not read counts as nothing."""
        here: sa.FromClause = self.table
        entity = self.asked.entity
        for depth, name in enumerate(path, 1):
            member = members[depth - 1]
            target = member.to or "user"
            if tuple(path[:depth]) not in self.aliases:
                link = self._element(entity, member, here)
                alias = alias_of(plan_of(self.session, target).table)
                rows = self.access.predicate(target, "read", alias)
                on = alias.c.id == link
                self.froms = self.froms.outerjoin(alias, on if rows is None else sa.and_(on, rows))
                self.aliases[tuple(path[:depth])] = alias
            here, entity = self.aliases[tuple(path[:depth])], target
            assert name == member.name
        return here

    def _cut(self, element: sa.ColumnElement[Any], member: Field, bucket: str) -> sa.ColumnElement[Any]:
        """The first day of the bucket a date or moment falls into, by the site's own calendar."""
        q = dialect(self.context.dialect, self.context.environment)
        term = Term(element, member.value_type)
        day = q.business_date(term) if member.value_type.kind == "datetime" else term
        return day.element if bucket == "day" else q.start_of(day, q.text(bucket)).element


def _expression(node: Node, entity: str) -> Expression:
    return Expression(text="", tree=node, type=node.type, entity=entity)
