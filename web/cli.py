"""The entry point `octavo`: global options, the list of commands, and what happens when one of them fails.

Errors are one sentence on standard error that says what to do next. A traceback is a bug: it goes to the log file.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from web.commands.shell import Option, Shell, in_language, terminal_language

# Where each command lies; looked up by name, so that a call imports no more than its own command.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("web.commands.site:init", "Create a site folder: database, metadata, an admin ¦ 创建站点"),
    "serve": ("web.commands.serve:serve", "Start the web server ¦ 启动网站"),
    "worker": ("web.commands.serve:worker", "Run background jobs ¦ 运行后台任务"),
    "scheduler": ("web.commands.serve:scheduler", "Start what is due by schedule ¦ 运行定时任务"),
    "check": ("web.commands.metadata:check", "Check metadata without a database ¦ 检查元数据"),
    "plan": ("web.commands.metadata:plan", "Show what publishing would do ¦ 预览发布的影响"),
    "publish": ("web.commands.metadata:publish", "Publish the metadata as a new version ¦ 发布元数据"),
    "pull": ("web.commands.metadata:pull", "Write what was edited in the browser to files ¦ 将在线修改写回文件"),
    "versions": ("web.commands.metadata:versions", "List the published versions ¦ 版本历史"),
    "rollback": ("web.commands.metadata:rollback", "Publish an earlier version again ¦ 回退到旧版本"),
    "purge-retired": ("web.commands.metadata:purge_retired", "Let go of what was retired ¦ 清除已停用的数据"),
    "schema": ("web.commands.metadata:schema", "JSON Schemas for editors ¦ 供编辑器使用的 JSON Schema"),
    "package": ("web.commands.package:package", "Industry templates ¦ 行业模板包"),
    "sample": ("web.commands.sample:sample", "Load or remove sample data ¦ 示例数据"),
    "import": ("web.commands.data:import_file", "Import records from CSV or XLSX ¦ 导入数据"),
    "export": ("web.commands.data:export_file", "Export records to a file ¦ 导出数据"),
    "query": ("web.commands.data:query", "List records in the terminal ¦ 查询记录"),
    "report": ("web.commands.data:report", "Run a report ¦ 运行报表"),
    "explain": ("web.commands.why:explain", "Why a value or an access is as it is ¦ 解释结果的原因"),
    "eval": ("web.commands.why:evaluate", "One expression on one record ¦ 对一条记录求值"),
    "run-rules": ("web.commands.rules:run_rules", "Run a rule by hand, or over history ¦ 手动运行规则"),
    "remind": ("web.commands.rules:remind", "Run reminders now, or count them ¦ 立即提醒或试算"),
    "hook-key": ("web.commands.rules:hook_key", "Show the secret of a webhook ¦ 显示外部调用的密钥"),
    "rescore": ("web.commands.scores:rescore", "Work out all scores of an entity anew ¦ 重新评分"),
    "user": ("web.commands.people:user", "Add users, set passwords and roles ¦ 用户管理"),
    "token": ("web.commands.people:token", "Tokens for the API ¦ 接口令牌"),
    "backup": ("web.commands.site:backup", "Write the whole site to one file ¦ 备份"),
    "restore": ("web.commands.site:restore", "Bring a backup back ¦ 从备份恢复"),
    "rekey": ("web.commands.site:rekey", "Go over to a new secret key ¦ 更换密钥"),
    "doctor": ("web.commands.site:doctor", "Look for what is wrong with the site ¦ 体检"),
    "verify": ("web.commands.site:verify", "Verify computed values and the audit seal ¦ 校验汇总值与审计"),
    "bench": ("web.commands.site:bench", "Measure this machine ¦ 性能测试"),
}
PACKAGES = ("rules", "metadata", "runtime", "web")
HELP = """Octavo, a CRM made of metadata. ¦ Octavo：由元数据构成的客户关系管理系统。"""


class Commands(click.Group):
    """The commands by name, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        language = terminal_language()
        with formatter.section("命令" if language == "zh" else "Commands"):
            formatter.write_dl([(name, in_language(text, language)) for name, (_, text) in COMMANDS.items()])


def program_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # late: reads what is installed

    try:
        return version("octavo")
    except PackageNotFoundError:
        return "0"


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"octavo, version {program_version()}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--site",
    cls=Option,
    envvar="OCTAVO_SITE",
    default="site",
    type=click.Path(path_type=Path),
    help="The site folder (else OCTAVO_SITE, else ./site) ¦ 站点文件夹（默认 OCTAVO_SITE，再默认 ./site）",
)
@click.option("--json", "as_json", cls=Option, is_flag=True, help="Answer in JSON ¦ 以 JSON 输出")
@click.option("-q", "--quiet", cls=Option, is_flag=True, help="Say only what was asked for ¦ 少说话")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show the version."
)
@click.pass_context
def octavo(context: click.Context, site: Path, as_json: bool, quiet: bool) -> None:
    shell = Shell(folder=site, as_json=as_json, quiet=quiet)
    context.obj = shell
    context.call_on_close(shell.close)


octavo.help = in_language(HELP, terminal_language())


def shadowed() -> str | None:
    """A sentence where Python would import somebody else's package in the place of one of ours."""
    home = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        place = Path(found.origin).resolve() if found is not None and found.origin else None
        if place is None or place.parent.parent != home:
            text = (
                "Another package called “{name}” ({place}) hides Octavo's own: run octavo from another folder, or "
                "take it out of PYTHONPATH and of this environment. ¦ "
                "另一个名为“{name}”的包（{place}）遮住了 Octavo 自己的包："
                "请换一个目录运行，或将它从 PYTHONPATH 和当前环境中移除。"
            )
            return in_language(text, terminal_language()).format(name=name, place=place)
    return None


def run(arguments: Sequence[str]) -> int:
    """Runs one call and answers its exit code: 0 done, 1 not done, 2 wrong usage, 70 a bug, 130 interrupted."""
    if hidden := shadowed():
        click.echo(hidden, err=True)
        return 1
    try:
        result = octavo.main(args=list(arguments), prog_name="octavo", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        return _failed(error, arguments)


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    from runtime.errors import Answer
    from runtime.settings import SettingsError

    if isinstance(error, Answer):
        for line in answer_lines(error, terminal_language()):
            click.echo(line, err=True)
        return 1
    if isinstance(error, SettingsError):
        click.echo(str(error), err=True)
        return 1
    if isinstance(error, OSError):
        click.echo(_os_sentence(error), err=True)
        return 1
    place = _log_bug(arguments)
    text = "This is a bug in Octavo; what happened is in {place}. ¦ 程序出错，详情见 {place}。"
    click.echo(in_language(text, terminal_language()).format(place=place), err=True)
    return 70


def answer_lines(answer: Any, language: str) -> list[str]:
    """The sentence of an answer, then one line for each problem."""
    from runtime.messages import say_answer, say_problem

    problems = [
        f"  {p.field}: {say_problem(p, language)}" if p.field else f"  {say_problem(p, language)}"
        for p in answer.problems
    ]
    return [say_answer(answer, language), *problems]


def _os_sentence(error: OSError) -> str:
    name = error.filename or ""
    text = "{name}: {reason}. Look at the path and its permissions. ¦ {name}：{reason}。请检查路径和权限。"
    return in_language(text, terminal_language()).format(name=name, reason=error.strerror or error)


def _log_bug(arguments: Sequence[str]) -> Path:
    """Writes the traceback to the site's log, or to the temporary folder where there is no site."""
    folder = Path(tempfile.gettempdir())
    site = _site_of(arguments)
    if site.is_dir():
        (site / "log").mkdir(exist_ok=True)
        folder = site / "log"
    place = folder / "octavo-error.log"
    handler = logging.FileHandler(place, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.Logger("octavo.bug")
    logger.addHandler(handler)
    logger.exception("octavo %s", arguments[0] if arguments else "")
    handler.close()
    return place


def _site_of(arguments: Sequence[str]) -> Path:
    import os

    given = dict(zip(arguments, list(arguments)[1:])).get("--site")
    return Path(given or os.environ.get("OCTAVO_SITE") or "site")


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
