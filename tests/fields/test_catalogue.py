"""Every type is complete, documented in both languages, and says why it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import jsonschema_rs
import pytest

import metadata.fields
from metadata.fields import field_type, field_types
from metadata.fields.base import FieldType
from metadata.fields.messages import MESSAGES, phrase
from tests.fields.kit import context, field

FOLDER = Path(metadata.fields.__file__).parent
TYPES = sorted(field_types())


def test_the_types_of_the_language_are_there() -> None:
    wanted = {
        "text",
        "long_text",
        "integer",
        "decimal",
        "money",
        "percent",
        "boolean",
        "date",
        "datetime",
        "time",
        "select",
        "multi_select",
        "link",
        "links",
        "related",
        "lines",
        "user",
        "email",
        "phone",
        "url",
        "file",
        "image",
        "lookup",
        "secret",
        "json",
        "rating",
        "currency",
    }
    assert set(TYPES) >= wanted


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_a_file_of_its_name(name: str) -> None:
    assert type(field_type(name)).__module__ == f"metadata.fields.{name}"
    assert (FOLDER / f"{name}.py").is_file()


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_labelled_and_its_properties_described(name: str) -> None:
    kind = field_type(name)
    for texts in (kind.label, kind.help):
        assert texts["zh"]
        assert texts["en"]
    assert set(kind.required_properties) <= set(kind.properties)
    for schema in kind.properties.values():
        assert schema["description"]
        jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("name", TYPES)
def test_nothing_is_shown_as_nothing(name: str) -> None:
    kind, made = field(name)
    assert kind.to_text(None, made, context()) == ""
    assert kind.to_input(None, made, context()) in ("", "[]")
    assert kind.to_cell(None, made, context()) is None
    jsonschema_rs.Draft202012Validator(dict(kind.json_schema(made, ("a", "b"))))


@pytest.mark.parametrize("name", TYPES)
def test_a_type_has_its_own_coercion(name: str) -> None:
    assert type(field_type(name)).coerce is not FieldType.coerce


def test_every_rejection_has_a_message_in_both_languages() -> None:
    source = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    used = set(re.findall(r'"(value\.[a-z_]+)"', source))
    assert used == set(MESSAGES)
    for texts in MESSAGES.values():
        names = [{part[1] for part in Formatter().parse(text) if part[1]} for text in texts.values()]
        assert set(texts) == {"zh", "en"}
        assert names[0] == names[1]


def test_phrase_never_fails() -> None:
    assert phrase("value.too_long", "zh", {"max": "5"}) == "最多 5 个字符"
    assert phrase("value.too_long", "fr", {}) == "At most … characters"
    assert phrase("other", "zh") == "other"
