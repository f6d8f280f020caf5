"""Each expectation of the people who use the pages is shown by a browser test, on a desktop and on a phone.

A browser test says what it shows with `@pytest.mark.experience(4, 21)`. One that is parametrized over both widths counts
for both; another says `at="desktop"` or `at="phone"` and opens its pages there.
"""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = Path(__file__).parents[1] / "browser"
# What the pages people live in promise; the others belong to pools, approvals, dashboards, boards and print.
NUMBERS = {*(1, 2, 3, 4, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 26, 28, 29), *range(30, 36)}
PHONE_ONLY = {13}  # what is said of a phone alone
WIDTHS = {"desktop", "phone"}


def browser_tests() -> Iterator[tuple[str, Callable[..., Any]]]:
    pytest.importorskip("playwright.sync_api")
    for file in sorted(BROWSER.glob("test_*.py")):
        module = importlib.import_module(f"tests.browser.{file.stem}")
        for name, found in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(found) and found.__module__ == module.__name__:
                yield f"{file.stem}::{name}", found


def marks_of(test: Callable[..., Any], name: str) -> list[pytest.Mark]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == name]


def widths_of(test: Callable[..., Any], mark: pytest.Mark) -> set[str]:
    """The widths that the test opens its pages on, for this mark."""
    for parametrized in marks_of(test, "parametrize"):
        if "viewport" in str(parametrized.args[0]):
            ids = parametrized.kwargs.get("ids") or [value.id for value in parametrized.args[1]]
            return set(ids)
    return {str(mark.kwargs.get("at", "desktop"))}


def shown() -> dict[int, dict[str, list[str]]]:
    """Number -> width -> the tests that show it."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, test in browser_tests():
        for mark in marks_of(test, "experience"):
            for width in widths_of(test, mark):
                for number in mark.args:
                    found[number][width].append(name)
    return found


def test_every_number_has_a_test_on_both_widths() -> None:
    found = shown()
    wanted = {(n, width) for n in NUMBERS for width in WIDTHS if not (n in PHONE_ONLY and width == "desktop")}
    missing = sorted(pair for pair in wanted if not found[pair[0]][pair[1]])
    assert missing == []


def test_marks_say_what_is_so() -> None:
    """Known numbers, known widths, and a test that says it is on a phone opens a page there (and none on a desktop)."""
    wrong = []
    for name, test in browser_tests():
        for mark in marks_of(test, "experience"):
            widths, source = widths_of(test, mark), inspect.getsource(test)
            on_phone = "PHONE" in source.split("def ", 1)[1]
            if not set(mark.args) <= NUMBERS or not mark.args or not widths <= WIDTHS:
                wrong.append(f"{name}: {mark}")
            if len(widths) == 1 and (widths == {"phone"}) != on_phone:
                wrong.append(f"{name}: not at {widths}")
            if (
                len(widths) == 2
                and "viewport=viewport" not in source
                and "viewport" not in source.split(") -> None:", 1)[1]
            ):
                wrong.append(f"{name}: opens no page at its width")
    assert wrong == []
