"""Small sites for publishing: a layer of a few documents, records put in directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import Layer, load_texts, platform
from runtime.clock import FakeClock
from runtime.settings import throwaway_settings
from runtime.site import Site

BASE = """
entity: customer
label: {zh: 客户, en: Customer}
title: name
fields:
  name: {type: text, max: 50}
  kind: {type: select, options: [big, small]}
  employees: integer
  phone: {type: text, max: 20}
  lines: {type: lines, entity: address}
---
entity: address
fields:
  customer: {type: link, to: customer, on_delete: cascade}
  street: text
"""


def layer(text: str) -> Layer:
    return load_texts({"all.yaml": text}, "site")


@pytest.fixture
def empty_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF")
    with Site(settings, FakeClock()) as site:
        yield site


@pytest.fixture
def whole(empty_site: Site) -> Callable[[str], list[Layer]]:
    """The platform and a text above it."""
    below = platform()
    return lambda text: [below, layer(text)]


def add(site: Site, entity: str, **values: Any) -> int:
    """A record put in without the record layer."""
    with site.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        table = session.table(entity)
        found = session.connection.scalar(sa.insert(table).values(**values, **stamp).returning(table.c.id))
        assert found is not None
        return found


def column(site: Site, entity: str, name: str) -> dict[int, Any]:
    """The values of a column by record."""
    with site.session() as session:
        table = session.table(entity)
        return {row[0]: row[1] for row in session.connection.execute(sa.select(table.c.id, table.c[name]))}
