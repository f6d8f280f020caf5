"""Forms for people outside that make no sense: each problem at its place."""

from __future__ import annotations

import pytest

from metadata.compiler import Compiled
from metadata.packages import platform
from tests.metadata.kit import compiled

WORLD = """\
entity: ask
fields:
  name: {type: text, required: true}
  note: long_text
  agreed: boolean
  cost: {type: money, sensitive: true}
  size: {type: integer, formula: "len(name)"}
  fixed: {type: text, readonly: true}
  source: {type: text, required: true}
  paper: file
  lines: {type: lines, entity: ask_line}
---
entity: ask_line
fields: {text: text, ask: {type: link, to: ask, required: true}}
---
role: outside
grants: {ask: {create: all, hide: [note]}}
---
role: boss
admin: true
---
role: reader
grants: {ask: {read: all}}
---
web_form: contact
entity: ask
"""
REST = "set: {source: site}\n"


def told(text: str) -> list[tuple[str, int, int]]:
    found: Compiled = compiled(WORLD + text, below=(platform(),))
    return [(p.code, p.place.line, p.place.column) for p in found.problems if p.severity == "error"]


def test_a_form_that_makes_sense_has_no_problem() -> None:
    assert told("as: outside\nfields: [name]\nset: {source: site}\nconsent: {text: Yes, field: agreed}\n") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"as: outside\nfields: [name, cost]\n{REST}", ("webform.field", 28, 16)),
        (f"as: outside\nfields: [name, size]\n{REST}", ("webform.field", 28, 16)),
        (f"as: outside\nfields: [name, fixed]\n{REST}", ("webform.field", 28, 16)),
        (f"as: outside\nfields: [name, paper]\n{REST}", ("webform.field", 28, 16)),
        (f"as: outside\nfields: [name, note]\n{REST}", ("webform.closed", 28, 16)),
        ("as: outside\nfields: [name]\nset: {source: x, name: y}\n", ("webform.twice", 29, 24)),
        ("as: outside\nfields: [name]\n", ("webform.missing", 28, 9)),
        (f"as: outside\nfields: []\n{REST}", ("webform.empty", 28, 9)),
        (f"as: boss\nfields: [name]\n{REST}", ("webform.admin", 27, 5)),
        (f"as: reader\nfields: [name]\n{REST}", ("webform.create", 27, 5)),
        (f"as: nobody\nfields: [name]\n{REST}", ("name.unknown", 27, 5)),
        (f"as: outside\nfields: [name, nmae]\n{REST}", ("name.unknown_field", 28, 16)),
        (f"as: outside\nfields: [name]\n{REST}consent: {{text: Yes, field: note}}\n", ("webform.consent", 30, 29)),
        (
            f"as: outside\nfields: [name]\n{REST}query: [{{field: agreed, parameter: lang}}]\n",
            ("webform.parameter", 30, 9),
        ),
        (f"as: outside\nfields: [name]\n{REST}origins: ['https://x.test/path']\n", ("shape.pattern", 30, 11)),
        (f"as: outside\nfields: [name]\n{REST}redirect: 'javascript:alert(1)'\n", ("shape.pattern", 30, 11)),
        (f"as: outside\nfields: [name]\n{REST}redirect: '//evil.test'\n", ("shape.pattern", 30, 11)),
        ('as: outside\nfields: [name]\nset: {source: "=nosuch"}\n', ("expression.unknown_name", 29, 17)),
    ],
)
def test_each_problem_is_told_at_its_place(text: str, problem: tuple[str, int, int]) -> None:
    assert problem in told(text)


def test_lines_and_the_platform_are_not_written_by_forms() -> None:
    for entity in ("ask_line", "user"):
        text = WORLD.replace("web_form: contact\nentity: ask\n", f"web_form: contact\nentity: {entity}\n")
        found = compiled(text + "as: outside\nfields: [name]\n", below=(platform(),))
        assert ("webform.entity", 26) in [(p.code, p.place.line) for p in found.problems]
