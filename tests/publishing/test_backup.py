"""Backups taken under load restore; damaged ones are refused and change nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa

from runtime.backup import BackupError, backup, restore, verify
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column, layer


@pytest.fixture
def site(empty_site: Site) -> Site:
    publish(empty_site, [layer(BASE)])
    for number in range(50):
        add(empty_site, "customer", name=f"客户{number}")
    (empty_site.folder / "files" / "ab").mkdir(parents=True)
    (empty_site.folder / "files" / "ab" / "abcd").write_bytes(b"\x00picture")
    return empty_site


@pytest.mark.promise("P20")
def test_backup_under_load_restores(site: Site, tmp_path: Path) -> None:
    stop, acknowledged = Event(), []

    def write() -> None:
        while not stop.is_set():
            acknowledged.append(add(site, "customer", name="新"))

    writer = Thread(target=write)
    writer.start()
    while len(acknowledged) < 5:
        pass
    before = len(acknowledged)
    manifest = backup(site, tmp_path / "b.zip")
    stop.set()
    writer.join()
    assert manifest.version == 1
    after = len(column(site, "customer", "name"))
    (site.folder / "files" / "ab" / "abcd").unlink()
    site.close()
    restore(site.settings, tmp_path / "b.zip")
    with Site(site.settings, site.clock) as again:
        names = column(again, "customer", "name")
        assert 50 + before <= len(names) <= after
        assert add(again, "customer", name="更新") > max(names)
    assert (site.folder / "files" / "ab" / "abcd").read_bytes() == b"\x00picture"


@pytest.mark.promise("P20")
def test_damaged_backup_changes_nothing(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    backup(site, file)
    whole = file.read_bytes()
    damaged = tmp_path / "d.zip"
    for position in (len(whole) // 4, len(whole) // 3, len(whole) // 2):
        flipped = bytearray(whole)
        flipped[position] ^= 0xFF
        damaged.write_bytes(bytes(flipped))
        with pytest.raises(BackupError):
            restore(site.settings, damaged)
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupError):
        restore(site.settings, damaged)
    with zipfile.ZipFile(damaged, "w") as pack:
        pack.writestr("../evil", "x")
    with pytest.raises(BackupError):
        verify(damaged)
    assert len(column(site, "customer", "name")) == 50


def test_backup_of_another_kind_of_database_is_refused(site: Site, tmp_path: Path) -> None:
    backup(site, tmp_path / "b.zip")
    other = "sqlite:///x.db" if site.dialect == "postgresql" else "postgresql+psycopg://postgres@127.0.0.1/none"
    with pytest.raises(BackupError, match=site.dialect):
        restore(throwaway_settings(tmp_path / "other", database_url=other), tmp_path / "b.zip")


def test_secret_key_is_not_in_the_backup(site: Site, tmp_path: Path) -> None:
    backup(site, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as pack:
        assert all(site.settings.secret_key.encode() not in pack.read(name) for name in pack.namelist())
    with site.session() as session:
        assert session.connection.scalar(sa.text("SELECT 1")) == 1
