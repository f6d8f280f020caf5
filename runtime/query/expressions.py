"""The typed tree of an expression as SQL, for a whole set of records. It means exactly what `rules.evaluate` does.

What needs no row (today, the person, parameters, written values) is evaluated in Python beforehand and bound. A
comparison with nothing is false: `coalesce(…, false)` says so, except where NULL does as well, so that indexes serve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.model import Field as FieldModel
from rules.evaluate import run
from rules.expression import Expression
from rules.lowering import Frame, lower
from rules.tree import (
    Aggregate,
    Arithmetic,
    Base,
    Call,
    Compare,
    Conditional,
    Field,
    IsNothing,
    Items,
    Logic,
    Measure,
    Membership,
    Negative,
    Node,
    Not,
    Parameter,
    Property,
    Row,
    branches,
    joined,
    summands,
)
from rules.typing import BOOLEAN, INTEGER, Type, decimal, record
from runtime.query.dialects import Dialect, Element, Term, dialect, number
from runtime.query.sql_context import NoSqlTwin, SqlContext, is_known, reads_now
from runtime.schema.aliases import alias_of
from runtime.schema.tables import RATE_COLUMN, RATE_SCALE, column_name, is_column, is_many

_RATE = decimal(RATE_SCALE)


def condition(expression: Expression, table: sa.FromClause, context: SqlContext) -> Element:
    """The WHERE clause: true exactly for the records for which `holds` says so.

    A top-level conjunct that reads a parameter the environment does not have is dropped (an optional parameter).
    """
    compiler = _compiler(expression, table, context)
    tree = expression.tree
    conjuncts = tree.operands if isinstance(tree, Logic) and tree.operator == "and" else (tree,)
    given = context.environment.parameters
    kept = [c for c in conjuncts if all(n.name in given for n in c.walk() if isinstance(n, Parameter))]
    return sa.and_(sa.true(), *(compiler.condition(c, strict=False) for c in kept))


def value(expression: Expression, table: sa.FromClause, context: SqlContext) -> Element:
    """The expression as a column; its SQLAlchemy type gives the Python value that `evaluate` gives."""
    compiler = _compiler(expression, table, context)
    term = compiler.value(expression.tree)
    return compiler.q.typed(term.element, term.type).element if term.known else term.element


def assigned(expression: Expression, target: Type, table: sa.FromClause, context: SqlContext) -> Element:
    """The expression as a field of type `target` stores it: rounded to its scale, nothing where it does not fit."""
    compiler = _compiler(expression, table, context)
    return compiler.assign(compiler.value(expression.tree), target).element


def field_value(entity: str, name: str, table: sa.FromClause, context: SqlContext) -> Element:
    """A field's column, or its live formula or lookup written out. KeyError where there is no such field."""
    compiler = _Compiler(context, ((entity, table),))
    return compiler.field(context.app.entities[entity].fields[name], entity, table).element


def sort_value(expression: Expression, table: sa.FromClause, context: SqlContext) -> Element:
    """What sorts as the expression's values do."""
    compiler = _compiler(expression, table, context)
    return compiler.q.sort_key(compiler.value(expression.tree))


def _compiler(expression: Expression, table: sa.FromClause, context: SqlContext) -> _Compiler:
    rows = ((expression.entity, table),) if expression.entity else ()
    return _Compiler(context, rows)


class _Compiler:
    """`rows` are the entity and alias of each record at hand, the innermost first."""

    def __init__(self, context: SqlContext, rows: tuple[tuple[str, sa.FromClause], ...]) -> None:
        self.context = context
        self.rows = rows
        self.q: Dialect = dialect(context.dialect, context.environment)

    # values known beforehand

    def _known(self, node: Node) -> Term:
        moments = self.context.moments
        if moments is not None and node.type.kind == "datetime" and reads_now(node):
            bind = moments.bind(node, self.context, len(self.rows), self.q)
            return Term(bind, node.type, True)
        given = self.context.given
        if given is not None and isinstance(node, Parameter):
            late = given.bind(node, self.context.environment.parameters[node.name], self.q)
            if late is not None:
                return Term(late, node.type, True)
        return self.q.literal(self._raw(node), node.type)

    def _raw(self, node: Node) -> Any:
        if self.context.moments is not None and reads_now(node):
            self.context.moments.baked = True
        if self.context.given is not None and any(isinstance(n, Parameter) for n in node.walk()):
            self.context.given.baked = True
        rows = (*(None for _ in self.rows), self.context.outer)
        frame = Frame(rows=rows, environment=self.context.environment, run=run)
        return run(lower(node, self.context.functions), frame)

    def _asks(self, node: Node) -> bool:
        """Whether it is a field of the record that asks, which no table of this statement holds."""
        while isinstance(node, Field):
            node = node.base
        return isinstance(node, Row) and node.level >= len(self.rows)

    # conditions

    def condition(self, node: Node, *, strict: bool) -> Element:
        """True or false; where not `strict`, NULL may stand for false."""
        if is_known(node):
            return sa.true() if self._known(node).value is True else sa.false()
        match node:
            case Logic():
                parts = [self.condition(o, strict=strict) for o in node.operands]
                return sa.and_(*parts) if node.operator == "and" else sa.or_(*parts)
            case Not():
                return sa.not_(self.condition(node.operand, strict=True))
            case IsNothing():
                return self._is_nothing(node)
            case Aggregate() if node.function in ("any", "all") and node.collection is not None:
                return self._exists(node)
            case Compare():
                found = self.q.compare(node.operator, self.value(node.left), self.value(node.right))
            case Membership():
                found = self._membership(node)
            case Property() if node.type.kind == "boolean":
                chosen = [choice for choice, held in node.values if held is True]
                found = self.value(node.operand).element.in_(chosen)
            case Conditional():
                test = self.condition(node.test, strict=True)
                then, otherwise = (self.condition(n, strict=True) for n in (node.then, node.otherwise))
                return sa.or_(sa.and_(test, then), sa.and_(sa.not_(test), otherwise))
            case _:
                found = self.value(node).element
        return self._false_if_nothing(found) if strict else found

    @staticmethod
    def _false_if_nothing(element: Element) -> Element:
        return sa.func.coalesce(element, sa.false(), type_=sa.Boolean())

    def _is_nothing(self, node: IsNothing) -> Element:
        if node.operand.type.kind == "multi_select" and isinstance(node.operand, Field):
            some = self._choice_exists(node.operand, None)
            return some if node.negated else sa.not_(some)
        element = self.value(node.operand).element
        return element.is_not(None) if node.negated else element.is_(None)

    def _membership(self, node: Membership) -> Element:
        container = node.container
        if isinstance(container, Items):
            return self._among(node.item, container.items, node.negated)
        if is_known(container):
            held = self._raw(container)
            if container.type.kind == "date_range":
                return self._within(node.item, held, node.negated)
            return self._held(node.item, held or (), node.negated)
        item = self.value(node.item).element
        if not isinstance(container, Field):
            raise NoSqlTwin(node.container.type.kind)
        if container.type.kind == "multi_select":
            found = self._choice_exists(container, item)
        else:
            inner, link = self._members(container)
            child = inner.rows[0][1]
            found = sa.select(number(1)).where(child.c.id == item, *link).correlate_except(*inner.froms).exists()
        return sa.and_(item.is_not(None), sa.not_(found)) if node.negated else found

    def _among(self, item: Node, items: tuple[Node, ...], negated: bool) -> Element:
        term = self.value(item)
        if not term.type.numeric and all(is_known(i) for i in items):
            return self._held(item, [self._raw(i) for i in items], negated)
        operator = "!=" if negated else "=="
        parts = [self.q.compare(operator, term, self.value(i)) for i in items]
        return sa.and_(*parts) if negated else sa.or_(*parts)

    def _held(self, item: Node, held: Any, negated: bool) -> Element:
        term = self.value(item)
        values = [self.q.literal(h, term.type).element for h in held if h is not None]
        if negated and len(values) < len(held):
            return sa.false()
        if not values:
            return term.element.is_not(None) if negated else sa.false()
        return term.element.not_in(values) if negated else term.element.in_(values)

    def _within(self, item: Node, period: Any, negated: bool) -> Element:
        day = self.value(item)
        if period is None:
            return sa.false()
        start, end = period
        parts: list[Element] = [day.element.is_not(None)]
        if start is not None:
            parts.append(day.element >= self.q.literal(start, day.type).element)
        if end is not None:
            parts.append(day.element <= self.q.literal(end, day.type).element)
        inside = sa.and_(*parts)
        return sa.and_(day.element.is_not(None), sa.not_(inside)) if negated else inside

    def _choice_exists(self, node: Field, item: Element | None) -> Element:
        model = self.context.app.entities[node.entity].fields[node.name]
        if not is_many(model):
            raise NoSqlTwin(f"{node.entity}.{node.name}")
        join = alias_of(self.context.tables.pairs(node.entity, node.name))
        wanted = [join.c.record_id == self.identity(node.base)]
        if item is not None:
            wanted.append(join.c.value == item)
        return sa.select(number(1)).select_from(join).where(*wanted).correlate_except(join).exists()

    # values

    def value(self, node: Node) -> Term:
        if is_known(node) or self._asks(node):
            return self._known(node)
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:  # a condition; NOT binds less than IS NULL and =, and nobody else sets brackets
            return self.q.typed(sa.sql.elements.Grouping(self.condition(node, strict=True)), BOOLEAN)
        term: Term = method(node)
        return term

    def _Row(self, node: Row) -> Term:  # noqa: N802 - named after the node
        return Term(self.rows[node.level][1].c.id, node.type, True)

    def _Field(self, node: Field) -> Term:  # noqa: N802
        model = self.context.app.entities[node.entity].fields[node.name]
        if isinstance(node.base, Row):
            return self.field(model, node.entity, self.rows[node.base.level][1])
        return self._hop(node.base, node.entity, node.type, lambda inner, alias: inner.field(model, node.entity, alias))

    def _hop(self, base: Node, entity: str, type_: Type, read: Callable[[_Compiler, sa.FromClause], Term]) -> Term:
        """What `read` finds in the record that `base` stands for: a subquery by its id."""
        alias = alias_of(self.context.tables.table(entity))
        inner = self._inside(entity, alias)
        term = read(inner, alias)
        picked = sa.select(term.element).select_from(alias).where(alias.c.id == self.identity(base))
        guarded = picked.where(*self._guards(entity, alias)).correlate_except(alias)
        return self.q.typed(guarded.scalar_subquery(), term.type)

    def _inside(self, entity: str, alias: sa.FromClause) -> _Compiler:
        return _Compiler(self.context, ((entity, alias), *self.rows))

    def _guards(self, entity: str, alias: sa.FromClause) -> list[Element]:
        found = self.context.guard(entity, alias) if self.context.guard else None
        return [] if found is None else [found]

    def identity(self, node: Node) -> Element:
        return self.value(node).element

    def field(self, model: FieldModel, entity: str, alias: sa.FromClause) -> Term:
        """A field of the row that `alias` stands for."""
        type_ = model.value_type
        if is_column(model):
            column = self._masked(model.name, entity, alias, alias.c[column_name(model)])
            return Term(column, replace(type_, digits=min(type_.digits, 18)) if type_.scale else type_, True)
        free = replace(self.context, guard=None, mask=None) if model.formula else self.context
        inner = _Compiler(free, ((entity, alias),))
        if model.formula is not None:
            found = inner.assign(inner.value(model.formula.tree), type_)
            return replace(found, element=self._masked(model.name, entity, alias, found.element))
        if model.of:
            return inner.value(self._path(entity, model.of))
        raise NoSqlTwin(f"{entity}.{model.name}")

    def _masked(self, name: str, entity: str, alias: sa.FromClause, element: Element) -> Element:
        """What a user's expression reads of the field: nothing in the rows that mask it from them."""
        return element if self.context.mask is None else self.context.mask(entity, name, alias, element)

    def _path(self, entity: str, path: tuple[str, ...]) -> Node:
        """The tree of a path of field names from the row at hand."""
        node: Node = Row(type=record(entity))
        for name in path:
            holder = node.type.entity or ""
            type_ = self.context.app.entities[holder].fields[name].value_type
            node = Field(base=node, entity=holder, name=name, type=type_)
        return node

    def assign(self, term: Term, target: Type) -> Term:
        if term.type.numeric and target.numeric:
            assigned_term = self.q.assign(term, target)
            return self.q.typed(assigned_term.element, target, assigned_term.plain)
        if target.kind == "text" and term.type.kind == "text":
            return self.q.typed(sa.func.nullif(term.element, ""), target)
        return self.q.literal(None, target) if term.type.kind == "nothing" else term

    def _Measure(self, node: Measure) -> Term:  # noqa: N802
        return self.q.typed(self.context.measures[node.name], node.type)

    def _Property(self, node: Property) -> Term:  # noqa: N802
        chosen = self.value(node.operand).element
        cases = [(c, self.q.literal(v, node.type).element) for c, v in node.values if v is not None]
        if not cases:
            return self.q.literal(None, node.type)
        return self.q.typed(sa.case(*((chosen == c, v) for c, v in cases)), node.type)

    def _Negative(self, node: Negative) -> Term:  # noqa: N802
        return self.q.negative(self.value(node.operand))

    def _Arithmetic(self, node: Arithmetic) -> Term:  # noqa: N802
        if node.operator in ("+", "-"):
            return self.q.total([(sign, self.value(n)) for sign, n in summands(node)], node.type)
        return self.q.arithmetic(node.operator, self.value(node.left), self.value(node.right), node.type)

    def _Conditional(self, node: Conditional) -> Term:  # noqa: N802
        *pairs, otherwise = branches(node)
        tests = [self.condition(n, strict=False) for n in pairs[::2]]
        return self.q.choose(tests, [self.value(n) for n in pairs[1::2]], self.value(otherwise))

    def _Call(self, node: Call) -> Term:  # noqa: N802
        if node.function == "concat":
            return self.q.concat(*(self.value(n) for n in joined(node)))
        function = self.context.functions.get(node.function, node.overload)
        if function.sql is None:
            raise NoSqlTwin(node.function)
        made: Term = function.sql(self.q, *(self.value(a) for a in node.arguments))
        return made

    def _Base(self, node: Base) -> Term:  # noqa: N802
        operand = node.operand
        if isinstance(operand, Field) and operand.base == node.record:
            model = self.context.app.entities[operand.entity].fields[operand.name]
            if is_column(model):
                return self._of_record(node.record, f"{column_name(model)}__base", operand.type, model.name)
        rate = self._of_record(node.record, RATE_COLUMN, _RATE)
        return self.q.product_rounded(self.value(operand), rate, node.type)

    def _of_record(self, base: Node, column: str, type_: Type, name: str = "") -> Term:
        """A physical column of a record, beside the field `name`."""
        entity = base.type.entity or ""

        def read(_inner: _Compiler, alias: sa.FromClause) -> Term:
            return Term(self._masked(name, entity, alias, alias.c[column]), type_, True)

        if isinstance(base, Row):
            return read(self, self.rows[base.level][1])
        return self._hop(base, entity, type_, read)

    # aggregates

    def _Aggregate(self, node: Aggregate) -> Term:  # noqa: N802
        if not isinstance(node.collection, Field):
            return self._grouped(node)
        if node.function in ("any", "all"):
            return self.q.typed(self._exists(node), BOOLEAN)
        inner, link = self._members(node.collection)
        where = [*link, *inner.where(node)]
        if node.function in ("first", "last"):
            return self._ordered(node, inner, where)
        if node.function == "count":
            term = Term(sa.func.count(), INTEGER)
        else:
            assert node.value is not None  # the checker saw to it
            term = inner.q.aggregate(node.function, inner.own(node.value), node.type)
        picked = sa.select(term.element).select_from(inner.joined).where(*where).correlate_except(*inner.froms)
        return self.q.typed(picked.scalar_subquery(), node.type)

    def where(self, node: Aggregate) -> list[Element]:
        return [] if node.where is None else [self.condition(node.where, strict=False)]

    def _exists(self, node: Aggregate) -> Element:
        assert isinstance(node.collection, Field)  # the callers saw to it
        inner, link = self._members(node.collection)
        picked = sa.select(number(1)).select_from(inner.joined).where(*link)
        if node.function == "any":
            return picked.where(*inner.where(node)).correlate_except(*inner.froms).exists()
        assert node.where is not None  # the checker saw to it
        unmet = sa.not_(inner.condition(node.where, strict=True))
        return sa.not_(picked.where(unmet).correlate_except(*inner.froms).exists())

    def _ordered(self, node: Aggregate, inner: _MemberCompiler, where: list[Element]) -> Term:
        assert node.value is not None  # the checker saw to it
        term, identity = inner.value(node.value), inner.rows[0][1].c.id
        order: list[Element] = [identity]
        if node.by is not None:
            order.insert(0, inner.q.sort_key(inner.value(node.by)))
        down = node.function == "last"
        keys = [o.desc().nulls_last() if down else o.asc().nulls_first() for o in order]
        picked = sa.select(term.element).select_from(inner.joined).where(*where, term.element.is_not(None))
        limited = picked.order_by(*keys).limit(sa.literal_column("1")).correlate_except(*inner.froms)
        return self.q.typed(limited.scalar_subquery(), term.type)

    def _members(self, node: Field) -> tuple[_MemberCompiler, list[Element]]:
        """The compiler inside a collection, and what ties its members to the record and makes them count."""
        context, app = self.context, self.context.app
        model = app.entities[node.entity].fields[node.name]
        target = node.type.entity or model.entity or model.to or ""
        child = alias_of(context.tables.table(target))
        owner = self.identity(node.base)
        froms: list[sa.FromClause] = [child]
        if is_many(model):
            pair = alias_of(context.tables.pairs(node.entity, node.name))
            froms.append(pair)
            link = [pair.c.record_id == owner, pair.c.value == child.c.id]
        else:
            link = self._back(app, model, node.entity, target, child, owner)
        if "deleted_at" in child.c:
            link.append(child.c.deleted_at.is_(None))
        inner = _MemberCompiler(context, ((target, child), *self.rows), tuple(froms))
        return inner, [*link, *self._guards(target, child)]

    @staticmethod
    def _back(
        app: Application, model: FieldModel, entity: str, target: str, child: sa.FromClause, owner: Element
    ) -> list[Element]:
        parent = app.entities[target].parent
        by = model.by or (parent[1] if parent else None)
        if by is None:
            raise NoSqlTwin(f"{entity}.{model.name}")
        back = app.entities[target].fields[by]
        link = [child.c[column_name(back)] == owner]
        if back.storage == "any_link":
            link.append(child.c[f"{column_name(back)}__entity"] == entity)
        return link

    def _grouped(self, node: Aggregate) -> Term:
        """Over the rows of the enclosing SELECT: a measure of a report."""
        met = None if node.where is None else self.condition(node.where, strict=True)
        if node.function == "count":
            counted = sa.func.count() if met is None else sa.func.count(sa.case((met, number(1))))
            return Term(counted, INTEGER)
        if node.function in ("any", "all"):
            return self._grouped_truth(node, met)
        assert node.value is not None  # the checker saw to it
        term = self.value(node.value)
        if met is not None:
            term = replace(term, element=sa.case((met, term.element)), plain=False)
        return self.q.aggregate(node.function, term, node.type)

    def _grouped_truth(self, node: Aggregate, met: Element | None) -> Term:
        if met is None:
            return Term(sa.func.count() > number(0), BOOLEAN)
        counted = sa.case((met if node.function == "any" else sa.not_(met), number(1)))
        found = sa.func.count(counted) > number(0)
        return Term(found if node.function == "any" else sa.not_(found), BOOLEAN)


class _MemberCompiler(_Compiler):
    """Inside a collection: `froms` are the members' alias and the alias of the pair where there is one."""

    def __init__(
        self,
        context: SqlContext,
        rows: tuple[tuple[str, sa.FromClause], ...],
        froms: tuple[sa.FromClause, ...],
    ) -> None:
        super().__init__(context, rows)
        self.froms = froms

    def own(self, node: Node) -> Term:
        """The value, as one of this row: SQL takes an aggregate of outer columns alone for the outer query's."""
        term = self.value(node)
        rows = [n for n in node.walk() if isinstance(n, Row)]
        if rows and all(r.level == 0 for r in rows):
            return term
        element = sa.case((self.rows[0][1].c.id != number(0), term.element))  # IS NOT NULL would be optimised away
        return self.q.typed(element, term.type)

    @property
    def joined(self) -> sa.FromClause:
        made: sa.FromClause = self.froms[0]
        for other in self.froms[1:]:
            made = made.join(other, sa.true())
        return made


__all__ = [
    "NoSqlTwin",
    "SqlContext",
    "assigned",
    "condition",
    "field_value",
    "is_known",
    "sort_value",
    "value",
]
