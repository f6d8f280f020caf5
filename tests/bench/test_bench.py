"""The benchmark runs, small: every figure is there. Nothing is asserted about time."""

from __future__ import annotations

import pytest

from tests.bench.command import table
from tests.bench.load import Load, load_figures
from tests.bench.run import REACH, Options, run


@pytest.mark.slow
def test_every_figure_is_measured() -> None:
    result = run(Options(records=500, grow=700, requests=4))
    figures = result["figures"]
    assert set(REACH) <= set(figures)
    assert all(figures[name]["ratio"] > 0 for name in REACH)
    assert {"create_many", "import, rows/s", "export to xlsx, rows/s", "start_to_first_page_s"} <= set(figures)
    assert any("700 records" in name for name in figures)
    assert table(result).count("\n") == len(figures) + 3


@pytest.mark.slow
@pytest.mark.promise("P23", "P24")
def test_people_at_work_meet_no_failure() -> None:
    result = load_figures(Options(records=1_000), Load(users=6, seconds=6, think=0.2))
    figures = result["figures"]
    assert figures["failures"]["octavo"] == 0, figures["failures"]
    assert figures["requests"]["octavo"] > 20
    assert figures["write-ahead log at most, MiB"]["octavo"] < figures["write-ahead log at most, MiB"]["reach"]
    assert figures["threads grown"]["octavo"] <= 2
    assert table(result).count("\n") == len(figures) + 3
