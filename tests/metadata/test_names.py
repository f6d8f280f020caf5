"""Hostile names, texts and callables in metadata: refused with a line, or quoted text and nothing more."""

from __future__ import annotations

import pytest

from metadata.compiler import Compiled
from tests.metadata.kit import VISIT, codes, compiled, places

HOSTILE = [
    "x'); DROP TABLE users; --", 'x"y', "x;y", "a" * 64, "__class__", "a__b", "a_", "名称", "😀", "Order", "ORDER",
    "x y", "x-y", "1x", "", "x\u202ey",
]  # fmt: skip
RESERVED = ["None", "class", "user", "this", "old", "params", "import"]


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\u202e", "\\u202e") + '"'


@pytest.mark.attack("N42")
@pytest.mark.parametrize("name", [*HOSTILE, *RESERVED, "metadata", "reports"])
def test_hostile_entity_names_are_refused_with_a_line(name: str) -> None:
    found = compiled(f"entity: {quoted(name)}\nfields: {{a: text}}\n")
    assert found.errors
    assert all(p.place.line == 1 for p in found.errors)
    assert found.application is None


@pytest.mark.attack("N42")
@pytest.mark.parametrize("name", [*filter(None, HOSTILE), *RESERVED, "id", "created_at", "version"])
def test_hostile_field_names_are_refused_with_a_line(name: str) -> None:
    found = compiled(f"entity: a\nfields:\n  good: text\n  {quoted(name)}: text\n")
    assert found.errors
    assert all(p.place.line == 4 for p in found.errors)
    assert found.application is not None
    assert name not in [f.name for f in found.application.entity("a").own_fields]


@pytest.mark.attack("N42")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_choice_names_are_refused(name: str) -> None:
    found = compiled(f"options: a\nchoices:\n  good: {{}}\n  {quoted(name)}: {{}}\n")
    assert found.errors
    assert all(p.place.line == 4 for p in found.errors)


@pytest.mark.attack("N42")
def test_sql_words_and_twins_are_names_like_others() -> None:
    found = compiled(
        "entity: select\nfields: {table: text, order: text, values: text, metadata: text, registry: text}\n"
    )
    assert codes(found) == []


@pytest.mark.attack("N40")
@pytest.mark.parametrize(
    "part",
    [
        'columns: ["amount) from user--"]',
        'group: ["subject; drop table visit"]',
        'measures: {m: "sum(hours) from user--"}',
        'where: "1=1; drop table visit"',
        'sort: ["-subject desc, (select 1)"]',
        'columns: [{field: "(select password from user)"}]',
    ],
)
def test_sql_in_reports_is_refused_at_its_line(part: str) -> None:
    measures = "" if "measures" in part or "columns" in part else 'measures: {n: "count()"}\n'
    found = compiled(f"{VISIT}---\nreport: r\nfrom: visit\n{measures}{part}\n")
    line = VISIT.count("\n") + (5 if measures else 4)
    assert {p.place.line for p in found.errors} == {line}


@pytest.mark.attack("N43")
@pytest.mark.parametrize("key", ["sql", "query", "raw", "join", "table", "column"])
def test_there_is_no_place_for_raw_sql(key: str) -> None:
    assert (
        codes(compiled(f"entity: a\n{key}: select 1\nfields: {{b: {{type: text, {key}: x}}}}\n"))
        == ["shape.unknown_key"] * 2
    )


@pytest.mark.attack("N52")
@pytest.mark.parametrize(
    "expression",
    [
        "os.system('ls')",
        "__import__('os')",
        "subject.__class__",
        "().__class__",
        "eval('1')",
        "open('/etc/passwd')",
        "rules.functions.x()",
    ],
)
def test_callables_outside_the_registry_are_refused(expression: str) -> None:
    found = compiled(f'{VISIT}checks: [{{name: c, must: "{expression}"}}]\n')
    assert found.errors
    assert all(p.code.startswith("expression.") for p in found.errors)
    assert all(p.place.line == VISIT.count("\n") + 1 for p in found.errors)


@pytest.mark.attack("N54", "T17")
@pytest.mark.parametrize("pattern", ["(a+)+\\\\1", "(?=a)b", "(?<!x)y", "[", "(?P<x>a)(?P=x)"])
def test_patterns_that_can_blow_up_are_refused(pattern: str) -> None:
    assert codes(compiled(f'entity: a\nfields: {{b: {{type: text, pattern: "{pattern}"}}}}\n')) == ["field.pattern"]


def test_places_inside_escaped_and_folded_expressions() -> None:
    found = compiled(
        'entity: a\nfields:\n  b: {type: integer, formula: "\\u0031 + nmae"}\n'
        "  c:\n    type: integer\n    formula: >-\n      1 +\n      nmae\n  d: {type: text, formula: 'nmae + ''x'''}\n"
    )
    assert places(found) == [
        ("expression.unknown_name", 3, 41),
        ("expression.unknown_name", 8, 7),
        ("expression.unknown_name", 9, 29),
    ]


def test_full_width_signs_get_a_suggestion() -> None:
    found: Compiled = compiled(f'{VISIT}checks: [{{name: c, must: "hours （ 1"}}]\n')
    assert found.errors[0].code.startswith("expression.")
    assert found.errors[0].place.column == 33
