"""check, plan, publish, pull, versions, rollback, schema."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import orjson

from metadata.compiler import Compiled
from metadata.packages import Layer
from metadata.render import render_json, render_sarif, render_text
from runtime.commands import checking
from runtime.publishing import layers as layering
from runtime.publishing import publish as publishing
from runtime.publishing import purge as purging
from web.commands.shell import Failure, Shell, command, in_language, option, pass_shell


@command("check", "Check metadata without touching a database. Exit 0 clean, 1 problems. ¦ 检查元数据，不访问数据库。")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "sarif"]),
    default=None,
    help="How to print the problems ¦ 输出格式",
)
@option("--strict", is_flag=True, help="Warnings count as problems too ¦ 警告也算问题")
@pass_shell
def check(shell: Shell, paths: tuple[Path, ...], style: str | None, strict: bool) -> None:
    missing = [path for path in paths if not path.is_dir()]
    if missing:
        raise Failure(f"{missing[0]}: no such folder. Name a folder of metadata. ¦ {missing[0]}：没有这个文件夹。", 2)
    layers = checking.layers_to_check(shell.folder, paths)
    compiled = publishing.check(layers)
    print_problems(shell, layers, compiled, style or ("json" if shell.as_json else "text"))
    failed = compiled.problems if strict else compiled.errors
    raise click.exceptions.Exit(1 if failed else 0)


def print_problems(shell: Shell, layers: list[Layer], compiled: Compiled, style: str) -> None:
    if style == "json":
        click.echo(orjson.dumps(render_json(compiled.problems, shell.language), option=orjson.OPT_INDENT_2).decode())
    elif style == "sarif":
        sarif = render_sarif(compiled.problems, shell.language)
        click.echo(orjson.dumps(sarif, option=orjson.OPT_INDENT_2).decode())
    else:
        _print_text(shell, layers, compiled)


def _print_text(shell: Shell, layers: list[Layer], compiled: Compiled) -> None:
    if compiled.problems:
        sources = checking.sources(layers)
        click.echo(render_text(compiled.problems, sources, shell.language, colour=sys.stdout.isatty()))
    errors = len(compiled.errors)
    warnings = len(compiled.problems) - errors
    documents = len(compiled.documents)
    shell.say(
        f"{documents} documents: {errors} errors, {warnings} warnings. ¦ "
        f"{documents} 个文档：{errors} 个错误，{warnings} 个警告。"
    )


@command("plan", "Show what publishing would do to the database and its data. ¦ 预览发布对数据库和数据的影响。")
@pass_shell
def plan(shell: Shell) -> None:
    site = shell.site()
    made = publishing.plan(site, layering.folder_layers(site.settings))
    _print_plan(shell, made)
    raise click.exceptions.Exit(1 if made.errors or made.refusals else 0)


def _print_plan(shell: Shell, made: publishing.PublishPlan) -> None:
    if shell.as_json:
        shell.data(checking.plan_data(made, shell.language))
        return
    for line in checking.plan_lines(made, shell.language):
        click.echo(line)


@command("publish", "Publish the metadata in the site folder as a new version. ¦ 将站点文件夹中的元数据发布为新版本。")
@option("--yes", "-y", is_flag=True, help="Do not ask; accept what touches data ¦ 不再询问")
@option("--note", default="", help="What changed and why ¦ 说明")
@pass_shell
def publish(shell: Shell, yes: bool, note: str) -> None:
    site = shell.site()
    layers = layering.folder_layers(site.settings)
    made = publishing.plan(site, layers)
    if not shell.as_json and not (shell.quiet and not made.errors):
        _print_plan(shell, made)
    if made.errors:
        raise Failure("Nothing was published; mend the errors above and try again. ¦ 没有发布；请先改正以上错误。")
    if not made.changes:
        shell.answer({"version": made.base, "changed": False}, "Nothing has changed. ¦ 没有任何更改。")
        return
    if not yes:
        _ask(shell, made)
    number = publishing.publish(site, layers, note, None, accept=True, base=made.base)
    shell.answer({"version": number, "changed": True}, f"Published as version {number}. ¦ 已发布为版本 {number}。")


def _ask(shell: Shell, made: publishing.PublishPlan) -> None:
    if not made.dangers and not sys.stdin.isatty():
        return
    if not sys.stdin.isatty():
        raise Failure(
            "This affects existing data: run again with --yes to accept it. ¦ 此更改影响已有数据：请加 --yes。"
        )
    question = ["Publish?", "发布？"][shell.language == "zh"]
    if not click.confirm(question):
        raise Failure("Nothing was published. ¦ 没有发布。")


@command("pull", "Write what was edited in the browser to the site folder. ¦ 将浏览器中的修改写回站点文件夹。")
@pass_shell
def pull(shell: Shell) -> None:
    written = publishing.pull(shell.site())
    for path in written:
        shell.say(str(path))
    shell.answer([str(p) for p in written], f"{len(written)} files written. ¦ 写入 {len(written)} 个文件。")


@command("versions", "List the published versions, newest first. ¦ 版本历史，新的在前。")
@option("--limit", type=click.IntRange(1, 10_000), default=30, help="How many ¦ 条数")
@pass_shell
def versions(shell: Shell, limit: int) -> None:
    listed = publishing.versions(shell.site(), limit)
    value: list[dict[str, Any]] = [
        {
            "number": v.number,
            "created_at": v.created_at.isoformat(),
            "created_by": v.created_by,
            "note": v.note,
            "changes": list(v.changes),
            "rollback_of": v.rollback_of,
        }
        for v in listed
    ]
    zone = shell.site().zone
    rows = [
        (v.number, f"{v.created_at.astimezone(zone):%Y-%m-%d %H:%M}", v.note or "", "; ".join(v.changes[:3]))
        for v in listed
    ]
    headings = ("Version ¦ 版本", "Published ¦ 发布时间", "Note ¦ 说明", "Changes ¦ 更改")
    shell.table(headings, rows, value=value)


@command("rollback", "Publish an earlier version again, as a new one. ¦ 将旧版本重新发布为新版本。")
@click.argument("number", type=click.IntRange(1))
@option("--yes", "-y", is_flag=True, help="Accept what touches data ¦ 接受对数据的影响")
@pass_shell
def rollback(shell: Shell, number: int, yes: bool) -> None:
    made = publishing.rollback(shell.site(), number, None, accept=yes, language=shell.language)
    shell.answer(
        {"version": made}, f"Version {number} is back, as version {made}. ¦ 版本 {number} 已恢复为版本 {made}。"
    )


@command(
    "purge-retired",
    "List the data that retired fields and entities left behind, or with --yes drop them for ever. "
    "¦ 列出已停用字段和实体留下的数据；加 --yes 则永久删除。",
)
@click.argument("names", nargs=-1, metavar="[ENTITY[.FIELD]]...")
@option("--yes", "-y", is_flag=True, help="Drop them: no roll back brings the values back ¦ 永久删除，回滚也无法找回")
@pass_shell
def purge_retired(shell: Shell, names: tuple[str, ...], yes: bool) -> None:
    site = shell.site()
    if yes:
        found = purging.purge(site, names)
    else:
        found = [r for r in purging.remains(site) if not names or r.name in names or r.entity in names]
    if not found:
        shell.answer([], "Nothing retired lies aside. ¦ 没有已停用的数据。")
        return
    what = {True: "earlier type ¦ 原类型", False: "retired ¦ 已停用"}
    headings = ("Name ¦ 名称", "What ¦ 类别", "Since version ¦ 版本", "Values ¦ 数据量", "Table ¦ 表")
    rows = [
        (r.name, in_language(what[r.earlier], shell.language), str(r.since), f"{r.values:,}", r.table) for r in found
    ]
    shell.table(headings, rows, value=[asdict(r) for r in found])
    if yes:
        shell.say(f"{len(found)} dropped for ever. ¦ 已永久删除 {len(found)} 项。")
    else:
        shell.say("Nothing was dropped; --yes does it. ¦ 尚未删除；加 --yes 执行。")


@command("schema", "Print the JSON Schema of a kind of document, or list the kinds. ¦ 输出某类文档的 JSON Schema。")
@click.argument("kind", required=False)
@option("--to", type=click.Path(path_type=Path, file_okay=False), help="Write all schemas to this folder ¦ 写入文件夹")
@pass_shell
def schema(shell: Shell, kind: str | None, to: Path | None) -> None:
    if to is not None:
        written = checking.write_schemas(to)
        shell.answer(
            [str(p) for p in written], f"{len(written)} schemas in {to}. ¦ 已写入 {len(written)} 个文件：{to}。"
        )
        return
    if kind is None:
        shell.table(("Kind ¦ 种类", "Folder ¦ 文件夹"), checking.kinds())
        return
    found = checking.schema_of(kind)
    if found is None:
        raise Failure(
            f"There is no kind “{kind}”; octavo schema lists them. ¦ 没有“{kind}”这种文档；octavo schema 会列出全部。",
            2,
        )
    shell.data(found)
