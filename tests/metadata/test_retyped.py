"""Every part of every kind of document, replaced by a value of every other type: answered, never a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from metadata.compiler import compile_application
from metadata.kinds import KINDS
from metadata.packages import Layer, load_texts
from metadata.render import phrase
from metadata.source import load_text

GOLDEN = Path(__file__).parents[1] / "golden"
VALUES: tuple[Any, ...] = (None, True, 3, -1, "x", "=x", "", [], {}, [None], [[]], [3, "x"], {"a": None}, {"zh": 1})
Path_ = tuple[Any, ...]
BASE = """\
entity: visit
fields:
  name: text
  kind: {type: select, options: [a, b]}
  hours: {type: integer, max: 10, formula: "1 + 1"}
  parts: {type: lines, entity: part}
  other: {type: link, to: visit}
checks: [{name: low, must: "hours >= 0"}]
---
entity: part
fields: {visit: {type: link, to: visit}}
---
form: visit
tabs: [{name: main, sections: [{name: s, fields: [name, [kind, hours]]}]}, {name: more, related: parts, columns: [visit]}]
---
list: visit
columns: [name, {field: kind, show: tag}]
views: [{name: v, where: "hours > 1"}]
"""
EXTENSION = """\
extend: visit
label: {zh: 拜访, en: Visit}
number: {pattern: "A{seq:3}", field: name}
fields:
  wechat: {type: text, after: name}
  hours: {max: 20}
  kind: {hide: true}
checks: [{name: low, must: "hours > 1"}, {name: more, must: "name is not None", before: low}]
---
extend: {form: visit}
tabs: [{name: more, hide: true}, {name: main, sections: [{name: s, fields: [{field: wechat, before: kind}]}]}]
---
extend: {list: visit}
columns: [{field: name, width: 100}]
views: [{name: w, where: "wechat == 'x'"}]
"""


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(part, (*path, key))


def retyped(data: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return changed


def rich_documents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of each kind the documents of the golden cases that declare it."""
    for name in ("shape/short_forms", "freeze/model", "link/relations", "check/sense"):
        text = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")
        for number, document in enumerate(load_text(text, name)[0]):
            if document.kind in KINDS:
                yield f"{name}:{number}", text, document.data


def as_text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, default=lambda d: float(d) if isinstance(d, Decimal) else str(d))


@pytest.mark.promise("P15")
def test_every_part_of_a_document_retyped() -> None:
    count = 0
    for name, _, data in rich_documents():
        for number, path in enumerate(paths(data)):
            for value in (VALUES[number % len(VALUES)], VALUES[(number * 5 + 3) % len(VALUES)]):
                answer([load_texts({"a.json": as_text(retyped(data, path, value))}, "stock")], (name, path, value))
                count += 1
    assert count > 500


@pytest.mark.promise("P15")
def test_every_part_of_an_extension_retyped() -> None:
    base = load_texts({"base.yaml": BASE}, "stock")
    for document in load_text(EXTENSION, "x", "site")[0]:
        for path in paths(document.data):
            for value in VALUES:
                changed = as_text(retyped(document.data, path, value))
                answer([base, load_texts({"x.json": changed}, "site")], (path, value))


def answer(layers: list[Layer], case: Any) -> None:
    compiled = compile_application(layers)
    for problem in compiled.problems:
        assert problem.place.line >= 1, case
        assert phrase(problem, "zh") != problem.code, (case, problem)
        assert "…" not in phrase(problem, "en") or "…" in str(problem.params), (case, problem)
