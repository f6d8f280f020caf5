"""The order of layers: platform, stock, packages after those they need, the site; and who may overrule whom."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from metadata.source import Document

if TYPE_CHECKING:
    from metadata.drafts import World
    from metadata.packages import Layer

BASE = ("platform", "stock")
OWN_VERSION = "0.1.0"


def octavo_version() -> str:
    """The installed version; in a checkout the one being written."""
    try:
        return version("octavo")
    except PackageNotFoundError:
        return OWN_VERSION


def in_order(layers: tuple[Layer, ...], world: World) -> tuple[Layer, ...]:
    """Packages after the packages they need, otherwise as given; reports what is missing, unfit or circular."""
    packages = {layer.package.name: layer for layer in layers if layer.package is not None}
    needs = {name: _needs(layer, world, packages) for name, layer in packages.items()}
    ordered: list[Layer] = []
    for layer in layers:
        if layer.package is None:
            ordered.append(layer)
        else:
            _place(layer.package.name, packages, needs, ordered, (), world)
    return tuple(ordered)


def _place(
    name: str,
    packages: dict[str, Layer],
    needs: dict[str, set[str]],
    ordered: list[Layer],
    trail: tuple[str, ...],
    world: World,
) -> None:
    layer = packages[name]
    if layer in ordered:
        return
    if name in trail:
        document = _declaration(layer)
        if document is not None:
            names = " → ".join([*trail[trail.index(name) :], name])
            world.report_at("package.cycle", document.places[("requires",)], names=names)
        return
    for needed in sorted(needs[name]):
        _place(needed, packages, needs, ordered, (*trail, name), world)
    if layer not in ordered:
        ordered.append(layer)


def _declaration(layer: Layer) -> Document | None:
    return next((d for d in layer.documents if d.kind == "package" and not d.broken), None)


def _needs(layer: Layer, world: World, packages: dict[str, Layer]) -> set[str]:
    document = _declaration(layer)
    if document is None:
        return set()
    others = [d for d in layer.documents if d.kind == "package" and d is not document]
    for other in others:
        world.report_at("package.twice", other.places[("package",)], related=[document.places[("package",)]])
    _version_of(document, world)
    requires = document.data.get("requires")
    found: set[str] = set()
    for name, wanted in requires.items() if isinstance(requires, dict) else ():
        present = _present(name, packages)
        place = document.places[("requires", name)]
        if present is None:
            world.report_at("package.missing", place, package=document.name, name=name[:60])
        elif isinstance(wanted, str):
            _fits(document, name, wanted, present, world)
        if name in packages:
            found.add(name)
    return found


def _version_of(document: Document, world: World) -> None:
    given = document.data.get("version")
    try:
        Version(given if isinstance(given, str) else "0")
    except InvalidVersion:
        world.report_at("package.version_number", document.places[("version",)], version=str(given)[:60])


def _present(name: str, packages: dict[str, Layer]) -> str | None:
    if name in ("octavo", *BASE):
        return octavo_version()
    found = packages.get(name)
    return found.package.version if found is not None and found.package is not None else None


def _fits(document: Document, name: str, wanted: str, present: str, world: World) -> None:
    place = document.places[("requires", name)]
    try:
        fits = SpecifierSet(wanted).contains(Version(present), prereleases=True)
    except InvalidSpecifier:
        world.report_at("package.range", place, wanted=wanted[:60])
        return
    except InvalidVersion:
        return
    if not fits:
        params: dict[str, Any] = {"package": document.name, "name": name, "wanted": wanted[:60], "found": present}
        world.report_at("package.version", place, **params)


class Layers:
    """Ranks of the layers of a compilation, and which packages know each other."""

    def __init__(self, world: World) -> None:
        self._ranks = {layer.name: index for index, layer in enumerate(world.layers)}
        self._by_package = {layer.package.name: layer for layer in world.layers if layer.package is not None}
        self._needs = {layer.name: self._all_needs(layer) for layer in world.layers if layer.package is not None}

    def rank(self, layer: str) -> int:
        return self._ranks.get(layer, len(self._ranks))

    def may_overrule(self, lower: str, upper: str) -> bool:
        """The site overrules all; a package what it needs, itself, and what is no package."""
        return lower == upper or upper not in self._needs or lower not in self._needs or lower in self._needs[upper]

    def _all_needs(self, layer: Layer) -> set[str]:
        found: set[str] = set()
        waiting = [layer]
        while waiting:
            document = _declaration(waiting.pop())
            requires = document.data.get("requires") if document else None
            for name in requires if isinstance(requires, dict) else ():
                needed = self._by_package.get(name)
                if needed is not None and needed.name not in found:
                    found.add(needed.name)
                    waiting.append(needed)
        return found
