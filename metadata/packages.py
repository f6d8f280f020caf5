"""Layers: where documents come from. The platform below, the stock application, packages, the site on top."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metadata.frozen import FrozenMap
from metadata.model import PackageInfo
from metadata.problems import Place, Problem
from metadata.source import Document, load_text
from rules.registry import Function

HERE = Path(__file__).resolve().parent
SUFFIXES = (".yaml", ".yml", ".json")
NOT_METADATA = {"data", "translations", "functions", "static", "tests", "docs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Documents of one origin. `problems` are those of reading it; a compilation reports them too.

    `package` is what its `package.yaml` says; `functions` are rule functions it brings.
    """

    name: str
    documents: tuple[Document, ...] = ()
    package: PackageInfo | None = None
    functions: tuple[Function, ...] = ()
    problems: tuple[Problem, ...] = ()


def load_folder(path: Path, layer: str, *, prefix: str = "") -> tuple[Layer, list[Problem]]:
    """Reads every document below a folder. Files are called by their path in it, after `prefix`."""
    files = {prefix + file.relative_to(path).as_posix(): file for file in _files(path)}
    return _read(layer, files)


def load_texts(texts: dict[str, str], layer: str) -> Layer:
    """A layer from texts by file name: what the database keeps of a published version."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for file in sorted(texts):
        found, met = load_text(texts[file], file, layer)
        documents.extend(found)
        problems.extend(met)
    return Layer(name=layer, documents=tuple(documents), problems=tuple(problems), package=package_of(documents))


def stock_root() -> Path:
    """The folder of the stock application: the root of a checkout, or `metadata/stock` in a wheel."""
    packed = HERE / "stock"
    return packed if packed.is_dir() else HERE.parent


def stock_files() -> dict[str, Path]:
    """The stock documents by the name they carry in problems."""
    root = stock_root()
    rules = root / "rules" if root.name == "stock" else root / "rules" / "declared"
    found: dict[str, Path] = {}
    for name, folder in (("entities", root / "entities"), ("layouts", root / "layouts"), ("rules/declared", rules)):
        found |= {f"{name}/{file.relative_to(folder).as_posix()}": file for file in _files(folder)}
    return found


def stock() -> Layer:
    """The stock application."""
    return _read("stock", stock_files())[0]


def platform() -> Layer:
    """The entities the runtime itself knows: user, role, unit, …"""
    return load_folder(HERE / "platform", "platform", prefix="platform/")[0]


def package_of(documents: list[Document]) -> PackageInfo | None:
    """What the layer's `package:` document says of it, as far as it can be read."""
    from metadata.i18n import label_of  # late: i18n reads the model, which most readers of layers do not need

    declared = next((d for d in documents if d.kind == "package" and not d.extend and not d.broken), None)
    if declared is None:
        return None
    version = declared.data.get("version")
    requires = declared.data.get("requires")
    needs = {k: v for k, v in requires.items() if isinstance(v, str)} if isinstance(requires, dict) else {}
    return PackageInfo(
        name=declared.name,
        version=str(version) if version is not None else "0",
        label=label_of(declared.data.get("label"), declared.name, ("zh", "en")),
        code=declared.data.get("code") is True,
        requires=FrozenMap(needs),
    )


def _files(folder: Path) -> Iterator[Path]:
    """YAML and JSON files below a folder in a stable order; seed data, translations and hidden folders left out."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in NOT_METADATA)
        yield from (Path(here) / f for f in sorted(files) if f.endswith(SUFFIXES) and not f.startswith("."))


def _read(layer: str, files: dict[str, Path]) -> tuple[Layer, list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    for name, file in files.items():
        try:
            raw = file.read_bytes()
        except OSError as error:
            params = {"reason": error.strerror or "?"}
            problems.append(Problem(code="syntax.unreadable", place=Place(file=name, layer=layer), params=params))
            continue
        found, met = load_text(raw, name, layer)
        documents.extend(found)
        problems.extend(met)
    made = Layer(name=layer, documents=tuple(documents), problems=tuple(problems), package=package_of(documents))
    return made, problems
