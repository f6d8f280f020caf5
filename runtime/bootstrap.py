"""Making a site: folder, configuration, database, version 1, an administrator, base data. Can be run again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from metadata.compiler import Compiled
from metadata.packages import stock_root
from runtime import database, samples
from runtime.clock import Clock
from runtime.publishing import layers, publish, store
from runtime.schema.internal import password as password_table
from runtime.schema.internal import state
from runtime.seed import load_data
from runtime.settings import CONFIG_FILE, Settings, load_settings, new_secret, write_settings
from runtime.site import Session, Site

ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """`password` is None where the administrator was there already."""

    site: Site
    login: str
    password: str | None
    version: int


class MetadataError(Exception):
    """The metadata to begin with have errors; `compiled` holds them."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        super().__init__(f"{len(compiled.errors)} errors, the first: {compiled.errors[0]}")


def init_site(
    folder: Path,
    packages: Sequence[Path] = (),
    demo: bool = False,
    admin_password: str | None = None,
    *,
    settings: Settings | None = None,
    clock: Clock | None = None,
    seed: bool = True,
) -> InitResult:
    """The site in `folder`, made as far as it is not there yet. Raises `MetadataError`, `SettingsError`.

    `seed` loads the base data of the stock application and the packages, `demo` their demonstration records.
    """
    settings = settings or _settings(Path(folder).resolve(), packages)
    settings.metadata_folder.mkdir(parents=True, exist_ok=True)
    site = Site(settings, clock)
    package_folders = [Path(path).resolve() for path in packages]
    try:
        _first_version(site, package_folders)
        login, password = _admin(site, admin_password)
        for name, data in data_folders(settings, package_folders):
            if seed:
                _once(site, f"seed:{name}", data / "seed")
            if demo:
                _once(site, f"demo:{name}", data / "demo")
        if demo:
            samples.note_loaded(site)
    except BaseException:
        site.close()
        raise
    return InitResult(site=site, login=login, password=password, version=site.version)


def _settings(folder: Path, packages: Sequence[Path]) -> Settings:
    """The settings in the folder; written first where there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CONFIG_FILE).is_file():
        names = tuple(str(Path(path).resolve()) for path in packages)
        write_settings(Settings(folder=folder, secret_key=new_secret(), packages=names))
    return load_settings(folder)


def _first_version(site: Site, package_folders: Sequence[Path]) -> None:
    """Publishes version 1 where nothing is published: schema and version in one transaction, or nothing."""
    with database.answering(), site.engine.connect() as connection:
        if sa.inspect(connection).has_table("octavo_version") and store.newest(connection) is not None:
            return
    wanted = layers.folder_layers(site.settings, package_folders)
    compiled = publish.check(wanted)
    if compiled.errors:
        raise MetadataError(compiled)
    publish.publish(site, wanted, "1")


def _admin(site: Site, password: str | None) -> tuple[str, str | None]:
    """An administrator with a password, where there is none of that login."""
    with site.session(write=True) as session:
        person = session.table("user")
        known = session.connection.scalar(sa.select(person.c.id).where(person.c.login == ADMIN))
        if known is None:
            known = _new_person(session)
        elif _has_password(session, known):
            return ADMIN, None
        chosen = password or secrets.token_urlsafe(9)
        set_password(session, known, chosen)
        return ADMIN, chosen


def _new_person(session: Session) -> int:
    from runtime.records import create  # late: the record layer loads what a site without records does without

    roles = [{"role": name} for name in sorted(_admin_roles(session))]
    values = {"login": ADMIN, "name": "管理员", "language": session.site.settings.language, "roles": roles}
    return int(create(session, "user", values).id)


def _admin_roles(session: Session) -> list[str]:
    """The roles that may administer the site."""
    return [role.name for role in session.app.roles.values() if role.admin]


def _has_password(session: Session, user_id: int) -> bool:
    table = password_table
    return session.connection.scalar(sa.select(table.c.user_id).where(table.c.user_id == user_id)) is not None


def set_password(session: Session, user_id: int, password: str) -> None:
    """Replaces the password of a person."""
    from runtime.security.passwords import hash_password  # late: argon2 is loaded where a password is set

    table = password_table
    session.connection.execute(sa.delete(table).where(table.c.user_id == user_id))
    row = {"user_id": user_id, "hash": hash_password(password), "changed_at": session.now, "must_change": False}
    session.connection.execute(sa.insert(table).values(row))


def data_folders(settings: Settings, package_folders: Sequence[Path] = ()) -> list[tuple[str, Path]]:
    """(name, data folder) of the stock application and the packages."""
    folders = [*((settings.folder / name).resolve() for name in settings.packages), *package_folders]
    found = [("stock", stock_root() / "data")]
    return found + [(folder.name, folder / "data") for folder in dict.fromkeys(folders)]


def _once(site: Site, mark: str, folder: Path) -> None:
    """Loads the files of a folder, each in a transaction that also notes that it is done."""
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
        with site.session(write=True) as session:
            load_once(session, mark, file)


def load_once(session: Session, mark: str, file: Path, *, removable: bool = False) -> None:
    """Loads a file unless that was done, and notes it; of a demonstration also what it made."""
    name = f"{mark}:{file.name}"
    if session.connection.scalar(sa.select(state.c.value).where(state.c.name == name)) is not None:
        return
    with samples.noting(session) if mark.startswith(samples.MARK) else nullcontext():
        load_data(session, file, removable=removable)
    session.connection.execute(sa.insert(state).values(name=name, value=session.now.isoformat()))


def load_package_data(site: Site, name: str, folder: Path, *, demo: bool = False) -> None:
    """The seed (and demonstration) records of a package, each file once in the life of a site."""
    _once(site, f"seed:{name}", folder / "seed")
    if demo:
        _once(site, f"demo:{name}", folder / "demo")
        samples.note_loaded(site)
