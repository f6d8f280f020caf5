"""Import and export at size: `python -m tests.exchange.bench_import 100000`. One row in a hundred has a mistake."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from runtime.exchange import export, import_file
from tests.exchange.conftest import make_site
from tests.exchange.real_input import make_book


def measure(count: int, encoding: str = "gb18030") -> dict[str, float]:
    """Rows a second of wall time, and the peak memory in MiB; checks that right and wrong rows are told apart."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = make_book(count, seed=16, one_wrong_in=100)
        path = book.write(folder / "a.csv", encoding)
        site = make_site(folder, f"sqlite:///{folder / 'octavo.db'}")
        started = time.perf_counter()
        done = import_file(site, "firm", path)
        imported = time.perf_counter()
        again = import_file(site, "firm", path)
        repeated = time.perf_counter()
        assert (done.created, done.rejected) == (book.right, len(book.wrong))
        assert (again.created, again.rejected) == (book.right, len(book.wrong))
        with site.session() as session:
            export(session, "firm", folder / "a.xlsx", "xlsx")
        exported = time.perf_counter()
        site.close()
    return {
        "import": round(count / (imported - started)),
        "again_seconds": round(repeated - imported, 2),
        "export": round(book.right / (exported - repeated)),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]))) + "\n")
