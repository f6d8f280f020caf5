"""The settings of a site: `config.yaml` in its folder, each key overridable by `OCTAVO_<KEY>` in the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from rules.working import parse_spans

CONFIG_FILE = "config.yaml"
DATABASE_FILE = "octavo.db"
LEAST_SECRET = 32  # characters; `octavo init` writes 64
WEAK_SECRETS = frozenset({"changeme", "change-me", "secret", "development", "dev", "password", "octavo", "test"})


class SettingsError(Exception):
    """The configuration cannot be used. The text is one sentence in Chinese and English with what to do next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decides. Every key is described in the operator's manual.

    `database_url` empty = a SQLite file in the site folder; `packages` are folders of data packages, relative to the
    site folder; `prepare_threshold` -1 switches prepared statements off (needed behind PgBouncer in transaction mode);
    `sqlite_synchronous` NORMAL may lose the last acknowledged commits at a power cut. `secret_key_before` still opens
    what it sealed while `octavo rekey` goes over to a new `secret_key`. `query_seconds` is how long a page or call may
    keep the database at one statement; 0 is no limit. `proxies` is how many proxies stand before the program: their
    word is taken for where a request comes from.
    """

    folder: Path
    database_url: str = ""
    redis_url: str = ""
    smtp_url: str = ""
    base_url: str = "http://127.0.0.1:8000"
    secret_key: str = ""
    secret_key_before: str = ""
    language: str = "zh"
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    working_hours: str = "09:00-12:00,13:00-18:00"
    packages: tuple[str, ...] = ()
    storage_url: str = ""
    trusted_hosts: tuple[str, ...] = ()
    allow_private_addresses: bool = False
    embedded_worker: bool = True
    pool_size: int = 10
    prepare_threshold: int = 5
    sqlite_synchronous: str = "FULL"
    busy_timeout_seconds: int = 5
    publish_timeout_seconds: int = 10
    query_seconds: int = 10
    job_lease_seconds: int = 60
    job_tries: int = 8
    job_keep_days: int = 30
    bin_keep_days: int = 0
    metrics_token: str = ""
    proxies: int = 0

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.folder / DATABASE_FILE}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def storage(self) -> str:
        return self.storage_url or str(self.folder / "files")

    @property
    def metadata_folder(self) -> Path:
        """The working copy of the site layer."""
        return self.folder / "metadata"


def load_settings(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings of the site in `folder` (else OCTAVO_SITE, else ./site). Raises `SettingsError`."""
    environment = os.environ if environment is None else environment
    place = Path(folder or environment.get("OCTAVO_SITE") or "site").resolve()
    config = place / CONFIG_FILE
    if not config.is_file():
        raise SettingsError(f"{place} 不是站点文件夹，请先运行 octavo init。 No site in {place}: run “octavo init”.")
    return check_settings(_merge(place, read_config(config), environment))


def read_config(config: Path) -> dict[str, Any]:
    """What a `config.yaml` says, unchecked. Raises `SettingsError` where it is no YAML of keys and values."""
    try:
        data = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"无法读取 {config}。 Cannot read {config}: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SettingsError(f"{config} 应为键值对。 {config} should hold keys and values.")
    return data


def _merge(place: Path, data: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    known = {f.name: f.type for f in fields(Settings) if f.name != "folder"}
    if unknown := sorted(set(data) - set(known)):
        raise SettingsError(f"未知的配置项：{unknown[0]}。 Unknown setting “{unknown[0]}” in {CONFIG_FILE}.")
    values = {name: data[name] for name in known if data.get(name) is not None}
    values |= {name: environment[key] for name in known if (key := f"OCTAVO_{name.upper()}") in environment}
    return Settings(folder=place, **{name: _typed(name, known[name], value) for name, value in values.items()})


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The value as the type of the setting; text from the environment is read like a person writes it."""
    try:
        if kind == "bool":
            return value if isinstance(value, bool) else {"true": True, "1": True, "false": False, "0": False}[value]
        if kind == "int":
            return int(value)
        if kind == "tuple[str, ...]":
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(str(part).strip() for part in parts if str(part).strip())
    except (KeyError, ValueError, TypeError) as error:
        raise SettingsError(f"配置项 {name} 的值不正确：{value}。 The setting {name} cannot be {value!r}.") from error
    return str(value)


def check_settings(settings: Settings) -> Settings:
    """The settings if they can be used. A weak secret key would let anybody sign tokens, so it stops the start."""
    key = settings.secret_key
    if len(key) < LEAST_SECRET or len(set(key)) < 8 or key.lower() in WEAK_SECRETS:
        raise SettingsError(
            f"secret_key 太短或太弱，至少 {LEAST_SECRET} 个随机字符。 The secret_key in {CONFIG_FILE} is too short or "
            f"too weak: at least {LEAST_SECRET} random characters."
        )
    if 0 < len(settings.metrics_token) < LEAST_SECRET:
        raise SettingsError(
            f"metrics_token 太短，至少 {LEAST_SECRET} 个随机字符。 The metrics_token in {CONFIG_FILE} is too short: at "
            f"least {LEAST_SECRET} random characters."
        )
    if not 0 <= settings.proxies <= 9:
        raise SettingsError(f"proxies 是前面代理的个数，0 到 9。 proxies is from 0 to 9, not {settings.proxies}.")
    if settings.language not in ("zh", "en"):
        raise SettingsError(f"language 只能是 zh 或 en。 language is zh or en, not {settings.language!r}.")
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"未知时区 {settings.timezone}。 Unknown timezone {settings.timezone!r}.") from error
    try:
        parse_spans(settings.working_hours)
    except ValueError as error:
        raise SettingsError(
            f"working_hours 写法不对：{settings.working_hours}，例如 09:00-12:00,13:00-18:00。 "
            f"working_hours is written like 09:00-12:00,13:00-18:00, not {settings.working_hours!r}."
        ) from error
    if not settings.url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError(
            "database_url 应以 sqlite:/// 或 postgresql+psycopg:// 开头。 "
            "The database_url begins with sqlite:/// or postgresql+psycopg://."
        )
    return settings


def new_secret() -> str:
    """64 random hexadecimal characters."""
    return secrets.token_hex(32)


def config_of(settings: Settings) -> dict[str, Any]:
    """What `config.yaml` says; where there is none, the settings that differ from the defaults."""
    config = settings.folder / CONFIG_FILE
    return read_config(config) if config.is_file() else _differing(settings)


def _differing(settings: Settings) -> dict[str, Any]:
    default = Settings(folder=settings.folder)
    data: dict[str, Any] = {}
    for f in fields(Settings):
        value = getattr(settings, f.name)
        if f.name != "folder" and value != getattr(default, f.name):
            data[f.name] = list(value) if isinstance(value, tuple) else value
    return data


def write_settings(settings: Settings) -> Path:
    """Writes the settings that differ from the defaults to `config.yaml`, readable by its owner alone."""
    return write_config(settings.folder, _differing(settings))


def write_config(folder: Path, data: Mapping[str, Any]) -> Path:
    """Replaces `config.yaml` at one stroke, also across a power cut; empty values are left out."""
    target = folder / CONFIG_FILE
    temporary = target.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    kept = {name: value for name, value in data.items() if value not in ("", None)}
    with temporary.open("w", encoding="utf-8") as stream:
        yaml.safe_dump(kept, stream, allow_unicode=True, sort_keys=False)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, target)
    return target


def throwaway_settings(folder: Path, **changes: Any) -> Settings:
    """Settings for a throw-away site, with a key of its own."""
    return replace(Settings(folder=folder, secret_key=new_secret()), **changes)
