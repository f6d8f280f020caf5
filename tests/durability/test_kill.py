"""`kill -9` at random points: no acknowledged write lost, nothing doubled, the invariants hold.

OCTAVO_FUZZ=4 makes the 200 kills in all; a usual run makes a quarter of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.durability.support import site_with_package
from tests.scale import FUZZ

ROOT = Path(__file__).resolve().parents[2]
COUNTS = ("lost", "doubled", "lost_updates", "gaps", "drift", "audit_missing", "stage_log_missing", "orphans", "broken")


@pytest.mark.slow
@pytest.mark.promise("P01", "P03", "P10")
@pytest.mark.parametrize(("kind", "rounds"), [("save", 12 * FUZZ), ("import", 7 * FUZZ), ("publish", 6 * FUZZ)])
def test_kills_lose_and_double_nothing(kind: str, rounds: int, database_url: str, tmp_path: Path) -> None:
    folder = site_with_package(tmp_path / "site", database_url)
    command = [sys.executable, "-m", "tests.durability.arena", str(folder), kind, str(rounds), "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200 + 100 * FUZZ)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    wrong = {name: result[name] for name in (*COUNTS, "schema_difference", "lost_versions") if result.get(name)}
    assert wrong == {}, result
    assert result["rounds"] == rounds
    assert result["acknowledged"] > 0
