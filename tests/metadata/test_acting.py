"""Effects, workflows and reminders as documents: what is wrong is said at its place, what is right is built."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.effect_functions import effect_function
from metadata.packages import platform
from rules.durations import Duration
from rules.typing import BOOLEAN, INTEGER, TEXT, decimal
from tests.metadata.kit import codes, compiled, places

VISIT = """\
entity: visit
owner: owner
fields:
  subject: {type: text, required: true}
  visited_on: date
  hours: {type: decimal, scale: 1}
  mail: email
  pay: {type: money, sensitive: true}
  stage: {type: select, options: {open: {zh: 开, en: Open}, won: {zh: 赢, en: Won}}, tracked: true}
  parent: {type: link, to: visit}
  friends: {type: links, to: visit}
  owner: user
---
role: admin
admin: true
grants: {"*": {all: all}}
---
"""
WORKFLOW = "workflow: w\nentity: visit\non: create\nsteps:\n"
REMINDER = 'reminder: r\nentity: visit\nwhere: "hours is None"\nsince: visited_on\nafter: 3wd\nto: owner\n'


@effect_function(
    "test_shout", takes={"text": TEXT, "loud": BOOLEAN, "times": INTEGER, "hours": decimal(1)}, outside=True
)
def shout(site: Any, event: str, **given: Any) -> None:
    """Stands for what a code package registers."""


def found(text: str) -> list[str]:
    return codes(compiled(VISIT + text, layers=("site",), below=(platform(),)))


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{set: {nosuch: 1}}", "name.unknown_field"),
        ("{set: {hours: abc}}", "default.refused"),
        ('{set: {hours: "=subject"}}', "expression.wrong_result"),
        ("{set: {id: 3}}", "effect.not_writable"),
        ("{set: {subject: '{nosuch}'}}", "name.unknown_field"),
        ("{set: {stage: lost}}", "default.refused"),
        ("{set: {hours: 1}, on: subject}", "path.not_a_link"),
        ("{set: {hours: 1}, notify: owner}", "effect.one_word"),
        ("{when: 'hours > 1'}", "effect.one_word"),
        ("{notify: subject}", "who.not_a_person"),
        ("{notify: {role: nobody}}", "name.unknown"),
        ("{notify: {to: owner, subject: '{nosuch}'}}", "name.unknown_field"),
        ("{vizit: {subject: x}}", "name.unknown"),
        ("{visit: {hours: 3}}", "effect.missing"),
        ("{link: {hours: 3}}", "effect.not_several"),
        ("{message: {subject: x}}", "shape.required"),
        ("{message: {address: hours, subject: x}}", "effect.no_address"),
        ("{message: {address: mail, subject: 'Pay {pay}'}}", "effect.sensitive"),
        ("{webhook: {url: 'https://example.com', fields: [pay]}}", "effect.sensitive"),
        ("{webhook: 'file:///etc/passwd'}", "shape.pattern"),
        ("{function: nosuch}", "effect.unknown_function"),
        ("{function: test_shout, with: {loud: 3}}", "effect.parameter_type"),
        ("{function: test_shout, with: {text: 3}}", "effect.parameter_type"),
        ("{function: test_shout, with: {times: '3'}}", "effect.parameter_type"),
        ("{function: test_shout, with: {hours: [1]}}", "effect.parameter_type"),
        ("{function: test_shout, with: {text: 'Pay {pay}'}}", "effect.sensitive"),
        ("{function: test_shout, with: {text: {en: 'Hi {nosuch}', zh: 嗨}}}", "name.unknown_field"),
        ("{approval: nosuch}", "name.unknown"),
        ("{on: parent, wait: 2d}", "effect.belongs"),
        ("{set: {hours: 1}, unless: 'hours > 1'}", "effect.belongs"),
        ("{wait: soon}", "shape.pattern"),
    ],
)
def test_a_bad_step_is_a_problem_at_its_place(step: str, code: str) -> None:
    result = compiled(f"{VISIT}{WORKFLOW}  - {step}\n", layers=("site",), below=(platform(),))
    line = VISIT.count("\n") + WORKFLOW.count("\n") + 1
    assert code in {c for c, at, _ in places(result) if at == line}, result.problems


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("workflow: w\nentity: visit\non: {move: hours, to: won}\nsteps: [{notify: owner}]", "workflow.not_a_select"),
        ("workflow: w\nentity: visit\non: {move: stage, to: lost}\nsteps: [{notify: owner}]", "shape.one_of"),
        ("workflow: w\nentity: visit\non: {date: hours, after: 2d}\nsteps: [{notify: owner}]", "workflow.not_a_date"),
        ("workflow: w\nentity: visit\non: {cron: '0 99 * * *'}\nsteps: [{notify: owner}]", "workflow.cron"),
        ("workflow: w\nentity: visit\non: {hook: token}\nsteps: [{notify: owner}]", "workflow.hook_entity"),
        ("workflow: w\non: create\nsteps: [{visit: {subject: x}}]", "effect.no_record"),
        ("workflow: w\non: {cron: '0 1 * * *'}\nsteps: [{function: test_shout, with: {text: '{subject}'}}]", "effect.no_record"),
        ("workflow: w\nentity: visit\non: {update: hours, cron: '0 1 * * *'}\nsteps: [{notify: owner}]", "workflow.trigger"),
        ("workflow: w\nentity: visit\non: {cron: '0 1 * * *'}\nwhen: 'old.hours > 1'\nsteps: [{notify: owner}]", "expression.no_old"),
        ("workflow: w\nentity: visit\non: create\nrun: now\nsteps: [{notify: owner}]", "workflow.now"),
        ("workflow: w\non: {hook: open}\ntakes: {a: nosuch}\nsteps: [{visit: {subject: x}}]", "shape.one_of"),
        ("reminder: r\nentity: visit\nwhere: 'hours is None'", "reminder.empty"),
        ("reminder: r\nentity: visit\nto: owner", "shape.required"),
        ("reminder: r\nentity: visit\nwhere: 'hours is None'\nafter: 3d\nto: owner", "reminder.after"),
        ("reminder: r\nentity: visit\nwhere: 'hours is None'\nsince: hours\nto: owner", "reminder.since"),
        ("reminder: r\nentity: visit\nwhere: 'hours is None'\nsince: {entered: mail}\nto: owner", "reminder.not_tracked"),
        (REMINDER + "escalate: [{after: 3d, to: owner}]", "reminder.ring"),
        (REMINDER + "escalate: [{after: 3d, to: {manager_of: owner}}, {after: 2d, to: {role: admin}}]", "reminder.escalation"),
        (REMINDER.replace("3wd", "{won: 3d, lost: 4d}") + "by: stage", "reminder.choice"),
        (REMINDER + "then: [{wait: 2d}]", "effect.wait"),
        (REMINDER + "count: {by: owner, of: {role: admin}, when: 'params.count < 5'}", "reminder.count"),
        (REMINDER + "segment: nosuch", "name.unknown"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_a_problem(text: str, code: str) -> None:
    assert code in found(text)


def test_workflows_that_set_each_other_off_are_a_ring() -> None:
    ring = (
        "workflow: ping\nentity: visit\non: {update: hours}\nsteps: [{set: {subject: x}}]\n---\n"
        "workflow: pong\nentity: visit\non: {update: subject}\nsteps: [{set: {hours: 1}}]\n"
    )
    result = compiled(VISIT + ring, layers=("site",), below=(platform(),))
    [problem] = [p for p in result.problems if p.code == "workflow.loop"]
    assert (problem.severity, problem.params["names"]) == ("error", "ping → pong → ping")
    assert len(problem.related) == 1
    broken = ring.replace("on: {update: subject}\n", 'on: {update: subject}\nwhen: "hours < 3"\n')
    result = compiled(VISIT + broken, layers=("site",), below=(platform(),))
    assert [p.severity for p in result.problems if p.code == "workflow.loop"] == ["warning"]
    apart = ring.replace("{set: {hours: 1}}", "{set: {mail: a@b.co}}")
    assert found(apart) == []


def test_the_words_are_built_and_the_short_forms_are_long() -> None:
    text = WORKFLOW.replace("on: create", "on: {update: mail}") + (
        "  - {set: {subject: 'Now {subject}', visited_on: {within: 3wd}, owner: {field: created_by}}}\n"
        "  - {visit: {subject: Next, parent: '=id'}}\n"
        "  - {link: {friends: '=parent'}}\n"
        "  - {assign: {role: admin}}\n"
        "  - {notify: owner}\n"
        "  - {notify: {to: [owner, {role: admin}], subject: {zh: 一, en: One}}}\n"
        "  - {wait: 2d, unless: 'hours > 3'}\n"
    )
    result = compiled(VISIT + text, layers=("site",), below=(platform(),))
    assert codes(result) == []
    assert result.application is not None
    steps = result.application.of("workflow")["w"].steps
    assert [(s.name, s.word) for s in steps] == [
        ("set", "set"),
        ("visit", "create"),
        ("link", "link"),
        ("assign", "assign"),
        ("notify", "notify"),
        ("notify_2", "notify"),
        ("wait", "wait"),
    ]
    assert steps[0].values[1].within == Duration(3, "wd")
    assert steps[4].to[0].field == ("owner",)
    assert len(steps[5].to) == 2


def test_a_step_is_changed_by_an_overlay_and_keeps_its_place() -> None:
    below = VISIT + WORKFLOW + "  - {notify: owner}\n  - {set: {hours: 1}}\n"
    above = "extend: {workflow: w}\nsteps:\n  - {name: set, set: {hours: nothing}}\n  - {name: notify, hide: true}\n"
    result = compiled(below, above, below=(platform(),))
    assert [(c, at) for c, at, _ in places(result)] == [("default.refused", 3)]


def test_texts_of_functions_are_filled_and_plain_data_stays() -> None:
    step = "  - {function: test_shout, with: {text: {en: 'To {owner.name}', zh: '给 {owner.name}'}, times: 3, loud: true}}\n"
    result = compiled(VISIT + WORKFLOW + step, layers=("site",), below=(platform(),))
    assert codes(result) == []
    assert result.application is not None
    values = {v.field: v for v in result.application.of("workflow")["w"].steps[0].values}
    assert values["text"].text is not None
    assert values["text"].text.of("zh") == "给 {owner.name}"
    assert (values["times"].constant, values["loud"].constant) == (3, True)
