"""A site with nothing but the platform, and jobs that leave traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.packages import platform
from runtime.clock import FakeClock
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def site(tmp_path: Path, database_url: str, clock: FakeClock) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF", job_tries=3)
    with Site(settings, clock) as site:
        publish(site, [platform()])
        yield site
