"""What every command shares: which site, which language, and how it answers (a table, one sentence, or JSON)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
import orjson

if TYPE_CHECKING:
    from runtime.site import Site

SEPARATOR = " ¦ "  # between the English and the Chinese half of a help text


def terminal_language(environment: Mapping[str, str] | None = None) -> str:
    """zh or en: OCTAVO_LANG, else the locale of the terminal, else English."""
    environment = os.environ if environment is None else environment
    for name in ("OCTAVO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def in_language(text: str, language: str) -> str:
    """The half of `English ¦ 中文` that fits the language."""
    english, _, chinese = text.partition(SEPARATOR)
    return chinese if language == "zh" and chinese else english


class Failure(click.ClickException):
    """A command ends without success: one sentence that says what to do next. `exit_code` 1, or 2 for usage."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(in_language(text, terminal_language()))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares the default on the class

    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), err=True)


@dataclass(slots=True)
class Shell:
    """The context of one call of `octavo`."""

    folder: Path
    as_json: bool = False
    quiet: bool = False
    language: str = field(default_factory=terminal_language)
    _site: Any = None

    def site(self) -> Site:
        """The site, opened at its first use. Raises `SettingsError` where the folder holds none."""
        if self._site is None:
            from runtime.site import Site  # not before a command needs it: `octavo --help` stays quick

            self._site = Site.open(self.folder)
        return cast("Site", self._site)

    def close(self) -> None:
        if self._site is not None:
            self._site.close()
            self._site = None

    def say(self, text: str) -> None:
        """A sentence for a person; `text` is `English ¦ 中文`. Silent with -q and with --json."""
        if not self.quiet and not self.as_json:
            click.echo(in_language(text, self.language))

    def warn(self, text: str) -> None:
        click.echo(in_language(text, self.language), err=True)

    def data(self, value: Any) -> None:
        """The answer as JSON on standard output."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        click.echo(orjson.dumps(value, default=str, option=options).decode(), nl=False)

    def answer(self, value: Any, text: str) -> None:
        """One result: JSON with --json, else the sentence."""
        if self.as_json:
            self.data(value)
        else:
            self.say(text)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, value: Any = None) -> None:
        """Rows for a person, or JSON with --json: `value`, else one object per row keyed by heading."""
        listed = [list(row) for row in rows]
        if self.as_json:
            self.data([dict(zip(headings, row)) for row in listed] if value is None else value)
            return
        print_table([in_language(h, self.language) for h in headings], listed)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Aligned columns; Chinese characters count as two. Plain tab-separated text where the output is no terminal."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(headings), *texts]:
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in texts:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


pass_shell = click.make_pass_decorator(Shell)


class Option(click.Option):
    """An option whose help is `English ¦ 中文`."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], in_language(record[1], terminal_language()))


class Command(click.Command):
    """A command whose help is `English ¦ 中文`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = self.help and in_language(self.help, terminal_language())


class Group(click.Group):
    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = self.help and in_language(self.help, terminal_language())


def option(*names: str, **settings: Any) -> Any:
    return click.option(*names, cls=Option, **settings)


def command(name: str, help: str) -> Any:
    return click.command(name, cls=Command, help=help)


def group(name: str, help: str) -> Any:
    return click.group(name, cls=Group, help=help)
