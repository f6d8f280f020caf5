"""Approvals and revisions that make no sense are told at check, each with its place and a way out."""

from __future__ import annotations

import pytest

from metadata.compiler import compile_application
from metadata.packages import load_texts, platform
from metadata.render import render_text, sources_of
from tests.approvals.world import APPLICATION

GOOD = "approval: extra\nentity: bill\nstart: {on: submit}\nsteps: [{name: one, by: {manager_of: owner}}]\n"


def codes(text: str) -> list[str]:
    layer = load_texts({"site.yaml": APPLICATION, "extra.yaml": text}, "site")
    compiled = compile_application([platform(), layer])
    found = [p for p in compiled.problems if p.place.file == "extra.yaml" and p.code != "text.missing_language"]
    for problem in found:
        assert problem.place.line >= 1
        for language in ("zh", "en"):
            assert render_text([problem], sources_of(layer.documents), language)
    return [p.code for p in found]


def test_a_good_one_is_clean() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[{name: one, by: {manager_of: owner}}]", "[]", "approval.no_steps"),
        ("{on: submit}", "{on: change}", "approval.no_fields"),
        ("{on: submit}", "{on: submit, fields: [amount]}", "approval.fields_unused"),
        ("{on: submit}", "{on: revision}", "approval.no_revisions"),
        ("{on: submit}", '{on: submit, when: "amont > 3"}', "expression.unknown_name"),
        ("{on: submit}", '{on: submit, when: "amount"}', "expression.wrong_result"),
        ("by: {manager_of: owner}", "by: {manager_of: amount}", "who.not_a_person"),
        ("by: {manager_of: owner}", "by: {role: directr}", "name.unknown"),
        ("by: {manager_of: owner}", "by: {manager_of: owner, included: true}", "who.included"),
        ("by: {manager_of: owner}", "by: {manager_of: owner, role: director}", "who.one_way"),
        ("by: {manager_of: owner}", "by: {manager_of: owner}, need: 2", "approval.too_few"),
        ("by: {manager_of: owner}", "by: {manager_of: owner}, on_timeout: escalate", "approval.no_timeout"),
        ("by: {manager_of: owner}", "by: {manager_of: owner}, timeout: 3x", "shape.pattern"),
        ("by: {manager_of: owner}", "parallel: [{name: two, by: owner}]", "approval.group"),
        (
            "{name: one, by: {manager_of: owner}}",
            "{name: one, timeout: 24h, parallel: [{name: two, by: owner}, {name: three, by: owner}]}",
            "approval.group_key",
        ),
        (
            "{name: one, by: {manager_of: owner}}",
            "{name: one, parallel: [{name: one, by: owner}, {name: three, by: owner}]}",
            "approval.step_twice",
        ),
        ("entity: bill", "entity: bill\nmoved: {gone: two}", "approval.moved_nowhere"),
        ("entity: bill", "entity: bill\nmoved: {one: one}", "approval.moved_there"),
        ("entity: bill", "entity: bill\nlocks: [nothing]", "name.unknown_field"),
        ("entity: bill", "entity: bill\non_approved: [{set: {status: done}}]", "default.refused"),
        ("entity: bill", "entity: bill\nsteps_: []", "shape.unknown_key"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, code: str) -> None:
    assert codes(GOOD.replace(old, new)) == [code]


ENTITY = """
entity: deed
title: name
owner: owner
fields:
  name: text
  owner: {type: user, default: "=user"}
  status: {type: select, options: bill_status, default: draft}
  edition: {type: integer}
  rows: {type: lines, entity: deed_row}
---
entity: deed_row
fields: {deed: {type: link, to: deed, required: true}, item: text}
---
approval: deed
start: {on: submit}
steps: [{name: one, by: {manager_of: owner}}]
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("owner: owner\nfields", "owner: owner\nrevisions: {when: \"status == 'approved'\", number: edition}\nfields", "revisions.number"),
        ("owner: owner\nfields", "owner: owner\nrevisions: {when: \"status == 'approved'\", approval: deed}\nfields", "revisions.approval"),
        ("entity: deed_row\n", "entity: deed_row\nrevisions: {when: \"item is None\"}\n", "revisions.of_lines"),
        ("owner: owner\nfields", "owner: owner\nrevisions: {when: \"stat == 1\"}\nfields", "expression.unknown_name"),
        ("{manager_of: owner}}]\n", "{manager_of: owner}}]\non_approved: [{set: {status: approved}}]\n", "approval.state_open"),
    ],
)  # fmt: skip
def test_revisions_and_open_states(old: str, new: str, code: str) -> None:
    assert codes(ENTITY) == []
    assert codes(ENTITY.replace(old, new)) == [code]
