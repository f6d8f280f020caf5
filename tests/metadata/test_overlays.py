"""Merging extensions (semantics 28): maps by key, named items by name, plain lists and scalars replaced, null unsets."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.compiler import Compiled
from rules.durations import parse_duration
from tests.metadata.kit import codes, compiled

BASE = """\
entity: request
owner: person
fields:
  person: {type: user, default: "=user"}
  kind: {type: select, options: {phone: Phone, mail: Mail}}
  pool: {type: text, readonly: true}
  pooled_at: {type: datetime, readonly: true}
  done_on: date
---
role: boss
grants: {"*": {read: all, create: all, edit: all, assign: all}}
---
assignment: to_person
entity: request
on: [create, import]
rules:
  - {name: urgent, when: "kind == 'phone'", pick: {from: {role: boss}}}
  - {name: rest, pick: {from: [{role: boss}, {unit: E}]}}
---
pool: open_ones
entity: request
field: pool
since: pooled_at
members: {role: boss}
mask: [kind]
claim: {daily: 3}
returns:
  - {name: idle, since: created_on, after: 15d, warn: 3d}
  - {name: long_ago, since: created_on, after: 60d}
---
reminder: not_done
entity: request
where: "done_on is None"
since: created_at
after: 7d
to: person
escalate: [{after: 2wd, to: {role: boss}}]
---
workflow: told
entity: request
on: {date: done_on, before: 2d}
steps: [{set: {kind: mail}}]
"""


def extended(text: str) -> Compiled:
    found = compiled(BASE, text)
    assert codes(found) == []
    return found


def model(found: Compiled, kind: str, name: str) -> Any:
    assert found.application is not None
    return found.application.of(kind)[name]


@pytest.mark.parametrize(
    ("given", "on"),
    [("[web]", ("web",)), ("web", ("web",)), ("[]", ()), ("null", ()), ("[web, create]", ("web", "create"))],
)
def test_a_plain_list_is_replaced(given: str, on: tuple[str, ...]) -> None:
    found = extended(f"extend: {{assignment: to_person}}\non: {given}\n")
    assert model(found, "assignment", "to_person").on == on


def test_what_an_extension_does_not_name_stays() -> None:
    found = extended(
        "extend: {assignment: to_person}\non: [web]\n"
        "rules:\n  - {name: urgent, pick: {from: [{unit: E}]}}\n"
        "  - {name: mail, when: \"kind == 'mail'\", pick: {from: {role: boss}}, before: rest}\n"
    )
    rules = model(found, "assignment", "to_person").rules
    assert [rule.name for rule in rules] == ["urgent", "mail", "rest"]
    assert [who.unit for who in rules[0].pick.people] == ["E"]
    assert rules[0].when is not None
    assert len(rules[2].pick.people) == 2


def test_times_called_after_and_before_are_no_places_in_a_list() -> None:
    found = extended(
        "extend: {pool: open_ones}\nclaim: {daily: 5}\n"
        "returns:\n  - {name: idle, after: 20d}\n  - {name: other, since: created_on, after: 5d}\n"
        "---\nextend: {reminder: not_done}\nlabel: Not done\n"
        "---\nextend: {workflow: told}\nlabel: Told\n"
    )
    pool = model(found, "pool", "open_ones")
    days = {rule.name: rule.after for rule in pool.returns}
    assert days == {n: parse_duration(t) for n, t in (("idle", "20d"), ("long_ago", "60d"), ("other", "5d"))}
    assert (pool.claim.daily, pool.returns[0].warn, pool.mask) == (5, parse_duration("3d"), {"kind"})
    assert model(found, "reminder", "not_done").after == parse_duration("7d")
    assert model(found, "workflow", "told").triggers[0].offset is not None


def test_an_extension_changes_and_unsets_a_time() -> None:
    found = extended("extend: {reminder: not_done}\nafter: 3d\n---\nextend: {pool: open_ones}\nmask: null\n")
    assert model(found, "reminder", "not_done").after == parse_duration("3d")
    assert model(found, "pool", "open_ones").mask == frozenset()


def test_a_neighbour_that_is_not_there_is_told() -> None:
    text = "extend: {assignment: to_person}\nrules:\n  - {name: urgent, after: nowhere}\n"
    found = compiled(BASE, text)
    assert codes(found) == ["extend.anchor"]
