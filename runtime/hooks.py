"""Code packages: Python installed by the operator that brings metadata, rule functions and plug-ins.

A code package announces itself with an entry point in the group `octavo.packages`; its value is a Python package whose
folder holds `package.yaml`, `entities/`, `layouts/` and `rules/` like any other package. Importing it registers rule
functions (`rules.registry.rule_function`), pick strategies (`rules.assigning.pick_strategy`), field types
(`metadata.fields.base.register`), jobs (`runtime.jobs.job`) and messages (`runtime.messages.register`). Data packages
are folders of documents alone and never bring Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

GROUP = "octavo.packages"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePackage:
    """An installed code package. The fingerprint changes with any of its Python files."""

    name: str
    folder: Path
    fingerprint: str


@cache
def code_packages() -> tuple[CodePackage, ...]:
    """The installed code packages by name, imported, so that what they register is there."""
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return tuple(_load(point) for point in found)


def fingerprints() -> dict[str, str]:
    """{name of a code package: fingerprint}, as a published version keeps them."""
    return {package.name: package.fingerprint for package in code_packages()}


def _load(point: EntryPoint) -> CodePackage:
    module: ModuleType = point.load()
    folder = Path(module.__file__ or ".").resolve().parent
    return CodePackage(name=point.name, folder=folder, fingerprint=fingerprint_of(folder))


def fingerprint_of(folder: Path) -> str:
    """A digest of the Python files below a folder, by their relative names."""
    digest = sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
