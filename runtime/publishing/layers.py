"""The layers of a site: from the installation, from folders, from the database; and back into text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metadata import packages
from metadata.compiler import Compiled, compile_application
from metadata.packages import Layer, load_folder, load_texts
from runtime import hooks
from runtime.collector import at_rest
from runtime.settings import Settings

SITE = "site"
Dumped = list[dict[str, Any]]  # [{"name": layer, "files": {file: text}}], lowest layer first


def compile_layers(layers: Sequence[Layer]) -> Compiled:
    """Compiles with everything that code packages have registered."""
    hooks.code_packages()
    with at_rest():
        return compile_application(layers)


def dump(layers: Sequence[Layer]) -> Dumped:
    """The layers as text, as a version keeps them."""
    return [{"name": layer.name, "files": files_of(layer)} for layer in layers]


def files_of(layer: Layer) -> dict[str, str]:
    return {document.file: document.text for document in layer.documents}


def layers_of(data: Dumped, known: Sequence[Layer] = ()) -> list[Layer]:
    """The layers of a version, read again; those among `known` that hold the same texts are taken as they are."""
    read = {layer.name: layer for layer in known}
    with at_rest():
        return [_read_again(layer["name"], dict(layer["files"]), read.get(layer["name"])) for layer in data]


def _read_again(name: str, files: dict[str, str], known: Layer | None) -> Layer:
    same = known is not None and not known.problems and not known.functions and files_of(known) == files
    return known if known is not None and same else load_texts(files, name)


def installed_layers(settings: Settings, package_folders: Iterable[Path] = ()) -> list[Layer]:
    """What lies below the site layer: platform, stock, code packages, and data packages in folders."""
    layers = [packages.platform(), packages.stock()]
    layers += [load_folder(package.folder, package.name)[0] for package in hooks.code_packages()]
    folders = [(settings.folder / folder).resolve() for folder in settings.packages]
    for folder in dict.fromkeys([*folders, *package_folders]):
        layers.append(package_layer(folder))
    return _unique(layers)


def package_layer(folder: Path) -> Layer:
    """A data package in a folder; its layer bears the package's own name."""
    layer = load_folder(folder, folder.name)[0]
    if layer.package is None or layer.package.name == folder.name:
        return layer
    return load_folder(folder, layer.package.name)[0]


def folder_layers(settings: Settings, package_folders: Iterable[Path] = ()) -> list[Layer]:
    """All layers of a site from files: what `octavo publish` publishes."""
    layers = installed_layers(settings, package_folders)
    folder = settings.metadata_folder
    site = load_folder(folder, SITE)[0] if folder.is_dir() else Layer(name=SITE)
    return [*layers, site]


def with_site_files(layers: Sequence[Layer], changes: Mapping[str, str | None]) -> list[Layer]:
    """The layers with files of the site layer replaced, added or (None) removed: what a designer publishes."""
    below = [layer for layer in layers if layer.name != SITE]
    files = next((files_of(layer) for layer in layers if layer.name == SITE), {})
    files |= {name: text for name, text in changes.items() if text is not None}
    for name in [name for name, text in changes.items() if text is None]:
        files.pop(name, None)
    return [*below, load_texts(files, SITE)]


def changed_files(before: Dumped, after: Dumped) -> list[str]:
    """`layer: file` of every file that differs between two versions."""
    old, new = _flat(before), _flat(after)
    return sorted(
        f"{layer}: {file}"
        for layer, file in old.keys() | new.keys()
        if old.get((layer, file)) != new.get((layer, file))
    )


def _flat(data: Dumped) -> dict[tuple[str, str], str]:
    return {(layer["name"], file): text for layer in data for file, text in layer["files"].items()}


def _unique(layers: Sequence[Layer]) -> list[Layer]:
    """Each layer once; a package named twice counts where it is named first."""
    found: dict[str, Layer] = {}
    for layer in layers:
        found.setdefault(layer.name, layer)
    return list(found.values())
