from __future__ import annotations

from decimal import Decimal

import pytest

from runtime.errors import BadQuery
from web.api.strict_json import read_json


def test_numbers_stay_exact() -> None:
    assert read_json(b'{"a": 0.1, "b": 12, "c": 123456789012345678901234567890.5}') == {
        "a": Decimal("0.1"),
        "b": 12,
        "c": Decimal("123456789012345678901234567890.5"),
    }


def test_a_very_long_integer_is_left_to_the_field() -> None:
    assert read_json(b"[" + b"9" * 5000 + b"]") == [Decimal("9" * 5000)]


@pytest.mark.attack("T18", "N98")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"NaN", "json.number"),
        (b"[Infinity]", "json.number"),
        (b"1e999", "json.number"),
        (b"-1e999999999", "json.number"),
        (b'{"a": 1, "a": 2}', "json.duplicate_key"),
        (b'{"a": {"b": 1, "b": 1}}', "json.duplicate_key"),
        (b"[" * 200_000, "json.too_deep"),
        (b"[" * 51 + b"]" * 51, "json.too_deep"),
        (b'{"a": ' * 51 + b"1" + b"}" * 51, "json.too_deep"),
        (b"{'a': 1}", "json.syntax"),
        (b"", "json.syntax"),
        (b"[1,]", "json.syntax"),
        (b'"\xff"', "json.not_utf8"),
    ],
)
def test_what_is_no_strict_json(body: bytes, code: str) -> None:
    with pytest.raises(BadQuery) as refused:
        read_json(body)
    assert refused.value.code == code


def test_fifty_levels_are_fine() -> None:
    value = read_json(b"[" * 50 + b"]" * 50)
    for _ in range(49):
        value = value[0]
    assert value == []
