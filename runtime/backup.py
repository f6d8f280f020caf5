"""A site in one file: the database, the uploaded files, the settings and the working copy of the metadata.

SQLite is copied in one transaction, PostgreSQL by its own `pg_dump`; others read and write meanwhile. What belongs to
the machine and not to the site stays out: the secret key (unless asked for) and the addresses of database, Redis and
mail, which hold passwords. `runtime.restore` brings a backup back.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import yaml

from runtime.errors import Conflict
from runtime.settings import CONFIG_FILE, DATABASE_FILE, Settings, config_of

if TYPE_CHECKING:
    from runtime.site import Site

FORMAT = 2
MANIFEST = "octavo-backup.json"
DATABASE = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
FILES = "files"
FOLDERS = ("metadata", "packages")  # of the site folder
KEYS = ("secret_key", "secret_key_before")
PRIVATE = (*KEYS, "database_url", "redis_url", "smtp_url", "metrics_token")
CHUNK = 1 << 20


class BackupError(Conflict):
    """The backup cannot be made or used; the code says why."""


def backup(site: Site, target: Path, *, with_key: bool = False) -> dict[str, Any]:
    """Writes the backup; answers its manifest. The target appears whole or not at all, readable by its owner alone.

    `with_key` puts the secret key in: then the file alone is enough to read sealed values, also for a thief.
    """
    target = Path(target).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with working(target.parent, "backup") as work:
        draft = work / "backup.zip"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as pack:
            manifest = _write(site, pack, work, with_key)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.chmod(0o600)
        os.replace(draft, target)
    sync_folder(target.parent)
    return {**manifest, "bytes": target.stat().st_size}


def _write(site: Site, pack: zipfile.ZipFile, work: Path, with_key: bool) -> dict[str, Any]:
    digests: dict[str, str] = {}
    _add_files(pack, site.settings, digests)  # contents never change: what the database will refer to is there before,
    database = _snapshot(site, work / DATABASE[site.dialect])
    digests[database.name] = copy_in(pack, database.name, database)
    _add_files(pack, site.settings, digests)  # or came while the database was copied
    for folder in FOLDERS:
        for path in sorted((site.folder / folder).rglob("*")):
            if path.is_file():
                name = path.relative_to(site.folder).as_posix()
                digests[name] = copy_in(pack, name, path)
    config = yaml.safe_dump(_config(site.settings, with_key), allow_unicode=True, sort_keys=False).encode()
    pack.writestr(CONFIG_FILE, config)
    digests[CONFIG_FILE] = sha256(config).hexdigest()
    manifest = {
        "format": FORMAT,
        "database": database.name,
        "dialect": site.dialect,
        "version": site.version,
        "made_at": site.clock.now().isoformat(timespec="seconds"),
        "key": key_mark(site.settings.secret_key),
        "with_key": with_key,
        "sealed": _sealed(site),
        "files": "://" not in site.settings.storage,
    }
    pack.writestr(MANIFEST, json.dumps({**manifest, "digests": digests}, indent=1))
    return manifest


def _config(settings: Settings, with_key: bool) -> dict[str, Any]:
    kept = config_of(settings)
    left_out = [name for name in PRIVATE if not (with_key and name in KEYS)]
    return {name: value for name, value in kept.items() if name not in left_out}


def key_mark(secret_key: str) -> str:
    """Tells keys apart without telling them."""
    return sha256(b"octavo key mark 1\x00" + secret_key.encode()).hexdigest()[:16]


def _sealed(site: Site) -> int:
    """How many values nobody could read without the key."""
    from runtime.security.secrets import count_sealed  # late: encryption is heavy to load

    with site.session() as session:
        return count_sealed(session)


def _add_files(pack: zipfile.ZipFile, settings: Settings, digests: dict[str, str]) -> None:
    """The uploaded files that are not in yet; those kept in an object store stay there."""
    folder = Path(settings.storage)
    if "://" in settings.storage or not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        name = f"{FILES}/{inside.as_posix()}"
        if name not in digests and path.is_file() and inside.parts[0] != "incoming":
            with contextlib.suppress(FileNotFoundError):  # thrown away just now: nothing refers to it
                digests[name] = copy_in(pack, name, path)


def copy_in(pack: zipfile.ZipFile, name: str, path: Path) -> str:
    """Adds a file to the archive; its SHA-256."""
    digest = sha256()
    with path.open("rb") as source, pack.open(name, "w", force_zip64=True) as member:
        while block := source.read(CHUNK):
            digest.update(block)
            member.write(block)
    return digest.hexdigest()


def _snapshot(site: Site, target: Path) -> Path:
    if site.dialect == "sqlite":
        return _copy_sqlite(sqlite_path(site.settings), target)
    # the schema of the site alone: what an earlier restore has put aside beside it is no part of it
    run_postgres(
        site.settings, "pg_dump", "--format=custom", "--no-owner", "--no-acl", "--schema=public", f"--file={target}"
    )
    return target


def _copy_sqlite(source: Path, target: Path) -> Path:
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as opened,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy)  # in one go: a snapshot, however much is written meanwhile
        if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise BackupError("backup.damaged")
        copy.execute("PRAGMA journal_mode = DELETE").close()
    return target


def sqlite_path(settings: Settings) -> Path:
    """The file of a SQLite database."""
    return Path(sa.make_url(settings.url).database or settings.folder / DATABASE_FILE).absolute()


def run_postgres(settings: Settings, program: str, *arguments: str, connect: bool = True) -> None:
    """Runs a program of PostgreSQL, on the site's database unless told not to; the password goes by the environment.

    Raises `BackupError` where the program is not there or fails.
    """
    found = shutil.which(program)
    if found is None:
        raise BackupError("backup.no_program", program=program)
    url = sa.make_url(settings.url).set(drivername="postgresql")
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    bare = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    address = [f"--dbname={bare.render_as_string(hide_password=False)}"] if connect else []
    done = subprocess.run(
        [found, *address, *arguments], env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise BackupError("backup.program_failed", program=program, reason=reason)


@contextlib.contextmanager
def working(place: Path, purpose: str) -> Iterator[Path]:
    """A private folder below `place` to work in, removed afterwards; so are those a killed process has left there."""
    prefix = f".octavo-{purpose}-"
    for left in place.glob(f"{prefix}*"):
        _sweep(left)
    work = Path(tempfile.mkdtemp(dir=place, prefix=prefix))
    lock = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _sweep(left: Path) -> None:
    """Removes the folder unless a living process works in it: its lock ended with the process."""
    try:
        lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(lock)


def sync_folder(folder: Path) -> None:
    """What was renamed in the folder survives a power cut from here on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
