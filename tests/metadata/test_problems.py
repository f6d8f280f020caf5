"""Every code has sentences and a page; the renderers give what their readers expect."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from metadata.manual import pages
from metadata.messages import MESSAGES
from metadata.problems import Place, Problem
from metadata.render import advice, phrase, render_html, render_json, render_sarif, render_text, sources_of
from tests.metadata.kit import compiled

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r'"((?:[a-z]+)\.[a-z_]+)"')
_AREAS = {code.split(".")[0] for code in MESSAGES}


def used_codes() -> set[str]:
    texts = [
        p.read_text(encoding="utf-8")
        for p in (ROOT / "metadata").rglob("*.py")
        if "messages" not in p.parts and "fields" not in p.parts
    ]
    return {
        code
        for text in texts
        for code in _CODE.findall(text)
        if code.split(".")[0] in _AREAS and not code.endswith(".json")
    }


def test_every_code_that_is_reported_has_a_message_and_no_message_is_idle() -> None:
    assert used_codes() == set(MESSAGES)


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_sentences_in_both_languages_use_the_same_params(code: str) -> None:
    message = MESSAGES[code]
    assert re.search("[\u4e00-\u9fff]", message.zh + message.advice_zh)
    assert not re.search("[\u4e00-\u9fff]", message.en)
    assert sorted(re.findall(r"(?<!\{)\{([a-z]+)\}", message.zh)) == sorted(
        re.findall(r"(?<!\{)\{([a-z]+)\}", message.en)
    )
    assert message.zh[-1] not in "。."
    assert message.en[-1] != "."


def test_the_manual_is_what_the_classes_give() -> None:
    """If this fails: python -m metadata.manual."""
    for name, text in pages().items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, name


def test_text_shows_the_line_and_a_caret_under_wide_letters() -> None:
    found = compiled("entity: a\nfields: {b: {label: 客户, typ: text}}\n")
    shown = render_text(found.problems, sources_of(found.documents), "en")
    line, caret = shown.split("\n")[1:3]
    assert line == "    fields: {b: {label: 客户, typ: text}}"
    assert caret == " " * 12 + "^" or caret.index("^") >= 12
    assert "stock.yaml:2:" in shown


def test_json_and_sarif_carry_code_place_and_related() -> None:
    found = compiled("entity: a\nfields: {b: text}\n---\nentity: a\nfields: {c: text}\n")
    [shown] = render_json(found.errors, "zh")
    assert (shown["code"], shown["line"], shown["column"]) == ("document.twice", 4, 9)
    assert shown["related"][0]["line"] == 1
    assert "声明了两次" in shown["message"]
    sarif = render_sarif(found.errors)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "document.twice"
    json.dumps([shown, sarif])


@pytest.mark.attack("N57")
def test_html_escapes_what_comes_from_documents() -> None:
    evil = "<img src=x onerror='alert(1)'>\"&"
    found = compiled(f"entity: a\n? {json.dumps(evil)}\n: 1\nfields: {{b: text}}\n")
    shown = render_html(found.problems, sources_of(found.documents), "en")
    assert "<img" not in shown
    assert "&lt;img" in shown
    hostile = Problem(code="name.unknown", place=Place(file=evil), params={"kind": evil, "name": evil}, hint=evil)
    assert "<img" not in render_html([hostile], {evil: evil}, "zh")


def test_params_that_look_like_formats_stay_text() -> None:
    problem = Problem(code="name.invalid", place=Place(file="f"), params={"name": "{0.__class__}"})
    assert "{0.__class__}" in phrase(problem, "en")
    assert advice(problem, "zh")


def test_control_characters_never_reach_the_terminal() -> None:
    problem = Problem(code="name.invalid", place=Place(file="f"), params={"name": "x"})
    assert "\x1b" not in render_text([problem], {"f": "a\x1b[31m"}, "en")
