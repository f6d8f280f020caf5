from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.world import World, build


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("channels"))
    yield made
    made.site.close()
