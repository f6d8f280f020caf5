"""A site in one file: a snapshot of the database, the stored files, the configuration, the working copy of metadata.

SQLite is copied by itself in one consistent transaction; PostgreSQL by its own pg_dump and pg_restore.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runtime.archives import check_members, extract
from runtime.errors import Conflict
from runtime.settings import CONFIG_FILE, Settings, load_settings
from runtime.site import Site

FORMAT = 1
MANIFEST = "octavo-backup.json"
_SQLITE, _POSTGRES = "database.sqlite", "database.dump"
_FOLDERS = ("files", "metadata", "packages")


class BackupError(Conflict):
    """The backup cannot be made or read; the code says why."""


def backup(site: Site, target: Path) -> dict[str, Any]:
    """Writes the backup; answers its manifest. The target appears whole or not at all, readable by its owner alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".octavo-backup-") as name:
        work = Path(name)
        database = _snapshot(site, work)
        manifest = {
            "format": FORMAT,
            "database": database.name,
            "dialect": site.dialect,
            "version": site.version,
            "made_at": site.clock.now().isoformat(timespec="seconds"),
        }
        whole = work / "backup.zip"
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
            archive.write(database, database.name)
            archive.write(site.folder / CONFIG_FILE, CONFIG_FILE)
            for file in _files_of(site):
                archive.write(file, file.relative_to(site.folder).as_posix())
        whole.chmod(0o600)
        os.replace(whole, target)
    return {**manifest, "bytes": target.stat().st_size}


def _files_of(site: Site) -> list[Path]:
    """What lies in the site folder and belongs to the site; half-received uploads do not."""
    found = [file for folder in _FOLDERS for file in sorted((site.folder / folder).rglob("*")) if file.is_file()]
    return [file for file in found if "incoming" not in file.relative_to(site.folder).parts]


def _snapshot(site: Site, work: Path) -> Path:
    if site.dialect == "sqlite":
        return _copy_sqlite(Path(site.settings.url.removeprefix("sqlite:///")), work / _SQLITE)
    target = work / _POSTGRES
    _run_postgres(site.settings, "pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={target}")
    return target


def _copy_sqlite(source: Path, target: Path) -> Path:
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as opened:
        copy = sqlite3.connect(target)
        try:
            opened.backup(copy)
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupError("backup.damaged")
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
    opened.close()
    return target


def restore(folder: Path, source: Path, *, replace_existing: bool = False) -> dict[str, Any]:
    """Makes the site in `folder` from a backup; answers the manifest.

    A folder that holds a site already is replaced only when told so; what was there is kept beside it, renamed.
    The database goes where OCTAVO_DATABASE_URL says, else where the configuration in the backup says.
    """
    manifest = _manifest(source)
    if (folder / CONFIG_FILE).exists() and not replace_existing:
        raise BackupError("backup.site_exists", folder=folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".octavo-restore-") as name:
        work = Path(name) / "site"
        work.mkdir()
        _unpack(source, work)
        settings = replace(load_settings(work), folder=folder.resolve())
        database = work / manifest["database"]
        if manifest["dialect"] == "sqlite":
            _sound(database)
        if manifest["dialect"] == "postgresql":
            _load_postgres(settings, database, replace_existing)
        _set_aside(folder)
        shutil.move(work, folder)
    database = folder / manifest["database"]
    if manifest["dialect"] == "sqlite":
        os.replace(database, Path(settings.url.removeprefix("sqlite:///")))
    else:
        database.unlink()
    return manifest


def _manifest(source: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            damaged = archive.testzip()
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BackupError("backup.not_one", file=source) from error
    if damaged is not None:
        raise BackupError("backup.damaged")
    if manifest.get("format") != FORMAT or manifest.get("database") not in (_SQLITE, _POSTGRES):
        raise BackupError("backup.other_format", file=source)
    return manifest


def _unpack(source: Path, work: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        check_members(archive)
        extract(archive, work)
    (work / MANIFEST).unlink()
    (work / CONFIG_FILE).chmod(0o600)


def _sound(database: Path) -> None:
    """The copy is a whole database of a site. Raises `BackupError` before anything that is there is touched."""
    try:
        copy = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise BackupError("backup.damaged")
            copy.execute("SELECT 1 FROM octavo_version").fetchone()
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise BackupError("backup.damaged") from error


def _load_postgres(settings: Settings, dump: Path, clean: bool) -> None:
    options = ["--no-owner", "--no-acl", "--exit-on-error", "--single-transaction"]
    if clean:
        options += ["--clean", "--if-exists"]
    name = urlsplit(settings.url).path.lstrip("/")
    _run_postgres(settings, "pg_restore", *options, f"--dbname={name}", str(dump))


def _set_aside(folder: Path) -> None:
    """What is in the way is renamed, never deleted."""
    if not folder.exists():
        return
    if not any(folder.iterdir()):
        folder.rmdir()
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.before-{number}")).exists():
        number += 1
    folder.rename(aside)


def _run_postgres(settings: Settings, program: str, *arguments: str) -> None:
    """Runs a PostgreSQL program; the password goes by the environment, never by the command line."""
    found = shutil.which(program)
    if found is None:
        raise BackupError("backup.no_program", program=program)
    url = urlsplit(settings.url)
    environment = {
        **os.environ,
        "PGHOST": url.hostname or "localhost",
        "PGPORT": str(url.port or 5432),
        "PGUSER": unquote(url.username or os.environ.get("PGUSER") or "postgres"),
        "PGDATABASE": url.path.lstrip("/"),
    }
    if url.password:
        environment["PGPASSWORD"] = unquote(url.password)
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise BackupError("backup.program_failed", program=program, reason=reason)
