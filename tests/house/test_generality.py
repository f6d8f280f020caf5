"""No Python file outside rule functions and plug-ins knows a stock entity's name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for package in ("rules", "metadata", "runtime", "web")
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts and path.relative_to(ROOT).parts[:2] != ("rules", "functions")
]
# Words that are also ordinary English or platform vocabulary in code; a stock entity named so is not searched for.
ORDINARY = {
    "task",
    "address",
    "product",
    "brand",
    "region",
    "industry",
    "interest",
    "document",
    "event",
    "skill",
    "contact",
    "account",
}


def stock_names() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "entities").rglob("*.yaml"):
        names.update(re.findall(r"^entity:\s*([a-z][a-z0-9_]*)", path.read_text("utf-8"), re.M))
    return names - ORDINARY


def string_constants(path: Path) -> set[str]:
    """Strings of the code; docstrings may give examples."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    }


def test_the_stock_application_has_entities() -> None:
    assert {"customer", "lead", "opportunity"} <= stock_names()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_source_knows_no_stock_entity(path: Path) -> None:
    assert string_constants(path) & stock_names() == set()


def test_templates_and_scripts_know_no_stock_entity() -> None:
    names = stock_names()
    found = [
        (path.name, name)
        for folder in ("web/templates", "web/widgets", "web/static")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".js"} and "vendor" not in path.parts
        for name in names
        if re.search(rf"(?<![\w-]){name}(?![\w-])", path.read_text("utf-8"))
    ]
    assert found == []
