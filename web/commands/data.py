"""import, export, query, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from runtime.commands import data
from runtime.exchange.state import Status
from web.commands.shell import Failure, Shell, command, option, pass_shell

COUNTS = ("total", "created", "updated", "same", "lines", "related", "rejected", "dry_run")


@command(
    "import",
    "Import records from a CSV or XLSX file; run again, it goes on where it stopped. ¦ 从 CSV 或 XLSX 导入。",
)
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path))
@option(
    "--map",
    "mapping",
    type=click.Path(path_type=Path),
    help="A YAML file: column heading → field ¦ 列名→字段的 YAML 文件",
)
@option(
    "--match",
    help="Fields that tell an existing record, with commas; contacts.mobile for related ones ¦ 用于匹配已有记录的字段",
)
@option("--dry-run", is_flag=True, help="Check everything, write nothing ¦ 只检查不写入")
@option(
    "--rejects", type=click.Path(path_type=Path), help="Where refused rows go (else FILE-rejected.csv) ¦ 未导入行的文件"
)
@option("--as", "login", help="On behalf of this user (else the system) ¦ 以该用户身份")
@pass_shell
def import_file(
    shell: Shell,
    entity: str,
    file: Path,
    mapping: Path | None,
    match: str | None,
    dry_run: bool,
    rejects: Path | None,
    login: str | None,
) -> None:
    if not file.is_file():
        raise Failure(f"{file}: no such file. ¦ {file}：没有这个文件。", 2)
    with _progress(shell, file.name) as advance:
        result = data.run_import(
            shell.site(),
            entity,
            file,
            mapping=mapping,
            match=match,
            dry_run=dry_run,
            login=login,
            language=shell.language,
            progress=advance,
        )
    place = data.save_rejects(shell.site(), result, rejects or file.with_name(f"{file.stem}-rejected.csv"))
    if result.rejected:
        where, there = (f": {place}", f"：{place}") if place else ("", "")
        shell.warn(f"{result.rejected} rows were refused{where} ¦ {result.rejected} 行未导入{there}")
    shell.answer(
        {name: getattr(result, name) for name in COUNTS} | {"rejects": None if place is None else str(place)},
        f"{result.created} created, {result.updated} updated, {result.rejected} refused.{_below(result, 'en')} ¦ "
        f"新建 {result.created} 条，更新 {result.updated} 条，拒绝 {result.rejected} 条。{_below(result, 'zh')}",
    )
    raise click.exceptions.Exit(1 if result.rejected else 0)


def _below(result: Status, language: str) -> str:
    """What became of lines and related records, where the sheet had any."""
    return _lines(result, language) + _related(result)


def _lines(result: Status, language: str) -> str:
    if result.lines is None:
        return ""
    created, updated, removed = (result.lines.get(word, 0) for word in ("created", "updated", "removed"))
    if language == "zh":
        return f"明细：新建 {created} 行，更新 {updated} 行，删除 {removed} 行。"
    return f" Lines: {created} created, {updated} updated, {removed} removed."


def _related(result: Status) -> str:
    """By the field that relates them, as figures that read in both languages."""
    if not result.related:
        return ""
    parts = (f"{name} +{n['created']} ~{n['updated']} ={n['same']}" for name, n in result.related.items())
    return f" {'; '.join(parts)}."


class _progress:  # noqa: N801 - reads like the built-in context managers
    """A bar on a terminal, nothing elsewhere. Called with (done, total or None)."""

    def __init__(self, shell: Shell, name: str) -> None:
        self._bar: Any = None
        self._name = name
        self._shown = sys.stderr.isatty() and not shell.quiet and not shell.as_json

    def __enter__(self) -> _progress:
        if self._shown:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=None)
        return self

    def __call__(self, done: int, total: int | None) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


@command("export", "Export records to a file. ¦ 导出记录。")
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path))
@option("--where", help="An expression ¦ 条件表达式")
@option("--select", help="Fields, separated by commas ¦ 字段，以逗号分隔")
@option("--sort", help="Fields, - for descending ¦ 排序字段，- 表示降序")
@option("--as", "style", type=click.Choice(["xlsx", "csv", "json"]), help="The format (else by the name) ¦ 格式")
@option("--user", "login", help="What this user may export (else everything) ¦ 以该用户的权限")
@pass_shell
def export_file(
    shell: Shell,
    entity: str,
    file: Path,
    where: str | None,
    select: str | None,
    sort: str | None,
    style: str | None,
    login: str | None,
) -> None:
    form = style or file.suffix.lstrip(".").lower()
    count = data.export_file(
        shell.site(), entity, file, form, where=where, select=select, sort=sort, login=login, language=shell.language
    )
    shell.answer({"rows": count, "file": str(file)}, f"{count} rows in {file}. ¦ 已导出 {count} 行：{file}。")


@command("query", "List records. ¦ 查询记录。")
@click.argument("entity")
@option("--where", help="An expression ¦ 条件表达式")
@option("--select", help="Fields, separated by commas ¦ 字段，以逗号分隔")
@option("--sort", help="Fields, - for descending ¦ 排序字段，- 表示降序")
@option("--limit", type=click.IntRange(1, 100_000), default=50, help="How many ¦ 条数")
@option("-q", "--search", "words", help="Words to search for ¦ 搜索词")
@option("--user", "login", help="What this user may see (else everything) ¦ 以该用户的权限")
@pass_shell
def query(
    shell: Shell,
    entity: str,
    where: str | None,
    select: str | None,
    sort: str | None,
    limit: int,
    words: str | None,
    login: str | None,
) -> None:
    found = data.query(
        shell.site(),
        entity,
        where=where,
        select=select,
        sort=sort,
        limit=limit,
        words=words,
        login=login,
        language=shell.language,
    )
    shell.table(found.headings, found.rows, value=found.records)


@command("report", "Run a report; parameters as name=value. ¦ 运行报表，参数写作 name=value。")
@click.argument("name")
@click.argument("parameters", nargs=-1)
@option("--as", "style", type=click.Choice(["csv", "xlsx", "json"]), help="Write a file of this format ¦ 文件格式")
@option("--to", type=click.Path(path_type=Path), help="The file to write ¦ 输出文件")
@option("--user", "login", help="What this user may see (else everything) ¦ 以该用户的权限")
@pass_shell
def report(
    shell: Shell, name: str, parameters: tuple[str, ...], style: str | None, to: Path | None, login: str | None
) -> None:
    given: dict[str, str] = {}
    for text in parameters:
        key, found, value = text.partition("=")
        if not found:
            raise Failure(f"{text}: write a parameter as name=value. ¦ {text}：参数写作 name=value。", 2)
        given[key] = value
    answer = data.report(shell.site(), name, given, login=login, language=shell.language)
    if to is not None:
        data.write_report(answer, to, style or to.suffix.lstrip("."))
        shell.answer({"rows": len(answer.rows), "file": str(to)}, f"{len(answer.rows)} rows in {to}. ¦ 已写入 {to}。")
        return
    if shell.as_json or style == "json":
        shell.data(answer.as_data())
        return
    shell.table(answer.headings(), answer.text_rows())
