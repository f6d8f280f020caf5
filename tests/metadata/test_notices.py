"""Warnings about what is still read: earlier keys, texts under a code that is no language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metadata.kinds.entity import CheckShape, Entity
from metadata.kinds.fields import FieldShape
from metadata.passes.shape import validator
from metadata.render import phrase
from tests.metadata.kit import compiled


@pytest.fixture
def renamed_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Entity, "deprecated", {"caption": "title", "columns": "fields"})
    monkeypatch.setattr(FieldShape, "deprecated", {"mandatory": "required", "length": "max"})
    monkeypatch.setattr(CheckShape, "deprecated", {"rule": "must"})
    validator.cache_clear()
    yield
    monkeypatch.undo()
    validator.cache_clear()


OLD = "entity: thing\ncaption: name\ncolumns:\n  name: {type: text, mandatory: true, length: 20}\n"


@pytest.mark.usefixtures("renamed_keys")
def test_an_earlier_key_is_read_with_a_warning_and_its_replacement() -> None:
    found = compiled(OLD)
    said = [(p.code, p.severity, p.hint, p.place.line, p.place.column) for p in found.problems]
    assert said == [
        ("shape.deprecated", "warning", "title", 2, 1),
        ("shape.deprecated", "warning", "fields", 3, 1),
        ("shape.deprecated", "warning", "required", 4, 22),
        ("shape.deprecated", "warning", "max", 4, 39),
    ]
    assert found.application is not None
    entity = found.application.entities["thing"]
    assert entity.title == "name"
    assert (entity.fields["name"].required, entity.fields["name"].max) == (True, 20)
    assert "title" in phrase(found.problems[0], "en")


@pytest.mark.usefixtures("renamed_keys")
def test_an_earlier_key_is_checked_like_the_new_one() -> None:
    assert [p.code for p in compiled(OLD.replace("mandatory: true", "mandatory: 5")).errors] == ["shape.type"]
    either = OLD + 'checks:\n  - {name: short, rule: "name != 1", message: {zh: 短, en: Short}}\n'
    assert [p.code for p in compiled(either).errors] == ["expression.types_differ"]
    assert [p.code for p in compiled(either.replace("rule: ", "message_: ")).errors][:1] == ["shape.required"]
    extended = compiled(OLD + "---\nextend: thing\ncolumns:\n  name: {length: 30}\n")
    assert extended.errors == []
    assert extended.application is not None
    assert extended.application.entities["thing"].fields["name"].max == 30


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("label: {cn: 物品, en: Thing}", "zh"),
        ("label: {zh: 物品, en: Thing, jp: 物}", "ja"),
        ("label: {zh_cn: 物品, en: Thing}", "zh"),
        ("label: {zh: 物品, en: Thing, xx: X}", None),
    ],
)
def test_a_code_that_is_no_language(text: str, hint: str | None) -> None:
    found = compiled(f"entity: thing\n{text}\nfields: {{name: text}}\n").problems
    wrong = [p for p in found if p.code == "text.unknown_language"]
    assert [(p.severity, p.hint, p.place.line) for p in wrong] == [("warning", hint, 2)]


@pytest.mark.parametrize("text", ["{zh: 物品, en: Thing, nl: Ding}", "{zh: 物品, en: Thing, pt_br: Coisa}", "Thing"])
def test_other_languages_are_languages(text: str) -> None:
    assert compiled(f"entity: thing\nlabel: {text}\nfields: {{name: text}}\n").problems == []


def test_in_choices_too() -> None:
    found = compiled(
        "entity: thing\nfields:\n  name: text\n"
        "  kind: {type: select, options: {big: {cn: 大, en: Big}, small: {zh: 小, en: Small, hs: 7}}}\n"
    )
    assert [(p.code, p.hint) for p in found.problems if "unknown" in p.code] == [("text.unknown_language", "zh")]
