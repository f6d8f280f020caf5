"""Parsing, messages, functions, traces and pickling of the expression language."""

from __future__ import annotations

import pickle
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import rules
from rules.errors import ExpressionError, ExpressionProblem
from rules.evaluate import evaluate, holds
from rules.expression import check, parse
from rules.messages import MESSAGES, phrase
from rules.registry import Function, FunctionRegistry, Integer, Number, functions, rule_function
from rules.trace import Trace
from rules.typing import DATE, INTEGER, MONEY, TEXT, Type, record, select
from tests.rules.sample import APP, Record, codes, environment, parsed, run


@pytest.mark.parametrize(
    ("text", "code", "part", "hint"),
    [
        ("siz > 3", "unknown_name", "siz", "size"),
        ("size > 3 and staeg == 'won'", "unknown_name", "staeg", "stage"),
        ("owner.nmae", "unknown_name", "owner.nmae", "name"),
        ("stage == 'wno'", "unknown_choice", "'wno'", "won"),
        ("size = 3", "habit", "=", "=="),
        ("深圳 == 3", "bad_name", "深圳", None),
        ("name == '深圳' and siz > 3", "unknown_name", "siz", "size"),
        ("upper(size)", "argument_type", "size", "text(…)"),
        ("uper(name)", "unknown_function", "uper", "upper"),
        ("len()", "argument_count", "len()", None),
        ("items.cuont()", "unknown_aggregate", "items.cuont", "count"),
        ("stage.colsed", "unknown_property", "stage.colsed", "closed"),
        ("params.perio", "unknown_parameter", "params.perio", "period"),
        ("name == None", "compared_with_nothing", "name == None", "is None"),
        ("born > '2026-01-02'", "types_differ", "born > '2026-01-02'", "date(2026, 1, 2)"),
        ("born + 3", "no_arithmetic", "born + 3", "days(…)"),
        ("name + 3", "no_arithmetic", "name + 3", "text(…)"),
        ("start_of(born, 'mont')", "argument_value", "'mont'", "month"),
        ("round(rate, size)", "argument_constant", "size", None),
        ("round(rate, 11)", "argument_value", "11", None),
        ("items.price", "collection_needs_function", "items.price", ".count()"),
        ("owner == parent", "other_entity", "owner == parent", None),
        ("owner == 3", "types_differ", "owner == 3", ".id"),
        ("name.upper()", "no_methods", "name.upper", "upper(…)"),
        ("size in (1, None)", "nothing_in_list", "None", "is None"),
        ("(1, 2)", "list_without_in", "(1, 2)", None),
        ("size is 3", "is_only_none", "size is 3", "=="),
        ("(size > 3", "unclosed", "(", None),
        ("size > 3)", "unopened", ")", None),
        ("size >", "syntax", None, None),
        ("", "empty", "", None),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_hint(text: str, code: str, part: str | None, hint: str | None) -> None:
    from tests.agreement.sample import PARAMETERS

    expression, problems = check(text, schema=APP, entity="account", parameters=PARAMETERS)
    assert expression is None
    found = problems[0]
    assert (found.code, found.hint) == (code, hint)
    if part is not None:
        assert text[found.start : found.end] == part


def test_all_mistakes_are_reported_at_once() -> None:
    assert codes("siz > 3 and stag == 'won' and staeg == 2") == ["unknown_name"] * 3
    with pytest.raises(ExpressionError) as caught:
        parse("siz > 3", schema=APP, entity="account")
    assert [p.code for p in caught.value.problems] == ["unknown_name"]


def test_the_place_decides_the_type() -> None:
    def problems(text: str, expected: Type) -> list[str]:
        return [p.code for p in check(text, schema=APP, entity="account", expected=expected)[1]]

    assert problems("size / 3", MONEY) == []
    assert problems("'won' if active else 'lost'", select("stage")) == []
    assert problems("'won' if active else 'lots'", select("stage")) == ["unknown_choice"]
    assert problems("owner", record("user")) == []
    assert problems("owner", record("unit")) == ["wrong_result"]
    assert problems("size", TEXT) == ["wrong_result"]
    assert problems("None", DATE) == []


def test_every_code_has_a_message_in_both_languages() -> None:
    folder = Path(rules.__path__[0])
    source = "".join(p.read_text(encoding="utf-8") for p in folder.glob("*.py") if p.name != "messages.py")
    used = set(re.findall(r'(?:fail|warn|problem|_add|mismatch)\(\s*(?:[\w.\[\]]+,\s*)?"([a-z_]+)"', source))
    assert used - {"operator"} <= set(MESSAGES), used - set(MESSAGES)
    for code in MESSAGES:
        problem = ExpressionProblem(code=code, params={}, hint="x")
        assert phrase(problem, "zh") != phrase(problem, "en")


def test_every_function_has_help_in_both_languages() -> None:
    for name in functions().names():
        helps = [f.help for f in functions().overloads(name) if f.help]
        assert helps, name
        assert all({"zh", "en"} <= set(h) for h in helps), name


def test_the_core_functions_are_there() -> None:
    promised = """today now date days months days_between months_between workdays_between add_workdays year quarter
        month weekday start_of end_of abs round floor ceil min max coalesce len lower upper trim contains starts_with
        ends_with text number has_role in_unit convert"""
    assert set(promised.split()) <= set(functions().names())
    assert all(f.sql for name in promised.split() for f in functions().overloads(name))


def test_a_registered_function_runs_and_covers_by_layer() -> None:
    registry = FunctionRegistry(functions())

    @rule_function("twice", args=[Number], returns=INTEGER, layer="package", registry=registry)
    def twice(number: int) -> int:
        return number * 2

    rule_function("twice", args=[Integer], returns=INTEGER, layer="site", registry=registry)(lambda n: n * 20)
    expression = parse("twice(size)", schema=APP, entity="account", functions=registry)
    env = environment(functions=registry)
    assert evaluate(expression, Record(id=1, size=2), env) == 40
    assert codes("twice(size)") == ["unknown_function"]
    assert isinstance(registry.get("twice", 0), Function)


def test_a_body_that_fails_answers_nothing() -> None:
    registry = FunctionRegistry(functions())
    rule_function("broken", args=[Integer], returns=INTEGER, registry=registry)(lambda n: n // 0)
    expression = parse("broken(size)", schema=APP, entity="account", functions=registry)
    assert evaluate(expression, Record(id=1, size=2), environment(functions=registry)) is None


def test_errors_of_the_record_itself_are_not_hidden() -> None:
    class Away(Record):
        def get(self, name: str) -> object:
            raise KeyError("the database is away")

    with pytest.raises(KeyError, match="away"):
        evaluate(parsed("size > 1"), Away(), environment())


def test_a_trace_tells_operands_before_results_and_only_what_was_looked_at() -> None:
    trace = Trace()
    expression = parsed("size > 3 and revenue / 3 > 2 or active")
    assert evaluate(expression, Record(id=1, size=1, revenue=Decimal(9), active=True), environment(), trace=trace)
    assert [(s.text, s.value) for s in trace.steps] == [
        ("size", 1),
        ("size > 3", False),
        ("size > 3 and revenue / 3 > 2", False),
        ("active", True),
        ("size > 3 and revenue / 3 > 2 or active", True),
    ]
    assert trace.as_data()[0] == {"text": "size", "start": 0, "end": 4, "depth": 3, "value": 1}


def test_an_expression_survives_pickling() -> None:
    expression = parsed("items.sum(price * quantity) > 3 and born >= today() - days(30)")
    record_ = Record(id=1, born=date(2026, 11, 20), items=[Record(id=1, price=Decimal(2), quantity=Decimal(2))])
    assert holds(expression, record_, environment())
    again = pickle.loads(pickle.dumps(expression))
    assert again.tree == expression.tree
    assert again.reads == expression.reads
    assert holds(again, record_, environment())


def test_nothing_is_read_that_is_not_needed() -> None:
    class Counting(Record):
        read: list[str] = []

        def get(self, name: str) -> object:
            self.read.append(name)
            return super().get(name)

    record_ = Counting(id=1, size=1)
    assert not holds(parsed("size > 3 and revenue > 1"), record_, environment())
    assert record_.read == ["size"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text(1.50)", "1.5"),
        ("text(100)", "100"),
        ("text(0.00)", "0"),
        ("text(date(2026, 1, 2))", "2026-01-02"),
        ("number(' 3')", None),
        ("number('-3.50')", Decimal("-3.5")),
        ("trim('　x ')", "x"),
        ("upper('straße')", "STRAßE"),
        ("lower('ÀÉ')", "àé"),
        ("len('深圳')", 2),
        ("quarter(date(2026, 5, 1))", 2),
        ("end_of(date(2024, 2, 1), 'month')", date(2024, 2, 29)),
        ("start_of(date(2026, 11, 22), 'week')", date(2026, 11, 16)),
        ("end_of(date(9999, 12, 31), 'week')", None),
        ("months_between(date(2026, 1, 31), date(2026, 2, 28))", 0),
        ("months_between(date(2026, 3, 1), date(2026, 1, 1))", -2),
        ("floor(-1.5) + ceil(-1.5)", -3),
        ("max(1, 2.5, 2)", Decimal("2.5")),
        ("0.1 * 3", Decimal("0.3")),
        ("1_000_000 - 1", 999_999),
        ("'a' < 'b' < 'c'", True),
        ("3 in (1, 2, 3)", True),
        ("True if None is None else False", True),
    ],
)
def test_functions_and_literals(text: str, expected: object) -> None:
    assert run(text) == expected
