"""One statement of many expressions on a database, compared with Python row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from rules.evaluate import evaluate
from rules.expression import Expression, check
from rules.tree import Aggregate, Arithmetic, Call, Compare, Logic, Membership, Node
from runtime.query.expressions import SqlContext, value
from runtime.query.sqlite_functions import install
from runtime.schema.tables import Tables
from tests.agreement.generate import Generator
from tests.agreement.sample import PARAMETERS, Data, environment, fill, sample

BATCH = 40
APP = sample()


def engine_for(url: str) -> sa.Engine:
    """An engine with what a site's connections have."""
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        if engine.dialect.name == "sqlite":
            install(raw)
        else:
            raw.execute("SET jit = off")
            raw.commit()

    return engine


class Bench:
    """Sample rows in a database, and the same rows in Python."""

    def __init__(self, engine: sa.Engine, seed: int = 1) -> None:
        self.engine = engine
        self.data: Data = fill(APP, seed)
        self.environment = environment(self.data)
        self.tables = Tables(APP, engine.dialect.name)
        self.account = self.tables.table("account")
        self.context = SqlContext(tables=self.tables, environment=self.environment)
        self.records = [self.data.values("account", row["id"]) for row in self.data.rows["account"]]
        self.tables.metadata.create_all(engine)
        with engine.begin() as connection:
            self.data.insert(connection, self.tables)

    def python(self, expression: Expression) -> list[Any]:
        return [evaluate(expression, record, self.environment) for record in self.records]

    def sql(self, expressions: Sequence[Expression]) -> list[list[Any]]:
        """The values of each expression for every account, in one statement."""
        columns = [value(e, self.account, self.context).label(f"c{i}") for i, e in enumerate(expressions)]
        statement = sa.select(*columns).select_from(self.account).order_by(self.account.c.id)
        with self.engine.connect() as connection:
            rows = connection.execute(statement).all()
        return [[row[i] for row in rows] for i in range(len(expressions))]

    def where(self, clause: sa.ColumnElement[bool]) -> list[int]:
        """Ids of the accounts that meet a condition."""
        statement = sa.select(self.account.c.id).where(clause).order_by(self.account.c.id)
        with self.engine.connect() as connection:
            return list(connection.execute(statement).scalars())

    def differences(self, expressions: Sequence[Expression]) -> list[str]:
        """What Python and the database answer differently; an error of the database counts as such."""
        try:
            found = self.sql(expressions)
        except sa.exc.DBAPIError as error:
            if len(expressions) == 1:
                return [f"{expressions[0].text}: {error.orig}"]
            return [d for e in expressions for d in self.differences([e])]
        return [d for e, values in zip(expressions, found) for d in self._compared(e, values)]

    def _compared(self, expression: Expression, found: list[Any]) -> Iterator[str]:
        expected = self.python(expression)
        for row, (ours, theirs) in enumerate(zip(expected, found, strict=True), 1):
            if ours != theirs or type(ours) is not type(theirs):
                yield f"{expression.text}: row {row}: Python {ours!r}, SQL {theirs!r}"
                return


@contextmanager
def bench(url: str, seed: int = 1) -> Iterator[Bench]:
    engine = engine_for(url)
    try:
        yield Bench(engine, seed)
    finally:
        engine.dispose()


def parsed(text: str) -> Expression:
    expression, problems = check(text, schema=APP, entity="account", parameters=PARAMETERS)
    assert expression is not None, (text, problems)
    return expression


def generated(seed: int, count: int) -> Iterator[Expression]:
    """`count` random expressions that check; the generator may write a few that do not."""
    generator, made = Generator(seed), 0
    while made < count:
        text = generator.expression()
        if len(text) > 3000:
            continue
        expression, _ = check(text, schema=APP, entity="account", parameters=PARAMETERS)
        if expression is not None:
            made += 1
            yield expression


def coverage(expression: Expression) -> Iterator[str]:
    """The names of the operators, functions and aggregates in an expression."""
    for node in expression.tree.walk():
        yield from _covered(node)


def _covered(node: Node) -> Iterator[str]:
    match node:
        case Call():
            yield f"{node.function}/{node.overload}"
        case Aggregate():
            yield f".{node.function}{' where' if node.where else ''}{' by' if node.by else ''}"
        case Compare():
            yield f"{node.operator} {node.left.type.kind}"
        case Arithmetic():
            yield f"{node.operator} {node.type.kind}"
        case Membership():
            yield f"{'not ' if node.negated else ''}in {node.container.type.kind}"
        case Logic():
            yield node.operator
        case _:
            yield type(node).__name__


def nothing_positions(expression: Expression, values: Sequence[Any]) -> Iterator[str]:
    """The kind of the result where it came out as nothing for some row."""
    if any(v is None for v in values):
        yield f"nothing of {type(expression.tree).__name__}"


def tally(expressions: Sequence[Expression]) -> Counter[str]:
    return Counter(name for e in expressions for name in set(coverage(e)))
