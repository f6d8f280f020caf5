"""Text → documents with places."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from metadata.source import MAX_BYTES, load_text


def only(text: str | bytes) -> tuple[str, int, int]:
    """Code and place of the one problem of a text."""
    _, problems = load_text(text, "f.yaml")
    assert len(problems) == 1, problems
    return problems[0].code, problems[0].place.line, problems[0].place.column


@pytest.mark.attack("N71", "T15")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entity: a\nb: !!python/object/apply:os.system [ls]", ("syntax.tag", 2, 4)),
        ("entity: a\nb: !x y", ("syntax.tag", 2, 4)),
        ("entity: a\nb: &x [y]\nc: *x", ("syntax.anchor", 2, 4)),
        ("entity: a\nc: *x", ("syntax.alias", 2, 4)),
        ("entity: a\n<<: {b: c}", ("syntax.merge", 2, 1)),
        ("entity: a\nb: 1\nb: 2", ("syntax.duplicate_key", 3, 1)),
        ("entity: a\nfields:\n\tb: text", ("syntax.tab", 3, 1)),
        ("entity: a\nb: " + "[" * 100_000, ("syntax.too_deep", 2, 53)),
        ("entity: a\nb: " + "{a: " * 100_000, ("syntax.too_deep", 2, 200)),
        ("entity: a\nb: " + "9" * 5_000, ("syntax.number", 2, 4)),
        ("entity: a\nb: 1e999999999", ("syntax.number", 2, 4)),
        ("entity: a\nb: .nan", ("syntax.number", 2, 4)),
        ("entity: a\nb: \x00", ("syntax.character", 2, 4)),
        ("entity: a\nb: 客\x1b户", ("syntax.character", 2, 5)),
        ("entity: a\nb: '客户".encode("gb18030"), ("syntax.encoding", 2, 5)),
        ("entity: 客户".encode("utf-16"), ("syntax.encoding", 1, 1)),
        (b"entity: a\nb: " + b"x" * MAX_BYTES, ("syntax.too_large", 1, 1)),
        ("entity: a\n? [b]\n: c", ("syntax.key", 2, 3)),
        ("entity: a\n'': c", ("syntax.key", 2, 1)),
        ("%TAG ! x:\n---\nentity: a", ("syntax.yaml", 2, 1)),
        ("- a\n- b", ("document.not_a_map", 1, 1)),
        ("entity: [a]", ("document.name", 1, 9)),
        ("extend: {form: a, list: b}", ("document.name", 1, 9)),
        ("12: a", ("syntax.none", 0, 0)),
    ],
)
def test_refusals_are_located(text: str | bytes, expected: tuple[str, int, int]) -> None:
    started = time.perf_counter()
    if expected[0] == "syntax.none":
        assert load_text(text, "f")[1] == []
    else:
        assert only(text) == expected
    assert time.perf_counter() - started < 1


def test_a_broken_document_hides_none_of_the_others() -> None:
    documents, problems = load_text("entity: a\n---\nentity: b\nx: [\n---\nentity: c\n", "f.yaml")
    assert [(d.name, d.broken) for d in documents] == [("a", False), ("b", True), ("c", False)]
    assert [p.place.line for p in problems] == [5]


def test_yaml_1_2_words_stay_text() -> None:
    [document], _ = load_text("entity: a\nb: no\nc: on\nd: 12:30\ne: =\nf: ~\ng: 0o17\nh: TRUE\n", "f")
    assert document.data == {"entity": "a", "b": "no", "c": "on", "d": "12:30", "e": "=", "f": None, "g": 15, "h": True}


def test_bom_and_crlf_are_read() -> None:
    [document], problems = load_text(b"\xef\xbb\xbfentity: a\r\nfields:\r\n  b: text\r\n", "f")
    assert problems == []
    assert document.data["fields"] == {"b": "text"}
    assert document.places[("fields", "b")].line == 3


def test_json_is_read() -> None:
    [document], problems = load_text('{"entity": "a", "fields": {"b": {"type": "text", "max": 3}}}', "f.json")
    assert (problems, document.data["fields"]["b"]["max"]) == ([], 3)


def test_places_of_keys_values_and_what_is_missing() -> None:
    [document], _ = load_text("entity: a\nfields:\n  b: {type: text}\ntabs: [{name: x, fields: [c, [d, e]]}]\n", "f")
    places = document.places
    assert (places[("fields", "b", "type")].line, places[("fields", "b", "type")].column) == (3, 13)
    assert places.key(("fields", "b")).column == 3
    assert places[("fields", "b", "missing")].line == 3
    assert places[("tabs", "x", "fields", "e")].column == 34
    assert ("fields", "b", "type") in places


WRITTEN = st.text(st.sampled_from("ab c'\"\\é客\t,:#{"), min_size=1, max_size=30)


@given(value=WRITTEN, style=st.sampled_from(["'", '"']))
def test_offsets_inside_quoted_texts(value: str, style: str) -> None:
    text = yaml.dump(
        {"entity": "a", "b": value}, default_style=style, allow_unicode=True, width=10_000, sort_keys=False
    )
    [document], problems = load_text(text, "f")
    assert problems == []
    lines = text.split("\n")
    for offset, char in enumerate(value):
        place = document.places.inside(("b",), offset)
        at = lines[place.line - 1][place.column - 1]
        assert at == char or at == "\\", (text, offset)


@given(words=st.lists(st.text("abc", min_size=1, max_size=9), min_size=2, max_size=8), style=st.sampled_from("|>'\""))
def test_offsets_across_lines(words: list[str], style: str) -> None:
    body = "\n".join("   " + word for word in words)
    written = f"{style}\n{body}" if style in "|>" else f"{style}{body.strip()}{style}"
    text = f"entity: x\nb: {written}\nc: d\n"
    [document], problems = load_text(text, "f")
    assert problems == []
    value = document.data["b"]
    lines = text.split("\n")
    for offset, char in enumerate(value):
        if not char.isspace():
            place = document.places.inside(("b",), offset)
            assert lines[place.line - 1][place.column - 1] == char, (text, offset, place)
