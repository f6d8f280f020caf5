"""Making a site: whole, again, and after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from metadata.packages import Layer, load_texts
from runtime import hooks
from runtime.bootstrap import MetadataError, init_site
from runtime.errors import Outdated
from runtime.publishing.publish import publish
from runtime.schema.verify import drift
from runtime.settings import SettingsError, throwaway_settings
from runtime.site import Site
from tests.publishing.conftest import BASE


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    first = init_site(tmp_path / "site", seed=False)
    assert first.password
    assert first.version == 1
    with first.site.session(1) as session:
        assert session.user.admin
        assert drift(session.connection, session.tables) == []
    first.site.close()
    again = init_site(tmp_path / "site", seed=False)
    assert (again.password, again.version) == (None, 1)
    again.site.close()
    with Site.open(tmp_path / "site") as opened:
        assert opened.version == 1


def test_init_goes_on_after_an_interruption(tmp_path: Path, database_url: str) -> None:
    settings = throwaway_settings(tmp_path, database_url=database_url)
    with patch("runtime.bootstrap._admin", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        init_site(tmp_path, settings=settings, seed=False)
    done = init_site(tmp_path, settings=settings, seed=False, admin_password="a long enough password")
    assert done.password == "a long enough password"
    with done.site.session() as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(session.table("user"))) == 1
    done.site.close()


def test_broken_package_leaves_no_site(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "broken.yaml").write_text("entity: broken\nfields: {name: nonsense}\n", encoding="utf-8")
    with pytest.raises(MetadataError):
        init_site(tmp_path / "site", [package], seed=False)
    with pytest.raises(SettingsError):
        Site.open(tmp_path / "site")


@pytest.mark.parametrize("installed", [{}, {"plugin": "another"}])
def test_code_package_that_differs_refuses_to_serve(
    empty_site: Site, whole: Callable[[str], list[Layer]], installed: dict[str, str]
) -> None:
    with patch.object(hooks, "fingerprints", return_value={"plugin": "as published"}):
        publish(empty_site, [load_texts({"all.yaml": BASE}, "site")])
    other = Site(empty_site.settings)
    with patch.object(hooks, "fingerprints", return_value=installed), pytest.raises(Outdated, match="plugin"):
        other.application()
    other.close()


def test_fingerprint_of_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    before = hooks.fingerprint_of(tmp_path)
    (tmp_path / "data.yaml").write_text("x", encoding="utf-8")
    assert hooks.fingerprint_of(tmp_path) == before
    (tmp_path / "a.py").write_text("x = 2\n", encoding="utf-8")
    assert hooks.fingerprint_of(tmp_path) != before
