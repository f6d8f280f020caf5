from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.clock import FakeClock
from runtime.site import Site
from tests.records.world import open_site

APPLICATION = """
entity: item
title: name
fields:
  name: {type: text, required: true}
  shelves: {type: related, entity: stock, by: item}
  on_hand: {type: decimal, scale: 2, formula: "shelves.sum(quantity)"}
  short: {type: boolean, formula: "on_hand < 10"}
---
entity: move
ledger: {of: [item, place], balance: quantity, never_below: 0, into: stock, once: [source, kind],
         reversal: {field: reverses, set: {kind: reversal}}}
fields:
  item: {type: link, to: item, required: true}
  place: {type: text, required: true}
  quantity: {type: decimal, scale: 2, required: true}
  kind: {type: text, default: move}
  source: text
  reverses: {type: link, to: move, unique: true, copy: false}
---
entity: stock
fields:
  item: {type: link, to: item, required: true}
  place: {type: text, required: true}
  quantity: {type: decimal, scale: 2, required: true, default: 0}
unique: [[item, place]]
---
entity: points
ledger: {of: [holder], balance: points, never_below: 0, once: [source, kind],
         lots: {left: left, expires: until, expired: {kind: expired}},
         reversal: {field: reverses, set: {kind: reversal}}}
fields:
  holder: {type: text, required: true}
  points: {type: integer, required: true}
  left: {type: integer, readonly: true, copy: false}
  until: date
  kind: {type: text, default: earned}
  source: text
  reverses: {type: link, to: points, unique: true, copy: false}
---
entity: free
ledger: {of: [holder], balance: amount}
fields:
  holder: {type: text, required: true}
  amount: {type: money, required: true}
---
role: clerk
grants:
  item: {read: all}
  move: {read: all, create: all, edit: all, delete: all}
  stock: {all: all}
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 16, 2, tzinfo=UTC))


@pytest.fixture
def site(database_url: str, tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    site = open_site(database_url, tmp_path, APPLICATION, clock)
    yield site
    site.close()
