"""`python -m tests.bench [RECORDS] [DATABASE] [FIGURE …]`: what `octavo bench` runs, without the command line."""

from __future__ import annotations

import json
import sys

from tests.bench.run import Options, run

if __name__ == "__main__":
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    database = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    options = Options(
        records=records, database=database, only=tuple(sys.argv[3:]), say=lambda line: print(line, file=sys.stderr)
    )
    print(json.dumps(run(options), indent=1, ensure_ascii=False))
