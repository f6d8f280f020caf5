"""A lint suite for authors of packages: `from metadata.testing import lint` in a test, and one assertion.

def test_the_package():
    assert lint(Path(__file__).parent) == []
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metadata.compiler import Compiled, compile_application
from metadata.packages import Layer, load_folder, platform, stock
from metadata.problems import Problem
from metadata.render import render_text, sources_of
from rules.registry import FunctionRegistry


def compile_package(
    folder: Path, below: Sequence[Path] = (), *, with_stock: bool = True, functions: FunctionRegistry | None = None
) -> tuple[Compiled, Layer]:
    """The platform, the stock application, the packages `below`, and the package in `folder`, compiled.

    `functions` are the rule functions a code package registers; the core ones where none are given.
    """
    layers = [platform(), *([stock()] if with_stock else [])]
    layers += [load_folder(path, path.name, prefix=f"{path.name}/")[0] for path in below]
    own, _ = load_folder(folder, folder.name, prefix=f"{folder.name}/")
    return compile_application([*layers, own], functions=functions), own


def problems_of(
    folder: Path,
    below: Sequence[Path] = (),
    *,
    with_stock: bool = True,
    warnings: bool = True,
    functions: FunctionRegistry | None = None,
) -> list[Problem]:
    """What there is to say about the documents of the package itself."""
    compiled, own = compile_package(folder, below, with_stock=with_stock, functions=functions)
    files = {d.file for d in own.documents} | {p.place.file for p in own.problems}
    wanted = ("error", "warning") if warnings else ("error",)
    return [p for p in compiled.problems if p.severity in wanted and (p.place.file in files)]


def lint(
    folder: Path,
    below: Sequence[Path] = (),
    *,
    with_stock: bool = True,
    warnings: bool = True,
    needs_package: bool = True,
    language: str = "en",
    functions: FunctionRegistry | None = None,
) -> list[str]:
    """One text per finding; an empty list is a clean package.

    Beyond what the compiler says: there is a `package.yaml`, every label is given in Chinese and English (the
    compiler's warnings), and the folder holds at least one document.
    """
    found = problems_of(folder, below, with_stock=with_stock, warnings=warnings, functions=functions)
    own, _ = load_folder(folder, folder.name, prefix=f"{folder.name}/")
    texts = [render_text([p], sources_of(own.documents), language) for p in found]
    if needs_package and own.package is None:
        texts.append(f"{folder.name}: package.yaml is missing")
    if not [d for d in own.documents if d.kind != "package"]:
        texts.append(f"{folder.name}: no documents")
    return texts
