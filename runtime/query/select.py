"""The one way to build a SELECT on an entity: columns, titles of links, filters, sorting, pages, access in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from metadata.model import Application, Field, Sort
from rules.errors import ExpressionError
from rules.expression import Expression, parse
from rules.messages import phrase
from rules.typing import BOOLEAN, Type
from runtime.errors import BadQuery, NotFound
from runtime.query import cursor, search
from runtime.query.daily import is_daily
from runtime.query.expressions import condition, field_value
from runtime.query.paging import CAP, Binds, Prepared
from runtime.query.sql_context import Given, Moments
from runtime.query.titles import title_element, titles_of
from runtime.records.plan import EntityPlan, plan_of
from runtime.schema.aliases import alias_of
from runtime.schema.tables import column_name, is_column, is_many, sort_column
from runtime.security.access import Access, sql_context

if TYPE_CHECKING:
    from runtime.site import Session

LONGEST_PAGE = 5000
_UNSORTABLE = frozenset({"json", "children", "choices", "links", "any_link"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A page of an entity.

    `where` are expressions a user wrote (they see what the user sees); `rules` are written in metadata (they see all
    rows). `select` are paths over links; without any, just ids. `page` counts from 1 and excludes `cursor`.
    """

    entity: str
    select: tuple[str, ...] = ()
    where: tuple[Expression, ...] = ()
    rules: tuple[Expression, ...] = ()
    sort: tuple[Sort, ...] = ()
    limit: int = 50
    cursor: str | None = None
    page: int | None = None
    count: Literal["exact", "capped"] | None = None
    q: str | None = None
    deleted: bool = False
    operation: str = "read"  # also "export", "report"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)  # parameters of `where` that are numbers or days
    ids: tuple[int, ...] | None = None  # only these records


@dataclass(slots=True)
class Row:
    """`values` by path; `titles` of links by path: None where the linked record is not for this user to see."""

    id: int
    version: int
    values: dict[str, Any]
    titles: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    key: str
    entity: str
    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`next` is the cursor of the following page. `count_capped`: there are more than `count`."""

    rows: list[Row]
    next: str | None
    count: int | None
    count_capped: bool
    columns: tuple[ColumnInfo, ...]


def run(session: Session, query: Query) -> Page:
    """The page asked for. Raises `NotFound` for an entity one may not read, `BadQuery` for anything else amiss."""
    access = Access(session)
    _checked(session, access, query)
    words = search.bound(session, plan_of(session, query.entity), query.q, access) if query.q else None
    prepared = _prepared(session, access, query, words)
    binds = Binds(access.binds, {} if query.ids is None else {"query_ids": query.ids})
    if words is not None:
        binds.own[search.BIND] = words
    if prepared.moments.binds:
        binds.own |= prepared.moments.at(session.environment())
    if query.given:
        binds.own |= prepared.given.at(query.given)
    raw = prepared.rows(session.connection, binds, query.limit, query.page, query.cursor)
    more = len(raw) > query.limit
    raw = raw[: query.limit]
    rows = _rows(prepared, raw)
    _add_joined(session, access, prepared, rows)
    count, capped = _count(session, query, prepared, binds, len(raw), more)
    following = None
    if more and query.page is None:
        last = raw[-1][-len(prepared.keys) :] if prepared.keys else ()
        following = cursor.encode(last, raw[-1][0])
    return Page(rows=rows, next=following, count=count, count_capped=capped, columns=prepared.columns)


def parse_where(session: Session, entity: str, text: str, types: Mapping[str, Type] | None = None) -> Expression:
    """A condition a user wrote. Raises `BadQuery` with the position; a hidden field is an unknown name.

    `types` are those of the parameters it names, whose values come with the query (`given`).
    """
    access = Access(session)
    memo = session.tables.area("parsed conditions")
    key = (entity, text, access.shape, frozenset(types.items()) if types else None)
    if key not in memo:
        known = access.visible
        try:
            memo[key] = parse(
                text, schema=session.app, entity=entity, expected=BOOLEAN, visible=known, parameters=types
            )
        except ExpressionError as error:
            first = error.problems[0]
            detail = phrase(first, session.language)
            raise BadQuery(detail=detail, start=first.start, end=first.end, problem=first.code) from None
    return memo[key]


def parse_sort(session: Session, entity: str, text: str) -> tuple[Sort, ...]:
    """`-amount,name` as sorts. Raises `BadQuery` for a field that is unknown, hidden or cannot be sorted."""
    sorts = []
    for part in (p.strip() for p in text.split(",")):
        if part:
            path = tuple(part.lstrip("-+").split("."))
            resolve(session, Access(session), entity, path)
            sorts.append(Sort(path=path, descending=part.startswith("-")))
    return tuple(sorts)


def resolve(session: Session, access: Access, entity: str, path: Sequence[str]) -> tuple[tuple[str, Field], ...]:
    """The (entity, field) pairs of a path. Raises `BadQuery` alike for what is unknown and what is hidden."""
    found: list[tuple[str, Field]] = []
    here: str | None = entity
    for name in path:
        member = session.app.entities[here].fields.get(name) if here else None
        readable = here is not None and (here == entity or access.can(here, "read"))
        if member is None or member.retired or here is None or not readable or not access.visible(here, name):
            raise BadQuery("unknown_field", field=".".join(path))
        found.append((here, member))
        here = member.to if member.storage == "link" else _lookup_target(session.app, here, member)
    return tuple(found)


def _lookup_target(app: Application, entity: str, member: Field) -> str | None:
    """A lookup of a link leads to what that link leads to."""
    return member.value_type.entity if member.type == "lookup" and member.value_type.kind == "record" else None


# --- preparing -----------------------------------------------------------------------------------------------------


def _checked(session: Session, access: Access, query: Query) -> None:
    entity = session.app.entities.get(query.entity)
    if entity is None or entity.retired or not access.can(query.entity, "read"):
        raise NotFound()
    if not access.can(query.entity, query.operation):
        raise NotFound()
    if not 1 <= query.limit <= LONGEST_PAGE or (query.page is not None and not 1 <= query.page <= 10**7):
        raise BadQuery("bad_page")


def _prepared(session: Session, access: Access, query: Query, words: str | None) -> Prepared:
    memo = session.tables.area("selects")
    key = (query.entity, query.select, query.where, query.rules, query.sort, query.deleted, query.operation)
    usable = (not query.q or words is not None) and not query.parameters
    whole = (*key, words is None, query.ids is None, session.today, access.shape)
    if usable and whole in memo:
        return memo[whole]
    prepared = _Builder(session, access, query).build()
    if usable and prepared.fixed:
        memo[whole] = prepared
    return prepared


class _Builder:
    def __init__(self, session: Session, access: Access, query: Query) -> None:
        self.session = session
        self.access = access
        self.query = query
        self.plan: EntityPlan = plan_of(session, query.entity)
        self.table = self.plan.table
        environment = session.environment(parameters=query.parameters) if query.parameters else session.environment()
        self.moments = Moments()
        self.context = replace(sql_context(session, environment=environment), moments=self.moments)
        self.given = Given()
        if query.given:
            environment = session.environment(parameters={**query.parameters, **query.given})
        self.guarded = replace(sql_context(session, guarded=True, environment=environment), given=self.given)
        self.froms: sa.FromClause = self.table
        self.aliases: dict[tuple[str, ...], sa.FromClause] = {}
        self.fixed = not query.parameters

    def build(self) -> Prepared:
        elements: list[sa.ColumnElement[Any]] = [self.table.c.id, self.table.c.version]
        columns: list[ColumnInfo] = []
        plain: list[str] = []
        titled: list[str] = []
        joined: list[ColumnInfo] = []
        any_links: list[str] = []
        titles: list[sa.ColumnElement[Any]] = []
        for key in dict.fromkeys(self.query.select):
            pairs = resolve(self.session, self.access, self.query.entity, key.split("."))
            entity, member = pairs[-1]
            info = ColumnInfo(key, entity, member)
            columns.append(info)
            if is_many(member) and len(pairs) == 1:
                joined.append(info)
                continue
            if member.storage in ("children", "choices", "links") or member.type == "related":
                raise BadQuery("unknown_field", field=key)
            alias = self._reach(key.split(".")[:-1], pairs)
            elements.append(self._element(entity, member, alias))
            plain.append(key)
            if member.storage == "any_link":
                kind = alias.c[f"{column_name(member)}__entity"]
                elements.append(self.access.masks.shown(entity, member.name, alias, kind))
                any_links.append(key)
            elif target := _record_of(member):
                titles.append(self._link_title(key.split("."), member, target, elements[-1]))
                titled.append(key)
        keys = [self._sort(sort) for sort in self.query.sort]
        wheres = self._wheres()
        identity = self.table.c.id
        down = keys[-1][1] if keys else False
        statement = sa.select(*elements, *titles, *(k[0] for k in keys)).select_from(self.froms).where(*wheres)
        dialect = self.session.site.dialect
        order = [cursor.order(e, d, dialect) for e, d, _ in keys]
        order.append(identity.desc() if down else identity.asc())
        counted = sa.select(sa.literal(1).label("one")).select_from(self.table).where(*wheres)
        fixed = self.fixed and not self.moments.baked and not self.given.baked
        shown = (tuple(columns), plain, titled, joined, any_links)
        return Prepared(statement, counted, keys, identity, order, *shown, fixed, self.moments, self.given)

    def _element(self, entity: str, member: Field, alias: sa.FromClause) -> sa.ColumnElement[Any]:
        if is_column(member):
            return self.access.masks.shown(entity, member.name, alias, alias.c[column_name(member)])
        self._note(entity, member)
        found = field_value(entity, member.name, alias, self.context)
        return self.access.masks.shown(entity, member.name, alias, found)

    def _note(self, entity: str, member: Field) -> None:
        self.fixed = self.fixed and is_daily(self.session.app, entity, member)

    def _reach(self, path: Sequence[str], pairs: Sequence[tuple[str, Field]]) -> sa.FromClause:
        """The alias of the record a path of links ends at; one the user may not read is as if it were not there."""
        here: sa.FromClause = self.table
        for depth, name in enumerate(path, 1):
            step = tuple(path[:depth])
            entity, member = pairs[depth - 1]
            if step not in self.aliases:
                target = _record_of(member)
                if target is None:
                    raise BadQuery("unknown_field", field=".".join(path))
                link = self._element(entity, member, here)
                self.aliases[step] = self._join(target, link, step)
            here = self.aliases[step]
            assert name == member.name
        return here

    def _join(self, target: str, link: sa.ColumnElement[Any], step: tuple[str, ...]) -> sa.FromClause:
        memo = self.session.tables.memo  # an alias knows all columns of its table: made once per path
        key = ("alias", self.query.entity, step, target)
        alias: sa.FromClause | None = memo.get(key)
        if alias is None:
            alias = memo[key] = alias_of(plan_of(self.session, target).table)
        on = alias.c.id == link
        # Files have no rights of their own: who reads the record and the field, reads what is in it.
        rows = None if target == "file" else self._predicate(target, "read", alias)
        self.froms = self.froms.outerjoin(alias, on if rows is None else sa.and_(on, rows))
        return alias

    def _link_title(
        self, path: list[str], member: Field, target: str, link: sa.ColumnElement[Any]
    ) -> sa.ColumnElement[Any]:
        step = tuple(path)
        if step not in self.aliases:
            self.aliases[step] = self._join(target, link, step)
        title_name = self.session.app.entities[target].title
        found = self.session.app.entities[target].fields.get(title_name)
        if found is not None:
            self._note(target, found)
        return title_element(self.session, self.access, target, self.aliases[step], self.context)

    def _predicate(self, entity: str, operation: str, alias: sa.FromClause) -> sa.ColumnElement[bool] | None:
        scope = self.access.rights(entity).operations.get(operation)
        if scope is not None and any(e.live for e in scope.expressions):
            self.fixed = False
        return self.access.predicate(entity, operation, alias)

    def _wheres(self) -> list[sa.ColumnElement[bool]]:
        query, table = self.query, self.table
        wheres: list[sa.ColumnElement[bool]] = []
        wheres.append(table.c.deleted_at.is_not(None) if query.deleted else table.c.deleted_at.is_(None))
        for operation in dict.fromkeys(("read", query.operation)):
            rows = self._predicate(query.entity, operation, table)
            if rows is not None:
                wheres.append(rows)
        for expression in query.where:
            self.fixed = self.fixed and not expression.live and not expression.collections
            wheres.append(condition(expression, table, self.guarded))
        for expression in query.rules:
            self.fixed = self.fixed and not expression.live
            wheres.append(condition(expression, table, self.context))
        if query.q and query.q.strip():
            hidden = self.access.hidden(query.entity)
            wheres.append(search.among(self.session, self.plan, query.q, hidden, table))
        if query.ids is not None:
            wheres.append(
                table.c.id.in_(sa.bindparam("query_ids", value=list(query.ids), expanding=True, type_=sa.BigInteger))
            )
        return wheres

    def _sort(self, sort: Sort) -> tuple[sa.ColumnElement[Any], bool, bool]:
        pairs = resolve(self.session, self.access, self.query.entity, sort.path)
        entity, member = pairs[-1]
        if member.storage in _UNSORTABLE or member.type in ("related", "secret"):
            raise BadQuery("unknown_field", field=".".join(sort.path))
        alias = self._reach(sort.path[:-1], pairs)
        element = self._sort_element(entity, member, alias, sort.path)
        nullable = len(sort.path) > 1 or not (member.system and member.name in ("id", "created_at", "updated_at"))
        return element, sort.descending, nullable

    def _sort_element(
        self, entity: str, member: Field, alias: sa.FromClause, path: tuple[str, ...]
    ) -> sa.ColumnElement[Any]:
        target = _record_of(member)
        if target is not None:
            described = self.session.app.entities[target]
            title = described.fields.get(described.title)
            step = tuple(path)
            if step not in self.aliases:
                self.aliases[step] = self._join(target, self._element(entity, member, alias), step)
            if title is None or title.name in self.access.hidden(target) or _record_of(title):
                return self.aliases[step].c.id
            return self._sort_element(target, title, self.aliases[step], (*path, title.name))
        if is_column(member):
            column = sort_column(self.session.app.entities[entity], member)
            if column != column_name(member):
                return self.access.masks.shown(entity, member.name, alias, alias.c[column])
        element = self._element(entity, member, alias)
        if member.options and member.options in self.session.app.options and member.storage == "text":
            choices = self.session.app.options[member.options].choices
            if choices:
                return sa.case(*((element == c.name, i) for i, c in enumerate(choices)), else_=sa.null())
        return element


def _record_of(member: Field) -> str | None:
    """The entity a single-record field leads to."""
    if member.storage == "link":
        return member.to or "user"
    return member.value_type.entity if member.storage == "none" and member.value_type.kind == "record" else None


# --- running -------------------------------------------------------------------------------------------------------


def _rows(prepared: Prepared, raw: Sequence[Any]) -> list[Row]:
    if not prepared.any_links:
        plain, titled = prepared.plain, prepared.titled
        end = 2 + len(plain)
        last = end + len(titled)
        return [Row(r[0], r[1], dict(zip(plain, r[2:end])), dict(zip(titled, r[end:last]))) for r in raw]
    rows: list[Row] = []
    names: list[str | None] = []
    for key in prepared.plain:
        names.append(key)
        if key in prepared.any_links:
            names.append(None)
    end = 2 + len(names)
    last = end + len(prepared.titled)
    for r in raw:
        values: dict[str, Any] = {}
        for place, name in enumerate(names, 2):
            if name is not None:
                values[name] = r[place]
        for key in prepared.any_links:
            place = 2 + names.index(key)
            values[key] = None if r[place] is None else (r[place + 1], r[place])
        rows.append(Row(r[0], r[1], values, dict(zip(prepared.titled, r[end:last]))))
    return rows


def _add_joined(session: Session, access: Access, prepared: Prepared, rows: list[Row]) -> None:
    """Values of join tables and titles of links to one of several entities: a statement per column."""
    ids = [row.id for row in rows]
    for info in prepared.joined:
        table = session.tables.pairs(info.entity, info.field.name)
        found: dict[int, list[Any]] = {}
        for start in range(0, len(ids), 500):
            wanted = sa.select(table.c.record_id, table.c.value).where(table.c.record_id.in_(ids[start : start + 500]))
            for record_id, value in session.connection.execute(wanted.order_by(table.c.record_id, table.c.value)):
                found.setdefault(record_id, []).append(value)
        order = _choice_order(session.app, info.field)
        for row in rows:
            row.values[info.key] = tuple(order(found.get(row.id, [])))
        if info.field.storage == "links":
            _titles_of_many(session, info, rows)
    for key in prepared.any_links:
        _titles_of_any(session, key, rows)


def _choice_order(app: Application, member: Field) -> Callable[[list[Any]], list[Any]]:
    if member.options not in app.options:
        return lambda values: values
    places = {c.name: i for i, c in enumerate(app.options[member.options or ""].choices)}
    return lambda values: sorted(values, key=lambda v: places.get(v, len(places)))


def _titles_of_many(session: Session, info: ColumnInfo, rows: list[Row]) -> None:
    every = sorted({i for row in rows for i in row.values[info.key]})
    titles = titles_of(session, info.field.to or "", every)
    for row in rows:
        row.titles[info.key] = tuple(titles.get(i) for i in row.values[info.key])


def _titles_of_any(session: Session, key: str, rows: list[Row]) -> None:
    by_entity: dict[str, set[int]] = {}
    for row in rows:
        if row.values[key] is not None:
            by_entity.setdefault(row.values[key][0], set()).add(row.values[key][1])
    known = {e: titles_of(session, e, sorted(ids)) for e, ids in by_entity.items() if e in session.app.entities}
    for row in rows:
        pair = row.values[key]
        row.titles[key] = None if pair is None else known.get(pair[0], {}).get(pair[1])


def _count(
    session: Session, query: Query, prepared: Prepared, binds: Binds, got: int, more: bool
) -> tuple[int | None, bool]:
    if query.count is None:
        return None, False
    first = query.cursor is None and query.page in (None, 1)
    if first and not more:
        return got, False
    number = prepared.count(session.connection, binds, query.count)
    return (number, False) if query.count == "exact" else (min(number, CAP), number > CAP)
