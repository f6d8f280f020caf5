from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.site import Site
from tests.records.world import open_site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """The test application on SQLite and on PostgreSQL."""
    site = open_site(database_url, tmp_path)
    yield site
    site.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    """The test application on SQLite alone."""
    site = open_site(f"sqlite:///{tmp_path / 'o.db'}", tmp_path)
    yield site
    site.close()
