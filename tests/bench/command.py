"""What `octavo bench` runs and prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.load import Load, load_figures
from tests.bench.run import Options, run


def measure(
    records: int, grow: int, database: str, only: Sequence[str], say: Callable[[str], object] | None
) -> dict[str, Any]:
    """The figures, JSON-ready."""
    options = Options(records=records, grow=grow, database=database, only=tuple(only))
    if say is not None:
        options.say = lambda line: say(line) and None
    return run(options)


def load(records: int, database: str, users: int, seconds: int, say: Callable[[str], object] | None) -> dict[str, Any]:
    """The figures of many people at once, JSON-ready."""
    options = Options(records=records, database=database)
    if say is not None:
        options.say = lambda line: say(line) and None
    return load_figures(options, Load(users=users, seconds=seconds))


def table(result: dict[str, Any]) -> str:
    """One line a figure: floor, Octavo, ratio and what the design asks for; Markdown, as `docs/performance.md` has it."""
    machine = result["machine"]
    lines = [
        f"{machine['records']:,} records, {machine['database']}, {machine['workers']} workers, "
        f"{machine['processors']} processors, Python {machine['python']}",
        "",
        "| figure | floor | Octavo | ratio (p50 / throughput / processor) | reach |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, figure in result["figures"].items():
        lines.append(f"| {name} | {' | '.join(_cells(figure))} |")
    which = [f"- {count}: {what}" for f in result["figures"].values() for what, count in f.get("which", {}).items()]
    return "\n".join([*lines, *([""] if which else []), *which])


def _cells(figure: dict[str, Any]) -> tuple[str, str, str, str]:
    reach = str(figure.get("reach", "–"))
    if "octavo_p50_ms" in figure:
        return (
            f"{figure['floor_p50_ms']} ms",
            f"{figure['octavo_p50_ms']} ms",
            f"{figure['ratio']} / {figure['throughput_ratio']} / {figure.get('cpu_ratio', '–')}",
            reach,
        )
    if "before" in figure:
        return str(figure["before"]), str(figure["after"]), str(figure["ratio"]), reach
    ours = figure.get("octavo", figure.get("rows_a_second", "–"))
    return str(figure.get("floor", "–")), str(ours), str(figure.get("ratio", "–")), reach
