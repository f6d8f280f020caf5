from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.channels.world import ROLES, Role, World, build
from tests.databases import WHOLE, database_of


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """PostgreSQL with all roles takes minutes: every eighth role at each run, all with OCTAVO_WHOLE=1."""
    folder = tmp_path_factory.mktemp("channels")
    with database_of(request.param, folder) as url:
        made = build(folder, url)
        yield made
        made.site.close()


@pytest.fixture
def roles(world: World) -> Sequence[Role]:
    return ROLES if WHOLE or world.site.dialect == "sqlite" else ROLES[::8]
