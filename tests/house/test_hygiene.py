"""The repository speaks of the project alone, and carries nothing that is not written here."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_absolute_path_of_a_machine() -> None:
    pattern = re.compile(r"(?<![\w.}])/(?:work|root|farm|home/\w+)/")
    found = [str(p.relative_to(ROOT)) for p in tracked() if p != Path(__file__) and pattern.search(text_of(p))]
    assert found == []


def test_lock_files_carry_no_download_addresses() -> None:
    for path in tracked():
        if path.name == "package-lock.json":
            packages = json.loads(path.read_text("utf-8"))["packages"]
            assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_no_third_party_browser_file_is_committed() -> None:
    found = [p for p in tracked() if re.search(r"\.min\.(js|css)$|/node_modules/|/vendor/", str(p))]
    assert found == []


def test_nothing_is_left_unfinished_by_its_own_words() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX)\b|\bfor now\b|not implemented yet")
    sources = [p for p in tracked() if p.suffix in {".py", ".html", ".js", ".yaml"} and p != Path(__file__)]
    assert [str(p.relative_to(ROOT)) for p in sources if pattern.search(text_of(p))] == []


def test_every_source_file_stays_readable() -> None:
    sources = [p for p in tracked() if p.suffix == ".py" and "tests" not in p.relative_to(ROOT).parts]
    assert [str(p.relative_to(ROOT)) for p in sources if len(text_of(p).splitlines()) > 500] == []


def test_no_symlinks_are_followed_out_of_the_repository() -> None:
    assert [str(p) for p in tracked() if p.is_symlink()] == []
