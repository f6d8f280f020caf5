"""The generated schemas: checked in, valid, and the same to both validators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from metadata.kinds import KINDS
from metadata.packages import platform, stock
from metadata.passes.shape import shape, validator
from metadata.schemas import HERE, files, schema_for
from metadata.source import load_text
from tests.metadata.mutants import mutant


def test_files_are_those_the_classes_give() -> None:
    """If this fails: python -m metadata.schemas."""
    assert {p.name: p.read_text(encoding="utf-8") for p in HERE.glob("*.json")} == files()


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("extend", [False, True])
def test_schemas_are_valid(kind: str, extend: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_for(kind, extend))


@pytest.mark.attack("N78", "T17")
def test_schemas_refer_to_nothing_outside() -> None:
    for kind in KINDS:
        for extend in (False, True):
            assert all(ref.startswith("#/$defs/") for ref in _refs(schema_for(kind, extend)))


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _refs(part)
    elif isinstance(value, list):
        for part in value:
            yield from _refs(part)


@pytest.mark.attack("N78")
def test_a_ref_in_a_document_is_an_unknown_key() -> None:
    [document], _ = load_text("entity: a\n$ref: http://127.0.0.1:1/x.json\nfields: {b: text}\n", "f")
    assert [p.code for p in shape(document)[1]] == ["shape.unknown_key"]


def test_both_validators_agree_on_stock_and_mutants() -> None:
    documents = [d for layer in (platform(), stock()) for d in layer.documents if d.kind in KINDS]
    for number, document in enumerate(documents):
        for text in (document.text, mutant(document.text, number * 3)[1]):
            for found in load_text(text, document.file)[0]:
                if found.kind in KINDS and not found.broken:
                    fast, schema = validator(found.kind, found.extend)
                    plain = json.loads(json.dumps(found.data, default=float))
                    assert fast.is_valid(plain) == jsonschema.Draft202012Validator(schema).is_valid(plain), text


def test_errors_are_at_the_leaf() -> None:
    [document], _ = load_text("entity: a\nfields:\n  b: {type: link}\n  c: {type: text, max: x}\n", "f")
    problems = shape(document)[1]
    assert [(p.code, p.place.line, p.place.column) for p in problems] == [
        ("shape.required", 3, 6),
        ("shape.type", 4, 24),
    ]
