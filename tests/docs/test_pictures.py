"""The pictures of the manuals: all there, none left over, small enough to live in the repository."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOST = 3_000_000  # bytes of all pictures


def named() -> set[Path]:
    """The pictures that manuals show or link to."""
    found = set()
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for address in re.findall(r"\]\(([^)\s]+\.(?:png|webp))\)", page.read_text("utf-8")):
            found.add((page.parent / address).resolve())
    return found


def test_every_picture_of_a_manual_is_there() -> None:
    assert [path for path in sorted(named()) if not path.is_file()] == []


def test_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "images").rglob("*") if path.is_file()) < MOST


def test_both_languages_show_the_same_pictures() -> None:
    zh, en = ({path.name for path in (DOCS / "images" / "user" / language).iterdir()} for language in ("zh", "en"))
    assert zh == en
