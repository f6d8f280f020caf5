"""Letters: what counts as the same is the same in Python and in both databases, letter by letter."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from rules import folding
from rules.evaluate import Environment
from rules.typing import TEXT
from runtime.query.dialects import Term, dialect
from runtime.schema.types import Text
from tests.agreement.harness import engine_for
from tests.agreement.sample import TEXTS, ZONE

ENVIRONMENT = Environment(now=datetime(2026, 1, 1, tzinfo=UTC), zone=ZONE)


def assigned(code: int) -> bool:
    return unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")


LETTERS = [chr(c) for c in (*range(1, 0x3100), *range(0xFB00, 0xFFFE), *range(0x1D400, 0x1D500)) if assigned(c)]
WORDS = [t for t in TEXTS if t] + [
    "ΌΔΥΣΣΕΎΣ",
    "Ǆungla",
    "ŉ",
    "ﬀ",
    "㍻",
    "ﷺ",
    "Ⅷ",
    "Ⓐ",
    "½",
    "K",
    "Å",
    "ẞ",
    "ŞİŞLİ",
    "ΐ",
    "և",
]


@pytest.fixture
def column(database_url: str):  # type: ignore[no-untyped-def]
    """A connection and a column that holds every letter and some words."""
    engine = engine_for(database_url)
    table = sa.Table(
        "letter", sa.MetaData(), sa.Column("id", sa.Integer(), primary_key=True), sa.Column("word", Text())
    )
    with engine.begin() as connection:
        table.create(connection)
        rows = [{"id": i, "word": w} for i, w in enumerate(LETTERS + WORDS)]
        connection.execute(sa.insert(table), rows)
        yield connection, table.c.word, dialect(engine.dialect.name, ENVIRONMENT)
    engine.dispose()


@pytest.mark.parametrize("name", ["lower", "upper", "trim", "length"])
def test_letters_change_alike(column, name: str) -> None:  # type: ignore[no-untyped-def]
    connection, word, q = column
    python = {"lower": folding.lower, "upper": folding.upper, "trim": lambda t: t.strip(folding.WHITE), "length": len}
    term = getattr(q, name)(Term(word, TEXT, True))
    found = dict(connection.execute(sa.select(word, term.element)).all())
    assert {w: v for w, v in found.items() if v != python[name](w)} == {}
    assert len(found) > 12_000


def test_letters_fold_alike(column) -> None:  # type: ignore[no-untyped-def]
    """Each word contains its own folding; a letter contains another exactly where Python says so."""
    connection, word, q = column
    term = Term(word, TEXT, True)
    for part in ["ss", "i", "k", "å", "σ", "fi", "а", "1", "tm", "ա", "ž", "(株)"]:
        found = q.contains(term, q.text(part)).element
        rows = connection.execute(sa.select(word).where(found)).scalars()
        assert set(rows) == {w for w in LETTERS + WORDS if folding.fold(part) in folding.fold(w)}, part


def test_words_hold_themselves_folded(column) -> None:  # type: ignore[no-untyped-def]
    connection, word, q = column
    lowered = q.lower(Term(word, TEXT, True))
    for name in ("contains", "starts_with", "ends_with"):
        found = getattr(q, name)(Term(word, TEXT, True), lowered).element
        rows = set(connection.execute(sa.select(word).where(found)).scalars())
        python = {"contains": str.__contains__, "starts_with": str.startswith, "ends_with": str.endswith}[name]
        expected = {w for w in LETTERS + WORDS if python(folding.fold(w), folding.fold(folding.lower(w)))}
        assert rows == expected, name


def test_order_is_by_code_point(column) -> None:  # type: ignore[no-untyped-def]
    connection, word, q = column
    found = list(connection.execute(sa.select(word).order_by(q.sort_key(Term(word, TEXT, True)))).scalars())
    assert found == sorted(LETTERS + WORDS)


def test_folding_is_stable() -> None:
    """Folding what is folded changes nothing, so that an index may keep folded text."""
    assert {w for w in LETTERS if folding.fold(folding.fold(w)) != folding.fold(w)} == set()
    assert folding.fold("Ｓtraße İ") == "strasse i"
