"""docs/tutorial.md works as written: its files are made, its commands run, and they say what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(yaml|csv|console)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
OCTAVO = [sys.executable, "-c", "import sys; from web.cli import main; sys.exit(main())"]


def commands(block: str) -> list[tuple[list[str], list[str]]]:
    """(command, what its output must contain) of a console block."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ octavo "):
            found.append((shlex.split(line[9:]), []))
        elif line.strip():
            found[-1][1].append(line.strip())
    return found


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LANG": "en_US.UTF-8", "PYTHONUTF8": "1"}
    environment.pop("LC_ALL", None)
    ran = 0
    for kind, name, block in BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        if kind != "console":
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block, encoding="utf-8")
            continue
        for command, wanted in commands(block):
            done = subprocess.run(
                [*OCTAVO, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
            )
            output = done.stdout + done.stderr
            assert done.returncode == 0, (command, output)
            assert [text for text in wanted if text not in output] == [], (command, output)
            ran += 1
    assert ran >= 8
