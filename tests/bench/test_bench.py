"""The benchmark runs, small: every figure is there. Nothing is asserted about time."""

from __future__ import annotations

import pytest

from tests.bench.command import table
from tests.bench.run import REACH, Options, run


@pytest.mark.slow
def test_every_figure_is_measured() -> None:
    result = run(Options(records=1_000, grow=1_500, requests=4))
    figures = result["figures"]
    assert set(REACH) <= set(figures)
    assert all(figures[name]["ratio"] > 0 for name in REACH)
    assert {"create_many", "import, rows/s", "export to xlsx, rows/s", "start_to_first_page_s"} <= set(figures)
    assert any("1,500 records" in name for name in figures)
    assert table(result).count("\n") == len(figures) + 3
