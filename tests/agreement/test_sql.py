"""What SQL adds to meaning: access inside subqueries, live fields written out, measures, indexes, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.frozen import FrozenMap
from metadata.model import Application
from rules.evaluate import evaluate, finish
from rules.expression import Expression, check, parse
from rules.numbers import fit
from rules.typing import INTEGER, MONEY, TEXT, decimal
from runtime.query.expressions import (
    NoSqlTwin,
    SqlContext,
    assigned,
    condition,
    field_value,
    sort_value,
    value,
)
from runtime.schema.tables import Tables
from tests.agreement.harness import Bench, bench, parsed
from tests.agreement.sample import PARAMETERS, made, sample


@pytest.fixture
def on(database_url: str) -> Iterator[Bench]:
    with bench(database_url, seed=9) as made_bench:
        yield made_bench


def rows(on: Bench, element: sa.ColumnElement[Any]) -> list[Any]:
    statement = sa.select(element).select_from(on.account).order_by(on.account.c.id)
    with on.engine.connect() as connection:
        return list(connection.execute(statement).scalars())


def text_of(element: sa.ColumnElement[Any], on: Bench) -> str:
    return str(element.compile(dialect=on.engine.dialect))


def with_live_fields(app: Application) -> Application:
    """The sample with formulas that are computed at reading, one on top of the other."""
    account = app.entities["account"]
    net = parse("revenue * (100 - share) / 100", schema=app, entity="account", expected=MONEY)
    fields = dict(account.fields)
    fields["net"] = made("net", MONEY, formula=net, computed="live", storage="none")
    first = replace(app, entities=FrozenMap({**app.entities, "account": replace(account, fields=FrozenMap(fields))}))
    rank = parse("floor(net / 1000) + deals.count(score > this.size)", schema=first, entity="account")
    fields["rank"] = made("rank", INTEGER, formula=rank, computed="live", storage="none")
    return replace(app, entities=FrozenMap({**app.entities, "account": replace(account, fields=FrozenMap(fields))}))


def test_live_fields_are_written_out(on: Bench) -> None:
    app = with_live_fields(on.data.app)
    context = SqlContext(tables=Tables(app, on.tables.dialect), environment=on.environment)
    net = app.entities["account"].fields["net"].formula
    assert net is not None
    expected = [fit(evaluate(net, r, on.environment), MONEY) for r in on.records]
    assert rows(on, field_value("account", "net", on.account, context)) == expected
    nets = parse("parent.net", schema=app, entity="account")
    parents = [r.row["parent"] for r in on.records]
    assert rows(on, value(nets, on.account, context)) == [expected[p - 1] if p else None for p in parents]
    ranked = parse("rank > 3", schema=app, entity="account")
    assert ranked.live
    assert ranked.reads == {("account", "rank")}
    with on.engine.connect() as connection:
        connection.execute(sa.select(on.account.c.id).where(condition(ranked, on.account, context))).all()


def test_lookups_follow_their_path(on: Bench) -> None:
    expected = [None if (o := r.get("owner")) is None else o.row["unit"] for r in on.records]
    assert rows(on, field_value("account", "owner_unit", on.account, on.context)) == expected


def test_the_guard_stands_in_every_subquery_and_hop(on: Bench) -> None:
    """What a person may not see counts as not there; formulas of metadata see everything."""

    def guard(entity: str, alias: sa.FromClause) -> sa.ColumnElement[bool] | None:
        return {"deal": alias.c.id < 20, "user": alias.c.id != 3}.get(entity) if entity in ("deal", "user") else None

    guarded = replace(on.context, guard=guard)
    counts = rows(on, value(parsed("deals.count()"), on.account, guarded))
    deals = [[d for d in r.members("deals") if d.row["id"] < 20] for r in on.records]
    assert counts == [len(d) for d in deals]
    names = rows(on, value(parsed("owner.name"), on.account, guarded))
    owners = [r.get("owner") for r in on.records]
    assert names == [None if o is None or o.row["id"] == 3 else o.row["name"] for o in owners]
    nested = parsed("deals.any(seller.name is not None)")
    expected = [any((s := d.get("seller")) and s.row["id"] != 3 and s.row["name"] for d in group) for group in deals]
    assert rows(on, value(nested, on.account, guarded)) == [bool(e) for e in expected]
    member = [any(f.row["id"] == r.row["owner"] for f in r.members("friends")) for r in on.records]
    hidden = [found and r.row["owner"] != 3 for found, r in zip(member, on.records)]
    assert rows(on, value(parsed("owner in friends"), on.account, guarded)) == hidden


def test_formulas_of_metadata_are_not_guarded(on: Bench) -> None:
    app = with_live_fields(on.data.app)
    context = SqlContext(
        tables=Tables(app, on.tables.dialect), environment=on.environment, guard=lambda _e, _a: sa.false()
    )
    free = replace(context, guard=None)
    ranks = [rows(on, field_value("account", "rank", on.account, c)) for c in (context, free)]
    assert ranks[0] == ranks[1]


def test_a_condition_leaves_columns_bare_for_indexes(on: Bench) -> None:
    found = text_of(condition(parsed("size > 5 and stage == 'won' and revenue >= 1000"), on.account, on.context), on)
    assert "coalesce" not in found.lower()
    assert "account.revenue >= " in found
    assert "account.revenue *" not in found


def test_a_negated_condition_counts_nothing_as_false(on: Bench) -> None:
    expression = parsed("not (size > 5)")
    expected = [r.row["id"] for r in on.records if r.row["size"] is None or r.row["size"] <= 5]
    assert on.where(condition(expression, on.account, on.context)) == expected


def test_no_text_of_the_author_reaches_sql(on: Bench) -> None:
    text = "name == \"x' OR 1=1 --\" and note in ('); DROP TABLE account; --', 'b')"
    found = text_of(condition(parsed(text), on.account, on.context), on)
    assert "DROP" not in found
    assert "OR 1=1" not in found
    assert on.where(condition(parsed(text), on.account, on.context)) == []


def test_an_absent_parameter_drops_its_conjunct(on: Bench) -> None:
    expression = parsed("size > 0 and born in params.period")
    given = {k: v for k, v in on.environment.parameters.items() if k != "period"}
    context = replace(on.context, environment=replace(on.environment, parameters=given))
    expected = [r.row["id"] for r in on.records if (r.row["size"] or 0) > 0]
    assert on.where(condition(expression, on.account, context)) == expected


def test_hostile_parameters_meet_nothing(on: Bench) -> None:
    """A text no database can hold, and a number no integer can, are compared without an error."""
    for word in ("\x00", "a\x00b", "\ud800"):
        context = replace(on.context, environment=replace(on.environment, parameters={"word": word}))
        assert on.where(condition(parsed("name == params.word"), on.account, context)) == []
    context = replace(on.context, environment=replace(on.environment, parameters={"gone": 10**40}))
    assert on.where(condition(parsed("size < params.gone"), on.account, context)) == []


def test_assigned_rounds_to_the_scale_of_the_field(on: Bench) -> None:
    for text, target in [("revenue / 3", decimal(2, 10)), ("rate * 1000", INTEGER), ("size", decimal(1, 4))]:
        expression = parsed(text)
        expected = [fit(evaluate(expression, r, on.environment), target) for r in on.records]
        assert rows(on, assigned(expression, target, on.account, on.context)) == expected, text
    emptied = rows(on, assigned(parsed("'' if active else name"), TEXT, on.account, on.context))
    assert emptied == [None if r.row["active"] else r.row["name"] for r in on.records]


def test_sorting_puts_nothing_lowest_and_wide_numbers_in_order(on: Bench) -> None:
    expression = parsed("revenue * rate")
    key = sort_value(expression, on.account, on.context)
    statement = sa.select(on.account.c.id).order_by(key.asc().nulls_first(), on.account.c.id)
    with on.engine.connect() as connection:
        found = list(connection.execute(statement).scalars())
    values = {r.row["id"]: evaluate(expression, r, on.environment) for r in on.records}
    assert found == sorted(values, key=lambda i: (values[i] is not None, values[i] or 0, i))


def measure(app: Application, text: str, **measures: Any) -> Expression:
    return parse(text, schema=app, entity="deal", mode="measures", measures=measures, parameters=PARAMETERS)


def test_measures_aggregate_freely_and_build_on_each_other(on: Bench) -> None:
    """Money of records in their own currencies counts in base currency."""
    app, deal = on.data.app, on.tables.table("deal")
    total = measure(app, "sum(amount)")
    deals = measure(app, "count()")
    won = measure(app, "count(stage == 'won')")
    context = on.context
    elements = {"total": value(total, deal, context), "deals": value(deals, deal, context)}
    average = measure(app, "total / deals", total=total.type, deals=deals.type)
    columns = [
        *elements.values(),
        value(won, deal, context),
        value(average, deal, replace(context, measures=elements)),
        value(measure(app, "max(score)"), deal, context),
        value(measure(app, "avg(amount, stage.closed)"), deal, context),
    ]
    with on.engine.connect() as connection:
        found = connection.execute(sa.select(*columns)).one()
    everything = on.data.rows["deal"]
    bases = [d["amount__base"] for d in everything if d["amount__base"] is not None]
    assert found[0] == sum(bases)
    assert found[1:3] == (len(everything), sum(1 for d in everything if d["stage"] == "won"))
    assert found[3] == finish(Decimal(sum(bases)) / len(everything), average.type)
    assert found[4] == max(d["score"] for d in everything if d["score"] is not None)


def test_money_against_a_plain_number_counts_in_base_currency(on: Bench) -> None:
    for text in ("deals.count(amount > 1000)", "deals.count(amount * 2 > 1000)", "deals.sum(amount)"):
        expression = parsed(text)
        expected = [evaluate(expression, r, on.environment) for r in on.records]
        assert rows(on, value(expression, on.account, on.context)) == expected
    by_hand = [sum(1 for d in r.members("deals") if (d.row["amount__base"] or 0) > 1000) for r in on.records]
    assert rows(on, value(parsed("deals.count(amount > 1000)"), on.account, on.context)) == by_hand


def test_a_function_without_a_twin_says_so(on: Bench) -> None:
    with pytest.raises(NoSqlTwin, match="is_uscc"):
        condition(parsed("is_uscc(name)"), on.account, on.context)


SHAPES = [
    ("size", "{} + points"),
    ("rate", "{} + price"),
    ("size", "{} * points"),
    ("size", "(1 if {} > 3 else 2)"),
    ("size", "1 if active else {}"),
    ("size", "min({} + 1, points)"),
    ("size", "(7 % ({} + 1))"),
    ("rate", "round({} / 3, 2)"),
    ("name", "lower({})"),
    ("name", "{} + note"),
    ("born", "({} + months(1))"),
    ("active", "(not ({} == vip))"),
    ("active", "contains(name, text(1 if {} else 2))"),
]


@pytest.mark.parametrize(("start", "shape"), SHAPES, ids=[shape for _, shape in SHAPES])
def test_what_is_accepted_runs_however_deep_it_nests(on: Bench, start: str, shape: str) -> None:
    """Guards write an operand once, so that a statement grows with the text; the rest is refused when checked."""
    accepted, text = None, start
    for _ in range(110):
        text = shape.format(text)
        expression, problems = check(text, schema=on.data.app, entity="account", parameters=PARAMETERS)
        if expression is None:
            assert problems[0].code in ("too_complex", "too_deep", "too_long")
            break
        accepted = expression
    assert accepted is not None
    assert on.differences([accepted]) == []
    assert len(text_of(value(accepted, on.account, on.context), on)) < 120 * len(accepted.text)


def test_sample_is_whole() -> None:
    assert set(sample().entities) == {"account", "deal", "item", "unit", "user"}
