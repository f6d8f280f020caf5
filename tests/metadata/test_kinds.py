"""Every kind: its example compiles, its attributes are documented, and kinds to come are answered."""

from __future__ import annotations

import pytest

from metadata.kinds import KINDS
from metadata.kinds.fields import FieldShape
from metadata.kinds.later import LATER
from metadata.packages import platform
from metadata.testing import lint, problems_of
from tests.metadata.kit import codes, compiled


@pytest.mark.parametrize("word", sorted(KINDS))
def test_the_example_of_the_manual_compiles(word: str) -> None:
    example = KINDS[word].example.strip() + "\n"
    visit = "" if word == "entity" else KINDS["entity"].example.strip() + "\n---\n"
    assert codes(compiled(visit + example, below=(platform(),))) == []


@pytest.mark.parametrize("word", sorted(LATER))
def test_kinds_to_come_are_answered(word: str) -> None:
    assert codes(compiled(f"{word}: x\nanything: 1\n")) == ["kind.later"]


def test_every_property_is_described_in_both_languages() -> None:
    for kind in (*KINDS.values(), FieldShape):
        for name, prop in kind.props().items():
            assert prop.zh, (kind, name)
            assert prop.en, (kind, name)


def test_lint_speaks_of_the_package_alone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "a.yaml").write_text("entity: zz_thing\nfields: {b: txt}\n", encoding="utf-8")
    assert [p.code for p in problems_of(tmp_path, with_stock=False, warnings=False)] == ["shape.one_of"]
    assert any("package.yaml is missing" in text for text in lint(tmp_path, with_stock=False))
    (tmp_path / "package.yaml").write_text('package: zz\nversion: "1"\n', encoding="utf-8")
    (tmp_path / "entities" / "a.yaml").write_text("entity: zz_thing\nfields: {b: text}\n", encoding="utf-8")
    assert lint(tmp_path, with_stock=False) == []
