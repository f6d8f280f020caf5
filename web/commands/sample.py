"""sample load, remove."""

from __future__ import annotations

from runtime.commands import samples
from runtime.seed import SeedError
from web.commands.shell import Failure, Shell, group, pass_shell


@group("sample", "Sample data of the application and its packages. ¦ 示例数据。")
def sample() -> None:
    pass


@sample.command("load", help="Load them; nobody in them can sign in. ¦ 加载示例数据，其中的用户不能登录。")
@pass_shell
def load(shell: Shell) -> None:
    try:
        made = samples.load(shell.site())
    except SeedError as error:
        raise Failure(f"{error} ¦ {error}") from error
    total = sum(made.values())
    shell.answer(made, f"Sample data are loaded: {total} records. ¦ 已加载示例数据：{total} 条记录。")


@sample.command("remove", help="Remove what nobody changed or uses. ¦ 移除未被修改或使用的示例数据。")
@pass_shell
def remove(shell: Shell) -> None:
    done = samples.remove(shell.site())
    shell.answer(
        {
            "removed": done.removed,
            "kept_count": done.kept_count,
            "kept": [{"entity": e, "id": i, "reason": why, "text": said} for e, i, why, said in done.kept],
        },
        f"{done.removed} records are in the recycle bin, {done.kept_count} were kept; --json lists them. ¦ "
        f"{done.removed} 条记录进入回收站，{done.kept_count} 条保留；--json 可列出。",
    )
