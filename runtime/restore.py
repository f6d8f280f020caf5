"""Brings a backup back. Every byte is looked at before anything that is there is touched, and that is kept, renamed.

Interrupted at any point, the restore can be run again: SQLite and folders change by renaming what is complete,
PostgreSQL in one transaction.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runtime import database
from runtime.archives import check_members
from runtime.backup import (
    CHUNK,
    DATABASE,
    FILES,
    FOLDERS,
    FORMAT,
    MANIFEST,
    PRIVATE,
    BackupError,
    key_mark,
    run_postgres,
    sqlite_path,
    sync_folder,
    working,
)
from runtime.settings import CONFIG_FILE, Settings, load_settings, new_secret, read_config, write_config

_TEXTS = ("dialect", "made_at", "key")


def verify(source: Path) -> dict[str, Any]:
    """The manifest of a backup whose every byte was compared with its digest. Raises `BackupError`, `Conflict`."""
    try:
        with zipfile.ZipFile(source) as pack:
            manifest = _manifest(pack, source)
            check_members(pack)
            digests = manifest["digests"]
            if {m.filename for m in pack.infolist()} - {MANIFEST} != set(digests):
                raise BackupError("backup.damaged")
            for name, wanted in digests.items():
                if not _expected(name, manifest) or _digest(pack, name) != wanted:
                    raise BackupError("backup.damaged")
            return manifest
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BackupError("backup.not_one", file=source) from error


def _manifest(pack: zipfile.ZipFile, source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(pack.read(MANIFEST))
        known = manifest.get("format") == FORMAT
    except (KeyError, ValueError, AttributeError) as error:
        raise BackupError("backup.not_one", file=source) from error
    if not known:
        raise BackupError("backup.other_format", file=source)
    whole = (
        DATABASE.get(str(manifest.get("dialect"))) == manifest.get("database")
        and isinstance(manifest.get("digests"), dict)
        and {manifest["database"], CONFIG_FILE} <= manifest["digests"].keys()
        and all(isinstance(manifest.get(name), str) for name in _TEXTS)
        and all(isinstance(manifest.get(name), int) for name in ("version", "sealed"))
    )
    if not whole:
        raise BackupError("backup.damaged")
    return manifest


def _expected(name: str, manifest: Mapping[str, Any]) -> bool:
    return name in (manifest["database"], CONFIG_FILE) or name.split("/")[0] in (FILES, *FOLDERS)


def _digest(pack: zipfile.ZipFile, name: str) -> str:
    digest = sha256()
    with pack.open(name) as member:
        while block := member.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def restore(
    folder: Path,
    source: Path,
    *,
    replace_existing: bool = False,
    key: str | None = None,
    new_key: bool = False,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Makes the site in `folder` from a backup; answers the manifest, with `kept`: where what was there is now.

    A site that is there is replaced only when told so, and must not be running. The addresses of database, Redis and
    mail are those of the site that is replaced, or of the environment. The secret key is `key`, else that of the
    environment, of the backup (if it was put in), of the site that is replaced; a key that does not open what is sealed
    in the backup is refused, unless `new_key` gives up what is sealed.
    """
    folder = Path(folder).resolve()
    environment = os.environ if environment is None else environment
    manifest = verify(Path(source))
    there = (folder / CONFIG_FILE).is_file()
    if there and not replace_existing:
        raise BackupError("backup.site_exists", folder=folder)
    present = read_config(folder / CONFIG_FILE) if there else {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working(folder.parent, "restore") as work:
        _unpack(Path(source), work)
        new = work / "site"
        config = {**read_config(work / CONFIG_FILE), **{k: v for k, v in present.items() if k in PRIVATE[2:]}}
        config |= _key(manifest, config, present, key, new_key, environment)
        new.mkdir()
        write_config(new, config)
        settings = replace(load_settings(new, environment), folder=folder)
        move = _Move(work, new, settings, manifest, [])
        move.check(replace_existing)
        move.run()
    sync_folder(folder.parent)
    return {**{k: v for k, v in manifest.items() if k != "digests"}, "kept": move.kept}


def _unpack(source: Path, work: Path) -> None:
    with zipfile.ZipFile(source) as pack:
        for member in pack.infolist():
            path = work / member.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            with pack.open(member) as packed, path.open("wb") as copy:
                path.chmod(0o600)
                shutil.copyfileobj(packed, copy, CHUNK)


def _key(
    manifest: Mapping[str, Any],
    config: Mapping[str, Any],
    present: Mapping[str, Any],
    key: str | None,
    new_key: bool,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """The key to write into the settings; the environment's own goes before it without being written down."""
    if new_key:
        return {"secret_key": new_secret(), "secret_key_before": ""}
    given = environment.get("OCTAVO_SECRET_KEY")
    chosen = key or given or config.get("secret_key") or present.get("secret_key")
    if manifest["sealed"] and (not chosen or key_mark(str(chosen)) != manifest["key"]):
        raise BackupError("backup.other_key" if chosen else "backup.no_key", count=manifest["sealed"])
    if not chosen:
        return {"secret_key": new_secret()}
    before = config.get("secret_key_before") or present.get("secret_key_before") or ""
    return {"secret_key": "" if chosen == given else str(chosen), "secret_key_before": str(before)}


@dataclass
class _Move:
    """What was unpacked below `work` takes its place."""

    work: Path
    new: Path  # becomes the site folder
    settings: Settings
    manifest: Mapping[str, Any]
    kept: list[str]

    @property
    def dump(self) -> Path:
        return self.work / str(self.manifest["database"])

    def check(self, replace_existing: bool) -> None:
        """Raises `BackupError` where the database does not fit or, unasked, something would be replaced."""
        dialect = "sqlite" if self.settings.url.startswith("sqlite") else "postgresql"
        if dialect != self.manifest["dialect"]:
            raise BackupError("backup.other_database", backup=self.manifest["dialect"], site=dialect)
        if dialect == "sqlite":
            _sound(self.dump)
            there = not self._inside(sqlite_path(self.settings)) and sqlite_path(self.settings).exists()
        else:
            there = self._postgres_holds_a_site()
        if there and not replace_existing:
            raise BackupError("backup.site_exists", folder=self.settings.folder)

    def _inside(self, path: Path) -> bool:
        return path.is_relative_to(self.settings.folder)

    def _postgres_holds_a_site(self) -> bool:
        engine = database.create_engine(self.settings)
        try:
            with database.answering():
                return bool(sa.inspect(engine).get_table_names())
        finally:
            engine.dispose()

    def run(self) -> None:
        """The parts that lie elsewhere first, the folder last: it is what makes a site."""
        folder = self.settings.folder
        for name in FOLDERS:
            if (self.work / name).is_dir():
                os.rename(self.work / name, self.new / name)
        if self.manifest["dialect"] == "sqlite":
            self._place(self.dump, sqlite_path(self.settings))
        else:
            self._load()
        if self.manifest.get("files") and "://" not in self.settings.storage:
            (self.work / FILES).mkdir(exist_ok=True)
            self._place(self.work / FILES, Path(self.settings.storage).absolute())
        os.sync()  # what is renamed now must not be empty after a power cut
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        self._aside(folder)
        os.rename(self.new, folder)

    def _place(self, part: Path, place: Path) -> None:
        """A part into the new folder, or to its place outside of it."""
        if self._inside(place):
            place = self.new / place.relative_to(self.settings.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._aside(place)
        for more in ("-wal", "-shm"):  # of a database: they would be applied to the new one
            self._aside(place.with_name(place.name + more))
        shutil.move(part, place)

    def _aside(self, place: Path) -> None:
        """What is in the way is renamed, never deleted."""
        if not place.exists():
            return
        number = 1
        while (other := place.with_name(f"{place.name}.before-{number}")).exists():
            number += 1
        os.rename(place, other)
        self.kept.append(str(other))

    def _load(self) -> None:
        """Fills the schema `public` anew in one transaction; the one before is kept under another name."""
        script = self.work / "database.sql"
        run_postgres(
            self.settings, "pg_restore", "--no-owner", "--no-acl", "--schema=public", f"--file={script}",
            str(self.dump), connect=False,
        )  # fmt: skip
        schema = self._free_schema()
        begin = "SET LOCAL lock_timeout = '10s'; CREATE SCHEMA IF NOT EXISTS public;"
        aside = f"ALTER SCHEMA public RENAME TO {schema}; CREATE SCHEMA public"
        run_postgres(
            self.settings, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
            f"--command={begin}", *([f"--command={aside}"] if self._postgres_holds_a_site() else []),
            f"--file={script}",
        )  # fmt: skip

    def _free_schema(self) -> str:
        engine = database.create_engine(self.settings)
        try:
            with database.answering():
                taken = set(sa.inspect(engine).get_schema_names())
        finally:
            engine.dispose()
        name = next(n for n in (f"octavo_before_{i}" for i in range(1, len(taken) + 2)) if n not in taken)
        if self._postgres_holds_a_site():
            self.kept.append(f"PostgreSQL: {name}")
        return name


def _sound(copy: Path) -> None:
    """The copy is a whole database of a site. Raises `BackupError`."""
    try:
        with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as opened:
            whole = opened.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
            newest = opened.execute("SELECT max(number) FROM octavo_version").fetchone()
    except sqlite3.Error as error:
        raise BackupError("backup.damaged") from error
    if not whole or newest is None or newest[0] is None:
        raise BackupError("backup.damaged")
