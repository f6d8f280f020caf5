from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import Settings, new_secret, write_settings
from tests.api.conftest import WORLD
from web.cli import run

PASSWORD = "a password for tests"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Octavo = Callable[..., Ran]


@pytest.fixture
def octavo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Octavo:
    """Calls the command line as its console script does; the site is `tmp_path/site` where none is named."""
    monkeypatch.setenv("OCTAVO_LANG", "en")
    monkeypatch.setenv("OCTAVO_SITE", str(tmp_path / "site"))
    monkeypatch.delenv("OCTAVO_DATABASE_URL", raising=False)

    def call(*arguments: Any) -> Ran:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the test application in its site layer, made by the command once and copied for each test."""
    folder = tmp_path_factory.mktemp("prepared") / "site"
    (folder / "metadata").mkdir(parents=True)
    write_settings(Settings(folder=folder, secret_key=new_secret()))
    (folder / "metadata" / "world.yaml").write_text(WORLD, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OCTAVO_DATABASE_URL", raising=False)
        assert run(["--json", "init", str(folder), "--admin-password", PASSWORD]) == 0
    return folder


@pytest.fixture
def site(octavo: Octavo, prepared: Path, tmp_path: Path) -> Path:
    """A site of this test's own, with the test application in its site layer."""
    folder = tmp_path / "site"
    shutil.copytree(prepared, folder)
    return folder
