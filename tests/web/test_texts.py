"""Texts of the pages: all translated, none left over, and icons that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import jinja2
import pytest

from web.catalogue import Catalogue
from web.static_files import StaticFiles

WEB = Path(__file__).resolve().parents[2] / "web"


def _calls_of_templates() -> set[str]:
    found: set[str] = set()
    environment = jinja2.Environment()
    for path in (WEB / "templates").rglob("*.html"):
        for call in environment.parse(path.read_text("utf-8")).find_all(jinja2.nodes.Call):
            name = getattr(call.node, "name", "")
            wanted = call.args[:1] if name == "_" else call.args[1:3] if name == "plural" else []
            found.update(arg.value for arg in wanted if isinstance(arg, jinja2.nodes.Const))
    return found


def _calls_of_sources() -> set[str]:
    found: set[str] = set()
    for path in [p for p in WEB.rglob("*.py") if "node_modules" not in p.parts and "api" not in p.parts]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "plural"):
                wanted = node.args[:1] if node.func.id == "_" else node.args[1:3]
                found.update(a.value for a in wanted if isinstance(a, ast.Constant) and isinstance(a.value, str))
    return found


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    wanted = _calls_of_templates() | _calls_of_sources()
    known = Catalogue().texts["zh"]
    assert sorted(wanted - set(known)) == []
    assert sorted(set(known) - wanted) == []


def test_translations_keep_their_placeholders() -> None:
    for msgid, text in Catalogue().texts["zh"].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", msgid)), msgid


def test_templates_hold_no_text_of_their_own() -> None:
    """A Chinese word in a template would be shown to everybody."""
    allowed = {"中", "中文"}
    for path in (WEB / "templates").rglob("*.html"):
        words = set(re.findall(r"[一-鿿]+", path.read_text("utf-8"))) - allowed
        assert words == set(), path


@pytest.mark.parametrize("pattern", [r'icon\("([a-z0-9-]+)"', r"icon\('([a-z0-9-]+)'"])
def test_every_icon_of_a_template_is_built(pattern: str) -> None:
    known = StaticFiles().icons
    wanted = {n for p in (WEB / "templates").rglob("*.html") for n in re.findall(pattern, p.read_text("utf-8"))}
    assert wanted - known == set()
