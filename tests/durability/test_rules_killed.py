"""`kill -9` while rules decide: workflows, reminders, bulk assignment, conversions, approvals; everything happens once.

A usual run kills a few times; OCTAVO_KILLS=200 shares 200 kills out over both databases, with and without Redis.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import database_of
from tests.jobs.test_killed import _redis

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("OCTAVO_KILLS") or 0)
WAYS = [("sqlite", "database"), ("postgresql", "redis"), ("sqlite", "redis"), ("postgresql", "database")]
FEW = 8  # one round of each kind of work


@pytest.mark.slow
@pytest.mark.promise("P01", "P03", "P04", "P05")
@pytest.mark.attack("T8", "T10")
@pytest.mark.parametrize(("database", "queue"), WAYS if KILLS else WAYS[:2])
def test_killed_while_deciding_everything_happens_once(database: str, queue: str, tmp_path: Path) -> None:
    redis = _redis() if queue == "redis" else ""
    with database_of(database, tmp_path) as url:
        kills = KILLS // len(WAYS) or FEW
        command = [sys.executable, "-m", "tests.durability.deciding", str(tmp_path), url, str(kills), "1", redis]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{database}, {queue}: {found}")
    assert found["wrong"] == {}, found
    assert found["kills"] >= kills
    assert min(found[name] for name in ("parcels", "crates", "tickets", "conversions", "approvals", "messages")) > 0
