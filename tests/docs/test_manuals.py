"""The manuals cannot lie: the commands, options, settings, roles and links they name exist."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from metadata.packages import stock
from runtime.settings import Settings
from web.cli import COMMANDS, Commands

ROOT = Path(__file__).resolve().parents[2]
MANUALS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]
COMMAND = re.compile(r"(?:^|[`$ ])octavo (?:--site \S+ )?([a-z]+(?:-[a-z]+)*)(?: ([a-z]+))?([^\n`|]*)", re.M)


def written_commands() -> list[tuple[str, str, str, str]]:
    """(file, command, word after it, the rest) of every call of octavo in code of the manuals."""
    found = []
    for manual in MANUALS:
        text = manual.read_text("utf-8")
        code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```\w*[^\n]*\n(.*?)^```$", text, re.M | re.S)
        for piece in code:
            found += [(manual.name, *match) for match in COMMAND.findall(piece)]
    return found


def command_named(name: str) -> click.Command:
    found = Commands().get_command(click.Context(click.Command("octavo")), name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("written", written_commands(), ids=lambda w: f"{w[0]}: {w[1]} {w[2]}")
def test_commands_of_the_manuals_exist_with_their_options(written: tuple[str, str, str, str]) -> None:
    _, name, word, rest = written
    assert name in COMMANDS
    command = command_named(name)
    if isinstance(command, click.Group):
        below = command.get_command(click.Context(command), word)
        assert below is not None
        command = below
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"(?<=\s)--[a-z-]+", f" {word} {rest}")) - {"--site"} <= known | {"--help"}


def test_the_operators_manual_names_exactly_the_settings() -> None:
    table = (ROOT / "docs" / "operator.md").read_text("utf-8").split("## Settings")[1].split("## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.M)) == {f.name for f in fields(Settings)} - {"folder"}


def test_the_administrators_manual_names_exactly_the_stock_roles() -> None:
    sentence = (ROOT / "docs" / "admin.md").read_text("utf-8").split("The stock roles:")[1].split(".")[0]
    assert set(re.findall(r"`([a-z_]+)`", sentence)) == {d.name for d in stock().documents if d.kind == "role"}


@pytest.mark.parametrize("manual", MANUALS, ids=lambda m: str(m.relative_to(ROOT)))
def test_links_lead_somewhere(manual: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", manual.read_text("utf-8"))
    assert [t for t in targets if not (manual.parent / t).exists()] == []
