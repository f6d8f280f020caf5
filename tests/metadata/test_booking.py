"""Ledgers, numbers, prices and conversions that make no sense are told at their place."""

from __future__ import annotations

import pytest

from metadata.packages import platform
from tests.metadata.kit import compiled

BASE = """\
entity: thing
fields:
  name: {type: text, required: true}
  amount: {type: decimal, scale: 2, required: true}
  total: {type: decimal, scale: 2, formula: "amount * 2"}
  note: text
  rows: {type: lines, entity: row}
  parent: {type: link, to: thing}
---
entity: row
fields:
  thing: {type: link, to: thing, required: true, on_delete: cascade}
  quantity: {type: decimal, scale: 2}
  price: money
  twice: {type: decimal, formula: "quantity * 2"}
---
entity: tariff
fields:
  thing: {type: link, to: thing}
  how: {type: select, options: {price: Price, gift: Gift}}
  amount: {type: decimal, required: true}
"""

LEDGER = """\
---
entity: book
ledger: {of: [key], balance: amount%s}
fields:
  key: {type: text, required: true}
  other: text
  amount: {type: integer, required: true}
  left: {type: integer, readonly: true}
  until: text
  reverses: {type: link, to: book}
  owner_thing: {type: link, to: thing%s}
"""


def found(text: str) -> list[tuple[str, int]]:
    """(code, line) of the errors, lines counted from the text after the base."""
    first = BASE.count("\n") + 1
    problems = compiled(BASE + text, below=(platform(),)).problems
    return [(p.code, p.place.line - first + 1) for p in problems if p.severity == "error"]


@pytest.mark.parametrize(
    ("more", "delete", "wanted"),
    [
        ("", "", []),
        (", of: [other]", "", None),
        (", once: [other]", "", []),
        (", lots: {left: other}", "", [("ledger.left", 3)]),
        (", lots: {left: left, expires: until}", "", [("ledger.expires", 3)]),
        (", reversal: reverses", "", [("ledger.reversal", 3)]),
        (", into: thing", "", [("ledger.into", 3)]),
        (", never_below: none", "", [("shape.type", 3)]),
        (", once: [nothing]", "", [("name.unknown_field", 3)]),
        ("", ", on_delete: cascade", [("ledger.link", 11)]),
    ],
)
def test_ledgers(more: str, delete: str, wanted: list[tuple[str, int]] | None) -> None:
    if wanted is None:
        text = LEDGER.replace("of: [key]", "of: [other]") % ("", delete)
        wanted = [("ledger.dimension", 3)]
    else:
        text = LEDGER % (more, delete)
    assert found(text) == wanted


def test_lines_are_no_ledger() -> None:
    text = "---\nextend: row\nledger: {of: [thing], balance: quantity}\n"
    assert "ledger.lines" in [code for code, _ in found(text)]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ('pattern: "A{seq:4}-{check}", check: luhn', []),
        ('pattern: "A{seq:4}", check: luhn', [("number.check", 3)]),
        ('pattern: "A{seq:4}-{check}"', [("number.check", 3)]),
        ('pattern: "A{seq:4}", skip: ["*x*"]', [("number.digits", 3)]),
        ('pattern: "A{seq:4}", skip: ["*"]', [("number.all_skipped", 3)]),
        ('pattern: "{parent.name:3}{seq:4}", reserved: ["*888"]', []),
        ('pattern: "{nobody:3}{seq:4}"', [("name.unknown_field", 3)]),
        ('pattern: "A{seq:4}", granted_by: [nobody]', [("name.unknown", 3)]),
    ],
)
def test_numbers(rule: str, wanted: list[tuple[str, int]]) -> None:
    assert found(f"---\nextend: thing\nnumber: {{{rule}, field: note}}\n") == wanted


CONVERSION = """\
---
conversion: again
from: thing
%s
to:
  next:
    entity: thing
    map: {name: "=name", amount: "=amount"}
%s
"""


@pytest.mark.parametrize(
    ("head", "target", "wanted"),
    [
        ("", "    back: parent", []),
        ("once: true", "", [("conversion.no_back", 4)]),
        ("once: true", "    back: name", [("conversion.link", 9)]),
        ("", "    made: {parent: missing}", [("conversion.target", 9)]),
        ("result: missing", "", [("conversion.target", 4)]),
        ('when: "amount"', "", [("expression.wrong_result", 4)]),
        ("keep: {parent: missing}", "", [("conversion.target", 4)]),
        ("undo: {set: {total: 3}}", "    back: parent", [("effect.not_writable", 4)]),
        ('undo: {when: "amount > 0"}', "    back: parent", [("conversion.undo", 4)]),
        ("", "    lines: {name: {from: rows}}", [("conversion.no_lines", 9)]),
        ("", "    lines: {rows: {from: name}}", [("conversion.no_collection", 9)]),
        ("", "    lines: {rows: {from: rows, quantity: quantity}}", [("conversion.left", 9)]),
        ("", '    lines: {rows: {from: rows, map: {nothing: "=price"}}}', [("name.unknown_field", 9)]),
        ("", '    existing: {match: {nothing: "=name"}}', [("name.unknown_field", 9)]),
    ],
)
def test_conversions(head: str, target: str, wanted: list[tuple[str, int]]) -> None:
    assert found(CONVERSION % (head, target)) == wanted


PRICING = """\
---
pricing: prices
entity: row
list: "%s"
prices: {from: tariff, match: {thing: thing}, method: how, value: amount%s}
set: {price: %s}
"""


@pytest.mark.parametrize(
    ("listed", "more", "price", "wanted"),
    [
        ("100", "", "price", [("pricing.method", 5)]),
        ("twice", "", "price", [("pricing.method", 5), ("pricing.computed", 4)]),
        ("100", ", choose: first", "price", [("pricing.method", 5), ("pricing.choose", 5)]),
        ("100", "", "quantity", [("pricing.method", 5)]),
        ("100", "", "thing", [("pricing.field", 6), ("pricing.method", 5)]),
        ("100", ", first: amount", "price", [("pricing.field", 5), ("pricing.method", 5)]),
        ("nothing", "", "price", [("expression.unknown_name", 4), ("pricing.method", 5)]),
    ],
)
def test_prices(listed: str, more: str, price: str, wanted: list[tuple[str, int]]) -> None:
    assert sorted(found(PRICING % (listed, more, price))) == sorted(wanted)
