"""The page of the decisions: each number has its tests, and each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "decisions" / "semantics-held.md"
ROW = re.compile(r"^\| (\d+) \|(.*)\|(.*)\|$", re.MULTILINE)


def test_every_decision_has_its_row() -> None:
    assert [int(number) for number, _, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))] == list(range(1, 40))


def test_every_test_of_the_page_is_there() -> None:
    for number, _, tests in ROW.findall(PAGE.read_text(encoding="utf-8")):
        named = re.findall(r"`([a-z_/0-9]+)(?:::([a-z_0-9A-Z]+))?`", tests)
        assert named, number
        for file, test in named:
            path = ROOT / "tests" / f"{file}.py"
            assert path.is_file(), (number, file)
            assert not test or f"def {test}(" in path.read_text(encoding="utf-8"), (number, test)
