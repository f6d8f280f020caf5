"""Backup of a running site into one zip, and restore that looks at every byte before it touches anything.

The zip holds a manifest with the digest of each part, the database (SQLite: a consistent copy made while others write;
PostgreSQL: what `pg_dump` writes) and the uploaded files. Configuration is not in it: `config.yaml` holds the keys that
make a backup readable, and is kept elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from runtime.database import answering
from runtime.settings import DATABASE_FILE, Settings
from runtime.site import Site

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
FILES = "files/"
CHUNK = 1 << 20


class BackupError(Exception):
    """The backup cannot be made or used; one sentence in Chinese and English that says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`digests` maps every other member of the zip to its SHA-256."""

    format: int
    created_at: str
    database: str
    version: int
    digests: dict[str, str] = field(default_factory=dict)


def backup(site: Site, target: Path) -> Manifest:
    """Writes the backup to `target`, under another name until it is complete. Others may read and write meanwhile."""
    target = Path(target).resolve()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".octavo-backup-") as work:
        database = Path(work) / DATABASE[site.dialect]
        _dump(site, database)
        parts = {database.name: database, **_files(site.settings)}
        draft = Path(work) / "backup.zip"
        manifest = _pack(draft, parts, site)
        os.replace(draft, target)
    return manifest


def _pack(draft: Path, parts: dict[str, Path], site: Site) -> Manifest:
    digests: dict[str, str] = {}
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as pack:
        for name, path in parts.items():
            with contextlib.suppress(FileNotFoundError):  # an upload thrown away while the backup ran
                digests[name] = _copy_in(pack, name, path)
        manifest = Manifest(
            format=FORMAT,
            created_at=site.clock.now().isoformat(),
            database=site.dialect,
            version=site.version,
            digests=digests,
        )
        pack.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _copy_in(pack: zipfile.ZipFile, name: str, path: Path) -> str:
    digest = sha256()
    with path.open("rb") as source, pack.open(name, "w", force_zip64=True) as member:
        while block := source.read(CHUNK):
            digest.update(block)
            member.write(block)
    return digest.hexdigest()


def _dump(site: Site, target: Path) -> None:
    if site.dialect == "sqlite":
        with answering(), site.engine.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            with contextlib.closing(sqlite3.connect(target)) as copy:
                source.backup(copy)  # in one go: a snapshot, however much is written meanwhile
        return
    _run(["pg_dump", "--format=custom", "--no-owner", f"--file={target}", _libpq(site.settings)])


def _files(settings: Settings) -> dict[str, Path]:
    """The uploaded files by their names in the zip; those kept in an object store stay there."""
    folder = Path(settings.storage)
    if "://" in settings.storage or not folder.is_dir():
        return {}
    return {FILES + path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def verify(file: Path) -> Manifest:
    """Reads the whole backup and compares every digest. Raises `BackupError`."""
    try:
        with zipfile.ZipFile(file) as pack:
            manifest = Manifest(**json.loads(pack.read(MANIFEST)))
            names = set(pack.namelist()) - {MANIFEST}
            if names != set(manifest.digests) or manifest.format != FORMAT:
                raise BackupError(_damaged(file, "manifest"))
            for name, wanted in manifest.digests.items():
                if not _safe(name) or _digest(pack, name) != wanted:
                    raise BackupError(_damaged(file, name))
            return manifest
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise BackupError(_damaged(file, str(error))) from error
    except Exception as error:  # zlib says so in its own way
        if isinstance(error, BackupError):
            raise
        raise BackupError(_damaged(file, str(error))) from error


def restore(settings: Settings, file: Path) -> Manifest:
    """Puts the backup in the place of the site's database and files. The site must not be running.

    Everything is unpacked and checked beside the site first; a damaged backup changes nothing. What was there is kept
    under a name ending in `.before-restore-…`.
    """
    manifest = verify(Path(file))
    dialect = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    if manifest.database != dialect:
        raise BackupError(
            f"备份来自 {manifest.database}，站点使用 {dialect}。 "
            f"The backup is of {manifest.database}, this site uses {dialect}."
        )
    settings.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix=".octavo-restore-") as work:
        with zipfile.ZipFile(file) as pack:
            for name in manifest.digests:
                _copy_out(pack, name, Path(work) / name)
        database = Path(work) / DATABASE[dialect]
        if dialect == "sqlite":
            _check_sqlite(database, file)
            _swap(database, _sqlite_path(settings))
        else:
            _run(["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
                  f"--dbname={_libpq(settings)}", str(database)])  # fmt: skip
        if "://" not in settings.storage:
            unpacked = Path(work) / FILES
            unpacked.mkdir(exist_ok=True)
            _swap(unpacked, Path(settings.storage))
    return manifest


def _copy_out(pack: zipfile.ZipFile, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with pack.open(name) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)


def _check_sqlite(database: Path, file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            newest = connection.execute("SELECT max(number) FROM octavo_version").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(_damaged(file, str(error))) from error
    if verdict != "ok" or newest is None:
        raise BackupError(_damaged(file, str(verdict)))


def _swap(new: Path, place: Path) -> None:
    """`new` in the place of what was there, which is kept beside it."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    for old in (place, place.with_name(f"{place.name}-wal"), place.with_name(f"{place.name}-shm")):
        if old.exists():
            os.replace(old, old.with_name(f"{place.name}.before-restore-{stamp}{old.name[len(place.name) :]}"))
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(new, place)


def _sqlite_path(settings: Settings) -> Path:
    return Path(sa.make_url(settings.url).database or settings.folder / DATABASE_FILE)


def _libpq(settings: Settings) -> str:
    return sa.make_url(settings.url).set(drivername="postgresql").render_as_string(hide_password=False)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BackupError(
            f"找不到 {command[0]}，请安装 PostgreSQL 客户端工具。 "
            f"{command[0]} is missing: install the client tools of PostgreSQL."
        ) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BackupError(f"{command[0]} 失败。 {command[0]} failed: {' '.join(last)}")


def _digest(pack: zipfile.ZipFile, name: str) -> str:
    digest = sha256()
    for block in _blocks(pack, name):
        digest.update(block)
    return digest.hexdigest()


def _blocks(pack: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with pack.open(name) as member:
        while block := member.read(CHUNK):
            yield block


def _safe(name: str) -> bool:
    """A part of a backup, inside the folder it is unpacked into."""
    parts = Path(name).parts
    return ".." not in parts and not Path(name).is_absolute() and (name in DATABASE.values() or name.startswith(FILES))


def _damaged(file: Path, what: str) -> str:
    return (
        f"备份 {file} 已损坏（{what}），没有恢复任何内容。 The backup {file} is damaged ({what}); nothing was restored."
    )
