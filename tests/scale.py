"""How much a proof tries: little in a usual run, OCTAVO_FUZZ=<n> times as much.

OCTAVO_FUZZ=5 makes the 2,000 attempts a case of many writers is promised to stand, OCTAVO_KILLS=200 the 200 kills.
"""

from __future__ import annotations

import os

FUZZ = max(1, int(os.environ.get("OCTAVO_FUZZ") or 1))
WRITERS = 16
ROUNDS = 25 * FUZZ  # each with sixteen writers at once: 400 attempts, 2,000 with OCTAVO_FUZZ=5
