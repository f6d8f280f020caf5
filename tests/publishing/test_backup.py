"""Backups taken under load restore; damaged ones are refused and change nothing; a killed one leaves what was there."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from runtime.backup import MANIFEST, BackupError, backup
from runtime.clock import FakeClock
from runtime.database import create_engine
from runtime.errors import Answer
from runtime.publishing.publish import publish
from runtime.restore import restore, verify
from runtime.security.secrets import PREFIX, reveal, seal
from runtime.settings import Settings, load_settings, new_secret, write_settings
from runtime.site import Site
from tests.databases import postgres_database
from tests.publishing.conftest import BASE, add, column, layer

ROOT = Path(__file__).resolve().parents[2]
WITH_SECRET = BASE.replace("  employees: integer\n", "  employees: integer\n  code: secret\n")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site as `octavo init` leaves it, with 50 customers, a file and a working copy of its metadata."""
    folder = tmp_path / "site"
    (folder / "metadata").mkdir(parents=True)
    address = "" if database_url.startswith("sqlite") else database_url
    write_settings(Settings(folder=folder, secret_key=new_secret(), database_url=address, language="en"))
    (folder / "metadata" / "site.yaml").write_text(WITH_SECRET, encoding="utf-8")
    with Site(replace(load_settings(folder, {}), sqlite_synchronous="OFF"), FakeClock()) as opened:
        publish(opened, [layer(WITH_SECRET)])
        for number in range(50):
            add(opened, "customer", name=f"客户{number}")
        (folder / "files" / "ab").mkdir(parents=True)
        (folder / "files" / "ab" / "abcd").write_bytes(b"\x00picture")
        yield opened


@pytest.fixture
def elsewhere(site: Site, tmp_path: Path) -> Iterator[Callable[[], dict[str, str]]]:
    """The environment of another machine: a database of its own, no key."""
    if site.dialect == "sqlite":
        yield dict
        return
    with postgres_database() as url:
        yield lambda: {"OCTAVO_DATABASE_URL": url}


def opened(folder: Path, environment: dict[str, str]) -> Site:
    return Site(load_settings(folder, environment), FakeClock())


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
    assert manifest["version"] == 1
    after = len(column(site, "customer", "name"))
    (site.folder / "files" / "ab" / "abcd").unlink()
    site.close()
    kept = restore(site.folder, tmp_path / "b.zip", replace_existing=True, environment={})["kept"]
    assert kept
    with opened(site.folder, {}) as again:
        names = column(again, "customer", "name")
        assert 50 + before <= len(names) <= after
        assert add(again, "customer", name="更新") > max(names)
    assert (site.folder / "files" / "ab" / "abcd").read_bytes() == b"\x00picture"
    assert (site.folder / "metadata" / "site.yaml").read_text("utf-8") == WITH_SECRET


@pytest.mark.promise("P20")
def test_restores_into_an_empty_site(site: Site, tmp_path: Path, elsewhere: Callable[[], dict[str, str]]) -> None:
    backup(site, tmp_path / "b.zip")
    folder, environment = tmp_path / "new" / "site", elsewhere()
    restore(folder, tmp_path / "b.zip", environment=environment)
    with opened(folder, environment) as again:
        assert column(again, "customer", "name") == column(site, "customer", "name")
        assert again.settings.language == "en"
        assert again.settings.secret_key != site.settings.secret_key  # nothing was sealed: a new one does
    assert (folder / "files" / "ab" / "abcd").read_bytes() == b"\x00picture"
    with pytest.raises(BackupError, match="site_exists"):
        restore(folder, tmp_path / "b.zip", environment=environment)
    shutil.rmtree(folder)  # on PostgreSQL the site is there still
    if site.dialect == "postgresql":
        with pytest.raises(BackupError, match="site_exists"):
            restore(folder, tmp_path / "b.zip", environment=environment)


@pytest.mark.attack("N24")
def test_the_key_is_not_in_the_backup_and_is_asked_for(
    site: Site, tmp_path: Path, elsewhere: Callable[[], dict[str, str]]
) -> None:
    number = add(site, "customer", name="密", code=seal(site, "to be kept"))
    key, file, folder, environment = site.settings.secret_key, tmp_path / "b.zip", tmp_path / "n", elsewhere()
    assert backup(site, file)["sealed"] == 1
    with zipfile.ZipFile(file) as pack:
        whole = b"".join(pack.read(name) for name in pack.namelist())
    assert key.encode() not in whole
    assert b"database_url" not in whole
    for wrong in (None, new_secret()):
        with pytest.raises(BackupError, match=r"no_key|other_key"):
            restore(folder, file, key=wrong, environment=environment)
        assert not folder.exists()
    restore(folder, file, key=key, environment=environment)
    with opened(folder, environment) as again:
        assert reveal(again, column(again, "customer", "code")[number]) == "to be kept"
    restore(folder, file, replace_existing=True, new_key=True, environment=environment)
    with opened(folder, environment) as again, pytest.raises(Answer):
        reveal(again, column(again, "customer", "code")[number])
    assert backup(site, file, with_key=True)["with_key"]
    restore(folder, file, replace_existing=True, environment=environment)
    with opened(folder, environment) as again:
        assert reveal(again, column(again, "customer", "code")[number]) == "to be kept"
        assert column(again, "customer", "code")[number].startswith(PREFIX)


@pytest.mark.promise("P20")
@pytest.mark.attack("N68")
def test_damaged_backup_changes_nothing(site: Site, tmp_path: Path) -> None:
    file, damaged = tmp_path / "b.zip", tmp_path / "d.zip"
    backup(site, file)
    whole = file.read_bytes()
    dice = random.Random(20)
    for _ in range(40):
        flipped = bytearray(whole)
        flipped[dice.randrange(len(whole) * 9 // 10)] ^= 1 << dice.randrange(8)
        damaged.write_bytes(bytes(flipped))
        _refused_or_whole(damaged, file)
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        damaged.write_bytes(whole[:length])
        with pytest.raises(Answer):
            restore(site.folder, damaged, replace_existing=True, environment={})
    assert len(column(site, "customer", "name")) == 50
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["site"]


def _refused_or_whole(damaged: Path, file: Path) -> None:
    """A flipped bit is found, or lies in what the zip says twice and nobody reads (times, attributes)."""
    try:
        found = verify(damaged)
    except Answer:
        return
    assert found == verify(file)
    with zipfile.ZipFile(damaged) as one, zipfile.ZipFile(file) as other:
        assert [one.read(name) for name in one.namelist()] == [other.read(name) for name in other.namelist()]


def test_manifests_that_lie_are_refused(site: Site, tmp_path: Path) -> None:
    file, forged = tmp_path / "b.zip", tmp_path / "f.zip"
    backup(site, file)
    with zipfile.ZipFile(file) as pack:
        parts = {name: pack.read(name) for name in pack.namelist()}
    said = json.loads(parts.pop(MANIFEST))
    lies: list[Any] = [
        {}, [], {**said, "format": 1}, {**said, "database": "../x"}, {**said, "dialect": "oracle"}, {**said, "sealed": None},
        {**said, "digests": {}}, {**said, "digests": {**said["digests"], "more": "0" * 64}}, {**said, "version": "9"},
        {**said, "digests": dict.fromkeys(said["digests"], "0" * 64)},
    ]  # fmt: skip
    for lie in lies:
        with zipfile.ZipFile(forged, "w") as pack:
            for name, data in {**parts, MANIFEST: json.dumps(lie)}.items():
                pack.writestr(name, data)
        with pytest.raises(BackupError):
            verify(forged)


def test_backup_of_another_kind_of_database_is_refused(site: Site, tmp_path: Path) -> None:
    backup(site, tmp_path / "b.zip")
    other = "sqlite:///x.db" if site.dialect == "postgresql" else "postgresql+psycopg://postgres@127.0.0.1/none"
    with pytest.raises(BackupError, match="other_database"):
        restore(tmp_path / "other", tmp_path / "b.zip", environment={"OCTAVO_DATABASE_URL": other})
    assert not (tmp_path / "other").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.clock import FakeClock
from runtime.settings import load_settings
from runtime.site import Site
import runtime.backup, runtime.restore, shutil

left = int(sys.argv[3])

def counted(of):
    def call(*arguments, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return of(*arguments, **more)
    return call

for module, name in ((os, "rename"), (os, "replace"), (shutil, "move"), (runtime.backup, "copy_in"),
                     (runtime.restore, "run_postgres"), (runtime.restore, "write_config")):
    setattr(module, name, counted(getattr(module, name)))
folder, file = Path(sys.argv[1]), Path(sys.argv[2])
if sys.argv[4] == "backup":
    runtime.backup.backup(Site(load_settings(folder), FakeClock()), file)
else:
    runtime.restore.restore(folder, file, replace_existing=True)
print("done", left)
"""


def _killed(folder: Path, file: Path, at: int, what: str) -> bool:
    """Whether the process died at its step `at`; False where it had fewer steps and ended."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(file), str(at), what],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == -9


@pytest.mark.promise("P20", "P03")
def test_a_killed_backup_leaves_no_half_one(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "out" / "b.zip"
    steps = 0
    while _killed(site.folder, file, steps + 1, "backup"):
        steps += 1
        assert not file.exists()
    assert steps >= 4
    assert verify(file)["version"] == 1
    assert [p.name for p in file.parent.iterdir()] == ["b.zip"]  # what the killed ones left was swept


@pytest.mark.promise("P20", "P03")
def test_a_killed_restore_can_be_run_again(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    backup(site, file)
    names = column(site, "customer", "name")
    site.close()
    steps = 0
    while _killed(site.folder, file, steps + 1, "restore"):
        steps += 1
        if not (site.folder / "config.yaml").exists():  # between two renamings: the site before is beside it
            before = max(site.folder.parent.glob("site.before-*"), key=lambda p: int(p.name.rpartition("-")[2]))
            before.rename(site.folder)
        with opened(site.folder, {}) as again:
            assert column(again, "customer", "name") == names
    assert steps >= 3
    with opened(site.folder, {}) as again:
        assert column(again, "customer", "name") == names
    if site.dialect == "postgresql":
        engine = create_engine(site.settings)
        kept = [n for n in sa.inspect(engine).get_schema_names() if n.startswith("octavo_before_")]
        engine.dispose()
        assert kept
