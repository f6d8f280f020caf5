"""rescore."""

from __future__ import annotations

from typing import Any

import click

from runtime.commands import scores
from runtime.publishing import layers as layering
from web.commands.shell import Shell, command, option, pass_shell


@command("rescore", "Work out the scores of all records of an entity anew. ¦ 重新计算某实体全部记录的评分。")
@click.argument("entity")
@option(
    "--draft",
    is_flag=True,
    help="Change nothing: compare the scores of the site folder with the live ones ¦ 只比较，不改数据",
)
@option("--limit", type=click.IntRange(0, 1_000_000), default=20, help="Records listed by --draft ¦ 列出多少条记录")
@pass_shell
def rescore(shell: Shell, entity: str, draft: bool, limit: int) -> None:
    site = shell.site()
    if draft:
        _print(shell, scores.compare(site, layering.folder_layers(site.settings), entity, shell.language, limit))
        return
    found = scores.rescore(site, entity)
    if not found:
        shell.answer({}, f"{entity} has no scores. ¦ {entity} 没有评分。")
        return
    text = ", ".join(f"{name} {count:,}" for name, count in found.items())
    shell.answer(found, f"Records with another score: {text}. ¦ 分数有变的记录：{text}。")


def _print(shell: Shell, found: list[dict[str, Any]]) -> None:
    if shell.as_json:
        shell.data(found)
        return
    if not found:
        shell.say("No score of the site folder differs from the live one. ¦ 站点文件夹中的评分与现行一致。")
    for one in found:
        if not one["known"]:
            shell.say(f"{one['label']}: reads fields not published yet. ¦ {one['label']}：读取尚未发布的字段。")
            continue
        shell.say(
            f"{one['label']}: {one['changed']:,} of {one['records']:,} records get another score, "
            f"{one['regraded']:,} another grade. {one['moves_text']} ¦ "
            f"{one['label']}：{one['records']:,} 条记录中 {one['changed']:,} 条分数改变，"
            f"{one['regraded']:,} 条等级改变。{one['moves_text']}"
        )
        rows = [
            (
                r["id"],
                r["title"],
                r["before"] or "–",
                r["after"] or "–",
                r["grade_before"] or "–",
                r["grade_after"] or "–",
            )
            for r in one["list"]
        ]
        heading = ("Id ¦ ID", "Record ¦ 记录", "Before ¦ 原分", "After ¦ 新分", "Grade ¦ 原等级", "New grade ¦ 新等级")
        if rows:
            shell.table(heading, rows)
