from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.approvals.world import World, open_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """The small application with its people, on SQLite and on PostgreSQL."""
    made = open_world(database_url, tmp_path)
    yield made
    made.site.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone."""
    made = open_world(f"sqlite:///{tmp_path / 'o.db'}", tmp_path)
    yield made
    made.site.close()
