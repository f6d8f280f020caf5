"""Data packages: made, checked, installed, upgraded, removed, and made of what a site declares itself.

Installed packages are copies below SITE/packages, named in the configuration; what the site says on top of them stays
in its own layer, so an upgrade replaces the copy and merges by itself.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from metadata.model import PackageInfo
from metadata.packages import Layer, load_folder
from runtime import bootstrap
from runtime.archives import check_members, extract
from runtime.errors import Conflict, NotFound
from runtime.publishing import publish as publishing
from runtime.publishing.layers import SITE, files_of, folder_layers
from runtime.settings import Settings, load_settings, write_settings
from runtime.site import Site

PACKAGES = "packages"
MOST_UNPACKED = 200_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Installed:
    """What was done: the package, and the version that was published."""

    name: str
    package_version: str
    version: int


def listed(site: Site) -> list[PackageInfo]:
    """The packages of the published version."""
    return list(site.application().packages)


def new(name: str, folder: Path) -> list[Path]:
    """The beginnings of a package: its description and one entity with a list."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict("package.folder_not_empty", folder=folder)
    entity = f"{name}_item"
    texts = {
        "package.yaml": f"package: {name}\nlabel: {{zh: {name}, en: {name}}}\nversion: 0.1.0\n",
        f"entities/{entity}.yaml": (
            f"entity: {entity}\nlabel: {{zh: {name} 条目, en: {name} item}}\ntitle: name\nsearch: [name]\nfields:\n"
            "  name:  {type: text, required: true, max: 120, label: {zh: 名称, en: Name}}\n"
            "  notes: {type: long_text, label: {zh: 备注, en: Notes}}\n"
        ),
        f"layouts/{entity}.yaml": f"list: {entity}\ncolumns: [name, created_at]\nsort: [name]\n",
    }
    return _write(folder, texts)


def install(site: Site, source: Path, *, accept: bool = False, demo: bool = False) -> Installed:
    """Installs a package from a folder or zip, or another version of it. All or nothing."""
    with unpacked(source) as folder:
        info = package_in(folder)
        target = site.folder / PACKAGES / info.name
        before = target.with_name(f".{info.name}.before")
        settings = load_settings(site.folder, {})
        shutil.rmtree(before, ignore_errors=True)
        if target.exists():
            target.rename(before)
        try:
            target.parent.mkdir(exist_ok=True)
            shutil.copytree(folder, target)
            number = _with_packages(site, settings, [*settings.packages, f"{PACKAGES}/{info.name}"], info, accept)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            if before.exists():
                before.rename(target)
            raise
        shutil.rmtree(before, ignore_errors=True)
    bootstrap.load_package_data(site, info.name, target / "data", demo=demo)
    return Installed(info.name, info.version, number)


def remove(site: Site, name: str, *, accept: bool = False) -> Installed:
    """Takes a package out: what it declared is retired, its data stay in the database."""
    settings = load_settings(site.folder, {})
    kept = [p for p in settings.packages if _name_of(site.folder / p) != name]
    if len(kept) == len(settings.packages):
        raise NotFound("package.unknown", name=name)
    info = next(_info(site.folder / p) for p in settings.packages if _name_of(site.folder / p) == name)
    number = _with_packages(site, settings, kept, info, accept)
    shutil.rmtree(site.folder / PACKAGES / name, ignore_errors=True)
    return Installed(name, info.version, number)


def export(site: Site, name: str, target: Path, *, version: str = "1.0.0") -> list[Path]:
    """The site's own documents as a package: a folder, or a zip where the target is called so."""
    layers = publishing.current_layers(site)
    files = next((files_of(layer) for layer in layers if layer.name == SITE), {})
    below = ", ".join(p.name for p in listed(site))
    requires = f"requires: [{below}]\n" if below else ""
    texts = {"package.yaml": f"package: {name}\nlabel: {{zh: {name}, en: {name}}}\nversion: {version}\n{requires}"}
    texts |= files
    if target.suffix != ".zip":
        return _write(target, texts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in texts.items():
            archive.writestr(f"{name}/{file}", text)
    return [target]


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """The folder with the `package.yaml`, out of a folder or a zip."""
    if source.is_dir():
        yield _folder_of(source)
        return
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        try:
            with zipfile.ZipFile(source) as archive:
                check_members(archive, most_bytes=MOST_UNPACKED)
                extract(archive, root)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
            raise Conflict("package.not_one", file=source) from error
        yield _folder_of(root)


def package_in(folder: Path) -> PackageInfo:
    """What the package in a folder says of itself. Only data: a package of a zip or folder never brings Python."""
    info = _info(folder)
    if any(folder.rglob("*.py")):
        raise Conflict("package.has_code", name=info.name)
    return info


def _folder_of(root: Path) -> Path:
    found = [root, *(p for p in root.iterdir() if p.is_dir())]
    folder = next((p for p in found if (p / "package.yaml").is_file()), None)
    if folder is None:
        raise Conflict("package.not_one", file=root.name)
    return folder


def _info(folder: Path) -> PackageInfo:
    layer, _ = load_folder(folder, folder.name)
    if layer.package is None:
        raise Conflict("package.not_one", file=folder.name)
    return layer.package


def _name_of(folder: Path) -> str | None:
    try:
        return _info(folder.resolve()).name
    except Conflict:
        return None


def _with_packages(site: Site, settings: Settings, wanted: Sequence[str], info: PackageInfo, accept: bool) -> int:
    """Publishes with these packages; the configuration names them only once that has worked."""
    names = tuple(dict.fromkeys(wanted))
    layers: list[Layer] = folder_layers(replace(site.settings, packages=names))
    number = publishing.publish(site, layers, f"{info.name} {info.version}", accept=accept)
    write_settings(replace(settings, packages=names))
    site.settings = replace(site.settings, packages=names)
    return number


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    written = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
