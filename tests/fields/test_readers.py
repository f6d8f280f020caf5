"""A reader answers and refuses exactly as `coerce` does, for every type, value, channel and bound."""

from __future__ import annotations

import datetime as clock
import random
from decimal import Decimal
from typing import Any

import pytest

from metadata.fields import Rejection, field_types
from tests.fields.kit import context, field
from tests.fields.test_values import BAD, GOOD

_OTHERS: list[Any] = [
    Decimal("NaN"), Decimal("Infinity"), Decimal("-0"), Decimal("0.00005"), Decimal("1E+30"), Decimal("99999999999999.995"),
    "0.005", "-0.004", "007", "٣", "１２", "9007199254740992", "9007199254740991", -(2**53), 2**53, True, False, 0, 1, 1.5,
    "2026-02-30", "2026-13-01", "0999-12-31", "3000-01-01", clock.date(999, 1, 1), clock.date(2999, 12, 31),
    clock.datetime(2026, 3, 16), " company ", "企业", "firm", "Company", "是", "TRUE", "", "  ", None, {"id": 1}, [], {}, "#3",
    "x" * 254, "x" * 255, "x" * 256, "e\u0301", "ﬁ", "a\tb", "a\nb", "\u200b", "nbsp\xa0end\xa0",
]  # fmt: skip
VALUES = [raw for _, raw, _ in GOOD] + [raw for _, raw, _ in BAD] + _OTHERS
BOUNDS: dict[str, list[dict[str, Any]]] = {
    "text": [{"max": 3}, {"min": 2}, {"pattern": "[a-z]+"}],
    "long_text": [{"max": 3}],
    "integer": [{"min": 1, "max": 100}],
    "decimal": [{"min": 1, "max": "99.5"}, {"scale": 0, "digits": 3}, {"scale": 10, "digits": 12}],
    "percent": [{"min": 0, "max": 100}],
    "money": [{"min": "0.01"}],
    "date": [{"min": "2020-01-01", "max": "2026-12-31"}],
}


def answered(read: Any, raw: Any) -> Any:
    """What came of it, so that 1, True and 1.0 are told apart."""
    try:
        value = read(raw)
    except Rejection as rejection:
        return "refused", rejection.code, rejection.params
    return type(value), repr(value)


@pytest.mark.parametrize("channel", ["api", "form", "import"])
@pytest.mark.parametrize("name", sorted(field_types()))
def test_reader_agrees_with_coerce(name: str, channel: str) -> None:
    for currency in ("CNY", "JPY", "BHD") if name == "money" else ("CNY",):
        knows = context(channel=channel, currency=currency)
        for changes in [{}, *BOUNDS.get(name, [])]:
            kind, made = field(name, **changes)
            if not kind.writable:
                continue
            reader = kind.reader(made, knows)
            for raw in [*VALUES, *random.Random(5).sample(VALUES, len(VALUES))]:
                direct = answered(lambda value: kind.coerce(value, made, knows), raw)  # noqa: B023 - called at once
                assert answered(reader, raw) == direct, (name, channel, changes, str(raw)[:40])


@pytest.mark.parametrize("channel", ["api", "import"])
@pytest.mark.parametrize(
    "name", ["text", "long_text", "integer", "decimal", "percent", "money", "date", "boolean", "link"]
)
def test_a_column_is_read_as_its_values_are(name: str, channel: str) -> None:
    """Whole columns, by chance of plain values alone, and each value in the company of a plain one."""
    knows = context(channel=channel)
    for changes in [{}, *BOUNDS.get(name, [])]:
        kind, made = field(name, **changes)
        direct = [(raw, answered(lambda value: kind.coerce(value, made, knows), raw)) for raw in VALUES]  # noqa: B023
        good = [(raw, answer) for raw, answer in direct if answer[0] != "refused"]
        texts = [pair for pair in good if type(pair[0]) is str and pair[0]]
        chosen = random.Random(7)
        columns = [chosen.sample(pairs, chosen.randint(1, min(4, len(pairs)))) for pairs in (good, texts) * 60 if pairs]
        for column in columns:
            read = kind.column_reader(made, knows)([raw for raw, _ in column])
            assert [(type(value), repr(value)) for value in read] == [answer for _, answer in column], (name, changes)
        for raw, answer in direct:
            if answer[0] == "refused" and good:
                with pytest.raises(Rejection):
                    kind.column_reader(made, knows)([good[0][0], raw])
