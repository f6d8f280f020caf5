"""Scores and qualifications that make no sense: each problem at its place."""

from __future__ import annotations

import pytest

from metadata.compiler import Compiled
from metadata.packages import platform
from tests.metadata.kit import compiled

VISIT = """\
entity: visit
fields:
  subject: {type: text, required: true}
  visited_on: date
  hours: {type: decimal, scale: 1}
  secret_hours: {type: integer, sensitive: true}
  kind: {type: select, options: [first, second]}
  state: {type: select, options: [open, ready, not_ready], default: open}
  value: {type: score, score: worth}
  grade: {type: grade, score: worth}
---
score: worth
entity: visit
parts:
"""
GRADES = "grades:\n  - {name: a, from: 50, label: A}\n  - {name: b, from: 0, label: B}\n"
RULE = """\
entity: visit
fields:
  subject: {type: text, required: true}
  state: {type: select, options: [open, ready, not_ready], default: open}
---
qualification: fit
entity: visit
outcome: {field: state, passed: ready, failed: not_ready, special: ready}
"""


def told(found: Compiled, *, warnings: bool = False) -> list[tuple[str, int, int]]:
    wanted = ("warning",) if warnings else ("error",)
    return [
        (p.code, p.place.line, p.place.column)
        for p in found.problems
        if p.severity in wanted and p.place.file == "stock.yaml" and p.code.split(".")[0] not in ("role", "text")
    ]


def score(parts: str, grades: str = GRADES) -> Compiled:
    return compiled(VISIT + parts + grades, below=(platform(),))


def rule(text: str) -> Compiled:
    return compiled(RULE + text, below=(platform(),))


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("{name: x, points: 1, when: \"hurs > 1\"}", ("expression.unknown_name", 15, 33)),
        ("{name: x, points: 1, when: \"hours\"}", ("expression.wrong_result", 15, 33)),
        ("{name: x, of: hours, bands: [{from: 0, to: 5, points: 1}, {from: 4, points: 2}]}", ("score.overlap", 15, 63)),
        ("{name: x, of: hours, bands: [{from: 5, to: 5, points: 1}]}", ("score.band", 15, 34)),
        ("{name: x, of: subject, bands: [{from: 5, points: 1}]}", ("score.not_a_number", 15, 19)),
        ("{name: x, of: kind, choices: {frist: 1}}", ("score.choice", 15, 35)),
        ("{name: x, of: hours, choices: {first: 1}}", ("score.not_a_choice", 15, 19)),
        ("{name: x, points: 1, bands: [{from: 5, points: 1}], of: hours}", ("score.how", 15, 5)),
        ("{name: x, bands: [{from: 5, points: 1}]}", ("score.of", 15, 5)),
        ("{name: x, points: 1, when: \"has_role('sales')\"}", ("score.user", 15, 32)),
        ("{name: x, points: 1, segment: nobody}", ("name.unknown", 15, 35)),
    ],
)  # fmt: skip
def test_parts_that_make_no_sense(part: str, problem: tuple[str, int, int]) -> None:
    found = score(f"  - {part}\n  - {{name: rest, points: 60}}\n")
    assert told(found) == [problem]


def test_a_loop_of_score_and_formula_is_told_where_the_score_is_held() -> None:
    text = VISIT.replace("  hours:", '  twice: {type: decimal, formula: "value * 2"}\n  hours:')
    found = compiled(text + '  - {name: x, points: 10, when: "twice > 3"}\n' + GRADES, below=(platform(),))
    problem = next(p for p in found.problems if p.code == "formula.cycle")
    assert "visit.value" in str(problem.params)
    assert "visit.twice" in str(problem.params)


def test_grades_nobody_can_have_and_scores_without_a_grade_are_warnings() -> None:
    grades = "grades:\n  - {name: a, from: 80, label: A}\n  - {name: b, from: 20, label: B}\n"
    found = score("  - {name: x, points: 10, when: \"hours > 1\"}\n  - {name: y, points: 30, when: \"hours > 2\"}\n", grades)  # fmt: skip
    assert told(found) == []
    assert [code for code, _, _ in told(found, warnings=True)] == ["score.ungraded", "score.unreachable"]


def test_a_score_inherits_what_is_sensitive_unless_it_says_otherwise() -> None:
    parts = '  - {name: x, points: 60, when: "secret_hours > 1"}\n'
    app = score(parts).application
    assert app is not None
    fields = app.entities["visit"].fields
    assert (fields["value"].sensitive, fields["grade"].sensitive) == (True, True)
    shown = compiled(
        (VISIT + parts + GRADES).replace("score: worth}", "score: worth, sensitive: false}"), below=(platform(),)
    )
    assert shown.application is not None
    assert not shown.application.entities["visit"].fields["value"].sensitive
    assert "field.unmasked" in [p.code for p in shown.problems]


def test_a_score_that_reads_the_date_is_kept_each_night() -> None:
    app = score("  - {name: x, points: 60, decay: {since: visited_on, days: 30}}\n").application
    assert app is not None
    fields = app.entities["visit"].fields
    assert (fields["value"].computed, fields["value"].keep) == ("stored", "daily")
    assert (fields["grade"].computed, fields["grade"].keep) == ("stored", None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("method: points\npass_mark: 90\ncriteria:\n  - {name: a, points: 50}\n", ("qualification.out_of_reach", 10, 12)),
        ("pass_mark: 50\ncriteria:\n  - {name: a}\n", ("qualification.no_points", 9, 1)),
        ("criteria:\n  - {name: a, holds: \"user.name == 'x'\"}\n", ("qualification.user", 10, 22)),
        ("criteria:\n  - {name: a, holds: \"sbject is None\"}\n", ("expression.unknown_name", 10, 23)),
        ("criteria:\n  - {name: a, holds: \"True\", evidence: true}\n", ("qualification.evidence", 10, 40)),
        ("criteria:\n  - {name: reason}\n", ("qualification.taken", 10, 12)),
        ("criteria:\n  - {name: a, evidence: true}\n  - {name: a_evidence}\n", ("qualification.taken", 11, 12)),
        ("valid: 3 days\ncriteria:\n  - {name: a}\n", ("shape.pattern", 9, 8)),
    ],
)  # fmt: skip
def test_qualifications_that_make_no_sense(text: str, problem: tuple[str, int, int]) -> None:
    assert told(rule(text)) == [problem]


def test_outcomes_that_are_no_choices_of_the_field() -> None:
    wrong = RULE.replace("failed: not_ready", "failed: not_redy")
    found = compiled(wrong + "criteria:\n  - {name: a}\n", below=(platform(),))
    assert told(found) == [("qualification.choice", 8, 48)]
    same = RULE.replace("failed: not_ready", "failed: ready")
    assert told(compiled(same + "criteria:\n  - {name: a}\n", below=(platform(),))) == [("qualification.same", 8, 48)]


def test_a_rule_that_never_gets_its_turn_is_told() -> None:
    second = "---\nqualification: later\nentity: visit\norder: 200\noutcome: {field: state, passed: ready, failed: not_ready, special: ready}\ncriteria:\n  - {name: a}\n"
    found = rule("criteria:\n  - {name: a}\n" + second)
    assert ("qualification.hidden", 12, 16) in told(found, warnings=True)
