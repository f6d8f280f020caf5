"""The compiled form kept beside a site: used where it is whole and its own, made anew where it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metadata.compiler import compile_application
from metadata.model import Application
from metadata.packages import load_texts, platform
from runtime.publishing import kept, store
from runtime.publishing.layers import dump
from runtime.settings import Settings

TEXT = "entity: thing\nlabel: {zh: 物, en: Thing}\nfields:\n  name: {type: text, label: {zh: 名称, en: Name}}\n"


@pytest.fixture(scope="module")
def published() -> tuple[bytes, Application]:
    layers = [platform(), load_texts({"thing.yaml": TEXT}, "site")]
    app = compile_application(layers).application
    assert app is not None
    return store.pack(dump(layers)), app


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path, secret_key="s" * 64)


def files(settings: Settings) -> list[Path]:
    return sorted((settings.folder / kept.FOLDER).glob("*"))


def test_it_is_read_again_by_whoever_has_the_same_documents(
    settings: Settings, published: tuple[bytes, Application]
) -> None:
    documents, app = published
    assert kept.read(settings, documents) is None
    kept.write_soon(settings, documents, app).join()
    found = kept.read(settings, documents)
    assert found is not None
    assert list(found.entities) == list(app.entities)
    assert found.storage_fingerprint == app.storage_fingerprint
    assert kept.read(settings, documents + b" ") is None


@pytest.mark.attack("N72", "T11")
def test_what_is_forged_cut_or_of_another_key_is_not_used(
    settings: Settings, published: tuple[bytes, Application]
) -> None:
    documents, app = published
    kept.write(settings, documents, app)
    (path,) = files(settings)
    whole = path.read_bytes()
    for data in (b"", whole[:40], whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"\0" * 32 + whole[32:]):
        path.write_bytes(data)
        assert kept.read(settings, documents) is None
    path.write_bytes(whole)
    assert kept.read(replace(settings, secret_key="t" * 64), documents) is None
    other = store.pack([{"name": "site", "files": {}}])
    kept._path(settings, other).write_bytes(whole)  # another version's file under this one's name
    assert kept.read(settings, other) is None
    assert kept.read(settings, documents) is not None


def test_another_program_compiles_anew(
    settings: Settings, published: tuple[bytes, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, app = published
    kept.write(settings, documents, app)
    monkeypatch.setattr(kept, "program", lambda: "another")
    assert kept.read(settings, documents) is None


def test_the_newest_are_kept_and_a_folder_that_cannot_be_written_to_is_no_error(
    settings: Settings, published: tuple[bytes, Application]
) -> None:
    documents, app = published
    for number in range(kept.KEPT + 3):
        kept.write(settings, documents + bytes([number]), app)
    assert len(files(settings)) == kept.KEPT
    away = replace(settings, folder=settings.folder / "nowhere" / "at all")
    kept.write(away, documents, app)
    assert kept.read(away, documents) is None
